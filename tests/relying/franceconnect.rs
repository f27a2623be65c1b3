//! Porteplume and FranceConnect (contract `franceconnect.md`, section 2), statement by statement: a double as strict as
//! the real one takes what we send and refuses everything else. What we make of its answers: [`super::answers`].

use super::answers::{registered, sound};
use super::query_of;
use super::strict::Must::{Page, Take, Tell, TellWith};
use super::strict::{Pairs, Row, bent, check, drop_all, set};
use crate::sandbox::browser::Browser;
use crate::sandbox::{CALLBACK, SIGNED_OUT, Sandbox, client, query};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use porteplume::config::AuthMethod;
use porteplume::demo::Flavour;
use porteplume::relying::{BeginOptions, RelyingError};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use time::Duration;
use url::Url;

const MISSHAPEN: &str = "Y030007";
pub(super) const BOTH: [Flavour; 2] = [Flavour::Citizens, Flavour::CitizensPlus];

fn sorted<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// What a JWT says.
fn payload(jwt: &str) -> Map<String, Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// What the token endpoint answers to the code of a request that was changed.
async fn tokens(sandbox: &Sandbox, change: impl FnOnce(&mut Pairs)) -> Value {
    let mut begun = sandbox.begin(&BeginOptions::default()).await;
    begun.url = bent(sandbox, change).await;
    let back = sandbox.choose(&Browser::new(), &begun, "rose-marchal").await;
    let registered = client();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &query(&back).code.unwrap()),
        ("redirect_uri", CALLBACK),
        ("client_id", "porteplume"),
        ("client_secret", registered.client_secret.expose()),
    ];
    let answer = Browser::new().post(&format!("{}/token", sandbox.party.issuer()), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

#[tokio::test]
async fn we_ask_for_exactly_what_is_taken_with_state_and_nonce_of_32_random_bytes() {
    for flavour in BOTH {
        let sandbox = Sandbox::start(flavour).await;
        let options =
            BeginOptions { prompt_login: true, ui_locales: vec!["fr".to_owned()], ..BeginOptions::default() };
        let begun = sandbox.begin(&options).await;
        let sent = query_of(&begun.url);
        let names = "acr_values client_id nonce prompt redirect_uri response_type scope state ui_locales";
        assert_eq!(sorted(sent.keys()), names.split(' ').collect::<Vec<_>>());
        assert_eq!(sent["scope"], "openid identite_pivot email preferred_username idp_birthdate");
        assert_eq!(sent["acr_values"], if flavour == Flavour::Citizens { "eidas1" } else { "eidas2" });
        for name in ["state", "nonce"] {
            assert_eq!(URL_SAFE_NO_PAD.decode(&sent[name]).unwrap().len(), 32, "{name}");
        }
        assert!(begun.expected.pkce_verifier.is_none());
        let back = sandbox.choose(&Browser::new(), &begun, "rose-marchal").await;
        assert_eq!(sorted(query_of(&back).keys()), ["code", "iss", "state"]);
        assert!(sandbox.complete(&begun, &back).await.is_ok());
    }
}

#[tokio::test]
async fn the_double_takes_what_franceconnect_takes_and_nothing_else() {
    let rows: [Row; 41] = [
        ("what we send", |_| (), Take),
        ("no client_id", |p| drop_all(p, "client_id"), Page(MISSHAPEN)),
        ("no redirect_uri", |p| drop_all(p, "redirect_uri"), Page(MISSHAPEN)),
        ("no response_type", |p| drop_all(p, "response_type"), Page(MISSHAPEN)),
        ("no scope", |p| drop_all(p, "scope"), Page(MISSHAPEN)),
        ("no state", |p| drop_all(p, "state"), Page(MISSHAPEN)),
        ("no nonce", |p| drop_all(p, "nonce"), Page(MISSHAPEN)),
        ("no acr_values", |p| drop_all(p, "acr_values"), Page(MISSHAPEN)),
        ("a nonce of 22", |p| set(p, "nonce", &"n".repeat(22)), Take),
        ("a nonce of 21", |p| set(p, "nonce", &"n".repeat(21)), Page(MISSHAPEN)),
        ("claims", |p| set(p, "claims", r#"{"id_token":{"amr":null}}"#), Take),
        ("prompt=login", |p| set(p, "prompt", "login"), Take),
        ("prompt=consent", |p| set(p, "prompt", "login consent"), Take),
        ("prompt=none", |p| set(p, "prompt", "none"), Page(MISSHAPEN)),
        ("prompt=select_account", |p| set(p, "prompt", "select_account"), Page(MISSHAPEN)),
        ("idp_hint", |p| set(p, "idp_hint", "sandbox"), Take),
        ("ui_locales", |p| set(p, "ui_locales", "fr en"), Take),
        ("code_challenge", |p| set(p, "code_challenge", &"c".repeat(43)), Page(MISSHAPEN)),
        ("code_challenge_method", |p| set(p, "code_challenge_method", "S256"), Page(MISSHAPEN)),
        ("login_hint", |p| set(p, "login_hint", "a@example.org"), Page(MISSHAPEN)),
        ("max_age", |p| set(p, "max_age", "60"), Page(MISSHAPEN)),
        ("display", |p| set(p, "display", "page"), Page(MISSHAPEN)),
        ("response_mode", |p| set(p, "response_mode", "query"), Page(MISSHAPEN)),
        ("id_token_hint", |p| set(p, "id_token_hint", "a.b.c"), Page(MISSHAPEN)),
        ("request", |p| set(p, "request", "a.b.c"), Page(MISSHAPEN)),
        ("request_uri", |p| set(p, "request_uri", "urn:example"), Page(MISSHAPEN)),
        ("a parameter of nobody's", |p| set(p, "sp_id", "1"), Page(MISSHAPEN)),
        ("a parameter twice", |p| p.push(("scope".into(), "openid".into())), Page(MISSHAPEN)),
        ("eidas2, which this platform has not", |p| set(p, "acr_values", "eidas2"), Tell("invalid_acr")),
        ("eidas3, which this platform has not", |p| set(p, "acr_values", "eidas3"), Tell("invalid_acr")),
        ("of several levels the lowest", |p| set(p, "acr_values", "eidas3 eidas1"), Take),
        ("an unknown level, which counts as eidas1", |p| set(p, "acr_values", "gold"), Take),
        (
            "an idp_hint of nobody's loses the state",
            |p| set(p, "idp_hint", "elsewhere"),
            TellWith("invalid_idp_hint", "undefined"),
        ),
        ("a scope we have no right to", |p| set(p, "scope", "openid dgfip_rfr"), Take),
        ("openid alone", |p| set(p, "scope", "openid"), Take),
        ("no openid", |p| set(p, "scope", "email"), Tell("invalid_scope")),
        ("another response_type", |p| set(p, "response_type", "token"), Tell("unsupported_response_type")),
        ("claims that are no JSON", |p| set(p, "claims", "{"), Tell("invalid_request")),
        ("another client", |p| set(p, "client_id", "other"), Page("client_id")),
        ("another address", |p| set(p, "redirect_uri", "https://evil.example/"), Page("redirect_uri")),
        ("almost our address", |p| set(p, "redirect_uri", &format!("{CALLBACK}/")), Page("redirect_uri")),
    ];
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    for row in rows {
        check(&sandbox, row).await;
    }
    let url = bent(&sandbox, |_| ()).await;
    let pairs: Pairs = url.query_pairs().into_owned().collect();
    let form: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let posted = Browser::new().post(&format!("{}/authorize", sandbox.party.issuer()), &form).await;
    assert_eq!(posted.status, StatusCode::OK, "a form is taken as well");
}

#[tokio::test]
async fn franceconnect_plus_states_the_higher_level_that_was_asked_for() {
    let rows: [Row; 4] = [
        ("eidas1 is not had", |p| set(p, "acr_values", "eidas1"), Tell("invalid_acr")),
        ("eidas2", |p| set(p, "acr_values", "eidas2"), Take),
        ("eidas3", |p| set(p, "acr_values", "eidas3"), Take),
        ("PKCE", |p| set(p, "code_challenge", &"c".repeat(43)), Page(MISSHAPEN)),
    ];
    let sandbox = Sandbox::start(Flavour::CitizensPlus).await;
    for row in rows {
        check(&sandbox, row).await;
    }
    for (asked, stated) in [("eidas3", "eidas3"), ("eidas3 eidas2", "eidas2"), ("gold", "eidas2")] {
        let answer = tokens(&sandbox, |p| set(p, "acr_values", asked)).await;
        assert_eq!(payload(answer["id_token"].as_str().unwrap())["acr"], stated, "{asked}");
    }
    assert_eq!(sandbox.sign_in("rose-marchal").await.acr.as_deref(), Some("eidas2"));
}

#[tokio::test]
async fn languages_are_left_out_where_the_provider_knows_none() {
    let sandbox = Sandbox::with(Flavour::Citizens, |provider| provider.ui_locales = false).await;
    let options = BeginOptions { ui_locales: vec!["fr".to_owned()], ..BeginOptions::default() };
    let begun = sandbox.begin(&options).await;
    assert!(begun.url.query_pairs().all(|(name, _)| name != "ui_locales"), "{}", begun.url);
}

#[tokio::test]
async fn pkce_or_a_secret_in_the_header_would_be_refused() {
    let pkce = Sandbox::with(Flavour::Citizens, |provider| provider.pkce = true).await;
    check(&pkce, ("PKCE as we would send it", |_| (), Page(MISSHAPEN))).await;
    let basic = Sandbox::with(Flavour::Citizens, |p| p.auth_method = AuthMethod::ClientSecretBasic).await;
    let begun = basic.begin(&BeginOptions::default()).await;
    let back = basic.choose(&Browser::new(), &begun, "rose-marchal").await;
    let refused = Some(RelyingError::CodeRefused("invalid_client".to_owned()));
    assert_eq!(basic.complete(&begun, &back).await.err(), refused);
    // What we do send at the token endpoint.
    let case = registered(Flavour::Citizens).await;
    assert_eq!(case.code(sound(Flavour::Citizens)).await, "signed_in");
    let sent = query_of(&Url::parse(&format!("x:?{}", case.forger.last_token_request())).unwrap());
    assert_eq!(sorted(sent.keys()), ["client_id", "client_secret", "code", "grant_type", "redirect_uri"]);
}

#[tokio::test]
async fn the_answers_hold_what_franceconnect_puts_into_them() {
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    let answer = tokens(&sandbox, |_| ()).await;
    let answer = answer.as_object().unwrap();
    assert_eq!(
        sorted(answer.keys()),
        ["access_token", "expires_in", "id_token", "scope", "token_type"],
        "no refresh token"
    );
    assert_eq!(answer["expires_in"], 60);
    let id_token = payload(answer["id_token"].as_str().unwrap());
    let always = ["acr", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sub"];
    assert_eq!(sorted(id_token.keys()), always, "no at_hash, no amr");
    assert_eq!(id_token["exp"].as_i64().unwrap() - id_token["iat"].as_i64().unwrap(), 60);
    let sub = id_token["sub"].as_str().unwrap();
    assert!(sub.len() == 66 && sub.ends_with("v1"), "{sub}");
    let asked = tokens(&sandbox, |p| set(p, "claims", r#"{"id_token":{"amr":null}}"#)).await;
    assert_eq!(payload(asked["id_token"].as_str().unwrap())["amr"], json!(["fc", "pwd", "mail"]));

    let userinfo = async |token: &Value| {
        let url = format!("{}/userinfo", sandbox.party.issuer());
        let http = reqwest::Client::builder().build().unwrap();
        let answer = http.get(url).bearer_auth(token.as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/jwt");
        payload(&answer.text().await.unwrap())
    };
    let said = userinfo(&answer["access_token"]).await;
    // Rose has no address.
    let names = "aud birthcountry birthdate birthplace exp family_name gender given_name given_name_array iat \
                 idp_birthdate iss preferred_username sub";
    assert_eq!(sorted(said.keys()), names.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        (&said["iss"], &said["aud"], &said["sub"]),
        (&id_token["iss"], &json!("porteplume"), &json!(sub))
    );
    let anonymous = tokens(&sandbox, |p| set(p, "scope", "openid")).await;
    let said = userinfo(&anonymous["access_token"]).await;
    assert_eq!(sorted(said.keys()), ["aud", "exp", "iat", "iss", "sub"]);
}

#[tokio::test]
async fn codes_last_30_seconds_tokens_60_and_sessions_30_minutes_or_10() {
    for (flavour, minutes) in [(Flavour::Citizens, 30), (Flavour::CitizensPlus, 10)] {
        let sandbox = Sandbox::start(flavour).await;
        for (seconds, works) in [(29, true), (30, false)] {
            let begun = sandbox.begin(&BeginOptions::default()).await;
            let back = sandbox.choose(&Browser::new(), &begun, "rose-marchal").await;
            sandbox.clock.advance(Duration::seconds(seconds));
            assert_eq!(sandbox.complete(&begun, &back).await.is_ok(), works, "a code after {seconds} s");
        }
        for (seconds, outcome) in [(59, None), (60, Some("userinfo_unauthorized"))] {
            let signed_in = sandbox.sign_in("rose-marchal").await;
            sandbox.clock.advance(Duration::seconds(seconds));
            let asked =
                sandbox.party.userinfo(&signed_in.access_token, &signed_in.subject, sandbox.now()).await;
            assert_eq!(asked.err().map(|error| error.code()), outcome, "a token after {seconds} s");
        }
        let browser = Browser::new();
        let begun = sandbox.begin(&BeginOptions::default()).await;
        sandbox.choose(&browser, &begun, "rose-marchal").await;
        for (wait, status) in [
            (Duration::minutes(minutes) - Duration::SECOND, StatusCode::SEE_OTHER),
            (Duration::SECOND, StatusCode::OK),
        ] {
            sandbox.clock.advance(wait);
            let again = sandbox.begin(&BeginOptions::default()).await;
            assert_eq!(
                browser.get(again.url.as_str()).await.status,
                status,
                "a session of {minutes} minutes"
            );
        }
    }
}

#[tokio::test]
async fn signing_out_leads_back_to_a_registered_address_with_our_state_and_to_no_other() {
    let sandbox = Sandbox::start(Flavour::Citizens).await;
    let browser = Browser::new();
    let begun = sandbox.begin(&BeginOptions::default()).await;
    let back = sandbox.choose(&browser, &begun, "rose-marchal").await;
    let signed_in = sandbox.complete(&begun, &back).await.ok().unwrap();
    let there = Url::parse(SIGNED_OUT).unwrap();
    let state = &begun.expected.state;
    let url = sandbox.party.logout_url(&signed_in.id_token, &there, Some(state), sandbox.now()).await;
    let url = url.unwrap().unwrap();
    assert_eq!(url.path(), "/api/v2/session/end");
    assert_eq!(sorted(query_of(&url).keys()), ["id_token_hint", "post_logout_redirect_uri", "state"]);
    for (from, to) in [
        ("id_token_hint=", "id_token_hint=x"),
        ("id_token_hint=", "hint="),
        ("signed-out", "signed-out%2F"),
        ("signed-out", "elsewhere"),
    ] {
        let refused = browser.get(&url.as_str().replace(from, to)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{to}");
    }
    let again = sandbox.begin(&BeginOptions::default()).await;
    let known = browser.get(again.url.as_str()).await.status;
    assert_eq!(known, StatusCode::SEE_OTHER, "a refused sign-out ends nothing");
    sandbox.clock.advance(Duration::minutes(5));
    let left = query_of(&browser.get(url.as_str()).await.location());
    assert_eq!(left["state"], *state.expose(), "with a hint that has expired, too");
    let again = sandbox.begin(&BeginOptions::default()).await;
    assert_eq!(browser.get(again.url.as_str()).await.status, StatusCode::OK);
}
