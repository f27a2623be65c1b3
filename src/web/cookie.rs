//! Our cookies: their names, their marks, how they are read and set.

use crate::view::Flash;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::Duration;

/// What a cookie holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// The secret of the browser's session.
    Session,
    /// The language chosen.
    Language,
    /// Where to go on after a sign-in, a second factor or a sign-out at the identity provider: a path of ours.
    Next,
    /// The name of a message to show once.
    Flash,
}

/// How this instance marks its cookies: on https they are `Secure` and carry the `__Host-` prefix, so that no other
/// host and no plain connection can set them; plain names exist for http on loopback only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies {
    https: bool,
}

impl Cookies {
    /// For an instance reached by https, or by http on loopback.
    #[must_use]
    pub const fn new(https: bool) -> Self {
        Self { https }
    }

    /// The cookie's name.
    #[must_use]
    pub const fn name(self, cookie: Cookie) -> &'static str {
        match (self.https, cookie) {
            (true, Cookie::Session) => "__Host-porteplume",
            (true, Cookie::Language) => "__Host-porteplume-lang",
            (true, Cookie::Next) => "__Host-porteplume-next",
            (true, Cookie::Flash) => "__Host-porteplume-flash",
            (false, Cookie::Session) => "porteplume",
            (false, Cookie::Language) => "porteplume-lang",
            (false, Cookie::Next) => "porteplume-next",
            (false, Cookie::Flash) => "porteplume-flash",
        }
    }

    /// The value the browser sent. Sent twice it counts as not sent: one of the two is somebody else's doing.
    #[must_use]
    pub fn read(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        let name = self.name(cookie);
        let pairs = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = pairs
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value);
        // A header may hold a tab; no cookie of ours does.
        let value = values.next().filter(|value| !value.contains('\t'))?;
        values.next().is_none().then_some(value)
    }

    /// A path of ours from [`Cookie::Next`]; anything else counts as none.
    #[must_use]
    pub fn next(self, headers: &HeaderMap) -> Option<String> {
        let path = URL_SAFE_NO_PAD.decode(self.read(headers, Cookie::Next)?).ok()?;
        String::from_utf8(path).ok().filter(|path| is_local(path))
    }

    /// Sets the session's secret; it lives as long as the browser's window and the server's clock let it.
    #[must_use]
    pub fn set_session(self, secret: &str) -> HeaderValue {
        self.set(Cookie::Session, secret, None)
    }

    /// Sets the language, for a year.
    #[must_use]
    pub fn set_language(self, tag: &'static str) -> HeaderValue {
        self.set(Cookie::Language, tag, Some(Duration::days(365)))
    }

    /// Sets where to go on; a path that is not ours becomes the start page.
    #[must_use]
    pub fn set_next(self, path: &str) -> HeaderValue {
        let path = if is_local(path) { path } else { "/" };
        self.set(Cookie::Next, &URL_SAFE_NO_PAD.encode(path), Some(Duration::minutes(30)))
    }

    /// The message to show once, if one was set.
    #[must_use]
    pub fn flash(self, headers: &HeaderMap) -> Option<Flash> {
        self.read(headers, Cookie::Flash).and_then(Flash::parse)
    }

    /// Sets a message to show once, on the next page.
    #[must_use]
    pub fn set_flash(self, flash: Flash) -> HeaderValue {
        self.set(Cookie::Flash, flash.as_str(), Some(Duration::minutes(1)))
    }

    /// Takes the cookie away.
    #[must_use]
    pub fn clear(self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, "", Some(Duration::ZERO))
    }

    fn set(self, cookie: Cookie, value: &str, life: Option<Duration>) -> HeaderValue {
        use std::fmt::Write as _;
        let mut header = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", self.name(cookie));
        if self.https {
            header.push_str("; Secure");
        }
        if let Some(life) = life {
            // Writing to a String cannot fail.
            let _ = write!(header, "; Max-Age={}", life.whole_seconds());
        }
        // Every value is a token of ours, base64url or a fixed word; what no header can hold sets nothing.
        HeaderValue::from_str(&header).unwrap_or(HeaderValue::from_static(""))
    }
}

/// Whether it is a path on this host, which no browser can read as another host's address.
#[must_use]
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2000
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTTPS: Cookies = Cookies::new(true);
    const LOOPBACK: Cookies = Cookies::new(false);

    fn sent(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_str(line).unwrap())).collect()
    }

    #[test]
    fn the_session_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
        assert_eq!(HTTPS.set_session("abc"), "__Host-porteplume=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(LOOPBACK.set_session("abc"), "porteplume=abc; Path=/; HttpOnly; SameSite=Lax");
        assert!(HTTPS.clear(Cookie::Session).to_str().unwrap().ends_with("; Max-Age=0"));
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name() {
        let headers = sent(&["a=1; __Host-porteplume=secret", "porteplume=other"]);
        assert_eq!(HTTPS.read(&headers, Cookie::Session), Some("secret"));
        assert_eq!(LOOPBACK.read(&headers, Cookie::Session), Some("other"));
        assert_eq!(HTTPS.read(&headers, Cookie::Flash), None);
        assert_eq!(HTTPS.read(&HeaderMap::new(), Cookie::Session), None);
        assert_eq!(HTTPS.read(&sent(&["__Host-porteplume=a\tb"]), Cookie::Session), None);
    }

    #[test]
    fn a_cookie_sent_twice_counts_as_not_sent() {
        let headers = sent(&["__Host-porteplume=one; __Host-porteplume=two"]);
        assert_eq!(HTTPS.read(&headers, Cookie::Session), None);
    }

    #[test]
    fn the_way_on_leads_nowhere_else() {
        let back = |path: &str| {
            let line = HTTPS.set_next(path);
            let pair = line.to_str().unwrap().split(';').next().unwrap().to_owned();
            HTTPS.next(&sent(&[&pair]))
        };
        assert_eq!(back("/authorize/abc/usager?x=1").as_deref(), Some("/authorize/abc/usager?x=1"));
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "", "évil"] {
            assert_eq!(back(elsewhere).as_deref(), Some("/"), "{elsewhere}");
        }
        let forged = URL_SAFE_NO_PAD.encode("//evil.example");
        assert_eq!(HTTPS.next(&sent(&[&format!("__Host-porteplume-next={forged}")])), None);
        assert_eq!(HTTPS.next(&sent(&["__Host-porteplume-next=%%"])), None);
    }
}
