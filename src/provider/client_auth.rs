//! Who calls the token endpoint (RFC 6749, section 2.3; RFC 7523).
//!
//! Two steps, because the registration is looked up in between: [`Credentials::read`] says who claims to call and
//! by which one method; [`Credentials::verify`] says whether it is true. An unregistered client costs the same hash and comparison
//! as a registered one.

use super::assertion::{self, AssertionUse};
use super::issuer::Issuer;
use super::oauth_error::{ClientRefusal, OAuthError};
use super::params::Params;
use super::registration::{ClientCredential, ClientRegistration};
use crate::crypto::{OpaqueToken, SecretString, same};
use crate::mandate::{ClientId, Instant};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::form_urlencoded;

/// `client_assertion_type` of RFC 7523, section 2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest `Authorization` header that is read, in bytes.
const MAX_HEADER: usize = 2048;
/// The longest assertion that is read, in bytes.
const MAX_ASSERTION: usize = 8192;

/// What a caller shows. Holds a secret, so it has no `Debug`.
pub struct Credentials {
    client: ClientId,
    shown: Shown,
}

enum Shown {
    Basic(SecretString),
    Post(SecretString),
    Assertion(SecretString),
}

/// An authenticated client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatedClient {
    /// Who it is.
    pub client: ClientId,
    /// For `private_key_jwt`: what the caller must record as used, and refuse when it stands already
    /// ([`ClientRefusal::AssertionReplayed`]).
    pub assertion: Option<AssertionUse>,
}

impl Credentials {
    /// Reads the one method a request uses, from its `Authorization` header and its form.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`] for two methods at once or a repeated parameter, [`OAuthError::InvalidClient`] for none or an unreadable one.
    pub fn read(authorization: Option<&[u8]>, form: &Params) -> Result<Self, OAuthError> {
        if form.has_repeated() {
            return Err(OAuthError::InvalidRequest("a parameter stands more than once"));
        }
        let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
        let named = form.get("client_id").map(ClientId::parse).transpose();
        let named = named.map_err(|_| ClientRefusal::Unknown)?;
        let shown = match (authorization, secret, assertion) {
            (None, None, None) => return Err(ClientRefusal::Absent.into()),
            (Some(header), None, None) => basic(header)?,
            (None, Some(secret), None) => {
                let client = named.clone().ok_or(ClientRefusal::Absent)?;
                Self { client, shown: Shown::Post(SecretString::new(secret.to_owned())) }
            }
            (None, None, Some(jwt)) => by_assertion(form.get("client_assertion_type"), jwt)?,
            _ => return Err(OAuthError::InvalidRequest("only one way of client authentication may be used")),
        };
        match named {
            Some(named) if named != shown.client => Err(ClientRefusal::Malformed.into()),
            _ => Ok(shown),
        }
    }

    /// The client that claims to call, to look its registration up.
    #[must_use]
    pub const fn client(&self) -> &ClientId {
        &self.client
    }

    /// Checks the credentials against the registration, `None` when there is none.
    ///
    /// # Errors
    /// [`ClientRefusal`], for the journal; the caller is told `invalid_client` alone.
    pub fn verify(
        self,
        registered: Option<&ClientRegistration>,
        issuer: &Issuer,
        now: Instant,
    ) -> Result<AuthenticatedClient, ClientRefusal> {
        let registered = registered.filter(|client| *client.id() == self.client);
        let credential = registered.map(ClientRegistration::credential);
        let assertion = match (&self.shown, credential) {
            (Shown::Basic(secret), credential) => {
                secret_matches(secret, credential, |c| matches!(c, ClientCredential::SecretBasic(_)))?;
                None
            }
            (Shown::Post(secret), credential) => {
                secret_matches(secret, credential, |c| matches!(c, ClientCredential::SecretPost(_)))?;
                None
            }
            (Shown::Assertion(jwt), Some(ClientCredential::PrivateKeyJwt(keys))) => {
                let rules =
                    registered.map(|client| client.profile().rules()).ok_or(ClientRefusal::Unknown)?;
                Some(assertion::verify(jwt.expose(), &self.client, keys, &rules, issuer, now)?)
            }
            (Shown::Assertion(_), Some(_)) => return Err(ClientRefusal::WrongMethod),
            (Shown::Assertion(_), None) => return Err(ClientRefusal::Unknown),
        };
        Ok(AuthenticatedClient { client: self.client, assertion })
    }
}

