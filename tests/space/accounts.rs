//! An aidant whose provider presents them as a new person, as after a change of employer: somebody who knows them says
//! whether they are the same, and until then nobody is let in and nothing changes.

use super::elsewhere::{Window, provider};
use super::world::{promote, two};
use crate::mandates::uses::{Represented, lives, open, represent};
use crate::mandates::world::{Browser, World};
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both};
use crate::support::world::engaged;
use porteplume::demo::Flavour;
use porteplume::mandate::{AidantId, EventKind, Instant, ProfessionalIdentity};
use porteplume::service::manage::{self, Answer, Manager};
use porteplume::service::{Caller, Error, InputError, Record, Who};
use porteplume::storage::aidants::{self, AidantRow};
use porteplume::storage::representations::{self, CloseReason};
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

/// Why a representation was closed.
async fn closed(world: &World, of: &Represented) -> Option<CloseReason> {
    let id = of.id.clone();
    let read = world.app.store.read("test.closed", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(representations::load(snapshot, &id).await?.unwrap().closed) })
    });
    read.await.unwrap().map(|(_, reason)| reason)
}

/// Comes by another account, and is not let in; the code that she reads.
async fn asks(world: &World, at: &str) -> String {
    let mut window = Window::stranger(world, at).await;
    let back = window.identifies(DOOR, "nora-legoff").await;
    let refused = window.here.follow(&back).await;
    assert_eq!((refused.status, refused.location.as_str()), (403, ""), "{}", refused.body);
    assert!(refused.body.contains("other_sign_in"), "{}", refused.body);
    assert!(matches!(window.here.session().await.unwrap().who, Who::Anonymous));
    let (_, code) = refused.body.split_once("id=\"account-code\">").unwrap();
    code.split_once('<').unwrap().0.to_owned()
}

/// The same town at whose door another provider stands, which knows Nora by a `sub` of its own; and where it is.
async fn elsewhere(world: &World) -> (World, String) {
    let (usual, at) = provider(&world.test, Flavour::Agents, "agents").await;
    (world.beside(world.test.replica().await.employed_by(usual)), at)
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

/// The referent's answer.
fn says<'a>(answer: &'a str, code: &'a str) -> [(&'static str, &'a str); 2] {
    [("answer", answer), ("code", code)]
}

/// When the one that waits came.
async fn since(world: &World, id: &AidantId) -> Instant {
    row(world, id).await.asked.unwrap().at
}

async fn operator(world: &World, id: &AidantId, answer: Answer) -> Result<(), Error> {
    manage::other_sign_in(&world.app, &Manager::Operator, &Caller::default(), id, answer).await
}

