//! What every sandbox server does alike: loopback only, never beside the real service, strict headers.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;
use tokio::net::TcpListener;

/// Why a sandbox does not run.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The address can be reached from outside.
    #[error("a sandbox listens on loopback only, not on {0}: everybody could sign in as anybody")]
    NotLoopback(SocketAddr),
    /// This process is the real service.
    #[error("a sandbox does not run in the process of the real service: use `porteplume demo`")]
    Forbidden,
    /// The sandbox cannot be set up.
    #[error("the sandbox cannot be set up: {0}")]
    Setup(&'static str),
    /// The socket failed.
    #[error("the sandbox's socket failed: {0}")]
    Socket(#[from] std::io::Error),
}

static FORBIDDEN: AtomicBool = AtomicBool::new(false);

/// Forbids every sandbox in this process, for good. The command `serve` begins with it.
pub fn forbid_here() {
    FORBIDDEN.store(true, Ordering::SeqCst);
}

/// Serves a sandbox until `shutdown` is done, then lets open requests finish.
///
/// # Errors
/// [`SandboxError`]: the address is not loopback, the process is the real service, or the socket failed.
pub async fn serve(
    listener: TcpListener,
    sandbox: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), SandboxError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(address));
    }
    if FORBIDDEN.load(Ordering::SeqCst) {
        return Err(SandboxError::Forbidden);
    }
    axum::serve(listener, sandbox).with_graceful_shutdown(shutdown).await?;
    Ok(())
}

/// The headers of every answer. `form_action` is missing where a form's answer leads through origins the sandbox does
/// not know: Chromium holds the whole chain of redirections against it.
pub(super) fn with_headers(router: Router, form_action: Option<&str>) -> Router {
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    let policy = match form_action {
        Some(sources) => format!("{policy}; form-action {sources}"),
        None => policy.to_owned(),
    };
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    router.layer(axum::middleware::map_response(move |mut answer: Response| {
        let policy = policy.clone();
        async move {
            let fixed: [(HeaderName, HeaderValue); 3] = [
                (CONTENT_SECURITY_POLICY, policy),
                (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ];
            answer.headers_mut().extend(fixed);
            answer.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            answer
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sandbox_refuses_addresses_others_can_reach() {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let refused = serve(listener, Router::new(), async {}).await;
        assert!(matches!(refused, Err(SandboxError::NotLoopback(_))));
    }
}
