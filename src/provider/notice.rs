//! What tells a service that a representation has ended: the logout token (OpenID Connect Back-Channel Logout 1.0,
//! section 2.4) and the security event `session-revoked` (RFC 8417; OpenID CAEP 1.0, section 3.1).

use super::issuer::Issuer;
use crate::crypto::{CryptoError, TokenKey, sign_jws};
use crate::mandate::{ClientId, Instant, MessageId, RepresentationId};
use serde_json::{Value, json};
use time::Duration;

/// Media type of a pushed security event (RFC 8935, section 2.1).
pub const SECURITY_EVENT_TYPE: &str = "application/secevent+jwt";
/// The event a logout token carries (Back-Channel Logout, section 2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// The event of a session that was revoked (CAEP, section 3.1).
pub const SESSION_REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
/// How long a logout token may be relied on: two minutes, as the standard recommends.
const LOGOUT_TOKEN_LIFE: Duration = Duration::minutes(2);

/// Who brought an end about, in the words of CAEP (section 2, `initiating_entity`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The person represented.
    User,
    /// A professional: the organisation, or the operator.
    Admin,
    /// A rule: a time that passed, a replay.
    Policy,
}

impl Initiator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Policy => "policy",
        }
    }
}

/// The end of a representation, as its service is told.
#[derive(Debug, Clone, Copy)]
pub struct Notice<'a> {
    /// Who signs.
    pub issuer: &'a Issuer,
    /// Who is told.
    pub client: &'a ClientId,
    /// The usager's identifier in the service's sector.
    pub subject: &'a str,
    /// The representation: the ID token's `sid`.
    pub representation: &'a RepresentationId,
    /// The same at each attempt, so that a service knows it again.
    pub id: &'a MessageId,
    /// When the token is made.
    pub now: Instant,
    /// When the representation ended.
    pub ended_at: Instant,
    /// Who ended it.
    pub initiator: Initiator,
}

impl Notice<'_> {
    /// The signed logout token.
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn logout_token(&self, key: &TokenKey) -> Result<String, CryptoError> {
        let own = json!({
            "sub": self.subject,
            "sid": self.representation,
            "exp": self.now.plus(LOGOUT_TOKEN_LIFE).seconds(),
            "events": { LOGOUT_EVENT: {} },
        });
        self.sign(key, "logout+jwt", own)
    }

    /// The signed security event. It has no `exp`: it tells what happened (RFC 8417, section 2.2).
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn security_event(&self, key: &TokenKey) -> Result<String, CryptoError> {
        let own = json!({
            "sub_id": {
                "format": "complex",
                "user": { "format": "iss_sub", "iss": self.issuer.as_str(), "sub": self.subject },
                "session": { "format": "opaque", "id": self.representation },
            },
            "events": { SESSION_REVOKED: {
                "event_timestamp": self.ended_at.seconds(),
                "initiating_entity": self.initiator.as_str(),
            } },
        });
        self.sign(key, "secevent+jwt", own)
    }

    fn sign(&self, key: &TokenKey, typ: &str, own: Value) -> Result<String, CryptoError> {
        let mut claims = json!({
            "iss": self.issuer.as_str(),
            "aud": self.client,
            "iat": self.now.seconds(),
            "jti": self.id,
        });
        if let (Value::Object(claims), Value::Object(own)) = (&mut claims, own) {
            claims.extend(own);
        }
        sign_jws(key, typ, claims.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, id, issuer, jwks, key};
    use super::*;
    use crate::crypto::{JwsAlg, verify_jws};

    fn read(jwt: &str) -> (Option<String>, Value) {
        let verified = verify_jws(jwt, &jwks("k1"), &[JwsAlg::Es256]).unwrap();
        (verified.header.typ, serde_json::from_slice(&verified.payload).unwrap())
    }

    fn made(make: impl FnOnce(&Notice<'_>) -> Result<String, CryptoError>) -> (Option<String>, Value) {
        let (issuer, client) = (issuer(), id("caisse"));
        let representation = RepresentationId::from_bytes([7; 16]);
        let message = MessageId::from_bytes([8; 16]);
        let notice = Notice {
            issuer: &issuer,
            client: &client,
            subject: "s",
            representation: &representation,
            id: &message,
            now: NOW,
            ended_at: NOW.plus(-Duration::seconds(1)),
            initiator: Initiator::User,
        };
        read(&make(&notice).unwrap())
    }

    #[test]
    fn a_logout_token_names_subject_and_session_and_never_a_nonce() {
        let (typ, claims) = made(|notice| notice.logout_token(&key("k1")));
        assert_eq!(typ.as_deref(), Some("logout+jwt"));
        assert_eq!(
            claims,
            json!({
                "iss": "https://porteplume.example", "aud": "caisse", "sub": "s", "sid": "07".repeat(16),
                "iat": NOW.seconds(), "exp": NOW.seconds() + 120, "jti": "08".repeat(16),
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            })
        );
    }

    #[test]
    fn a_security_event_tells_who_ended_it_when_and_has_no_expiry() {
        let (typ, claims) = made(|notice| notice.security_event(&key("k1")));
        assert_eq!(typ.as_deref(), Some("secevent+jwt"));
        let event = &claims["events"]["https://schemas.openid.net/secevent/caep/event-type/session-revoked"];
        assert_eq!(*event, json!({"event_timestamp": NOW.seconds() - 1, "initiating_entity": "user"}));
        assert_eq!(claims["sub_id"]["user"], json!({"format": "iss_sub", "iss": claims["iss"], "sub": "s"}));
        assert_eq!(claims["sub_id"]["session"]["id"], "07".repeat(16));
        assert_eq!((claims.get("exp"), claims.get("sub")), (None, None), "RFC 8417, section 2.2; RFC 9493");
    }
}
