//! The providers professionals sign in at: the usual one, and others that speak for the e-mail addresses of certain domains.

use super::sign_in::Provider;
use crate::relying::{RelyingParty, email_domain};

/// A provider that speaks for certain domains.
pub struct OtherAgents {
    /// Its identifier.
    pub id: String,
    /// The domains, in their ASCII form.
    pub domains: Vec<String>,
    /// Porteplume there.
    pub party: RelyingParty,
}

/// All of them.
pub struct Agents {
    usual: RelyingParty,
    others: Vec<OtherAgents>,
}

impl Agents {
    /// The usual one beside others; no two others speak for one domain.
    #[must_use]
    pub const fn new(usual: RelyingParty, others: Vec<OtherAgents>) -> Self {
        Self { usual, others }
    }

    /// The one for whoever no other speaks for.
    #[must_use]
    pub const fn usual(&self) -> &RelyingParty {
        &self.usual
    }

    /// Whether people must be asked for their address to know where they sign in.
    #[must_use]
    pub const fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    /// Each with its name, for the operator.
    pub fn each(&self) -> impl Iterator<Item = &RelyingParty> {
        std::iter::once(&self.usual).chain(self.others.iter().map(|other| &other.party))
    }

    /// Where somebody with that address signs in: by its domain alone, whoever they are. None for what is no address.
    #[must_use]
    pub fn of_address(&self, address: &str) -> Option<Provider> {
        let domain = email_domain(address)?;
        let other = self.others.iter().find(|other| other.domains.contains(&domain));
        Some(other.map_or(Provider::Agents, |other| Provider::OtherAgents(other.id.clone())))
    }

    /// Porteplume at that one of them; none when it is configured no more.
    #[must_use]
    pub fn other(&self, id: &str) -> Option<&RelyingParty> {
        self.others.iter().find(|other| other.id == id).map(|other| &other.party)
    }

    /// Whether the provider's word for an address counts: nobody is invited by one provider and bound by another that
    /// claims the same address.
    #[must_use]
    pub fn speaks_for(&self, provider: &Provider, address: &str) -> bool {
        !self.are_several() || self.of_address(address).as_ref() == Some(provider)
    }
}
