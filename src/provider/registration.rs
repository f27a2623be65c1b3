//! What the operator registers about a relying party, checked once, so that no request meets a doubtful client.

mod error;

pub use error::RegistrationError;

use super::claim::{Claim, NoOpenId, Scope};
use super::client_keys::ClientKeys;
use super::issuer::secure_url;
use super::options::{ClientAuthMethod, IdTokenAlg, Pkce, Refresh, RequestObjects, Subject, UserinfoFormat};
use super::profile::{PkceRule, Profile};
use crate::crypto::{JwsAlg, TokenHash};
use crate::mandate::{ClientId, ProcedureId, Strength};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::{Host, Url};

/// The most redirect URIs a client may register.
const MAX_URIS: usize = 20;

/// A registration as it is written down: on the command line, in a row. Not yet checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientDraft {
    /// Identifier.
    pub id: ClientId,
    /// Name on the pages.
    pub name: String,
    /// Security profile.
    #[serde(default)]
    pub profile: Profile,
    /// Where codes may be sent, exactly.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after logout, exactly.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it takes logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Where it takes security events (RFC 8935).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_events_uri: Option<String>,
    /// How it proves itself.
    pub auth_method: ClientAuthMethod,
    /// Hash of its secret ([`TokenHash::to_hex`]), for the methods that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_hash: Option<String>,
    /// Its public keys, a JWK set, for `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Algorithm of its ID tokens.
    #[serde(default)]
    pub id_token_alg: IdTokenAlg,
    /// Whether its requests must bring a challenge.
    #[serde(default, skip_serializing_if = "Pkce::is_demanded")]
    pub pkce: Pkce,
    /// Whether it is given refresh tokens.
    #[serde(default, skip_serializing_if = "Refresh::is_none")]
    pub refresh: Refresh,
    /// Whether its requests must be signed.
    #[serde(default, skip_serializing_if = "RequestObjects::is_optional")]
    pub request_objects: RequestObjects,
    /// Of whom its tokens are.
    #[serde(default, skip_serializing_if = "Subject::is_usager")]
    pub subject: Subject,
    /// How it is given userinfo.
    #[serde(default, skip_serializing_if = "UserinfoFormat::is_json")]
    pub userinfo: UserinfoFormat,
    /// Where an aidant ends the session that it keeps of its own, which outlives the representation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_uri: Option<String>,
    /// How much a consent must prove about who gave it, for a mandate to be of use there: unless it says otherwise, the
    /// citizens' provider identified them.
    #[serde(default = "ClientDraft::identified", skip_serializing_if = "ClientDraft::is_identified")]
    pub consent: Strength,
    /// Claims about the usager it may ask for.
    #[serde(default)]
    pub claims: BTreeSet<Claim>,
    /// Procedures it may receive.
    #[serde(default)]
    pub procedures: BTreeSet<ProcedureId>,
    /// Host of its sector (OpenID Connect Core, section 8.1); needed when its redirect URIs have several hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
}

impl ClientDraft {
    const fn identified() -> Strength {
        Strength::Identified
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it may skip by reference")]
    const fn is_identified(strength: &Strength) -> bool {
        matches!(strength, Strength::Identified)
    }
}

/// A checked proof of identity: method and material in one, so that one cannot stand without the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// `client_secret_basic`.
    SecretBasic(TokenHash),
    /// `client_secret_post`.
    SecretPost(TokenHash),
    /// `private_key_jwt`.
    PrivateKeyJwt(ClientKeys),
}

impl ClientCredential {
    /// The method.
    #[must_use]
    pub const fn method(&self) -> ClientAuthMethod {
        match self {
            Self::SecretBasic(_) => ClientAuthMethod::SecretBasic,
            Self::SecretPost(_) => ClientAuthMethod::SecretPost,
            Self::PrivateKeyJwt(_) => ClientAuthMethod::PrivateKeyJwt,
        }
    }
}

