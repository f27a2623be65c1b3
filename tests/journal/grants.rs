//! What an auditor's grants cover is shown, and nothing beyond.

use super::desk::{entries, get, given, seated, signed_in, state};
use super::history::written;
use crate::storage::sample;
use crate::support::app::TestApp;
use crate::support::database::on_both;
use porteplume::mandate::{
    AuditorId, EventKind, Instant, MandateId, OrganisationId, Reach, Slots, Whereabouts,
};
use porteplume::service::Error;
use porteplume::service::audit::grants::{self, Given};
use porteplume::service::manage;
use porteplume::storage::mandates;
use std::collections::BTreeSet;
use time::Duration;

fn of(organisations: &[OrganisationId], mandates: &[MandateId]) -> Reach {
    Reach::Named {
        organisations: organisations.iter().cloned().collect(),
        mandates: mandates.iter().cloned().collect(),
    }
}

/// An organisation that has nothing to do with the history.
async fn stranger(test: &TestApp) -> OrganisationId {
    let at = Whereabouts { address: "1, rue A".to_owned(), town: "Ailleurs".to_owned(), telephone: None };
    manage::add_organisation(&test.web.app, "Ailleurs", "99900010200015", &at).await.unwrap()
}

/// An auditor at the desk who was given that.
async fn desk(test: &TestApp, reach: Reach, slots: Slots) -> String {
    let (id, opened) = signed_in(test).await;
    given(test, &id, reach, slots).await;
    state(test, &opened, "Controle").await.cookie.unwrap()
}

/// Identifiers of the entries on a page.
fn listed(body: &str) -> Vec<String> {
    body.split("id=\"entry-").skip(1).map(|rest| rest.chars().take(32).collect()).collect()
}

