//! Sessions and forms as a browser meets them, over the real layers and both engines.

use crate::support::app::TestApp;
use crate::support::database::on_both;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use axum::routing::{get, post};
use porteplume::service::IDLE;
use porteplume::web::{Begun, CheckedForm, Held, MaybeSession, Problem, Reply, Routes, compose, csrf};
use sqlx::Row as _;
use time::Duration;
use tower::ServiceExt as _;

/// A door that begins a session and shows its token, a form held by the session, a page that needs one, one that
/// does not.
fn service(app: &TestApp) -> Router {
    let door = async |begun: Begun| Reply::page(csrf::token(&begun.session.csrf)).cookie(begun.cookie);
    let form =
        async |form: CheckedForm| Ok::<_, Problem>(Reply::page(form.fields.required("name")?.to_owned()));
    let pages = Router::new()
        .route("/door", get(door))
        .route("/form", post(form))
        .route("/held", get(async |_: Held| Reply::page("held".into())))
        .route("/maybe", get(async |it: MaybeSession| Reply::page(it.0.is_some().to_string())));
    let routes = Routes { pages, uploads: Router::new(), doors: Router::new(), protocol: Router::new() };
    compose(&app.web.edge, app.web.clone(), routes, async || true)
}

struct Answer {
    status: u16,
    cookie: Option<String>,
    body: String,
}

async fn answer(response: Response<Body>) -> Answer {
    let cookie = response.headers().get("set-cookie").map(|line| line.to_str().unwrap());
    let cookie = cookie.map(|line| line.split(';').next().unwrap().to_owned());
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    Answer { status, cookie, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn visit(service: &Router, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path).header("cookie", cookie).body(Body::empty()).unwrap();
    answer(service.clone().oneshot(request).await.unwrap()).await
}

async fn send(service: &Router, cookie: &str, form: String) -> Answer {
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post("/form").header("cookie", cookie).header("content-type", kind);
    answer(service.clone().oneshot(request.body(Body::from(form)).unwrap()).await.unwrap()).await
}

async fn sessions(app: &TestApp) -> i64 {
    let mut raw = app.database.raw().await;
    let row = sqlx::query("SELECT count(*) FROM session").fetch_one(&mut raw).await.unwrap();
    row.get(0)
}

on_both! {
    a_session_begins_at_a_door_and_its_secret_rests_hashed(database) {
        let app = TestApp::over(database).await;
        let service = service(&app);
        let begun = visit(&service, "/door", "").await;
        let cookie = begun.cookie.expect("a session's cookie");
        let secret = cookie.strip_prefix("__Host-porteplume=").expect("bound to the host");
        assert_eq!(secret.len(), 43, "256 bits");
        let again = visit(&service, "/door", &cookie).await;
        assert_eq!((again.cookie, again.body), (None, begun.body), "the same session");
        assert_eq!(sessions(&app).await, 1);
        let mut raw = app.database.raw().await;
        let row = sqlx::query("SELECT id_hash FROM session").fetch_one(&mut raw).await.unwrap();
        assert!(!row.get::<String, _>(0).contains(secret));
    }

    looking_without_a_session_begins_none(database) {
        let app = TestApp::over(database).await;
        let service = service(&app);
        assert_eq!(visit(&service, "/maybe", "").await.body, "false");
        assert_eq!(visit(&service, "/maybe", "__Host-porteplume=made-up").await.body, "false");
        assert_eq!(visit(&service, "/held", "").await.status, 303);
        assert_eq!(sessions(&app).await, 0);
    }

    a_form_is_taken_from_the_session_it_was_given_to_and_from_no_other(database) {
        let app = TestApp::over(database).await;
        let service = service(&app);
        let (mine, other) = (visit(&service, "/door", "").await, visit(&service, "/door", "").await);
        let (my_cookie, other_cookie) = (mine.cookie.unwrap(), other.cookie.unwrap());
        assert_ne!(mine.body, other.body);
        let taken = send(&service, &my_cookie, format!("name=Rose&csrf={}", mine.body)).await;
        assert_eq!((taken.status, taken.body.as_str()), (200, "Rose"));
        for (cookie, form) in [
            (my_cookie.as_str(), "name=Rose".to_owned()),
            (my_cookie.as_str(), format!("name=Rose&csrf={}", other.body)),
            (other_cookie.as_str(), format!("name=Rose&csrf={}", mine.body)),
        ] {
            let refused = send(&service, cookie, form).await;
            assert_eq!(refused.status, 403);
            assert!(refused.body.contains("form_forged"));
        }
        let nobody = send(&service, "", format!("name=Rose&csrf={}", mine.body)).await;
        assert_eq!(nobody.status, 401);
    }

    a_session_left_alone_is_over(database) {
        let app = TestApp::over(database).await;
        let service = service(&app);
        let begun = visit(&service, "/door", "").await;
        let cookie = begun.cookie.unwrap();
        app.clock.advance(IDLE - Duration::seconds(1));
        assert_eq!(visit(&service, "/held", &cookie).await.status, 200, "use keeps it");
        app.clock.advance(IDLE - Duration::minutes(2));
        assert_eq!(visit(&service, "/held", &cookie).await.status, 200);
        app.clock.advance(IDLE);
        assert_eq!(visit(&service, "/held", &cookie).await.status, 303);
        assert_eq!(send(&service, &cookie, format!("name=a&csrf={}", begun.body)).await.status, 401);
    }
}
