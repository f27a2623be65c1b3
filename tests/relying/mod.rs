//! Porteplume as relying party, against a provider that errs in every way we could think of.

mod answers;
pub(crate) mod forger;
mod franceconnect;
mod proconnect;
mod strict;

use forger::{Answer, Forger, SECRET, Script, Signature};
use porteplume::clock::SeededEntropy;
use porteplume::config::{Algorithm, AuthMethod, Provider, Secret, UserinfoFormat};
use porteplume::mandate::Instant;
use porteplume::relying::{
    BeginOptions, Begun, CallbackQuery, HttpClient, HttpPolicy, RelyingError, RelyingParty, SignedIn,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use time::Duration;
use time::macros::datetime;
use url::Url;

fn now() -> Instant {
    datetime!(2026-11-22 10:00 UTC).into()
}

fn registration(issuer: &str) -> Provider {
    Provider {
        label: String::new(),
        issuer: issuer.to_owned(),
        client_id: "porteplume".to_owned(),
        client_secret: Secret::new(SECRET.to_owned()),
        auth_method: AuthMethod::ClientSecretPost,
        scopes: vec!["profile".to_owned(), "birth".to_owned()],
        acr_values: vec!["eidas1".to_owned()],
        accepted_acr: vec!["eidas1".to_owned(), "eidas2".to_owned()],
        pkce: true,
        ui_locales: true,
        login_hint: false,
        claims: None,
        userinfo: UserinfoFormat::Json,
        algorithms: vec![Algorithm::Es256],
        second_factor_acr: vec!["eidas2".to_owned()],
        second_factor_amr: vec!["mfa".to_owned()],
    }
}

fn party(provider: Provider) -> RelyingParty {
    let http = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap();
    let redirect_uri = Url::parse("http://127.0.0.1:1/callback").unwrap();
    RelyingParty::new("forger", provider, redirect_uri, http).unwrap()
}

/// What a sound provider would put into the ID token.
fn sound_id_token(forger: &Forger, begun: &Begun) -> Value {
    json!({
        "iss": forger.issuer,
        "sub": "person-1",
        "aud": "porteplume",
        "iat": now().seconds(),
        "exp": now().seconds() + 60,
        "auth_time": now().seconds(),
        "nonce": begun.expected.nonce.expose(),
        "acr": "eidas1",
        "amr": ["pwd"],
    })
}

fn callback(forger: &Forger, begun: &Begun) -> CallbackQuery {
    CallbackQuery {
        code: Some("code".to_owned()),
        state: Some(begun.expected.state.expose().to_owned()),
        iss: Some(forger.issuer.clone()),
        error: None,
    }
}

/// One sign-in, bent in a place or two.
struct Case {
    forger: Forger,
    party: RelyingParty,
    options: BeginOptions,
}

impl Case {
    async fn with(change: impl FnOnce(&mut Provider)) -> Self {
        let forger = Forger::start().await;
        let mut provider = registration(&forger.issuer);
        change(&mut provider);
        let options = BeginOptions { prompt_login: true, ..BeginOptions::default() };
        Self { forger, party: party(provider), options }
    }

    async fn plain() -> Self {
        Self::with(|_| ()).await
    }

    async fn begin(&self) -> Begun {
        let begun = self.party.begin(&SeededEntropy::new(1), &self.options, now()).await.unwrap();
        let token = sound_id_token(&self.forger, &begun);
        self.forger.bend(|script| script.id_token = token);
        begun
    }

    /// The outcome with the provider bent after the sign-in was begun.
    async fn outcome(&self, twist: impl FnOnce(&mut Script)) -> Result<SignedIn, RelyingError> {
        let begun = self.begin().await;
        self.forger.bend(twist);
        self.party.complete(&callback(&self.forger, &begun), &begun.expected, now()).await
    }

    async fn code(&self, twist: impl FnOnce(&mut Script)) -> &'static str {
        self.outcome(twist).await.map_or_else(|error| error.code(), |_| "signed_in")
    }
}