on_both! {
    without_a_grant_nothing_is_read_and_it_is_said_plainly(database) {
        let (test, mandate) = written(database).await;
        let (_, opened) = signed_in(&test).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        let entry = {
            let (_, other) = seated(&test).await;
            let cookie = state(&test, &other, "Autre").await.cookie.unwrap();
            listed(&get(&test, &cookie, &format!("/auditor?mandate={mandate}")).await.body).remove(0)
        };
        let before = (entries(&test, EventKind::JournalSearched).await, entries(&test, EventKind::EntryRead).await);
        for path in ["/auditor".to_owned(), format!("/auditor?mandate={mandate}"), format!("/auditor/entries/{entry}")] {
            let told = get(&test, &cookie, &path).await;
            assert!(told.status == 403 && told.body.contains("grant_needed"), "{path}: {}", told.status);
            assert!(told.body.contains("Rien ne vous est ouvert"), "{path}");
        }
        let after = (entries(&test, EventKind::JournalSearched).await, entries(&test, EventKind::EntryRead).await);
        assert_eq!(before, after);
    }

    a_grant_shows_its_mandate_and_its_slots_and_nothing_else(database) {
        let (test, mandate) = written(database).await;
        let everything = {
            let (_, opened) = seated(&test).await;
            state(&test, &opened, "Controle").await.cookie.unwrap()
        };
        let other = listed(&get(&test, &everything, "/auditor?kind=session.signed_out").await.body).remove(0);
        let cookie = desk(&test, of(&[], std::slice::from_ref(&mandate)), Slots::METADATA).await;
        let all = listed(&get(&test, &cookie, "/auditor?from=2020-01-01").await.body);
        assert_eq!(all.len(), 4, "the mandate's own entries");
        let used = get(&test, &cookie, &format!("/auditor/entries/{}", all[0])).await;
        assert!(used.status == 200 && used.body.contains(mandate.as_str()));
        let id = mandate.clone();
        let row = test.web.app.store.read("test", |s| Box::pin(async move { mandates::load(s, &id).await }));
        let row = row.await.unwrap().unwrap();
        let (usager, aidant) = (row.mandate.usager().unwrap().clone(), row.mandate.proposed_by);
        assert!(!used.body.contains(usager.as_str()) && !used.body.contains(aidant.as_str()), "metadata only");
        let out_of_sight = get(&test, &cookie, &format!("/auditor/entries/{other}")).await;
        assert_eq!(out_of_sight.status, 404);
        assert_eq!(entries(&test, EventKind::AccessRefused).await, 1);

        let slots = Slots { sub: true, ..Slots::METADATA };
        let cookie = desk(&test, of(&[], std::slice::from_ref(&mandate)), slots).await;
        let used = get(&test, &cookie, &format!("/auditor/entries/{}", all[0])).await;
        assert!(used.body.contains(usager.as_str()) && !used.body.contains(aidant.as_str()), "and the usager");
    }

    an_organisation_is_seen_by_whom_it_was_given_to_and_by_nobody_else(database) {
        let (test, mandate) = written(database).await;
        let elsewhere = stranger(&test).await;
        let id = mandate.clone();
        let row = test.web.app.store.read("test", |s| Box::pin(async move { mandates::load(s, &id).await }));
        let home = row.await.unwrap().unwrap().mandate.organisation;
        for (organisation, found) in [(&home, 4), (&elsewhere, 0)] {
            let cookie = desk(&test, of(std::slice::from_ref(organisation), &[]), Slots::METADATA).await;
            let page = get(&test, &cookie, &format!("/auditor?mandate={mandate}")).await;
            assert_eq!((page.status, listed(&page.body).len()), (200, found));
            let offered: BTreeSet<&str> =
                [&home, &elsewhere].iter().map(|id| id.as_str()).filter(|id| page.body.contains(&format!("value=\"{id}\""))).collect();
            assert_eq!(offered, BTreeSet::from([organisation.as_str()]), "only what was given is offered");
        }
    }

    a_grant_taken_back_or_run_out_shows_nothing_more(database) {
        let (test, mandate) = written(database).await;
        let (id, opened) = signed_in(&test).await;
        let grant = given(&test, &id, Reach::Everything, Slots::METADATA).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        let path = format!("/auditor?mandate={mandate}");
        assert_eq!(get(&test, &cookie, &path).await.status, 200);
        grants::revoke(&test.web.app, &grant).await.unwrap();
        assert_eq!(get(&test, &cookie, &path).await.status, 403);
        assert!(matches!(grants::revoke(&test.web.app, &grant).await, Err(Error::Conflict)));
        assert_eq!(entries(&test, EventKind::GrantRevoked).await, 1);

        let now = test.web.app.now();
        let (from, ends_at) = (Instant::from_micros(0), now.plus(Duration::minutes(10)));
        let short = Given { reach: Reach::Everything, slots: Slots::METADATA, from, until: ends_at, ends_at };
        grants::give(&test.web.app, &id, short).await.unwrap();
        assert_eq!(get(&test, &cookie, &path).await.status, 200);
        test.clock.advance(Duration::minutes(10));
        assert_eq!(get(&test, &cookie, &path).await.status, 403);
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 2);
        let report = test.report(None, test.web.app.now()).await;
        assert!(report.is_clean(), "{:?}", report.lines());
    }

    a_grant_without_bounds_or_of_nobody_is_not_given(database) {
        let (test, _) = written(database).await;
        let (id, _) = signed_in(&test).await;
        let (app, now) = (&test.web.app, test.web.app.now());
        let good = Given {
            reach: Reach::Everything, slots: Slots::METADATA, from: Instant::from_micros(0), until: now,
            ends_at: now.plus(Duration::days(1)),
        };
        let nobody = AuditorId::from_bytes(sample::bytes());
        let unknown = of(&[OrganisationId::from_bytes(sample::bytes())], &[]);
        for (auditor, given, code) in [
            (&id, Given { reach: of(&[], &[]), ..good.clone() }, "input_invalid"),
            (&id, Given { until: Instant::from_micros(0), ..good.clone() }, "input_invalid"),
            (&id, Given { ends_at: now, ..good.clone() }, "input_invalid"),
            (&id, Given { ends_at: now.plus(Duration::days(400)), ..good.clone() }, "input_invalid"),
            (&id, Given { reach: unknown, ..good.clone() }, "not_found"),
            (&nobody, good.clone(), "not_found"),
        ] {
            let refused = grants::give(app, auditor, given).await;
            assert_eq!(refused.map_err(|error| error.code()), Err(code));
        }
        assert!(grants::list(app, &id).await.unwrap().is_empty());
        assert_eq!(entries(&test, EventKind::GrantGiven).await, 0);
    }
}
