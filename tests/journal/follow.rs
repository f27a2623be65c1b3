//! Mandates and aidants through time, charts, and kept searches.

use super::desk::{entries, given, registered};
use super::glass::{at_desk, auditor, listed};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::{active_for_two, at_home, two, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::{EventKind, Instant, Reach, Slots};
use porteplume::service::{Caller, audit};
use std::collections::BTreeSet;
use time::Duration;
use time::macros::format_description;

/// An instant as the page takes it.
fn typed(at: Instant) -> String {
    at.to_utc().format(format_description!("[year]-[month]-[day]T[hour]:[minute]")).unwrap()
}

on_both! {
    the_state_of_a_mandate_is_told_again_at_any_instant(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        world.wait(10);
        let before = typed(world.app.now());
        world.wait(2);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let [first, _] = two(&world);
        home.post(&format!("/usager/mandates/{mandate}/procedures/{first}/end"), &[]).await;
        world.wait(2);
        let between = typed(world.app.now());
        world.wait(2);
        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
        world.wait(2);
        let desk = at_desk(&world, &auditor(&world).await).await;
        let then = async |at: &str| {
            let page = desk.get(&format!("/auditor/follow?mandate={mandate}&at={at}")).await;
            assert_eq!(page.status, 200, "{at}");
            assert!(page.body.contains("note good\" id=\"agrees"), "the history gives what is stored");
            page.body.split("id=\"then\"").nth(1).unwrap().split("id=\"agrees\"").next().unwrap().to_owned()
        };
        assert!(then("2020-01-01T00:00").await.contains("n’existait pas encore"));
        let (early, middle, now) = (then(&before).await, then(&between).await, then("").await);
        assert!(early.contains("en vigueur") && !early.contains("retirée"), "{early}");
        assert!(middle.contains("en vigueur") && middle.contains("retirée"), "{middle}");
        assert!(now.contains("terminé") && now.contains("retirée"), "{now}");
        assert_eq!(entries(&world.test, EventKind::TimelineRead).await, 4);
    }

    a_timeline_tells_what_was_done_and_leads_to_the_aidant(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        represent(&world, &mandate, &two(&world)[0], "sid").await;
        let desk = at_desk(&world, &auditor(&world).await).await;
        let page = desk.get(&format!("/auditor/follow?mandate={mandate}")).await.body;
        for told in ["Une intervention a commencé", "La personne a donné son accord", "Un mandat a été proposé"] {
            assert!(page.contains(told), "{told}");
        }
        let link = page.split("/auditor/follow?aidant=").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let page = desk.get(&format!("/auditor/follow?aidant={link}")).await;
        assert!(page.status == 200 && page.body.contains("Un mandat a été proposé"));
        for (query, status) in [("mandate=nobody", 422), ("aidant=0000000000000000", 404), ("", 200)] {
            assert_eq!(desk.get(&format!("/auditor/follow?{query}")).await.status, status, "{query}");
        }
        assert_eq!(entries(&world.test, EventKind::AccessRefused).await, 1);

        let other = registered(&world.test).await;
        let reach = Reach::Named { organisations: BTreeSet::new(), mandates: BTreeSet::from([world.active(&mut aidant).await]) };
        given(&world.test, &other, reach, Slots::METADATA).await;
        let elsewhere = at_desk(&world, &other).await;
        assert_eq!(elsewhere.get(&format!("/auditor/follow?mandate={mandate}")).await.status, 404);
        assert_eq!(entries(&world.test, EventKind::AccessRefused).await, 2);
    }

    charts_count_what_is_in_sight_once(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (used, idle) = (world.active(&mut aidant).await, world.active(&mut aidant).await);
        for sid in ["a", "b", "c"] {
            represent(&world, &used, &two(&world)[0], sid).await;
        }
        let (all, one) = (auditor(&world).await, registered(&world.test).await);
        given(&world.test, &all, Reach::Everything, Slots::ALL).await;
        let of = |mandate| Reach::Named { organisations: BTreeSet::new(), mandates: BTreeSet::from([mandate]) };
        given(&world.test, &one, of(idle.clone()), Slots::METADATA).await;
        let now = world.app.now();
        let period = (now.plus(-Duration::days(1)), now.plus(Duration::minutes(1)));
        for (auditor, uses, consents) in [(&all, 3, 2), (&one, 0, 1)] {
            let session = at_desk(&world, auditor).await.session().await.unwrap();
            let charts = audit::charts(&world.app, &session, &Caller::default(), period, None).await.unwrap();
            assert_eq!(charts.hours.values().sum::<u64>(), uses);
            assert_eq!(charts.procedures.iter().map(|(_, count)| count).sum::<u64>(), uses);
            assert_eq!(charts.channels, [("in_presence".to_owned(), consents)]);
            assert_eq!(charts.waits.iter().sum::<u64>(), consents);
        }
        world.wait(1);
        let desk = at_desk(&world, &all).await;
        let page = desk.get("/auditor/charts").await;
        assert!(page.status == 200 && page.body.contains("id=\"table-days\"") && page.body.contains("<desc"));
        assert_eq!(desk.get("/auditor/charts?from=2020-01-01&to=2026-01-01").await.status, 422);
        assert_eq!(entries(&world.test, EventKind::ChartsRead).await, 3);
    }

    a_kept_search_is_its_auditors_own_and_runs_again(database) {
        let world = World::over(database).await;
        let desk = at_desk(&world, &auditor(&world).await).await;
        let other = at_desk(&world, &auditor(&world).await).await;
        let kept = [("name", "Les fins <b>"), ("query", "kind=mandate.ended&after=x&unknown=1")];
        assert_eq!(desk.post("/auditor/searches", &kept).await.status, 303);
        assert_eq!(desk.post("/auditor/searches", &[("name", " "), ("query", "")]).await.status, 422);
        let page = desk.get("/auditor").await.body;
        assert!(page.contains("Les fins &#60;b&#62;") || page.contains("Les fins &lt;b&gt;"), "{page}");
        assert!(page.contains("href=\"/auditor?kind=mandate.ended\""), "only filters are kept");
        assert_eq!(page.matches("id=\"kept-").count(), 1);
        assert!(!other.get("/auditor").await.body.contains("id=\"kept-"), "each has their own");
        assert_eq!(other.post("/auditor/searches", &[("name", "Tout"), ("query", "from=")]).await.status, 303);
        let everything = other.get("/auditor").await.body;
        assert!(everything.contains("href=\"/auditor?from=\""), "{everything}");
        assert!(other.get("/auditor?from=").await.body.contains("id=\"results\""), "it looks for everything");
        let id = page.split("id=\"kept-").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(other.post(&format!("/auditor/searches/{id}/forget"), &[]).await.status, 404);
        assert_eq!(desk.get("/auditor").await.body.matches("id=\"kept-").count(), 1);
        assert_eq!(desk.post(&format!("/auditor/searches/{id}/forget"), &[]).await.status, 303);
        assert!(!desk.get("/auditor").await.body.contains("id=\"kept-"));
    }

    every_filter_finds_and_pages_by_its_own(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let procedure = two(&world)[0].clone();
        represent(&world, &mandate, &procedure, "sid").await;
        aidant.get("/aidant/mandates/0000000000000000000000000000beef").await;
        let desk = at_desk(&world, &auditor(&world).await).await;
        let usager = usager_of(&world, &mandate).await;
        for (query, least) in [
            (format!("usager={usager}"), 3), (format!("mandate={mandate}"), 4), (format!("aidant={}", world.aidant), 5),
            (format!("procedure={procedure}"), 1), ("client=caisse".to_owned(), 1), ("outcome=refused".to_owned(), 1),
            ("code=not_found".to_owned(), 1), (format!("procedure={procedure}&client=caisse&outcome=done"), 1),
        ] {
            let page = desk.get(&format!("/auditor?{query}")).await;
            assert_eq!(page.status, 200);
            assert!(listed(&page.body).len() >= least, "{query}: {}", listed(&page.body).len());
        }
        for query in ["code=Not+found", "usager=marie", "client=%20/", "procedure=A"] {
            assert_eq!(desk.get(&format!("/auditor?{query}")).await.status, 422, "{query}");
        }
    }
}
