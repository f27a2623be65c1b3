//! Cosignatures are counted once a day in an entry: none is taken away unseen, and none comes late.

use super::campaign::desk::vouched_for;
use super::witnesses::grow;
use crate::support::app::TestApp;
use crate::support::database::on_both;
use porteplume::service::cosigned;
use porteplume::storage::Engine;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};
use time::Duration;

/// How often cosignatures were counted.
async fn counts(test: &TestApp) -> i64 {
    let mut raw = test.database.raw().await;
    let entries = "SELECT COUNT(*) FROM event_search WHERE kind = 'journal.cosigned'";
    sqlx::query(entries).fetch_one(&mut raw).await.unwrap().get(0)
}

async fn lines(test: &TestApp) -> Vec<String> {
    test.report(None, test.web.app.now()).await.lines()
}

on_both! {
    a_cosignature_taken_away_is_missed(database) {
        let test = TestApp::over(database).await;
        grow(&test, 3).await.unwrap();
        vouched_for(&test, 3).await;
        test.clock.advance(Duration::hours(25));
        cosigned::round(&test.web.app).await.unwrap();
        assert_eq!((counts(&test).await, lines(&test).await), (1, Vec::new()));
        let mut raw = test.database.raw().await;
        match test.database.engine() {
            Engine::Sqlite => raw.execute("DROP TRIGGER cosignature_never_deleted").await.unwrap(),
            Engine::Postgres => raw.execute("ALTER TABLE cosignature DISABLE TRIGGER USER").await.unwrap(),
        };
        let one = "DELETE FROM cosignature WHERE vkey = (SELECT MIN(vkey) FROM cosignature)";
        raw.execute(AssertSqlSafe(one)).await.unwrap();
        let said = lines(&test).await;
        assert!(said.len() == 1 && said[0].ends_with("(2) are not those that were counted (3)"), "{said:?}");
    }

    cosignatures_are_counted_once_a_day_by_whoever_comes_first_and_nobody_is_alarmed_for_nothing(database) {
        let test = TestApp::over(database).await;
        let other = test.replica().await;
        let round = async || {
            let (one, two) = tokio::join!(cosigned::round(&test.web.app), cosigned::round(&other.web.app));
            one.unwrap();
            two.unwrap();
            assert_eq!(lines(&test).await, Vec::<String>::new());
            counts(&test).await
        };
        grow(&test, 1).await.unwrap();
        assert_eq!(round().await, 0, "there is nothing to count");
        vouched_for(&test, 2).await;
        assert_eq!(round().await, 0, "it may not be all");
        test.clock.advance(Duration::hours(23));
        grow(&test, 1).await.unwrap();
        vouched_for(&test, 1).await;
        assert_eq!(round().await, 0, "not a day");
        test.clock.advance(Duration::hours(2));
        grow(&test, 1).await.unwrap();
        vouched_for(&test, 2).await;
        assert_eq!(round().await, 1, "the youngest may not be all");
        // What was not counted is still to come: a week in which nobody counted is counted day by day.
        test.clock.advance(Duration::days(3));
        vouched_for(&test, 2).await;
        test.clock.advance(Duration::days(4));
        assert_eq!(round().await, 3);
        assert_eq!(round().await, 3, "and no more");
    }
}