fn query_of(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_person_is_identified_and_userinfo_completes_the_claims() {
    let case = Case::plain().await;
    let signed_in = case.outcome(|_| ()).await.ok().unwrap();
    assert_eq!(
        (signed_in.issuer.as_str(), signed_in.subject.as_str()),
        (case.forger.issuer.as_str(), "person-1")
    );
    assert_eq!(signed_in.acr.as_deref(), Some("eidas1"));
    assert_eq!(signed_in.auth_time, Some(now()));
    assert_eq!(signed_in.text("given_name"), Some("Rose"));
    assert!(!signed_in.proves_second_factor());
    let sent: HashMap<String, String> =
        url::form_urlencoded::parse(case.forger.last_token_request().as_bytes()).into_owned().collect();
    assert_eq!(sent["client_secret"], SECRET);
    assert_eq!(sent["redirect_uri"], "http://127.0.0.1:1/callback");
    assert_eq!(sent["code_verifier"].len(), 43);
}

#[tokio::test]
async fn a_proved_second_factor_is_seen() {
    let case = Case::plain().await;
    let strong = case.outcome(|script| script.id_token["acr"] = json!("eidas2")).await.ok().unwrap();
    assert!(strong.proves_second_factor());
    let by_mail =
        case.outcome(|script| script.id_token["amr"] = json!(["mail", "otp", "mfa"])).await.ok().unwrap();
    assert!(!by_mail.proves_second_factor());
}

#[tokio::test]
async fn franceconnect_is_sent_only_what_it_takes() {
    let case = Case::with(|provider| provider.pkce = false).await;
    let begun = case.begin().await;
    let sent = query_of(&begun.url);
    let mut names: Vec<&str> = sent.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["acr_values", "client_id", "nonce", "prompt", "redirect_uri", "response_type", "scope", "state"]
    );
    assert_eq!(sent["scope"], "openid profile birth");
    assert!(begun.expected.pkce_verifier.is_none());
    assert!(sent["nonce"].len() >= 32 && sent["nonce"] != sent["state"]);
}

#[tokio::test]
async fn a_callback_of_another_sign_in_is_refused_before_anything_is_asked() {
    let case = Case::plain().await;
    let begun = case.begin().await;
    let good = callback(&case.forger, &begun);
    let with = |change: fn(&mut CallbackQuery)| {
        let mut query = good.clone();
        change(&mut query);
        query
    };
    for (query, code) in [
        (with(|q| q.state = Some("other".to_owned())), "state_mismatch"),
        (with(|q| q.state = Some("undefined".to_owned())), "state_mismatch"),
        (with(|q| q.state = None), "state_mismatch"),
        (with(|q| q.iss = Some("https://other.example".to_owned())), "callback_issuer"),
        (with(|q| q.iss = None), "callback_issuer"),
        (with(|q| q.error = Some("access_denied".to_owned())), "access_denied"),
        (with(|q| q.error = Some("invalid_acr".to_owned())), "provider_error"),
        (with(|q| q.code = None), "no_code"),
        (with(|q| q.code = Some(String::new())), "no_code"),
    ] {
        let refused = case.party.complete(&query, &begun.expected, now()).await;
        assert_eq!(refused.err().map(|error| error.code()), Some(code));
    }
    assert_eq!(case.forger.calls("token"), 0);
}

