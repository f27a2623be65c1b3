//! The watch: each rule speaks from its number on, once, and nobody is told twice of what was closed.

use super::desk::{given, registered};
use super::glass::{at_desk, auditor};
use crate::mandates::uses::represent;
use crate::mandates::world::{Browser, World, born};
use crate::space::world::{at_home, promote, two, usager_of};
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both};
use crate::support::world::{consented_after, known_usager, proposed, step};
use porteplume::mandate::{
    AidantId, EventKind, LifeFact, MandateId, OpeningHours, Reach, Slots, Term, Thresholds, UsagerId,
};
use porteplume::service::{Caller, Error, Record, erase, watch};
use porteplume::storage::aidants;
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// Every rule switched off.
pub(crate) fn off() -> Thresholds {
    Thresholds {
        opening: OpeningHours::parse("mon-sun 00:00-24:00").unwrap(),
        outside_hours: 0,
        burst: 0,
        never_used_days: 0,
        used_at_once: 0,
        hasty_consent_seconds: 0,
        shared_device: 0,
        most_refusals: 0,
        weak_consents: 0,
        used_before_revocation: 0,
        look_ups_alone: 0,
        other_employer: 0,
        ..Thresholds::default()
    }
}

pub(super) async fn watched(database: TestDatabase, rules: Thresholds) -> World {
    World::of(TestApp::over(database).await.told_from(rules)).await
}