/// Hashes and compares whatever is registered, and only then looks at the reasons.
fn secret_matches(
    secret: &SecretString,
    credential: Option<&ClientCredential>,
    right_method: impl Fn(&ClientCredential) -> bool,
) -> Result<(), ClientRefusal> {
    let shown = OpaqueToken::hash_of(secret.expose());
    let kept = match credential {
        Some(ClientCredential::SecretBasic(hash) | ClientCredential::SecretPost(hash)) => *hash.as_bytes(),
        _ => [0; 32],
    };
    let equal = same(shown.as_bytes(), &kept);
    match credential {
        None => Err(ClientRefusal::Unknown),
        Some(credential) if !right_method(credential) => Err(ClientRefusal::WrongMethod),
        Some(_) if equal => Ok(()),
        Some(_) => Err(ClientRefusal::WrongSecret),
    }
}

/// `Basic`, both halves form-urlencoded before they were joined (RFC 6749, section 2.3.1).
fn basic(header: &[u8]) -> Result<Credentials, ClientRefusal> {
    let (id, secret) = basic_pair(header).ok_or(ClientRefusal::Malformed)?;
    let client = ClientId::parse(&id).map_err(|_| ClientRefusal::Unknown)?;
    Ok(Credentials { client, shown: Shown::Basic(SecretString::new(secret)) })
}

fn basic_pair(header: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(header).ok().filter(|text| text.len() <= MAX_HEADER)?;
    let (_, encoded) = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = STANDARD.decode(encoded.trim()).ok()?;
    let colon = pair.iter().position(|b| *b == b':')?;
    let (id, secret) = pair.split_at(colon);
    Some((urldecoded(id)?, urldecoded(secret.get(1..)?)?))
}

/// Decodes one form-urlencoded word.
fn urldecoded(word: &[u8]) -> Option<String> {
    let form = [b"word=", word].concat();
    let mut pairs = form_urlencoded::parse(&form);
    match (pairs.next(), pairs.next()) {
        (Some((_, text)), None) if !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER) => {
            Some(text.into_owned())
        }
        _ => None,
    }
}

