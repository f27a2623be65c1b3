//! Our own name and addresses.

use thiserror::Error;
use url::{Host, Url};

/// Why an address cannot be an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an issuer is an https address (http on loopback) without query, fragment or final slash")]
pub struct InvalidIssuer;

/// The issuer identifier (OpenID Connect Discovery, section 3): compared byte for byte by every client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// Reads the configured public address.
    ///
    /// # Errors
    /// [`InvalidIssuer`] when clients could not use it as it is written.
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let url = secure_url(text).ok_or(InvalidIssuer)?;
        // Written in normal form, so that what clients build from it and what we compare are one text.
        let normal = url.as_str().trim_end_matches('/') == text;
        if normal && url.query().is_none() { Ok(Self(text.to_owned())) } else { Err(InvalidIssuer) }
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of one of our paths, which begins with `/`.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The token endpoint, which client assertions may name as their audience.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.address(TOKEN)
    }
}

/// Path of the authorization endpoint.
pub const AUTHORIZE: &str = "/authorize";
/// Path where requests are pushed (RFC 9126).
pub const PAR: &str = "/par";
/// Path of the token endpoint.
pub const TOKEN: &str = "/token";
/// Path of the userinfo endpoint.
pub const USERINFO: &str = "/userinfo";
/// Path of the public keys.
pub const JWKS: &str = "/jwks";
/// Path of the logout endpoint.
pub const END_SESSION: &str = "/end_session";
/// Path of the discovery document.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// An address that may carry codes and tokens: printable ASCII, https or http on loopback, a host, no fragment
/// and no user part.
pub(super) fn secure_url(text: &str) -> Option<Url> {
    if text.len() > 2000 || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (scheme && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_written_so_that_clients_can_compare_it() {
        for good in [
            "https://porteplume.example",
            "https://a.example/op",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(Issuer::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "porteplume.example",
            "http://porteplume.example",
            "https://porteplume.example/",
            "https://Porteplume.example",
            "https://porteplume.example?x=1",
            "https://porteplume.example#x",
            "https://me@porteplume.example",
            "https://porteplume.example:443",
            "https://porteplume.example/a b",
        ] {
            assert_eq!(Issuer::parse(bad), Err(InvalidIssuer), "{bad}");
        }
    }

    #[test]
    fn endpoints_stand_under_the_issuer() {
        let issuer = Issuer::parse("https://a.example/op").unwrap();
        assert_eq!(issuer.token_endpoint(), "https://a.example/op/token");
    }
}
