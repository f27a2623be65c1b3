//! Proof of possession (RFC 9449): who shows a token shows by a signature that the key it is bound to is at hand.
//!
//! Only the signature and what the proof says about its request are checked here. That a proof works once
//! is the caller's to remember ([`Proof::once`]).

use super::client_keys::ClientKeys;
use super::issuer::Issuer;
use crate::crypto::{JwsAlg, OpaqueToken, TokenHash, json_object, sha256};
use crate::mandate::Instant;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use time::Duration;
use url::Url;

/// Algorithms of proofs, as discovery lists them.
pub const PROOF_ALGS: [JwsAlg; 3] = [JwsAlg::Es256, JwsAlg::Ps256, JwsAlg::EdDsa];
/// How far a proof's `iat` may be from our clock, either way.
pub const PROOF_WINDOW: Duration = Duration::seconds(60);
/// The longest proof that is read, in bytes.
const MAX_PROOF: usize = 8192;
/// The longest `jti`, in bytes.
const MAX_JTI: usize = 256;

/// Thumbprint of a public key (RFC 7638, SHA-256): what tokens and codes are bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Reads a thumbprint, such as the parameter `dpop_jkt`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// The text form, 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of a public key: the hash of its necessary members in their order (RFC 7638, section 3).
    fn of(jwk: &Value) -> Option<Self> {
        let names: &[&str] = match jwk.get("kty")?.as_str()? {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            _ => return None,
        };
        let mut members = Vec::new();
        for name in names {
            let value = jwk.get(name)?.as_str().map(|text| serde_json::to_string(text).ok())??;
            members.push(format!("\"{name}\":{value}"));
        }
        Some(Self(URL_SAFE_NO_PAD.encode(sha256(format!("{{{}}}", members.join(",")).as_bytes()))))
    }
}

/// How long a nonce is given out; it is taken for as long again.
const NONCE_LIFE: Duration = Duration::minutes(2);

/// The nonces that proofs may carry now (RFC 9449, section 8): the time under a key, so that every replica knows them and
/// nobody has to remember any. A service need not use them; one that does is held to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonces {
    current: String,
    before: String,
}

impl Nonces {
    /// Those of that time; `keyed` is a keyed hash.
    #[must_use]
    pub fn at(now: Instant, keyed: impl Fn(&str) -> String) -> Self {
        let span = now.seconds() / NONCE_LIFE.whole_seconds();
        Self { current: keyed(&span.to_string()), before: keyed(&(span - 1).to_string()) }
    }

    /// The one to give out.
    #[must_use]
    pub fn current(&self) -> &str {
        &self.current
    }

    fn take(&self, nonce: &str) -> bool {
        nonce == self.current || nonce == self.before
    }
}

/// Why a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofRefusal {
    /// None where one is needed.
    #[error("a DPoP proof is needed")]
    Absent,
    /// More than one, or bytes that are no signed JWT of the type `dpop+jwt`.
    #[error("the DPoP proof cannot be read")]
    Malformed,
    /// No public key of a kind and size we take, or a private one.
    #[error("the DPoP proof brings no usable public key")]
    Key,
    /// The signature does not hold, or its algorithm is not taken.
    #[error("the DPoP proof's signature does not hold")]
    Signature,
    /// Made for another method or address.
    #[error("the DPoP proof is for another request")]
    Request,
    /// Too old, or from the future.
    #[error("the DPoP proof's time is not now")]
    Time,
    /// No usable `jti`.
    #[error("the DPoP proof has no usable identifier")]
    Id,
    /// Made for another access token.
    #[error("the DPoP proof is for another token")]
    Token,
    /// It carries a nonce that is not ours, or no longer.
    #[error("the DPoP proof's nonce is not one to use now")]
    Nonce,
    /// It came before. Found by whoever remembers them.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// By another key than the one that code or token are bound to.
    #[error("the DPoP proof is by another key")]
    OtherKey,
}

impl ProofRefusal {
    /// Stable code, journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Absent => "dpop_absent",
            Self::Malformed => "dpop_malformed",
            Self::Key => "dpop_key",
            Self::Signature => "dpop_signature",
            Self::Request => "dpop_request",
            Self::Time => "dpop_time",
            Self::Id => "dpop_id",
            Self::Token => "dpop_token",
            Self::Nonce => "dpop_nonce",
            Self::Replayed => "dpop_replayed",
            Self::OtherKey => "dpop_other_key",
        }
    }
}

