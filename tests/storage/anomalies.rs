//! What the watch found, and how far it has come.

use super::parties::auditor;
use super::sample::{NOW, bytes, change, get, in_minutes, put};
use crate::support::database::on_both;
use porteplume::mandate::{Anomaly, AnomalyId, AnomalyState, Closing, CommentId, EventId, Finding, Rule};
use porteplume::storage::anomalies::{self, AnomalyRow, Author, CommentRow};
use porteplume::storage::watch::{self, Mark};
use porteplume::storage::{StoreError, auditors};
use sqlx::{AssertSqlSafe, Executor as _};

fn anomaly(rule: Rule, subject: &str, minute: i64) -> Anomaly {
    let entries = vec![EventId::from_bytes(bytes()), EventId::from_bytes(bytes())];
    Anomaly {
        id: AnomalyId::from_bytes(bytes()),
        finding: Finding { rule, measured: 20, threshold: 15, span: 10, entries },
        subject: subject.to_owned(),
        organisation: None,
        aidant: None,
        mandate: None,
        at: NOW,
        raised_at: in_minutes(minute),
        state: AnomalyState::Open,
    }
}

on_both! {
    an_anomaly_is_open_once_about_the_same_and_stays_what_it_was(database) {
        let store = database.store().await;
        let (subject, by) = ("a".repeat(16), auditor());
        put!(&store, [by], |tx, event| auditors::insert(tx, &by, &event)).unwrap();
        let one = anomaly(Rule::Burst, &subject, 0);
        put!(&store, [one], |tx, event| anomalies::insert(tx, &one, &event)).unwrap();
        let row = AnomalyRow { anomaly: one.clone(), version: 1 };
        assert_eq!(get!(&store, [one], |s| anomalies::load(s, &one.id)), Some(row.clone()));
        assert_eq!(get!(&store, [subject], |s| anomalies::last(s, Rule::Burst, &subject)), Some(row.clone()));
        assert_eq!(get!(&store, [subject], |s| anomalies::last(s, Rule::NeverUsed, &subject)), None);

        let twin = anomaly(Rule::Burst, &subject, 1);
        let refused = put!(&store, [twin], |tx, event| anomalies::insert(tx, &twin, &event));
        assert!(refused.is_err(), "the database itself wants one: {refused:?}");
        let other = anomaly(Rule::NeverUsed, &subject, 2);
        put!(&store, [other], |tx, event| anomalies::insert(tx, &other, &event)).unwrap();
        let found = get!(&store, [], |s| anomalies::latest(s, None, true, None, 10));
        assert_eq!(found.iter().map(|row| &row.anomaly).collect::<Vec<_>>(), [&other, &one]);
        let after = (other.raised_at, other.id.clone());
        let found = get!(&store, [after], |s| anomalies::latest(s, None, true, Some(&after), 10));
        assert_eq!(found, std::slice::from_ref(&row));

        let closed = AnomalyState::Closed { by: by.id.clone(), at: in_minutes(5), reason: Closing::Mended };
        put!(&store, [row, closed], |tx, event| anomalies::close(tx, &row, &closed, &event)).unwrap();
        let again = put!(&store, [row, closed], |tx, event| anomalies::close(tx, &row, &closed, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "anomaly" }));
        let found = get!(&store, [], |s| anomalies::latest(s, None, false, None, 10));
        assert_eq!(found, [AnomalyRow { anomaly: Anomaly { state: closed, ..one.clone() }, version: 2 }]);
        put!(&store, [twin], |tx, event| anomalies::insert(tx, &twin, &event)).unwrap();

        let mut raw = database.raw().await;
        for sql in [
            "UPDATE anomaly SET state = 'open', closed_by = NULL, closed_at = NULL, reason = NULL",
            "UPDATE anomaly SET measured = 1", "UPDATE anomaly SET entries = ''", "DELETE FROM anomaly",
        ] {
            assert!(raw.execute(AssertSqlSafe(sql.to_owned())).await.is_err(), "{sql}");
        }
    }

    what_was_said_about_an_anomaly_never_changes(database) {
        let store = database.store().await;
        let (by, one) = (auditor(), anomaly(Rule::Burst, &"b".repeat(16), 0));
        put!(&store, [by, one], |tx, event| async {
            auditors::insert(tx, &by, &event).await?;
            anomalies::insert(tx, &one, &event).await
        })
        .unwrap();
        let said = |minute| CommentRow {
            id: CommentId::from_bytes(bytes()), anomaly: one.id.clone(), author: Author::Auditor(by.id.clone()),
            text_sealed: vec![7], at: in_minutes(minute),
            version: 1,
        };
        let (later, sooner) = (said(2), said(1));
        for row in [&later, &sooner] {
            put!(&store, [row], |tx, event| anomalies::comment(tx, &row, &event)).unwrap();
        }
        assert!(get!(&store, [one], |s| anomalies::comments(s, &one.id)) == vec![sooner, later.clone()]);
        assert!(get!(&store, [later], |s| anomalies::commented(s, &later.id)) == Some(later.clone()));
        let mut raw = database.raw().await;
        for sql in ["UPDATE anomaly_comment SET at = 0", "DELETE FROM anomaly_comment"] {
            assert!(raw.execute(AssertSqlSafe(sql.to_owned())).await.is_err(), "{sql}");
        }
    }

    the_watch_moves_on_from_where_it_was_and_from_nowhere_else(database) {
        let store = database.store().await;
        let from = get!(&store, [], |s| watch::mark(s));
        assert_eq!((from.leaf, from.until.micros()), (0, 0));
        let to = Mark { leaf: 7, until: NOW };
        change!(&store, [from, to], |tx| watch::advance(tx, from, to)).unwrap();
        let late = change!(&store, [from, to], |tx| watch::advance(tx, from, to));
        assert_eq!(late, Err(StoreError::Conflict { table: "watch_mark" }));
        assert_eq!(get!(&store, [], |s| watch::mark(s)), to);
    }

    devices_are_remembered_by_person_and_forgotten(database) {
        let store = database.store().await;
        let name = |letter: &str| letter.repeat(16);
        for (device, usager, minute) in [("d", "1", 0), ("d", "2", 1), ("d", "1", 5), ("e", "3", 5)] {
            let (device, usager) = (name(device), name(usager));
            change!(&store, [device, usager], |tx| watch::seen_at(tx, &device, &usager, in_minutes(minute))).unwrap();
        }
        let device = name("d");
        let at = async |since| {
            let mut found = get!(&store, [device], |s| watch::usagers_at(s, &device, in_minutes(since)));
            found.sort();
            found
        };
        assert_eq!(at(-1).await, [name("1"), name("2")]);
        assert_eq!(at(1).await, [name("1")]);
        change!(&store, [], |tx| watch::forget_before(tx, in_minutes(1))).unwrap();
        assert_eq!(at(-1).await, [name("1")]);
        let usager = name("1");
        change!(&store, [usager], |tx| watch::forget_usager(tx, &usager)).unwrap();
        assert!(at(-1).await.is_empty());
    }
}
