//! Whom and what an aidant may choose.

use super::*;
use crate::support::database::on_both;
use porteplume::mandate::{EndReason, LifeFact};
use time::Duration;

/// A colleague town: another organisation with its own people.
async fn elsewhere(town: &Town) -> (OrganisationId, AidantId, UsagerId, MandateRow) {
    let app = town.app();
    let organisation = world::organisation(app, "Association voisine").await;
    let aidant = world::aidant(app, &organisation).await;
    let usager = world::usager(app, &organisation, world::identity("Ali", "Benali", "1950-01-01")).await;
    let mandate = world::mandate(app, (&organisation, &aidant), &usager, &[PRIME], Term::Month).await;
    (organisation, aidant, usager, mandate)
}

on_both! {
    persons_whose_mandates_stand_are_offered_and_nobody_elses(database) {
        let town = Town::new(database).await;
        let (_, _, stranger, _) = elsewhere(&town).await;
        let useless = world::identity("Paul", "Petit", "1960-05-05");
        let useless = world::usager(town.app(), &town.organisation, useless).await;
        let by = (&town.organisation, &town.aidant);
        world::mandate(town.app(), by, &useless, &[VITALE], Term::Month).await;
        let page = town.browser().await.get(&format!("/authorize?{}", request(&[]))).await;
        assert!(page.body.contains(&format!("usager-{}", town.usager)));
        assert!(page.body.contains("D&#39;Almeida"), "{}", page.body);
        assert!(!page.body.contains(stranger.as_str()), "another organisation's");
        assert!(!page.body.contains(useless.as_str()), "nothing this service may receive");
        assert!(page.header("content-security-policy").contains("form-action 'self' https://caisse.example"));
        assert_eq!(page.header("cache-control"), "no-store");
    }

    a_person_is_found_by_name_and_birth_date_within_the_own_organisation_only(database) {
        let town = Town::new(database).await;
        elsewhere(&town).await;
        let twin = world::identity("Rosa", "d almeida muller", "1942-02-28");
        let twin = world::usager(town.app(), &town.organisation, twin).await;
        world::mandate(town.app(), (&town.organisation, &town.aidant), &twin, &[PRIME], Term::Month).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let find = async |name: &str, day: &str, month: &str, year: &str| {
            let typed = [("family_name", name), ("birth_day", day), ("birth_month", month), ("birth_year", year)];
            browser.post(&format!("/authorize/{handle}/search"), &typed).await
        };
        let found = find("  D’ALMEIDA MULLER ", "28", "2", "1942").await;
        assert_eq!(found.status, 200, "{}", found.body);
        for homonym in [&town.usager, &twin] {
            assert!(found.body.contains(&format!("usager-{homonym}")), "homonyms are told apart");
        }
        for (name, day, month, year) in [("Benali", "1", "1", "1950"), ("Nobody", "1", "1", "1950"), ("D'Almeida-Müller", "27", "2", "1942")] {
            let nobody = find(name, day, month, year).await;
            assert_eq!(nobody.status, 200);
            assert!(!nobody.body.contains("name=\"usager\""), "{name}");
        }
        for (name, year) in [("", "1942"), ("Rose", "now"), (&*"x".repeat(201), "1942")] {
            assert_eq!(find(name, "1", "1", year).await.status, 422);
        }
        assert_eq!(town.entries("usager.looked_up").await.len(), 4);
        assert_eq!(town.representations().await, 0);
    }

    the_choice_shows_what_stands_and_what_does_not_with_its_reason(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let sent = browser.post(&format!("/authorize/{handle}/usager"), &[("usager", town.usager.as_str())]).await;
        let page = browser.get(sent.location()).await;
        let id = &town.mandate.mandate.id;
        assert!(page.body.contains(&format!("value=\"{id}:{PRIME}\"")), "{}", page.body);
        assert!(!page.body.contains(&format!("value=\"{id}:{VITALE}\"")));
        assert!(page.body.contains("service_not_entitled"));
        let choice = format!("{id}:{PRIME}");
        let sent = browser.post(&format!("/authorize/{handle}/mandate"), &[("choice", choice.as_str())]).await;
        let confirm = browser.get(sent.location()).await;
        for shown in ["Camille Roche", "Mairie de Démonstration", "Caisse de démonstration"] {
            assert!(confirm.body.contains(shown), "{shown}");
        }
        let none = browser.post(&format!("/authorize/{handle}/mandate"), &[("usager", town.usager.as_str())]).await;
        assert_eq!(none.status, 422);
        let (_, _, stranger, foreign) = elsewhere(&town).await;
        for path in [format!("mandate?usager={stranger}"), format!("confirm?choice={}:{PRIME}", foreign.mandate.id)] {
            let hidden = browser.get(&format!("/authorize/{handle}/{path}")).await;
            assert_eq!(hidden.status, 404, "{path}");
        }
        assert_eq!(town.representations().await, 0);
    }

    another_organisations_mandate_is_not_found_and_the_attempt_is_journaled(database) {
        let town = Town::new(database).await;
        let (_, _, stranger, foreign) = elsewhere(&town).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let unknown = {
            let mut row = foreign.clone();
            row.mandate.id = porteplume::mandate::MandateId::from_bytes([9; 16]);
            row
        };
        let mut bodies = Vec::new();
        for mandate in [&foreign, &unknown] {
            let answer = browser.confirms(&handle, mandate, PRIME).await;
            assert_eq!(answer.status, 404);
            bodies.push(answer.body.replace(answer.header("x-request-id"), "").replace(mandate.mandate.id.as_str(), ""));
        }
        assert!(bodies[0] == bodies[1], "whether it exists is not told");
        let mut journaled = town.entries("representation.refused").await;
        journaled.sort();
        assert_eq!(journaled, ["mandate_of_other_organisation", "not_found"]);
        assert_eq!((town.representations().await, town.refused_rows().await), (0, 2));
        let mut raw = town.test.database.raw().await;
        let told = sqlx::query("SELECT usager_id FROM refusal WHERE usager_id IS NOT NULL").fetch_all(&mut raw).await.unwrap();
        let told: Vec<String> = told.iter().map(|row| row.get(0)).collect();
        assert_eq!(told, [stranger.as_str()], "the usager sees who tried");
        assert_eq!(browser.confirms(&handle, &town.mandate, PRIME).await.status, 303, "the request still waits");
    }

    a_mandate_that_does_not_stand_opens_nothing(database) {
        let town = Town::new(database).await;
        let app = town.app();
        let by = (&town.organisation, &town.aidant);
        let proposed = world::proposed(app, by, &[PRIME], Term::Month).await;
        let consented = world::consented(app, world::proposed(app, by, &[PRIME], Term::Month).await, &town.usager).await;
        let refused = world::proposed(app, by, &[PRIME], Term::Month).await;
        let no = refused.mandate.clone().refuse(app.now()).unwrap();
        let refused = world::step(app, refused, no, LifeFact::Refused).await;
        let revoked = world::mandate(app, by, &town.usager, &[PRIME], Term::Month).await;
        let over = revoked.mandate.clone().end(EndReason::Revoked, app.now()).unwrap();
        let revoked = world::step(app, revoked, over, LifeFact::Ended { reason: EndReason::Revoked }).await;
        let lapsed = world::proposed(app, by, &[PRIME], Term::Month).await;
        let expired = world::mandate(app, by, &town.usager, &[PRIME], Term::Day).await;
        let withdrawn = world::mandate(app, by, &town.usager, &[PRIME, PASSPORT], Term::Month).await;
        let less = withdrawn.mandate.clone().withdraw(&world::procedure(PRIME), app.now()).unwrap();
        let fact = LifeFact::Withdrawn { procedure: world::procedure(PRIME) };
        let withdrawn = world::step(app, withdrawn, less, fact).await;
        town.test.clock.advance(Duration::days(1));
        let fell = lapsed.mandate.clone().lapse(app.now()).unwrap();
        let lapsed = world::step(app, lapsed, fell, LifeFact::Lapsed).await;

        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let cases = [
            (&proposed, PRIME, "mandate_not_consented"),
            (&consented, PRIME, "mandate_not_accepted"),
            (&refused, PRIME, "mandate_refused"),
            (&lapsed, PRIME, "mandate_lapsed"),
            (&revoked, PRIME, "mandate_revoked"),
            (&expired, PRIME, "mandate_expired"),
            (&withdrawn, PRIME, "procedure_withdrawn"),
            (&expired, PASSPORT, "mandate_expired"),
            (&town.mandate, "rsa-demande", "procedure_not_granted"),
            (&town.mandate, VITALE, "service_not_entitled"),
        ];
        for (mandate, procedure, code) in cases {
            let page = browser.confirms(&handle, mandate, procedure).await;
            assert_eq!((page.status, page.location()), (403, ""), "{code}");
            assert!(page.body.contains(code), "{code}");
        }
        let journaled = town.entries("representation.refused").await;
        let mut codes: Vec<&str> = cases.iter().map(|(_, _, code)| *code).collect();
        codes.sort_unstable();
        let mut found: Vec<&str> = journaled.iter().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, codes);
        assert_eq!((town.representations().await, town.refused_rows().await), (0, 10));
        assert_eq!(town.count("SELECT count(*) FROM authorization_code").await, 0);
    }

    an_act_nobody_may_delegate_opens_nothing_even_when_the_service_asks_for_it(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let asked = |acts: &str| format!("[{{\"type\":\"mandate\",\"procedure\":\"{PASSPORT}\",\"acts\":[{acts}]}}]");
        for acts in ["\"fill\",\"sign\"", "\"receive\""] {
            let details = asked(acts);
            let handle = browser.asks(&[("authorization_details", &details)]).await;
            let page = browser.confirms(&handle, &town.mandate, PASSPORT).await;
            assert_eq!((page.status, page.location()), (403, ""));
            assert!(page.body.contains("act_never_delegable"), "{acts}: {}", page.body);
        }
        let details = asked("\"fill\"");
        let handle = browser.asks(&[("authorization_details", &details)]).await;
        let other = browser.confirms(&handle, &town.mandate, PRIME).await;
        assert_eq!((other.status, other.location()), (403, ""), "not what was asked for");
        let mut journaled = town.entries("representation.refused").await;
        journaled.sort();
        assert_eq!(journaled, ["act_never_delegable", "act_never_delegable", "service_not_entitled"]);
        assert_eq!(town.representations().await, 0);
        let sent = browser.confirms(&handle, &town.mandate, PASSPORT).await;
        let answer = town.exchange(&sent.sent_on("code").unwrap(), &[]).await.json();
        assert_eq!(answer["authorization_details"][0]["acts"], json!(["fill"]), "no more than was asked for");
    }

    a_choice_sent_twice_opens_one_representation(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let first = browser.confirms(&handle, &town.mandate, PRIME).await.sent_on("code").unwrap();
        let second = browser.confirms(&handle, &town.mandate, PRIME).await.sent_on("code").unwrap();
        assert_ne!(first, second);
        assert_eq!((town.representations().await, town.open_representations().await), (1, 1));
        assert_eq!(town.exchange(&first, &[]).await.status, 400, "the first code died");
        assert_eq!(town.exchange(&second, &[]).await.status, 200);
        let other = browser.confirms(&handle, &town.mandate, PASSPORT).await;
        assert_eq!(other.status, 404, "an answered request answers nothing else");
        let late = browser.confirms(&handle, &town.mandate, PRIME).await;
        assert_eq!(late.status, 404, "once exchanged it is over");
        assert_eq!(town.entries("representation.opened").await, [""]);
        assert_eq!(town.entries("representation.code_issued").await, [""], "the second code");
        town.test.verifies().await;
    }

    a_choice_made_and_one_refused_before_it_is_confirmed_are_journaled(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let shows = async |procedure: &str| {
            let choice = format!("{}:{procedure}", town.mandate.mandate.id);
            browser.get(&format!("/authorize/{handle}/confirm?choice={choice}")).await
        };
        assert_eq!(shows(PRIME).await.status, 200);
        assert_eq!(town.entries("authorization.choice_made").await, [""]);
        assert_eq!(shows(VITALE).await.status, 403);
        assert_eq!(town.entries("authorization.choice_refused").await, ["service_not_entitled"]);
        assert_eq!((town.representations().await, town.refused_rows().await), (0, 0));
        town.test.verifies().await;
    }

    a_request_waits_a_quarter_of_an_hour_and_for_its_own_browser(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        let colleague = town.browser().await;
        assert_eq!(colleague.confirms(&handle, &town.mandate, PRIME).await.status, 404);
        assert_eq!(browser.confirms("made-up", &town.mandate, PRIME).await.status, 404);
        let choice = format!("{}:{PRIME}", town.mandate.mandate.id);
        let forged = form(&[("choice", &choice), ("csrf", "forged")]);
        let request = Request::post(format!("/authorize/{handle}/confirm")).header("cookie", &browser.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(town.ask(request.body(Body::from(forged)).unwrap()).await.status, 403);
        town.test.clock.advance(Duration::minutes(14));
        browser.get("/aidant/factor").await;
        town.test.clock.advance(Duration::minutes(1));
        assert_eq!(browser.confirms(&handle, &town.mandate, PRIME).await.status, 404, "its time is over");
        assert_eq!(town.representations().await, 0);
    }
}
