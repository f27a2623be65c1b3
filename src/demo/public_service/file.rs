//! The open file: whose, by whom, under which mandate, until when; and the form.

use super::declaration::{Field, months};
use super::mandate::Opening;
use super::sign_in::{Trouble, trouble};
use super::{Service, State, Visit};
use crate::crypto::same;
use crate::demo::memory::fresh;
use crate::demo::site::{Site, View, page};
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "sandbox/service_file.html")]
struct FilePage<'a> {
    v: View,
    opening: &'a Opening,
    procedure: String,
    csrf: &'a str,
    submission: &'a str,
    fields: Vec<Field>,
    undeclared: bool,
    faults: bool,
}

/// `GET /file`.
pub(super) async fn show(service: State, headers: HeaderMap) -> Response {
    let Some((_, visit)) = service.visit(&headers) else {
        return trouble(&headers, Trouble::Closed, "no_open_file");
    };
    if visit.ended {
        return trouble(&headers, Trouble::Ended, "access_ended");
    }
    let Ok(submission) = fresh(&*service.entropy) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let v = Site::Caisse.view(&headers, "/file", None);
    let fields = months(service.now(), v.language).map(Field::empty).into();
    service.file_page(StatusCode::OK, v, &visit, &submission, fields, false)
}

impl Service {
    pub(super) fn file_page(
        &self,
        status: StatusCode,
        v: View,
        visit: &Visit,
        submission: &str,
        fields: Vec<Field>,
        undeclared: bool,
    ) -> Response {
        let opening = &*visit.opening;
        let procedure = self.procedure_name(opening, v.language);
        let faults = undeclared || fields.iter().any(|field| field.faulty);
        page(
            status,
            &FilePage { v, opening, procedure, csrf: &visit.csrf, submission, fields, undeclared, faults },
        )
    }
}

impl Visit {
    /// Whether the form comes from a page of this visit.
    pub(super) fn holds_csrf(&self, form: &str) -> bool {
        let sent = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "csrf");
        sent.is_some_and(|(_, value)| same(value.as_bytes(), self.csrf.as_bytes()))
    }
}
