//! An authenticator on a page, for visitors of the demonstration who have no such application at hand: it computes
//! the current code from the text key that enrolment shows. A real one never leaves the person's own device.

use super::State;
use super::request::parameters;
use crate::crypto::{TotpSeed, TotpStep};
use crate::demo::site::{Site, View, page};
use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

/// Seconds a code lasts (RFC 6238).
const STEP: i64 = 30;

#[derive(Template)]
#[template(path = "sandbox/authenticator.html")]
struct Authenticator {
    v: View,
    key: String,
    outcome: Outcome,
}

enum Outcome {
    Nothing,
    Unreadable,
    Code { code: String, remaining: i64 },
}

impl Outcome {
    const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

/// `GET /authenticator`.
pub(super) async fn ask(headers: HeaderMap) -> Response {
    shown(&headers, String::new(), Outcome::Nothing)
}

/// `POST /authenticator`: `key`.
pub(super) async fn show(sandbox: State, headers: HeaderMap, form: String) -> Response {
    let key = parameters(&form).and_then(|mut form| form.remove("key")).unwrap_or_default();
    let now = sandbox.now();
    let outcome = match base32(&key).as_deref().and_then(TotpSeed::from_slice) {
        None => Outcome::Unreadable,
        Some(seed) => Outcome::Code {
            code: seed.code(TotpStep::at(now)).expose().to_owned(),
            remaining: STEP - now.seconds().rem_euclid(STEP),
        },
    };
    shown(&headers, key, outcome)
}

fn shown(headers: &HeaderMap, key: String, outcome: Outcome) -> Response {
    let status = if outcome.is_unreadable() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page(status, &Authenticator { v: Site::Agents.view(headers, "/authenticator", None), key, outcome })
}

/// Reads base32 as people type it: in any case, with spaces or hyphens, without padding (RFC 4648, 6).
pub(in crate::demo) fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes().filter(|letter| !matches!(letter, b' ' | b'-' | b'=')) {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            digit @ b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.extend(u8::try_from(bits >> held));
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn a_key_is_read_as_people_type_it() {
        let seed = TotpSeed::generate(&SeededEntropy::new(7)).unwrap();
        let text = seed.base32().expose().to_owned();
        assert_eq!(base32(&text).unwrap(), seed.expose());
        let grouped =
            text.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c)).collect::<Vec<_>>().join(" ");
        assert_eq!(base32(&grouped.to_lowercase()).unwrap(), seed.expose());
        assert_eq!(base32("0189"), None);
        assert!(TotpSeed::from_slice(&base32("ABCD").unwrap()).is_none());
    }
}
