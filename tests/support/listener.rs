//! A service's own endpoint on loopback, which answers as told and remembers what came.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What came.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) body: String,
}

/// The status for a path; 0 never answers.
type Answers = fn(&str) -> u16;

struct Ear {
    answers: Mutex<Answers>,
    heard: Mutex<Vec<Heard>>,
}

/// The endpoint; it ends with this.
pub(crate) struct Listener {
    origin: String,
    ear: Arc<Ear>,
    serving: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn answering(answers: Answers) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", socket.local_addr().unwrap());
        let ear = Arc::new(Ear { answers: Mutex::new(answers), heard: Mutex::default() });
        let router = Router::new().fallback(hear).with_state(Arc::clone(&ear));
        let serving = tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
        Self { origin, ear, serving }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Answers so from now on.
    pub(crate) fn answers(&self, answers: Answers) {
        *self.ear.answers.lock().unwrap() = answers;
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.ear.heard.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hear(State(ear): State<Arc<Ear>>, request: Request) -> (StatusCode, HeaderMap) {
    let path = request.uri().path().to_owned();
    let kind = request.headers().get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1_000_000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let answers = *ear.answers.lock().unwrap();
    let status = answers(&path);
    ear.heard.lock().unwrap().push(Heard { path, kind, body });
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let mut headers = HeaderMap::new();
    if status == 301 {
        headers.insert(LOCATION, "/elsewhere".parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers)
}