/// What a proof is shown with.
#[derive(Debug, Clone, Copy)]
pub struct ProvenRequest<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The path it is sent to, one of ours.
    pub path: &'a str,
    /// The access token beside it, at a resource.
    pub token: Option<&'a TokenHash>,
    /// The nonces it may carry.
    pub nonces: &'a Nonces,
}

/// A proof that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The key that made it.
    pub key: Thumbprint,
    jti: String,
    /// Until when it must be remembered.
    pub until: Instant,
}

impl Proof {
    /// What it is remembered by, so that it works once: its identifier within its key, hashed.
    #[must_use]
    pub fn once(&self) -> String {
        OpaqueToken::hash_of(&format!("dpop {} {}", self.key.as_str(), self.jti)).to_hex()
    }
}

#[derive(Deserialize)]
struct Header {
    jwk: Value,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: f64,
    ath: Option<String>,
    nonce: Option<String>,
    nbf: Option<f64>,
    exp: Option<f64>,
}

/// Checks the proof in a request's `DPoP` headers; `None` when there is none.
///
/// # Errors
/// [`ProofRefusal`], the first rule of RFC 9449, section 4.3, that does not hold.
pub fn proof<'h>(
    headers: impl IntoIterator<Item = &'h [u8]>,
    shown: ProvenRequest<'_>,
    issuer: &Issuer,
    now: Instant,
) -> Result<Option<Proof>, ProofRefusal> {
    let mut headers = headers.into_iter();
    let jwt = match (headers.next(), headers.next()) {
        (None, _) => return Ok(None),
        (Some(one), None) => std::str::from_utf8(one).map_err(|_| ProofRefusal::Malformed)?,
        (Some(_), Some(_)) => return Err(ProofRefusal::Malformed),
    };
    verify(jwt, shown, issuer, now).map(Some)
}

fn verify(jwt: &str, shown: ProvenRequest<'_>, issuer: &Issuer, now: Instant) -> Result<Proof, ProofRefusal> {
    let header = jwt.split('.').next().filter(|_| jwt.len() <= MAX_PROOF).ok_or(ProofRefusal::Malformed)?;
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| ProofRefusal::Malformed)?;
    let Header { jwk } = json_object(&header).ok_or(ProofRefusal::Malformed)?;
    // The key is the one in the header and no other: nothing that `kid`, `jku` or `x5u` point to is looked at.
    let keys = ClientKeys::check(&json!({"keys": [jwk]})).map_err(|_| ProofRefusal::Key)?;
    let verified = keys.verify(jwt, &PROOF_ALGS).map_err(|_| ProofRefusal::Signature)?;
    if !verified.header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
        return Err(ProofRefusal::Malformed);
    }
    let claims: Claims = json_object(&verified.payload).ok_or(ProofRefusal::Malformed)?;
    if claims.htm != shown.method || !is_ours(&claims.htu, &issuer.address(shown.path)) {
        return Err(ProofRefusal::Request);
    }
    let until = times(&claims, now)?;
    // Both are the token's SHA-256 (section 4.2).
    let expected = shown.token.map(|token| URL_SAFE_NO_PAD.encode(token.as_bytes()));
    if expected.is_some() && claims.ath != expected {
        return Err(ProofRefusal::Token);
    }
    if claims.nonce.is_some_and(|nonce| !shown.nonces.take(&nonce)) {
        return Err(ProofRefusal::Nonce);
    }
    if !(1..=MAX_JTI).contains(&claims.jti.len()) {
        return Err(ProofRefusal::Id);
    }
    let key = Thumbprint::of(&jwk).ok_or(ProofRefusal::Key)?;
    Ok(Proof { key, jti: claims.jti, until })
}

/// Whether `htu` is that address: compared in normal form, without query and fragment (RFC 9449, section 4.3).
fn is_ours(htu: &str, address: &str) -> bool {
    let plain = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    plain(htu).is_some_and(|htu| plain(address) == Some(htu))
}

/// `iat` within the window; `nbf` and `exp`, which nothing asks for, as generously.
fn times(claims: &Claims, now: Instant) -> Result<Instant, ProofRefusal> {
    let (earliest, latest) = (now.plus(-PROOF_WINDOW), now.plus(PROOF_WINDOW));
    let made = instant(claims.iat);
    let in_window = (earliest..=latest).contains(&made);
    let begun = claims.nbf.is_none_or(|nbf| instant(nbf) <= latest);
    let live = claims.exp.is_none_or(|exp| instant(exp) >= earliest);
    if in_window && begun && live { Ok(made.plus(PROOF_WINDOW)) } else { Err(ProofRefusal::Time) }
}

