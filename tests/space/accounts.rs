//! An aidant whose provider presents them as a new person, as after a change of employer: somebody who knows them says
//! whether they are the same, and until then nobody is let in and nothing changes.

use super::elsewhere::{Window, provider};
use super::world::{promote, two};
use crate::mandates::uses::{lives, open, represent};
use crate::mandates::world::{Browser, World};
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both};
use crate::support::world::engaged;
use porteplume::demo::Flavour;
use porteplume::mandate::{AidantId, EventKind, ProfessionalIdentity};
use porteplume::service::manage::{self, Answer};
use porteplume::service::{Error, Who};
use porteplume::storage::aidants::{self, AidantRow};
use std::sync::Arc;

const DOOR: &str = "/aidant/sign-in";
const NORA: &str = "nora.legoff@mediatheque.valmarie.example";

/// A world in which Nora came by a former account, and where her provider is, which knows her by another.
async fn town(database: TestDatabase) -> (World, String, AidantId) {
    let test = TestApp::over(database).await;
    let (usual, at) = provider(&test, Flavour::Agents, "agents").await;
    let world = World::of(test.employed_by(usual)).await;
    let nora = AidantId::from_bytes(world.app.new_id().unwrap());
    let (app, id, organisation, now) =
        (Arc::clone(&world.app), nora.clone(), world.organisation.clone(), world.app.now());
    world
        .app
        .commit("test.engage", move |tx| {
            let (app, id, organisation) = (Arc::clone(&app), id.clone(), organisation.clone());
            let (given_name, family_name) = ("Nora".to_owned(), "Le Goff".to_owned());
            let identity = ProfessionalIdentity { given_name, family_name, email: NORA.to_owned() };
            Box::pin(async move {
                let of = (&organisation, &id);
                engaged(&app, tx, of, &identity, "former".to_owned(), now).await.map(drop)
            })
        })
        .await
        .unwrap();
    (world, at, nora)
}

async fn row(world: &World, id: &AidantId) -> AidantRow {
    let id = id.clone();
    let read = world.app.store.read("test.aidant", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(aidants::load(snapshot, &id).await?) })
    });
    read.await.unwrap().unwrap()
}

/// Whom she is bound to, and whether another sign-in waits.
async fn bound(world: &World, id: &AidantId) -> (String, bool) {
    let row = row(world, id).await;
    (row.subject.unwrap().1, row.asked.is_some())
}

/// Comes by the new account, and is not let in.
async fn asks(world: &World, at: &str) {
    let mut window = Window::stranger(world, at).await;
    let back = window.identifies(DOOR, "nora-legoff").await;
    let refused = window.here.follow(&back).await;
    assert_eq!((refused.status, refused.location.as_str()), (403, ""), "{}", refused.body);
    assert!(refused.body.contains("other_sign_in"), "{}", refused.body);
    assert!(matches!(window.here.session().await.unwrap().who, Who::Anonymous));
}

/// Whether she is let in by the new account.
async fn comes(world: &World, at: &str) -> bool {
    let mut window = Window::stranger(world, at).await;
    let back = window.identifies(DOOR, "nora-legoff").await;
    let came = window.here.follow(&back).await;
    let Who::Aidant { factor_at, .. } = window.here.session().await.unwrap().who else { return false };
    assert_eq!((came.status, factor_at), (303, None));
    assert_ne!(window.here.get("/aidant").await.status, 200, "her second factor is asked for");
    true
}

async fn referent(world: &World) -> Browser<'_> {
    let colleague = world.colleague().await;
    promote(world, &colleague).await;
    world.signed_in(&colleague).await
}

fn path(id: &AidantId) -> String {
    format!("/referent/aidants/{id}/other-sign-in")
}

/// What the page would send.
async fn asked(world: &World, id: &AidantId) -> String {
    row(world, id).await.asked.unwrap().at.micros().to_string()
}

