//! A witness over HTTP (C2SP tlog-witness): a service of its own, with a state of its own.

use crate::journal::{SIZE_TYPE, WitnessRefusal};
use crate::service::witness::{NotCosigned, Witness};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::Duration;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

const TEXT: &str = "text/plain; charset=utf-8";
/// A note of the largest size read, and the longest proof.
const LARGEST: usize = 136 * 1024;
/// Seconds a submission may take, writing to disk included.
const LONGEST: Duration = Duration::from_secs(15);
/// Submissions at work at once.
const MOST: usize = 64;

/// Everything a witness serves: submissions, and the checkpoint last cosigned for each log, for monitors.
pub fn witness(witness: Arc<Witness>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add))
        .route("/{log}/checkpoint", get(last))
        .layer(GlobalConcurrencyLimitLayer::new(MOST))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(LARGEST))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(CatchPanicLayer::new())
        .with_state(witness)
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response {
    (status, [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")], body).into_response()
}

async fn add(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    // Remembering waits for the disk.
    let work = tokio::task::spawn_blocking(move || {
        let body = str::from_utf8(&body).map_err(|_| WitnessRefusal::Malformed)?;
        witness.add(body)
    });
    match work.await {
        Ok(Ok(line)) => answer(StatusCode::OK, TEXT, line),
        Ok(Err(refused)) => refusal(refused),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn refusal(refused: NotCosigned) -> Response {
    let status = match refused {
        NotCosigned::Refused(refusal) => match refusal {
            WitnessRefusal::Malformed | WitnessRefusal::OldBeyond => StatusCode::BAD_REQUEST,
            WitnessRefusal::Unsigned => StatusCode::FORBIDDEN,
            WitnessRefusal::UnknownLog => StatusCode::NOT_FOUND,
            WitnessRefusal::Inconsistent => StatusCode::UNPROCESSABLE_ENTITY,
            WitnessRefusal::OtherSize(size) | WitnessRefusal::OtherRoot(size) => {
                return answer(StatusCode::CONFLICT, SIZE_TYPE, format!("{size}\n"));
            }
        },
        NotCosigned::Memory => StatusCode::INTERNAL_SERVER_ERROR,
    };
    answer(status, TEXT, format!("{refused}\n"))
}

async fn last(State(witness): State<Arc<Witness>>, Path(log): Path<String>) -> Response {
    match witness.last(&log) {
        Some(note) => answer(StatusCode::OK, TEXT, note),
        None => answer(StatusCode::NOT_FOUND, TEXT, "nothing was cosigned for such a log\n".to_owned()),
    }
}
