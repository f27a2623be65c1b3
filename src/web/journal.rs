//! The public face of the journal (C2SP tlog-tiles): signed checkpoint, hash tiles, policy. Entries are not public.

use super::{Problem, Reply, Web};
use crate::journal::TileId;
use crate::service::read;
use crate::view::paths;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
/// The newest checkpoint is asked for anew each time.
const FRESH: &str = "no-store, must-revalidate";
/// A full tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// A partial tile never changes either, but soon nobody asks for it any more.
const SHORTLY: &str = "public, max-age=300";

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::CHECKPOINT, get(checkpoint))
        .route(paths::POLICY, get(policy))
        .route("/journal/tile/{*tile}", get(tile))
}

async fn checkpoint(State(web): State<Web>) -> Result<Reply, Problem> {
    let note = read::checkpoint(&web.app).await?.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file(TEXT, note).kept_for(FRESH))
}

async fn policy(State(web): State<Web>) -> Result<Reply, Problem> {
    Ok(Reply::file(TEXT, read::policy(&web.app)?).kept_for(SHORTLY))
}

async fn tile(State(web): State<Web>, Path(path): Path<String>) -> Result<Reply, Problem> {
    let id = TileId::parse(&format!("tile/{path}")).ok_or(Problem::NOT_FOUND)?;
    let hashes = read::tile(&web.app, id).await?.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file(BYTES, hashes).kept_for(if id.is_full() { FOR_EVER } else { SHORTLY }))
}
