//! The ID token: who is represented, by whom, under which mandate.
//!
//! A struct of our own rather than openidconnect's `IdToken`: that one brings chrono times and flattened
//! generic claims, and signs through a trait around the key; here the claims *are* the contract with relying parties and
//! read as one. The tests verify the result with openidconnect, as a relying party would.

use super::issuer::Issuer;
use super::said::Said;
use crate::crypto::{
    ClientMac, CryptoError, Digest, JwsAlg, OpaqueToken, Signer, json_object, sign_jws, unverified_hs256,
    verify_hs256, verify_jws,
};
use crate::mandate::{Act, ClientId, EventId, Instant, MandateId, OrganisationId, ProcedureId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeSet;
use time::Duration;

/// How long an ID token may be relied on at most.
pub const ID_TOKEN_LIFE: Duration = Duration::minutes(5);
/// The header's `typ`, which tells ID tokens from other JWTs signed with the same keys.
const TYP: &str = "JWT";

/// The mandate as relying parties see it: one entry of `authorization_details` (RFC 9396, section 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "mandate")]
pub struct MandateDetails {
    /// The mandate.
    pub identifier: MandateId,
    /// The one procedure this representation is for.
    pub procedure: ProcedureId,
    /// What `decide()` allowed in it.
    pub acts: BTreeSet<Act>,
    /// The mandatary.
    pub organisation: OrganisationName,
    /// When the mandate came into force; written in seconds since 1970.
    #[serde(serialize_with = "numeric_date")]
    pub granted: Instant,
    /// When it ends by itself; written in seconds since 1970.
    #[serde(serialize_with = "numeric_date")]
    pub expires: Instant,
    /// Level of the usager's identification when they consented.
    pub usager_acr: String,
    /// Level of the aidant's authentication now.
    pub aidant_acr: String,
    /// Where the journal tells of this representation.
    pub journal: JournalReference,
}

/// An organisation as relying parties see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganisationName {
    /// Name.
    pub name: String,
    /// Number in the register of establishments (SIRET, 14 digits).
    pub siret: String,
}

/// One entry of the journal, for whoever wants to hold us to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalReference {
    /// The entry.
    pub entry: EventId,
    /// Its place in the tree.
    pub index: u64,
    /// The journal's origin, as its checkpoints carry it.
    pub origin: String,
}

/// The aidant, as `act` names them (RFC 8693, section 4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Their identifier in the client's sector.
    pub sub: String,
    /// Whom they act for.
    pub organisation: ActorOrganisation,
    /// Level of their authentication now.
    pub acr: String,
}

/// The actor's organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorOrganisation {
    /// Identifier.
    pub id: OrganisationId,
    /// Name and register number.
    #[serde(flatten)]
    pub name: OrganisationName,
}

/// What an ID token is made from.
#[derive(Clone)]
pub struct IdToken<'a> {
    /// Who signs.
    pub issuer: &'a Issuer,
    /// The usager's identifier in the client's sector.
    pub subject: &'a str,
    /// The client.
    pub client: &'a ClientId,
    /// When it is made.
    pub now: Instant,
    /// When the aidant authenticated.
    pub authenticated_at: Instant,
    /// The request's nonce, unchanged.
    pub nonce: Option<&'a str>,
    /// The access token that goes with it.
    pub access_token: &'a OpaqueToken,
    /// Level of the subject's authentication.
    pub acr: &'a str,
    /// Who acts for whom.
    pub said: &'a Said,
    /// When the mandate ends by itself.
    pub until: Instant,
    /// The session, as logout names it.
    pub sid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    at_hash: String,
    sid: &'a str,
    #[serde(flatten)]
    said: &'a Said,
}

