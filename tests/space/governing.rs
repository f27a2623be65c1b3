//! A referent governs the own organisation and no other.

use super::world::{people, promote, two};
use crate::mandates::uses::{lives, open, represent};
use crate::mandates::world::{Browser, World};
use crate::support::database::on_both;
use crate::support::world::whereabouts;
use porteplume::mandate::{EventKind, Role};
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::{Caller, Error};

/// A referent's browser.
async fn referent(world: &World) -> Browser<'_> {
    let colleague = world.colleague().await;
    promote(world, &colleague).await;
    world.signed_in(&colleague).await
}

on_both! {
    an_organisation_ends_a_mandate_and_what_is_open_stops(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let referent = referent(&world).await;
        assert!(referent.get("/referent/mandates").await.body.contains(mandate.as_str()));
        let path = format!("/referent/mandates/{mandate}/end");
        assert!(referent.get(&path).await.body.contains("end-form"));
        assert_eq!(browser.post(&path, &[]).await.status, 404, "an aidant is no referent");
        assert!(lives(&world, &used).await);
        assert_eq!(referent.post(&path, &[]).await.status, 303);
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &used).await);
        assert_eq!(open(&world).await, 0);
        let after = world.facts().await;
        assert_eq!(referent.post(&path, &[]).await.status, 303, "the second click finds it done");
        assert_eq!(world.facts().await, after);
    }

    no_act_of_a_referent_reaches_another_organisation(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let stranger = world.stranger().await;
        promote(&world, &stranger).await;
        let stranger = world.signed_in(&stranger).await;
        let (facts, before) = (world.facts().await, people(&world).await);
        let victim = &world.aidant;
        for path in [
            format!("/referent/aidants/{victim}/suspend"),
            format!("/referent/aidants/{victim}/reinstate"),
            format!("/referent/aidants/{victim}/procedures"),
            format!("/referent/mandates/{mandate}/end"),
        ] {
            assert_eq!(stranger.get(&path).await.status, 404, "{path}");
            assert_eq!(stranger.post(&path, &[]).await.status, 404, "{path}");
        }
        for path in ["/referent", "/referent/mandates"] {
            let page = stranger.get(path).await.body;
            assert!(!page.contains(victim.as_str()) && !page.contains(mandate.as_str()), "{page}");
        }
        assert_eq!((world.facts().await, people(&world).await), (facts, before));
        assert!(lives(&world, &used).await && browser.session().await.is_some());
        assert_eq!(world.entries(EventKind::ManagementRefused, Some("not_found")).await, 6);
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, 2);
        assert_eq!(world.entries(EventKind::ProceduresRestricted, None).await, 0);
    }

    an_aidant_who_is_no_referent_finds_no_such_pages(database) {
        let world = World::over(database).await;
        let browser = world.signed_in(&world.aidant).await;
        let before = people(&world).await;
        for path in ["/referent", "/referent/aidants/invite", "/referent/procedures", "/referent/mandates"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
        let invited = [("given_name", "A"), ("family_name", "B"), ("email", "a@b.example"), ("role", "referent")];
        assert_eq!(browser.post("/referent/aidants/invite", &invited).await.status, 404);
        assert_eq!(browser.post("/referent/procedures", &[]).await.status, 404);
        assert_eq!(people(&world).await, before);
    }

    a_suspended_aidants_session_and_representations_die_at_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let referent = referent(&world).await;
        let path = format!("/referent/aidants/{}/suspend", world.aidant);
        assert!(referent.get(&path).await.body.contains("standing-form"));
        assert_eq!(referent.post(&path, &[]).await.status, 303);
        assert!(browser.session().await.is_none());
        assert!(!lives(&world, &used).await);
        assert_eq!(open(&world).await, 0);
        assert_eq!(world.state(&mandate).await, "active", "the mandate stays");
        assert_eq!(referent.post(&path, &[]).await.status, 409, "suspended already");
        let back = format!("/referent/aidants/{}/reinstate", world.aidant);
        assert_eq!(referent.post(&back, &[]).await.status, 303);
        assert!(!lives(&world, &used).await, "what was killed stays dead");
    }

    a_referent_does_not_suspend_themself(database) {
        let world = World::over(database).await;
        let colleague = world.colleague().await;
        promote(&world, &colleague).await;
        let referent = world.signed_in(&colleague).await;
        let before = people(&world).await;
        assert_eq!(referent.post(&format!("/referent/aidants/{colleague}/suspend"), &[]).await.status, 409);
        assert!(referent.session().await.is_some());
        assert_eq!(people(&world).await, before);
        assert_eq!(world.entries(EventKind::AidantSuspended, None).await, 0);
    }

    names_that_ask_something_of_forms_are_invited_and_shown(database) {
        let world = World::over(database).await;
        let referent = referent(&world).await;
        let long = "é".repeat(200);
        let family = "O’Neill-d'Été <script>alert(1)</script>";
        let invited = [("given_name", long.as_str()), ("family_name", family), ("email", "a@mairie.example"), ("role", "aidant")];
        let answer = referent.post("/referent/aidants/invite", &invited).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let page = referent.get("/referent").await.body;
        assert!(page.contains(&long) && !page.contains("<script>alert"), "{page}");
        let before = people(&world).await;
        let again = referent.post("/referent/aidants/invite", &invited).await;
        assert!(again.status == 422 && again.body.contains("email-problem"), "{}", again.body);
        let too_long = "é".repeat(201);
        for (given, email, role, field) in [
            ("", "b@mairie.example", "aidant", "given_name-problem"),
            (too_long.as_str(), "b@mairie.example", "aidant", "input_too_long"),
            ("B", "no address", "aidant", "email-problem"),
            ("B", "b@mairie.example", "operator", "role-aidant-problem"),
        ] {
            let fields = [("given_name", given), ("family_name", "B"), ("email", email), ("role", role)];
            let answer = referent.post("/referent/aidants/invite", &fields).await;
            assert!(answer.status == 422 && answer.body.contains(field), "{field}: {}", answer.body);
        }
        assert_eq!(people(&world).await, before);
        assert_eq!(world.entries(EventKind::AidantInvited, None).await, 1);
    }

    what_the_organisation_closes_cannot_be_opened_for_one_aidant(database) {
        let world = World::over(database).await;
        let referent = referent(&world).await;
        let [first, second] = two(&world);
        let all: Vec<_> = world.app.catalogue.procedures().iter().map(|one| one.id.clone()).collect();
        let open_but = |closed: &[&porteplume::mandate::ProcedureId]| {
            all.iter().filter(|id| !closed.contains(id)).map(|id| ("procedure", id.as_str())).collect::<Vec<_>>()
        };
        assert_eq!(referent.post("/referent/procedures", &open_but(&[&first])).await.status, 303);
        let own = format!("/referent/aidants/{}/procedures", world.aidant);
        assert_eq!(referent.post(&own, &open_but(&[&first, &second])).await.status, 303);
        let browser = world.signed_in(&world.aidant).await;
        let session = browser.session().await.unwrap();
        let offer = porteplume::service::propose::offer(&world.app, &session).await.unwrap();
        assert_eq!(offer.closed_for_organisation.into_iter().collect::<Vec<_>>(), [first]);
        assert_eq!(offer.closed_for_aidant.into_iter().collect::<Vec<_>>(), [second]);
        let unknown = [("procedure", "no-such-procedure")];
        assert_eq!(referent.post("/referent/procedures", &unknown).await.status, 422);
        assert_eq!(world.entries(EventKind::ProceduresRestricted, None).await, 2);
    }

    an_invitation_that_ran_out_is_renewed_in_place_and_an_open_one_is_not(database) {
        let world = World::over(database).await;
        let colleague = world.colleague().await;
        promote(&world, &colleague).await;
        let invited = |role| [("given_name", "Ada"), ("family_name", "B"), ("email", "a@mairie.example"), ("role", role)];
        let invite = async |role| {
            let browser = world.signed_in(&colleague).await;
            browser.post("/referent/aidants/invite", &invited(role)).await.status
        };
        let auditor = async || manage::add_auditor(&world.app, "Aude", "Itrice", "aude@controle.example").await;
        assert_eq!(invite("aidant").await, 303);
        let registered = auditor().await.unwrap();
        let before = people(&world).await;
        world.wait(13 * 24 * 60);
        assert_eq!(invite("referent").await, 422, "it is still open");
        assert!(matches!(auditor().await, Err(Error::Conflict)));
        assert_eq!(people(&world).await, before);

        world.wait(24 * 60);
        let elsewhere = manage::add_organisation(&world.app, "Autre", "13002526500013", &whereabouts()).await.unwrap();
        let ada = Invited { given_name: "Ada", family_name: "B", email: "a@mairie.example", role: Role::Aidant };
        let poached =
            manage::invite_aidant(&world.app, &Manager::Operator, &Caller::default(), &elsewhere, ada).await;
        assert!(matches!(poached, Err(Error::Conflict)), "another organisation's invitation stays its own");
        assert_eq!(invite("referent").await, 303);
        assert_eq!(auditor().await.unwrap(), registered);
        let after = people(&world).await;
        let renewed: Vec<_> = after.iter().filter(|fact| !before.contains(fact)).collect();
        assert!(renewed.len() == 1 && renewed[0].ends_with(" referent invited 2"), "{renewed:?}");
        assert_eq!(after.len(), before.len(), "the same row");
        assert_eq!(invite("referent").await, 422, "and open again");
        assert_eq!(world.entries(EventKind::AidantInvited, None).await, 2);
        assert_eq!(world.entries(EventKind::AuditorAdded, None).await, 2);
        world.test.verifies().await;
    }
}
