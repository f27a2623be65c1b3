//! The discovery document (OpenID Connect Discovery, RFC 8414), which says exactly what is true here.

use super::authorize::Prompt;
use super::claim::Claim;
use super::details::MANDATE_TYPE;
use super::dpop::PROOF_ALGS;
use super::introspection::{INTROSPECT, REVOKE};
use super::issuer::{AUTHORIZE, END_SESSION, Issuer, JWKS, PAR, USERINFO};
use super::options::{ClientAuthMethod, IdTokenAlg};
use super::profile::Profile;
use super::response::ResponseMode;
use super::token::Grant;
use crate::crypto::JwsAlg;
use serde_json::json;

/// Levels of identification that ID tokens may carry in `acr`.
pub const ACR_VALUES: [&str; 3] = ["eidas1", "eidas2", "eidas3"];

/// Claims of ID tokens and userinfo that are not about the usager's identity.
const OWN_CLAIMS: [&str; 14] = [
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
    "authority",
    "rep_scope",
];

/// The discovery document as JSON, where there are keys of those algorithms.
#[must_use]
pub fn discovery(issuer: &Issuer, algs: impl IntoIterator<Item = JwsAlg>) -> Vec<u8> {
    let signing: Vec<&str> = algs.into_iter().map(JwsAlg::as_str).collect();
    let claims: Vec<&str> = Claim::ALL.iter().map(|claim| claim.as_str()).collect();
    let scopes = [&["openid"], claims.as_slice()].concat();
    let all_claims = [OWN_CLAIMS.as_slice(), &claims, &["email_verified"]].concat();
    let mut document = json!({
        "issuer": issuer.as_str(),
        "authorization_endpoint": issuer.address(AUTHORIZE),
        "pushed_authorization_request_endpoint": issuer.address(PAR),
        // Whether a client must push is its profile's to say.
        "require_pushed_authorization_requests": false,
        "token_endpoint": issuer.token_endpoint(),
        "introspection_endpoint": issuer.address(INTROSPECT),
        "revocation_endpoint": issuer.address(REVOKE),
        "userinfo_endpoint": issuer.address(USERINFO),
        "jwks_uri": issuer.address(JWKS),
        "end_session_endpoint": issuer.address(END_SESSION),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": Grant::TYPES,
        "subject_types_supported": ["pairwise"],
        "token_endpoint_auth_methods_supported": ClientAuthMethod::ALL.map(ClientAuthMethod::as_str),
        "token_endpoint_auth_signing_alg_values_supported": assertion_algs(),
        "introspection_endpoint_auth_methods_supported": ClientAuthMethod::ALL.map(ClientAuthMethod::as_str),
        "introspection_endpoint_auth_signing_alg_values_supported": assertion_algs(),
        "revocation_endpoint_auth_methods_supported": ClientAuthMethod::ALL.map(ClientAuthMethod::as_str),
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_algs(),
        "dpop_signing_alg_values_supported": PROOF_ALGS.map(JwsAlg::as_str),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "scopes_supported": scopes,
        "claim_types_supported": ["normal"],
        "claims_supported": all_claims,
        "claims_parameter_supported": false,
        // Signed, by a client that has keys; never unsigned.
        "request_parameter_supported": true,
        "require_signed_request_object": false,
        "request_uri_parameter_supported": false,
        "request_object_signing_alg_values_supported": assertion_algs(),
        "acr_values_supported": ACR_VALUES,
        "prompt_values_supported": Prompt::ALL.map(Prompt::as_str),
        "authorization_details_types_supported": [MANDATE_TYPE],
        "ui_locales_supported": ["fr", "en"],
    });
    // Under their own secrets some clients are given these, and those alone.
    let with_secrets = [signing.as_slice(), &[IdTokenAlg::Hs256.as_str()]].concat();
    if let Some(members) = document.as_object_mut() {
        for (what, algs) in [
            ("id_token", &with_secrets),
            ("userinfo", &with_secrets),
            ("introspection", &signing),
            ("authorization", &signing),
        ] {
            members.insert(format!("{what}_signing_alg_values_supported"), json!(algs));
        }
    }
    document.to_string().into_bytes()
}

