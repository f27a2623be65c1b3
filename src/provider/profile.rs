//! Security profiles: what a client's requests must keep to.
//!
//! No one policy passes both OpenID Connect's and FAPI's conformance modules (contract `openid.md`), so each client carries a
//! profile, and the checks read its rules instead of asking which profile it is.

use super::registration::ClientAuthMethod;
use crate::crypto::{JwsAlg, TokenAlg};
use serde::{Deserialize, Serialize};

/// The security profile a client is registered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// FAPI 2.0 Security Profile.
    #[default]
    Fapi2,
    /// Plain OpenID Connect; PKCE is demanded of everyone who is not registered exempt.
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
    /// How a client may prove itself.
    pub auth_methods: &'static [ClientAuthMethod],
    /// Audience of client assertions.
    pub assertion_audience: AssertionAudience,
    /// Algorithms of what the client signs.
    pub client_algs: &'static [JwsAlg],
    /// Whether its authorization requests must be pushed (RFC 9126).
    pub pushed_requests: bool,
    /// Whether its access tokens must be bound to a key of its own (RFC 9449).
    pub bound_tokens: bool,
    /// Whether a client may be exempt from PKCE.
    pub pkce_exemption: bool,
    /// Algorithms of its ID tokens.
    pub id_token_algs: &'static [TokenAlg],
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::Fapi2, Self::Oidc];

    /// The stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fapi2 => "fapi2",
            Self::Oidc => "oidc",
        }
    }

    /// The profile of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// What it asks of a service, in a line for the operator.
    #[must_use]
    pub const fn demands(self) -> &'static str {
        match self {
            Self::Fapi2 => {
                "FAPI 2.0: the service proves itself by its own key (private_key_jwt, PS256, ES256 or EdDSA; audience: the issuer alone), pushes its requests (PAR) and binds its tokens to a key (DPoP)"
            }
            Self::Oidc => {
                "plain OpenID Connect: a secret or a key of its own, PKCE with S256 unless the registration says `pkce = \"exempt\"`; tokens work for whoever holds them, unless the service binds them (DPoP)"
            }
        }
    }

    /// Its rules.
    #[must_use]
    pub const fn rules(self) -> Rules {
        match self {
            // FAPI 2.0 Security Profile, sections 5.3.2.1, 5.3.2.2 and 5.4.1.
            Self::Fapi2 => Rules {
                auth_methods: &[ClientAuthMethod::PrivateKeyJwt],
                assertion_audience: AssertionAudience::IssuerOnly,
                client_algs: &[JwsAlg::Es256, JwsAlg::Ps256, JwsAlg::EdDsa],
                pushed_requests: true,
                bound_tokens: true,
                pkce_exemption: false,
                id_token_algs: &[TokenAlg::Es256],
            },
            Self::Oidc => Rules {
                auth_methods: &ClientAuthMethod::ALL,
                assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
                client_algs: &JwsAlg::ALL,
                pushed_requests: false,
                bound_tokens: false,
                pkce_exemption: true,
                id_token_algs: &[TokenAlg::Es256, TokenAlg::Rs256],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_by_its_stable_name_alone() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(profile.as_str()), Some(profile));
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.as_str());
        }
        for other in ["", "FAPI2", "fapi", "none"] {
            assert_eq!(Profile::parse(other), None, "{other}");
        }
    }
}
