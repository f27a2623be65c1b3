//! What every layer of the web needs to know.

use super::cookie::Cookies;
use super::rate::RateLimiter;
use crate::clock::{Clock, Entropy};
use crate::config::{Issuer, Limits, Networks, Server};
use std::sync::Arc;

/// What every layer of the web needs to know; extractors find it in each request.
pub struct Edge {
    /// The public address.
    pub issuer: Issuer,
    /// Who runs this instance.
    pub operator: String,
    /// Where to write to them.
    pub contact: String,
    /// How cookies are named and marked.
    pub cookies: Cookies,
    /// The proxies that are believed.
    pub trusted_proxies: Networks,
    /// Sizes and times.
    pub limits: Limits,
    /// Who asks too often.
    pub rates: RateLimiter,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Edge {
    /// The edge of an instance so configured.
    #[must_use]
    pub fn new(
        server: &Server,
        limits: Limits,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Arc<Self> {
        Arc::new(Self {
            issuer: server.issuer.clone(),
            operator: server.operator.clone(),
            contact: server.contact.clone(),
            cookies: Cookies::new(server.issuer.is_https()),
            trusted_proxies: server.trusted_proxies.clone(),
            limits,
            rates: RateLimiter::new(limits),
            clock,
            entropy,
        })
    }
}
