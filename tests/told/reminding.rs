//! Reminders: an end a month and a week before, a mandate that is not used; once each, and none in vain.

use super::postman::{chosen, notices_of, send, world};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::usager_of;
use crate::support::database::on_both;
use porteplume::mandate::{Channel, EventKind, MandateId, ProcedureId};
use porteplume::service::{expire, remind};
use sqlx::Row as _;
use time::Duration;

/// One day passes, hour by hour as the jobs would look, and twice at each time.
async fn days(world: &World, days: i64) {
    for _ in 0..days * 2 {
        world.test.clock.advance(Duration::hours(12));
        for _ in 0..2 {
            remind::round(&world.app).await.unwrap();
        }
        expire::close_due(&world.app).await.unwrap();
        expire::expire_due(&world.app).await.unwrap();
    }
}

/// The kinds of notices about a mandate, in the order they were written.
async fn kinds(world: &World, mandate: &MandateId) -> Vec<String> {
    let mut raw = world.test.database.raw().await;
    let rows = sqlx::query("SELECT kind FROM notice WHERE mandate_id = $1 ORDER BY number");
    let rows = rows.bind(mandate.as_str()).fetch_all(&mut raw).await.unwrap();
    rows.iter().map(|row| row.get("kind")).collect()
}

on_both! {
    an_end_is_told_a_month_and_a_week_before_and_a_short_mandate_is_not_reminded_of(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let day = world.active_of(&mut browser, "day").await;
        let month = world.active_of(&mut browser, "month").await;
        let half = world.active_of(&mut browser, "six_months").await;
        let ended = world.active_of(&mut browser, "month").await;
        let gone = browser.post(&format!("/aidant/mandates/{ended}/renounce"), &[]).await;
        assert_eq!(gone.status, 303);
        remind::round(&world.app).await.unwrap();
        assert_eq!(world.entries(EventKind::NoticeDue, None).await, 1, "of what ended, its account alone");
        days(&world, 33).await;
        assert_eq!(kinds(&world, &day).await, ["ended", "statement"]);
        assert_eq!(kinds(&world, &month).await, ["ends_in_a_month", "ends_in_a_week", "ended", "statement"]);
        assert_eq!(kinds(&world, &half).await, Vec::<String>::new());
        assert_eq!(kinds(&world, &ended).await, ["ended", "statement"]);
        // 182 days: it is used in the meantime, so that only its end is a matter.
        represent(&world, &half, &ProcedureId::parse(world.procedure()).unwrap(), "one").await;
        days(&world, 151).await;
        assert_eq!(
            kinds(&world, &half).await,
            ["receipt", "ends_in_a_month", "ends_in_a_week", "ended", "statement"]
        );
        world.test.verifies().await;
    }

    a_mandate_that_is_not_used_for_five_months_is_told_once(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let year = world.active_of(&mut browser, "year").await;
        let quiet = world.active_of(&mut browser, "year").await;
        chosen(&world, &year, Channel::Email).await;
        chosen(&world, &quiet, Channel::None).await;
        days(&world, 151).await;
        assert!(kinds(&world, &year).await.is_empty());
        days(&world, 30).await;
        assert_eq!(kinds(&world, &year).await, ["unused"]);
        assert!(kinds(&world, &quiet).await.is_empty(), "who wants to be told nothing is not reminded");
        assert_ne!(usager_of(&world, &year).await, usager_of(&world, &quiet).await);
        send(&world).await;
        let letters = postman.brought();
        assert_eq!(letters.len(), 1);
        assert!(letters[0].text.body.contains("n’a pas servi depuis cinq mois"), "{}", letters[0].text.body);
        assert_eq!(notices_of(&world).await, ["unused email sent -"]);
        world.test.verifies().await;
    }

    a_reminder_of_several_replicas_is_written_once(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mut mandates = Vec::new();
        for _ in 0..3 {
            let mandate = world.active_of(&mut browser, "month").await;
            chosen(&world, &mandate, Channel::Sms).await;
            mandates.push(mandate);
        }
        let other = world.beside(world.test.replica().await.carried_by(world.app.couriers.clone()));
        world.test.clock.advance(Duration::days(2));
        for _ in 0..3 {
            let (one, two) = tokio::join!(remind::round(&world.app), remind::round(&other.app));
            assert!(one.is_ok() && two.is_ok());
        }
        for mandate in &mandates {
            assert_eq!(kinds(&world, mandate).await, ["ends_in_a_month"]);
        }
        for _ in 0..3 {
            tokio::join!(send(&world), send(&other));
        }
        assert_eq!(postman.repetitions().values().copied().collect::<Vec<_>>(), [1, 1, 1]);
        let said = &postman.brought()[0].text;
        assert!(said.short.starts_with("Votre mandat finit dans un mois."), "{}", said.short);
        assert_eq!(world.entries(EventKind::NoticeDue, None).await, 3);
        world.test.verifies().await;
    }
}
