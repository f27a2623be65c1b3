//! The discovery document (OpenID Connect Discovery, RFC 8414), which says exactly what is true here.

use super::authorize::Prompt;
use super::claim::Claim;
use super::details::MANDATE_TYPE;
use super::issuer::{AUTHORIZE, END_SESSION, Issuer, JWKS, USERINFO};
use super::profile::Profile;
use super::registration::ClientAuthMethod;
use crate::crypto::TokenAlg;
use serde::Serialize;

/// Levels of identification that ID tokens may carry in `acr`.
pub const ACR_VALUES: [&str; 3] = ["eidas1", "eidas2", "eidas3"];

/// Claims of ID tokens and userinfo that are not about the usager's identity.
const OWN_CLAIMS: [&str; 12] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "at_hash",
    "sid",
    "act",
    "authorization_details",
];

#[derive(Serialize)]
struct Document<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: String,
    response_types_supported: [&'a str; 1],
    response_modes_supported: [&'a str; 1],
    grant_types_supported: [&'a str; 1],
    subject_types_supported: [&'a str; 1],
    id_token_signing_alg_values_supported: [&'a str; 2],
    token_endpoint_auth_methods_supported: [&'a str; 3],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'a str>,
    code_challenge_methods_supported: [&'a str; 1],
    authorization_response_iss_parameter_supported: bool,
    scopes_supported: Vec<&'a str>,
    claim_types_supported: [&'a str; 1],
    claims_supported: Vec<&'a str>,
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    // Named though unused, so that nobody assumes the default, which holds `none`.
    request_object_signing_alg_values_supported: [&'a str; 2],
    acr_values_supported: [&'a str; 3],
    prompt_values_supported: [&'a str; 4],
    authorization_details_types_supported: [&'a str; 1],
    ui_locales_supported: [&'a str; 2],
}

/// The discovery document as JSON.
///
/// # Errors
/// The serialiser's, which strings and lists do not cause.
pub fn discovery(issuer: &Issuer) -> Result<Vec<u8>, serde_json::Error> {
    let claims = || Claim::ALL.iter().map(|claim| claim.as_str());
    serde_json::to_vec(&Document {
        issuer: issuer.as_str(),
        authorization_endpoint: issuer.address(AUTHORIZE),
        token_endpoint: issuer.token_endpoint(),
        userinfo_endpoint: issuer.address(USERINFO),
        jwks_uri: issuer.address(JWKS),
        end_session_endpoint: issuer.address(END_SESSION),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code"],
        subject_types_supported: ["pairwise"],
        id_token_signing_alg_values_supported: [TokenAlg::Es256.as_str(), TokenAlg::Rs256.as_str()],
        token_endpoint_auth_methods_supported: ClientAuthMethod::ALL.map(ClientAuthMethod::as_str),
        token_endpoint_auth_signing_alg_values_supported: assertion_algs(),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        scopes_supported: ["openid"].into_iter().chain(claims()).collect(),
        claim_types_supported: ["normal"],
        claims_supported: OWN_CLAIMS.into_iter().chain(claims()).chain(["email_verified"]).collect(),
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        request_object_signing_alg_values_supported: [TokenAlg::Es256.as_str(), TokenAlg::Rs256.as_str()],
        acr_values_supported: ACR_VALUES,
        prompt_values_supported: Prompt::ALL.map(Prompt::as_str),
        authorization_details_types_supported: [MANDATE_TYPE],
        ui_locales_supported: ["fr", "en"],
    })
}

fn assertion_algs() -> Vec<&'static str> {
    Profile::Oidc.rules().assertion_algs.iter().map(|alg| alg.as_str()).collect()
}
