//! What cannot be journaled does not happen, what did not happen is not journaled, and what was journaled stays.

use super::world::{at_home, promote, two, usager_of};
use crate::mandates::uses::{Represented, lives, represent};
use crate::mandates::world::{Browser, World};
use crate::support::database::on_both;
use crate::support::state::{State, entries, journal};
use porteplume::mandate::{EventKind, MandateId};
use porteplume::service::{expire, propose, upkeep};

/// Everyone with something to do.
struct Everyone<'w> {
    desk: Browser<'w>,
    usager: Browser<'w>,
    referent: Browser<'w>,
    screen: Browser<'w>,
    consented: MandateId,
    active: MandateId,
    used: Represented,
}

async fn everyone(world: &World) -> Everyone<'_> {
    let colleague = world.colleague().await;
    promote(world, &colleague).await;
    let mut screen = world.signed_in(&colleague).await;
    let shown = world.proposed(&screen).await;
    screen.hand_over(&shown).await;
    world.identify(&mut screen, crate::mandates::world::marie()).await;
    let mut desk = world.signed_in(&world.aidant).await;
    let active = world.active(&mut desk).await;
    let consented = world.consented(&mut desk).await;
    desk.unlock().await;
    let usager = at_home(world, &usager_of(world, &active).await).await;
    let referent = world.signed_in(&colleague).await;
    let used = represent(world, &active, &two(world)[0], "sid").await;
    Everyone { desk, usager, referent, screen, consented, active, used }
}

impl Everyone<'_> {
    /// Every act of everyone; how each was answered.
    async fn act(&self, world: &World) -> Vec<(&'static str, u16)> {
        let (active, consented, aidant) = (&self.active, &self.consented, &world.aidant);
        let procedure = &two(world)[0];
        let key = propose::form_key(&world.app).unwrap();
        let proposal =
            [("procedure", procedure.as_str()), ("term", "day"), ("until", ""), ("idempotency", &*key)];
        let invited =
            [("given_name", "B"), ("family_name", "B"), ("email", "b@mairie.example"), ("role", "aidant")];
        let consent = [("decision", "consent"), ("protected", "no")];
        let mut told = Vec::new();
        let mut act =
            async |browser: &Browser<'_>, what: &'static str, path: String, fields: &[(&str, &str)]| {
                told.push((what, browser.post(&path, fields).await.status));
            };
        act(&self.desk, "propose", "/aidant/mandates/new/duration".to_owned(), &proposal).await;
        act(&self.screen, "consent", "/consent/decision".to_owned(), &consent).await;
        act(&self.screen, "refuse", "/consent/decision".to_owned(), &[("decision", "refuse")]).await;
        act(&self.desk, "accept", format!("/aidant/mandates/{consented}/accept"), &[]).await;
        act(&self.desk, "renounce", format!("/aidant/mandates/{active}/renounce"), &[]).await;
        act(&self.usager, "take out", format!("/usager/mandates/{active}/procedures/{procedure}/end"), &[])
            .await;
        act(&self.usager, "revoke", format!("/usager/mandates/{active}/end"), &[]).await;
        act(&self.referent, "end", format!("/referent/mandates/{active}/end"), &[]).await;
        act(&self.referent, "invite", "/referent/aidants/invite".to_owned(), &invited).await;
        act(&self.referent, "restrict", "/referent/procedures".to_owned(), &[]).await;
        act(&self.referent, "suspend", format!("/referent/aidants/{aidant}/suspend"), &[]).await;
        // Somebody else's: the refusal itself cannot be journaled.
        act(
            &self.desk,
            "reach out",
            "/aidant/mandates/00000000000000000000000000000000/renounce".to_owned(),
            &[],
        )
        .await;
        for (browser, path) in [
            (&self.desk, format!("/aidant/mandates/{active}")),
            (&self.desk, format!("/aidant/mandates/{active}/print")),
            (&self.usager, "/usager".to_owned()),
            (&self.usager, format!("/usager/mandates/{active}")),
        ] {
            told.push(("read", browser.get(&path).await.status));
        }
        told
    }
}

on_both! {
    what_cannot_be_journaled_does_not_happen(database) {
        let world = World::over(database).await;
        let everyone = everyone(&world).await;
        let database = &world.test.database;
        let (before, told) = (State::of(database).await, entries(database).await);
        for table in ["event", "event_search"] {
            database.refuses("INSERT", table).await;
            for (what, status) in everyone.act(&world).await {
                assert_eq!(status, 503, "{what} without {table}");
            }
            database.takes_again(table).await;
            assert_eq!((State::of(database).await, entries(database).await), (before.clone(), told), "{table}");
            assert!(lives(&world, &everyone.used).await, "{table}");
        }
        world.test.verifies().await;
    }

    what_did_not_happen_is_not_journaled(database) {
        let world = World::over(database).await;
        let everyone = everyone(&world).await;
        let database = &world.test.database;
        let (before, told) = (State::of(database).await, entries(database).await);
        let path = |what: &str| format!("/aidant/mandates/{}/{what}", everyone.consented);
        let end = format!("/usager/mandates/{}/end", everyone.active);
        for (verb, table) in [("UPDATE", "mandate"), ("UPDATE", "representation")] {
            database.refuses(verb, table).await;
            if table == "mandate" {
                assert_eq!(everyone.desk.post(&path("accept"), &[]).await.status, 503);
                assert_eq!(everyone.desk.post(&path("renounce"), &[]).await.status, 503);
            }
            assert_eq!(everyone.usager.post(&end, &[]).await.status, 503, "{table}");
            database.takes_again(table).await;
            assert_eq!((State::of(database).await, entries(database).await), (before.clone(), told), "{table}");
        }
        assert_eq!(everyone.usager.post(&end, &[]).await.status, 303);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        world.test.verifies().await;
    }

    whatever_persons_do_the_journal_only_grows(database) {
        let world = World::over(database).await;
        let everyone = everyone(&world).await;
        let (mut entries, mut checkpoints) = journal(&world.test.database).await;
        let first = entries.len();
        for round in 0..3 {
            everyone.act(&world).await;
            match round {
                0 => world.wait(31),
                1 => world.test.clock.advance(time::Duration::days(40)),
                _ => {}
            }
            expire::lapse_due(&world.app).await.unwrap();
            expire::expire_due(&world.app).await.unwrap();
            expire::close_due(&world.app).await.unwrap();
            upkeep::purge(&world.app).await.unwrap();
            let (after, signed) = journal(&world.test.database).await;
            assert!(after.starts_with(&entries) && signed.starts_with(&checkpoints), "round {round}");
            (entries, checkpoints) = (after, signed);
        }
        assert!(entries.len() > first + 10, "{} entries after {first}", entries.len());
        world.test.verifies().await;
    }
}
