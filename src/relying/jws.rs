//! Signed userinfo. `openidconnect` verifies it for RS256 alone, and the French providers sign it with ES256; so the
//! envelope is opened here, and the signature verified with that crate's keys.

use super::UserinfoFault;
use super::registration::Registration;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyUse, JwsSigningAlgorithm};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The protected header, as far as we understand it. `crit` names extensions that must be understood: none is.
#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// The claims in the payload of a compact JWS that was verified elsewhere.
pub(super) fn claims_of(compact: &str) -> Option<Map<String, Value>> {
    let payload = compact.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Verifies a compact JWS with the provider's keys, and gives its claims.
///
/// # Errors
/// [`UserinfoFault::Format`] when it is no JWS; [`UserinfoFault::Signature`] when the algorithm is not accepted or no
/// key of the provider made the signature.
pub(super) fn verify(
    compact: &str,
    keys: &[CoreJsonWebKey],
    registration: &Registration,
) -> Result<Map<String, Value>, UserinfoFault> {
    let (signed, signature) = compact.rsplit_once('.').ok_or(UserinfoFault::Format)?;
    let (header, payload) = signed.split_once('.').ok_or(UserinfoFault::Format)?;
    if payload.contains('.') {
        return Err(UserinfoFault::Format);
    }
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| UserinfoFault::Format);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| UserinfoFault::Signature)?;
    let signature = decode(signature)?;
    if header.crit.is_some() || !registration.algorithms().any(|accepted| accepted == header.alg) {
        return Err(UserinfoFault::Signature);
    }
    let holds =
        |key: &CoreJsonWebKey| key.verify_signature(&header.alg, signed.as_bytes(), &signature).is_ok();
    let verified = if header.alg.uses_shared_secret() {
        holds(&CoreJsonWebKey::new_symmetric(
            registration.provider.client_secret.expose().as_bytes().to_vec(),
        ))
    } else {
        keys.iter().filter(|key| fits(key, &header)).any(holds)
    };
    if !verified {
        return Err(UserinfoFault::Signature);
    }
    serde_json::from_slice(&decode(payload)?).map_err(|_| UserinfoFault::Format)
}

/// Whether the key may have made a signature with this header.
fn fits(key: &CoreJsonWebKey, header: &Header) -> bool {
    let named = header.kid.as_ref().is_none_or(|kid| key.key_id().is_some_and(|id| id.as_str() == kid));
    let signs = key.key_use().is_none_or(JsonWebKeyUse::allows_signature);
    let algorithm = match key.signing_alg() {
        JsonWebKeyAlgorithm::Unspecified => true,
        JsonWebKeyAlgorithm::Algorithm(only) => *only == header.alg,
        JsonWebKeyAlgorithm::Unsupported => false,
    };
    named && signs && algorithm && header.alg.key_type().as_ref() == Some(key.key_type())
}