fn by_assertion(kind: Option<&str>, jwt: &str) -> Result<Credentials, OAuthError> {
    if kind != Some(ASSERTION_TYPE) {
        return Err(OAuthError::InvalidRequest("client_assertion_type must be the jwt-bearer type"));
    }
    let client = Some(jwt)
        .filter(|jwt| jwt.len() <= MAX_ASSERTION)
        .and_then(assertion::claimed_client)
        .ok_or(ClientRefusal::AssertionMalformed)?;
    Ok(Credentials { client, shown: Shown::Assertion(SecretString::new(jwt.to_owned())) })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, SECRET, client, draft, id, issuer, params, signing_client};
    use super::super::{ClientAuthMethod, ClientDraft};
    use super::*;
    use proptest::prelude::*;

    fn header(id: &str, secret: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))).into_bytes()
    }

    fn post_client() -> ClientRegistration {
        let draft = ClientDraft { auth_method: ClientAuthMethod::SecretPost, ..draft() };
        ClientRegistration::try_from(draft).unwrap()
    }

    fn by_basic(header: &[u8], registered: Option<&ClientRegistration>) -> Result<ClientId, OAuthError> {
        let credentials = Credentials::read(Some(header), &Params::default())?;
        Ok(credentials.verify(registered, &issuer(), NOW)?.client)
    }

    fn by_post(form: &str, registered: Option<&ClientRegistration>) -> Result<ClientId, OAuthError> {
        let credentials = Credentials::read(None, &params(form))?;
        Ok(credentials.verify(registered, &issuer(), NOW)?.client)
    }

    #[test]
    fn the_example_of_rfc_6749_section_2_3_1_is_read() {
        let pair = basic_pair(b"Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW").unwrap();
        assert_eq!(pair, ("s6BhdRkqt3".to_owned(), "gX1fBat3bV".to_owned()));
        assert_eq!(basic_pair(b"bAsIc czZCaGRSa3F0MzpnWDFmQmF0M2JW"), Some(pair));
    }

    #[test]
    fn both_halves_of_a_basic_header_are_form_urlencoded() {
        let pair = basic_pair(&header("a%3Ab+c", "p%40ss:w%C3%A9rd==")).unwrap();
        assert_eq!(pair, ("a:b c".to_owned(), "p@ss:w\u{e9}rd==".to_owned()));
    }

    #[test]
    fn oidcc_server_client_secret_basic() {
        assert_eq!(by_basic(&header("caisse", SECRET), Some(&client())), Ok(id("caisse")));
    }

    #[test]
    fn oidcc_server_client_secret_post() {
        let form = format!("client_id=caisse&client_secret={SECRET}");
        assert_eq!(by_post(&form, Some(&post_client())), Ok(id("caisse")));
    }

    #[test]
    fn only_the_registered_method_serves() {
        let form = format!("client_id=caisse&client_secret={SECRET}");
        let wrong = Err(ClientRefusal::WrongMethod.into());
        assert_eq!(by_post(&form, Some(&client())), wrong);
        assert_eq!(by_basic(&header("caisse", SECRET), Some(&post_client())), wrong);
        assert_eq!(by_basic(&header("caisse", SECRET), Some(&signing_client())), wrong);
    }

    #[test]
    fn a_wrong_secret_and_an_unknown_client_are_told_the_same() {
        let wrong = by_basic(&header("caisse", "wrong"), Some(&client())).unwrap_err();
        let unknown = by_basic(&header("caisse", SECRET), None).unwrap_err();
        let other = by_basic(&header("other", SECRET), Some(&client())).unwrap_err();
        assert_eq!(wrong, ClientRefusal::WrongSecret.into());
        assert_eq!(unknown, ClientRefusal::Unknown.into());
        assert_eq!(other, ClientRefusal::Unknown.into());
        assert_eq!(wrong.reply(true), unknown.reply(true));
        assert_eq!(wrong.reply(true).status, 401);
        assert_eq!(wrong.reply(true).body, r#"{"error":"invalid_client"}"#);
        assert_eq!(wrong.reply(true).www_authenticate.as_deref(), Some("Basic realm=\"porteplume\""));
        assert_eq!(wrong.reply(false).www_authenticate, None);
    }

    #[test]
    fn two_methods_at_once_are_refused() {
        let basic = header("caisse", SECRET);
        let secret = format!("client_id=caisse&client_secret={SECRET}");
        let assertion = format!("client_assertion_type={ASSERTION_TYPE}&client_assertion=a.b.c");
        for (header, form) in [
            (Some(&basic), secret.clone()),
            (Some(&basic), assertion.clone()),
            (None, format!("{secret}&{assertion}")),
            (Some(&basic), format!("{secret}&{assertion}")),
            (None, format!("{secret}&client_secret=other")),
        ] {
            let read = Credentials::read(header.map(Vec::as_slice), &params(&form)).err();
            assert!(matches!(read, Some(OAuthError::InvalidRequest(_))), "{form}");
        }
    }

    #[test]
    fn unreadable_credentials_are_refused() {
        let none = Credentials::read(None, &params("client_id=caisse")).err();
        assert_eq!(none, Some(ClientRefusal::Absent.into()));
        let nameless = Credentials::read(None, &params("client_secret=x")).err();
        assert_eq!(nameless, Some(ClientRefusal::Absent.into()));
        let other = Credentials::read(Some(&header("caisse", SECRET)), &params("client_id=other")).err();
        assert_eq!(other, Some(ClientRefusal::Malformed.into()));
        for bad in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic !!!!",
            b"Basic YWJj",
            b"Basic Og==",
            b"Basic YTo=",
            b"Bearer czZCaGRSa3F0MzpnWDFmQmF0M2JW",
            b"\xff\xfe",
        ] {
            let read = Credentials::read(Some(bad), &Params::default()).err();
            assert_eq!(read, Some(ClientRefusal::Malformed.into()), "{bad:?}");
        }
    }

    #[test]
    fn ensure_client_assertion_in_token_endpoint() {
        let form = params("client_id=caisse&client_assertion=a.b.c");
        assert!(matches!(Credentials::read(None, &form).err(), Some(OAuthError::InvalidRequest(_))));
        let form = params(&format!("client_assertion_type={ASSERTION_TYPE}&client_assertion=a.b.c"));
        assert_eq!(Credentials::read(None, &form).err(), Some(ClientRefusal::AssertionMalformed.into()));
    }

    proptest! {
        #[test]
        fn no_header_makes_the_reading_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let basic = format!("Basic {}", STANDARD.encode(&raw)).into_bytes();
            for header in [&raw, &basic] {
                prop_assert!(by_basic(header, Some(&client())).is_err());
            }
        }
    }
}