on_both! {
    a_new_account_lets_nobody_in_until_the_referent_confirms_it_and_then_the_former_is_dead(database) {
        let (world, at, nora) = town(database).await;
        let mut former = world.signed_in(&nora).await;
        let mandate = world.active(&mut former).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let kept = row(&world, &nora).await;
        asks(&world, &at).await;
        asks(&world, &at).await;
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 1, "one waits");
        assert_eq!(world.entries(EventKind::SignInRefused, Some("other_sign_in")).await, 2);
        assert!(former.session().await.is_some() && lives(&world, &used).await, "nothing else changed");
        world.test.verifies().await;

        let referent = referent(&world).await;
        assert!(referent.get("/referent").await.body.contains(&format!("other-sign-in-{nora}")));
        let page = referent.get(&path(&nora)).await;
        assert!(page.body.contains("answer-same") && page.body.contains("Nora Le Goff"), "{}", page.body);
        let since = asked(&world, &nora).await;
        assert!(page.body.contains(&format!("value=\"{since}\"")), "{}", page.body);
        let form = [("asked", since.as_str()), ("answer", "same")];
        assert_eq!(referent.post(&path(&nora), &form).await.status, 303);

        let after = row(&world, &nora).await;
        assert!(after.subject != kept.subject && after.asked.is_none());
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 1);
        assert!(former.session().await.is_none(), "whoever came by the former account is out");
        assert!(!lives(&world, &used).await);
        assert_eq!(open(&world).await, 0);
        assert_eq!(world.state(&mandate).await, "active", "the mandate stays");
        assert!(comes(&world, &at).await);
        assert_eq!(referent.post(&path(&nora), &form).await.status, 409, "it was answered");
        assert_eq!(referent.get(&path(&nora)).await.status, 303, "nothing is asked any more");
        world.test.verifies().await;
    }

    a_denied_account_changes_nothing_and_may_come_again(database) {
        let (world, at, nora) = town(database).await;
        let former = world.signed_in(&nora).await;
        asks(&world, &at).await;
        let referent = referent(&world).await;
        let since = asked(&world, &nora).await;
        let form = [("asked", since.as_str()), ("answer", "another")];
        assert_eq!(referent.post(&path(&nora), &form).await.status, 303);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), false));
        assert!(former.session().await.is_some());
        assert_eq!(world.entries(EventKind::OtherSignInDenied, None).await, 1);
        world.test.verifies().await;
        world.wait(1);
        asks(&world, &at).await;
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 2);
        assert_eq!(referent.post(&path(&nora), &form).await.status, 409, "the page from before answers nothing new");
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        world.test.verifies().await;
    }

    what_nobody_answers_runs_out(database) {
        let (world, at, nora) = town(database).await;
        asks(&world, &at).await;
        let since = asked(&world, &nora).await;
        world.wait(7 * 24 * 60);
        let referent = referent(&world).await;
        assert!(!referent.get("/referent").await.body.contains("other-sign-in-"));
        assert_eq!(referent.get(&path(&nora)).await.status, 303);
        assert_eq!(referent.post(&path(&nora), &[("asked", &since), ("answer", "same")]).await.status, 409);
        assert_eq!(bound(&world, &nora).await.0, "former");
        asks(&world, &at).await;
        assert_ne!(asked(&world, &nora).await, since, "it waits anew");
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 2);
        world.test.verifies().await;
    }

    nobody_answers_for_themself_for_others_people_or_out_of_nothing(database) {
        let (world, at, nora) = town(database).await;
        asks(&world, &at).await;
        let since = asked(&world, &nora).await;
        promote(&world, &nora).await;
        let stranger = world.stranger().await;
        promote(&world, &stranger).await;
        let other = (since.parse::<i64>().unwrap() + 1).to_string();
        let referent = referent(&world).await;
        let (own, stranger, aidant) = (
            world.signed_in(&nora).await, world.signed_in(&stranger).await, world.signed_in(&world.aidant).await,
        );
        for (browser, asked, answer, status) in [
            (&own, &since, "same", 409), (&stranger, &since, "same", 404), (&aidant, &since, "same", 404),
            (&referent, &other, "same", 409), (&referent, &String::new(), "same", 404), (&referent, &since, "yes", 422),
        ] {
            let sent = browser.post(&path(&nora), &[("asked", asked), ("answer", answer)]).await;
            assert_eq!(sent.status, status, "{asked} {answer}: {}", sent.body);
        }
        let to_nobody = path(&world.aidant);
        assert_eq!(referent.post(&to_nobody, &[("asked", &since), ("answer", "same")]).await.status, 409);
        assert_eq!(own.get(&path(&nora)).await.status, 303);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert!(own.session().await.is_some());
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 0);

        // The operator answers for a referent who is alone.
        manage::answer_for(&world.app, &nora, Answer::Same).await.unwrap();
        assert!(own.session().await.is_none() && comes(&world, &at).await);
        assert!(matches!(manage::answer_for(&world.app, &nora, Answer::Same).await, Err(Error::Conflict)));
        world.test.verifies().await;
    }

    of_two_answers_at_once_one_counts(database) {
        let (world, at, nora) = town(database).await;
        asks(&world, &at).await;
        let since = asked(&world, &nora).await;
        let referent = referent(&world).await;
        let path = path(&nora);
        let (same, another) = ([("asked", since.as_str()), ("answer", "same")], [("asked", since.as_str()), ("answer", "another")]);
        let (first, second) = tokio::join!(referent.post(&path, &same), referent.post(&path, &another));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
        let confirmed = world.entries(EventKind::OtherSignInConfirmed, None).await;
        assert_eq!(confirmed + world.entries(EventKind::OtherSignInDenied, None).await, 1);
        assert_eq!(bound(&world, &nora).await, if confirmed == 1 { (bound(&world, &nora).await.0, false) } else { ("former".to_owned(), false) });
        assert_eq!(comes(&world, &at).await, confirmed == 1);
        world.test.verifies().await;
    }

    a_suspended_aidant_asks_for_nothing(database) {
        let (world, at, nora) = town(database).await;
        let referent = referent(&world).await;
        assert_eq!(referent.post(&format!("/referent/aidants/{nora}/suspend"), &[]).await.status, 303);
        assert!(!comes(&world, &at).await);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), false));
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 0);
        assert_eq!(world.entries(EventKind::SignInRefused, Some("suspended")).await, 1);
    }
}
