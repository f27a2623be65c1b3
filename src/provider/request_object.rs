//! Signed authorization requests (RFC 9101; FAPI 2.0 Message Signing, section 5.3.1).

use super::assertion::{Audience, CLOCK_SKEW, instant};
use super::authorize::client_of;
use super::client_keys::ClientKeys;
use super::issuer::Issuer;
use super::options::RequestObjects;
use super::params::Params;
use super::registration::{ClientCredential, ClientRegistration};
use crate::mandate::Instant;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use thiserror::Error;
use time::Duration;

/// The furthest that `exp` may lie ahead and `nbf` back (FAPI 2.0 Message Signing, section 5.3.1).
const MAX_LIFE: Duration = Duration::minutes(60);
/// Types of JWT that are request objects; one without a type is taken as one too (RFC 9101, section 10.8).
const KINDS: [&str; 2] = ["oauth-authz-req+jwt", "jwt"];
/// Members that are about the JWT and no parameters.
const ABOUT_ITSELF: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// Why a request object is not one, or is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RequestObjectError {
    /// The client must sign its requests, and did not.
    #[error("requests of this client must be signed (RFC 9101)")]
    Absent,
    /// It stands twice, or cannot be read.
    #[error("the request object cannot be read")]
    Malformed,
    /// No registered key verifies it, by an algorithm of the client's profile.
    #[error("the request object's signature does not hold")]
    Signature,
    /// It names another client, or is made for another provider.
    #[error("the request object is another client's or for another provider")]
    Party,
    /// It names no times, is expired or not valid yet, or is valid for more than an hour.
    #[error("the request object needs exp and nbf, within an hour of now")]
    Time,
}

impl RequestObjectError {
    /// Stable code, shown beside the message and journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "request_unsigned",
            Self::Malformed => "request_object_malformed",
            Self::Signature => "request_object_signature",
            Self::Party => "request_object_party",
            Self::Time => "request_object_time",
        }
    }
}

#[derive(Deserialize)]
struct About {
    iss: String,
    aud: Audience,
    exp: f64,
    nbf: f64,
}

/// The parameters that count: those of the request object where there is one, and then none beside it (RFC 9101,
/// section 6.3), else those that were sent. A client without keys of its own cannot sign: its `request` is left for the
/// check of the request to refuse.
///
/// # Errors
/// [`RequestObjectError`].
pub fn effective<'p>(
    params: &'p Params,
    client: &ClientRegistration,
    issuer: &Issuer,
    now: Instant,
) -> Result<Cow<'p, Params>, RequestObjectError> {
    match (params.get("request"), client.credential()) {
        (None, _) if client.request_objects() == RequestObjects::Demanded => Err(RequestObjectError::Absent),
        // Beside a request there is no reference to another one (RFC 9101, section 5).
        (Some(_), ClientCredential::PrivateKeyJwt(_))
            if params.is_repeated("request") || params.get("request_uri").is_some() =>
        {
            Err(RequestObjectError::Malformed)
        }
        (Some(object), ClientCredential::PrivateKeyJwt(keys)) => {
            let inner = open(object, keys, client, issuer, now)?;
            let named = client_of(params).ok();
            if named != client_of(&inner).ok() || named.as_ref() != Some(client.id()) {
                return Err(RequestObjectError::Party);
            }
            Ok(Cow::Owned(inner))
        }
        _ => Ok(Cow::Borrowed(params)),
    }
}

fn open(
    object: &str,
    keys: &ClientKeys,
    client: &ClientRegistration,
    issuer: &Issuer,
    now: Instant,
) -> Result<Params, RequestObjectError> {
    let algs = client.profile().rules().client_algs;
    let verified = keys.verify(object, algs).map_err(|_| RequestObjectError::Signature)?;
    if verified.header.typ.is_some_and(|typ| !KINDS.contains(&typ.to_ascii_lowercase().as_str())) {
        return Err(RequestObjectError::Malformed);
    }
    let members: Map<String, Value> =
        serde_json::from_slice(&verified.payload).map_err(|_| RequestObjectError::Malformed)?;
    // Without them nobody could tell an old request from a new one.
    if !members.contains_key("exp") || !members.contains_key("nbf") {
        return Err(RequestObjectError::Time);
    }
    let about = About::deserialize(&members).map_err(|_| RequestObjectError::Party)?;
    // One that could serve as the client's assertion is none (RFC 9101, section 10.8).
    let own = about.iss == client.id().as_str() && !members.contains_key("sub");
    if !own || !about.aud.names(issuer) {
        return Err(RequestObjectError::Party);
    }
    let (until, from) = (instant(about.exp), instant(about.nbf));
    let in_time = until > now && from <= now.plus(CLOCK_SKEW);
    if !in_time || until > now.plus(MAX_LIFE) || from < now.plus(-MAX_LIFE) {
        return Err(RequestObjectError::Time);
    }
    parameters(&members)
}

/// The members as parameters: text as it is, whatever has a structure as JSON (RFC 9101, section 4).
fn parameters(members: &Map<String, Value>) -> Result<Params, RequestObjectError> {
    let mut pairs = Vec::new();
    for (name, value) in members.iter().filter(|(name, _)| !ABOUT_ITSELF.contains(&name.as_str())) {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
            Value::Null | Value::Bool(_) => return Err(RequestObjectError::Malformed),
        };
        // A request in a request would have to be opened again (RFC 9101, section 4).
        if name == "request" || name == "request_uri" {
            return Err(RequestObjectError::Malformed);
        }
        pairs.push((name.as_str(), text));
    }
    let pairs = pairs.iter().map(|(name, text)| (*name, text.as_str()));
    Params::of(pairs).map_err(|_| RequestObjectError::Malformed)
}
