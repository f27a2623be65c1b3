//! Which network address a request comes from.

use super::edge::Edge;
use crate::config::Networks;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The address of whoever asks, as far as it can be known. It counts requests and is never logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The network that counts as one caller: an IPv4 address, or the /64 that one IPv6 household holds.
    #[must_use]
    pub fn network(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
            v4 @ IpAddr::V4(_) => v4,
        }
    }
}

/// Walks `X-Forwarded-For` from the right as long as trusted proxies vouch for it: the first address that is not a
/// trusted proxy's is the client's, and whatever stands left of it is the client's own invention.
#[must_use]
pub(super) fn resolve(peer: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let mut client = peer.to_canonical();
    for hop in lines.iter().flat_map(|line| line.split(',')).rev() {
        if !trusted.contains(client) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            // Not an address: nobody to go further to.
            Err(_) => break,
        }
    }
    client
}

pub(super) async fn layer(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    // Without a connection (in-process calls) everyone shares one address.
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let client = resolve(peer, request.headers(), &edge.trusted_proxies);
    request.extensions_mut().insert(ClientAddress(client));
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn resolved(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let lines = forwarded.iter().map(|l| HeaderValue::from_str(l).unwrap());
        let headers: HeaderMap = lines.map(|l| ("x-forwarded-for".parse().unwrap(), l)).collect();
        let trusted = Networks::parse(trusted).unwrap();
        resolve(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_but_trusted_proxies() {
        assert_eq!(resolved("198.51.100.9", &["203.0.113.1"], &[]), "198.51.100.9");
        assert_eq!(resolved("198.51.100.9", &["203.0.113.1"], &["10.0.0.0/8"]), "198.51.100.9");
    }

    #[test]
    fn the_right_most_untrusted_address_is_the_client() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(resolved("10.0.0.1", &["203.0.113.1"], trusted), "203.0.113.1");
        assert_eq!(resolved("10.0.0.1", &["1.1.1.1, 203.0.113.1, 10.0.0.2"], trusted), "203.0.113.1");
        assert_eq!(resolved("10.0.0.1", &["1.1.1.1", "203.0.113.1"], trusted), "203.0.113.1");
        assert_eq!(resolved("::ffff:10.0.0.1", &["2001:db8::7"], trusted), "2001:db8::7");
    }

    #[test]
    fn an_unreadable_hop_ends_the_walk_at_the_proxy_that_sent_it() {
        for hop in ["unknown", "", "203.0.113.1:99", "'; drop"] {
            assert_eq!(resolved("10.0.0.1", &[hop], &["10.0.0.0/8"]), "10.0.0.1", "{hop}");
        }
        assert_eq!(resolved("10.0.0.1", &["8.8.8.8, x, 10.0.0.2"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(resolved("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }

    #[test]
    fn one_household_counts_as_one_caller() {
        let network = |a: &str| ClientAddress(a.parse().unwrap()).network().to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("203.0.113.1"), "203.0.113.1");
        assert_eq!(network("::ffff:203.0.113.1"), "203.0.113.1");
    }
}
