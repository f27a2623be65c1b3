//! An attacker with every right on the database changes each table in each way, with all walls down; verification
//! must find it and name where. These are told one by one; `campaign` goes through every column and row.

use super::attacks::{self, Attack, HERE, NEXT};
use super::campaign::desk::{closed_down, lived};
use super::history::{History, history};
use crate::support::app::TestApp;
use crate::support::database::on_both;
use crate::support::world::{self, whereabouts};
use porteplume::mandate::{MandateId, Role, UsagerId};
use porteplume::service::audit::glass;
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::{Caller, erase, retention};
use porteplume::storage::Engine;
use serde_json::json;

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
        let (first, third, signed) = (history.event(0).await, history.event(2).await, history.event(7).await);
        let after = history.event(8).await;
        let (here, next) = (history.event(HERE).await, history.event(NEXT).await);
        let names = [
            ("first", first.as_str()),
            ("third", third.as_str()),
            ("signed", signed.as_str()),
            ("after", after.as_str()),
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

    a_registration_changed_behind_our_back_is_found_and_named(database) {
        let test = TestApp::over(database).await;
        let app = &test.web.app;
        let organisation = manage::add_organisation(app, "Mairie", "21750001600019", &whereabouts()).await.unwrap();
        let invited = Invited { given_name: "Ana", family_name: "Petit", email: "ana@mairie.example", role: Role::Aidant };
        let (operator, nobody) = (Manager::Operator, Caller::default());
        let aidant = manage::invite_aidant(app, &operator, &nobody, &organisation, invited).await.unwrap();
        let auditor = manage::add_auditor(app, "Léa", "Roux", "lea@audit.example").await.unwrap();
        world::client(app, json!({
            "id": "caisse", "name": "Caisse", "profile": "oidc", "redirect_uris": ["https://caisse.example/callback"],
            "auth_method": "client_secret_basic", "secret_hash": world::secret_hash("secret"),
            "claims": ["given_name"], "procedures": ["declare-income"],
        })).await;
        app.store.close().await;
        let raw = test.database.raw().await;
        let mut history = History { app: test, mandate: MandateId::from_bytes([1; 16]), raw };
        history.take_walls_down().await;
        let changes = [
            (format!("organisation {organisation}"), "organisation", vec![
                "name = 'Autre'", "siret = '21750001600018'", "town = 'Ailleurs'", "address = 'x'", "telephone = '1'",
            ]),
            (format!("aidant {aidant}"), "aidant", vec![
                "role = 'referent'", "iss = 'https://other.test', sub = 'x', activated_at = 1, standing = 'active'",
            ]),
            (format!("auditor {auditor}"), "auditor", vec![
                "iss = 'https://other.test', sub = 'x', activated_at = 1, standing = 'active'",
            ]),
            ("client caisse".to_owned(), "client", vec![
                "redirect_uris = 'https://thief.example/callback'", "secret_hash = 'ab'", "name = 'Autre'",
                "procedures = 'housing-benefit'", "scopes = 'given_name' || chr(10) || 'family_name'",
                "sector = 'thief.example'", "id_token_alg = 'RS256'", "auth_method = 'client_secret_post'",
                "post_logout_redirect_uris = 'https://thief.example/'",
            ]),
        ];
        for (name, table, changes) in changes {
            for change in changes {
                let change = match history.engine() {
                    Engine::Sqlite => change.replace("chr(10)", "char(10)"),
                    Engine::Postgres => change.to_owned(),
                };
                history.run(&format!("UPDATE {table} SET {change}")).await;
                let lines = history.verified(None).await.lines();
                let said = format!("{name}: what is registered of it");
                assert!(lines.iter().any(|line| line.starts_with(&said)), "{change}: {lines:?}");
                history.restore().await;
            }
            history.run(&format!("DELETE FROM {table}")).await;
            let lines = history.verified(None).await.lines();
            assert!(lines.iter().any(|line| line.starts_with(&name)), "{table} deleted: {lines:?}");
            history.restore().await;
        }
        assert_eq!(history.verified(None).await.lines(), Vec::<String>::new());
    }

    somebody_nobody_registered_is_found(database) {
        let mut history = history(database).await;
        history.take_walls_down().await;
        let (stranger, entry) = ("face".repeat(8), history.event(42).await);
        for event in [entry.as_str(), "0000000000000000000000000000face"] {
            for (party, also) in [
                ("organisation", "siret = '99999999999999'"),
                ("aidant", "email_blind = 'other', sub = 'other'"),
                ("usager", "sub = 'other'"),
                ("usager", "iss = '', sub = 'facefacefacefacefacefacefaceface', identity_key = ''"),
                ("client", "name = 'Autre'"),
            ] {
                let forge = format!("UPDATE forged SET id = '{stranger}', last_event = '{event}', {also}");
                for statement in [
                    &format!("CREATE TABLE forged AS SELECT * FROM kept_{party} LIMIT 1"),
                    &forge,
                    &format!("INSERT INTO {party} SELECT * FROM forged"),
                    "DROP TABLE forged",
                ] {
                    history.run(statement).await;
                }
                let lines = history.verified(None).await.lines();
                let said = format!("{party} {stranger}: it stands there, and no entry of its own registers it");
                assert!(lines.contains(&said), "{forge}: {lines:?}");
                history.restore().await;
            }
        }
        assert_eq!(history.verified(None).await.lines(), Vec::<String>::new());
    }

    what_auditors_may_read_or_found_changed_behind_our_back_is_named(database) {
        let test = closed_down(database).await;
        let raw = test.database.raw().await;
        let mut history = History { app: test, mandate: MandateId::from_bytes([1; 16]), raw };
        history.take_walls_down().await;
        for (change, said) in [
            ("UPDATE audit_grant SET revoked_at = NULL WHERE revoked_at IS NOT NULL", "it is not what its last entry tells"),
            ("UPDATE audit_grant SET ends_at = ends_at + 1 WHERE reach = 'everything'", "it is not what its last entry tells"),
            ("UPDATE audit_grant_scope SET subject_id = '0000000000000000000000000000face'", "it is not what its last entry tells"),
            ("UPDATE break_glass SET state = 'open', decided_at = asked_at,               decided_by = (SELECT MIN(auditor.id) FROM auditor WHERE auditor.id <> auditor_id)",
             "it is not what its last entry tells"),
            ("UPDATE audit_sample SET last_event = (SELECT last_event FROM anomaly_comment LIMIT 1)",
             "it carries another entry than the last that tells of it"),
            ("DELETE FROM anomaly", "it was removed"),
            ("UPDATE reading SET id = '0000000000000000000000000000face' WHERE closed_at IS NOT NULL",
             "reading 0000000000000000000000000000face: it stands there without an entry that tells of it"),
            ("DELETE FROM audit_grant WHERE reach = 'named'", "what it names stands there without it"),
            ("DELETE FROM closed_procedure WHERE aidant_id = ''", "the procedures closed for it"),
            ("INSERT INTO closed_procedure SELECT organisation_id, aidant_id, 'other' FROM closed_procedure WHERE aidant_id <> '' LIMIT 1",
             "the procedures closed for it"),
        ] {
            history.run(change).await;
            let lines = history.verified(None).await.lines();
            assert!(lines.iter().any(|line| line.contains(said)), "{change}: {lines:?}");
            history.restore().await;
        }
        assert_eq!(history.verified(None).await.lines(), Vec::<String>::new());
    }

    the_desks_facts_still_verify_when_persons_are_erased_and_entries_past_their_time(database) {
        let world = lived(database).await;
        let usagers = "SELECT DISTINCT usager_id FROM mandate ORDER BY usager_id";
        let mut raw = world.test.database.raw().await;
        let usagers: Vec<String> = sqlx::query_scalar(usagers).fetch_all(&mut raw).await.unwrap();
        let first = UsagerId::parse(&usagers[0]).unwrap();
        erase::usager(&world.app, &first, true).await.unwrap();
        let holds = async || {
            let report = world.test.report(None, world.app.now()).await;
            assert_eq!(report.lines(), Vec::<String>::new());
        };
        holds().await;
        for days in [366, 2 * 366, 7 * 366] {
            world.test.clock.advance(time::Duration::days(days));
            porteplume::service::expire::expire_due(&world.app).await.unwrap();
            glass::lapse_due(&world.app).await.unwrap();
            while !retention::run(&world.app).await.unwrap().is_empty() {
                holds().await;
            }
            holds().await;
        }
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
            "DELETE FROM opening WHERE event_id IN (SELECT event_id FROM leaf WHERE idx >= 8)",
            "DELETE FROM event_search WHERE event_id IN (SELECT event_id FROM leaf WHERE idx >= 8)",
            "DELETE FROM event WHERE event_id IN (SELECT event_id FROM leaf WHERE idx >= 8)",
            "DELETE FROM leaf WHERE idx >= 8",
            "DELETE FROM tile",
            "DELETE FROM checkpoint WHERE size > 8",
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