#[tokio::test]
async fn an_id_token_that_is_not_ours_not_now_or_not_signed_is_refused() {
    type Twist = fn(&mut Script);
    let at = |seconds: i64| json!(now().seconds() + seconds);
    let early: Twist = |script| script.id_token["iat"] = json!(now().seconds() - 3_600);
    let cases: [(&str, Twist); 19] = [
        ("id_token_nonce", |script| script.id_token["nonce"] = json!("other")),
        ("id_token_nonce", |script| drop(script.id_token.as_object_mut().unwrap().remove("nonce"))),
        ("id_token_issuer", |script| script.id_token["iss"] = json!("https://other.example")),
        ("id_token_audience", |script| script.id_token["aud"] = json!("other")),
        ("id_token_audience", |script| script.id_token["aud"] = json!(["porteplume", "other"])),
        ("id_token_audience", |script| script.id_token["azp"] = json!("other")),
        ("id_token_time", |script| script.id_token["exp"] = json!(now().seconds() - 31)),
        ("id_token_time", |script| script.id_token["iat"] = json!(now().seconds() + 31)),
        ("id_token_time", early),
        ("id_token_algorithm", |script| script.id_token_signature = Signature::None),
        ("id_token_algorithm", |script| script.id_token_signature = Signature::Secret),
        ("id_token_signature", |script| script.id_token_signature = Signature::Stranger),
        ("id_token_unknown_key", |script| script.id_token_signature = Signature::Second),
        ("id_token_auth_time", |script| script.id_token["auth_time"] = json!(now().seconds() - 31)),
        ("id_token_auth_time", |script| drop(script.id_token.as_object_mut().unwrap().remove("auth_time"))),
        ("id_token_acr", |script| script.id_token["acr"] = json!("eidas0")),
        ("id_token_acr", |script| drop(script.id_token.as_object_mut().unwrap().remove("acr"))),
        ("id_token_access_token_hash", |script| script.id_token["at_hash"] = json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("id_token_malformed", |script| script.id_token["sub"] = json!("é")),
    ];
    for (code, twist) in cases {
        let case = Case::plain().await;
        assert_eq!(case.code(twist).await, code);
        assert_eq!(case.forger.calls("userinfo"), 0, "{code}");
    }
    // Within the clocks' tolerance.
    let case = Case::plain().await;
    let (expiry, issue) = (at(-29), at(29));
    let tolerated =
        case.code(|script| (script.id_token["exp"], script.id_token["iat"]) = (expiry, issue)).await;
    assert_eq!(tolerated, "signed_in");
}

#[tokio::test]
async fn the_age_of_a_sign_in_counts_only_where_it_was_asked_for() {
    let mut case = Case::plain().await;
    case.options = BeginOptions::default();
    assert_eq!(case.code(|script| script.id_token["auth_time"] = json!(0)).await, "signed_in");
    case.options.max_age = Some(Duration::hours(1));
    assert_eq!(query_of(&case.begin().await.url)["max_age"], "3600");
    let ago = |seconds: i64| {
        move |script: &mut Script| script.id_token["auth_time"] = json!(now().seconds() - seconds)
    };
    assert_eq!(case.code(ago(3_600)).await, "signed_in");
    assert_eq!(case.code(ago(3_631)).await, "id_token_auth_time");
}

#[tokio::test]
async fn userinfo_must_be_of_the_registered_kind_and_about_the_same_person() {
    let html = || Answer {
        status: 200,
        headers: vec![("content-type", "text/html".to_owned())],
        body: b"{}".to_vec(),
    };
    let status = |status| Answer { status, headers: Vec::new(), body: Vec::new() };
    let case = Case::plain().await;
    assert_eq!(case.code(|script| script.userinfo["sub"] = json!("person-2")).await, "userinfo_subject");
    assert_eq!(case.code(|script| script.userinfo = json!({})).await, "userinfo_subject");
    case.forger.bend(|script| script.userinfo = json!({"sub": "person-1"}));
    assert_eq!(case.code(|script| script.userinfo_signature = Some(Signature::Own)).await, "userinfo_format");
    for (answer, code) in [
        (html(), "userinfo_format"),
        (status(401), "userinfo_unauthorized"),
        (status(403), "userinfo_unauthorized"),
        (status(500), "userinfo_status"),
        (Answer { headers: vec![("location", "/elsewhere".to_owned())], ..status(302) }, "redirected"),
    ] {
        assert_eq!(case.code(|script| drop(script.instead.insert("userinfo", answer))).await, code);
    }
}

#[tokio::test]
async fn signed_userinfo_must_be_signed_by_the_provider_and_for_us() {
    let case = Case::with(|provider| provider.userinfo = UserinfoFormat::Jwt).await;
    let signed = |signature| move |script: &mut Script| script.userinfo_signature = Some(signature);
    assert_eq!(case.code(|_| ()).await, "userinfo_format");
    for signature in [Signature::None, Signature::Secret, Signature::Stranger, Signature::Second] {
        assert_eq!(case.code(signed(signature)).await, "userinfo_signature");
    }
    assert_eq!(case.code(signed(Signature::Own)).await, "signed_in");
    for (claim, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("other")),
        ("aud", json!(["other"])),
        ("exp", json!(now().seconds() - 31)),
    ] {
        let wrong = json!({"sub": "person-1", claim: value});
        assert_eq!(case.code(|script| script.userinfo = wrong).await, "userinfo_party");
    }
    let right = json!({"sub": "person-1", "iss": case.forger.issuer, "aud": ["porteplume"], "exp": now().seconds() + 60});
    assert_eq!(case.code(|script| script.userinfo = right).await, "signed_in");
}

