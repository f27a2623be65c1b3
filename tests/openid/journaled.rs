//! What cannot be journaled does not happen, and what did not happen is not journaled: at the protocol's endpoints.

use super::*;
use crate::support::database::on_both;
use crate::support::state::{State, entries};

on_both! {
    no_representation_no_token_and_no_claim_without_an_entry(database) {
        let town = Town::new(database).await;
        let (one, two, browser) = (town.browser().await, town.browser().await, town.browser().await);
        let token = town.exchange(&one.code(&[]).await, &[]).await.json();
        let token = token["access_token"].as_str().unwrap();
        let code = two.code(&[]).await;
        let handle = browser.asks(&[]).await;
        let database = &town.test.database;
        let (before, journal) = (State::of(database).await, entries(database).await);
        for (verb, table) in [("INSERT", "event"), ("INSERT", "event_search")] {
            database.refuses(verb, table).await;
            for page in [
                browser.confirms(&handle, &town.mandate, PRIME).await,
                browser.confirms(&handle, &town.mandate, VITALE).await,
                browser.post(&format!("/authorize/{handle}/cancel"), &[]).await,
                browser.get(&format!("/authorize?{}", request(&[]))).await,
                browser.get(&format!("/authorize?{}", request(&[("client_id", "nobody")]))).await,
            ] {
                assert_eq!((page.status, page.location()), (503, ""), "{}", page.body);
            }
            let wrong = town.exchange_as(&basic("caisse", "wrong"), &code, &[]).await;
            for answer in [town.exchange(&code, &[]).await, town.userinfo(token).await, wrong] {
                assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("temporarily_unavailable")));
            }
            database.takes_again(table).await;
            assert_eq!((State::of(database).await, entries(database).await), (before.clone(), journal), "{table}");
        }
        for (verb, table) in [("INSERT", "representation"), ("INSERT", "authorization_code")] {
            database.refuses(verb, table).await;
            assert_eq!(browser.confirms(&handle, &town.mandate, PRIME).await.status, 503, "{table}");
            database.takes_again(table).await;
        }
        database.refuses("INSERT", "access_token").await;
        assert_eq!(town.exchange(&code, &[]).await.status, 503);
        database.takes_again("access_token").await;
        assert_eq!((State::of(database).await, entries(database).await), (before, journal), "no entry without its fact");
        assert!(browser.confirms(&handle, &town.mandate, PRIME).await.sent_on("code").is_some());
        assert_eq!((town.exchange(&code, &[]).await.status, town.userinfo(token).await.status), (200, 200));
        town.test.verifies().await;
    }
}
