//! An attacker with every right on the database changes each table in each way, with all walls down; verification
//! must find it and name where. `event_search` is left out: it is a convenience for finding entries, derived from what
//! they commit to, and nothing is proved by it. Deleting a checkpoint between others is left out, too: it takes
//! away a signature, and changes nothing that any other one signs.

use super::attacks::{self, Attack, HERE, NEXT};
use super::history::{History, history};
use crate::support::database::on_both;
use porteplume::storage::Engine;

const LAST: u64 = 304;

/// Does each, verifies, puts everything back.
async fn each_is_found(history: &mut History, attacks: Vec<Attack>, names: &[(&str, &str)]) {
    let fill = |text: &str| {
        names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    };
    let mut missed = Vec::new();
    for attack in attacks {
        for statement in &attack.statements {
            history.run(&fill(statement)).await;
        }
        let (lines, expected) = (history.verified(None).await.lines(), fill(&attack.expected));
        if !lines.iter().any(|line| line.contains(&expected)) {
            let shown = lines.into_iter().take(5).collect::<Vec<_>>();
            missed.push(format!("{}: expected {expected:?} in {shown:#?}", attack.name));
        }
        history.restore().await;
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let report = history.verified(None).await;
    assert!(report.is_clean(), "put back, it holds again: {:?}", report.lines());
}

on_both! {
    what_nobody_touched_verifies(database) {
        let history = history(database).await;
        let report = history.verified(None).await;
        assert_eq!(report.lines(), Vec::<String>::new());
        assert!(report.is_clean());
        assert_eq!((report.tree.entries, report.tree.checkpoints, report.mandates), (305, 2, 1));
        assert_eq!((report.tree.erased, report.erased_mandates), (0, 0));
    }

    whatever_is_changed_in_any_table_of_the_journal_is_found_and_named(database) {
        let mut history = history(database).await;
        history.take_walls_down().await;
        let (first, third, fifth) = (history.event(0).await, history.event(2).await, history.event(4).await);
        let sixth = history.event(5).await;
        let (here, next) = (history.event(HERE).await, history.event(NEXT).await);
        let names = [
            ("first", first.as_str()),
            ("third", third.as_str()),
            ("fifth", fifth.as_str()),
            ("sixth", sixth.as_str()),
            ("here", here.as_str()),
            ("next", next.as_str()),
        ];
        let mut each = attacks::events();
        each.extend(attacks::leaves());
        each.extend(attacks::tiles(history.engine()));
        each.extend(attacks::checkpoints());
        each.extend(attacks::openings());
        if history.engine() == Engine::Postgres {
            each.extend(attacks::queue());
        }
        each_is_found(&mut history, each, &names).await;
    }

    a_mandate_or_use_changed_behind_our_back_is_found_and_named(database) {
        let mut history = history(database).await;
        history.take_walls_down().await;
        let (mandate, third) = (history.mandate.to_string(), history.event(2).await);
        let names = [("mandate", mandate.as_str()), ("third", third.as_str())];
        each_is_found(&mut history, attacks::mandates(), &names).await;
    }

    somebody_suspended_without_an_entry_is_found(database) {
        let mut history = history(database).await;
        history.take_walls_down().await;
        history.run("UPDATE organisation SET standing = 'suspended'").await;
        let lines = history.verified(None).await.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("organisation "), "{lines:?}");
    }

    an_old_database_put_back_is_behind_the_published_checkpoint(database) {
        let mut history = history(database).await;
        history.take_walls_down().await;
        let note: String = sqlx::query_scalar("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
            .fetch_one(&mut history.raw)
            .await
            .unwrap();
        let published = history.app.database.folder().join("checkpoint");
        std::fs::write(&published, note).unwrap();
        for statement in [
            "DELETE FROM opening WHERE event_id IN (SELECT event_id FROM leaf WHERE idx >= 5)",
            "DELETE FROM event WHERE event_id IN (SELECT event_id FROM leaf WHERE idx >= 5)",
            "DELETE FROM leaf WHERE idx >= 5",
            "DELETE FROM tile",
            "DELETE FROM checkpoint WHERE size > 5",
        ] {
            history.run(statement).await;
        }
        assert!(history.verified(None).await.is_clean(), "by itself it is a journal like any other");
        let lines = history.verified(Some(published)).await.lines();
        let said = format!("a checkpoint known from outside signs {} entries", LAST + 1);
        assert!(lines.iter().any(|line| line.contains(&said)), "{lines:?}");
    }

    a_published_checkpoint_that_is_not_ours_is_said(database) {
        let history = history(database).await;
        let published = history.app.database.folder().join("checkpoint");
        std::fs::write(&published, "not a checkpoint\n").unwrap();
        let lines = history.verified(Some(published)).await.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("the published checkpoint cannot be used"), "{lines:?}");
    }
}