impl IdToken<'_> {
    /// The signed token. It expires with the mandate, if that ends first.
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn sign<'k>(&self, by: impl Into<Signer<'k>>) -> Result<String, CryptoError> {
        let by = by.into();
        let expires = self.now.plus(ID_TOKEN_LIFE).min(self.until);
        let claims = Claims {
            iss: self.issuer.as_str(),
            sub: self.subject,
            aud: self.client.as_str(),
            exp: expires.seconds(),
            iat: self.now.seconds(),
            auth_time: self.authenticated_at.seconds(),
            nonce: self.nonce,
            acr: self.acr,
            at_hash: at_hash(by.digest(), self.access_token.expose()),
            sid: self.sid,
            said: self.said,
        };
        let payload = serde_json::to_vec(&claims).map_err(|_| CryptoError::Signing)?;
        sign_jws(by, TYP, &payload)
    }
}

/// The left half of the token's hash, by the hash the signature rests on (OpenID Connect Core, section 3.1.3.6).
fn at_hash(by: Digest, access_token: &str) -> String {
    let digest = by.of(access_token.as_bytes());
    let (half, _) = digest.split_at(digest.len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
fn numeric_date<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(at.seconds())
}

/// An ID token of ours, given back as a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The client it was issued to.
    pub client: ClientId,
    /// Its subject.
    pub subject: String,
    /// Its session.
    pub sid: String,
}

impl Hint {
    /// Reads an ID token on its signature alone: hints usually come long after their expiry
    /// (OpenID Connect RP-Initiated Logout, section 2). `None` when it is not ours.
    #[must_use]
    pub fn read(jwt: &str, issuer: &Issuer, jwks: &serde_json::Value) -> Option<Self> {
        let verified = verify_jws(jwt, jwks, &JwsAlg::ALL).ok()?;
        Self::of(issuer, verified.header.typ.as_deref(), &verified.payload)
    }

    /// The client whose secret a hint by HS256 says it is under. Nothing is verified: [`Self::read_by_secret`] does that.
    #[must_use]
    pub fn client_by_secret(jwt: &str) -> Option<ClientId> {
        #[derive(Deserialize)]
        struct Audience {
            aud: ClientId,
        }
        json_object::<Audience>(&unverified_hs256(jwt)?).map(|of| of.aud)
    }

    /// The same as [`Self::read`] for an ID token that the secret of that client signed. `None` when it is not ours, or
    /// another client's.
    #[must_use]
    pub fn read_by_secret(jwt: &str, issuer: &Issuer, client: &ClientId, secret: &ClientMac) -> Option<Self> {
        let verified = verify_hs256(jwt, secret).ok()?;
        Self::of(issuer, verified.typ.as_deref(), &verified.payload).filter(|hint| hint.client == *client)
    }

    fn of(issuer: &Issuer, typ: Option<&str>, payload: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Hinted {
            iss: String,
            sub: String,
            aud: ClientId,
            sid: String,
        }
        let hinted: Hinted = json_object(payload)?;
        let ours = hinted.iss == issuer.as_str() && typ == Some(TYP);
        ours.then_some(Self { client: hinted.aud, subject: hinted.sub, sid: hinted.sid })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, access_token, id, id_token, issuer, jwks, key};
    use super::*;
    use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
    use openidconnect::{AccessToken, AccessTokenHash, IssuerUrl, Nonce};
    use serde_json::{Value, json};

