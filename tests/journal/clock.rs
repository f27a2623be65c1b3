//! A clock that goes back an hour: the order is the tree's, whatever entries say of their time, and everything verifies.

use crate::support::app::TestApp;
use crate::support::database::on_both;
use crate::support::world;
use porteplume::mandate::{Instant, Term};
use porteplume::storage::audit;

on_both! {
    a_clock_that_goes_back_an_hour_leaves_one_order_and_a_journal_that_verifies(database) {
        let test = TestApp::over(database).await;
        let app = &test.web.app;
        let organisation = world::organisation(app, "Avant").await;
        let aidant = world::aidant(app, &organisation).await;
        let usager = world::usager(app, &organisation, world::identity("Rose", "Almeida", "1942-02-28")).await;
        let before = app.now();
        test.clock.advance(time::Duration::hours(-1));
        world::organisation(app, "Après").await;
        world::mandate(app, (&organisation, &aidant), &usager, &["prime-activite"], Term::Month).await;
        test.clock.advance(time::Duration::minutes(5));
        world::organisation(app, "Plus tard").await;
        let listed = app.store.read("test", |snapshot| Box::pin(audit::listed(snapshot, 0, 100))).await;
        let listed = listed.map_err(|error: porteplume::storage::StoreError| error).unwrap();
        let order: Vec<u64> = listed.iter().map(|entry| entry.index).collect();
        assert_eq!(order, (0..listed.len() as u64).collect::<Vec<_>>());
        let times: Vec<Instant> = listed.iter().map(|entry| entry.at).collect();
        let back = times.iter().position(|at| *at < before).unwrap();
        assert_eq!(listed[back].kind.as_deref(), Some("organisation.added"), "in the order they were committed");
        assert!(times[..back].iter().all(|at| *at <= before) && times[back..].iter().all(|at| *at < before));
        test.verifies().await;
    }
}