#[tokio::test]
async fn the_token_endpoint_may_refuse_redirect_and_talk_nonsense() {
    let refusal = Answer { status: 400, ..Answer::json(&json!({"error": "invalid_grant"})) };
    let cases = [
        (refusal, "code_refused"),
        (
            Answer { status: 302, headers: vec![("location", "/elsewhere".to_owned())], body: Vec::new() },
            "redirected",
        ),
        (Answer { body: vec![b' '; (1 << 20) + 1], ..Answer::json(&json!({})) }, "answer_too_long"),
        (Answer { body: b"<html>".to_vec(), ..Answer::json(&json!({})) }, "token_answer_malformed"),
        (
            Answer::json(&json!({"access_token": "a", "token_type": "Bearer", "id_token": "a.b"})),
            "token_answer_malformed",
        ),
        (Answer::json(&json!({"access_token": "a", "token_type": "Bearer"})), "id_token_missing"),
    ];
    for (answer, code) in cases {
        let case = Case::plain().await;
        assert_eq!(case.code(|script| drop(script.instead.insert("token", answer))).await, code);
        assert_eq!((case.forger.calls("token"), case.forger.calls("userinfo")), (1, 0), "{code}");
    }
}

async fn begins(case: &Case, at: Instant) -> Result<Begun, RelyingError> {
    case.party.begin(&SeededEntropy::new(1), &case.options, at).await
}

#[tokio::test]
async fn metadata_of_another_provider_or_with_unsafe_addresses_is_refused() {
    for (name, value, code) in [
        ("issuer", "https://other.example", "discovery_invalid"),
        ("jwks_uri", "http://10.0.0.1/jwks", "not_https"),
        ("jwks_uri", "https://169.254.169.254/jwks", "address_refused"),
        ("authorization_endpoint", "http://other.example/authorize", "not_https"),
        ("authorization_endpoint", "javascript:alert(1)", "request_not_made"),
    ] {
        let case = Case::plain().await;
        case.forger.bend(|script| script.discovery[name] = json!(value));
        assert_eq!(begins(&case, now()).await.err().map(|error| error.code()), Some(code), "{name}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_tried_again_but_not_hammered() {
    let case = Case::plain().await;
    let down = Answer { status: 503, headers: Vec::new(), body: Vec::new() };
    case.forger.bend(|script| drop(script.instead.insert("discovery", down.clone())));
    for _ in 0..5 {
        assert!(begins(&case, now()).await.err().unwrap().is_outage());
    }
    assert_eq!(case.forger.calls("discovery"), 1);
    case.forger.bend(|script| script.instead.clear());
    let later = now().plus(Duration::seconds(10));
    assert!(begins(&case, later).await.is_ok());
    assert!(begins(&case, later.plus(Duration::minutes(59))).await.is_ok());
    assert_eq!(case.forger.calls("discovery"), 2);
    // Away again: the copy serves for a day, and no longer.
    case.forger.bend(|script| drop(script.instead.insert("discovery", down)));
    assert!(begins(&case, later.plus(Duration::hours(23))).await.is_ok());
    assert!(begins(&case, later.plus(Duration::hours(24))).await.is_err());
}

#[tokio::test]
async fn changed_keys_are_found_and_invented_ones_do_not_make_us_call() {
    let case = Case::plain().await;
    let begun = case.begin().await;
    case.forger.bend(|script| (script.rotated, script.id_token_signature) = (true, Signature::Second));
    let query = callback(&case.forger, &begun);
    // Asked a moment ago: not again.
    let at_once = case.party.complete(&query, &begun.expected, now()).await;
    assert_eq!(at_once.err().map(|error| error.code()), Some("id_token_unknown_key"));
    assert_eq!(case.forger.calls("jwks"), 1);
    let later = now().plus(Duration::seconds(20));
    assert!(case.party.complete(&query, &begun.expected, later).await.is_ok());
    assert_eq!(case.forger.calls("jwks"), 2);
}

#[tokio::test]
async fn signing_out_there_needs_a_page_there_and_a_token_of_theirs() {
    let case = Case::plain().await;
    let signed_in = case.outcome(|_| ()).await.ok().unwrap();
    let back = Url::parse("http://127.0.0.1:1/signed-out").unwrap();
    let logout = |at| case.party.logout_url(&signed_in.id_token, &back, None, at);
    assert_eq!(logout(now()).await, Ok(None));
    let page = format!("{}/end_session", case.forger.issuer);
    case.forger.bend(|script| script.discovery["end_session_endpoint"] = json!(page));
    let url = logout(now().plus(Duration::hours(2))).await.unwrap().unwrap();
    assert_eq!(query_of(&url)["id_token_hint"], signed_in.id_token.expose());
    assert_eq!(query_of(&url)["post_logout_redirect_uri"], back.as_str());
}
