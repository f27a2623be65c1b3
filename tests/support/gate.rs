//! A gate in front of a server: what passes through it can be made to wait.

use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on while it is open. Nothing is lost while it is shut: it waits.
pub(crate) struct Gate {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Gate {
    /// An open gate before the server of that address (`host:port`).
    pub(crate) async fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (open, watched) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let (server, watched) = (server.clone(), watched.clone());
                tokio::spawn(async move {
                    let there = TcpStream::connect(server).await.expect("the server");
                    let (asked, answering) = here.into_split();
                    let (answered, asking) = there.into_split();
                    let back = watched.clone();
                    tokio::join!(pass(asked, asking, watched), pass(answered, answering, back));
                });
            }
        });
        Self { address, open }
    }

    /// Where to connect instead.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on everything waits.
    pub(crate) fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Everything goes on.
    pub(crate) fn reopen(&self) {
        self.open.send_replace(true);
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut open: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let waited = open.wait_for(|open| *open).await.is_ok();
        if !waited || to.write_all(bytes.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
