//! No code leaves before its entry stands in the journal. On SQLite it always does; here the database is PostgreSQL, and
//! nobody gives entries their place until the test does.

use super::*;
use porteplume::storage::Engine;

async fn codes(town: &Town) -> i64 {
    town.count("SELECT count(*) FROM authorization_code").await
}

#[tokio::test]
async fn no_code_leaves_before_its_entry_stands_in_the_journal() {
    let town = Town::new(TestDatabase::fresh(Engine::Postgres).await).await;
    let slow = town.beside(town.test.held_back().await);
    let browser = slow.browser().await;
    let handle = browser.asks(&[]).await;
    for time in ["first", "second", "third"] {
        let sent = browser.confirms(&handle, &slow.mandate, PRIME).await;
        assert_eq!((sent.status, sent.sent_on("code")), (303, None), "{time}");
        assert!(sent.location().starts_with(&format!("/authorize/{handle}/confirm?")), "{}", sent.location());
        let page = browser.get(sent.location()).await;
        assert_eq!((page.status, page.header("retry-after")), (202, "2"), "{time}");
        assert!(page.body.contains("page-being-recorded"), "{}", page.body);
        assert!(
            page.body.contains(&format!("href=\"{}\"", sent.location())),
            "a way to go on: {}",
            page.body
        );
    }
    let silent = browser.get(&format!("/authorize?{}", request(&[("prompt", "none")]))).await;
    assert_eq!((silent.status, silent.location()), (202, ""), "nor without a page");
    assert_eq!(
        (slow.representations().await, codes(&slow).await),
        (1, 4),
        "one choice, however often it was sent"
    );
    let live = "SELECT count(*) FROM authorization_code WHERE revoked_at IS NULL";
    assert_eq!(slow.count(live).await, 2, "the choice's last and the silent one: none has left");

    // Another replica gives the entries their place.
    let fast = slow.beside(slow.test.replica().await);
    let browser = browser.at(&fast);
    let choice = format!("{}:{PRIME}", fast.mandate.mandate.id);
    let page = browser.get(&format!("/authorize/{handle}/confirm?choice={choice}")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let other = browser
        .get(&format!("/authorize/{handle}/confirm?choice={}:{PASSPORT}", fast.mandate.mandate.id))
        .await;
    assert_eq!(other.status, 404, "the request is answered; it is not offered again for anything else");
    let code = browser.confirms(&handle, &fast.mandate, PRIME).await.sent_on("code").expect("a code");
    assert_eq!(fast.exchange(&code, &[]).await.status, 200);
    assert_eq!((fast.representations().await, fast.open_representations().await), (1, 1));
    assert_eq!(fast.entries("representation.opened").await, [""]);
}

#[tokio::test]
async fn tokens_and_claims_wait_for_the_journal_too() {
    let town = Town::new(TestDatabase::fresh(Engine::Postgres).await).await;
    let (one, two) = (town.browser().await, town.browser().await);
    let code = one.code(&[]).await;
    let given = town.exchange(&two.code(&[]).await, &[]).await.json();
    let slow = town.beside(town.test.held_back().await);
    let answers =
        [slow.exchange(&code, &[]).await, slow.userinfo(given["access_token"].as_str().unwrap()).await];
    for answer in answers {
        assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("temporarily_unavailable")));
        for held in ["access_token", "id_token", "Rose", "sub"] {
            assert!(!answer.body.contains(held), "{}", answer.body);
        }
    }
}
