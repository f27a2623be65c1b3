//! "Ended at" and "known at" are two facts.

use crate::mandates::world::World;
use crate::space::world::{at_home, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::EventKind;
use porteplume::service::expire;
use time::Duration;

on_both! {
    each_party_learns_of_an_ending_once_and_whoever_ended_it_knows(database) {
        let world = World::over(database).await;
        let mut desk = world.signed_in(&world.aidant).await;
        let (ended, expired) = (world.active(&mut desk).await, world.active(&mut desk).await);
        let known = || world.entries(EventKind::EndingKnown, None);
        let home = at_home(&world, &usager_of(&world, &ended).await).await;
        assert_eq!(desk.get(&format!("/aidant/mandates/{ended}")).await.status, 200);
        assert_eq!(known().await, 0, "it stands");
        assert_eq!(home.post(&format!("/usager/mandates/{ended}/end"), &[]).await.status, 303);
        assert_eq!(home.get("/usager").await.status, 200);
        assert_eq!(known().await, 0, "who ended it knows by that");
        for _ in 0..2 {
            assert_eq!(desk.get(&format!("/aidant/mandates/{ended}")).await.status, 200);
            assert_eq!(known().await, 1, "the organisation, once");
        }
        let usager = usager_of(&world, &expired).await;
        world.test.clock.advance(Duration::days(40));
        expire::expire_due(&world.app).await.unwrap();
        let (home, desk) = (at_home(&world, &usager).await, world.signed_in(&world.aidant).await);
        for _ in 0..2 {
            assert_eq!(home.get("/usager").await.status, 200);
            assert_eq!(known().await, 2, "the usager, once");
        }
        assert_eq!(desk.get(&format!("/aidant/mandates/{expired}")).await.status, 200);
        assert_eq!(known().await, 3);
        world.test.verifies().await;
    }
}
