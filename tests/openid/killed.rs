//! The service dies among requests: what it had answered stands, and everything that stands verifies.

use super::*;
use crate::support::database::on_both;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// How many representations are under way when it dies.
const FLOWS: usize = 12;

fn doomed() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Carries representations out until it is killed; keeps each access token that was answered.
fn work(doomed: &Runtime, town: Town, answered: &Arc<Mutex<Vec<String>>>) {
    let town = Arc::new(town);
    for _ in 0..FLOWS {
        let (town, answered) = (Arc::clone(&town), Arc::clone(answered));
        doomed.spawn(async move {
            loop {
                let browser = town.browser().await;
                let answer = town.exchange(&browser.code(&[]).await, &[]).await.json();
                let token = answer["access_token"].as_str().unwrap().to_owned();
                assert_eq!(town.userinfo(&token).await.status, 200);
                answered.lock().unwrap().push(token);
            }
        });
    }
}

on_both! {
    a_service_killed_among_requests_keeps_what_it_answered(database) {
        let town = Town::new(database).await;
        town.app().store.close().await;
        let answered: Arc<Mutex<Vec<String>>> = Arc::default();
        for more in [1, 7, 20] {
            let before = answered.lock().unwrap().len();
            let doomed = doomed();
            let test = doomed.spawn({
                let test = town.test.clone();
                async move { test.replica().await }
            });
            let served = town.beside(test.await.unwrap());
            work(&doomed, served, &answered);
            // All the others are somewhere in the middle.
            let enough = async {
                while answered.lock().unwrap().len() < before + more {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            };
            tokio::time::timeout(Duration::from_mins(2), enough).await.expect("it answers");
            doomed.shutdown_background();
            // What it had sent to the database may still arrive there.
            tokio::time::sleep(Duration::from_millis(200)).await;

            let again = town.beside(town.test.replica().await);
            while again.app().store.sequence_once().await.unwrap() > 0 {}
            again.test.verifies().await;
            let opened = again.entries("representation.opened").await.len();
            assert_eq!(usize::try_from(again.representations().await), Ok(opened), "no fact and no entry alone");
            again.app().store.close().await;
        }
        let again = town.beside(town.test.replica().await);
        let answered = answered.lock().unwrap().clone();
        for token in &answered {
            assert_eq!(again.userinfo(token).await.status, 200, "what was answered stands");
        }
    }
}
