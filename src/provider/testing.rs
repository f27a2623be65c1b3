//! Samples this room's tests share.

use super::{
    Actor, ActorOrganisation, Answerer, ClientAuthMethod, ClientDraft, ClientRegistration, IdToken, Issuer,
    JournalReference, MandateDetails, OrganisationName, Params, Profile, Said,
};
use crate::clock::SeededEntropy;
use crate::crypto::{Jwks, JwsAlg, OpaqueToken, TokenKey};
use crate::mandate::{Act, ClientId, EventId, Instant, MandateId, OrganisationId, ProcedureId};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::sync::LazyLock;
use time::Duration;

/// 2026-11-22T10:00:00Z.
pub(super) const NOW: Instant = Instant::from_micros(1_795_341_600_000_000);
pub(super) const REDIRECT: &str = "https://caisse.example/cb?dummy1=lorem";
pub(super) const AFTER_LOGOUT: &str = "https://caisse.example/post_logout_redirect";
pub(super) const SECRET: &str = "gX1fBat3bV-a-long-random-secret-indeed-0123";
/// RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7636, appendix B.
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(super) fn issuer() -> Issuer {
    Issuer::parse("https://porteplume.example").unwrap()
}

pub(super) fn params(raw: &str) -> Params {
    Params::parse(raw.as_bytes()).unwrap()
}

pub(super) fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

/// Who answers `caisse`, with [`key`] under the name `k1`.
pub(super) fn answerer() -> Answerer<'static> {
    static PARTS: LazyLock<(Issuer, ClientId, TokenKey)> =
        LazyLock::new(|| (issuer(), id("caisse"), key("k1")));
    let (issuer, client, key) = &*PARTS;
    Answerer { issuer, client, key, now: NOW }
}

/// The P-256 key of RFC 7515, appendix A.3, under the name given.
pub(super) fn key(kid: &str) -> TokenKey {
    let pkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/\
                 zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    TokenKey::from_pkcs8(kid, JwsAlg::Es256, &STANDARD.decode(pkcs8).unwrap()).unwrap()
}

pub(super) fn jwks(kid: &str) -> Value {
    Jwks { keys: vec![key(kid).public_jwk()] }.to_value()
}

pub(super) fn draft() -> ClientDraft {
    serde_json::from_value(json!({
        "id": "caisse",
        "name": "Caisse de démonstration",
        "profile": "oidc",
        "redirect_uris": [REDIRECT, "https://caisse.example/other"],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
        "auth_method": "client_secret_basic",
        "secret_hash": OpaqueToken::hash_of(SECRET).to_hex(),
        "claims": ["given_name", "family_name", "birthdate", "email"],
        "procedures": ["declare-income"],
    }))
    .unwrap()
}

pub(super) fn client() -> ClientRegistration {
    ClientRegistration::try_from(draft()).unwrap()
}

/// A client that signs with [`key`].
pub(super) fn signing_client() -> ClientRegistration {
    signing_client_of(Profile::Oidc)
}

/// The same under a profile.
pub(super) fn signing_client_of(profile: Profile) -> ClientRegistration {
    let method = ClientAuthMethod::PrivateKeyJwt;
    let keys = Some(jwks("client-key"));
    let draft = ClientDraft { auth_method: method, secret_hash: None, jwks: keys, profile, ..draft() };
    ClientRegistration::try_from(draft).unwrap()
}

pub(super) fn mandate() -> MandateDetails {
    MandateDetails {
        identifier: MandateId::from_bytes([1; 16]),
        procedure: ProcedureId::parse("declare-income").unwrap(),
        acts: [Act::Fill, Act::Prepare].into(),
        organisation: OrganisationName {
            name: "Mairie de Démonstration".to_owned(),
            siret: "21750001600019".to_owned(),
        },
        granted: NOW.plus(Duration::days(-1)),
        expires: NOW.plus(Duration::days(30)),
        usager_acr: "eidas1".to_owned(),
        aidant_acr: "eidas2".to_owned(),
        journal: JournalReference {
            entry: EventId::from_bytes([2; 16]),
            index: 41,
            origin: "porteplume.example/journal".to_owned(),
        },
    }
}

pub(super) fn actor() -> Actor {
    Actor {
        sub: "pairwise-aidant".to_owned(),
        organisation: ActorOrganisation {
            id: OrganisationId::from_bytes([3; 16]),
            name: mandate().organisation,
        },
        acr: "eidas2".to_owned(),
    }
}

/// An ID token for `caisse`, signed with [`key`] under the name `k1`, after a change of what it is made from.
pub(super) fn id_token(change: impl FnOnce(&mut IdToken<'_>)) -> String {
    let (issuer, client) = (issuer(), id("caisse"));
    let said = Said::Act { act: actor(), authorization_details: [mandate()] };
    let access_token = access_token();
    let mut token = IdToken {
        issuer: &issuer,
        subject: "pairwise-usager",
        client: &client,
        now: NOW,
        authenticated_at: NOW.plus(Duration::minutes(-10)),
        nonce: Some("n-0S6_WzA2Mj"),
        access_token: &access_token,
        acr: "eidas1",
        said: &said,
        until: mandate().expires,
        sid: "sid-1",
    };
    change(&mut token);
    token.sign(&key("k1")).unwrap()
}

pub(super) fn access_token() -> OpaqueToken {
    OpaqueToken::generate(&SeededEntropy::new(1)).unwrap()
}
