//! Security profiles: what a client's requests must keep to.
//!
//! No one policy passes both OpenID Connect's and FAPI's conformance modules (contract `openid.md`), so each client carries a
//! profile, and the checks read its rules instead of asking which profile it is.

use super::claim::Claim;
use super::options::{ClientAuthMethod, IdTokenAlg};
use crate::crypto::JwsAlg;
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
    /// FranceConnect, to which we are one identity provider among others (contract `franceconnect.md`, section 1).
    #[serde(rename = "franceconnect")]
    FranceConnect,
}

/// What a client assertion may name as its audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer or the token endpoint, alone or in a list (RFC 7523, section 3; OpenID Connect Core, section 9).
    IssuerOrTokenEndpoint,
    /// The issuer, as a string and nothing else (FAPI 2.0 Security Profile, section 5.3.2.1).
    IssuerOnly,
}

/// Whether requests bring a challenge (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PkceRule {
    /// Always.
    Always,
    /// Unless the client is registered exempt.
    UnlessExempt,
    /// Never: the client knows no PKCE.
    Never,
}

/// A scope and the claims it stands for.
pub type ScopeGroup = (&'static str, &'static [Claim]);

/// FranceConnect's scopes that are no claims of their own (contract `franceconnect.md`, section 1.2).
const FRANCECONNECT_SCOPES: &[ScopeGroup] = &[
    (
        "profile",
        &[Claim::GivenName, Claim::FamilyName, Claim::PreferredUsername, Claim::Gender, Claim::Birthdate],
    ),
    ("birth", &[Claim::Birthdate, Claim::Birthplace, Claim::Birthcountry]),
];

/// The parameters of FranceConnect's request, all of them (contract `franceconnect.md`, section 1.2).
const FRANCECONNECT_PARAMETERS: &[&str] = &[
    "client_id",
    "scope",
    "response_type",
    "redirect_uri",
    "acr_values",
    "nonce",
    "state",
    "prompt",
    "claims",
];

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
    /// Whether requests bring a challenge.
    pub pkce: PkceRule,
    /// The only parameters a request may have; any, where there is no such list.
    pub parameters: Option<&'static [&'static str]>,
    /// Whether the aidant signs in anew for each request, asked for or not.
    pub fresh_sign_in: bool,
    /// Scopes that stand for several claims.
    pub scopes: &'static [ScopeGroup],
    /// Algorithms of its ID tokens.
    pub id_token_algs: &'static [IdTokenAlg],
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Fapi2, Self::Oidc, Self::FranceConnect];

    /// The stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fapi2 => "fapi2",
            Self::Oidc => "oidc",
            Self::FranceConnect => "franceconnect",
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
            Self::FranceConnect => {
                "FranceConnect as it is: a secret in the form (client_secret_post), no PKCE, no parameter beyond its own, the aidant signs in anew each time; ID tokens say rep_scope and nothing of who acts"
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
                pkce: PkceRule::Always,
                parameters: None,
                fresh_sign_in: false,
                scopes: &[],
                id_token_algs: &[IdTokenAlg::Es256, IdTokenAlg::Ps256, IdTokenAlg::EdDsa],
            },
            Self::Oidc => Rules {
                auth_methods: &ClientAuthMethod::ALL,
                assertion_audience: AssertionAudience::IssuerOrTokenEndpoint,
                client_algs: &JwsAlg::ALL,
                pushed_requests: false,
                bound_tokens: false,
                pkce: PkceRule::UnlessExempt,
                parameters: None,
                fresh_sign_in: false,
                scopes: &[],
                id_token_algs: &[IdTokenAlg::Es256, IdTokenAlg::Rs256, IdTokenAlg::Ps256, IdTokenAlg::EdDsa],
            },
            Self::FranceConnect => Rules {
                auth_methods: &[ClientAuthMethod::SecretPost],
                assertion_audience: AssertionAudience::IssuerOnly,
                client_algs: &[],
                pushed_requests: false,
                bound_tokens: false,
                pkce: PkceRule::Never,
                parameters: Some(FRANCECONNECT_PARAMETERS),
                fresh_sign_in: true,
                scopes: FRANCECONNECT_SCOPES,
                // HS256 is what FranceConnect is told of most providers (contract `franceconnect.md`, section 1.1).
                id_token_algs: &[IdTokenAlg::Es256, IdTokenAlg::Hs256],
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
