//! The auditor's desk: nothing without a purpose, and nothing read without an entry of its own.

use super::history::written;
use crate::support::app::TestApp;
use crate::support::auditor;
use crate::support::database::{on_both, signer};
use crate::support::world::session_of;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use porteplume::journal::LogProof;
use porteplume::mandate::{AuditorId, EventKind, GrantId, Instant, Reach, Slots};
use porteplume::service::manage::{self, Manager, Party};
use porteplume::service::session::Opened;
use porteplume::service::{Caller, Who};
use porteplume::storage::search::{self, Filter};
use porteplume::web::{csrf, router};
use tower::ServiceExt as _;

/// A registered auditor.
pub(super) async fn registered(test: &TestApp) -> AuditorId {
    auditor::registered(&test.web.app).await
}

/// An auditor who has just signed in.
pub(super) async fn signed_in(test: &TestApp) -> (AuditorId, Opened) {
    let (app, id) = (&test.web.app, registered(test).await);
    let who = Who::Auditor { auditor: id.clone(), authenticated_at: app.now(), reading: None };
    let opened = session_of(app, who).await;
    (id, opened)
}

/// Gives an auditor this much to read for a while.
pub(super) async fn given(test: &TestApp, auditor: &AuditorId, reach: Reach, slots: Slots) -> GrantId {
    auditor::given(&test.web.app, auditor, reach, slots).await
}

/// An auditor who signed in and was given everything.
pub(super) async fn seated(test: &TestApp) -> (AuditorId, Opened) {
    let (id, opened) = signed_in(test).await;
    given(test, &id, Reach::Everything, Slots::METADATA).await;
    (id, opened)
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) cookie: Option<String>,
    pub(super) location: String,
    pub(super) body: String,
}

pub(super) async fn answer(test: &TestApp, request: Request<Body>) -> Answer {
    let response = router(test.web.clone()).oneshot(request).await.unwrap();
    let header = |name: &str| {
        response
            .headers()
            .get_all(name)
            .iter()
            .map(|line| line.to_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let session = header("set-cookie").into_iter().find(|line| line.starts_with("__Host-porteplume="));
    let cookie = session.map(|line| line.split(';').next().unwrap().to_owned());
    let location = header("location").pop().unwrap_or_default();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    Answer { status, cookie, location, body: String::from_utf8(body.to_vec()).unwrap() }
}

pub(super) async fn get(test: &TestApp, cookie: &str, path: &str) -> Answer {
    answer(test, Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
}

pub(super) fn cookie_of(opened: &Opened) -> String {
    format!("__Host-porteplume={}", opened.cookie.expose())
}

pub(super) async fn state(test: &TestApp, opened: &Opened, purpose: &str) -> Answer {
    let token = csrf::token(&opened.session.csrf);
    let form = format!("csrf={token}&idempotency=x&purpose={purpose}");
    let request = Request::post("/auditor/purpose")
        .header("cookie", cookie_of(opened))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://mandats.example.fr")
        .body(Body::from(form));
    answer(test, request.unwrap()).await
}

/// How many entries of a kind there are.
pub(super) async fn entries(test: &TestApp, kind: EventKind) -> usize {
    let filter = Filter {
        kind: Some(kind),
        ..Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX))
    };
    let found = test.web.app.store.read("test", move |snapshot| {
        Box::pin(async move { search::find(snapshot, &filter, None, 100).await })
    });
    found.await.unwrap().found.len()
}

on_both! {
    without_a_purpose_nothing_is_shown(database) {
        let (test, mandate) = written(database).await;
        let (_, opened) = seated(&test).await;
        let cookie = cookie_of(&opened);
        for path in ["/auditor", &format!("/auditor?mandate={mandate}")] {
            let led = get(&test, &cookie, path).await;
            assert_eq!((led.status, led.location.as_str()), (303, "/auditor/purpose"), "{path}");
        }
        assert_eq!(get(&test, &cookie, "/auditor/purpose").await.status, 200);
        let empty = state(&test, &opened, "++").await;
        assert_eq!((empty.status, empty.cookie), (422, None));
        assert_eq!(entries(&test, EventKind::PurposeStated).await, 0);
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 0);
    }

    a_reading_is_journaled_and_an_entry_comes_with_its_proof(database) {
        let (test, mandate) = written(database).await;
        let (_, opened) = seated(&test).await;
        let stated = state(&test, &opened, "Controle+2026-17").await;
        assert_eq!((stated.status, stated.location.as_str()), (303, "/auditor"));
        let cookie = stated.cookie.expect("the session is rotated");
        assert_ne!(cookie, cookie_of(&opened));
        assert_eq!(entries(&test, EventKind::PurposeStated).await, 1);

        let desk = get(&test, &cookie, "/auditor").await;
        assert!(desk.status == 200 && desk.body.contains("Controle 2026-17"), "the purpose is shown");
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 0);
        let found = get(&test, &cookie, &format!("/auditor?mandate={mandate}")).await;
        assert_eq!((found.status, found.body.matches("id=\"entry-").count()), (200, 4));
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 1);

        let id = found.body.split("id=\"entry-").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let shown = get(&test, &cookie, &format!("/auditor/entries/{id}")).await;
        assert!(shown.status == 200 && shown.body.contains(mandate.as_str()));
        let proof = get(&test, &cookie, &format!("/auditor/entries/{id}/proof")).await;
        let (entry, _) = LogProof::parse(&proof.body).unwrap().verify(&[signer().verifier()]).unwrap();
        assert_eq!(entry.id().as_str(), id);
        assert_eq!(entries(&test, EventKind::EntryRead).await, 2);
        let none = get(&test, &cookie, "/auditor/entries/0000000000000000000000000000beef").await;
        assert_eq!(none.status, 404);
    }

    results_come_in_pages_that_miss_nothing(database) {
        let (test, _) = written(database).await;
        let (_, opened) = seated(&test).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        let (mut path, mut seen) = ("/auditor?kind=session.signed_out".to_owned(), std::collections::BTreeSet::new());
        for _ in 0..6 {
            let page = get(&test, &cookie, &path).await;
            let ids = page.body.split("id=\"entry-").skip(1).map(|rest| rest.chars().take(32).collect::<String>());
            seen.extend(ids);
            let Some(rest) = page.body.split("id=\"link-next\" href=\"").nth(1) else { break };
            path = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        }
        assert_eq!(seen.len(), 297);
    }

    filters_that_cannot_be_read_are_said_and_nothing_is_searched(database) {
        let (test, _) = written(database).await;
        let (_, opened) = seated(&test).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        for query in ["mandate=nobody", "from=tomorrow", "from=2026-11-02&to=2026-11-01"] {
            assert_eq!(get(&test, &cookie, &format!("/auditor?{query}")).await.status, 422, "{query}");
        }
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 0);
    }

    a_suspended_auditor_reads_nothing_more(database) {
        let (test, mandate) = written(database).await;
        let (id, opened) = seated(&test).await;
        let cookie = state(&test, &opened, "Controle").await.cookie.unwrap();
        let (manager, party) = (Manager::Operator, Party::Auditor(id));
        manage::suspend(&test.web.app, &manager, &Caller::default(), &party).await.unwrap();
        let refused = get(&test, &cookie, &format!("/auditor?mandate={mandate}")).await;
        assert_eq!((refused.status, refused.location.as_str()), (303, "/auditor/sign-in"), "{}", refused.body);
        assert!(!refused.body.contains("id=\"entry-"));
        assert_eq!(entries(&test, EventKind::JournalSearched).await, 0);
    }
}