/// A NumericDate (RFC 7519, section 2): seconds, which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, which is what is wanted")]
fn instant(seconds: f64) -> Instant {
    Instant::from_micros((seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, issuer, key};
    use super::*;
    use crate::crypto::{JournalKey, Jwk, SecretBytes};
    use proptest::prelude::*;

    const TOKEN: &str = "an-access-token";

    /// As after so many minutes.
    fn nonces(minutes: i64) -> Nonces {
        Nonces::at(NOW.plus(Duration::minutes(minutes)), |span| format!("nonce-{span}"))
    }

    #[test]
    fn a_nonce_serves_for_two_to_four_minutes_and_need_not_be_used() {
        assert!(claimed("nonce", json!(nonces(0).current())).is_ok());
        assert!(claimed("nonce", json!(nonces(-2).current())).is_ok());
        for other in [nonces(-4).current(), nonces(2).current(), "", "made-up"] {
            assert_eq!(claimed("nonce", json!(other)), Err(ProofRefusal::Nonce), "{other}");
        }
        assert!(claimed("nonce", Value::Null).is_ok());
    }

    fn header() -> Value {
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": bare(&key("k").public_jwk())})
    }

    /// A public key as services send it: nothing but its members.
    fn bare(jwk: &Jwk) -> Value {
        serde_json::to_value(Jwk { kid: None, alg: None, usage: None, ..jwk.clone() }).unwrap()
    }

    fn claims() -> Value {
        json!({
            "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": "https://porteplume.example/userinfo",
            "iat": NOW.seconds(), "ath": URL_SAFE_NO_PAD.encode(sha256(TOKEN.as_bytes())),
        })
    }

    fn with(mut object: Value, name: &str, value: Value) -> Value {
        let members = object.as_object_mut().unwrap();
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.to_owned(), value)),
        }
        object
    }

    fn signed(header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(header), text(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key("k").sign(signed.as_bytes()).unwrap()))
    }

    /// Shown at userinfo with [`TOKEN`].
    fn shown<'h>(proofs: impl IntoIterator<Item = &'h [u8]>) -> Result<Option<Proof>, ProofRefusal> {
        let token = OpaqueToken::hash_of(TOKEN);
        let nonces = nonces(0);
        let at = ProvenRequest { method: "GET", path: "/userinfo", token: Some(&token), nonces: &nonces };
        proof(proofs, at, &issuer(), NOW)
    }

    fn check(jwt: &str) -> Result<Proof, ProofRefusal> {
        shown([jwt.as_bytes()]).map(Option::unwrap)
    }

    fn claimed(name: &str, value: Value) -> Result<Proof, ProofRefusal> {
        check(&signed(&header(), &with(claims(), name, value)))
    }

    fn headed(name: &str, value: Value) -> Result<Proof, ProofRefusal> {
        check(&signed(&with(header(), name, value), &claims()))
    }

    #[test]
    fn the_thumbprint_of_rfc_7638_and_the_proof_of_rfc_9449_hold() {
        let rsa = json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        assert_eq!(Thumbprint::of(&rsa).unwrap().as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        // RFC 9449, sections 4.1 and 6.1.
        let jwt = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
        let issuer = Issuer::parse("https://server.example.com").unwrap();
        let nonces = nonces(0);
        let at = ProvenRequest { method: "POST", path: "/token", token: None, nonces: &nonces };
        let then = Instant::from_micros(1_562_262_616_000_000);
        let proof = verify(jwt, at, &issuer, then).unwrap();
        assert_eq!(proof.key.as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(proof.until, then.plus(PROOF_WINDOW));
    }

    #[test]
    fn a_proof_names_its_request_in_whatever_spelling() {
        for good in [
            "https://porteplume.example/userinfo?a=b#c",
            "https://PORTEPLUME.example/userinfo",
            "HTTPS://porteplume.example:443/userinfo",
        ] {
            assert!(claimed("htu", json!(good)).is_ok(), "{good}");
        }
        for bad in [
            "https://porteplume.example/token",
            "https://porteplume.example/userinfo/",
            "http://porteplume.example/userinfo",
            "https://porteplume.example:444/userinfo",
            "https://porteplume.example.evil.example/userinfo",
            "https://me@porteplume.example/userinfo",
            "/userinfo",
            "",
        ] {
            assert_eq!(claimed("htu", json!(bad)), Err(ProofRefusal::Request), "{bad}");
        }
        for bad in ["POST", "get", ""] {
            assert_eq!(claimed("htm", json!(bad)), Err(ProofRefusal::Request), "{bad}");
        }
    }

    #[test]
    fn the_clock_may_be_a_minute_off_and_no_more() {
        for seconds in [-60, -10, 0, 10, 60] {
            assert!(claimed("iat", json!(NOW.seconds() + seconds)).is_ok(), "{seconds}");
        }
        for seconds in [-3600, -61, 61, 3600] {
            assert_eq!(claimed("iat", json!(NOW.seconds() + seconds)), Err(ProofRefusal::Time), "{seconds}");
        }
        for (name, good, bad) in [("nbf", 0, 3600), ("exp", 300, -3600)] {
            assert!(claimed(name, json!(NOW.seconds() + good)).is_ok(), "{name}");
            assert_eq!(claimed(name, json!(NOW.seconds() + bad)), Err(ProofRefusal::Time), "{name}");
        }
    }

    #[test]
    fn what_a_proof_lacks_or_has_wrong_is_refused() {
        for name in ["jti", "htm", "htu", "iat"] {
            assert_eq!(claimed(name, Value::Null), Err(ProofRefusal::Malformed), "{name}");
        }
        for ath in [Value::Null, json!(""), json!(TOKEN)] {
            assert_eq!(claimed("ath", ath), Err(ProofRefusal::Token));
        }
        for jti in ["", &"x".repeat(257)] {
            assert_eq!(claimed("jti", json!(jti)), Err(ProofRefusal::Id));
        }
        assert!(claimed("extra", json!({"a": 1})).is_ok());
        for typ in [Value::Null, json!("jwt"), json!("dpop"), json!("at+jwt")] {
            assert_eq!(headed("typ", typ), Err(ProofRefusal::Malformed));
        }
        let list =
            json!(["a", "GET", "https://porteplume.example/userinfo", NOW.seconds(), null, null, null, null]);
        assert_eq!(check(&signed(&header(), &list)), Err(ProofRefusal::Malformed));
        assert_eq!(headed("jwk", Value::Null), Err(ProofRefusal::Malformed));
        for alg in
            [Value::Null, json!("none"), json!("RS256"), json!("HS256"), json!("PS256"), json!("EdDSA")]
        {
            assert_eq!(headed("alg", alg), Err(ProofRefusal::Signature));
        }
        assert_eq!(headed("crit", json!(["exp"])), Err(ProofRefusal::Signature));
        assert_eq!(headed("kid", json!("other")), Err(ProofRefusal::Signature));
        let mut private = bare(&key("k").public_jwk());
        private["d"] = json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
        for jwk in [private, json!({"kty": "oct", "k": "AAAA"}), json!({}), json!("key")] {
            assert_eq!(headed("jwk", jwk), Err(ProofRefusal::Key));
        }
        let stranger = JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap();
        let other = bare(&Jwk::ed25519("k", stranger.public_key()));
        assert_eq!(headed("jwk", other), Err(ProofRefusal::Signature), "somebody else's key");
        let one = signed(&header(), &claims());
        assert_eq!(shown([one.as_bytes(), one.as_bytes()]), Err(ProofRefusal::Malformed));
        assert_eq!(shown([]), Ok(None));
        for text in ["", "a.b.c", "\u{e9}", &"A".repeat(64 * 1024)] {
            assert_eq!(check(text), Err(ProofRefusal::Malformed));
        }
        assert_eq!(shown([&b"\xff"[..]]), Err(ProofRefusal::Malformed));
    }

    #[test]
    fn a_proof_is_remembered_by_its_key_and_identifier() {
        let once = |jti: &str| claimed("jti", json!(jti)).unwrap().once();
        assert_eq!(once("a"), once("a"));
        assert_ne!(once("a"), once("b"));
    }

    #[test]
    fn a_thumbprint_is_43_characters_of_base64url() {
        assert!(Thumbprint::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").is_some());
        for bad in ["", "0ZcO", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I=", &"A".repeat(44)] {
            assert!(Thumbprint::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_proof_with_any_byte_changed_is_refused(place in 0_usize..10_000, byte in 0_u8..=255) {
            let good = signed(&header(), &claims()).into_bytes();
            prop_assert!(shown([good.as_slice()]).is_ok());
            let mut altered = good.clone();
            let place = place % altered.len();
            altered[place] = byte;
            let refused = shown([altered.as_slice()]).is_err();
            prop_assert_eq!(refused, altered != good);
        }

        #[test]
        fn bytes_of_any_kind_are_no_proof(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(shown([bytes.as_slice()]).is_err());
        }
    }
}
