//! A double of FranceConnect as the relying party of identity providers, written from section 1 of the contract
//! `franceconnect.md` and as strict as the real one: what it was measured to refuse, it refuses with the same code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use porteplume::crypto::{JwsAlg, verify_jws};
use ring::hmac;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

/// Its vocabulary of themes (section 1.6).
pub(crate) const LABELS: [&str; 10] = [
    "Papier-Citoyenneté-Elections",
    "Famille-Scolarité",
    "Social-Santé",
    "Travail-Formation",
    "Logement",
    "Transports-Mobilité",
    "Argent-Impots-Consommation",
    "Justice",
    "Etranger-Europe",
    "Loisirs-Sport-Culture",
];

/// How it knows us, and what the service behind it asks for.
pub(crate) struct FranceConnect {
    /// Our issuer, compared byte for byte.
    pub(crate) issuer: &'static str,
    /// Its identifier here.
    pub(crate) client: &'static str,
    /// Its one callback.
    pub(crate) callback: &'static str,
    /// What it was told we sign with.
    pub(crate) signed_by: SignedBy,
    /// Whether it was told that userinfo is signed.
    pub(crate) signed_userinfo: bool,
    /// The `rep_scope` of the service behind it.
    pub(crate) themes: &'static [&'static str],
    /// Levels it allows us.
    pub(crate) allowed_acr: &'static [&'static str],
    /// The level the service behind it asks for.
    pub(crate) asked_acr: &'static str,
    pub(crate) state: String,
    pub(crate) nonce: String,
}

/// What signs for it, as it is written down on its side.
pub(crate) enum SignedBy {
    /// Our key, by that algorithm.
    Key(JwsAlg),
    /// Its own secret, by HS256.
    Secret(&'static str),
}

/// What an answer came to: somebody is connected, or its code and HTTP status.
pub(crate) type Verdict<T> = Result<T, (&'static str, u16)>;

/// openid-client refused what we sent.
pub(crate) const PEER: (&str, u16) = ("Y020026", 502);

impl FranceConnect {
    /// The request, exactly as captured (section 1.2).
    pub(crate) fn request(&self) -> String {
        let claims =
            serde_json::json!({"id_token": {"rep_scope": {"essential": true, "values": self.themes}}});
        form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.client)
            .append_pair("scope", "openid profile email birth")
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.callback)
            .append_pair("acr_values", "eidas1")
            .append_pair("nonce", &self.nonce)
            .append_pair("state", &self.state)
            .append_pair("prompt", "login")
            .append_pair("claims", &claims.to_string())
            .finish()
    }

