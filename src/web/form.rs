//! Forms and queries, exactly as sent: duplicates kept, nothing repaired, nothing guessed.

use super::problem::Problem;
use crate::view::errors::Fault;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use zeroize::Zeroize;

const MANY: usize = 500;

const NOT_A_FORM: Problem =
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "form_expected", Fault::BadRequest);
const TOO_LARGE: Problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", Fault::TooLarge);
const NOT_UTF8: Problem = Problem::bad_request("form_not_utf8");
const MALFORMED: Problem = Problem::bad_request("form_malformed");
const TOO_MANY: Problem = Problem::bad_request("form_too_many_fields");
const TWICE: Problem = Problem::bad_request("form_field_twice");
const MISSING: Problem = Problem::bad_request("form_field_missing");

/// Names and values in the order they were sent. They may hold secrets and personal data: no `Debug`, and wiped
/// when dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded` text strictly: a broken escape, a byte sequence that is not UTF-8, or
    /// a NUL (which no database text can hold) is refused, not repaired.
    ///
    /// # Errors
    /// A [`Problem`] with status 400.
    pub fn parse(text: &[u8]) -> Result<Self, Problem> {
        let pairs = text.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        let mut fields = Self::default();
        for pair in pairs {
            if fields.0.len() == MANY {
                return Err(TOO_MANY);
            }
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            fields.0.push((name, value));
        }
        Ok(fields)
    }

    /// The texts of a form with a file, each whole.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of_texts(texts: Vec<(String, String)>) -> Result<Self, Problem> {
        let nul = |text: &str| text.contains('\0');
        if texts.iter().any(|(name, value)| nul(name) || nul(value)) {
            return Err(MALFORMED);
        }
        if texts.len() > MANY { Err(TOO_MANY) } else { Ok(Self(texts)) }
    }

    /// All pairs, in order.
    #[must_use]
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Every value of that name.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of that name, if it was sent. An empty value counts as sent.
    ///
    /// # Errors
    /// `form_field_twice` when it was sent more than once: which one is meant is not ours to guess.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.all(name);
        let value = values.next();
        if values.next().is_some() { Err(TWICE) } else { Ok(value) }
    }

    /// The value of that name, or an empty text: for what people type, whose emptiness the page tells them about.
    ///
    /// # Errors
    /// `form_field_twice`.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        Ok(self.optional(name)?.unwrap_or_default())
    }

    /// The value of that name, which our own pages always send.
    ///
    /// # Errors
    /// `form_field_missing`, `form_field_twice`.
    pub fn required(&self, name: &str) -> Result<&str, Problem> {
        self.optional(name)?.ok_or(MISSING)
    }

    /// The value of that name as something typed: `fields.parsed("mandate", MandateId::parse)`.
    ///
    /// # Errors
    /// `form_field_missing`, `form_field_twice`; `form_malformed` when it cannot be read.
    pub fn parsed<T, E>(&self, name: &str, read: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
        read(self.required(name)?).map_err(|_| MALFORMED)
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| value.zeroize());
    }
}

fn decode(text: &[u8]) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = (rest.next().copied().and_then(hex), rest.next().copied().and_then(hex));
                let (Some(high), Some(low)) = digits else { return Err(MALFORMED) };
                high << 4 | low
            }
            other => *other,
        });
    }
    if bytes.contains(&0) {
        return Err(MALFORMED);
    }
    String::from_utf8(bytes).map_err(|_| NOT_UTF8)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        d @ b'0'..=b'9' => Some(d - b'0'),
        d @ b'a'..=b'f' => Some(d - b'a' + 10),
        d @ b'A'..=b'F' => Some(d - b'A' + 10),
        _ => None,
    }
}

/// The bytes of a form in a request's body, from whoever sent it, for those who read forms their own way: the OAuth
/// endpoints and the authorisation request. A page's own form is taken with `CheckedForm`.
pub struct RawForm(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawForm {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind =
            request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(NOT_A_FORM);
        }
        let bytes = Bytes::from_request(request, state).await;
        bytes.map(Self).map_err(|refusal| match refusal.status() {
            StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE,
            _ => MALFORMED,
        })
    }
}

/// The query of a request's address.
pub struct Query(pub Fields);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Fields::parse(parts.uri.query().unwrap_or_default().as_bytes()).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(text: &[u8]) -> &'static str {
        Fields::parse(text).map(|_| ()).expect_err("must be refused").code
    }

    #[test]
    fn fields_keep_order_duplicates_and_every_script() {
        let fields = Fields::parse(b"n=O%27Neill+%C3%89lo%C3%AFse&p=a&p=b&empty=&bare&x=a%3Db=c").unwrap();
        assert_eq!(fields.text("n"), Ok("O'Neill Éloïse"));
        assert_eq!(fields.all("p").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.optional("empty"), Ok(Some("")));
        assert!(fields.ticked("bare") && !fields.ticked("absent"));
        assert_eq!(fields.text("x"), Ok("a=b=c"));
        assert_eq!(fields.pairs().len(), 6);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_code() {
        assert_eq!(refusal(b"a=%FF"), "form_not_utf8");
        assert_eq!(refusal(b"a=\xc3"), "form_not_utf8");
        assert_eq!(refusal(b"a=%ED%A0%80"), "form_not_utf8");
        for broken in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%00", b"%-1=b"] {
            assert_eq!(refusal(broken), "form_malformed", "{broken:?}");
        }
        assert_eq!(refusal(&b"a=1&".repeat(501)), "form_too_many_fields");
        assert!(Fields::parse(&b"a=1&".repeat(500)).is_ok());
    }

    #[test]
    fn a_field_sent_twice_is_not_guessed() {
        let fields = Fields::parse(b"a=1&a=2").unwrap();
        assert_eq!(fields.required("a").map_err(|p| p.code), Err("form_field_twice"));
        assert_eq!(fields.required("b").map_err(|p| p.code), Err("form_field_missing"));
        assert_eq!(fields.parsed("b", str::parse::<u8>).map_err(|p| p.code), Err("form_field_missing"));
        let fields = Fields::parse(b"n=300").unwrap();
        assert_eq!(fields.parsed("n", str::parse::<u8>).map_err(|p| p.code), Err("form_malformed"));
        assert_eq!(fields.parsed("n", str::parse::<u16>), Ok(300));
    }

    proptest! {
        #[test]
        fn whatever_was_encoded_comes_back(pairs in prop::collection::vec((any::<String>(), any::<String>()), 0..20)) {
            let sendable = |(a, b): &(String, String)| !a.is_empty() && !a.contains('\0') && !b.contains('\0');
            let pairs: Vec<_> = pairs.into_iter().filter(sendable).collect();
            let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let back = Fields::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(back.pairs(), &pairs[..]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Fields::parse(&bytes);
        }
    }
}