/// Lets the watch look at everything there is.
pub(super) async fn look(world: &World) {
    loop {
        watch::round(&world.app).await.unwrap();
        let mut raw = world.test.database.raw().await;
        let left = "SELECT (SELECT count(*) FROM event) - (SELECT leaf FROM watch_mark) AS left_over";
        let row = sqlx::query(left).fetch_one(&mut raw).await.unwrap();
        if row.get::<i64, _>("left_over") == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// What was raised: rule, what was measured, whom or what it is about, how many entries it rests on, its state.
pub(crate) async fn raised(world: &World) -> Vec<String> {
    look(world).await;
    let mut raw = world.test.database.raw().await;
    let text = "SELECT rule || ' ' || CAST(measured AS TEXT) || ' ' || CASE WHEN mandate_id IS NULL THEN \
                CASE WHEN aidant_id IS NULL THEN 'nobody' ELSE 'aidant' END ELSE 'mandate' END || ' ' || state AS said \
                FROM anomaly ORDER BY raised_at, rule, id";
    let raised = sqlx::query(text).fetch_all(&mut raw).await.unwrap();
    let raised: Vec<String> = raised.iter().map(|row| row.get("said")).collect();
    let entries = world.entries(EventKind::AnomalyRaised, None).await;
    assert_eq!(raised.len(), usize::try_from(entries).unwrap(), "each with its entry");
    raised
}

async fn told(world: &World, record: Record, address: &str) {
    let (app, address) = (Arc::clone(&world.app), address.parse().unwrap());
    let caller = Caller { address: Some(address), sid: None };
    let given = Arc::new((app, record, caller));
    world
        .app
        .include("test.told", move |tx| {
            let given = Arc::clone(&given);
            Box::pin(async move {
                let (app, record, caller) = &*given;
                record.clone().append(app, tx, caller, app.now()).await.map(drop)
            })
        })
        .await
        .unwrap();
}

async fn somebody(world: &World) -> UsagerId {
    known_usager(&world.app, None, born("Ana", "Silva", "1950-01-02")).await
}

/// A mandate in force, agreed to so long after the identification.
async fn agreed(world: &World, aidant: &AidantId, took: Duration, level: &str) -> MandateId {
    let (app, usager, by) = (&world.app, somebody(world).await, (&world.organisation, aidant));
    let row = proposed(app, by, &[two(world)[0].as_str()], Term::Year).await;
    world.test.clock.advance(took);
    let row = consented_after(app, row, &usager, (took, level)).await;
    let mandate = row.mandate.clone().accept(aidant.clone(), app.now()).unwrap();
    step(app, row, mandate, LifeFact::Accepted { by: aidant.clone() }).await.mandate.id
}

pub(super) async fn in_force(world: &World) -> MandateId {
    agreed(world, &world.aidant, Duration::ZERO, "eidas1").await
}

pub(super) async fn used(world: &World, mandate: &MandateId) {
    let sid = porteplume::mandate::EventId::from_bytes(world.app.new_id().unwrap());
    represent(world, mandate, &two(world)[0], sid.as_str()).await;
}

/// The first anomaly on a page.
pub(super) fn first(body: &str) -> String {
    body.split("id=\"anomaly-").nth(1).expect("an anomaly").chars().take(32).collect()
}

pub(super) fn key(digit: u8) -> String {
    porteplume::mandate::CommentId::from_bytes([digit; 16]).to_string()
}

pub(super) async fn close(desk: &Browser<'_>, anomaly: &str, digit: u8) -> u16 {
    let fields = [("idempotency", &*key(digit)), ("reason", "explained"), ("text", "Le car passe le soir.")];
    desk.post(&format!("/auditor/anomalies/{anomaly}/close"), &fields).await.status
}

on_both! {
    work_outside_opening_hours_is_told_once_and_what_was_closed_does_not_count_again(database) {
        let opening = OpeningHours::parse("mon 00:00-00:01").unwrap();
        let world = watched(database, Thresholds { opening, outside_hours: 2, ..off() }).await;
        let mandate = in_force(&world).await;
        used(&world, &mandate).await;
        assert_eq!(raised(&world).await, [""; 0], "below the threshold");
        used(&world, &mandate).await;
        assert_eq!(raised(&world).await, ["outside_hours 2 aidant open"]);
        used(&world, &mandate).await;
        look(&world).await;
        assert_eq!(raised(&world).await.len(), 1, "not twice");

        let reader = auditor(&world).await;
        let desk = at_desk(&world, &reader).await;
        let anomaly = first(&desk.get("/auditor/anomalies").await.body);
        world.wait(1);
        assert_eq!(close(&desk, &anomaly, 1).await, 303);
        world.wait(1);
        used(&world, &mandate).await;
        assert_eq!(raised(&world).await, ["outside_hours 2 aidant closed"], "one since it was closed");
        used(&world, &mandate).await;
        assert_eq!(raised(&world).await, ["outside_hours 2 aidant closed", "outside_hours 2 aidant open"]);
        world.test.verifies().await;
    }

    a_burst_and_mandates_always_used_at_once_are_told(database) {
        let rules = Thresholds { burst: 3, burst_minutes: 10, used_at_once: 2, used_at_once_minutes: 5, ..off() };
        let world = watched(database, rules).await;
        let one = in_force(&world).await;
        world.wait(6);
        used(&world, &one).await;
        world.wait(6);
        let two = in_force(&world).await;
        used(&world, &two).await;
        world.wait(5);
        used(&world, &two).await;
        assert_eq!(raised(&world).await, [""; 0], "three in eleven minutes, and one mandate waited for");
        used(&world, &one).await;
        assert_eq!(raised(&world).await, ["burst 3 aidant open"]);
        let three = in_force(&world).await;
        used(&world, &three).await;
        assert_eq!(raised(&world).await, ["burst 3 aidant open", "used_at_once 2 aidant open"]);
        world.test.verifies().await;
    }

    a_consent_faster_than_one_can_read_is_told_and_a_slower_one_is_not(database) {
        let world = watched(database, Thresholds { hasty_consent_seconds: 20, ..off() }).await;
        agreed(&world, &world.aidant, Duration::seconds(20), "eidas1").await;
        assert_eq!(raised(&world).await, [""; 0]);
        agreed(&world, &world.aidant, Duration::seconds(19), "eidas1").await;
        assert_eq!(raised(&world).await, ["hasty_consent 19 mandate open"]);
        world.test.verifies().await;
    }

    consents_weaker_than_those_of_the_colleagues_are_told(database) {
        let rules = Thresholds { weak_consents: 2, weak_consents_points: 50, ..off() };
        let world = watched(database, rules).await;
        let (colleague, minute) = (world.colleague().await, Duration::MINUTE);
        agreed(&world, &world.aidant, minute, "eidas1").await;
        agreed(&world, &world.aidant, minute, "eidas1").await;
        assert_eq!(raised(&world).await, [""; 0], "there is no norm yet");
        agreed(&world, &colleague, minute, "eidas1").await;
        agreed(&world, &world.aidant, minute, "eidas1").await;
        assert_eq!(raised(&world).await, [""; 0], "everybody does");
        agreed(&world, &colleague, minute, "eidas2").await;
        agreed(&world, &world.aidant, minute, "eidas1").await;
        assert_eq!(raised(&world).await, ["weak_consents 50 aidant open"]);
        world.test.verifies().await;
    }

    a_use_right_before_the_usager_revokes_is_told_and_one_long_before_is_not(database) {
        let rules = Thresholds { used_before_revocation: 1, used_before_revocation_minutes: 30, ..off() };
        let world = watched(database, rules).await;
        for (wait, said) in [(31, 0), (30, 1)] {
            let mandate = in_force(&world).await;
            used(&world, &mandate).await;
            world.wait(wait);
            let home = at_home(&world, &usager_of(&world, &mandate).await).await;
            let ended = home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await;
            assert_eq!(ended.status, 303, "{}", ended.body);
            assert_eq!(raised(&world).await.len(), said, "{wait} minutes");
        }
        assert_eq!(raised(&world).await, ["used_before_revocation 1 mandate open"]);
        world.test.verifies().await;
    }

    a_mandate_nobody_uses_is_told_when_its_days_are_over(database) {
        let world = watched(database, Thresholds { never_used_days: 60, ..off() }).await;
        let (one, other) = (in_force(&world).await, in_force(&world).await);
        used(&world, &one).await;
        let (day, minute) = (24 * 60, 1);
        world.wait(60 * day);
        assert_eq!(raised(&world).await, [""; 0], "what was written just now is not missed yet");
        world.wait(minute);
        assert_eq!(raised(&world).await, ["never_used 60 mandate open"]);
        let mut raw = world.test.database.raw().await;
        let about = sqlx::query("SELECT mandate_id FROM anomaly").fetch_one(&mut raw).await.unwrap();
        assert_eq!(about.get::<String, _>("mandate_id"), other.as_str());
        world.wait(60 * day);
        assert_eq!(raised(&world).await.len(), 1, "not twice");
        world.test.verifies().await;
    }

    one_device_for_many_people_is_told_and_is_forgotten_after_a_day(database) {
        let world = watched(database, Thresholds { shared_device: 3, ..off() }).await;
        let sign_in = async |address: &str| {
            let usager = somebody(&world).await;
            told(&world, Record::done(EventKind::UsagerSignedIn).usager(&usager), address).await;
            usager
        };
        let first = sign_in("192.0.2.7").await;
        sign_in("192.0.2.7").await;
        sign_in("192.0.2.8").await;
        let again = Record::done(EventKind::UsagerSignedIn).usager(&first);
        told(&world, again, "192.0.2.7").await;
        assert_eq!(raised(&world).await, [""; 0], "two persons, one of them twice");
        sign_in("192.0.2.7").await;
        assert_eq!(raised(&world).await, ["shared_device 3 nobody open"]);

        let devices = async || -> i64 {
            let mut raw = world.test.database.raw().await;
            sqlx::query("SELECT count(*) AS n FROM watch_device").fetch_one(&mut raw).await.unwrap().get("n")
        };
        assert_eq!(devices().await, 4);
        erase::usager(&world.app, &first, true).await.unwrap();
        assert_eq!(devices().await, 3, "whoever is erased is erased here, too");
        world.wait(24 * 60 + 1);
        look(&world).await;
        assert_eq!(devices().await, 0);
        world.test.verifies().await;
    }

    the_aidant_behind_most_refusals_is_told_unless_they_work_alone(database) {
        let rules = Thresholds { most_refusals: 3, most_refusals_percent: 60, ..off() };
        let world = watched(database, rules).await;
        let refused = async |aidant: &AidantId| {
            let record = Record::refused(EventKind::AccessRefused, "not_found");
            told(&world, record.organisation(&world.organisation).aidant(aidant), "192.0.2.7").await;
        };
        for _ in 0..3 {
            refused(&world.aidant).await;
        }
        assert_eq!(raised(&world).await, [""; 0], "alone");
        let colleague = world.colleague().await;
        for _ in 0..3 {
            refused(&colleague).await;
        }
        assert_eq!(raised(&world).await, [""; 0], "half of them");
        for _ in 0..2 {
            refused(&world.aidant).await;
        }
        assert_eq!(raised(&world).await, ["most_refusals 5 aidant open"]);
        world.test.verifies().await;
    }

    look_ups_that_nothing_follows_are_told_a_day_later(database) {
        let world = watched(database, Thresholds { look_ups_alone: 2, look_ups_hours: 2, ..off() }).await;
        let (one, colleague) = (in_force(&world).await, world.colleague().await);
        let usager = usager_of(&world, &one).await;
        let look_up = async |aidant: &AidantId, whom: Option<&UsagerId>| {
            let record = Record::done(EventKind::UsagerLookedUp).organisation(&world.organisation).aidant(aidant);
            let record = whom.map_or_else(|| record.clone(), |whom| record.clone().usager(whom));
            told(&world, record, "192.0.2.7").await;
        };
        look_up(&colleague, None).await;
        look_up(&world.aidant, Some(&usager)).await;
        look_up(&world.aidant, Some(&usager)).await;
        look_up(&world.aidant, Some(&somebody(&world).await)).await;
        used(&world, &one).await;
        world.wait(121);
        look(&world).await;
        world.wait(1);
        assert_eq!(raised(&world).await, [""; 0], "one each");
        look_up(&colleague, None).await;
        world.wait(60);
        assert_eq!(raised(&world).await, [""; 0], "there is time left");
        world.wait(62);
        assert_eq!(raised(&world).await, ["look_ups_alone 2 aidant open"]);
        world.test.verifies().await;
    }

    two_replicas_raise_the_same_once(database) {
        let rules = Thresholds { burst: 1, burst_minutes: 10, ..off() };
        let world = watched(database, rules.clone()).await;
        let other = world.test.replica().await.told_from(rules);
        for _ in 0..5 {
            let mandate = in_force(&world).await;
            used(&world, &mandate).await;
            let (one, two) = tokio::join!(watch::round(&world.app), watch::round(&other.web.app));
            one.unwrap();
            two.unwrap();
        }
        let raised = raised(&world).await;
        assert!(raised.len() == 1 && raised[0].ends_with("aidant open"), "{raised:?}");
        world.test.verifies().await;
    }

    auditors_and_the_referent_look_into_it_and_only_an_auditor_closes(database) {
        let world = watched(database, Thresholds { hasty_consent_seconds: 20, ..off() }).await;
        let mandate = agreed(&world, &world.aidant, Duration::seconds(5), "eidas1").await;
        look(&world).await;
        let reader = auditor(&world).await;
        let desk = at_desk(&world, &reader).await;
        let list = desk.get("/auditor/anomalies").await.body;
        let anomaly = first(&list);
        assert!(!list.contains("Camille"), "auditors read pseudonyms");
        let own = format!("/referent/anomalies/{anomaly}");

        // An aidant who is no referent reads nothing; the referent reads names, comments and does not close.
        let mut browser = world.signed_in(&world.aidant).await;
        assert_eq!(browser.get("/referent/anomalies").await.status, 404);
        promote(&world, &world.aidant).await;
        let page = browser.get("/referent/anomalies").await;
        assert!(page.status == 200 && page.body.contains("Camille") && page.body.contains(&anomaly));
        let empty = browser.post(&own, &[("idempotency", &*key(1)), ("text", " ")]).await;
        assert!(empty.status == 422 && empty.body.contains("id=\"problems\""), "{}", empty.status);
        for _ in 0..2 {
            let said = browser.send(&own, &[("idempotency", &*key(2)), ("text", "Elle connaissait le texte.")]).await;
            assert_eq!(said.status, 303, "{}", said.body);
        }
        assert_eq!(world.entries(EventKind::AnomalyCommented, None).await, 1, "sent twice, said once");
        assert_eq!(close(&browser, &anomaly, 3).await, 404);
        assert_eq!(world.entries(EventKind::AnomalyClosed, None).await, 0);

        // The auditor reads what was said, answers and closes.
        let path = format!("/auditor/anomalies/{anomaly}");
        let page = desk.get(&path).await.body;
        assert!(page.contains("Elle connaissait le texte.") && page.contains("Camille"), "who said it");
        assert_eq!(desk.post(&format!("{path}/close"), &[("idempotency", &*key(4)), ("text", "")]).await.status, 422);
        assert_eq!(close(&desk, &anomaly, 5).await, 303);
        assert_eq!(close(&desk, &anomaly, 5).await, 303, "sent twice");
        assert_eq!(world.entries(EventKind::AnomalyClosed, None).await, 1);
        let late = desk.post(&path, &[("idempotency", &*key(6)), ("text", "Encore")]).await;
        assert!(late.status == 409 && late.body.contains("anomaly_closed"), "{}", late.status);
        assert!(!desk.get("/auditor/anomalies").await.body.contains(&anomaly));
        assert!(desk.get("/auditor/anomalies?closed=1").await.body.contains(&anomaly));
        let page = browser.get(&own).await.body;
        assert!(page.contains("Le car passe le soir.") && page.contains("Léa Roux"), "the referent reads why");

        // The person concerned sees who looked.
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let page = home.get(&format!("/usager/mandates/{mandate}")).await.body;
        let looks = page.split("id=\"looks\"").nth(1).unwrap().split("</ol>").next().unwrap();
        assert!(looks.contains("Léa Roux") && looks.contains("veille"), "{looks}");
        world.test.verifies().await;
    }

    an_anomaly_out_of_sight_does_not_exist_and_asking_for_it_is_journaled(database) {
        let world = watched(database, Thresholds { hasty_consent_seconds: 20, ..off() }).await;
        agreed(&world, &world.aidant, Duration::seconds(5), "eidas1").await;
        look(&world).await;
        let reader = auditor(&world).await;
        let anomaly = first(&at_desk(&world, &reader).await.get("/auditor/anomalies").await.body);

        let elsewhere = registered(&world.test).await;
        let stranger = world.stranger().await;
        let row = world.app.store.read("test.stranger", {
            let id = stranger.clone();
            move |snapshot| Box::pin(async move { Ok::<_, Error>(aidants::load(snapshot, &id).await?) })
        });
        let organisations = BTreeSet::from([row.await.unwrap().unwrap().organisation]);
        given(&world.test, &elsewhere, Reach::Named { organisations, mandates: BTreeSet::new() }, Slots::METADATA).await;
        let blind = at_desk(&world, &elsewhere).await;
        let referent = world.signed_in(&stranger).await;
        promote(&world, &stranger).await;
        let before = world.entries(EventKind::AccessRefused, Some("not_found")).await;
        for (browser, list) in [(&blind, "/auditor/anomalies"), (&referent, "/referent/anomalies")] {
            let page = browser.get(list).await;
            assert!(page.status == 200 && !page.body.contains(&anomaly), "{list}");
            assert_eq!(browser.get(&format!("{list}/{anomaly}")).await.status, 404);
            let fields = [("idempotency", &*key(7)), ("text", "?")];
            assert_eq!(browser.post(&format!("{list}/{anomaly}"), &fields).await.status, 404);
        }
        assert_eq!(close(&blind, &anomaly, 8).await, 404);
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, before + 5);
        for kind in [EventKind::AnomalyCommented, EventKind::AnomalyClosed] {
            assert_eq!(world.entries(kind, None).await, 0, "{kind:?}");
        }
        world.test.verifies().await;
    }
}
