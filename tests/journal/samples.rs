//! Samples: nobody chooses them, everybody can draw them again, and the answers are kept.

use super::desk::{entries, given, registered};
use super::glass::{at_desk, auditor, listed};
use crate::mandates::world::World;
use crate::support::database::on_both;
use porteplume::crypto::{sha256, to_hex};
use porteplume::mandate::{EventKind, MandateId, Reach, Slots};
use std::collections::BTreeSet;

const KEY: &str = "0192f3c47d2e7c1a9b3f0e5d6c7b8a90";

/// What stands in an element of that id.
fn text_of(body: &str, id: &str) -> String {
    let rest = body.split(&format!("id=\"{id}\"")).nth(1).unwrap().split_once('>').unwrap().1;
    rest.split("</").next().unwrap().replace("&#43;", "+").replace("&#61;", "=").replace("&#38;", "&")
}

fn mono(body: &str) -> Vec<String> {
    body.split("class=\"mono\">").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

on_both! {
    a_sample_follows_from_the_checkpoint_and_can_be_drawn_again_from_its_report(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        for _ in 0..3 {
            world.active(&mut aidant).await;
        }
        let desk = at_desk(&world, &auditor(&world).await).await;
        // Drawn from what came before this instant.
        world.wait(1);
        let fields = [("idempotency", KEY), ("from", ""), ("to", ""), ("organisation", ""), ("kind", ""), ("count", "5")];
        assert_eq!(desk.post("/auditor/samples", &fields).await.status, 303);
        assert_eq!(desk.post("/auditor/samples", &fields).await.status, 303, "sent twice");
        assert_eq!(entries(&world.test, EventKind::SampleDrawn).await, 1);
        let page = desk.get(&format!("/auditor/samples/{KEY}")).await;
        let drawn = listed(&page.body);
        assert_eq!((page.status, drawn.len()), (200, 5));

        // As anybody would, from the report alone.
        let report = desk.get(&format!("/auditor/samples/{KEY}/report")).await.body;
        assert!(report.contains("note good\" id=\"follows"));
        let seed = text_of(&report, "seed");
        let facts = mono(report.split("id=\"again\"").nth(1).unwrap());
        let (reading, parameters) = (&facts[0], facts[1].replace("&#61;", "="));
        let checkpoint = text_of(&report, "checkpoint");
        let made = sha256(format!("{checkpoint}{reading}\n{parameters}").as_bytes());
        assert_eq!(to_hex(&made), seed);
        let all = desk.get("/auditor?from=2020-01-01").await.body;
        let rank = |id: &String| sha256(&[made.as_slice(), id.as_bytes()].concat());
        let lowest = drawn.iter().map(rank).collect::<Vec<_>>();
        assert!(lowest.is_sorted(), "by rank");
        for other in listed(&all).iter().filter(|id| !drawn.contains(id)) {
            let later = entries(&world.test, EventKind::SampleDrawn).await == 1;
            assert!(later && (rank(other) > lowest[4] || !before(&world, other, &checkpoint).await), "{other}");
        }
    }

    answers_are_kept_as_entries_and_counted_in_the_report(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        world.active(&mut aidant).await;
        let (first, second) = (auditor(&world).await, auditor(&world).await);
        let (desk, other) = (at_desk(&world, &first).await, at_desk(&world, &second).await);
        let fields = [("idempotency", KEY), ("from", ""), ("to", ""), ("organisation", ""), ("kind", "mandate.consented"), ("count", "9")];
        assert_eq!(desk.post("/auditor/samples", &fields).await.status, 303);
        let page = desk.get(&format!("/auditor/samples/{KEY}")).await.body;
        let entry = listed(&page).remove(0);
        let path = format!("/auditor/samples/{KEY}/entries/{entry}");
        let answers = |last| [("covered", "yes"), ("agreed", "yes"), ("within", "no"), ("ordinary", last), ("note", "À revoir")];
        assert_eq!(desk.post(&path, &answers("perhaps")).await.status, 422);
        assert_eq!(entries(&world.test, EventKind::SampleAnswered).await, 0);
        for verdict in ["yes", "unclear"] {
            assert_eq!(desk.post(&path, &answers(verdict)).await.status, 303);
        }
        assert_eq!(entries(&world.test, EventKind::SampleAnswered).await, 2);
        let report = desk.get(&format!("/auditor/samples/{KEY}/report")).await.body;
        assert!(report.contains("À revoir"));
        let beyond = format!("/auditor/samples/{KEY}/entries/{KEY}");
        assert_eq!(desk.post(&beyond, &answers("yes")).await.status, 404);
        // Another auditor's sample does not exist.
        for path in [format!("/auditor/samples/{KEY}"), path.clone(), format!("/auditor/samples/{KEY}/report")] {
            assert_eq!(other.get(&path).await.status, 404, "{path}");
        }
        assert_eq!(other.post(&path, &answers("no")).await.status, 404);
        assert_eq!(entries(&world.test, EventKind::SampleAnswered).await, 2);
        world.test.verifies().await;
    }

    a_sample_is_drawn_from_what_is_in_sight_only(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (seen, _): (MandateId, MandateId) = (world.active(&mut aidant).await, world.active(&mut aidant).await);
        let id = registered(&world.test).await;
        let reach = Reach::Named { organisations: BTreeSet::new(), mandates: BTreeSet::from([seen.clone()]) };
        given(&world.test, &id, reach, Slots::METADATA).await;
        let desk = at_desk(&world, &id).await;
        let fields = |count| [("idempotency", KEY), ("from", ""), ("to", ""), ("organisation", ""), ("kind", "mandate.consented"), ("count", count)];
        for count in ["0", "201", "", "many"] {
            assert_eq!(desk.post("/auditor/samples", &fields(count)).await.status, 422, "{count}");
        }
        assert_eq!(entries(&world.test, EventKind::SampleDrawn).await, 0);
        assert_eq!(desk.post("/auditor/samples", &fields("200")).await.status, 303);
        let drawn = listed(&desk.get(&format!("/auditor/samples/{KEY}")).await.body);
        let theirs = listed(&desk.get(&format!("/auditor?kind=mandate.consented&mandate={seen}")).await.body);
        assert_eq!(drawn, theirs);
    }
}

/// Whether an entry stood under that checkpoint.
async fn before(world: &World, entry: &str, checkpoint: &str) -> bool {
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    let id = porteplume::mandate::EventId::parse(entry).unwrap();
    let place = world.app.store.read("test", move |snapshot| {
        Box::pin(async move { porteplume::storage::journal::place(snapshot, &id).await })
    });
    place.await.unwrap().is_some_and(|place| place < size)
}
