//! FAPI 2.0 Security Profile Final: the modules about the authorization request and its answer.

use super::*;
use crate::support::database::on_both;
use time::Duration;

fn invalid_request() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

/// What comes of a pushed request when the address says something else beside it.
async fn beside(browser: &Browser<'_>, pushed: &[(&str, &str)], outside: &[(&str, &str)]) -> Answer {
    let uri = ONE.pushed(browser.town, pushed).await;
    let shown = browser.get(&format!("{}&{}", ONE.brings(&uri), form(outside))).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    browser.confirms(&handle_in(&shown.body), &browser.town.mandate, PRIME).await
}

on_both! {
    fapi2_security_profile_final_discovery_end_point_verification(database) {
        let town = fapi_town(database).await;
        let found = town.get("/.well-known/openid-configuration").await.json();
        assert_eq!(found["pushed_authorization_request_endpoint"], format!("{ISSUER}/par"));
        for (name, value) in [
            ("dpop_signing_alg_values_supported", "ES256"), ("dpop_signing_alg_values_supported", "PS256"),
            ("response_types_supported", "code"), ("token_endpoint_auth_methods_supported", "private_key_jwt"),
            ("code_challenge_methods_supported", "S256"), ("grant_types_supported", "authorization_code"),
            ("id_token_signing_alg_values_supported", "ES256"), ("scopes_supported", "openid"),
            ("token_endpoint_auth_signing_alg_values_supported", "ES256"),
            ("token_endpoint_auth_signing_alg_values_supported", "PS256"),
            ("token_endpoint_auth_signing_alg_values_supported", "EdDSA"),
        ] {
            assert!(found[name].as_array().unwrap().contains(&json!(value)), "{name}: {value}");
        }
        assert_eq!(found["authorization_response_iss_parameter_supported"], true);
        assert_eq!(found["require_pushed_authorization_requests"], false, "a profile's to say");
    }

    fapi2_security_profile_final_user_rejects_authentication(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let shown = browser.get(&ONE.brings(&ONE.pushed(&town, &[]).await)).await;
        let sent = browser.post(&format!("/authorize/{}/cancel", handle_in(&shown.body)), &[]).await;
        assert_eq!((sent.sent_on("error").as_deref(), sent.sent_on("state").as_deref()), (Some("access_denied"), Some(STATE)));
        assert_eq!(sent.sent_on("iss").as_deref(), Some(ISSUER));
        assert!(sent.location().starts_with("https://caisse.example/cb?dummy1=lorem&"), "{}", sent.location());
        assert_eq!(town.entries("authorization.refused").await, ["access_denied"]);
        assert_eq!(town.representations().await, 0);
    }

    fapi2_security_profile_final_ensure_authorization_request_without_state_success(database) {
        let town = fapi_town(database).await;
        let sent = ONE.answered(&town.browser().await, &[("state", "")]).await;
        assert!(sent.sent_on("code").is_some());
        assert_eq!(sent.sent_on("state"), None);
    }

    fapi2_security_profile_final_ensure_authorization_request_without_nonce_success(database) {
        let town = fapi_town(database).await;
        let id_token = ONE.id_token(&town.browser().await, &[("nonce", "")]).await;
        assert_eq!(id_token.get("nonce"), None);
    }

    fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success(database) {
        let town = fapi_town(database).await;
        let nonce = "n".repeat(64);
        assert_eq!(ONE.id_token(&town.browser().await, &[("nonce", &nonce)]).await["nonce"], nonce);
    }

    fapi2_security_profile_final_ensure_authorization_request_with_long_nonce(database) {
        let town = fapi_town(database).await;
        let nonce = "n".repeat(384);
        assert_eq!(ONE.id_token(&town.browser().await, &[("nonce", &nonce)]).await["nonce"], nonce);
        let longer = "n".repeat(513);
        assert_eq!(told(&ONE.push(&town, &[("nonce", &longer)]).await), invalid_request(), "never cut");
    }

    fapi2_security_profile_final_ensure_authorization_request_with_long_state(database) {
        let town = fapi_town(database).await;
        let state = "s".repeat(384);
        assert_eq!(ONE.answered(&town.browser().await, &[("state", &state)]).await.sent_on("state"), Some(state));
        let longer = "s".repeat(513);
        assert_eq!(told(&ONE.push(&town, &[("state", &longer)]).await), invalid_request(), "never cut");
    }

    fapi2_security_profile_final_ensure_other_scope_order_succeeds(database) {
        let town = fapi_town(database).await;
        let id_token = ONE.id_token(&town.browser().await, &[("scope", "birthdate given_name openid")]).await;
        assert_eq!(id_token["aud"], ONE.id);
    }

    fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let sent = beside(&browser, &[("nonce", "inside")], &[("nonce", "outside")]).await;
        let answer = ONE.exchange(&town, &sent.sent_on("code").unwrap(), &[]).await.json();
        assert_eq!(claims(answer["id_token"].as_str().unwrap())["nonce"], "inside");
    }

    fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let outside = [("state", "outside"), ("redirect_uri", "https://caisse.example/other"), ("scope", "email")];
        let sent = beside(&browser, &[("state", "inside")], &outside).await;
        assert_eq!(sent.sent_on("state").as_deref(), Some("inside"));
        assert!(sent.location().starts_with("https://caisse.example/cb?dummy1=lorem&"), "{}", sent.location());
    }

    fapi2_security_profile_final_state_only_outside_request_object_not_used(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let sent = beside(&browser, &[("state", "")], &[("state", "outside")]).await;
        assert!(sent.sent_on("code").is_some());
        assert_eq!(sent.sent_on("state"), None);
    }

    fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(database) {
        let town = fapi_town(database).await;
        assert_eq!(told(&ONE.push(&town, &[("redirect_uri", "")]).await), invalid_request());
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(database) {
        let town = fapi_town(database).await;
        assert_eq!(told(&ONE.push(&town, &[("redirect_uri", "")]).await), invalid_request());
        assert_eq!(town.entries("authorization.refused").await, ["invalid_request"]);
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(database) {
        let town = fapi_town(database).await;
        for uri in ["https://evil.example/cb", "https://caisse.example/cb/more?dummy1=lorem", "https://caisse.example/cb"] {
            assert_eq!(told(&ONE.push(&town, &[("redirect_uri", uri)]).await), invalid_request(), "{uri}");
        }
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let sent = browser.get(&format!("/authorize?{}", request(&[("client_id", ONE.id)]))).await;
        if ONE.signs {
            // What nobody signed says nothing of where an answer may go.
            page(&sent, "request_unsigned");
        } else {
            assert_eq!((sent.status, sent.sent_on("error").as_deref()), (303, Some("invalid_request")));
            assert_eq!(sent.sent_on("state").as_deref(), Some(STATE));
        }
        for uri in ["https://caisse.example/request", "urn:ietf:params:oauth:request_uri:made-up"] {
            assert_eq!(browser.get(&ONE.brings(uri)).await.status, 400, "{uri}");
        }
        assert_eq!(town.entries("authorization.refused").await.len(), 3);
        assert_eq!((kept(&town).await, town.representations().await), (0, 0));
    }

    fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(database) {
        let town = fapi_town(database).await;
        let refused = ONE.push(&town, &[("response_type", "code id_token")]).await;
        assert_eq!(told(&refused), (400, "unsupported_response_type".to_owned()));
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_response_type_token_fails(database) {
        let town = fapi_town(database).await;
        let refused = ONE.push(&town, &[("response_type", "token")]).await;
        assert_eq!(told(&refused), (400, "unsupported_response_type".to_owned()));
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        assert_eq!(told(&TWO.exchange(&town, &code, &[]).await), (400, "invalid_grant".to_owned()));
        assert_eq!(town.entries("representation.code_exchange_refused").await, ["code_of_other_client"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        assert_eq!(ONE.exchange(&town, &code, &[]).await.status, 200);
        town.test.clock.advance(Duration::seconds(1));
        assert_eq!(told(&ONE.exchange(&town, &code, &[]).await), (400, "invalid_grant".to_owned()));
        assert_eq!(town.open_representations().await, 0, "what the first gave is dead");
    }

    fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        town.test.clock.advance(Duration::seconds(62));
        assert_eq!(told(&ONE.exchange(&town, &code, &[]).await), (400, "invalid_grant".to_owned()));
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    fapi2_security_profile_final_ensure_pkce_code_verifier_required(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        let bare = ONE.exchange(&town, &code, &[("code_verifier", "")]).await;
        assert_eq!(told(&bare), (400, "invalid_grant".to_owned()));
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(database) {
        let town = fapi_town(database).await;
        let code = ONE.code(&town.browser().await, &[]).await;
        let wrong = ONE.exchange(&town, &code, &[("code_verifier", &"v".repeat(43))]).await;
        assert_eq!(told(&wrong), (400, "invalid_grant".to_owned()));
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    // The variant `rar` sends the configured details with every pushed request, and wants them in every token answer.
    what_a_service_asks_in_authorization_details_comes_back_in_the_token_answer(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let asked = json!([{"type": "mandate", "procedure": PRIME, "acts": ["prepare", "fill"]}]).to_string();
        let code = ONE.code(&browser, &[("authorization_details", &asked)]).await;
        let answer = ONE.exchange(&town, &code, &[]).await.json();
        let details = answer["authorization_details"].as_array().expect("an array");
        assert!(details.iter().all(|entry| entry["type"].is_string()), "each of a type");
        assert_eq!((&details[0]["type"], &details[0]["procedure"]), (&json!("mandate"), &json!(PRIME)));
        assert_eq!(details[0]["acts"], json!(["prepare", "fill"]), "no more than was asked for");
        let before = kept(&town).await;
        for bad in ["[{\"type\":\"payment\"}]", "[{\"procedure\":\"x\"}]", "{}", "[]", "mandate"] {
            let refused = ONE.push(&town, &[("authorization_details", bad)]).await;
            assert_eq!(told(&refused), (400, "invalid_authorization_details".to_owned()), "{bad}");
        }
        assert_eq!(kept(&town).await, before);
    }
}
