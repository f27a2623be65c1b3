//! The modules of the OpenID Foundation's conformance suite, each a test of its name (`-` written `_`); the table in
//! `tests/README.md` lists every one, and `table.rs` holds it to the tests that there are.

mod fapi2_assertions;
mod fapi2_dpop;
mod fapi2_par;
mod fapi2_requests;
mod fapi2_signing;
mod oidcc;
mod refresh;
mod signing;
mod standing;
mod table;

use super::*;
use porteplume::crypto::{JournalKey, Jwk, SecretBytes, sha256};
use porteplume::provider::ASSERTION_TYPE;
use std::sync::atomic::{AtomicU64, Ordering};

/// A service of the profile `fapi2`, which signs with an Ed25519 key made from a seed.
struct Service {
    id: &'static str,
    seed: u8,
    /// Whether it signs its requests and wants its answers signed (FAPI 2.0 Message Signing).
    signs: bool,
}

const ONE: Service = Service { id: "fapi-one", seed: 1, signs: false };
const TWO: Service = Service { id: "fapi-two", seed: 2, signs: false };

/// Makes every `jti` another one.
static JTI: AtomicU64 = AtomicU64::new(0);

fn jti() -> String {
    format!("jti-{}", JTI.fetch_add(1, Ordering::Relaxed))
}

/// A town with two services of the profile.
async fn fapi_town(database: TestDatabase) -> Town {
    town_of(database, [&ONE, &TWO]).await
}

async fn town_of(database: TestDatabase, services: [&Service; 2]) -> Town {
    let town = Town::new(database).await;
    for service in services {
        world::client(town.app(), service.draft()).await;
    }
    town
}

fn key(seed: u8) -> JournalKey {
    JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
}

pub(super) fn public(seed: u8) -> Value {
    serde_json::to_value(Jwk::ed25519("k", key(seed).public_key())).unwrap()
}

/// A compact JWS by the key of a seed.
fn signed(seed: u8, header: &Value, claims: &Value) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", text(header), text(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key(seed).sign(signed.as_bytes())))
}

/// Members of an object, set or (null) taken away.
pub(super) fn changed(mut object: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        let members = object.as_object_mut().unwrap();
        match value {
            Value::Null => drop(members.remove(*name)),
            value => drop(members.insert((*name).to_owned(), value.clone())),
        }
    }
    object
}

impl Service {
    fn draft(&self) -> Value {
        let changes = [
            ("profile", json!("fapi2")),
            ("auth_method", json!("private_key_jwt")),
            ("secret_hash", Value::Null),
            ("jwks", json!({"keys": [public(self.seed)]})),
            ("request_objects", if self.signs { json!("demanded") } else { Value::Null }),
        ];
        changed(draft(self.id), &changes)
    }

    /// A client assertion, after changes of its claims.
    fn assertion(&self, town: &Town, changes: &[(&str, Value)]) -> String {
        let now = town.app().now().seconds();
        let claims = json!({
            "iss": self.id, "sub": self.id, "aud": ISSUER, "jti": jti(), "iat": now, "nbf": now, "exp": now + 60,
        });
        signed(self.seed, &json!({"alg": "EdDSA", "kid": "k"}), &changed(claims, changes))
    }

    /// Pushes a request, after these changes.
    async fn push(&self, town: &Town, changes: &[(&str, &str)]) -> Answer {
        self.push_with(town, &self.assertion(town, &[]), changes).await
    }

    async fn push_with(&self, town: &Town, assertion: &str, changes: &[(&str, &str)]) -> Answer {
        self.push_proven(town, assertion, changes, &[]).await
    }