/// A redirect URI of a registered client, byte for byte as registered. Only a registration gives one out, so
/// no answer can be sent to any other address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port: what the authorize pages' `form-action` must allow.
    #[must_use]
    pub fn origin(&self) -> String {
        Url::parse(&self.0).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

/// A checked registration.
#[derive(Debug, Clone)]
pub struct ClientRegistration {
    draft: ClientDraft,
    credential: ClientCredential,
    sector: String,
}

impl TryFrom<ClientDraft> for ClientRegistration {
    type Error = RegistrationError;

    fn try_from(draft: ClientDraft) -> Result<Self, RegistrationError> {
        if draft.name.trim().is_empty() || draft.name.chars().count() > 200 {
            return Err(RegistrationError::Name);
        }
        if draft.redirect_uris.is_empty() {
            return Err(RegistrationError::UriCount);
        }
        let hosts = checked_hosts(&draft.redirect_uris)?;
        checked_hosts(&draft.post_logout_redirect_uris)?;
        for told in [&draft.backchannel_logout_uri, &draft.security_events_uri, &draft.leave_uri] {
            checked_hosts(told.as_slice())?;
        }
        let sector = sector(draft.sector.as_deref(), hosts)?;
        let credential = credential(&draft)?;
        fits_profile(&draft, &credential)?;
        Ok(Self { draft, credential, sector })
    }
}

fn checked_hosts(uris: &[String]) -> Result<BTreeSet<String>, RegistrationError> {
    if uris.len() > MAX_URIS {
        return Err(RegistrationError::UriCount);
    }
    uris.iter()
        .map(|uri| {
            let host = secure_url(uri).and_then(|url| url.host_str().map(str::to_owned));
            host.filter(|_| !uri.contains('*')).ok_or_else(|| RegistrationError::Uri(uri.clone()))
        })
        .collect()
}

fn sector(named: Option<&str>, hosts: BTreeSet<String>) -> Result<String, RegistrationError> {
    match (named, hosts.len()) {
        (Some(name), _) => match Host::parse(name) {
            Ok(host) if host.to_string() == name => Ok(name.to_owned()),
            _ => Err(RegistrationError::Sector),
        },
        (None, 1) => hosts.into_iter().next().ok_or(RegistrationError::UriCount),
        (None, _) => Err(RegistrationError::SectorAmbiguous),
    }
}

fn credential(draft: &ClientDraft) -> Result<ClientCredential, RegistrationError> {
    let method = draft.auth_method;
    let secret = || match (&draft.secret_hash, &draft.jwks) {
        (Some(hash), None) => TokenHash::parse(hash).ok(),
        _ => None,
    };
    match method {
        ClientAuthMethod::SecretBasic => secret().map(ClientCredential::SecretBasic),
        ClientAuthMethod::SecretPost => secret().map(ClientCredential::SecretPost),
        ClientAuthMethod::PrivateKeyJwt => {
            let (None, Some(jwks)) = (&draft.secret_hash, &draft.jwks) else {
                return Err(RegistrationError::KeysExpected);
            };
            Some(ClientCredential::PrivateKeyJwt(ClientKeys::check(jwks)?))
        }
    }
    .ok_or(RegistrationError::SecretExpected(method))
}

/// Refuses a mix in which one part would be weaker than the profile promises.
fn fits_profile(draft: &ClientDraft, credential: &ClientCredential) -> Result<(), RegistrationError> {
    let (profile, rules) = (draft.profile, draft.profile.rules());
    if !rules.auth_methods.contains(&draft.auth_method) {
        return Err(RegistrationError::MethodOfProfile(draft.auth_method, profile));
    }
    if draft.pkce == Pkce::Exempt && rules.pkce != PkceRule::UnlessExempt {
        return Err(RegistrationError::PkceOfProfile(profile));
    }
    let more = [
        ("refresh", draft.refresh != Refresh::None),
        ("request_objects", draft.request_objects != RequestObjects::Optional),
        ("subject", draft.subject != Subject::Usager),
        // FranceConnect tells services that a person was identified.
        ("consent", draft.consent != Strength::Identified),
    ];
    if let (true, Some((member, _))) = (rules.parameters.is_some(), more.iter().find(|(_, set)| *set)) {
        return Err(RegistrationError::MemberOfProfile(member, profile));
    }
    if draft.request_objects == RequestObjects::Demanded && draft.jwks.is_none() {
        return Err(RegistrationError::RequestsWithoutKeys);
    }
    if !rules.id_token_algs.contains(&draft.id_token_alg) {
        if draft.id_token_alg == IdTokenAlg::Hs256 {
            return Err(RegistrationError::SecretSigns);
        }
        return Err(RegistrationError::AlgorithmOfProfile(draft.id_token_alg.as_str(), profile));
    }
    match credential {
        ClientCredential::PrivateKeyJwt(keys) if !keys.are_for(rules.client_algs) => {
            Err(RegistrationError::AlgorithmOfProfile("of a key", profile))
        }
        _ => Ok(()),
    }
}

impl ClientRegistration {
    /// Identifier.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.draft.id
    }

    /// Name on the pages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// Security profile.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.draft.profile
    }

    /// Whether its requests must bring a challenge.
    #[must_use]
    pub const fn pkce(&self) -> Pkce {
        match self.draft.profile.rules().pkce {
            PkceRule::Never => Pkce::Exempt,
            PkceRule::Always | PkceRule::UnlessExempt => self.draft.pkce,
        }
    }

    /// What is granted of a scope, within what is registered.
    ///
    /// # Errors
    /// [`NoOpenId`] when `openid` is not asked for.
    pub fn grant(&self, scope: &str) -> Result<Scope, NoOpenId> {
        Scope::grant(scope, &self.draft.claims, self.draft.profile.rules().scopes)
    }

    /// Whether its tokens say who acts.
    #[must_use]
    pub const fn is_told_who_acts(&self) -> bool {
        !matches!(self.draft.profile, Profile::FranceConnect)
    }

    /// Of whom its tokens are.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.draft.subject
    }

    /// How it is given userinfo.
    #[must_use]
    pub const fn userinfo(&self) -> UserinfoFormat {
        self.draft.userinfo
    }

    /// Where an aidant ends the session that it keeps of its own.
    #[must_use]
    pub fn leave_uri(&self) -> Option<&str> {
        self.draft.leave_uri.as_deref()
    }

    /// Whether it is given refresh tokens.
    #[must_use]
    pub const fn refresh(&self) -> Refresh {
        self.draft.refresh
    }

    /// Whether its requests must be signed.
    #[must_use]
    pub const fn request_objects(&self) -> RequestObjects {
        self.draft.request_objects
    }

    /// How it proves itself.
    #[must_use]
    pub const fn credential(&self) -> &ClientCredential {
        &self.credential
    }

    /// Algorithm of its ID tokens.
    #[must_use]
    pub const fn id_token_alg(&self) -> IdTokenAlg {
        self.draft.id_token_alg
    }

    /// Algorithm of our key that signs whatever else it is told: as its ID tokens, unless its secret signs those.
    #[must_use]
    pub const fn signing_alg(&self) -> JwsAlg {
        match self.draft.id_token_alg.key() {
            Some(alg) => alg,
            None => JwsAlg::Es256,
        }
    }

    /// Procedures it may receive.
    #[must_use]
    pub const fn procedures(&self) -> &BTreeSet<ProcedureId> {
        &self.draft.procedures
    }

    /// Host of its sector, from which its usagers' identifiers are made.
    #[must_use]
    pub fn sector(&self) -> &str {
        &self.sector
    }

    /// The redirect URI, when registered byte for byte.
    #[must_use]
    pub fn redirect_uri(&self, asked: &str) -> Option<RedirectUri> {
        exactly(&self.draft.redirect_uris, asked)
    }

    /// The address after logout, when registered byte for byte.
    #[must_use]
    pub fn post_logout_redirect_uri(&self, asked: &str) -> Option<RedirectUri> {
        exactly(&self.draft.post_logout_redirect_uris, asked)
    }

    /// What to write down.
    #[must_use]
    pub const fn draft(&self) -> &ClientDraft {
        &self.draft
    }
}

