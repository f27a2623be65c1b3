//! Codes and tokens in the wrong hands, twice, too late, or after somebody was suspended.

use super::*;
use crate::support::database::on_both;
use porteplume::mandate::EndReason;
use porteplume::service::end::end_mandate;
use porteplume::service::steps::Actor;
use porteplume::storage::mandates;
use std::sync::Arc;
use time::Duration;

/// The usager revokes.
pub(crate) async fn revoke(town: &Town) {
    let app = town.app();
    let (app_, id, now) = (Arc::clone(app), town.mandate.mandate.id.clone(), app.now());
    app.include("test.revoke", move |tx| {
        let (app, id) = (Arc::clone(&app_), id.clone());
        Box::pin(async move {
            let mut row = mandates::load(tx, &id).await?.unwrap();
            end_mandate(&app, tx, &mut row, EndReason::Revoked, (Actor::Usager, &Caller::default(), now))
                .await
        })
    })
    .await
    .unwrap();
}

on_both! {
    oidcc_codereuse(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        let answer = town.exchange(&code, &[]).await.json();
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(town.userinfo(token).await.status, 200);
        let again = town.exchange(&code, &[]).await;
        assert_eq!((again.status, again.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(town.userinfo(token).await.status, 401, "what the first gave is dead");
        let replayed = "SELECT count(*) FROM representation WHERE close_reason = 'replayed'";
        assert_eq!(town.count(replayed).await, 1);
        assert_eq!(town.entries("representation.code_replayed").await, ["code_replayed"]);
        assert_eq!(town.entries("representation.closed").await, [""]);
        assert_eq!(town.entries("representation.claims_refused").await, ["representation_closed"]);
    }

    of_two_exchanges_of_a_code_at_the_same_instant_neither_leaves_a_token_alive(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        let (one, two) = tokio::join!(town.exchange(&code, &[]), town.exchange(&code, &[]));
        let (given, refused) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!((given.status, refused.status), (200, 400), "{} {}", given.body, refused.body);
        assert_eq!(refused.json()["error"], "invalid_grant");
        assert_eq!(town.userinfo(given.json()["access_token"].as_str().unwrap()).await.status, 401);
        assert_eq!(town.entries("representation.tokens_issued").await, [""]);
        assert_eq!(town.entries("representation.code_replayed").await, ["code_replayed"]);
        assert_eq!((town.open_representations().await, town.count("SELECT count(*) FROM access_token").await), (0, 1));
    }

    oidcc_codereuse_30seconds(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        let answer = town.exchange(&code, &[]).await.json();
        town.test.clock.advance(Duration::seconds(30));
        assert_eq!(town.exchange(&code, &[]).await.status, 400);
        assert_eq!(town.userinfo(answer["access_token"].as_str().unwrap()).await.status, 401);
    }

    fapi2_ensure_token_endpoint_fails_with_expired_auth_code(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        town.test.clock.advance(Duration::seconds(62));
        let late = town.exchange(&code, &[]).await;
        assert_eq!((late.status, late.json()["error"].as_str()), (400, Some("invalid_grant")));
        assert_eq!(town.entries("representation.code_exchange_refused").await, ["code_expired"]);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    fapi2_ensure_authorization_code_is_bound_to_client_redirect_uri_and_verifier(database) {
        let town = Town::new(database).await;
        world::client(town.app(), draft("other")).await;
        let browser = town.browser().await;
        let code = browser.code(&[]).await;
        let other = "a".repeat(43);
        let stolen = town.exchange_as(&basic("other", SECRET), &code, &[]).await;
        let elsewhere = town.exchange(&code, &[("redirect_uri", "https://caisse.example/other")]).await;
        let guessed = town.exchange(&code, &[("code_verifier", &other)]).await;
        let without = town.exchange(&code, &[("code_verifier", "")]).await;
        for refused in [stolen, elsewhere, guessed, without] {
            assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")));
        }
        let mut codes = town.entries("representation.code_exchange_refused").await;
        codes.sort();
        let expected = ["code_of_other_client", "code_verifier_mismatch", "code_verifier_missing", "redirect_uri_mismatch"];
        assert_eq!(codes, expected);
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
        assert_eq!(town.exchange(&code, &[]).await.status, 200, "whom it was for may still use it");
    }

    whoever_is_suspended_between_code_and_token_gets_none(database) {
        let town = Town::new(database).await;
        for (party, code) in parties(&town) {
            let browser = town.browser().await;
            let issued = browser.code(&[]).await;
            suspend(&town, party.clone()).await;
            let refused = town.exchange(&issued, &[]).await;
            assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some("invalid_grant")), "{code}");
            assert_eq!(town.entries("representation.code_exchange_refused").await.last().unwrap(), code);
            manage::reinstate(town.app(), &Manager::Operator, &Caller::default(), &party).await.unwrap();
            town.test.clock.advance(Duration::seconds(1));
        }
        assert_eq!(town.count("SELECT count(*) FROM access_token").await, 0);
    }

    whoever_is_suspended_between_token_and_userinfo_learns_nothing(database) {
        let town = Town::new(database).await;
        for (party, code) in parties(&town) {
            let browser = town.browser().await;
            let answer = town.exchange(&browser.code(&[]).await, &[]).await.json();
            suspend(&town, party.clone()).await;
            let refused = town.userinfo(answer["access_token"].as_str().unwrap()).await;
            assert_eq!((refused.status, refused.json()["error"].as_str()), (401, Some("invalid_token")), "{code}");
            assert_eq!(town.entries("representation.claims_refused").await.last().unwrap(), code);
            manage::reinstate(town.app(), &Manager::Operator, &Caller::default(), &party).await.unwrap();
            town.test.clock.advance(Duration::seconds(1));
        }
        assert_eq!(town.entries("representation.claims_released").await, Vec::<String>::new());
    }

    a_revocation_kills_codes_and_tokens_at_once(database) {
        let town = Town::new(database).await;
        let (one, two) = (town.browser().await, town.browser().await);
        let token = town.exchange(&one.code(&[]).await, &[]).await.json();
        let token = token["access_token"].as_str().unwrap();
        let code = two.code(&[]).await;
        revoke(&town).await;
        assert_eq!(town.userinfo(token).await.status, 401);
        assert_eq!(town.exchange(&code, &[]).await.status, 400);
        assert_eq!(town.entries("representation.claims_refused").await, ["mandate_revoked"]);
        assert_eq!(town.entries("representation.code_exchange_refused").await, ["mandate_revoked"]);
        assert_eq!(town.open_representations().await, 0);
        let handle = one.asks(&[]).await;
        let page = one.confirms(&handle, &town.mandate, PRIME).await;
        assert!(page.status == 403 && page.body.contains("mandate_revoked"));
        let silent = one.get(&format!("/authorize?{}", request(&[("prompt", "none")]))).await;
        assert_eq!(silent.sent_on("error").as_deref(), Some("account_selection_required"));
    }
}

/// Everyone whose suspension must stop a representation, with the code it is refused by.
fn parties(town: &Town) -> [(Party, &'static str); 3] {
    [
        (Party::Client(ClientId::parse("caisse").unwrap()), "service_suspended"),
        (Party::Aidant(town.aidant.clone()), "aidant_suspended"),
        (Party::Organisation(town.organisation.clone()), "organisation_suspended"),
    ]
}
