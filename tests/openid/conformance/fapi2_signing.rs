//! FAPI 2.0 Message Signing Final: what it adds to the security profile, signed requests (RFC 9101) and answers (JARM).

use super::fapi2_assertions::rsa_key;
use super::*;
use crate::support::database::on_both;
use porteplume::crypto::{JwsAlg, verify_jws};

/// A town whose first service must sign its requests, and whose second may.
async fn signing_town(database: TestDatabase) -> Town {
    let town = Town::new(database).await;
    world::client(town.app(), changed(ONE.draft(), &[("request_objects", json!("demanded"))])).await;
    world::client(town.app(), TWO.draft()).await;
    town
}

/// The claims of a usual request object.
fn asked(town: &Town, service: &Service) -> Value {
    let now = town.app().now().seconds();
    json!({
        "iss": service.id, "aud": ISSUER, "exp": now + 300, "nbf": now, "iat": now, "jti": jti(),
        "client_id": service.id, "response_type": "code", "redirect_uri": REDIRECT, "scope": "openid given_name",
        "state": STATE, "nonce": "n-0S6_WzA2Mj", "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    })
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "oauth-authz-req+jwt", "kid": "k"})
}

/// Pushes that object, and what else is to stand beside it.
async fn push(town: &Town, service: &Service, object: &str, beside: &[(&str, &str)]) -> Answer {
    let assertion = service.assertion(town, &[]);
    let usual = [
        ("client_id", service.id),
        ("request", object),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    sent(town, "/par", &form(&[&usual, beside].concat()), &[]).await
}

/// Pushes an object after changes of its claims.
async fn push_changed(town: &Town, changes: &[(&str, Value)]) -> Answer {
    push(town, &ONE, &signed(ONE.seed, &header(), &changed(asked(town, &ONE), changes)), &[]).await
}

/// Carries what was pushed through; gives where it led.
async fn carried(browser: &Browser<'_>, service: &Service, pushed: &Answer) -> Answer {
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let page = browser.get(&service.brings(pushed.json()["request_uri"].as_str().unwrap())).await;
    assert_eq!(page.status, 200, "{}", page.body);
    browser.confirms(&handle_in(&page.body), &browser.town.mandate, PRIME).await
}

/// Whether an object with these claims is taken.
async fn succeeds(database: TestDatabase, changes: impl FnOnce(i64) -> Vec<(&'static str, Value)>) {
    let town = signing_town(database).await;
    let browser = town.browser().await;
    let pushed = push_changed(&town, &changes(town.app().now().seconds())).await;
    let sent = carried(&browser, &ONE, &pushed).await;
    assert_eq!(sent.sent_on("state").as_deref(), Some(STATE));
    assert_eq!(ONE.exchange(&town, &sent.sent_on("code").unwrap(), &[]).await.status, 200);
}

/// That an object with these claims is refused, and nothing kept.
async fn fails(database: TestDatabase, changes: impl FnOnce(i64) -> Vec<(&'static str, Value)>, code: &str) {
    let town = signing_town(database).await;
    let answer = push_changed(&town, &changes(town.app().now().seconds())).await;
    refused(&town, &answer, code).await;
}

async fn refused(town: &Town, answer: &Answer, code: &str) {
    assert_eq!(told(answer), (400, "invalid_request_object".to_owned()), "{}", answer.body);
    assert_eq!(town.entries("authorization.refused").await, [code]);
    assert_eq!(kept(town).await, 0);
}

/// What a signed answer says, and that nothing stands beside it.
pub(super) fn opened(town: &Town, service: &Service, sent: &Answer) -> Value {
    let (before, jwt) = sent.location().split_once("&response=").expect("one parameter");
    assert_eq!(before, REDIRECT);
    assert!(!jwt.contains('&'), "{jwt}");
    let verified = verify_jws(jwt, &town.app().keys.published().to_value(), &[JwsAlg::Es256]).unwrap();
    assert!(verified.header.kid.is_some());
    let claims: Value = serde_json::from_slice(&verified.payload).unwrap();
    let lives = claims["exp"].as_i64().unwrap() - town.app().now().seconds();
    assert!((1..=600).contains(&lives), "{lives}");
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!(service.id)));
    claims
}

on_both! {
    fapi2_security_profile_final_ensure_request_object_with_multiple_aud_succeeds(database) {
        succeeds(database, |_| vec![("aud", json!([ISSUER, "https://other1.example.com", "invalid"]))]).await;
    }

    fapi2_security_profile_final_ensure_request_object_with_nbf_8_seconds_in_the_future_is_accepted(database) {
        succeeds(database, |now| vec![("nbf", json!(now + 8)), ("iat", json!(now + 8))]).await;
    }

    fapi2_security_profile_final_ensure_request_object_without_exp_fails(database) {
        fails(database, |_| vec![("exp", Value::Null)], "request_object_time").await;
    }

    fapi2_security_profile_final_ensure_request_object_without_nbf_fails(database) {
        fails(database, |_| vec![("nbf", Value::Null)], "request_object_time").await;
    }

    fapi2_security_profile_final_ensure_expired_request_object_fails(database) {
        fails(database, |now| vec![("exp", json!(now - 5 * 60)), ("nbf", json!(now - 600))], "request_object_time").await;
    }

    fapi2_security_profile_final_ensure_request_object_with_bad_aud_fails(database) {
        fails(database, |_| vec![("aud", json!(format!("{ISSUER}1")))], "request_object_party").await;
    }

    fapi2_security_profile_final_ensure_request_object_with_exp_over_60_fails(database) {
        fails(database, |now| vec![("exp", json!(now + 70 * 60))], "request_object_time").await;
    }

    fapi2_security_profile_final_ensure_request_object_with_nbf_over_60_fails(database) {
        fails(database, |now| vec![("nbf", json!(now - 70 * 60))], "request_object_time").await;
    }

    fapi2_security_profile_final_ensure_signed_request_object_with_rs256_fails(database) {
        let town = Town::new(database).await;
        // A key that could sign both ways: only the algorithm is wrong.
        let key = rsa_key();
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        let jwk = changed(jwk, &[("alg", Value::Null), ("kid", json!("rsa"))]);
        let changes = [("jwks", json!({"keys": [public(ONE.seed), jwk]})), ("request_objects", json!("demanded"))];
        world::client(town.app(), changed(ONE.draft(), &changes)).await;
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = changed(header(), &[("alg", json!("RS256")), ("kid", json!("rsa"))]);
        let object = format!("{}.{}", text(&header), text(&asked(&town, &ONE)));
        let object = format!("{object}.{}", URL_SAFE_NO_PAD.encode(key.sign(object.as_bytes()).unwrap()));
        refused(&town, &push(&town, &ONE, &object, &[]).await, "request_object_signature").await;
    }

    fapi2_security_profile_final_ensure_request_object_signature_algorithm_is_not_none(database) {
        let town = signing_town(database).await;
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let object = format!("{}.{}.", text(&json!({"alg": "none"})), text(&asked(&town, &ONE)));
        refused(&town, &push(&town, &ONE, &object, &[]).await, "request_object_signature").await;
    }

    fapi2_security_profile_final_ensure_request_object_with_invalid_signature_fails(database) {
        let town = signing_town(database).await;
        let object = signed(ONE.seed, &header(), &asked(&town, &ONE));
        let (text, signature) = object.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[0] ^= 1;
        let object = format!("{text}.{}", URL_SAFE_NO_PAD.encode(bytes));
        refused(&town, &push(&town, &ONE, &object, &[]).await, "request_object_signature").await;
    }

    fapi2_security_profile_final_ensure_matching_key_in_authorization_request(database) {
        let town = signing_town(database).await;
        let object = signed(TWO.seed, &header(), &asked(&town, &ONE));
        refused(&town, &push(&town, &ONE, &object, &[]).await, "request_object_signature").await;
    }

    fapi2_security_profile_final_ensure_unsigned_request_at_par_endpoint_fails(database) {
        let town = signing_town(database).await;
        let answer = ONE.push(&town, &[]).await;
        assert_eq!(told(&answer), (400, "invalid_request".to_owned()));
        assert_eq!(town.entries("authorization.refused").await, ["request_unsigned"]);
        assert_eq!(kept(&town).await, 0);
        assert_eq!(TWO.push(&town, &[]).await.status, 201, "who need not sign");
    }

    fapi2_security_profile_final_par_authorization_request_containing_request_uri(database) {
        fails(database, |_| vec![("request_uri", json!("urn:ietf:params:oauth:request_uri:x"))], "request_object_malformed").await;
    }

    what_stands_beside_a_request_object_counts_for_nothing(database) {
        let town = signing_town(database).await;
        let browser = town.browser().await;
        let object = signed(TWO.seed, &header(), &changed(asked(&town, &TWO), &[("nonce", Value::Null), ("max_age", json!(600))]));
        let beside = [("state", "other"), ("nonce", "other"), ("redirect_uri", "https://evil.example/"), ("scope", "openid birthdate")];
        let sent = carried(&browser, &TWO, &push(&town, &TWO, &object, &beside).await).await;
        assert!(sent.location().starts_with(REDIRECT), "{}", sent.location());
        assert_eq!(sent.sent_on("state").as_deref(), Some(STATE));
        let answer = TWO.exchange(&town, &sent.sent_on("code").unwrap(), &[]).await.json();
        assert_eq!(answer["scope"], "openid given_name");
        assert_eq!(claims(answer["id_token"].as_str().unwrap()).get("nonce"), None);
    }

    an_object_of_another_kind_or_client_is_no_request(database) {
        let town = signing_town(database).await;
        let now = town.app().now().seconds();
        let usual = asked(&town, &ONE);
        let mut codes = Vec::new();
        for (change, code) in [
            (vec![("iss", json!(TWO.id))], "request_object_party"),
            (vec![("client_id", json!(TWO.id))], "request_object_party"),
            (vec![("client_id", Value::Null)], "request_object_party"),
            // What could serve as an assertion.
            (vec![("sub", json!(ONE.id))], "request_object_party"),
            (vec![("aud", Value::Null)], "request_object_party"),
            (vec![("aud", json!([]))], "request_object_party"),
            (vec![("request", json!("e30.e30."))], "request_object_malformed"),
            (vec![("state", json!(true))], "request_object_malformed"),
            (vec![("state", json!("a\u{0}b"))], "request_object_malformed"),
            (vec![("nbf", json!(now + 61))], "request_object_time"),
        ] {
            let object = signed(ONE.seed, &header(), &changed(usual.clone(), &change));
            let answer = push(&town, &ONE, &object, &[]).await;
            assert_eq!(told(&answer), (400, "invalid_request_object".to_owned()), "{change:?}");
            codes.push(code);
        }
        for header in [
            changed(header(), &[("typ", json!("at+jwt"))]),
            changed(header(), &[("typ", json!("client-authentication+jwt"))]),
        ] {
            let answer = push(&town, &ONE, &signed(ONE.seed, &header, &usual), &[]).await;
            assert_eq!(told(&answer), (400, "invalid_request_object".to_owned()), "{header}");
            codes.push("request_object_malformed");
        }
        let beside = [("request_uri", "urn:ietf:params:oauth:request_uri:x")];
        let answer = push(&town, &ONE, &signed(ONE.seed, &header(), &usual), &beside).await;
        assert_eq!(told(&answer), (400, "invalid_request_object".to_owned()));
        codes.push("request_object_malformed");
        for header in [
            changed(header(), &[("crit", json!(["exp"]))]),
            changed(header(), &[("kid", json!("other"))]),
            changed(header(), &[("alg", json!("HS256"))]),
        ] {
            let answer = push(&town, &ONE, &signed(ONE.seed, &header, &usual), &[]).await;
            assert_eq!(told(&answer), (400, "invalid_request_object".to_owned()), "{header}");
            codes.push("request_object_signature");
        }
        let mut noted = town.entries("authorization.refused").await;
        noted.sort_unstable();
        codes.sort_unstable();
        assert_eq!(noted, codes);
        // What is wrong inside is told as if it had stood outside.
        let inside = push_changed(&town, &[("redirect_uri", Value::Null)]).await;
        assert_eq!(told(&inside), (400, "invalid_request".to_owned()));
        assert_eq!(kept(&town).await, 0);
    }

    a_plain_service_may_bring_a_signed_request_by_the_browser(database) {
        let town = Town::new(database).await;
        let seed = 9;
        let keys = [("auth_method", json!("private_key_jwt")), ("secret_hash", Value::Null), ("jwks", json!({"keys": [public(seed)]}))];
        world::client(town.app(), changed(draft("plain"), &keys)).await;
        let plain = Service { id: "plain", seed, signs: false };
        let browser = town.browser().await;
        let object = |changes: &[(&str, Value)]| signed(seed, &header(), &changed(asked(&town, &plain), changes));
        let brings = |object: &str| format!("/authorize?{}", form(&[("client_id", plain.id), ("request", object)]));
        let shown = browser.get(&brings(&object(&[]))).await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        let sent = browser.confirms(&handle_in(&shown.body), &town.mandate, PRIME).await;
        assert!(sent.sent_on("code").is_some());
        // Nothing says yet where an answer may go: a page.
        page(&browser.get(&brings(&object(&[("exp", Value::Null)]))).await, "request_object_time");
        page(&browser.get(&brings(&signed(8, &header(), &asked(&town, &plain)))).await, "request_object_signature");
        // One without keys cannot sign.
        let unkeyed = format!("/authorize?{}", request(&[("request", &object(&[]))]));
        assert_eq!(browser.get(&unkeyed).await.sent_on("error").as_deref(), Some("request_not_supported"));
    }

    every_answer_is_signed_for_whoever_asks_for_it(database) {
        let town = signing_town(database).await;
        let browser = town.browser().await;
        for mode in ["jwt", "query.jwt"] {
            let wish = [("response_mode", json!(mode))];
            let sent = carried(&browser, &ONE, &push_changed(&town, &wish).await).await;
            let said = opened(&town, &ONE, &sent);
            assert_eq!((&said["state"], said.get("error")), (&json!(STATE), None));
            let code = said["code"].as_str().unwrap();
            assert!(!sent.location().contains(code), "it stands in the signed part alone");
            assert_eq!(ONE.exchange(&town, code, &[]).await.status, 200);
            // Errors too: given up, and silent without anybody.
            let pushed = push_changed(&town, &wish).await.json();
            let shown = browser.get(&ONE.brings(pushed["request_uri"].as_str().unwrap())).await;
            let given_up = browser.post(&format!("/authorize/{}/cancel", handle_in(&shown.body)), &[]).await;
            let said = opened(&town, &ONE, &given_up);
            assert_eq!((&said["error"], &said["state"], said.get("code")), (&json!("access_denied"), &json!(STATE), None));
            let silent = [("response_mode", json!(mode)), ("prompt", json!("none")), ("state", Value::Null)];
            let pushed = push_changed(&town, &silent).await.json();
            let sent = town.stranger().get(&ONE.brings(pushed["request_uri"].as_str().unwrap())).await;
            let said = opened(&town, &ONE, &sent);
            assert_eq!((&said["error"], said.get("state")), (&json!("login_required"), None));
        }
        let unknown = push_changed(&town, &[("response_mode", json!("form_post.jwt"))]).await;
        assert_eq!(told(&unknown), (400, "invalid_request".to_owned()));
        town.test.verifies().await;
    }
}
