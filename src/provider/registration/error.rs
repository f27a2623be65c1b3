//! Why a client cannot be registered.

use super::MAX_URIS;
use crate::crypto::ClientMac;
use crate::provider::client_keys::UnusableKeys;
use crate::provider::options::{ClientAuthMethod, IdTokenAlg};
use crate::provider::profile::Profile;
use thiserror::Error;

/// Why a client cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RegistrationError {
    /// No name, or one of more than 200 characters.
    #[error("the name must have 1 to 200 characters")]
    Name,
    /// No redirect URI, or more than twenty of a kind.
    #[error("a client has 1 to {MAX_URIS} redirect URIs")]
    UriCount,
    /// An address that is not https (http on loopback), or has a fragment, a user part or a wildcard.
    #[error("{0} must be https (http only on loopback), without fragment, user part or wildcard")]
    Uri(String),
    /// The redirect URIs have several hosts and no sector is given.
    #[error("the redirect URIs have several hosts: name the sector")]
    SectorAmbiguous,
    /// The sector is not a host name.
    #[error("the sector must be a host name")]
    Sector,
    /// The method needs a secret and nothing else, and got another thing.
    #[error("{} takes a secret hash and no keys", .0.as_str())]
    SecretExpected(ClientAuthMethod),
    /// The method needs keys and nothing else, and got another thing.
    #[error("private_key_jwt takes a JWK set and no secret")]
    KeysExpected,
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] UnusableKeys),
    /// The profile does not take this way of proving oneself.
    #[error("{} does not fit the profile {}, which is {}", .0.as_str(), .1.as_str(), .1.demands())]
    MethodOfProfile(ClientAuthMethod, Profile),
    /// The profile lets nobody do without PKCE.
    #[error("no client of the profile {}, which is {}, is exempt from PKCE", .0.as_str(), .0.demands())]
    PkceOfProfile(Profile),
    /// The profile knows neither refresh tokens, nor signed requests, nor aidants as subjects.
    #[error("{0} does not fit the profile {name}, which is {demands}", name = .1.as_str(), demands = .1.demands())]
    MemberOfProfile(&'static str, Profile),
    /// Requests are to be signed by a client that has no keys.
    #[error("requests can only be signed by a client of private_key_jwt")]
    RequestsWithoutKeys,
    /// The profile does not take ID tokens or keys of this algorithm.
    #[error("the algorithm {0} does not fit the profile {name}, which is {demands}", name = .1.as_str(), demands = .1.demands())]
    AlgorithmOfProfile(&'static str, Profile),
    /// HS256 is for those alone that take nothing better.
    #[error("only a client of the profile franceconnect may have HS256. {}", IdTokenAlg::WHY_NOT_HS256)]
    SecretSigns,
    /// The secret is to sign, and is shorter than its hash.
    #[error("a secret that signs (HS256) has at least {} bytes", ClientMac::LEAST)]
    ShortSecret,
}

impl RegistrationError {
    /// Stable code, shown beside the message.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Name => "client_name",
            Self::UriCount => "client_uri_count",
            Self::Uri(_) => "client_uri",
            Self::SectorAmbiguous => "client_sector_ambiguous",
            Self::Sector => "client_sector",
            Self::SecretExpected(_) => "client_secret_expected",
            Self::KeysExpected => "client_keys_expected",
            Self::Keys(_) => "client_keys",
            Self::MethodOfProfile(..) => "client_profile_method",
            Self::PkceOfProfile(_) => "client_profile_pkce",
            Self::MemberOfProfile(..) => "client_profile_member",
            Self::RequestsWithoutKeys => "client_request_objects",
            Self::AlgorithmOfProfile(..) => "client_profile_algorithm",
            Self::SecretSigns => "client_secret_signs",
            Self::ShortSecret => "client_secret_short",
        }
    }
}
