//! The whole way, as the persons go it.

use super::world::{World, born, marie};
use crate::support::database::on_both;
use porteplume::mandate::{BirthDate, EventKind};
use porteplume::service::people;
use porteplume::storage::usagers;
use sqlx::Row as _;

on_both! {
    a_mandate_is_proposed_consented_to_accepted_and_printed(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        let page = browser.get(&format!("/aidant/mandates/{mandate}")).await;
        assert!(page.body.contains("hand-over-form"), "{}", page.body);

        browser.hand_over(&mandate).await;
        let welcome = browser.get("/consent").await;
        assert!(welcome.body.contains("identify-form") && !welcome.body.contains("/aidant/mandates"), "{}", welcome.body);
        let usager = world.identify(&mut browser, marie()).await;
        let identity = browser.get("/consent/identity").await;
        assert!(identity.body.contains("Marie-Josèphe") && identity.body.contains("L’Hôte &#60;b&#62;"), "{}", identity.body);
        let yes = browser.post("/consent/identity", &[("identity", "yes")]).await;
        assert_eq!((yes.status, yes.location.as_str()), (303, "/consent/decision"));
        let decision = browser.get("/consent/decision").await;
        assert!(decision.body.contains("decision-form"), "{}", decision.body);
        let said = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.location, "/consent/done", "{}", said.body);
        assert_eq!(world.state(&mandate).await, "consented");
        assert!(browser.get("/consent/done").await.body.contains("consent-done"));

        browser.unlock().await;
        let accept = browser.get(&format!("/aidant/mandates/{mandate}/accept")).await;
        assert!(accept.body.contains("accept-form"), "{}", accept.body);
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.location, format!("/aidant/mandates/{mandate}"), "{}", accepted.body);
        assert_eq!(world.state(&mandate).await, "active");

        let detail = browser.get(&format!("/aidant/mandates/{mandate}")).await;
        assert!(detail.body.contains("link-print") && detail.body.contains("id=\"receipt\""), "{}", detail.body);
        let paper = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
        let place = "<dt>Lieu</dt><dd>Aÿ-Champagne</dd>";
        let reached = "1, rue de l’Église, 51160 Aÿ-Champagne<br>01 99 00 00 00";
        for part in
            ["verification-code", "id=\"receipt\"", "porteplume.test/journal", "<svg", place, reached]
        {
            assert!(paper.body.contains(part), "{part}: {}", paper.body);
        }
        assert!(!paper.body.contains("style="));
        let again = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
        assert_eq!(paper.verification_code(), again.verification_code());
        assert_eq!(paper.verification_code().chars().filter(char::is_ascii_alphanumeric).count(), 13);
        assert_eq!(world.entries(EventKind::MandatePrinted, None).await, 2);

        for (kind, times) in [
            (EventKind::MandateProposed, 1),
            (EventKind::ScreenHandedOver, 1),
            (EventKind::MandateConsented, 1),
            (EventKind::ScreenUnlocked, 1),
            (EventKind::MandateAccepted, 1),
            (EventKind::MandateStepRefused, 0),
        ] {
            assert_eq!(world.entries(kind, None).await, times, "{}", kind.as_str());
        }
        let (found, elsewhere) = found(&world).await;
        assert_eq!(found, [usager]);
        assert!(elsewhere.is_empty());
    }

    the_text_consented_to_is_the_text_sealed_with_the_proposal(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        let mut raw = world.test.database.raw().await;
        let row = sqlx::query("SELECT text, text_hash, language FROM mandate JOIN mandate_paper ON mandate_id = id \
                               WHERE id = $1").bind(mandate.as_str()).fetch_one(&mut raw).await.unwrap();
        let text: String = row.get("text");
        assert_eq!(row.get::<String, _>("text_hash"), porteplume::service::propose::text_hash(&text));
        assert_eq!(row.get::<String, _>("language"), "fr");
        assert!(text.contains("L’Haÿ-les-Roses") && !text.contains("Marie"));
    }

    an_altered_text_is_not_printed_as_what_was_agreed(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let mut raw = world.test.database.raw().await;
        sqlx::query("UPDATE mandate_paper SET text = replace(text, 'L’Haÿ', 'Autre') WHERE mandate_id = $1")
            .bind(mandate.as_str()).execute(&mut raw).await.unwrap();
        let paper = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
        assert_eq!(paper.status, 500, "{}", paper.body);
        assert!(!paper.body.contains("verification-code"));
        assert_eq!(world.entries(EventKind::MandatePrinted, None).await, 0);
    }

    a_person_who_says_no_is_not_asked_who_they_are(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        let said = browser.send("/consent/decision", &[("decision", "refuse")]).await;
        assert_eq!(said.location, "/consent/done");
        assert_eq!(world.state(&mandate).await, "refused");
        assert_eq!(world.entries(EventKind::MandateRefused, None).await, 1);
        browser.unlock().await;
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
        assert_eq!(world.state(&mandate).await, "refused");
    }

    a_person_wrongly_identified_says_so_and_nothing_is_granted(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        world.identify(&mut browser, born("Autre", "Personne", "1950-01-01")).await;
        let sent = browser.send("/consent/identity", &[("identity", "no")]).await;
        assert_eq!((sent.status, sent.location.as_str()), (303, "/consent/not-you"), "{}", sent.body);
        let page = browser.get(&sent.location).await;
        assert!(page.body.contains("identify-form"), "{}", page.body);
        let said = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.status, 409, "{}", said.body);
        assert_eq!(world.state(&mandate).await, "proposed");
        let code = Some("identity_not_confirmed");
        assert_eq!(world.entries(EventKind::UsagerIdentificationRefused, code).await, 1);
    }
}

/// Whom the organisation finds by name and birth date, and whom another one finds.
async fn found(world: &World) -> (Vec<porteplume::mandate::UsagerId>, Vec<porteplume::mandate::UsagerId>) {
    let other = porteplume::mandate::OrganisationId::from_bytes([7; 16]);
    let birth = BirthDate::parse("1949-03-00").unwrap();
    let mut both = Vec::new();
    for organisation in [world.organisation.clone(), other] {
        let blind = people::usager_blind(&world.app, &organisation, "d'ete lhote B", &birth);
        let rows = world.app.store.read("test", move |snapshot| {
            Box::pin(async move { usagers::found(snapshot, &organisation, &blind).await })
        });
        both.push(rows.await.unwrap().into_iter().map(|row| row.id).collect());
    }
    let elsewhere = both.pop().unwrap();
    (both.pop().unwrap(), elsewhere)
}