on_both! {
    a_new_account_lets_nobody_in_until_the_referent_confirms_it_and_then_the_former_is_dead(database) {
        let (world, at, nora) = town(database).await;
        let mut former = world.signed_in(&nora).await;
        let mandate = world.active(&mut former).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let kept = row(&world, &nora).await;
        let code = asks(&world, &at).await;
        assert_eq!(asks(&world, &at).await, code, "the code is the account's");
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 1, "one waits");
        assert_eq!(world.entries(EventKind::SignInRefused, Some("other_sign_in")).await, 2);
        assert!(former.session().await.is_some() && lives(&world, &used).await, "nothing else changed");
        world.test.verifies().await;

        let referent = referent(&world).await;
        assert!(referent.get("/referent").await.body.contains(&format!("other-sign-in-{nora}")));
        let page = referent.get(&path(&nora)).await;
        assert!(page.body.contains("answer-same") && page.body.contains("Nora Le Goff"), "{}", page.body);
        assert!(!page.body.contains(&code), "the code comes from the person");
        assert_eq!(referent.post(&path(&nora), &says("same", &code.to_uppercase().replace('-', " "))).await.status, 303);

        let after = row(&world, &nora).await;
        assert!(after.subject != kept.subject && after.asked.is_none());
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 1);
        assert!(former.session().await.is_none(), "whoever came by the former account is out");
        assert!(!lives(&world, &used).await);
        assert_eq!(open(&world).await, 0);
        assert_eq!(closed(&world, &used).await, Some(CloseReason::SignedOut));
        assert_eq!(world.state(&mandate).await, "active", "the mandate stays");
        assert!(comes(&world, &at).await);
        assert_eq!(referent.post(&path(&nora), &says("same", &code)).await.status, 409, "it was answered");
        assert_eq!(referent.get(&path(&nora)).await.status, 303, "nothing is asked any more");
        world.test.verifies().await;
    }

    of_two_accounts_at_one_address_only_the_one_whose_code_was_said_is_confirmed(database) {
        let (world, at, nora) = town(database).await;
        let (beside, there) = elsewhere(&world).await;
        let first = asks(&world, &at).await;
        let waits = since(&world, &nora).await;
        let second = asks(&beside, &there).await;
        assert_ne!(first, second);
        assert_eq!(since(&world, &nora).await, waits, "who came first waits");
        let referent = referent(&world).await;
        for said in [second.as_str(), "", first.split_at(8).0, "2222-2222"] {
            let wrong = referent.post(&path(&nora), &says("same", said)).await;
            assert_eq!(wrong.status, 422, "{said}");
            assert!(wrong.body.contains("code-problem") && !wrong.body.contains(&first), "{}", wrong.body);
            let wrong = operator(&world, &nora, Answer::Same(said.to_owned())).await;
            assert!(matches!(wrong, Err(Error::Input(InputError::Field("code")))), "{wrong:?}");
        }
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 0);

        // The one that is nobody's account is denied, and the person comes again.
        assert_eq!(referent.post(&path(&nora), &says("another", "")).await.status, 303);
        assert_eq!(asks(&beside, &there).await, second);
        assert_eq!(referent.post(&path(&nora), &says("same", &first)).await.status, 422, "the code of the denied one");
        assert_eq!(referent.post(&path(&nora), &says("same", &second)).await.status, 303);
        assert!(comes(&beside, &there).await);
        assert_eq!(asks(&world, &at).await, first, "the denied one is not let in by it");
        world.test.verifies().await;
    }

    a_former_account_that_comes_back_asks_as_any_other(database) {
        let (world, at, nora) = town(database).await;
        let (beside, there) = elsewhere(&world).await;
        let first = asks(&world, &at).await;
        operator(&world, &nora, Answer::Same(first.clone())).await.unwrap();
        let second = asks(&beside, &there).await;
        operator(&world, &nora, Answer::Same(second)).await.unwrap();
        assert_eq!(asks(&world, &at).await, first);
        assert!(comes(&beside, &there).await);
        world.test.verifies().await;
    }

    an_account_that_became_somebody_else_s_meanwhile_is_a_conflict(database) {
        let (world, at, nora) = town(database).await;
        let code = asks(&world, &at).await;
        let asked = row(&world, &nora).await.asked.unwrap().subject;
        let (id, now, app) = (world.aidant.clone(), world.app.now(), Arc::clone(&world.app));
        let taken = world.app.commit("test.bind", move |tx| {
            let (id, asked, app) = (id.clone(), asked.clone(), Arc::clone(&app));
            Box::pin(async move {
                let row = aidants::load(tx, &id).await?.unwrap();
                let after = AidantRow { subject: Some(asked), ..row.clone() };
                let record = Record::done(EventKind::InvitationAccepted).aidant(&id);
                let event = record.append(&app, tx, &Caller::default(), now).await?;
                Ok::<_, Error>(aidants::update(tx, &row, &after, &event).await?)
            })
        });
        taken.await.unwrap();
        let refused = operator(&world, &nora, Answer::Same(code)).await;
        assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 0);
    }

    a_denied_account_changes_nothing_and_may_come_again(database) {
        let (world, at, nora) = town(database).await;
        let former = world.signed_in(&nora).await;
        asks(&world, &at).await;
        let referent = referent(&world).await;
        assert_eq!(referent.post(&path(&nora), &says("another", "")).await.status, 303);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), false));
        assert!(former.session().await.is_some());
        assert_eq!(world.entries(EventKind::OtherSignInDenied, None).await, 1);
        world.test.verifies().await;
        world.wait(1);
        asks(&world, &at).await;
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 2);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        world.test.verifies().await;
    }

    what_nobody_answers_runs_out(database) {
        let (world, at, nora) = town(database).await;
        let code = asks(&world, &at).await;
        let before = since(&world, &nora).await;
        world.wait(7 * 24 * 60);
        let referent = referent(&world).await;
        assert!(!referent.get("/referent").await.body.contains("other-sign-in-"));
        assert_eq!(referent.get(&path(&nora)).await.status, 303);
        assert_eq!(referent.post(&path(&nora), &says("same", &code)).await.status, 409);
        assert_eq!(bound(&world, &nora).await.0, "former");
        asks(&world, &at).await;
        assert_ne!(since(&world, &nora).await, before, "it waits anew");
        assert_eq!(world.entries(EventKind::OtherSignInAsked, None).await, 2);
        world.test.verifies().await;
    }

    nobody_answers_for_themself_for_others_people_or_out_of_nothing(database) {
        let (world, at, nora) = town(database).await;
        let code = asks(&world, &at).await;
        promote(&world, &nora).await;
        let stranger = world.stranger().await;
        promote(&world, &stranger).await;
        let referent = referent(&world).await;
        let (own, stranger, aidant) = (
            world.signed_in(&nora).await, world.signed_in(&stranger).await, world.signed_in(&world.aidant).await,
        );
        for (browser, answer, status) in [
            (&own, "same", 409), (&stranger, "same", 404), (&aidant, "same", 404),
            (&own, "another", 409), (&stranger, "another", 404), (&aidant, "another", 404), (&referent, "yes", 422),
        ] {
            let sent = browser.post(&path(&nora), &says(answer, &code)).await;
            assert_eq!(sent.status, status, "{answer}: {}", sent.body);
        }
        assert_eq!(referent.post(&path(&world.aidant), &says("same", &code)).await.status, 409);
        assert_eq!(own.get(&path(&nora)).await.status, 303);
        assert_eq!(bound(&world, &nora).await, ("former".to_owned(), true));
        assert!(own.session().await.is_some());
        assert_eq!(world.entries(EventKind::OtherSignInConfirmed, None).await, 0);

        // The operator answers for a referent who is alone.
        operator(&world, &nora, Answer::Same(code.clone())).await.unwrap();
        assert!(own.session().await.is_none() && comes(&world, &at).await);
        assert!(matches!(operator(&world, &nora, Answer::Same(code)).await, Err(Error::Conflict)));
        world.test.verifies().await;
    }

    of_two_answers_at_once_one_counts(database) {
        let (world, at, nora) = town(database).await;
        let code = asks(&world, &at).await;
        let referent = referent(&world).await;
        let path = path(&nora);
        let (same, another) = (says("same", &code), says("another", &code));
        let (first, second) = tokio::join!(referent.post(&path, &same), referent.post(&path, &another));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409]);
        let confirmed = world.entries(EventKind::OtherSignInConfirmed, None).await;
        assert_eq!(confirmed + world.entries(EventKind::OtherSignInDenied, None).await, 1);
        let (sub, waits) = bound(&world, &nora).await;
        assert_eq!((sub == "former", waits), (confirmed == 0, false));
        assert_eq!(first.status == 303, confirmed == 1, "who was told yes is who was heard");
        if confirmed == 1 {
            assert!(comes(&world, &at).await);
        } else {
            asks(&world, &at).await;
        }
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
