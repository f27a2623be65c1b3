//! Services that are told of the aidant as the subject, with what authority they have: the other projection of a mandate.

use super::conformance::changed;
use super::refusals::revoke;
use super::*;
use crate::support::database::{TestDatabase, on_both};

async fn town(database: TestDatabase) -> Town {
    let town = Town::new(database).await;
    world::client(town.app(), changed(draft("authority"), &[("subject", json!("aidant"))])).await;
    town
}

on_both! {
    a_service_that_asks_for_it_is_told_of_the_aidant_and_their_authority(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let usual = town.exchange(&browser.code(&[]).await, &[]).await.json();
        let usual = claims(usual["id_token"].as_str().unwrap());
        let code = browser.code(&[("client_id", "authority")]).await;
        let answer = town.exchange_as(&basic("authority", SECRET), &code, &[]).await.json();
        let id_token = claims(answer["id_token"].as_str().unwrap());
        // Both services are of one sector, so that each knows both persons by the same names.
        assert_eq!(id_token["sub"], usual["act"]["sub"]);
        assert_eq!(id_token["acr"], usual["act"]["acr"]);
        for other in ["act", "authorization_details", "rep_scope"] {
            assert_eq!(id_token.get(other), None, "{other}: projections are never mixed");
        }
        let (authority, mandate) = (&id_token["authority"], &usual["authorization_details"][0]);
        assert_eq!(authority["applies_to"], json!({"sub": usual["sub"], "acr": usual["acr"]}));
        assert_eq!(authority["granted_by"], json!({"method": "delegated"}));
        let permission = &authority["permission"][0];
        assert_eq!((&permission["may_delegate"], &permission["role"]["name"]), (&json!(false), &json!("aidant")));
        assert_eq!(permission["role"]["organisation"], usual["act"]["organisation"]);
        assert_eq!(permission["function"]["procedure"], mandate["procedure"]);
        assert_eq!(permission["function"]["acts"], mandate["acts"]);
        assert_eq!(permission["function"]["mandate"], mandate["identifier"]);

        let told = town.userinfo(answer["access_token"].as_str().unwrap()).await.json();
        let about = json!({"sub": usual["sub"], "given_name": "Rose", "birthdate": "1942-02-28"});
        assert_eq!(told, json!({"sub": id_token["sub"], "authority": {"applies_to": about}}));

        let token = answer["access_token"].as_str().unwrap();
        let asked = town.post("/introspect", &basic("authority", SECRET), form(&[("token", token)])).await.json();
        assert_eq!((&asked["sub"], &asked["authority"], asked.get("act")), (&id_token["sub"], authority, None));

        let silent = browser.get(&format!("/authorize?{}", request(&[
            ("client_id", "authority"), ("prompt", "none"), ("id_token_hint", answer["id_token"].as_str().unwrap()),
        ]))).await;
        assert!(silent.sent_on("code").is_some(), "its own hint is known: {}", silent.location());
        revoke(&town).await;
        assert_eq!(town.userinfo(token).await.status, 401);
        town.test.verifies().await;
    }

    its_hint_ends_the_representation_and_its_logout_tokens_name_the_same_subject(database) {
        let town = town(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[("client_id", "authority")]).await;
        let answer = town.exchange_as(&basic("authority", SECRET), &code, &[]).await.json();
        let hint = answer["id_token"].as_str().unwrap();
        let sent = browser.get(&format!("/end_session?{}", form(&[("id_token_hint", hint), ("post_logout_redirect_uri", AFTER)]))).await;
        assert_eq!(sent.location(), AFTER);
        assert_eq!(town.open_representations().await, 0);
    }
}
