//! Bundles of proofs: exported by the operator or an auditor, verified without keys, database or network.

use super::desk::{get, seated, state};
use super::history::written;
use crate::support::app::TestApp;
use crate::support::database::{on_both, signer};
use porteplume::journal::{self, Policy, ProofBundle, Slot};
use porteplume::mandate::{EventKind, Slots};
use porteplume::service::bundle::{self, Wanted};
use porteplume::service::{Error, read};
use porteplume::web;
use sqlx::Row as _;
use std::path::Path;
use std::process::Command;

/// Runs `porteplume journal verify --bundle` in a process of its own; its exit code and what it said.
fn verified(file: &Path, policy: Option<&Path>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    command.args(["journal", "verify", "--bundle"]).arg(file);
    if let Some(policy) = policy {
        command.arg("--policy").arg(policy);
    }
    let done = command.env_clear().output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(said).unwrap())
}

on_both! {
    an_operators_bundle_verifies_offline_and_a_changed_byte_is_refused(database) {
        let (test, mandate) = written(database).await;
        let app = &test.web.app;
        let made = bundle::export(app, &Wanted::Mandate(mandate), Slots::METADATA).await.unwrap();
        assert_eq!(made.entries.len(), 4);
        let shown = |slot| made.entries.iter().flat_map(|entry| &entry.openings).filter(|one| one.slot() == slot).count();
        assert_eq!([Slot::Act, Slot::Ctx, Slot::Aid, Slot::Sub].map(shown), [4, 4, 0, 0], "metadata and no person");
        let archive = web::archive(made.clone()).unwrap();
        assert_eq!(archive, web::archive(made).unwrap(), "the same bundle has the same bytes");
        let folder = test.database.folder();
        let (file, policy, other) = (folder.join("b.tar"), folder.join("policy"), folder.join("other"));
        std::fs::write(&file, &archive).unwrap();
        std::fs::write(&policy, trusted()).unwrap();
        std::fs::write(&other, read::policy(app).await.unwrap()).unwrap();
        let (code, said) = verified(&file, Some(&policy));
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("4 entries are proved, 8 openings are theirs"), "{said}");
        let (code, said) = verified(&file, Some(&other));
        assert_eq!(code, Some(1), "keys of another journal: {said}");
        let read = ProofBundle::read(&archive).unwrap();
        assert!(read.report.contains("Un mandat a été proposé."), "{}", read.report);
        for at in [600, archive.len() / 2, archive.len() - 1] {
            let mut bytes = archive.clone();
            bytes[at] ^= 1;
            std::fs::write(&file, &bytes).unwrap();
            let (code, said) = verified(&file, Some(&policy));
            assert_eq!(code, Some(1), "byte {at}: {said}");
            assert!(said.contains("bundle_"), "{said}");
        }
    }

    every_export_is_an_entry_and_a_stretch_holds_what_stands_there(database) {
        let (test, _) = written(database).await;
        let app = &test.web.app;
        let places = |from, limit| Wanted::Places { from, limit };
        let made = bundle::export(app, &places(250, 20), Slots::ALL).await.unwrap();
        let indexes: Vec<u64> = made.entries.iter().map(|entry| entry.proof.index).collect();
        assert_eq!(indexes, (250..270).collect::<Vec<u64>>());
        let trust = Policy::parse(trusted().as_bytes()).unwrap();
        assert!(made.verify(&trust).holds(), "{:?}", made.verify(&trust).findings);
        let nothing = bundle::export(app, &places(10_000, 5), Slots::ALL).await;
        assert!(matches!(nothing, Err(Error::NotFound)));
        assert_eq!(exports(&test).await, 1);
    }

    an_auditor_takes_away_what_is_in_sight_and_nothing_more_is_opened(database) {
        let (test, mandate) = written(database).await;
        let (_, opened) = seated(&test).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        let taken = get(&test, &cookie, &format!("/auditor/export.tar?mandate={mandate}")).await;
        assert_eq!(taken.status, 200, "{}", taken.body);
        let read = ProofBundle::read(taken.body.as_bytes()).unwrap();
        let verdict = read.verify(&Policy::parse(trusted().as_bytes()).unwrap());
        assert!(verdict.holds() && verdict.entries == 4, "{:?}", verdict.findings);
        let persons = [Slot::Sub, Slot::Aid];
        assert!(read.entries.iter().flat_map(|entry| &entry.openings).all(|one| !persons.contains(&one.slot())));
        let before = exports(&test).await;
        for query in ["mandate=00000000000000000000000000000000", "from=tomorrow"] {
            assert_eq!(get(&test, &cookie, &format!("/auditor/export.tar?{query}")).await.status, 404, "{query}");
        }
        assert_eq!((before, exports(&test).await), (1, 1));
    }
}

/// How many exports the journal tells of.
async fn exports(test: &TestApp) -> i64 {
    let mut raw = test.database.raw().await;
    let query = sqlx::query("SELECT count(*) FROM event_search WHERE kind = $1");
    query.bind(EventKind::JournalExported.as_str()).fetch_one(&mut raw).await.unwrap().get(0)
}

/// The policy that trusts the tests' own key.
fn trusted() -> String {
    journal::policy(&[signer().verifier()], None, &[], 0)
}
