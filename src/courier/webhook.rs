//! Somebody's webhook: a POST of JSON, signed, for text messages, calls, or e-mail where there is no mail server.
//! The protocol stands in `docs/operator.md`, with a receiver.

use super::{Courier, Handing, Letter, NotTaken};
use crate::crypto::{HmacKey, to_hex};
use crate::mandate::Channel;
use crate::relying::HttpClient;
use serde_json::json;

/// Says what signed the body, and when: `t=SECONDS,v1=HEX`.
const SIGNATURE: &str = "porteplume-signature";
/// The letter's identifier: the same at each attempt.
const IDEMPOTENCY: &str = "idempotency-key";

/// Hands letters over to a webhook.
pub struct Webhook {
    url: String,
    key: HmacKey,
    http: HttpClient,
}

impl Webhook {
    /// A webhook at that address, with the secret both sides know.
    #[must_use]
    pub fn new(url: String, secret: &str, http: HttpClient) -> Self {
        Self { url, key: HmacKey::new(secret.as_bytes()), http }
    }

    /// HMAC-SHA-256 over the instant, a full stop and the body: neither can be exchanged for another's.
    fn signature(&self, seconds: i64, body: &[u8]) -> String {
        let stamp = seconds.to_string();
        format!("t={stamp},v1={}", to_hex(&self.key.tag(&[stamp.as_bytes(), b".", body])))
    }
}

impl Courier for Webhook {
    fn hand<'a>(&'a self, letter: &'a Letter) -> Handing<'a> {
        Box::pin(async move {
            let text = if letter.channel == Channel::Email { &letter.text.body } else { &letter.text.short };
            let mut body = json!({
                "id": letter.id.as_str(),
                "channel": letter.channel.as_str(),
                "to": letter.to,
                "language": letter.language.as_str(),
                "subject": letter.text.subject,
                "text": text,
                "written_at": letter.written_at.millis() / 1_000,
            });
            if let (Some(reference), Some(fields)) = (&letter.reply_reference, body.as_object_mut()) {
                fields.insert("reply_reference".to_owned(), reference.as_str().into());
            }
            let body = body.to_string().into_bytes();
            let signature = self.signature(letter.sent_at.millis() / 1_000, &body);
            let headers = [
                ("content-type", "application/json"),
                (SIGNATURE, &signature),
                (IDEMPOTENCY, letter.id.as_str()),
            ];
            match self.http.post_with(&self.url, &headers, body).await {
                Ok((200..=299, _)) => Ok(()),
                // It says of this address that it never will.
                Ok((422, _)) => Err(NotTaken::Refused("address_refused")),
                Ok(_) => Err(NotTaken::Later("answer_refused")),
                Err(error) => Err(NotTaken::Later(error.code())),
            }
        })
    }

    fn answers(&self) -> Handing<'_> {
        Box::pin(async move {
            // Whatever it says to a plain question, it is there.
            self.http.status(&self.url).await.map(drop).map_err(|error| NotTaken::Later(error.code()))
        })
    }
}
