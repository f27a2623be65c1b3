//! Security profiles: what a client's requests must keep to.
//!
//! No one policy passes both OpenID Connect's and FAPI's conformance modules (contract `openid.md`), so each client carries a
//! profile, and the checks read its rules instead of asking which profile it is.

use crate::crypto::JwsAlg;
use serde::{Deserialize, Serialize};

/// The security profile a client is registered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Plain OpenID Connect; PKCE is demanded of everyone.
    #[default]
    Oidc,
}

/// What a client assertion may name as its audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer or the token endpoint, alone or in a list (RFC 7523, section 3; OpenID Connect Core, section 9).
    IssuerOrTokenEndpoint,
    /// The issuer, as a string and nothing else (FAPI 2.0 Security Profile, section 5.3.2.1).
    IssuerOnly,
}

/// The rules of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Audience of client assertions.
    pub assertion_audience: AssertionAudience,
    /// Algorithms of client assertions.
    pub assertion_algs: &'static [JwsAlg],
}

impl Profile {
    /// The stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
        }
    }

    /// The profile of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Oidc].into_iter().find(|profile| profile.as_str() == name)
    }

    /// Its rules.
    #[must_use]
    pub const fn rules(self) -> Rules {
        match self {
            Self::Oidc => Rules {
                assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
                assertion_algs: &JwsAlg::ALL,
            },
        }
    }
}