    fn payload(jwt: &str) -> Value {
        let part = jwt.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_certified_relying_party_library_accepts_the_token() {
        let jwt = id_token(|_| ());
        let verifier = CoreIdTokenVerifier::new_public_client(
            openidconnect::ClientId::new("caisse".to_owned()),
            IssuerUrl::new(issuer().as_str().to_owned()).unwrap(),
            serde_json::from_value(jwks("k1")).unwrap(),
        )
        .set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256])
        .set_time_fn(|| serde_json::from_str("\"2026-11-22T10:00:30Z\"").unwrap());
        let token: CoreIdToken = jwt.parse().unwrap();
        let claims = token.claims(&verifier, &Nonce::new("n-0S6_WzA2Mj".to_owned())).unwrap();
        assert_eq!(claims.subject().as_str(), "pairwise-usager");
        assert_eq!(claims.auth_context_ref().unwrap().as_str(), "eidas1");
        let hash = AccessTokenHash::from_token(
            &AccessToken::new(access_token().expose().to_owned()),
            token.signing_alg().unwrap(),
            token.signing_key(&verifier).unwrap(),
        );
        assert_eq!(claims.access_token_hash(), Some(&hash.unwrap()));
        assert!(token.claims(&verifier, &Nonce::new("other".to_owned())).is_err());
    }

    #[test]
    fn the_token_names_both_persons_the_mandate_and_its_limits_and_nothing_else() {
        let jwt = id_token(|_| ());
        let now = NOW.seconds();
        let mut claims = payload(&jwt);
        assert_eq!(claims["at_hash"].take(), json!(at_hash(Digest::Sha256, access_token().expose())));
        let expected = json!({
            "iss": "https://porteplume.example",
            "sub": "pairwise-usager",
            "aud": "caisse",
            "exp": now + 300,
            "iat": now,
            "auth_time": now - 600,
            "nonce": "n-0S6_WzA2Mj",
            "acr": "eidas1",
            "at_hash": null,
            "sid": "sid-1",
            "act": {
                "sub": "pairwise-aidant",
                "organisation": {
                    "id": "03030303030303030303030303030303",
                    "name": "Mairie de Démonstration",
                    "siret": "21750001600019",
                },
                "acr": "eidas2",
            },
            "authorization_details": [{
                "type": "mandate",
                "identifier": "01010101010101010101010101010101",
                "procedure": "declare-income",
                "acts": ["prepare", "fill"],
                "organisation": {"name": "Mairie de Démonstration", "siret": "21750001600019"},
                "granted": now - 86_400,
                "expires": now + 30 * 86_400,
                "usager_acr": "eidas1",
                "aidant_acr": "eidas2",
                "journal": {
                    "entry": "02020202020202020202020202020202",
                    "index": 41,
                    "origin": "porteplume.example/journal",
                },
            }],
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
        assert_eq!(payload(&id_token(|token| token.nonce = None)).get("nonce"), None);
    }

    #[test]
    fn a_token_does_not_outlive_its_mandate() {
        let short = id_token(|token| token.until = NOW.plus(Duration::seconds(20)));
        assert_eq!(payload(&short)["exp"], json!(NOW.seconds() + 20));
    }

    #[test]
    fn the_access_token_hash_is_that_of_openid_connect_core_appendix_a_3() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(Digest::Sha256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        // Half of SHA-512, as openssl gives it.
        assert_eq!(at_hash(Digest::Sha512, token), "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
    }

    #[test]
    fn a_hint_is_read_on_its_signature_however_old() {
        let old = id_token(|token| token.now = NOW.plus(Duration::days(-400)));
        let hint = Hint::read(&old, &issuer(), &jwks("k1")).unwrap();
        let (client, subject) = (id("caisse"), "pairwise-usager".to_owned());
        assert_eq!(hint, Hint { client, subject, sid: "sid-1".to_owned() });
    }

    #[test]
    fn a_hint_that_is_not_ours_is_no_hint() {
        let jwt = id_token(|_| ());
        let [header, body, signature] = jwt.split('.').collect::<Vec<_>>().try_into().unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let mut other = payload(&jwt);
        other["sub"] = json!("someone-else");
        let other = URL_SAFE_NO_PAD.encode(other.to_string());
        let claims = payload(&jwt).to_string();
        let list = json!([issuer().as_str(), "pairwise-usager", "caisse", "sid-1"]).to_string();
        for forged in [
            String::new(),
            "a.b.c".to_owned(),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{header}.{other}.{signature}"),
            format!("{header}.{body}."),
            sign_jws(&key("suite-key"), TYP, claims.as_bytes()).unwrap(),
            sign_jws(&key("k1"), "logout+jwt", claims.as_bytes()).unwrap(),
            sign_jws(&key("k1"), TYP, list.as_bytes()).unwrap(),
        ] {
            assert_eq!(Hint::read(&forged, &issuer(), &jwks("k1")), None, "{forged}");
        }
        let elsewhere = Issuer::parse("https://elsewhere.example").unwrap();
        assert_eq!(Hint::read(&jwt, &elsewhere, &jwks("k1")), None);
    }
}
