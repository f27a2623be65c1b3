//! The outcome of a sign-in elsewhere.

use crate::crypto::SecretString;
use crate::mandate::Instant;
use serde_json::{Map, Value};

/// A person identified by a provider: every field was verified. It holds personal data and secrets, so it has no
/// `Debug`; the access token dies with it, for nobody needs it after the sign-in.
pub struct SignedIn {
    /// The provider.
    pub issuer: String,
    /// The person, as that provider names them to us.
    pub subject: String,
    /// Level of identity the provider states.
    pub acr: Option<String>,
    /// Methods the provider states.
    pub amr: Vec<String>,
    /// When the provider says the person signed in there.
    pub auth_time: Option<Instant>,
    /// E-mail address.
    pub email: Option<String>,
    /// Whether the provider vouches for the address; nothing when it does not say.
    pub email_verified: Option<bool>,
    /// The ID token as received: the hint for signing out.
    pub id_token: SecretString,
    /// The access token, for asking userinfo again while it lives.
    pub access_token: SecretString,
    /// All claims: the ID token's, completed by userinfo's.
    pub claims: Map<String, Value>,
    pub(super) second_factor: bool,
}

/// Claims about the token rather than the person: those of the ID token stand.
const PROTOCOL: [&str; 13] =
    ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "at_hash"];

impl SignedIn {
    /// Whether the provider proved a second factor, by the rule configured for it.
    #[must_use]
    pub const fn proves_second_factor(&self) -> bool {
        self.second_factor
    }

    /// A claim that is a text and not empty.
    #[must_use]
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Adds userinfo's claims; about the person, they prevail.
    pub(super) fn complete_with(&mut self, userinfo: Map<String, Value>) {
        for (claim, value) in userinfo {
            if !PROTOCOL.contains(&claim.as_str()) {
                self.claims.insert(claim, value);
            }
        }
        self.read_email();
    }

    /// Takes the address out of the claims.
    pub(super) fn read_email(&mut self) {
        self.email = self.text("email").map(str::to_owned);
        self.email_verified = self.claims.get("email_verified").and_then(Value::as_bool);
    }
}
