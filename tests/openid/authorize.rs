//! The authorization request: what is refused where, and who must sign in (again).

use super::*;
use crate::support::database::on_both;
use porteplume::service::Who;
use time::Duration;

on_both! {
    what_cannot_be_answered_safely_gets_a_page_and_never_a_redirect(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let long = "a".repeat(20_000);
        for (query, code) in [
            (request(&[("client_id", "nobody")]), "client_unknown"),
            (request(&[("client_id", "")]), "client_unknown"),
            (request(&[("redirect_uri", "https://caisse.example/cb/more?dummy1=lorem")]), "redirect_uri_unregistered"),
            (request(&[("redirect_uri", "https://evil.example/cb")]), "redirect_uri_unregistered"),
            (request(&[("redirect_uri", "")]), "redirect_uri_unregistered"),
            (format!("{}&redirect_uri=https%3A%2F%2Fevil.example", request(&[])), "parameter_repeated"),
            (format!("{}&client_id=other", request(&[])), "parameter_repeated"),
            (request(&[("state", &"s".repeat(600))]), "state_unusable"),
            (format!("{}&x={long}", request(&[])), "request_too_large"),
            (format!("{}&x=%FF", request(&[])), "request_not_text"),
        ] {
            let page = browser.get(&format!("/authorize?{query}")).await;
            assert_eq!((page.status, page.location()), (400, ""), "{code}");
            assert!(page.body.contains(code), "{code}");
        }
        assert_eq!(town.count("SELECT count(*) FROM authorization_request").await, 0);
        let mut journaled = town.entries("authorization.refused").await;
        journaled.sort();
        journaled.dedup();
        assert_eq!(journaled, ["client_unknown", "parameter_repeated", "redirect_uri_unregistered", "state_unusable"]);
    }

    what_the_service_may_know_is_told_at_its_own_address(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        for (change, error) in [
            (("response_type", ""), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("scope", "email"), "invalid_scope"),
            (("request", "e30.e30."), "request_not_supported"),
            (("request_uri", "https://a.example/r"), "request_uri_not_supported"),
            (("authorization_details", "[{\"type\":\"payment\"}]"), "invalid_authorization_details"),
            (("max_age", "-1"), "invalid_request"),
            (("prompt", "none login"), "invalid_request"),
        ] {
            let sent = browser.get(&format!("/authorize?{}", request(&[change]))).await;
            assert_eq!(sent.status, 303, "{change:?}");
            assert_eq!(sent.sent_on("error").as_deref(), Some(error), "{change:?}");
            assert_eq!((sent.sent_on("state").as_deref(), sent.sent_on("iss").as_deref()), (Some(STATE), Some(ISSUER)));
        }
        assert_eq!(town.entries("authorization.refused").await.len(), 10);
    }

    a_suspended_service_is_refused_on_a_page(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        suspend(&town, Party::Client(ClientId::parse("caisse").unwrap())).await;
        let page = browser.get(&format!("/authorize?{}", request(&[]))).await;
        assert_eq!((page.status, page.location()), (403, ""));
        assert!(page.body.contains("service_suspended"));
        assert_eq!(town.entries("authorization.refused").await, ["service_suspended"]);
    }

    who_is_not_signed_in_is_led_there_and_the_request_waits_for_this_browser(database) {
        let town = Town::new(database).await;
        let begun = town.stranger().get(&format!("/authorize?{}", request(&[]))).await;
        assert_eq!(begun.status, 303);
        let path = begun.location().to_owned();
        assert!(path.starts_with("/authorize/"), "{path}");
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        let stranger = Browser { town: &town, cookie, session: None };
        let door = stranger.get(&path).await;
        assert_eq!((door.status, door.location()), (303, "/aidant/sign-in"));
        assert!(door.header("set-cookie").starts_with("__Host-porteplume-next="));
        let elsewhere = town.browser().await.get(&path).await;
        assert_eq!(elsewhere.status, 404, "another browser's request");
        assert!(elsewhere.body.contains("not_found"));
        assert_eq!(town.representations().await, 0);
    }

    a_second_factor_older_than_an_hour_is_asked_for_again(database) {
        let town = Town::new(database).await;
        let now = town.app().now();
        let (aidant, level) = (town.aidant.clone(), "eidas2".to_owned());
        for factor_at in [None, Some(now.plus(Duration::hours(-1)))] {
            let who = Who::Aidant {
                aidant: aidant.clone(), authenticated_at: now.plus(Duration::hours(-2)), factor_at, level: level.clone(),
            };
            let browser = town.browser_of(who).await;
            let waits = browser.get(&format!("/authorize?{}", request(&[]))).await;
            let step = browser.get(waits.location()).await;
            assert_eq!((step.status, step.location()), (303, "/aidant/factor"));
            let handle = waits.location().trim_start_matches("/authorize/").to_owned();
            let forced = browser.confirms(&handle, &town.mandate, PRIME).await;
            assert_eq!(forced.status, 403, "a form does not go round the step");
        }
        assert_eq!(town.representations().await, 0);
    }

    oidcc_prompt_none_not_logged_in(database) {
        let town = Town::new(database).await;
        let state = "s".repeat(128);
        let asked = request(&[("prompt", "none"), ("state", &state)]);
        let sent = town.stranger().get(&format!("/authorize?{asked}")).await;
        assert_eq!(sent.sent_on("error").as_deref(), Some("login_required"));
        assert_eq!(sent.sent_on("state"), Some(state));
    }

    oidcc_prompt_none_logged_in(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let silent = |more: &[(&'static str, &'static str)]| request(&[&[("prompt", "none")], more].concat());
        let before = browser.get(&format!("/authorize?{}", silent(&[]))).await;
        assert_eq!(before.sent_on("error").as_deref(), Some("account_selection_required"), "nothing is open yet");
        let first = town.exchange(&browser.code(&[]).await, &[]).await.json();
        town.test.clock.advance(Duration::minutes(3));
        let sent = browser.get(&format!("/authorize?{}", silent(&[]))).await;
        let again = town.exchange(&sent.sent_on("code").expect("a code"), &[]).await.json();
        let (one, two) = (claims(first["id_token"].as_str().unwrap()), claims(again["id_token"].as_str().unwrap()));
        for same in ["sub", "auth_time", "sid", "authorization_details"] {
            assert_eq!(one[same], two[same], "{same}");
        }
        assert_eq!(town.representations().await, 1);
        for (query, error) in [
            (silent(&[("authorization_details", "[{\"type\":\"mandate\",\"procedure\":\"carte-identite-passeport\"}]")]),
                "account_selection_required"),
            (silent(&[("id_token_hint", "e30.e30.e30")]), "account_selection_required"),
            (silent(&[("max_age", "60")]), "login_required"),
        ] {
            let sent = browser.get(&format!("/authorize?{query}")).await;
            assert_eq!(sent.sent_on("error").as_deref(), Some(error), "{query}");
        }
        let elsewhere = town.browser().await.get(&format!("/authorize?{}", silent(&[]))).await;
        assert_eq!(elsewhere.sent_on("error").as_deref(), Some("account_selection_required"), "another browser");
    }

    oidcc_id_token_hint(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let answer = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let hint = answer["id_token"].as_str().unwrap();
        let sent = browser.get(&format!("/authorize?{}", request(&[("prompt", "none"), ("id_token_hint", hint)]))).await;
        assert!(sent.sent_on("code").is_some(), "{}", sent.location());
    }

    oidcc_prompt_login(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        town.test.clock.advance(Duration::seconds(5));
        let waits = browser.get(&format!("/authorize?{}", request(&[("prompt", "login")]))).await;
        assert_eq!(waits.status, 303);
        assert_eq!(browser.get(waits.location()).await.location(), "/aidant/sign-in");
    }

    fapi2_user_rejects_authentication(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let sent = browser.post(&format!("/authorize/{handle}/cancel"), &[]).await;
        assert_eq!((sent.sent_on("error").as_deref(), sent.sent_on("state").as_deref()), (Some("access_denied"), Some(STATE)));
        assert!(sent.location().starts_with("https://caisse.example/cb?dummy1=lorem&"));
        assert_eq!(town.entries("authorization.refused").await, ["access_denied"]);
        assert_eq!(browser.confirms(&handle, &town.mandate, PRIME).await.status, 404, "it was answered");
        assert_eq!(town.representations().await, 0);
    }
}
