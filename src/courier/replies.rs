//! What comes back: text messages that people send in reply, posted to us by whoever carries ours, under the same secret and in
//! the same form (`docs/operator.md`).

use crate::crypto::{HmacKey, same, to_hex};
use crate::mandate::{Instant, LONGEST_REPLY, Telephone};
use serde::Deserialize;
use thiserror::Error;

/// How far the instant in a signature may be from ours, in seconds.
const FRESH: u64 = 300;
/// Longest identifier of a reply, in bytes.
const LONGEST_ID: usize = 128;
/// Longest reference, in bytes: ours have about 100.
const LONGEST_REFERENCE: usize = 160;

/// Why a reply is not looked at. The code is stable and names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotOurs {
    /// It is not signed with the secret, or was not just now.
    #[error("reply_signature")]
    Signature,
    /// It is not what the protocol says.
    #[error("reply_form")]
    Form,
}

/// A reply. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// By which whoever carries it knows it again: the same when it is posted again.
    pub id: String,
    /// The telephone it came from.
    pub from: Telephone,
    /// The reference of the message it answers, if whoever carries it knows that.
    pub reference: Option<String>,
    /// What was written.
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    id: String,
    channel: String,
    from: String,
    #[serde(default)]
    reply_reference: Option<String>,
    text: String,
}

/// Where replies come in.
pub struct Replies(HmacKey);

impl Replies {
    /// With the secret both sides know.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(HmacKey::new(secret.as_bytes()))
    }

    /// The reply in a body that was signed like that.
    ///
    /// # Errors
    /// [`NotOurs`].
    pub fn open(&self, signature: &str, body: &[u8], now: Instant) -> Result<Incoming, NotOurs> {
        let parts = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
        let (stamp, code) = parts.ok_or(NotOurs::Signature)?;
        let seconds = now.millis() / 1_000;
        let fresh = stamp.parse::<i64>().is_ok_and(|at| seconds.abs_diff(at) <= FRESH);
        // Another name in front than before what we send: nothing of ours can be sent back to us as a reply.
        let made = to_hex(&self.0.tag(&[b"reply.", stamp.as_bytes(), b".", body]));
        if !(same(made.as_bytes(), code.as_bytes()) && fresh) {
            return Err(NotOurs::Signature);
        }
        let posted: Posted = serde_json::from_slice(body).map_err(|_| NotOurs::Form)?;
        let id_fits = (1..=LONGEST_ID).contains(&posted.id.len());
        let reference_fits =
            posted.reply_reference.as_ref().is_none_or(|reference| reference.len() <= LONGEST_REFERENCE);
        let text_fits = posted.text.chars().count() <= 8 * LONGEST_REPLY;
        if !(id_fits && reference_fits && text_fits && posted.channel == "sms") {
            return Err(NotOurs::Form);
        }
        let from = Telephone::parse(&posted.from).map_err(|_| NotOurs::Form)?;
        Ok(Incoming { id: posted.id, from, reference: posted.reply_reference, text: posted.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "un secret connu des deux cotes, assez long";
    const NOW: Instant = Instant::from_micros(1_795_000_000_000_000);

    fn signed(stamp: &str, body: &str, name: &[u8]) -> String {
        let made = HmacKey::new(SECRET.as_bytes()).tag(&[name, stamp.as_bytes(), b".", body.as_bytes()]);
        format!("t={stamp},v1={}", to_hex(&made))
    }

    fn open(signature: &str, body: &str) -> Result<Incoming, NotOurs> {
        Replies::new(SECRET).open(signature, body.as_bytes(), NOW)
    }

    #[test]
    fn only_what_is_signed_as_a_reply_just_now_is_looked_at() {
        let body = json!({"id": "1", "channel": "sms", "from": "+33612345678", "text": "STOP"}).to_string();
        assert!(open(&signed("1795000000", &body, b"reply."), &body).is_ok());
        for signature in [
            signed("1795000000", &body, b""),
            signed("1794999699", &body, b"reply."),
            signed("1795000301", &body, b"reply."),
            signed("1795000000", &body, b"reply.").replace("t=1795000000", "t=1795000001"),
            signed("1795000000", &format!("{body} "), b"reply."),
            "v1=".to_owned(),
            String::new(),
        ] {
            assert_eq!(open(&signature, &body).err(), Some(NotOurs::Signature), "{signature}");
        }
    }

    #[test]
    fn what_is_no_reply_is_refused_whoever_signed_it() {
        let good = json!({"id": "1", "channel": "sms", "from": "+33612345678", "text": "STOP"});
        let but = |key: &str, value: serde_json::Value| {
            let mut body = good.clone();
            body[key] = value;
            body.to_string()
        };
        for body in [
            String::new(),
            "{}".to_owned(),
            but("id", json!("")),
            but("id", json!("x".repeat(129))),
            but("channel", json!("voice")),
            but("from", json!("+4915112345678")),
            but("from", json!("Banque")),
            but("reply_reference", json!("x".repeat(161))),
            but("text", json!("x".repeat(8 * LONGEST_REPLY + 1))),
            but("text", json!(["STOP"])),
            but("to", json!("+33612345678")),
        ] {
            let signature = signed("1795000000", &body, b"reply.");
            assert_eq!(open(&signature, &body).err(), Some(NotOurs::Form), "{body}");
        }
    }
}
