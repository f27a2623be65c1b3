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
    permitted(listener.local_addr()?, FORBIDDEN.load(Ordering::SeqCst))?;
    axum::serve(listener, sandbox).with_graceful_shutdown(shutdown).await?;
    Ok(())
}

const fn permitted(address: SocketAddr, forbidden: bool) -> Result<(), SandboxError> {
    match address.ip().is_loopback() {
        _ if forbidden => Err(SandboxError::Forbidden),
        false => Err(SandboxError::NotLoopback(address)),
        true => Ok(()),
    }
}

/// The headers of every answer. Without `form-action`: answers to the sandboxes' forms lead through origins they do not
/// know, and Chromium holds the whole chain of redirections against the page the form stands on.
pub(super) fn with_headers(router: Router) -> Router {
    const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    router.layer(axum::middleware::map_response(|mut answer: Response| async move {
        let fixed: [(HeaderName, HeaderValue); 3] = [
            (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        answer.headers_mut().extend(fixed);
        answer.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        answer
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

    #[test]
    fn a_sandbox_refuses_the_process_of_the_real_service() {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 80));
        assert!(matches!(permitted(loopback, true), Err(SandboxError::Forbidden)));
        assert!(permitted(loopback, false).is_ok());
    }
}
