//! What an ID token must be to count.

use super::party::Client;
use super::registration::Registration;
use super::{Expected, IdTokenFault, SignedIn};
use crate::crypto::SecretString;
use crate::mandate::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKey};
use openidconnect::{AccessToken, AccessTokenHash, JsonWebKey, JwsSigningAlgorithm, Nonce};
use serde_json::{Map, Value};
use std::time::SystemTime;
use time::Duration;

/// How far the provider's clock may be from ours; it also covers the time the calls take.
pub(super) const SKEW: Duration = Duration::seconds(30);
/// The longest subject identifier, ASCII (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

/// The sign-in a token must fit.
pub(super) struct Flow<'a> {
    pub(super) registration: &'a Registration,
    pub(super) expected: &'a Expected,
    pub(super) now: Instant,
}

/// Verifies an ID token and gives the person it identifies.
pub(super) fn accept(
    client: &Client,
    flow: &Flow<'_>,
    id_token: &CoreIdToken,
    access_token: &AccessToken,
) -> Result<SignedIn, IdTokenFault> {
    let verifier = flow.verifier(client);
    let nonce = Nonce::new(flow.expected.nonce.expose().to_owned());
    let claims = id_token.claims(&verifier, &nonce).map_err(|error| IdTokenFault::from(&error))?;
    // `openidconnect` leaves `azp` to its callers (OpenID Connect Core, 3.1.3.7, step 5).
    if claims.authorized_party().is_some_and(|party| party.as_str() != flow.registration.provider.client_id) {
        return Err(IdTokenFault::Audience);
    }
    check_access_token_hash(flow, &verifier, id_token, claims, access_token)?;
    let subject = claims.subject().as_str();
    if !(1..=LONGEST_SUBJECT).contains(&subject.len()) || !subject.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(IdTokenFault::Malformed);
    }
    let acr = claims.auth_context_ref().map(|acr| acr.as_str().to_owned());
    let amr: Vec<String> =
        claims.auth_method_refs().into_iter().flatten().map(|method| method.as_str().to_owned()).collect();
    let compact = id_token.to_string();
    let mut signed_in = SignedIn {
        issuer: claims.issuer().as_str().to_owned(),
        subject: subject.to_owned(),
        second_factor: flow.registration.proves_second_factor(acr.as_deref(), &amr),
        acr,
        amr,
        auth_time: claims.auth_time().map(|at| Instant::from_micros(at.timestamp_micros())),
        email: None,
        email_verified: None,
        claims: claims_of(&compact).ok_or(IdTokenFault::Malformed)?,
        id_token: SecretString::new(compact),
        access_token: SecretString::new(access_token.secret().clone()),
    };
    signed_in.read_email();
    Ok(signed_in)
}

impl Flow<'_> {
    fn verifier<'a>(&'a self, client: &'a Client) -> CoreIdTokenVerifier<'a> {
        let (now, expected) = (self.now, self.expected);
        client
            .id_token_verifier()
            .set_allowed_algs(self.registration.algorithms())
            .set_time_fn(move || system_time(now.plus(-SKEW)).into())
            .set_issue_time_verifier_fn(move |issued| {
                let issued = Instant::from_micros(issued.timestamp_micros());
                let ours = issued >= expected.begun_at.plus(-SKEW) && issued <= now.plus(SKEW);
                ours.then_some(()).ok_or_else(|| "issued before the request, or in the future".to_owned())
            })
            .set_auth_time_verifier_fn(move |at| {
                let at = at.map(|at| Instant::from_micros(at.timestamp_micros()));
                let fresh = match (expected.authenticated_since, at) {
                    (None, _) => true,
                    (Some(since), Some(at)) => at >= since.plus(-SKEW),
                    (Some(_), None) => false,
                };
                fresh.then_some(()).ok_or_else(|| "the sign-in is not fresh".to_owned())
            })
            .set_auth_context_verifier_fn(move |acr| {
                let fits = self.registration.accepts(acr.map(|acr| acr.as_str()));
                fits.then_some(()).ok_or_else(|| "the level is not accepted".to_owned())
            })
    }
}

/// Checks `at_hash` where there is one; FranceConnect sends none.
fn check_access_token_hash(
    flow: &Flow<'_>,
    verifier: &CoreIdTokenVerifier<'_>,
    id_token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    access_token: &AccessToken,
) -> Result<(), IdTokenFault> {
    let Some(stated) = claims.access_token_hash() else { return Ok(()) };
    let algorithm = id_token.signing_alg().map_err(|error| IdTokenFault::from(&error))?;
    let hash = if algorithm.uses_shared_secret() {
        let secret = flow.registration.provider.client_secret.expose().as_bytes().to_vec();
        AccessTokenHash::from_token(access_token, algorithm, &CoreJsonWebKey::new_symmetric(secret))
    } else {
        let key = id_token.signing_key(verifier).map_err(|error| IdTokenFault::from(&error))?;
        AccessTokenHash::from_token(access_token, algorithm, key)
    };
    if hash.is_ok_and(|hash| &hash == stated) { Ok(()) } else { Err(IdTokenFault::AccessTokenHash) }
}

/// The claims in the payload of a token that was verified.
fn claims_of(compact: &str) -> Option<Map<String, Value>> {
    let payload = compact.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The instant as `openidconnect` takes it; before 1970, the epoch.
fn system_time(at: Instant) -> SystemTime {
    let micros = u64::try_from(at.micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(micros)
}
