//! The values a configuration holds, each read by one function.

use super::Witness;
use crate::mandate::ThemeId;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;
use unicode_normalization::is_nfc;
use url::{Host, Url};
use zeroize::Zeroizing;

/// A secret text: hidden by `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The public address of this instance, without a slash at its end: an origin and nothing more, so that one host
/// name is one instance and the session cookie can be bound to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    origin: String,
    https: bool,
}

impl Issuer {
    pub(super) const CURE: &str =
        "write the public origin, such as \"https://mandats.example.fr\" (http only on loopback, no path)";

    /// Reads an origin: https, or http on loopback.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = public_url(text)?;
        let origin = url.origin().ascii_serialization();
        (origin == text).then(|| Self { origin, https: url.scheme() == "https" })
    }

    /// The origin, as in tokens and addresses.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach us by https.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }
}

/// An address others are reached at: https, or http on loopback; no credentials, query or fragment.
pub(super) fn public_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let loopback = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let plain = url.username().is_empty() && url.password().is_none();
    (scheme && plain && url.query().is_none() && url.fragment().is_none()).then_some(url)
}

/// A host's name or address, without port, in lower case.
pub(super) fn host(text: &str) -> Option<String> {
    Host::parse(text).ok().map(|host| host.to_string().trim_matches(['[', ']']).to_ascii_lowercase())
}

/// A witness, in the words of a policy's line: name, key, address.
pub(super) fn witness(text: &str) -> Option<Witness> {
    let mut words = text.split_whitespace();
    let (Some(name), Some(vkey), Some(url), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    public_url(url)?;
    Some(Witness { name: name.to_owned(), vkey: vkey.to_owned(), url: url.to_owned() })
}

/// The address of a time-stamping authority.
pub(super) fn authority(text: &str) -> Option<String> {
    public_url(text).map(|_| text.to_owned())
}

/// A domain of e-mail addresses, in its ASCII form (IDNA).
pub(super) fn domain(text: &str) -> Option<String> {
    super::email_domain(&format!("x@{text}"))
}

/// A theme of the catalogue and the label FranceConnect knows it by, which it compares byte for byte in NFC.
pub(super) fn theme(text: &str) -> Option<(ThemeId, String)> {
    let (theme, label) = text.split_once(' ')?;
    let plain =
        !label.is_empty() && label.trim() == label && !label.contains(char::is_control) && is_nfc(label);
    plain.then_some((ThemeId::parse(theme).ok()?, label.to_owned()))
}

/// Networks of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    pub(super) const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Networks written like `10.0.0.0/8`, or as one address.
    #[must_use]
    pub fn parse(networks: &[&str]) -> Option<Self> {
        networks.iter().map(|text| network(text)).collect::<Option<_>>().map(Self)
    }

    /// Whether the address lies in one of them. An IPv4 address written as IPv6 counts as the IPv4 address it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// `10.0.0.0/8`, or one address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(super) fn path(text: &str) -> Option<PathBuf> {
    nonempty(text).map(PathBuf::from)
}

pub(super) fn nonempty(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.to_owned())
}

/// A log's name (C2SP signed-note key names): no white space, no plus sign, no scheme.
pub(super) fn origin(text: &str) -> Option<String> {
    let lawful = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    let fits = (1..=200).contains(&text.len()) && text.chars().all(lawful) && !text.contains("://");
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_reached_by_https_or_on_loopback() {
        for good in
            ["https://mandats.example.fr", "https://a.fr:8443", "http://127.0.0.1:8080", "http://localhost:1"]
        {
            assert_eq!(Issuer::parse(good).map(|i| i.as_str().to_owned()).as_deref(), Some(good));
        }
        for bad in [
            "http://mandats.example.fr",
            "https://mandats.example.fr/",
            "https://mandats.example.fr/sub",
            "https://mandats.example.fr:443",
            "https://u:p@mandats.example.fr",
            "https://mandats.example.fr?x",
            "ftp://127.0.0.1",
            "http://127.0.0.1.example.fr",
            "mandats.example.fr",
            "",
        ] {
            assert_eq!(Issuer::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let networks = Networks::parse(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]).unwrap();
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1"] {
            assert!(networks.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "::1", "2001:db9::1"] {
            assert!(!networks.contains(outside.parse().unwrap()), "{outside}");
        }
        assert_eq!(network("10.0.0.0/33"), None);
        assert_eq!(network("example.fr"), None);
    }

    #[test]
    fn a_log_name_has_no_scheme_and_no_space() {
        assert!(origin("mandats.example.fr/journal/2026").is_some());
        for bad in ["", "https://mandats.example.fr", "a b", "a+b", "a\nb"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