    /// What comes back to its callback, by a redirection of the browser: the code, or none when the person is sent to choose
    /// another provider.
    pub(crate) fn called_back(&self, status: u16, location: &str) -> Verdict<Option<String>> {
        assert!(
            matches!(status, 302 | 303),
            "its cookie is Lax and its route is GET: a top-level redirection"
        );
        let query =
            location.strip_prefix(self.callback).and_then(|rest| rest.strip_prefix('?')).unwrap_or("");
        let given = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
        };
        match given("state") {
            None => return Err(("Y020021", 403)),
            Some(state) if state != self.state => return Err(("Y020022", 403)),
            Some(_) => {}
        }
        if given("iss").is_some_and(|iss| iss != self.issuer) {
            return Err(PEER);
        }
        match (given("error"), given("code")) {
            (Some(_), _) => Ok(None),
            (None, Some(code)) => Ok(Some(code)),
            (None, None) => Err(("Y020025", 400)),
        }
    }

    /// The ID token of a token answer, checked as openid-client 5.7 does with no tolerance of clocks, then as its own rules do.
    pub(crate) fn id_token(&self, answer: &Value, jwks: &Value, now: i64) -> Verdict<Map<String, Value>> {
        let jwt = answer["id_token"].as_str().ok_or(PEER)?;
        let access_token = answer["access_token"].as_str().ok_or(PEER)?;
        let claims = self.signed(jwt, jwks)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => one == self.client,
            Some(Value::Array(several)) => matches!(&several[..], [one] if one == self.client),
            _ => false,
        };
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(access_token.as_bytes())[..16]);
        let good = text("iss") == Some(self.issuer)
            && audience
            && time("exp").is_some_and(|exp| exp > now)
            && time("iat").is_some()
            && text("sub").is_some()
            && text("nonce") == Some(&self.nonce)
            && claims.get("nbf").is_none_or(|nbf| nbf.as_i64().is_some_and(|nbf| nbf <= now))
            && text("at_hash").is_none_or(|at_hash| at_hash == hash);
        if !good {
            return Err(PEER);
        }
        let acr = text("acr").filter(|acr| !acr.is_empty() && acr.bytes().all(|b| b.is_ascii_alphanumeric()));
        let acr = acr.ok_or(("Y020030", 500))?;
        if acr < self.asked_acr {
            return Err(("Y100001", 400));
        }
        if !self.allowed_acr.contains(&acr) {
            return Err(("Y100018", 400));
        }
        Ok(claims)
    }

    /// The claims of a JWT, which must be signed as registered and in no other way. With a secret it never asks for keys.
    fn signed(&self, jwt: &str, jwks: &Value) -> Verdict<Map<String, Value>> {
        let payload = match self.signed_by {
            SignedBy::Key(alg) => verify_jws(jwt, jwks, &[alg]).map_err(|_| PEER)?.payload,
            SignedBy::Secret(secret) => {
                let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| PEER);
                let (signed, code) = jwt.rsplit_once('.').ok_or(PEER)?;
                let (header, payload) = signed.split_once('.').ok_or(PEER)?;
                let header: Value = serde_json::from_slice(&decoded(header)?).map_err(|_| PEER)?;
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
                let holds = hmac::verify(&key, signed.as_bytes(), &decoded(code)?).is_ok();
                if header["alg"] != "HS256" || !holds {
                    return Err(PEER);
                }
                decoded(payload)?
            }
        };
        serde_json::from_slice(&payload).map_err(|_| PEER)
    }

    /// The identity that userinfo gives, of the registered kind and form (section 1.4).
    pub(crate) fn identity(&self, media_type: &str, body: &str, jwks: &Value) -> Verdict<Map<String, Value>> {
        const KIND: (&str, u16) = ("Y020027", 502);
        const FORM: (&str, u16) = ("Y600006", 400);
        let claims: Map<String, Value> = if self.signed_userinfo {
            if media_type != "application/jwt" {
                return Err(KIND);
            }
            self.signed(body, jwks)?
        } else {
            if media_type != "application/json" {
                return Err(KIND);
            }
            serde_json::from_str(body).map_err(|_| PEER)?
        };
        for (name, ours) in [("iss", self.issuer), ("aud", self.client)] {
            if claims.get(name).is_some_and(|value| value != ours) {
                return Err(PEER);
            }
        }
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("sub").is_empty() || !text("sub").is_ascii() {
            return Err(("Y020029", 400));
        }
        let name = |claim: &str| (1..=256).contains(&text(claim).chars().count());
        let abroad = text("birthcountry") != "99100";
        let place = is_cog(text("birthplace")) || (abroad && text("birthplace").is_empty());
        let good = name("given_name")
            && name("family_name")
            && is_date(text("birthdate"))
            && matches!(text("gender"), "male" | "female" | "unspecified")
            && is_cog(text("birthcountry"))
            && place
            && text("email")
                .split_once('@')
                .is_some_and(|(local, host)| !local.is_empty() && host.contains('.'));
        if good { Ok(claims) } else { Err(FORM) }
    }

    /// The themes of the mandate against those of the service behind it (section 1.6); whether the session may serve for others.
    pub(crate) fn verify(&self, id_token: &Map<String, Value>) -> Verdict<bool> {
        let given = match id_token.get("rep_scope") {
            None => Vec::new(),
            Some(Value::Array(labels)) => labels.iter().filter_map(Value::as_str).collect(),
            // Text or null brings it down, at any service.
            Some(_) => return Err(("Y000000", 500)),
        };
        if !self.themes.is_empty() && !given.iter().any(|label| self.themes.contains(label)) {
            return Err(("Y600020", 400));
        }
        Ok(given.iter().all(|label| LABELS.contains(label)))
    }
}

/// A code of the Code officiel géographique: `^(2[AB]|[0-9]{2})[0-9]{3}$`.
fn is_cog(text: &str) -> bool {
    let Some((department, number)) = text.split_at_checked(2) else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (digits(department) || matches!(department, "2A" | "2B")) && number.len() == 3 && digits(number)
}

/// `YYYY-MM-DD`, `YYYY-MM-00` or `YYYY-00-00`.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number =
        |part: &str, digits: usize| (part.len() == digits).then(|| part.parse::<u16>().ok()).flatten();
    let [year, month, day] = parts[..] else { return false };
    matches!(
        (number(year, 4), number(month, 2), number(day, 2)),
        (Some(_), Some(0), Some(0)) | (Some(_), Some(1..=12), Some(0..=31))
    )
}