fn exactly(registered: &[String], asked: &str) -> Option<RedirectUri> {
    registered.iter().find(|uri| *uri == asked).cloned().map(RedirectUri)
}

#[cfg(test)]
mod tests {
    use super::super::client_keys::UnusableKeys;
    use super::super::testing::{AFTER_LOGOUT, REDIRECT, client, draft, jwks, signing_client};
    use super::*;

    fn refused(change: impl FnOnce(&mut ClientDraft)) -> RegistrationError {
        let mut draft = draft();
        change(&mut draft);
        ClientRegistration::try_from(draft).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_registration_reads_back_what_it_writes() {
        for client in [client(), signing_client()] {
            let written = serde_json::to_string(client.draft()).unwrap();
            let read: ClientDraft = serde_json::from_str(&written).unwrap();
            let again = ClientRegistration::try_from(read).unwrap();
            assert_eq!(again.credential(), client.credential());
            assert_eq!(again.sector(), "caisse.example");
            assert_eq!((again.id_token_alg(), again.signing_alg()), (IdTokenAlg::Es256, JwsAlg::Es256));
        }
    }

    #[test]
    fn doubtful_addresses_are_not_registered() {
        for bad in [
            "",
            "caisse.example/cb",
            "http://caisse.example/cb",
            "https://caisse.example/cb#here",
            "https://*.example/cb",
            "https://caisse.example/*",
            "https://me@caisse.example/cb",
            "https://caisse.example/c b",
            "https://caisse.example/\u{e9}",
            "https://caisse.example/cb\r\nSet-Cookie:x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "custom:/cb",
            "http://localhost.evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
        ] {
            let error = RegistrationError::Uri(bad.to_owned());
            assert_eq!(refused(|draft| draft.redirect_uris = vec![bad.to_owned()]), error, "{bad}");
            assert_eq!(
                refused(|draft| draft.post_logout_redirect_uris = vec![bad.to_owned()]),
                error,
                "{bad}"
            );
        }
        assert_eq!(refused(|draft| draft.redirect_uris.clear()), RegistrationError::UriCount);
        assert_eq!(
            refused(|draft| draft.redirect_uris = vec![REDIRECT.into(); 21]),
            RegistrationError::UriCount
        );
    }

    #[test]
    fn loopback_addresses_may_do_without_tls() {
        for good in ["http://127.0.0.1:4000/cb", "http://[::1]:4000/cb", "http://localhost:4000/cb"] {
            let draft = ClientDraft { redirect_uris: vec![good.to_owned()], ..draft() };
            assert!(ClientRegistration::try_from(draft).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_method_comes_with_its_own_material_and_no_other() {
        let keys = || Some(jwks("k"));
        assert_eq!(
            refused(|draft| draft.secret_hash = None).code(),
            RegistrationError::SecretExpected(ClientAuthMethod::SecretBasic).code()
        );
        for wrong in [None, Some(String::new()), Some("secret".to_owned())] {
            let error = refused(|draft| {
                (draft.auth_method, draft.secret_hash) = (ClientAuthMethod::SecretPost, wrong);
            });
            assert_eq!(error, RegistrationError::SecretExpected(ClientAuthMethod::SecretPost));
        }
        assert_eq!(refused(|draft| draft.jwks = keys()).code(), "client_secret_expected");
        let method = ClientAuthMethod::PrivateKeyJwt;
        assert_eq!(refused(|draft| draft.auth_method = method), RegistrationError::KeysExpected);
        let both = refused(|draft| (draft.auth_method, draft.jwks) = (method, keys()));
        assert_eq!(both, RegistrationError::KeysExpected);
        let private = serde_json::json!({"keys": [{"kty": "EC", "d": "AA"}]});
        let private = refused(|draft| {
            (draft.auth_method, draft.secret_hash, draft.jwks) = (method, None, Some(private));
        });
        assert_eq!(private, RegistrationError::Keys(UnusableKeys::Private));
    }

    #[test]
    fn a_mix_weaker_than_its_profile_is_not_registered() {
        let fapi2 = || ClientDraft { profile: Profile::Fapi2, ..signing_client().draft().clone() };
        assert!(ClientRegistration::try_from(fapi2()).is_ok());
        let with_secret = refused(|draft| draft.profile = Profile::Fapi2);
        assert_eq!(with_secret.code(), "client_profile_method");
        assert!(with_secret.to_string().contains("private_key_jwt"), "{with_secret}");
        let rs256 = ClientDraft { id_token_alg: IdTokenAlg::Rs256, ..fapi2() };
        let error = ClientRegistration::try_from(rs256).map(|_| ()).unwrap_err();
        assert_eq!(error, RegistrationError::AlgorithmOfProfile("RS256", Profile::Fapi2));
        let key = serde_json::json!({"kty": "RSA", "n": "A".repeat(342), "e": "AQAB", "alg": "RS256"});
        let jwks = Some(serde_json::json!({"keys": [key]}));
        let weak = ClientRegistration::try_from(ClientDraft { jwks: jwks.clone(), ..fapi2() });
        assert_eq!(weak.map(|_| ()).unwrap_err().code(), "client_profile_algorithm");
        let exempt = ClientRegistration::try_from(ClientDraft { pkce: Pkce::Exempt, ..fapi2() });
        assert_eq!(exempt.unwrap_err(), RegistrationError::PkceOfProfile(Profile::Fapi2));
        let plain = ClientDraft { jwks, profile: Profile::Oidc, pkce: Pkce::Exempt, ..fapi2() };
        assert!(ClientRegistration::try_from(plain).is_ok(), "plain OpenID Connect takes it");
    }

    #[test]
    fn a_secret_signs_for_franceconnect_alone() {
        let hs256 = |profile, auth_method| {
            let draft = ClientDraft { profile, auth_method, id_token_alg: IdTokenAlg::Hs256, ..draft() };
            ClientRegistration::try_from(draft)
        };
        let post = ClientAuthMethod::SecretPost;
        let client = hs256(Profile::FranceConnect, post).unwrap();
        assert_eq!((client.id_token_alg(), client.signing_alg()), (IdTokenAlg::Hs256, JwsAlg::Es256));
        for method in [post, ClientAuthMethod::SecretBasic] {
            let refused = hs256(Profile::Oidc, method).map(|_| ()).unwrap_err();
            assert_eq!(refused.code(), "client_secret_signs");
            assert!(refused.to_string().contains("HS256 is weaker"), "{refused}");
        }
        let refused = hs256(Profile::FranceConnect, ClientAuthMethod::SecretBasic).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), "client_profile_method");
        let by_key = ClientDraft { id_token_alg: IdTokenAlg::Hs256, ..signing_client().draft().clone() };
        for profile in [Profile::Oidc, Profile::Fapi2] {
            let refused = ClientRegistration::try_from(ClientDraft { profile, ..by_key.clone() }).map(|_| ());
            assert_eq!(refused, Err(RegistrationError::SecretSigns), "there is no secret");
        }
    }

    #[test]
    fn several_hosts_need_a_named_sector() {
        let two = || vec![REDIRECT.to_owned(), "https://other.example/cb".to_owned()];
        assert_eq!(refused(|draft| draft.redirect_uris = two()), RegistrationError::SectorAmbiguous);
        for bad in ["", "https://caisse.example", "Caisse.example", "a b"] {
            assert_eq!(
                refused(|draft| draft.sector = Some(bad.to_owned())),
                RegistrationError::Sector,
                "{bad}"
            );
        }
        let sector = Some("caisse.example".to_owned());
        let named = ClientRegistration::try_from(ClientDraft { redirect_uris: two(), sector, ..draft() });
        assert_eq!(named.unwrap().sector(), "caisse.example");
    }

    #[test]
    fn names_are_there_and_not_endless() {
        assert_eq!(refused(|draft| draft.name = " ".into()), RegistrationError::Name);
        assert_eq!(refused(|draft| draft.name = "é".repeat(201)), RegistrationError::Name);
    }

    #[test]
    fn addresses_are_found_byte_for_byte_only() {
        let client = client();
        assert_eq!(client.redirect_uri(REDIRECT).unwrap().origin(), "https://caisse.example");
        assert!(client.redirect_uri(AFTER_LOGOUT).is_none());
        assert!(client.post_logout_redirect_uri(AFTER_LOGOUT).is_some());
        assert!(client.post_logout_redirect_uri(REDIRECT).is_none());
    }
}
