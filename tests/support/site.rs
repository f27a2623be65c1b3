//! A site on loopback.

use axum::Router;
use std::net::{SocketAddr, TcpListener};
use tokio::runtime::Runtime;

/// A free port on loopback, taken: its address may be told before anything is served there.
pub(crate) struct Port(TcpListener);

impl Port {
    /// Takes one.
    pub(crate) fn take() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    /// Its origin, without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("an address")
    }

    /// Serves this until the value goes away.
    pub(crate) fn serve(self, site: Router) -> Site {
        let origin = self.origin();
        let runtime = Runtime::new().expect("a runtime");
        self.0.set_nonblocking(true).expect("a socket that does not block");
        let listener = runtime.block_on(async { tokio::net::TcpListener::from_std(self.0) });
        let listener = listener.expect("a listening socket");
        runtime.spawn(async move { axum::serve(listener, site).await });
        Site { origin, _runtime: runtime }
    }
}

/// What is served, gone with this value.
pub(crate) struct Site {
    origin: String,
    _runtime: Runtime,
}

impl Site {
    /// The address of a path here.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}
