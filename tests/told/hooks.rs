//! Text messages and calls through a webhook: what it gets, how it knows that it is ours, and what its answers mean.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use porteplume::courier::{Courier, Letter, NotTaken, Webhook};
use porteplume::mandate::{Channel, Instant, Language, NoticeId, NoticeText};
use porteplume::relying::{HttpClient, HttpPolicy};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex};

const SECRET: &str = "un secret connu des deux côtés, assez long";

/// HMAC (RFC 2104) over SHA-256, written down here so that it is not ours that checks itself.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([&block.map(|b| b ^ 0x36)[..], message].concat());
    let outer = Sha256::digest([&block.map(|b| b ^ 0x5c)[..], &inner[..]].concat());
    porteplume::crypto::to_hex(&outer[..])
}

type Heard = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A webhook that answers that; where, and what it hears.
async fn listening(status: u16) -> (String, Heard) {
    let heard = Heard::default();
    let hook = |State(heard): State<Heard>, headers: HeaderMap, body: String| async move {
        heard.lock().unwrap().push((headers, body));
    };
    let answer = StatusCode::from_u16(status).unwrap();
    let hook = move |state, headers, body| async move {
        hook(state, headers, body).await;
        answer
    };
    let router = Router::new().route("/in", post(hook)).with_state(Arc::clone(&heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

fn courier(url: String) -> Webhook {
    let http = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap();
    Webhook::new(url, SECRET, http)
}

fn letter(channel: Channel) -> Letter {
    Letter {
        id: NoticeId::from_bytes([9; 16]),
        channel,
        to: "+33612345678".to_owned(),
        language: Language::En,
        text: NoticeText {
            subject: "Something was done in your name".to_owned(),
            body: "By whom: Nora".to_owned(),
            short: "Something was done in your name. Read or object: https://a.example/usager".to_owned(),
        },
        written_at: Instant::from_micros(1_795_000_000_000_000),
        reply_reference: None,
        sent_at: Instant::from_micros(1_795_000_060_500_000),
    }
}

#[tokio::test]
async fn a_webhook_gets_the_short_text_signed_over_instant_and_body() {
    let (url, heard) = listening(202).await;
    let courier = courier(url);
    for _ in 0..2 {
        assert_eq!(courier.hand(&letter(Channel::Sms)).await, Ok(()));
    }
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].0["idempotency-key"], heard[1].0["idempotency-key"], "the same at each attempt");
    let (headers, body) = &heard[0];
    assert_eq!(headers["porteplume-signature"].to_str().unwrap(), {
        let made = hmac(SECRET.as_bytes(), format!("1795000060.{body}").as_bytes());
        format!("t=1795000060,v1={made}")
    });
    assert_ne!(
        hmac(b"another", format!("1795000060.{body}").as_bytes()),
        hmac(SECRET.as_bytes(), body.as_bytes())
    );
    let said: Value = serde_json::from_str(body).unwrap();
    let expected = json!({
        "id": "09".repeat(16), "channel": "sms", "to": "+33612345678", "language": "en",
        "subject": "Something was done in your name", "written_at": 1_795_000_000,
        "text": "Something was done in your name. Read or object: https://a.example/usager",
    });
    assert_eq!(said, expected);
    assert!(!body.contains("Nora"), "a text message names nobody");
}

#[tokio::test]
async fn where_replies_are_taken_a_text_message_carries_what_a_reply_is_known_by() {
    let (url, heard) = listening(202).await;
    let courier = courier(url);
    let reference = Some("n.0192.5d0c".to_owned());
    assert_eq!(courier.hand(&Letter { reply_reference: reference, ..letter(Channel::Sms) }).await, Ok(()));
    assert_eq!(courier.hand(&letter(Channel::Sms)).await, Ok(()));
    let heard: Vec<Value> =
        heard.lock().unwrap().iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    assert_eq!(heard[0]["reply_reference"], "n.0192.5d0c");
    assert!(heard[1].get("reply_reference").is_none());
}

#[tokio::test]
async fn a_webhook_refuses_for_good_by_one_answer_and_everything_else_comes_again() {
    for (status, expected) in [
        (200, Ok(())),
        (204, Ok(())),
        (422, Err(NotTaken::Refused("address_refused"))),
        (302, Err(NotTaken::Later("redirected"))),
        (400, Err(NotTaken::Later("answer_refused"))),
        (401, Err(NotTaken::Later("answer_refused"))),
        (500, Err(NotTaken::Later("answer_refused"))),
    ] {
        let (url, _) = listening(status).await;
        assert_eq!(courier(url).hand(&letter(Channel::Voice)).await, expected, "{status}");
    }
    let gone = courier("http://127.0.0.1:1/in".to_owned());
    assert_eq!(gone.hand(&letter(Channel::Sms)).await, Err(NotTaken::Later("unreachable")));
}
