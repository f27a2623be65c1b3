//! The modules of plain OpenID Connect: config, basic and RP-initiated logout. The suite sends no PKCE; these tests do, since
//! no client is exempt from it yet.

use super::*;
use crate::support::database::on_both;
use time::Duration;

/// The whole flow after these changes of the request; the answer of the token endpoint.
async fn tokens(browser: &Browser<'_>, changes: &[(&str, &str)]) -> Value {
    let answer = browser.town.exchange(&browser.code(changes).await, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap()
}

/// A parameter that may be honoured or not, and must not hurt.
async fn harmless(database: TestDatabase, parameter: (&str, &str)) {
    let town = Town::new(database).await;
    let browser = town.browser().await;
    let answer = tokens(&browser, &[parameter]).await;
    assert_eq!(town.userinfo(text(&answer, "access_token")).await.status, 200);
}

/// What the client is told.
async fn told(database: TestDatabase, changes: &[(&str, &str)], error: &str) {
    let town = Town::new(database).await;
    let sent = town.browser().await.get(&format!("/authorize?{}", request(changes))).await;
    assert_eq!(
        (sent.sent_on("error").as_deref(), sent.sent_on("state").as_deref()),
        (Some(error), Some(STATE))
    );
    assert_eq!((sent.sent_on("iss").as_deref(), sent.sent_on("code")), (Some(ISSUER), None));
    assert_eq!(town.representations().await, 0);
}

/// A browser in which a representation is open, and a logout with this of its ID token.
async fn logout(
    database: TestDatabase,
    pairs: impl FnOnce(&str) -> Vec<(String, String)>,
) -> (Town, Answer, String) {
    let town = Town::new(database).await;
    let (answer, token) = {
        let browser = town.browser().await;
        let opened = tokens(&browser, &[]).await;
        let pairs = pairs(text(&opened, "id_token"));
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = browser.get(&format!("/end_session?{}", form(&pairs))).await;
        (answer, text(&opened, "access_token").to_owned())
    };
    (town, answer, token)
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Nobody is sent anywhere; a page asks, and nothing has ended yet.
async fn asked(database: TestDatabase, pairs: impl FnOnce(&str) -> Vec<(String, String)>) {
    let (town, answer, token) = logout(database, pairs).await;
    assert_eq!((answer.status, answer.location()), (200, ""));
    assert!(answer.body.contains("end-session-form"), "a page that asks");
    assert_eq!(town.userinfo(&token).await.status, 200);
}

on_both! {
    oidcc_scope_email(database) {
        let town = Town::new(database).await;
        let answer = town.exchange(&town.browser().await.code(&[("scope", "openid email")]).await, &[]).await.json();
        let given = town.userinfo(answer["access_token"].as_str().unwrap()).await.json();
        let sub = &claims(answer["id_token"].as_str().unwrap())["sub"];
        // Both claims of the scope, and the truth: the provider that identified her does not say that it verified the address.
        assert_eq!(given, json!({"sub": sub, "email": "rose@example.org", "email_verified": false}));
    }

    a_client_exempt_from_pkce_may_send_none_and_is_held_to_what_it_sends(database) {
        let town = Town::new(database).await;
        world::client(town.app(), changed(draft("plain"), &[("pkce", json!("exempt"))])).await;
        let browser = town.browser().await;
        let none = [("client_id", "plain"), ("code_challenge", ""), ("code_challenge_method", "")];
        let with = [("client_id", "plain")];
        let exchange = async |code: &str, verifier: &str| {
            let pairs = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", REDIRECT)];
            let shown = if verifier.is_empty() { Vec::new() } else { vec![("code_verifier", verifier)] };
            let body = form(&[&pairs[..], &shown].concat());
            let answer = town.post("/token", &basic("plain", SECRET), body).await;
            (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
        };
        assert_eq!(exchange(&browser.code(&none).await, "").await, (200, String::new()), "as the suite asks");
        let refused = (400, "invalid_grant".to_owned());
        assert_eq!(exchange(&browser.code(&none).await, VERIFIER).await, refused, "its challenge was taken away");
        assert_eq!(exchange(&browser.code(&with).await, "").await, refused, "its verifier is missing");
        assert_eq!(exchange(&browser.code(&with).await, VERIFIER).await, (200, String::new()));
        let half = [("client_id", "plain"), ("code_challenge", "")];
        let sent = browser.get(&format!("/authorize?{}", request(&half))).await;
        assert_eq!(sent.sent_on("error").as_deref(), Some("invalid_request"), "a method without a challenge");
        let others = [("code_challenge", ""), ("code_challenge_method", "")];
        let sent = browser.get(&format!("/authorize?{}", request(&others))).await;
        assert_eq!(sent.sent_on("error").as_deref(), Some("invalid_request"), "nobody else is exempt");
        town.test.verifies().await;
    }

    oidcc_discovery_endpoint_verification(database) {
        let town = Town::new(database).await;
        let answer = town.get("/.well-known/openid-configuration").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        let document = answer.json();
        assert_eq!(document["issuer"], ISSUER);
        let has = |name: &str, value: &str| document[name].as_array().unwrap().contains(&json!(value));
        assert!(has("response_types_supported", "code") && has("id_token_signing_alg_values_supported", "RS256"));
        assert!(has("scopes_supported", "openid") && has("code_challenge_methods_supported", "S256"));
        for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"] {
            assert!(document[endpoint].as_str().unwrap().starts_with("https://"), "{endpoint}");
        }
        assert_eq!(document["backchannel_logout_supported"], true);
        assert_eq!(document["backchannel_logout_session_supported"], true);
        let jwks = town.get("/jwks").await.json();
        let keys = jwks["keys"].as_array().unwrap();
        let kids: std::collections::BTreeSet<_> = keys.iter().map(|key| key["kid"].to_string()).collect();
        assert_eq!(kids.len(), keys.len(), "each its own kid");
        assert!(keys.iter().all(|key| key.get("d").is_none()), "public keys only");
    }

    oidcc_response_type_missing(database) {
        told(database, &[("response_type", "")], "invalid_request").await;
    }

    oidcc_userinfo_get(database) {
        let town = Town::new(database).await;
        let answer = tokens(&town.browser().await, &[]).await;
        let given = town.userinfo(text(&answer, "access_token")).await;
        assert_eq!((given.status, given.header("content-type")), (200, "application/json"));
        assert_eq!(given.json()["sub"], claims(text(&answer, "id_token"))["sub"]);
    }

    oidcc_userinfo_post_header(database) {
        let town = Town::new(database).await;
        let answer = tokens(&town.browser().await, &[]).await;
        let given = town.post("/userinfo", &format!("Bearer {}", text(&answer, "access_token")), "").await;
        assert_eq!((given.status, &given.json()["sub"]), (200, &claims(text(&answer, "id_token"))["sub"]));
    }

    oidcc_userinfo_post_body(database) {
        let town = Town::new(database).await;
        let answer = tokens(&town.browser().await, &[]).await;
        let body = form(&[("access_token", text(&answer, "access_token"))]);
        let given = town.post("/userinfo", "", body).await;
        assert_eq!((given.status, &given.json()["sub"]), (200, &claims(text(&answer, "id_token"))["sub"]));
    }

    oidcc_alternate_happy_flow(database) {
        let town = Town::new(database).await;
        let answer = tokens(&town.browser().await, &[("scope", "birthdate given_name openid")]).await;
        assert_eq!(answer["scope"], "openid given_name birthdate");
    }

    oidcc_display_page(database) { harmless(database, ("display", "page")).await; }
    oidcc_display_popup(database) { harmless(database, ("display", "popup")).await; }
    oidcc_login_hint(database) { harmless(database, ("login_hint", "samir@example.fr")).await; }
    oidcc_ui_locales(database) { harmless(database, ("ui_locales", "se fr")).await; }
    oidcc_claims_locales(database) { harmless(database, ("claims_locales", "se")).await; }

    oidcc_claims_essential(database) {
        harmless(database, ("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)).await;
    }

    oidcc_ensure_request_with_acr_values_succeeds(database) {
        let town = Town::new(database).await;
        let answer = tokens(&town.browser().await, &[("acr_values", "eidas1 eidas2")]).await;
        assert_eq!(claims(text(&answer, "id_token"))["acr"], "eidas1", "one that was asked for");
    }

    oidcc_max_age_1(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let first = claims(text(&tokens(&browser, &[]).await, "id_token"));
        town.test.clock.advance(Duration::seconds(5));
        let waits = browser.get(&format!("/authorize?{}", request(&[("max_age", "1")]))).await;
        assert_eq!(browser.get(waits.location()).await.location(), "/aidant/sign-in", "a second sign-in");
        let again = town.browser().await;
        let second = claims(text(&tokens(&again, &[("max_age", "1")]).await, "id_token"));
        let later = second["auth_time"].as_i64().unwrap() - first["auth_time"].as_i64().unwrap();
        assert_eq!((later, &second["auth_time"]), (5, &json!(town.app().now().seconds())));
    }

    oidcc_max_age_10000(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let first = claims(text(&tokens(&browser, &[]).await, "id_token"));
        town.test.clock.advance(Duration::seconds(5));
        let second = claims(text(&tokens(&browser, &[("max_age", "10000")]).await, "id_token"));
        assert_eq!(first["auth_time"], second["auth_time"], "no second sign-in");
        assert_eq!(first["sub"], second["sub"]);
    }

    oidcc_ensure_registered_redirect_uri(database) {
        let town = Town::new(database).await;
        let other = "https://caisse.example/cb/more?dummy1=lorem";
        let page = town.browser().await.get(&format!("/authorize?{}", request(&[("redirect_uri", other)]))).await;
        assert_eq!((page.status, page.location()), (400, ""));
        assert!(page.body.contains("redirect_uri_unregistered"));
        assert_eq!(town.representations().await, 0);
    }

    oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(database) {
        let object = format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"), URL_SAFE_NO_PAD.encode("{}"));
        told(database, &[("request", &object)], "request_not_supported").await;
    }

    oidcc_ensure_request_object_with_redirect_uri(database) {
        let town = Town::new(database).await;
        let inside = URL_SAFE_NO_PAD.encode(json!({"redirect_uri": REDIRECT}).to_string());
        let object = format!("{}.{inside}.", URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}"));
        let changes = [("redirect_uri", "https://caisse.example/wrong"), ("request", &*object)];
        let page = town.browser().await.get(&format!("/authorize?{}", request(&changes))).await;
        assert_eq!((page.status, page.location()), (400, ""), "the error page");
    }

    oidcc_ensure_request_with_valid_pkce_succeeds(database) {
        let town = Town::new(database).await;
        let code = town.browser().await.code(&[]).await;
        let wrong = town.exchange(&code, &[("code_verifier", &"x".repeat(43))]).await;
        assert_eq!((wrong.status, &wrong.json()["error"]), (400, &json!("invalid_grant")));
        assert!(!tokens(&town.browser().await, &[]).await["id_token"].is_null());
    }

    oidcc_rp_initiated_logout_no_state(database) {
        let (town, answer, token) = logout(database, |hint| {
            vec![pair("id_token_hint", hint), pair("post_logout_redirect_uri", AFTER)]
        }).await;
        assert_eq!((answer.status, answer.location()), (303, AFTER));
        assert_eq!(town.userinfo(&token).await.status, 401);
    }

    oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(database) {
        let bad = "https://caisse.example/bad";
        asked(database, |hint| vec![pair("id_token_hint", hint), pair("post_logout_redirect_uri", bad)]).await;
    }

    oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(database) {
        let added = format!("{AFTER}?foo=bar");
        asked(database, |hint| vec![pair("id_token_hint", hint), pair("post_logout_redirect_uri", &added)]).await;
    }

    oidcc_rp_initiated_logout_no_id_token_hint(database) {
        asked(database, |_| vec![pair("post_logout_redirect_uri", AFTER), pair("state", STATE)]).await;
    }

    oidcc_rp_initiated_logout_modified_id_token_hint(database) {
        asked(database, |hint| {
            let none = URL_SAFE_NO_PAD.encode("{\"alg\":\"none\"}");
            let modified = format!("{none}.{}.", hint.split('.').nth(1).unwrap());
            vec![pair("id_token_hint", &modified), pair("post_logout_redirect_uri", AFTER)]
        }).await;
    }

    oidcc_rp_initiated_logout_bad_id_token_hint(database) {
        asked(database, |hint| {
            let bad = signed(9, &json!({"alg": "EdDSA", "typ": "JWT", "kid": "k"}), &claims(hint));
            vec![pair("id_token_hint", &bad), pair("post_logout_redirect_uri", AFTER)]
        }).await;
    }

    oidcc_rp_initiated_logout_no_params(database) { asked(database, |_| Vec::new()).await; }
    oidcc_rp_initiated_logout_only_state(database) { asked(database, |_| vec![pair("state", STATE)]).await; }

    oidcc_rp_initiated_logout_no_post_logout_redirect_uri(database) {
        let (town, answer, token) = logout(database, |hint| vec![pair("id_token_hint", hint)]).await;
        assert_eq!((answer.status, answer.location()), (303, "/signed-out"), "the page that says so");
        assert_eq!(town.userinfo(&token).await.status, 401);
    }
}