    /// The same with these proofs.
    async fn push_proven(
        &self,
        town: &Town,
        assertion: &str,
        changes: &[(&str, &str)],
        proofs: &[&str],
    ) -> Answer {
        let asked = request(&[&[("client_id", self.id)], changes].concat());
        let asked = if self.signs { self.in_an_object(town, &asked) } else { asked };
        let shown = form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]);
        sent(town, "/par", &format!("{asked}&{shown}"), proofs).await
    }

    /// The same request as a signed object (RFC 9101), which wants a signed answer. A reference stays beside it: it may
    /// not stand inside.
    fn in_an_object(&self, town: &Town, asked: &str) -> String {
        let now = town.app().now().seconds();
        let mut claims = json!({
            "iss": self.id, "aud": ISSUER, "exp": now + 300, "nbf": now, "iat": now, "response_mode": "jwt",
        });
        let mut beside = vec![("client_id".to_owned(), self.id.to_owned())];
        for (name, value) in form_urlencoded::parse(asked.as_bytes()).into_owned() {
            let structured = ["authorization_details", "max_age"].contains(&name.as_str());
            match serde_json::from_str(&value) {
                _ if name == "request_uri" => beside.push((name, value)),
                Ok(value) if structured => claims[&name] = value,
                _ => claims[&name] = json!(value),
            }
        }
        let header = json!({"alg": "EdDSA", "typ": "oauth-authz-req+jwt", "kid": "k"});
        beside.push(("request".to_owned(), signed(self.seed, &header, &claims)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(beside).finish()
    }

    /// The reference of a request pushed in order.
    async fn pushed(&self, town: &Town, changes: &[(&str, &str)]) -> String {
        let answer = self.push(town, changes).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["request_uri"].as_str().unwrap().to_owned()
    }

    /// The address that brings a pushed request.
    fn brings(&self, request_uri: &str) -> String {
        format!("/authorize?{}", form(&[("client_id", self.id), ("request_uri", request_uri)]))
    }

    /// Pushes, brings and carries the choice through; gives where it led.
    async fn answered(&self, browser: &Browser<'_>, changes: &[(&str, &str)]) -> Answer {
        let uri = self.pushed(browser.town, changes).await;
        self.answers(browser, &uri).await
    }

    /// Brings what was pushed and carries the choice through; gives where it led.
    async fn answers(&self, browser: &Browser<'_>, request_uri: &str) -> Answer {
        let page = browser.get(&self.brings(request_uri)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let sent = browser.confirms(&handle_in(&page.body), &browser.town.mandate, PRIME).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        assert_eq!(sent.sent_on("iss").as_deref(), Some(ISSUER));
        if self.signs {
            fapi2_signing::opened(browser.town, self, &sent);
        }
        sent
    }

    async fn code(&self, browser: &Browser<'_>, changes: &[(&str, &str)]) -> String {
        let sent = self.answered(browser, changes).await;
        sent.sent_on("code").unwrap_or_else(|| panic!("a code: {}", sent.location()))
    }

    /// Exchanges a code, with a proof of this service's own key.
    async fn exchange(&self, town: &Town, code: &str, changes: &[(&str, &str)]) -> Answer {
        let assertion = self.assertion(town, &[]);
        self.exchange_with(town, &assertion, code, changes).await
    }

    async fn exchange_with(
        &self,
        town: &Town,
        assertion: &str,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Answer {
        let proof = self.holder().proof(town, AT_TOKEN, &[]);
        self.exchange_proven(town, assertion, (code, changes), &[&proof]).await
    }

    /// The same with these proofs.
    async fn exchange_proven(
        &self,
        town: &Town,
        assertion: &str,
        (code, changes): (&str, &[(&str, &str)]),
        proofs: &[&str],
    ) -> Answer {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        pairs.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        sent(town, "/token", &form(&[&pairs, changes].concat()), proofs).await
    }

    /// The key this service binds its tokens to.
    const fn holder(&self) -> Holder {
        Holder(self.seed + 100)
    }

    /// An access token that a whole flow gave.
    async fn token(&self, browser: &Browser<'_>) -> String {
        let code = self.code(browser, &[]).await;
        let answer = self.exchange(browser.town, &code, &[]).await;
        assert_eq!(
            (answer.status, answer.json()["token_type"].as_str()),
            (200, Some("DPoP")),
            "{}",
            answer.body
        );
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The claims of the ID token that a whole flow gives.
    async fn id_token(&self, browser: &Browser<'_>, changes: &[(&str, &str)]) -> Value {
        let code = self.code(browser, changes).await;
        let answer = self.exchange(browser.town, &code, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        claims(answer.json()["id_token"].as_str().unwrap())
    }
}

/// Who holds the key of a seed, and proves it (RFC 9449).
#[derive(Clone, Copy)]
struct Holder(u8);

const AT_PAR: (&str, &str) = ("POST", "/par");
const AT_TOKEN: (&str, &str) = ("POST", "/token");
const AT_USERINFO: (&str, &str) = ("GET", "/userinfo");

impl Holder {
    fn jwk(self) -> Value {
        changed(public(self.0), &[("kid", Value::Null), ("alg", Value::Null), ("use", Value::Null)])
    }

    fn thumbprint(self) -> String {
        let members = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":{}}}", self.jwk()["x"]);
        URL_SAFE_NO_PAD.encode(sha256(members.as_bytes()))
    }

    /// A proof for a request, after changes of its claims.
    fn proof(self, town: &Town, (method, path): (&str, &str), changes: &[(&str, Value)]) -> String {
        let now = town.app().now().seconds();
        let claims = json!({"jti": jti(), "htm": method, "htu": format!("{ISSUER}{path}"), "iat": now});
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk()});
        signed(self.0, &header, &changed(claims, changes))
    }

    /// One for a token at userinfo.
    fn proof_of(self, town: &Town, token: &str, changes: &[(&str, Value)]) -> String {
        self.proof(town, AT_USERINFO, &[&[("ath", json!(ath(token)))], changes].concat())
    }
}

/// What a proof says of the token beside it.
fn ath(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(token.as_bytes()))
}

/// A form with these proofs.
async fn sent(town: &Town, path: &str, body: &str, proofs: &[&str]) -> Answer {
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    town.ask(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Userinfo with these `Authorization` headers and proofs.
async fn userinfo(town: &Town, authorizations: &[String], proofs: &[&str]) -> Answer {
    let request = Request::get("/userinfo").header("accept", "application/json, */*;q=0.1");
    let request = authorizations.iter().fold(request, |request, line| request.header("authorization", line));
    let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
    town.ask(request.body(Body::empty()).unwrap()).await
}

/// What a service is told, with the status.
fn told(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

/// That a page is shown with that code and the browser is sent nowhere.
fn page(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.location()), (400, ""), "{}", answer.body);
    assert!(answer.body.contains(code), "{code}: {}", answer.body);
}

/// How many requests are kept.
async fn kept(town: &Town) -> i64 {
    town.count("SELECT count(*) FROM authorization_request").await
}
