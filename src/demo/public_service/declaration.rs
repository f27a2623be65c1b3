//! The one procedure of the service: declaring the resources of the last three months.

use super::mandate::Opening;
use super::sign_in::{Trouble, trouble};
use super::{Service, State};
use crate::demo::site::{Site, View, page};
use crate::mandate::{Instant, Language};
use crate::relying::{RelyingError, UserinfoFault};
use crate::view::dates;
use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use time::{Date, Duration};

/// The highest amount a month may state, in euros.
const HIGHEST: u32 = 99_999;
/// How long a receipt can be read.
const RECEIPT_LIFE: Duration = Duration::hours(1);

/// One amount of the form.
pub(super) struct Field {
    /// The month, in words.
    pub(super) month: String,
    /// What was typed.
    pub(super) value: String,
    /// Whether it is no amount.
    pub(super) faulty: bool,
}

impl Field {
    pub(super) const fn empty(month: String) -> Self {
        Self { month, value: String::new(), faulty: false }
    }

    fn typed(month: String, value: String) -> Self {
        let faulty = amount(&value).is_none();
        Self { month, value, faulty }
    }
}

/// What was received.
#[derive(Clone)]
pub(super) struct Receipt {
    number: String,
    at: Instant,
    total: u32,
    opening: Arc<Opening>,
    visit: String,
}

#[derive(Template)]
#[template(path = "sandbox/service_receipt.html")]
struct ReceiptPage<'a> {
    v: View,
    receipt: &'a Receipt,
    procedure: String,
    csrf: &'a str,
}

impl Receipt {
    fn moment(&self, view: &View) -> String {
        dates::moment(view.language, self.at)
    }

    /// What was declared in all, in euros: at most three times 99,999, so with one gap at most.
    fn euros(&self, view: &View) -> String {
        let (thousands, rest) = (self.total / 1000, self.total % 1000);
        let gap = view.t("\u{202f}", ",");
        if thousands == 0 { rest.to_string() } else { format!("{thousands}{gap}{rest:03}") }
    }
}

/// `POST /file/declaration`: `csrf`, `submission`, `income-1` to `income-3`, `declared`.
pub(super) async fn submit(service: State, headers: HeaderMap, form: String) -> Response {
    let Some((session, visit)) = service.visit(&headers) else {
        return trouble(&headers, Trouble::Closed, "no_open_file");
    };
    if !visit.holds_csrf(&form) {
        return trouble(&headers, Trouble::Foreign, "csrf");
    }
    if visit.ended {
        return trouble(&headers, Trouble::Ended, "access_ended");
    }
    if !visit.opening.may_submit() {
        return trouble(&headers, Trouble::Ended, "act_not_granted");
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    let sent = |name: &str| form.get(name).cloned().unwrap_or_default();
    let (now, submission) = (service.now(), sent("submission"));
    let v = Site::Caisse.view(&headers, "/file", None);
    let [first, second, third] = months(now, v.language);
    let fields = vec![
        Field::typed(first, sent("income-1")),
        Field::typed(second, sent("income-2")),
        Field::typed(third, sent("income-3")),
    ];
    let amounts: Option<Vec<u32>> = fields.iter().map(|field| amount(&field.value)).collect();
    let declared = form.contains_key("declared");
    let Some(amounts) = amounts.filter(|_| declared && !submission.is_empty()) else {
        return service.file_page(
            StatusCode::UNPROCESSABLE_ENTITY,
            v,
            &visit,
            &submission,
            fields,
            !declared,
        );
    };
    if service.receipts.get(&submission, now).is_none() {
        // The moment that counts: does the mandate stand now?
        match service.porteplume.userinfo(&visit.access_token, &visit.subject, now).await {
            Ok(_) => {}
            Err(RelyingError::Userinfo(UserinfoFault::Unauthorized)) => {
                service.visits.take(&session, now);
                return trouble(&headers, Trouble::Ended, "access_ended");
            }
            Err(error) if error.is_outage() => return trouble(&headers, Trouble::Away, error.code()),
            Err(error) => return trouble(&headers, Trouble::Unsound, error.code()),
        }
        let receipt = Receipt {
            number: service.next_number(now),
            at: now,
            total: amounts.iter().sum(),
            opening: Arc::clone(&visit.opening),
            visit: session,
        };
        service.receipts.put(&submission, receipt, now, RECEIPT_LIFE);
    }
    Redirect::to(&format!("/receipt/{submission}")).into_response()
}

/// `GET /receipt/{key}`.
pub(super) async fn receipt(service: State, headers: HeaderMap, Path(key): Path<String>) -> Response {
    let visit = service.visit(&headers);
    let receipt = service.receipts.get(&key, service.now());
    let Some(((session, visit), receipt)) = visit.zip(receipt).filter(|((s, _), r)| *s == r.visit) else {
        return trouble(&headers, Trouble::Closed, "no_open_file");
    };
    let _ = session;
    let v = Site::Caisse.view(&headers, &format!("/receipt/{key}"), None);
    let procedure = service.procedure_name(&receipt.opening, v.language);
    page(StatusCode::OK, &ReceiptPage { v, receipt: &receipt, procedure, csrf: &visit.csrf })
}

impl Service {
    fn next_number(&self, now: Instant) -> String {
        let nth = self.submitted.fetch_add(1, Ordering::SeqCst) + 1;
        let day = now.date();
        format!("CD-{}{:02}{:02}-{nth:04}", day.year(), u8::from(day.month()), day.day())
    }
}

/// Whole euros; spaces between digits are let through.
fn amount(text: &str) -> Option<u32> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|amount| plain && *amount <= HIGHEST)
}

/// The three months before this one, oldest first, in words.
pub(super) fn months(now: Instant, language: Language) -> [String; 3] {
    let this = now.date().replace_day(1).unwrap_or(Date::MIN);
    let before = |date: Date| {
        let last = date.previous_day().unwrap_or(Date::MIN);
        last.replace_day(1).unwrap_or(Date::MIN)
    };
    let (last, second, third) = (before(this), before(before(this)), before(before(before(this))));
    [third, second, last].map(|month| dates::month(language, month))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn amounts_are_whole_euros_within_bounds() {
        assert_eq!(amount("0"), Some(0));
        assert_eq!(amount(" 1 250 "), Some(1250));
        assert_eq!(amount("99999"), Some(99_999));
        for bad in ["", "-1", "12,50", "100000", "+5", "douze", "99999999999"] {
            assert_eq!(amount(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_months_are_those_before_this_one() {
        let at = Instant::from(datetime!(2026-01-31 12:00 UTC));
        assert_eq!(months(at, Language::Fr), ["octobre 2025", "novembre 2025", "décembre 2025"]);
        assert_eq!(months(at, Language::En), ["October 2025", "November 2025", "December 2025"]);
    }
}
