//! Where the messages of the demonstration arrive: a receiver of the webhook that `docs/operator.md` describes, and a page that
//! shows what each person would have got, and lets them answer a text message. It keeps them in memory.

use super::server::with_headers;
use super::site::{Site, View, page};
use crate::clock::{Clock, Entropy, NoEntropy, random};
use crate::config::{EmailWay, Hook, Messages, Secret};
use crate::crypto::{HmacKey, same, to_hex};
use crate::relying::HttpClient;
use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

/// Where messages are posted.
const TAKE: &str = "/messages/in";
/// Where they are shown.
pub(super) const SHOWN: &str = "/messages";
/// Where somebody answers one.
const ANSWER: &str = "/messages/answer";
/// Where the service takes replies.
const REPLIES: &str = "/messages/replies";
/// Longest answer that is carried, in characters.
const LONGEST: usize = 320;
/// How far a message's time may be from ours, in seconds.
const FRESH: i64 = 300;
/// Messages remembered: beyond that the oldest go.
const MOST: usize = 500;

/// The box. Clones are one and the same.
#[derive(Clone)]
pub(super) struct Postbox(Arc<Inner>);

struct Inner {
    secret: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// The service's origin, and the way there.
    service: String,
    http: HttpClient,
    received: Mutex<Vec<Message>>,
}

/// A message as it arrives.
#[derive(Clone, Deserialize)]
struct Message {
    id: String,
    channel: String,
    to: String,
    subject: String,
    text: String,
    language: String,
    #[serde(default)]
    reply_reference: Option<String>,
}

/// What somebody answers to a message.
#[derive(Deserialize)]
struct Answer {
    message: String,
    text: String,
}

#[derive(Template)]
#[template(path = "sandbox/messages.html")]
struct Shown {
    v: View,
    messages: Vec<Message>,
}

impl Postbox {
    /// An empty box.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        (service, http): (&str, HttpClient),
    ) -> Result<Self, NoEntropy> {
        let secret = to_hex(&random::<32>(&*entropy)?);
        let service = service.to_owned();
        Ok(Self(Arc::new(Inner { secret, clock, entropy, service, http, received: Mutex::default() })))
    }

    /// The configuration by which everything is brought here; the box is served at that origin.
    pub(super) fn messages(&self, origin: &str) -> Messages {
        let hook = || Hook { url: format!("{origin}{TAKE}"), secret: Secret::new(self.0.secret.clone()) };
        Messages {
            email: Some(EmailWay::Hook(hook())),
            sms: Some(hook()),
            voice: Some(hook()),
            sms_replies: true,
        }
    }

    /// Its routes.
    pub(super) fn router(&self) -> Router {
        let routes =
            Router::new().route(TAKE, post(take)).route(SHOWN, get(show)).route(ANSWER, post(answer));
        with_headers(routes.with_state(self.clone()))
    }

    /// Keeps a message; one that comes again is the one that is here.
    fn keep(&self, message: Message) {
        let mut received = self.0.received.lock().unwrap_or_else(PoisonError::into_inner);
        if !received.iter().any(|known| known.id == message.id) {
            if received.len() == MOST {
                received.remove(0);
            }
            received.push(message);
        }
    }

    /// Carries an answer to the service, and what the service says back to the same telephone.
    async fn carry(&self, to: &Message, text: &str) -> Option<()> {
        let id = to_hex(&random::<16>(&*self.0.entropy).ok()?);
        let body = json!({
            "id": id, "channel": "sms", "from": to.to, "reply_reference": to.reply_reference, "text": text,
        });
        let body = body.to_string().into_bytes();
        let stamp = (self.0.clock.now().millis() / 1_000).to_string();
        let made = HmacKey::new(self.0.secret.as_bytes()).tag(&[b"reply.", stamp.as_bytes(), b".", &body]);
        let signature = format!("t={stamp},v1={}", to_hex(&made));
        let headers = [("content-type", "application/json"), ("porteplume-signature", signature.as_str())];
        let address = format!("{}{REPLIES}", self.0.service);
        let (status, said) = self.0.http.post_with(&address, &headers, body).await.ok()?;
        let said: serde_json::Value = serde_json::from_slice(&said).ok()?;
        let said = said.get("answer").and_then(|said| said.as_str()).filter(|_| status == 200)?;
        let subject = text.to_owned();
        self.keep(Message { id, subject, text: said.to_owned(), reply_reference: None, ..to.clone() });
        Some(())
    }

    /// Whether the signature is over that body, made with the secret both sides know, just now.
    fn is_ours(&self, signature: &str, body: &[u8]) -> bool {
        let Some((stamp, code)) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="))
        else {
            return false;
        };
        let now = self.0.clock.now().millis() / 1_000;
        let fresh = stamp.parse::<i64>().is_ok_and(|at| now.abs_diff(at) <= FRESH.unsigned_abs());
        let made = HmacKey::new(self.0.secret.as_bytes()).tag(&[stamp.as_bytes(), b".", body]);
        fresh && same(to_hex(&made).as_bytes(), code.as_bytes())
    }
}

async fn take(State(postbox): State<Postbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("porteplume-signature").and_then(|value| value.to_str().ok());
    if !signature.is_some_and(|signature| postbox.is_ours(signature, &body)) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(message) = serde_json::from_slice::<Message>(&body) else { return StatusCode::BAD_REQUEST };
    postbox.keep(message);
    StatusCode::ACCEPTED
}

async fn answer(State(postbox): State<Postbox>, Form(answer): Form<Answer>) -> Response {
    let text: String = answer.text.chars().take(LONGEST).collect();
    let of = |known: &&Message| known.id == answer.message && known.reply_reference.is_some();
    let message = postbox.0.received.lock().unwrap_or_else(PoisonError::into_inner).iter().find(of).cloned();
    let Some(message) = message else { return StatusCode::NOT_FOUND.into_response() };
    match postbox.carry(&message, &text).await {
        Some(()) => Redirect::to(SHOWN).into_response(),
        None => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn show(State(postbox): State<Postbox>, headers: HeaderMap) -> Response {
    let mut messages = postbox.0.received.lock().unwrap_or_else(PoisonError::into_inner).clone();
    messages.reverse();
    page(StatusCode::OK, &Shown { v: Site::Caisse.view(&headers, SHOWN, None), messages })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemEntropy};
    use crate::mandate::Instant;
    use crate::relying::HttpPolicy;

    #[test]
    fn only_what_is_signed_with_the_secret_just_now_is_taken() {
        let clock = ManualClock::at(Instant::from_micros(1_795_000_000_000_000));
        let http = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap();
        let postbox =
            Postbox::new(Arc::new(clock), Arc::new(SystemEntropy), ("http://127.0.0.1:1", http)).unwrap();
        let signed = |stamp: &str, body: &[u8], secret: &str| {
            let made = HmacKey::new(secret.as_bytes()).tag(&[stamp.as_bytes(), b".", body]);
            format!("t={stamp},v1={}", to_hex(&made))
        };
        let secret = postbox.0.secret.clone();
        assert!(postbox.is_ours(&signed("1795000000", b"{}", &secret), b"{}"));
        for (signature, body) in [
            (signed("1795000000", b"{}", &secret), &b"{ }"[..]),
            (signed("1795000000", b"{}", "another"), b"{}"),
            (signed("1794999000", b"{}", &secret), b"{}"),
            (signed("1795000000", b"{}", &secret).replace("t=1795000000", "t=1795000001"), b"{}"),
            (String::new(), b"{}"),
        ] {
            assert!(!postbox.is_ours(&signature, body), "{signature}");
        }
    }
}