fn assertion_algs() -> Vec<&'static str> {
    Profile::Oidc.rules().client_algs.iter().map(|alg| alg.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::issuer;
    use super::super::{ClientDraft, ClientRegistration, DISCOVERY, testing};
    use super::*;
    use openidconnect::core::CoreProviderMetadata;
    use serde_json::Value;

    fn document() -> Value {
        serde_json::from_slice(&discovery(&issuer(), JwsAlg::ALL)).unwrap()
    }

    #[test]
    fn oidcc_discovery_endpoint_verification() {
        let document = document();
        let _: CoreProviderMetadata = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(
            issuer().address(DISCOVERY),
            "https://porteplume.example/.well-known/openid-configuration"
        );
        assert_eq!(document["issuer"], "https://porteplume.example");
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                assert!(value.as_str().unwrap().starts_with("https://porteplume.example/"), "{name}");
            }
        }
        for (name, expected) in [
            ("response_types_supported", json!(["code"])),
            ("response_modes_supported", json!(["query", "jwt", "query.jwt"])),
            ("authorization_signing_alg_values_supported", json!(["ES256", "RS256", "PS256", "EdDSA"])),
            ("userinfo_signing_alg_values_supported", json!(["ES256", "RS256", "PS256", "EdDSA", "HS256"])),
            ("introspection_signing_alg_values_supported", json!(["ES256", "RS256", "PS256", "EdDSA"])),
            ("request_object_signing_alg_values_supported", json!(["ES256", "RS256", "PS256", "EdDSA"])),
            ("subject_types_supported", json!(["pairwise"])),
            ("id_token_signing_alg_values_supported", json!(["ES256", "RS256", "PS256", "EdDSA", "HS256"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("authorization_response_iss_parameter_supported", json!(true)),
            ("claims_parameter_supported", json!(false)),
            ("request_parameter_supported", json!(true)),
            ("request_uri_parameter_supported", json!(false)),
            ("authorization_details_types_supported", json!(["mandate"])),
            ("ui_locales_supported", json!(["fr", "en"])),
            ("pushed_authorization_request_endpoint", json!("https://porteplume.example/par")),
            ("require_pushed_authorization_requests", json!(false)),
            ("dpop_signing_alg_values_supported", json!(["ES256", "PS256", "EdDSA"])),
        ] {
            assert_eq!(document[name], expected, "{name}");
        }
        assert_eq!(document.to_string().matches("\"none\"").count(), 1, "as a prompt, never as an algorithm");
    }

    #[test]
    fn an_algorithm_without_a_key_is_not_advertised() {
        let bytes = discovery(&issuer(), [JwsAlg::Es256, JwsAlg::Rs256]);
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        for (of, expected) in [
            ("id_token", json!(["ES256", "RS256", "HS256"])),
            ("userinfo", json!(["ES256", "RS256", "HS256"])),
            ("introspection", json!(["ES256", "RS256"])),
            ("authorization", json!(["ES256", "RS256"])),
        ] {
            assert_eq!(document[format!("{of}_signing_alg_values_supported")], expected, "{of}");
        }
    }

    #[test]
    fn every_authentication_method_advertised_can_be_registered() {
        for method in document()["token_endpoint_auth_methods_supported"].as_array().unwrap() {
            let mut draft = serde_json::to_value(testing::draft()).unwrap();
            draft["auth_method"] = method.clone();
            if method == "private_key_jwt" {
                draft["jwks"] = testing::jwks("k");
                draft.as_object_mut().unwrap().remove("secret_hash");
            }
            let draft: ClientDraft = serde_json::from_value(draft).unwrap();
            assert!(ClientRegistration::try_from(draft).is_ok(), "{method}");
        }
    }

    #[test]
    fn every_scope_advertised_returns_a_claim_advertised() {
        let document = document();
        let claims = document["claims_supported"].as_array().unwrap();
        for scope in document["scopes_supported"].as_array().unwrap() {
            let text = scope.as_str().unwrap();
            assert!(text == "openid" || (Claim::parse(text).is_some() && claims.contains(scope)), "{text}");
        }
    }
}
