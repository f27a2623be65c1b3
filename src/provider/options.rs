//! What a registration may choose.

use crate::crypto::JwsAlg;
use serde::{Deserialize, Serialize};

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// Secret in the `Authorization` header (RFC 6749, section 2.3.1).
    #[serde(rename = "client_secret_basic")]
    SecretBasic,
    /// Secret in the form body (RFC 6749, section 2.3.1).
    #[serde(rename = "client_secret_post")]
    SecretPost,
    /// An assertion signed with the client's key (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// How the client's ID tokens are signed, and its userinfo where that is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum IdTokenAlg {
    /// By our ECDSA key.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// By our RSA key, PKCS#1 v1.5.
    #[serde(rename = "RS256")]
    Rs256,
    /// By our RSA key, PSS.
    #[serde(rename = "PS256")]
    Ps256,
    /// By our Ed25519 key.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// By the client's own secret (OpenID Connect Core, section 10.1).
    #[serde(rename = "HS256")]
    Hs256,
}

impl IdTokenAlg {
    /// Why nobody should choose HS256 who has the choice.
    pub const WHY_NOT_HS256: &'static str = "HS256 is weaker: whoever holds the client's secret can sign as we do, the client \
        can prove to nobody that we signed, and its secret must rest here in a form that can be read again";

    /// The name in JOSE headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// The algorithm of our key that signs; none where the client's secret does.
    #[must_use]
    pub const fn key(self) -> Option<JwsAlg> {
        match self {
            Self::Es256 => Some(JwsAlg::Es256),
            Self::Rs256 => Some(JwsAlg::Rs256),
            Self::Ps256 => Some(JwsAlg::Ps256),
            Self::EdDsa => Some(JwsAlg::EdDsa),
            Self::Hs256 => None,
        }
    }
}

/// Whether requests must bring a challenge (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// They must.
    #[default]
    Demanded,
    /// They may come without one: the client knows no PKCE. One that brings a challenge is held to it.
    Exempt,
}

impl Pkce {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
    pub(super) const fn is_demanded(&self) -> bool {
        matches!(self, Self::Demanded)
    }
}

/// Whether the client is given refresh tokens (RFC 6749, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refresh {
    /// It is not: an access token is time enough.
    #[default]
    None,
    /// It is, for work that takes longer; they die with the representation, and so never outlive the mandate.
    WithinRepresentation,
}

impl Refresh {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// Whether the client's authorization requests must be signed (RFC 9101).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestObjects {
    /// They may be, by a client that has keys.
    #[default]
    Optional,
    /// They must (FAPI 2.0 Message Signing, section 5.3.1).
    Demanded,
}

impl RequestObjects {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
    pub(super) const fn is_optional(&self) -> bool {
        matches!(self, Self::Optional)
    }
}

/// Of whom the client's tokens are: the two projections of one mandate, never mixed in one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The usager; `act` names the aidant (RFC 8693, section 4.1).
    #[default]
    Usager,
    /// The aidant; `authority` says for whom they may act (OpenID Connect Authority claims extension).
    Aidant,
}

impl Subject {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
    pub(super) const fn is_usager(&self) -> bool {
        matches!(self, Self::Usager)
    }
}

/// How the client is given userinfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoFormat {
    /// As JSON.
    #[default]
    Json,
    /// As a JWT, signed as its ID tokens are (OpenID Connect Core, section 5.3.2).
    Jwt,
}

impl UserinfoFormat {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
    pub(super) const fn is_json(&self) -> bool {
        matches!(self, Self::Json)
    }
}
