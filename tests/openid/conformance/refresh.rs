//! Refresh tokens: only for services registered for them, and never longer than the representation they belong to.

use super::super::refusals::revoke;
use super::*;
use crate::support::database::on_both;
use time::Duration;

/// A town with two plain services that are given refresh tokens, and one of each profile that is not.
async fn town(database: TestDatabase) -> Town {
    let town = Town::new(database).await;
    for id in ["long", "longer"] {
        world::client(town.app(), changed(draft(id), &[("refresh", json!("within_representation"))])).await;
    }
    town
}

/// What a whole flow gives a service.
async fn given(browser: &Browser<'_>, client: &str) -> Value {
    let code = browser.code(&[("client_id", client)]).await;
    let answer = browser.town.exchange_as(&basic(client, SECRET), &code, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn refreshes(town: &Town, client: &str, token: &str, more: &[(&str, &str)]) -> Answer {
    let pairs = [&[("grant_type", "refresh_token"), ("refresh_token", token)], more].concat();
    town.post("/token", &basic(client, SECRET), form(&pairs)).await
}

fn text<'v>(answer: &'v Value, name: &str) -> &'v str {
    answer[name].as_str().unwrap_or_else(|| panic!("{name}: {answer}"))
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

const REFUSED: &str = "representation.refresh_refused";

on_both! {
    oidcc_refresh_token(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let first = given(&browser, "long").await;
        let refresh = text(&first, "refresh_token");
        assert!(refresh.len() >= 43, "256 bits");
        town.test.clock.advance(Duration::minutes(6));
        assert_eq!(town.userinfo(text(&first, "access_token")).await.status, 401, "its five minutes are over");
        let answer = refreshes(&town, "long", refresh, &[]).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
        let second = answer.json();
        assert_eq!(second.get("refresh_token"), None, "the one it has serves on");
        assert_ne!(second["access_token"], first["access_token"]);
        assert_eq!(town.userinfo(text(&second, "access_token")).await.status, 200);
        let (before, after) = (claims(text(&first, "id_token")), claims(text(&second, "id_token")));
        for same in ["iss", "sub", "aud", "auth_time", "acr", "sid", "act", "authorization_details"] {
            assert_eq!(before[same], after[same], "{same}");
        }
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
        assert_eq!(after.get("nonce"), None, "it belongs to the request it came with");
        let other = refreshes(&town, "longer", refresh, &[]).await;
        assert_eq!(told(&other), invalid_grant(), "another client's");
        assert_eq!(town.entries(REFUSED).await, ["refresh_token_of_other_client"]);
        assert_eq!(town.entries("representation.tokens_refreshed").await, [""]);
        assert_eq!(refreshes(&town, "long", refresh, &[]).await.status, 200, "which cost its owner nothing");
        town.test.verifies().await;
    }

    fapi2_security_profile_final_refresh_token(database) {
        let town = Town::new(database).await;
        for service in [&ONE, &TWO] {
            let draft = changed(service.draft(), &[("refresh", json!("within_representation"))]);
            world::client(town.app(), draft).await;
        }
        let browser = town.browser().await;
        let code = ONE.code(&browser, &[]).await;
        let refresh = ONE.exchange(&town, &code, &[]).await.json();
        let refresh = text(&refresh, "refresh_token").to_owned();
        let asks = async |service: &Service, assertion: Option<&str>, proofs: &[&str]| {
            let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", &refresh), ("client_id", service.id)];
            if let Some(assertion) = assertion {
                pairs.extend([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]);
            }
            sent(&town, "/token", &form(&pairs), proofs).await
        };
        let assertion = |service: &Service| service.assertion(&town, &[]);
        let (own, other) = (ONE.holder().proof(&town, AT_TOKEN, &[]), TWO.holder().proof(&town, AT_TOKEN, &[]));
        assert_eq!(told(&asks(&ONE, None, &[&own]).await), (401, "invalid_client".to_owned()));
        let bare = asks(&ONE, Some(&assertion(&ONE)), &[]).await;
        assert_eq!(told(&bare), (400, "invalid_dpop_proof".to_owned()));
        assert_eq!(told(&asks(&ONE, Some(&assertion(&ONE)), &[&other]).await), invalid_grant());
        let theirs = TWO.holder().proof(&town, AT_TOKEN, &[]);
        assert_eq!(told(&asks(&TWO, Some(&assertion(&TWO)), &[&theirs]).await), invalid_grant());
        let mut codes = town.entries(REFUSED).await;
        codes.sort_unstable();
        assert_eq!(codes, ["dpop_absent", "refresh_token_of_other_client", "refresh_token_of_other_key"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 2, "nothing was given");
        for _ in 0..2 {
            let answer = asks(&ONE, Some(&assertion(&ONE)), &[&ONE.holder().proof(&town, AT_TOKEN, &[])]).await;
            assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{}", answer.body);
            let answer = answer.json();
            let token = text(&answer, "access_token");
            let shown = [format!("DPoP {token}")];
            let proof = ONE.holder().proof_of(&town, token, &[]);
            assert_eq!(userinfo(&town, &shown, &[&proof]).await.status, 200);
            // The same one still works half a minute later.
            town.test.clock.advance(Duration::seconds(30));
        }
        town.test.verifies().await;
    }

    a_refresh_token_dies_with_its_representation_and_its_mandate(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let refresh = text(&given(&browser, "long").await, "refresh_token").to_owned();
        town.test.clock.advance(Duration::minutes(58));
        let last = refreshes(&town, "long", &refresh, &[]).await.json();
        assert_eq!(last["expires_in"], 120, "no longer than the representation");
        town.test.clock.advance(Duration::minutes(3));
        assert_eq!(told(&refreshes(&town, "long", &refresh, &[]).await), invalid_grant());
        assert_eq!(town.entries(REFUSED).await, ["representation_closed"]);

        let browser = town.browser().await;
        let refresh = text(&given(&browser, "longer").await, "refresh_token").to_owned();
        revoke(&town).await;
        assert_eq!(told(&refreshes(&town, "longer", &refresh, &[]).await), invalid_grant());
        let mut codes = town.entries(REFUSED).await;
        codes.sort_unstable();
        assert_eq!(codes, ["mandate_revoked", "representation_closed"]);
        assert_eq!(town.entries("mandate.ending_known").await, [""], "the service learned of the end");
        town.test.verifies().await;
    }

    a_code_that_comes_twice_kills_the_refresh_token_too(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[("client_id", "long")]).await;
        let caller = basic("long", SECRET);
        let first = town.exchange_as(&caller, &code, &[]).await.json();
        assert_eq!(town.exchange_as(&caller, &code, &[]).await.status, 400);
        assert_eq!(told(&refreshes(&town, "long", text(&first, "refresh_token"), &[]).await), invalid_grant());
        assert_eq!(town.count("SELECT count(*) FROM access_token WHERE revoked_at IS NULL").await, 0);
    }

    a_refresh_token_opens_no_resource_and_only_those_registered_are_given_one(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let long = given(&browser, "long").await;
        let refresh = text(&long, "refresh_token");
        assert_eq!(town.userinfo(refresh).await.status, 401);
        assert!(town.entries("representation.claims_refused").await.is_empty(), "it is no access token at all");
        assert_eq!(given(&browser, "caisse").await.get("refresh_token"), None);
        // Nor does an access token refresh.
        assert_eq!(told(&refreshes(&town, "long", text(&long, "access_token"), &[]).await), invalid_grant());
        let nobody = refreshes(&town, "caisse", refresh, &[]).await;
        assert_eq!(told(&nobody), (400, "unauthorized_client".to_owned()));
        for (body, error) in [("grant_type=refresh_token", "invalid_request"), ("grant_type=password", "unsupported_grant_type")] {
            assert_eq!(told(&town.post("/token", &basic("long", SECRET), body).await), (400, error.to_owned()));
        }
    }

    a_refreshed_token_is_narrower_when_asked_and_never_wider(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let refresh = text(&given(&browser, "long").await, "refresh_token").to_owned();
        let narrow = refreshes(&town, "long", &refresh, &[("scope", "openid birthdate")]).await.json();
        assert_eq!(narrow["scope"], "openid birthdate");
        let told_claims = town.userinfo(text(&narrow, "access_token")).await.json();
        assert_eq!((told_claims.get("given_name"), told_claims["birthdate"].is_string()), (None, true));
        let wide = refreshes(&town, "long", &refresh, &[("scope", "openid birthdate email")]).await;
        assert_eq!(told(&wide), (400, "invalid_scope".to_owned()));
        assert_eq!(town.entries(REFUSED).await, ["invalid_scope"]);
        let whole = refreshes(&town, "long", &refresh, &[]).await.json();
        assert_eq!(whole["scope"], "openid given_name birthdate");
    }

    a_service_gives_its_refresh_token_back_and_with_it_all_that_it_gave(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let first = given(&browser, "long").await;
        let refresh = text(&first, "refresh_token");
        let asks = async |path: &str, token: &str| {
            town.post(path, &basic("long", SECRET), form(&[("token", token)])).await
        };
        let active = asks("/introspect", refresh).await.json();
        let end = town.mandate.mandate.id.as_str();
        assert_eq!((&active["active"], &active["authorization_details"][0]["identifier"]), (&json!(true), &json!(end)));
        assert_eq!(active["exp"].as_i64().unwrap() - active["iat"].as_i64().unwrap(), 3600);
        assert_eq!(asks("/revoke", refresh).await.status, 200);
        assert_eq!(asks("/introspect", refresh).await.json(), json!({"active": false}));
        assert_eq!(town.userinfo(text(&first, "access_token")).await.status, 401);
        assert_eq!(told(&refreshes(&town, "long", refresh, &[]).await), invalid_grant());
        assert_eq!(town.entries(REFUSED).await, ["refresh_token_not_live"]);
        assert_eq!(town.entries("representation.token_revoked").await, [""]);
        town.test.verifies().await;
    }
}
