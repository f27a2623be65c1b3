//! Name resolution that gives only addresses an outgoing call may reach. The check stands here, on the addresses
//! the connection will really use, so that a name cannot show one address to the check and another to the call.

use super::address::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use thiserror::Error;

/// A host has no address that may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the host has no address that may be called")]
pub(super) struct AddressRefused;

/// Which hosts and addresses may be called.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) loopback: bool,
    pub(super) hosts: Arc<BTreeSet<String>>,
}

impl Reach {
    /// Whether this address of that host may be called.
    pub(super) fn allows(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || (self.loopback && address.is_loopback()) || self.hosts.contains(host)
    }
}

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.clone();
        Box::pin(async move {
            let host = name.as_str().to_ascii_lowercase();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0))
                .await?
                .filter(|address| reach.allows(&host, address.ip()))
                .collect();
            if found.is_empty() {
                return Err(AddressRefused.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
