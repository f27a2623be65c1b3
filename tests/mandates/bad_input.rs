//! Bad input, and what it gets: a clear coded refusal, and nothing changed but the journal.

use super::world::{World, born, marie};
use crate::support::database::on_both;
use porteplume::mandate::EventKind;
use porteplume::service::{Who, propose};

const SEAL: &str = "/aidant/mandates/new/duration";

on_both! {
    terms_that_cannot_stand_are_refused_at_their_field(database) {
        let world = World::over(database).await;
        let browser = world.signed_in(&world.aidant).await;
        let key = propose::form_key(&world.app).unwrap();
        let procedure = world.procedure();
        let today = world.app.now().date();
        let (past, far) = (today.previous_day().unwrap().to_string(), today.replace_year(today.year() + 2).unwrap().to_string());
        for (procedure, term, until, field) in [
            (procedure, "until", past.as_str(), "until-problem"),
            (procedure, "until", far.as_str(), "until-problem"),
            (procedure, "until", "2026-02-30", "until-problem"),
            (procedure, "until", "", "until-problem"),
            (procedure, "decade", "", "term-day-problem"),
            (procedure, "", "", "term-day-problem"),
            ("no-such-procedure", "day", "", "procedures-problem"),
            ("../../etc", "day", "", "procedures-problem"),
        ] {
            let fields = [("procedure", procedure), ("term", term), ("until", until), ("idempotency", &key)];
            let answer = browser.post(SEAL, &fields).await;
            assert_eq!(answer.status, 422, "{term} {until} {}", answer.body);
            assert!(answer.body.contains(field), "{term} {until} {}", answer.body);
        }
        let none = browser.post(SEAL, &[("term", "day"), ("until", ""), ("idempotency", &key)]).await;
        assert!(none.status == 422 && none.body.contains("procedures-problem"), "{}", none.body);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("end_in_past")).await, 1);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("end_beyond_a_year")).await, 1);
        assert!(world.facts().await.is_empty());
    }

    a_form_that_is_no_form_of_ours_changes_nothing(database) {
        let world = World::over(database).await;
        let browser = world.signed_in(&world.aidant).await;
        let procedure = world.procedure();
        let long = "x".repeat(2_000_000);
        let fields = [("procedure", procedure), ("term", "day"), ("until", ""), ("idempotency", long.as_str())];
        assert_eq!(browser.post(SEAL, &fields).await.status, 413);
        let long = "x".repeat(65);
        for key in ["", long.as_str()] {
            let fields = [("procedure", procedure), ("term", "day"), ("until", ""), ("idempotency", key)];
            assert_eq!(browser.post(SEAL, &fields).await.status, 422);
        }
        let twice = [("procedure", procedure), ("term", "day"), ("term", "year"), ("until", ""), ("idempotency", "k")];
        assert_eq!(browser.post(SEAL, &twice).await.status, 400);
        let fields = [("procedure", procedure), ("term", "day"), ("until", ""), ("idempotency", "k")];
        assert_eq!(browser.post_with(SEAL, &fields, "").await.status, 403);
        assert_eq!(browser.post_with(SEAL, &fields, "stolen").await.status, 403);
        assert!(world.facts().await.is_empty());
    }

    a_form_sent_twice_makes_one_proposal(database) {
        let world = World::over(database).await;
        let browser = world.signed_in(&world.aidant).await;
        let procedure = world.procedure();
        let fields = [("procedure", procedure), ("term", "day"), ("until", ""), ("idempotency", "once")];
        let (one, two) = tokio::join!(browser.post(SEAL, &fields), browser.post(SEAL, &fields));
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(one.location, two.location);
        assert_eq!(world.facts().await.len(), 1);
        let other = [("procedure", procedure), ("term", "year"), ("until", ""), ("idempotency", "once")];
        assert_eq!(browser.post(SEAL, &other).await.status, 409);
        let colleague = world.signed_in(&world.colleague().await).await;
        assert_eq!(colleague.post(SEAL, &fields).await.status, 409);
        assert_eq!(world.facts().await.len(), 1);
    }

    a_mandate_of_another_organisation_is_not_found_and_the_attempt_is_journaled(database) {
        let world = World::over(database).await;
        let mut owner = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&owner).await;
        let active = world.active(&mut owner).await;
        let stranger = world.signed_in(&world.stranger().await).await;
        let before = world.facts().await;
        for id in [mandate.as_str(), active.as_str(), "00000000000000000000000000000000"] {
            for path in ["", "/accept", "/renounce", "/print"] {
                let page = stranger.get(&format!("/aidant/mandates/{id}{path}")).await;
                assert_eq!(page.status, 404, "{path} {}", page.body);
            }
            for path in ["hand-over", "accept", "renounce"] {
                let answer = stranger.post(&format!("/aidant/mandates/{id}/{path}"), &[]).await;
                assert_eq!(answer.status, 404, "{path} {}", answer.body);
            }
        }
        assert_eq!(stranger.get("/aidant/mandates/no-id").await.status, 404);
        assert_eq!(world.facts().await, before);
        // Three mandates with their pages and forms; what is no id is nobody's.
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, 3 * (4 + 3));
        let list = stranger.get("/aidant/mandates").await;
        assert!(!list.body.contains(mandate.as_str()) && !list.body.contains("Marie"), "{}", list.body);
    }

    what_comes_too_early_or_too_often_is_refused(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        let before = world.facts().await;
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
        let renounced = browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await;
        assert_eq!(renounced.status, 409);
        assert_eq!(browser.get(&format!("/aidant/mandates/{mandate}/print")).await.status, 409);
        assert_eq!(world.facts().await, before);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("mandate_state")).await, 2);

        browser.hand_over(&mandate).await;
        let before = world.facts().await;
        // Consent without anybody identified.
        let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.status, 409, "{}", said.body);
        assert_eq!(browser.get("/consent/decision").await.location, "/consent");
        assert_eq!(world.facts().await, before);

        // An answer that was given is not given again: neither the same one, nor another.
        world.identify(&mut browser, marie()).await;
        let agreed = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(agreed.location, "/consent/done", "{}", agreed.body);
        let before = world.facts().await;
        for fields in [&[("decision", "consent"), ("protected", "no")][..], &[("decision", "refuse")]] {
            let again = browser.post("/consent/decision", fields).await;
            assert_eq!((again.status, again.location.as_str()), (403, ""), "{}", again.body);
            assert!(again.body.contains("screen_locked"), "{}", again.body);
        }
        assert_eq!((world.facts().await, world.state(&mandate).await.as_str()), (before, "consented"));
        assert_eq!(world.entries(EventKind::MandateConsented, None).await, 1);
        assert_eq!(world.entries(EventKind::MandateRefused, None).await, 0);
    }

    an_answer_without_the_declaration_is_asked_again(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        world.identify(&mut browser, marie()).await;
        let before = world.facts().await;
        for protected in ["", "maybe"] {
            let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", protected)]).await;
            assert!(said.status == 422 && said.body.contains("decision-form"), "{}", said.body);
        }
        assert_eq!(browser.post("/consent/decision", &[("decision", "perhaps")]).await.status, 400);
        assert_eq!(browser.post("/consent/decision", &[]).await.status, 400);
        assert_eq!(world.facts().await, before);
    }

    a_person_under_protection_or_under_age_is_told_kindly_and_grants_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        let before = world.facts().await;
        world.identify(&mut browser, marie()).await;
        let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", "yes")]).await;
        assert!(said.status == 422 && said.body.contains("votre curateur ou votre mandataire judiciaire"), "{}", said.body);
        // Of age only if the unknown day is not counted.
        let year = world.app.now().date().year() - 18;
        world.identify(&mut browser, born("Jeune", "Personne", &format!("{year}-12-00"))).await;
        let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert!(said.status == 422 && said.body.contains("Ici, il faut avoir 18 ans"), "{}", said.body);
        assert_eq!(world.facts().await, before);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("usager_cannot_grant")).await, 2);
        assert!(matches!(browser.session().await.unwrap().who, Who::HandedOver { .. }));
    }

    two_consents_at_the_same_instant_count_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        world.identify(&mut browser, marie()).await;
        let fields = [("decision", "consent"), ("protected", "no")];
        let (one, two) = tokio::join!(browser.post("/consent/decision", &fields), browser.post("/consent/decision", &fields));
        let (first, second) = if one.status == 303 { (one, two) } else { (two, one) };
        assert_eq!((first.status, first.location.as_str()), (303, "/consent/done"), "{}", first.body);
        // It finds the screen locked, or the session of the open one gone.
        let told = [(401, "sign_in_needed"), (409, "conflict"), (409, "mandate_state")];
        assert!(told.iter().any(|(status, code)| second.status == *status && second.body.contains(code)), "{}", second.body);
        assert_eq!(second.location, "");
        assert_eq!(world.state(&mandate).await, "consented");
        assert_eq!(world.entries(EventKind::MandateConsented, None).await, 1);
    }

    two_acceptances_at_the_same_instant_make_one_mandate(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        browser.unlock().await;
        let path = format!("/aidant/mandates/{mandate}/accept");
        let (one, two) = tokio::join!(browser.post(&path, &[]), browser.post(&path, &[]));
        assert_eq!((one.status, two.status), (303, 303), "{} {}", one.body, two.body);
        assert_eq!(world.state(&mandate).await, "active");
        assert_eq!(world.entries(EventKind::MandateAccepted, None).await, 1);
    }

    a_second_factors_code_serves_once_even_at_the_same_instant(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        world.consented(&mut browser).await;
        let code = browser.fresh_code();
        let typed = [("code", code.as_str())];
        let (one, two) = tokio::join!(browser.post("/aidant/unlock", &typed), browser.post("/aidant/unlock", &typed));
        let (first, second) = if one.status == 303 { (one, two) } else { (two, one) };
        assert_eq!(first.status, 303, "{}", first.body);
        // The code is spent, or the session of the locked screen gone.
        let told = [(401, "sign_in_needed"), (409, "conflict"), (422, "code-problem")];
        assert!(told.iter().any(|(status, code)| second.status == *status && second.body.contains(code)), "{}", second.body);
        assert_eq!(second.location, "");
        assert_eq!(world.entries(EventKind::ScreenUnlocked, None).await, 1);
    }

    whether_a_mandate_exists_is_told_to_its_organisation_only(database) {
        let world = World::over(database).await;
        let mut owner = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut owner).await;
        let stranger = world.signed_in(&world.stranger().await).await;
        for path in ["", "/accept", "/renounce", "/print"] {
            let mut pages = Vec::new();
            for id in [mandate.as_str(), "00000000000000000000000000000000"] {
                let page = stranger.get(&format!("/aidant/mandates/{id}{path}")).await;
                let number = page.body.split_once("id=\"request-id\">").unwrap().1.split_once('<').unwrap().0;
                pages.push((page.status, page.body.replace(number, "").replace(id, "")));
            }
            assert_eq!(pages[0], pages[1], "{path}");
        }
    }

    names_of_every_kind_pass_through_unharmed(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let long = "é".repeat(200);
        for family in ["O'Brien-D’Arc", "محمد العربي", "王小明", "Þórsdóttir", long.as_str(), "'; DROP TABLE usager; --"] {
            let mandate = world.proposed(&browser).await;
            browser.hand_over(&mandate).await;
            world.identify(&mut browser, born("Anne-Marie", family, "1960-06-15")).await;
            let said = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
            assert_eq!(said.status, 303, "{family}: {}", said.body);
            browser.unlock().await;
            let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
            assert_eq!(accepted.status, 303, "{family}: {}", accepted.body);
            let paper = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
            let shown = family.replace('\'', "&#39;");
            assert!(paper.body.contains(&shown), "{family}: {}", paper.body);
        }
    }

    a_closed_procedure_cannot_be_proposed(database) {
        use porteplume::mandate::ProcedureId;
        use porteplume::service::manage::{ClosedFor, Manager, restrict};
        let world = World::over(database).await;
        let browser = world.signed_in(&world.aidant).await;
        let closed = [ProcedureId::parse(world.procedure()).unwrap()].into();
        let who = ClosedFor::Organisation(world.organisation.clone());
        let caller = porteplume::service::Caller::default();
        restrict(&world.app, &Manager::Operator, &caller, &who, &closed).await.unwrap();
        let fields = [("procedure", world.procedure()), ("term", "day"), ("until", ""), ("idempotency", "k")];
        let answer = browser.post(SEAL, &fields).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(world.facts().await.is_empty());
        let code = Some("procedure_closed_by_organisation");
        assert_eq!(world.entries(EventKind::MandateStepRefused, code).await, 1);
    }
}
