//! Under which configuration the service runs.

use crate::support::app::TestApp;
use crate::support::database::on_both;
use porteplume::mandate::EventKind;
use porteplume::service::configuration::{self, Section};
use porteplume::service::{Caller, Record};
use sqlx::Row as _;
use std::sync::Arc;

async fn changes(test: &TestApp) -> i64 {
    let mut raw = test.database.raw().await;
    let query = sqlx::query("SELECT count(*) FROM event_search WHERE kind = $1");
    query.bind(EventKind::ConfigurationChanged.as_str()).fetch_one(&mut raw).await.unwrap().get(0)
}

fn sections(limits: &str) -> Vec<Section> {
    vec![("limits", limits.to_owned()), ("agents", "the hush secret".to_owned())]
}

on_both! {
    a_start_under_another_configuration_is_an_entry_and_one_under_the_same_is_none(database) {
        let test = TestApp::over(database).await;
        let app = Arc::clone(&test.web.app);
        for (limits, entries) in [("one", 1), ("one", 1), ("two", 2), ("two", 2), ("one", 3)] {
            configuration::note(&app, &sections(limits)).await.unwrap();
            assert_eq!(changes(&test).await, entries, "{limits}");
            // Other entries, and time, change nothing of it.
            let (app_, now) = (Arc::clone(&app), app.now());
            let other = app.include("test", move |tx| {
                let app = Arc::clone(&app_);
                Box::pin(async move {
                    Record::done(EventKind::SignedOut).append(&app, tx, &Caller::default(), now).await
                })
            });
            other.await.unwrap();
            test.clock.advance(time::Duration::days(1));
        }
        test.verifies().await;
    }
}
