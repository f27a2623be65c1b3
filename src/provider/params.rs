//! The parameters of a request, read strictly from a query string or a form body.
//!
//! One reader for every endpoint, so that none of them is kinder than the others: bounded, UTF-8 only,
//! a parameter at most once and without value as if it were absent (RFC 6749, section 3.1).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use url::form_urlencoded;

/// Why parameters cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// More than [`Params::MAX_BYTES`] or [`Params::MAX_COUNT`].
    #[error("the request is too large")]
    TooLarge,
    /// Bytes that are not UTF-8, or a control character.
    #[error("the request is not clean text")]
    NotText,
}

impl ParamsError {
    /// Stable code, shown beside the message and journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "request_too_large",
            Self::NotText => "request_not_text",
        }
    }
}

/// Decoded parameters. They may hold secrets, so there is no `Debug`.
#[derive(Clone, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

impl Params {
    /// The longest query string or form body that is read, in bytes.
    pub const MAX_BYTES: usize = 16 * 1024;
    /// The most parameters that are read.
    pub const MAX_COUNT: usize = 64;

    /// Reads a raw query string or form body.
    ///
    /// # Errors
    /// [`ParamsError`] when it is too large or not clean text. A repeated parameter is no error yet, since the
    /// endpoint decides whether it may still tell the client ([`Self::is_repeated`]).
    pub fn parse(raw: &[u8]) -> Result<Self, ParamsError> {
        if raw.len() > Self::MAX_BYTES {
            return Err(ParamsError::TooLarge);
        }
        let mut params = Self::default();
        for (seen, (name, value)) in form_urlencoded::parse(raw).enumerate() {
            if seen >= Self::MAX_COUNT {
                return Err(ParamsError::TooLarge);
            }
            if !is_text(&name) || !is_text(&value) {
                return Err(ParamsError::NotText);
            }
            if value.is_empty() {
                continue;
            }
            match params.values.entry(name.into_owned()) {
                Entry::Vacant(place) => {
                    place.insert(value.into_owned());
                }
                Entry::Occupied(taken) => {
                    params.repeated.insert(taken.key().clone());
                }
            }
        }
        Ok(params)
    }

    /// The parameters of a request kept until its answer, read again as strictly as when they came.
    ///
    /// # Errors
    /// [`ParamsError`].
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ParamsError> {
        Self::parse(query(pairs).as_bytes())
    }

    /// The value of a parameter; the first one when it is repeated.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The names of what there is.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether the parameter stands more than once.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.contains(name)
    }

    /// Whether any parameter stands more than once.
    #[must_use]
    pub fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }
}

/// The library decodes lossily and puts U+FFFD for what is not UTF-8. No client of ours sends that
/// character on purpose, so refusing it refuses both.
fn is_text(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER)
}

/// Whether the text is printable ASCII (`VSCHAR` of RFC 6749, appendix A) of at most that many bytes.
pub(super) fn is_visible_ascii(text: &str, max: usize) -> bool {
    text.len() <= max && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// Appends parameters to an address without touching what stands there, so that a registered query
/// part is kept byte for byte (RFC 6749, section 3.1.2).
pub(super) fn append_query<'a>(address: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query = query(pairs);
    let joint = match address.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, before)) if before.is_empty() || before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{joint}{query}")
}

fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_parameter_without_value_is_as_if_absent() {
        let params = Params::parse(b"state=&scope=openid&state=x&flag").unwrap();
        assert_eq!(params.get("state"), Some("x"));
        assert_eq!(params.get("flag"), None);
        assert!(!params.has_repeated());
    }

    #[test]
    fn a_repeated_parameter_is_noticed() {
        let params = Params::parse(b"a=1&b=2&a=1").unwrap();
        assert!(params.is_repeated("a"));
        assert!(!params.is_repeated("b"));
    }

    #[test]
    fn invalid_utf8_and_control_characters_are_refused() {
        for raw in [&b"state=%ff"[..], b"state=\xc3\x28", b"%00=x", b"nonce=a%0d%0ab", b"x=%EF%BF%BD"] {
            assert_eq!(Params::parse(raw).err(), Some(ParamsError::NotText), "{raw:?}");
        }
    }

    #[test]
    fn an_oversized_request_is_refused() {
        assert_eq!(Params::parse(&vec![b'a'; Params::MAX_BYTES + 1]).err(), Some(ParamsError::TooLarge));
        let many = "a=1&".repeat(Params::MAX_COUNT + 1);
        assert_eq!(Params::parse(many.as_bytes()).err(), Some(ParamsError::TooLarge));
    }

    #[test]
    fn the_query_part_of_an_address_is_kept() {
        for (address, expected) in [
            ("https://a.example/cb", "https://a.example/cb?code=1+2"),
            ("https://a.example/cb?d=%20", "https://a.example/cb?d=%20&code=1+2"),
            ("https://a.example/cb?", "https://a.example/cb?code=1+2"),
        ] {
            assert_eq!(append_query(address, [("code", "1 2")]), expected);
        }
        assert_eq!(append_query("https://a.example/cb", []), "https://a.example/cb");
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_never_lets_control_characters_in(raw in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(params) = Params::parse(&raw) {
                prop_assert!(params.values.values().all(|v| !v.is_empty() && !v.chars().any(char::is_control)));
            }
        }

        #[test]
        fn what_is_appended_reads_back(value in "\\PC{1,40}") {
            prop_assume!(!value.contains('\u{fffd}'));
            let address = append_query("https://a.example/cb?x=1", [("state", value.as_str())]);
            let (_, query) = address.split_once('?').unwrap();
            let params = Params::parse(query.as_bytes()).unwrap();
            prop_assert_eq!(params.get("state"), Some(value.as_str()));
            prop_assert_eq!(params.get("x"), Some("1"));
        }
    }
}
