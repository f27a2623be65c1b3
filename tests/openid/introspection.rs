//! A service asks about a token of its own (RFC 7662, RFC 9701), and gives one back (RFC 7009).

use super::refusals::revoke;
use super::*;
use crate::support::database::on_both;
use porteplume::crypto::{JwsAlg, verify_jws};
use time::Duration;

/// A town with a second service, and a token of the first.
async fn town_with_token(database: TestDatabase) -> (Town, Value) {
    let town = Town::new(database).await;
    world::client(town.app(), draft("other")).await;
    let answer = town.exchange(&town.browser().await.code(&[]).await, &[]).await.json();
    (town, answer)
}

async fn asks(town: &Town, client: &str, path: &str, token: &str) -> Answer {
    town.post(path, &basic(client, SECRET), form(&[("token", token)])).await
}

async fn active(town: &Town, token: &str) -> Value {
    let answer = asks(town, "caisse", "/introspect", token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    answer.json()["active"].clone()
}

on_both! {
    a_service_is_told_of_its_own_working_token_and_of_no_other(database) {
        let (town, given) = town_with_token(database).await;
        let token = given["access_token"].as_str().unwrap();
        let id_token = claims(given["id_token"].as_str().unwrap());
        let told = asks(&town, "caisse", "/introspect", token).await;
        assert_eq!((told.status, told.header("content-type")), (200, "application/json"));
        assert!(!told.body.contains("Rose"), "names are userinfo's");
        let told = told.json();
        let now = town.app().now().seconds();
        for (name, expected) in [
            ("active", json!(true)),
            ("iss", json!(ISSUER)),
            ("client_id", json!("caisse")),
            ("aud", json!("caisse")),
            ("sub", id_token["sub"].clone()),
            ("sid", id_token["sid"].clone()),
            ("act", id_token["act"].clone()),
            ("authorization_details", given["authorization_details"].clone()),
            ("scope", given["scope"].clone()),
            ("token_type", json!("Bearer")),
            ("iat", json!(now)),
            ("exp", json!(now + 300)),
        ] {
            assert_eq!(told[name], expected, "{name}");
        }
        assert_eq!(town.entries("standing.read").await, [""]);
        for (client, token) in [("other", token), ("caisse", "made-up"), ("caisse", given["id_token"].as_str().unwrap())] {
            let answer = asks(&town, client, "/introspect", token).await;
            assert_eq!((answer.status, answer.json()), (200, json!({"active": false})), "{client}");
        }
        assert_eq!(town.entries("standing.read").await, [""], "nothing was told");
        town.test.verifies().await;
    }

    whoever_wants_a_signed_answer_gets_one(database) {
        let (town, given) = town_with_token(database).await;
        let body = form(&[("token", given["access_token"].as_str().unwrap())]);
        let request = Request::post("/introspect")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/token-introspection+jwt")
            .header("authorization", basic("caisse", SECRET));
        let answer = town.ask(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.header("content-type"), "application/token-introspection+jwt");
        let verified = verify_jws(&answer.body, &town.app().keys.published().to_value(), &[JwsAlg::Es256]).unwrap();
        assert_eq!(verified.header.typ.as_deref(), Some("token-introspection+jwt"));
        let claims: Value = serde_json::from_slice(&verified.payload).unwrap();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(ISSUER), &json!("caisse")));
        assert_eq!(claims["token_introspection"]["active"], true);
        assert_eq!(claims.get("sub"), None, "it is no token about a person");
    }

    what_the_usager_ends_is_told_ended_by_the_next_request(database) {
        let (town, given) = town_with_token(database).await;
        let token = given["access_token"].as_str().unwrap();
        assert_eq!(active(&town, token).await, true);
        revoke(&town).await;
        assert_eq!(active(&town, token).await, false);
        assert_eq!(town.entries("representation.standing_refused").await, ["mandate_revoked"]);
        assert_eq!(town.userinfo(token).await.status, 401);
        town.test.verifies().await;
    }

    a_token_past_its_time_is_told_ended_and_nobody_is_alarmed(database) {
        let (town, given) = town_with_token(database).await;
        town.test.clock.advance(Duration::seconds(301));
        assert_eq!(active(&town, given["access_token"].as_str().unwrap()).await, false);
        assert!(town.entries("representation.standing_refused").await.is_empty());
    }

    a_service_ends_its_own_token_and_no_other(database) {
        let (town, given) = town_with_token(database).await;
        let token = given["access_token"].as_str().unwrap();
        for (client, token) in [("other", token), ("caisse", "made-up")] {
            assert_eq!(asks(&town, client, "/revoke", token).await.status, 200, "which tells nothing");
        }
        assert_eq!(active(&town, token).await, true);
        assert!(town.entries("representation.token_revoked").await.is_empty());
        for _ in 0..2 {
            assert_eq!(asks(&town, "caisse", "/revoke", token).await.status, 200);
        }
        assert_eq!(town.entries("representation.token_revoked").await, [""]);
        assert_eq!((active(&town, token).await, town.userinfo(token).await.status), (json!(false), 401));
        assert_eq!(town.open_representations().await, 1, "the representation goes on");
        town.test.verifies().await;
    }

    who_does_not_prove_who_it_is_or_asks_of_nothing_is_refused(database) {
        let (town, given) = town_with_token(database).await;
        let token = given["access_token"].as_str().unwrap();
        let (right, wrong) = (basic("caisse", SECRET), basic("caisse", "guessed"));
        for path in ["/introspect", "/revoke"] {
            for (authorization, body, status, error) in [
                (wrong.as_str(), format!("token={token}"), 401, "invalid_client"),
                ("", format!("token={token}&client_id=caisse"), 401, "invalid_client"),
                (&right, String::new(), 400, "invalid_request"),
                (&right, format!("token={token}&token={token}"), 400, "invalid_request"),
            ] {
                let answer = town.post(path, authorization, body).await;
                assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{path}");
            }
        }
        assert_eq!(active(&town, token).await, true);
    }
}
