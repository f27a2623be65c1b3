//! FAPI 2.0 Security Profile Final: the modules about pushed authorization requests.

use super::*;
use crate::support::database::on_both;
use axum::http::Request;
use time::Duration;

on_both! {
    fapi2_security_profile_final_par_without_duplicate_parameters(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let answer = ONE.push(&town, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (201, "application/json"), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json()["expires_in"], 90);
        let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
        let chance = uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
        assert_eq!(chance.len(), 43, "256 bits");
        let resting = town.count("SELECT count(*) FROM authorization_request WHERE session_hash IS NULL").await;
        assert_eq!(resting, 1);
        let shown = browser.get(&ONE.brings(&uri)).await;
        let handle = handle_in(&shown.body);
        assert_ne!(handle, chance, "a choice has a handle of its own");
        let sent = browser.confirms(&handle, &town.mandate, PRIME).await;
        assert_eq!((sent.sent_on("state").as_deref(), sent.sent_on("iss").as_deref()), (Some(STATE), Some(ISSUER)));
        let by = if ONE.signs { "response" } else { "code" };
        let back = format!("https://caisse.example/cb?dummy1=lorem&{by}=");
        assert!(sent.location().starts_with(&back), "{}", sent.location());
        assert_eq!(ONE.exchange(&town, &sent.sent_on("code").unwrap(), &[]).await.status, 200);
    }

    fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let uri = ONE.pushed(&town, &[]).await;
        // Somebody who is not signed in sees the way to the door; it uses nothing up.
        assert_eq!(town.stranger().get(&ONE.brings(&uri)).await.status, 303);
        let mut handles = Vec::new();
        for _ in 0..2 {
            handles.push(handle_in(&browser.get(&ONE.brings(&uri)).await.body));
        }
        let sent = browser.confirms(&handles[1], &town.mandate, PRIME).await;
        assert!(sent.sent_on("code").is_some(), "{}", sent.location());
        let again = browser.confirms(&handles[1], &town.mandate, PRIME).await;
        assert!(again.sent_on("code").is_some(), "the same choice sent again");
        page(&browser.confirms(&handles[0], &town.mandate, PRIME).await, "invalid_request_uri");
        page(&browser.post(&format!("/authorize/{}/cancel", handles[0]), &[]).await, "invalid_request_uri");
        assert_eq!(town.entries("authorization.refused").await, ["invalid_request_uri"; 2]);
        assert_eq!(town.representations().await, 1);
    }

    fapi2_security_profile_final_par_attempt_reuse_request_uri(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        for (asked, end) in [("", "confirm"), ("", "cancel"), ("none", "silent")] {
            let uri = ONE.pushed(&town, &[("prompt", asked)]).await;
            let first = browser.get(&ONE.brings(&uri)).await;
            let sent = match end {
                "confirm" => browser.confirms(&handle_in(&first.body), &town.mandate, PRIME).await,
                "cancel" => browser.post(&format!("/authorize/{}/cancel", handle_in(&first.body)), &[]).await,
                _ => first,
            };
            assert_eq!((sent.status, sent.sent_on("state").as_deref()), (303, Some(STATE)), "{end}");
            let before = kept(&town).await;
            page(&browser.get(&ONE.brings(&uri)).await, "invalid_request_uri");
            assert_eq!(kept(&town).await, before, "{end}");
        }
        assert_eq!(town.representations().await, 1);
    }

    fapi2_security_profile_final_par_attempt_to_use_expired_request_uri(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let (early, late) = (ONE.pushed(&town, &[]).await, ONE.pushed(&town, &[]).await);
        town.test.clock.advance(Duration::seconds(89));
        let handle = handle_in(&browser.get(&ONE.brings(&early)).await.body);
        town.test.clock.advance(Duration::seconds(1));
        page(&browser.get(&ONE.brings(&late)).await, "invalid_request_uri");
        // Whoever came in time may take their time; what was pushed is known as used for as long.
        town.test.clock.advance(Duration::minutes(14));
        porteplume::service::upkeep::purge(town.app()).await.unwrap();
        assert!(browser.confirms(&handle, &town.mandate, PRIME).await.sent_on("code").is_some());
        assert_eq!(town.entries("authorization.refused").await, ["invalid_request_uri"]);
        town.test.clock.advance(Duration::minutes(30));
        porteplume::service::upkeep::purge(town.app()).await.unwrap();
        assert_eq!(kept(&town).await, 0, "cleaned up");
    }

    fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(database) {
        let town = fapi_town(database).await;
        let browser = town.browser().await;
        let uri = ONE.pushed(&town, &[]).await;
        for other in ["fapi-two", "caisse", "nobody"] {
            let asked = form(&[("client_id", other), ("request_uri", &uri)]);
            let code = if other == "nobody" { "client_unknown" } else { "invalid_request_uri" };
            page(&browser.get(&format!("/authorize?{asked}")).await, code);
        }
        assert_eq!((kept(&town).await, town.representations().await), (1, 0));
        assert_eq!(browser.get(&ONE.brings(&uri)).await.status, 200, "it was not used up");
    }

    fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(database) {
        let town = fapi_town(database).await;
        let uri = ONE.pushed(&town, &[]).await;
        let (told_of, noted) = if ONE.signs {
            ("invalid_request_object", "request_object_malformed")
        } else {
            ("invalid_request", "invalid_request")
        };
        for value in [uri.as_str(), "https://caisse.example/request"] {
            let refused = ONE.push(&town, &[("request_uri", value)]).await;
            assert_eq!(told(&refused), (400, told_of.to_owned()));
        }
        assert_eq!(kept(&town).await, 1);
        assert_eq!(town.entries("authorization.refused").await, [noted; 2]);
    }

    fapi2_security_profile_final_par_attempt_invalid_http_method(database) {
        let town = fapi_town(database).await;
        let shown = form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &ONE.assertion(&town, &[]))]);
        let body = format!("{}&{shown}", request(&[("client_id", ONE.id)]));
        for method in ["PUT", "GET", "DELETE", "PATCH"] {
            let asked = Request::builder().method(method).uri("/par")
                .header("content-type", "application/x-www-form-urlencoded").body(Body::from(body.clone())).unwrap();
            assert_eq!(town.ask(asked).await.status, 405, "{method}");
        }
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_par_ensure_pkce_required(database) {
        let town = fapi_town(database).await;
        assert_eq!(told(&ONE.push(&town, &[("code_challenge", "")]).await), (400, "invalid_request".to_owned()));
        assert_eq!(kept(&town).await, 0);
    }

    fapi2_security_profile_final_par_plain_pkce_rejected(database) {
        let town = fapi_town(database).await;
        for method in ["plain", ""] {
            let refused = ONE.push(&town, &[("code_challenge_method", method)]).await;
            assert_eq!(told(&refused), (400, "invalid_request".to_owned()), "{method}");
        }
        assert_eq!(kept(&town).await, 0);
    }

    what_a_client_pushes_twice_or_too_large_or_suspended_is_refused(database) {
        let town = fapi_town(database).await;
        let shown = form(&[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &ONE.assertion(&town, &[]))]);
        let usual = request(&[("client_id", ONE.id)]);
        for twice in ["state=other", "redirect_uri=https%3A%2F%2Fcaisse.example%2Fother", "client_id=fapi-two", "x=1&x=2"] {
            let refused = town.post("/par", "", format!("{usual}&{shown}&{twice}")).await;
            assert_eq!(told(&refused), (400, "invalid_request".to_owned()), "{twice}");
        }
        for (bytes, status) in [(20_000, 400), (64 * 1024, 413)] {
            let refused = town.post("/par", "", format!("{usual}&{shown}&x={}", "x".repeat(bytes))).await;
            assert_eq!(told(&refused), (status, "invalid_request".to_owned()));
        }
        assert_eq!(town.entries("client.authentication_refused").await, ["invalid_request"; 4]);
        suspend(&town, Party::Client(ClientId::parse(ONE.id).unwrap())).await;
        assert_eq!(told(&ONE.push(&town, &[]).await), (400, "unauthorized_client".to_owned()));
        assert_eq!(town.entries("authorization.refused").await, ["service_suspended"]);
        assert_eq!(kept(&town).await, 0);
    }

    a_client_with_a_secret_may_push_too_and_what_two_browsers_bring_is_answered_once(database) {
        let town = fapi_town(database).await;
        let answer = town.post("/par", &basic("caisse", SECRET), request(&[])).await;
        let uri = answer.json()["request_uri"].as_str().unwrap().to_owned();
        let asked = format!("/authorize?{}", form(&[("client_id", "caisse"), ("request_uri", &uri)]));
        let (one, two) = (town.browser().await, town.browser().await);
        let (first, second) = (one.get(&asked).await, two.get(&asked).await);
        let (first, second) = (handle_in(&first.body), handle_in(&second.body));
        assert_eq!(two.confirms(&first, &town.mandate, PRIME).await.status, 404, "another browser's choice");
        let (first, second) = tokio::join!(
            one.confirms(&first, &town.mandate, PRIME), two.confirms(&second, &town.mandate, PRIME));
        let (sent, refused) = if first.status == 303 { (first, second) } else { (second, first) };
        assert!(sent.sent_on("code").is_some());
        page(&refused, "invalid_request_uri");
        assert_eq!(town.representations().await, 1);
        let wrong = town.post("/par", &basic("caisse", "wrong"), request(&[])).await;
        assert_eq!(told(&wrong), (401, "invalid_client".to_owned()));
    }

    a_request_pushed_at_one_replica_is_brought_to_another(database) {
        let town = fapi_town(database).await;
        let elsewhere = town.beside(town.test.replica().await);
        let uri = ONE.pushed(&town, &[]).await;
        let browser = elsewhere.browser().await;
        let shown = browser.get(&ONE.brings(&uri)).await;
        assert!(browser.confirms(&handle_in(&shown.body), &town.mandate, PRIME).await.sent_on("code").is_some());
        page(&town.browser().await.get(&ONE.brings(&uri)).await, "invalid_request_uri");
    }
}
