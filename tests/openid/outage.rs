//! The database is gone for a while: everything is refused, nothing is lost, nothing is done twice, and the service finds
//! its way back by itself.

use super::*;
use crate::support::app::Pace;
use crate::support::database::on_both;
use crate::support::gate::Gate;
use crate::support::state::State;
use porteplume::storage::{Engine, StoreOptions};
use std::time::Duration;

/// Three things persons and services were about to do.
struct AboutTo<'t> {
    browser: Browser<'t>,
    handle: String,
    code: String,
    token: String,
}

impl<'t> AboutTo<'t> {
    async fn begin(town: &'t Town) -> Self {
        let (one, two, browser) = (town.browser().await, town.browser().await, town.browser().await);
        let answer = town.exchange(&one.code(&[]).await, &[]).await.json();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { code: two.code(&[]).await, handle: browser.asks(&[]).await, browser, token }
    }

    /// The same, at another instance.
    fn at<'o>(&self, town: &'o Town) -> AboutTo<'o> {
        let (handle, code, token) = (self.handle.clone(), self.code.clone(), self.token.clone());
        AboutTo { browser: self.browser.at(town), handle, code, token }
    }

    /// All of them at once: the choice, the exchange, the claims.
    async fn go_on(&self) -> [Answer; 3] {
        let town = self.browser.town;
        let choice = self.browser.confirms(&self.handle, &town.mandate, PRIME);
        let (choice, exchange, claims) =
            tokio::join!(choice, town.exchange(&self.code, &[]), town.userinfo(&self.token));
        [choice, exchange, claims]
    }
}

/// Refused for now, in the language of whoever asked, without a word of the database's.
fn refused_for_now([choice, exchange, claims]: &[Answer; 3]) {
    assert_eq!(choice.status, 503, "{}", choice.body);
    assert!(choice.body.contains("page-error"), "{}", choice.body);
    for answer in [exchange, claims] {
        assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("temporarily_unavailable")));
    }
    for answer in [choice, exchange, claims] {
        for told in
            ["porteplume_test", "sqlx", "SELECT", "PostgreSQL", "SQLite", "database is locked", "terminat"]
        {
            assert!(!answer.body.contains(told), "{told}: {}", answer.body);
        }
    }
}

/// Everything goes on where it stopped, once.
async fn all_is_well_again(town: &Town, about: &AboutTo<'_>) {
    let [choice, exchange, claims] = about.go_on().await;
    assert!(choice.sent_on("code").is_some(), "{} {}", choice.status, choice.body);
    assert_eq!((exchange.status, claims.status), (200, 200), "{} {}", exchange.body, claims.body);
    assert_eq!((town.representations().await, town.open_representations().await), (3, 3));
    assert_eq!(town.count("SELECT count(*) FROM access_token").await, 2);
    assert_eq!(town.entries("representation.opened").await.len(), 3);
    assert_eq!(town.entries("representation.tokens_issued").await.len(), 2);
    town.test.verifies().await;
}

on_both! {
    a_database_that_is_gone_for_a_while_loses_nothing_and_does_nothing_twice(database) {
        let town = Town::new(database).await;
        let about = AboutTo::begin(&town).await;
        let before = State::of(&town.test.database).await;
        let outage = town.test.database.outage().await;
        refused_for_now(&about.go_on().await);
        outage.ends().await;
        assert_eq!(State::of(&town.test.database).await, before);
        all_is_well_again(&town, &about).await;
    }
}

#[tokio::test]
async fn a_journal_that_is_behind_takes_nothing_on_until_it_has_caught_up() {
    let town = Town::new(TestDatabase::fresh(Engine::Postgres).await).await;
    let about = AboutTo::begin(&town).await;
    town.app().store.close().await;
    let longest_wait = Duration::from_millis(300);
    let options = StoreOptions { sequencing: false, longest_wait, ..town.test.database.options() };
    let pace = Pace { patience: Duration::from_millis(200), request_seconds: 30 };
    let behind = town.beside(town.test.opened_with(&options, pace).await);
    // One entry that waits is enough.
    behind.browser().await.asks(&[]).await;
    let about = about.at(&behind);
    let stops = async {
        while about.browser.get("/health/ready").await.status != 503 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stops).await.unwrap();
    let before = State::of(&town.test.database).await;
    let answers = about.go_on().await;
    refused_for_now(&answers);
    assert!(answers[0].body.contains("Le registre a du retard"), "{}", answers[0].body);
    assert_eq!(answers[0].header("retry-after"), "2");
    assert_eq!(State::of(&town.test.database).await, before);
    while behind.app().store.sequence_once().await.unwrap() > 0 {}
    let well = async {
        while about.browser.get("/health/ready").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), well).await.unwrap();
    town.test.verifies().await;
}

#[tokio::test]
async fn a_database_that_stops_answering_keeps_nobody_waiting_for_ever() {
    let town = Town::new(TestDatabase::fresh(Engine::Postgres).await).await;
    let straight = town.test.database.options();
    let mut url = url::Url::parse(&straight.url).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let gate = Gate::before(server).await;
    url.set_port(Some(gate.port())).unwrap();
    let options = StoreOptions { url: url.into(), ..straight };
    let pace = Pace { patience: Duration::from_secs(30), request_seconds: 5 };
    let gated = town.beside(town.test.opened_with(&options, pace).await);
    let about = AboutTo::begin(&town).await.at(&gated);
    let before = State::of(&town.test.database).await;
    gate.shut();
    refused_for_now(&about.go_on().await);
    assert_eq!(State::of(&town.test.database).await, before);
    gate.reopen();
    all_is_well_again(&gated, &about).await;
}
