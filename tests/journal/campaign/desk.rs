//! A journal with a lived desk: grants, purposes, content asked for and opened, samples with answers, anomalies with what
//! was said about them, and procedures closed.

use crate::journal::desk::{given, registered};
use crate::journal::glass::{ask, at_desk, auditor, listed};
use crate::journal::watch::{close, first, in_force, key, look, off, used, watched};
use crate::mandates::uses::represent;
use crate::mandates::world::{Browser, World};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use crate::support::world::procedure;
use crate::told::postman::chosen;
use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{Note, NoteSignature, Vkey};
use porteplume::mandate::{Channel, Instant, MandateId, Reach, Slots, Thresholds};
use porteplume::service::audit::grants;
use porteplume::service::manage::{self, ClosedFor, Manager};
use porteplume::service::{Caller, cosigned, expire};
use porteplume::storage::cosignatures::{self, CosignatureRow};
use porteplume::storage::{StoreError, journal};
use std::collections::BTreeSet;

/// Such a journal, and nobody at work any more.
pub(in crate::journal) async fn closed_down(database: TestDatabase) -> TestApp {
    let world = lived(database).await;
    world.app.store.close().await;
    world.test
}

/// Everything twice at least.
pub(in crate::journal) async fn lived(database: TestDatabase) -> World {
    let rules = Thresholds { hasty_consent_seconds: 20, ..off() };
    let world = watched(database, rules).await;
    // Each agreed to faster than anybody reads.
    let mandates = [in_force(&world).await, in_force(&world).await];
    used(&world, &mandates[0]).await;
    look(&world).await;
    granted(&world, &mandates).await;
    let (one, two) = (auditor(&world).await, auditor(&world).await);
    let (mut desk, other) = (at_desk(&world, &one).await, at_desk(&world, &two).await);
    let again = [("purpose", "Contrôle 2026-18"), ("idempotency", "y")];
    assert_eq!(desk.send("/auditor/purpose", &again).await.status, 303);
    for (digit, mandate) in (1..).zip(&mandates) {
        assert_eq!(ask(&desk, mandate, &key(digit)).await, 303);
    }
    assert_eq!(other.post(&format!("/auditor/content/{}/approve", key(1)), &[]).await.status, 303);
    // Drawn from what came before.
    world.wait(1);
    for digit in [3, 4] {
        sampled(&desk, &key(digit)).await;
    }
    spoken_of(&desk).await;
    closed(&world).await;
    for _ in 0..2 {
        vouched_for(&world.test, 2).await;
        world.wait(25 * 60);
        cosigned::round(&world.app).await.unwrap();
    }
    told(&world, &mandates).await;
    world.test.verifies().await;
    world
}

/// Each usager chose to be told on paper, and there is something to tell.
async fn told(world: &World, mandates: &[MandateId; 2]) {
    for (number, mandate) in mandates.iter().enumerate() {
        chosen(world, mandate, Channel::Paper).await;
        represent(world, mandate, &procedure(world.procedure()), &number.to_string()).await;
    }
    world.wait(31);
    assert!(expire::close_due(&world.app).await.unwrap() >= 2);
}

/// So many witnesses have seen the newest checkpoint.
pub(in crate::journal) async fn vouched_for(test: &TestApp, witnesses: u8) {
    let app = &test.web.app;
    let head = app.store.read::<_, StoreError, _>("test", |snapshot| Box::pin(journal::head(snapshot)));
    let (head, seconds) = (head.await.unwrap().unwrap(), app.now().micros() / 1_000_000);
    let (size, at) = (head.size, u64::try_from(seconds).unwrap());
    for seed in 0..witnesses {
        let key = JournalKey::from_seed(&SecretBytes::new([100 + seed; 32])).unwrap();
        let name = format!("witness.example/{seed}");
        let line = NoteSignature::cosign(Note::parse(&head.note).unwrap().text(), &name, &key, at).unwrap();
        let vkey = Vkey::cosigner(&name, key.public_key()).unwrap().to_string();
        let seen_at = Instant::from_micros(seconds * 1_000_000);
        let row = CosignatureRow { size, vkey, seen_at, line: line.to_string() };
        let kept = app.store.write::<_, StoreError, _>("test", move |tx| {
            let row = row.clone();
            Box::pin(async move { cosignatures::insert(tx, &row).await })
        });
        let () = kept.await.unwrap().committed();
    }
}

/// A grant of one organisation and one mandate, taken back, and one of another mandate.
async fn granted(world: &World, [one, other]: &[MandateId; 2]) {
    let id = registered(&world.test).await;
    let (organisations, mandates) =
        (BTreeSet::from([world.organisation.clone()]), BTreeSet::from([one.clone()]));
    let grant = given(&world.test, &id, Reach::Named { organisations, mandates }, Slots::METADATA).await;
    grants::revoke(&world.app, &grant).await.unwrap();
    let (organisations, mandates) = (BTreeSet::new(), BTreeSet::from([other.clone()]));
    given(&world.test, &id, Reach::Named { organisations, mandates }, Slots::ALL).await;
}

/// A sample, one of its entries answered about.
async fn sampled(desk: &Browser<'_>, key: &str) {
    let fields =
        [("idempotency", key), ("from", ""), ("to", ""), ("organisation", ""), ("kind", ""), ("count", "5")];
    assert_eq!(desk.post("/auditor/samples", &fields).await.status, 303);
    let entry = listed(&desk.get(&format!("/auditor/samples/{key}")).await.body).remove(0);
    let answers = [
        ("covered", "yes"),
        ("agreed", "yes"),
        ("within", "no"),
        ("ordinary", "unclear"),
        ("note", "À revoir"),
    ];
    let path = format!("/auditor/samples/{key}/entries/{entry}");
    assert_eq!(desk.post(&path, &answers).await.status, 303);
}

/// One anomaly is commented and closed.
async fn spoken_of(desk: &Browser<'_>) {
    let anomaly = first(&desk.get("/auditor/anomalies").await.body);
    let said = [("idempotency", &*key(5)), ("text", "À demander au référent.")];
    assert_eq!(desk.post(&format!("/auditor/anomalies/{anomaly}"), &said).await.status, 303);
    assert_eq!(close(desk, &anomaly, 6).await, 303);
}

/// Procedures closed in the organisation, and others for one aidant.
async fn closed(world: &World) {
    let all: Vec<_> = world.app.catalogue.procedures().iter().map(|known| known.id.as_str()).collect();
    for (whom, names) in [
        (ClosedFor::Organisation(world.organisation.clone()), &all[..2]),
        (ClosedFor::Aidant(world.aidant.clone()), &all[1..3]),
    ] {
        let names = names.iter().map(|id| procedure(id)).collect();
        manage::restrict(&world.app, &Manager::Operator, &Caller::default(), &whom, &names).await.unwrap();
    }
}
