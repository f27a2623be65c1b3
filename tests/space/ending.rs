//! A usager ends what they granted.

use super::world::{active_for_two, at_home, stored, two, usager_of};
use crate::mandates::uses::{lives, open, represent};
use crate::mandates::world::{World, born};
use crate::support::database::on_both;
use crate::support::world::known_usager;
use porteplume::mandate::EventKind;
use porteplume::service::space::{self, Ended};
use porteplume::service::{Caller, Error, expire, sign_in};
use tokio::join;

on_both! {
    revocation_stops_what_is_open_and_shows_its_receipt(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let procedure = two(&world)[0].clone();
        let used = represent(&world, &mandate, &procedure, "sid").await;
        assert!(lives(&world, &used).await);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let path = format!("/usager/mandates/{mandate}/end");
        assert!(home.get(&path).await.body.contains("end-form"));
        assert!(lives(&world, &used).await, "asking ends nothing");
        let answer = home.post(&path, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &used).await);
        assert_eq!(open(&world).await, 0);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
        let page = home.get(&answer.location).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for told in ["usager-ended", "Une intervention en cours a été arrêtée", "porteplume.test/journal"] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        let renounced = browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await;
        assert_eq!(renounced.status, 409, "{}", renounced.body);
    }

    a_receipt_tells_of_an_ending_and_of_nothing_else(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        for entry in ["0", "1", "2", "999", "18446744073709551615"] {
            let page = home.get(&format!("/usager/mandates/{mandate}/ended?entry={entry}")).await;
            assert_eq!(page.status, 404, "{entry}: {}", page.body);
        }
        for entry in ["", "?entry=", "?entry=-1", "?entry=x", "?entry=1&entry=2"] {
            let page = home.get(&format!("/usager/mandates/{mandate}/ended{entry}")).await;
            assert_eq!(page.status, 400, "{entry}: {}", page.body);
        }
    }

    a_mandate_that_lapsed_after_the_consent_is_told_to_whoever_consented(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        world.wait(31);
        assert_eq!(expire::lapse_due(&world.app).await.unwrap(), 1);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let page = home.get(&format!("/usager/mandates/{mandate}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("la structure n’a pas accepté à temps"), "{}", page.body);
    }

    somebody_elses_mandate_is_not_found_and_stays_as_it_is(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let other = known_usager(&world.app, None, born("Zoé", "O’Neill", "1980-01-01")).await;
        let other = at_home(&world, &other).await;
        let before = world.facts().await;
        let procedure = two(&world)[0].clone();
        let base = format!("/usager/mandates/{mandate}");
        for path in [base.clone(), format!("{base}/end"), format!("{base}/procedures/{procedure}/end"), format!("{base}/ended?entry=1")] {
            assert_eq!(other.get(&path).await.status, 404, "{path}");
        }
        for path in [format!("{base}/end"), format!("{base}/procedures/{procedure}/end")] {
            assert_eq!(other.post(&path, &[]).await.status, 404, "{path}");
        }
        // Neither the aidant nor the referent has this door.
        assert_eq!(browser.post(&format!("{base}/end"), &[]).await.status, 404);
        assert_eq!(world.facts().await, before);
        assert!(lives(&world, &used).await);
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, 4 + 2);
        let home = other.get("/usager").await;
        assert!(home.status == 200 && !home.body.contains(mandate.as_str()), "{}", home.body);
    }

    of_two_revocations_at_the_same_instant_one_wins(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        represent(&world, &mandate, &two(&world)[0], "sid").await;
        let usager = usager_of(&world, &mandate).await;
        let (here, there) = (at_home(&world, &usager).await, at_home(&world, &usager).await);
        let path = format!("/usager/mandates/{mandate}/end");
        let (one, other) = join!(here.post(&path, &[]), there.post(&path, &[]));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", one.body, other.body);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("mandate_state")).await, 1);
    }

    a_revocation_and_a_renunciation_at_the_same_instant_end_the_mandate_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let (revoke, renounce) =
            (format!("/usager/mandates/{mandate}/end"), format!("/aidant/mandates/{mandate}/renounce"));
        let (one, other) = join!(home.post(&revoke, &[]), browser.post(&renounce, &[]));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", one.body, other.body);
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &used).await);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
    }

    a_procedure_taken_out_leaves_the_others_and_the_last_one_ends_the_mandate(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        let [first, second] = two(&world);
        let (one, other) =
            (represent(&world, &mandate, &first, "a").await, represent(&world, &mandate, &second, "b").await);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let path = format!("/usager/mandates/{mandate}/procedures/{first}/end");
        assert!(home.get(&path).await.body.contains("end-form"));
        let answer = home.post(&path, &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(world.state(&mandate).await, "active");
        assert!(!lives(&world, &one).await && lives(&world, &other).await);
        assert_eq!(open(&world).await, 1);
        assert_eq!(home.get(&answer.location).await.status, 200);
        let before = world.facts().await;
        assert_eq!(home.post(&path, &[]).await.status, 409, "taken out already");
        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/procedures/no-such/end"), &[]).await.status, 409);
        assert_eq!(home.get(&path).await.status, 303, "there is nothing to ask any more");
        assert_eq!(world.facts().await, before);
        world.test.clock.advance(time::Duration::seconds(1));
        let answer = home.post(&format!("/usager/mandates/{mandate}/procedures/{second}/end"), &[]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &other).await);
        assert_eq!(open(&world).await, 0);
        assert_eq!(home.get(&answer.location).await.status, 200);
    }

    a_consent_not_accepted_yet_can_be_taken_back(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        browser.unlock().await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
        assert_eq!(world.state(&mandate).await, "ended");
    }

    names_are_shown_as_they_are_and_never_as_markup(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        represent(&world, &mandate, &two(&world)[0], "sid").await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        for path in ["/usager".to_owned(), format!("/usager/mandates/{mandate}")] {
            let page = home.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(!page.body.contains("<script>alert"), "{}", page.body);
            assert!(page.body.contains("Caisse d’à côté"), "{}", page.body);
        }
        assert_eq!(world.entries(EventKind::UsagerSpaceRead, None).await, 2);
    }

    a_form_without_the_sessions_token_ends_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let before = world.facts().await;
        assert_eq!(home.post_with(&format!("/usager/mandates/{mandate}/end"), &[], "forged").await.status, 403);
        assert_eq!(world.facts().await, before);
    }

    signing_out_closes_what_is_open_in_the_session_and_nothing_else(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        let session = browser.session().await.unwrap();
        let [first, second] = two(&world);
        let mine = represent(&world, &mandate, &first, &session.sid).await;
        let elsewhere = represent(&world, &mandate, &second, "another-session").await;
        sign_in::sign_out(&world.app, &session, &Caller::default()).await.unwrap();
        assert!(!lives(&world, &mine).await && lives(&world, &elsewhere).await);
        assert_eq!(open(&world).await, 1);
        assert!(browser.session().await.is_none());
        assert_eq!(world.state(&mandate).await, "active");
    }

    the_service_itself_refuses_who_is_no_usager(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let before = stored(&world, &mandate).await;
        let session = browser.session().await.unwrap();
        let done = space::end(&world.app, &session, &Caller::default(), &mandate, &Ended::Mandate).await;
        assert!(matches!(done, Err(Error::Session(_))));
        assert_eq!(stored(&world, &mandate).await, before);
    }
}
