//! `keys.toml`: which keys there are, what for, in which state. Holds no secret.

use super::KeyStoreError;
use crate::crypto::{Jwk, JwsAlg};
use crate::mandate::Instant;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::OffsetDateTime;

const VERSION: u32 = 1;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// Wraps the keys of persons.
    KeyEncryption,
    /// Blind indexes and short codes.
    BlindIndex,
    /// Pairwise subjects.
    PairwiseSubject,
    /// Tokens, ES256.
    TokenEs256,
    /// Tokens, RS256.
    TokenRs256,
    /// Tokens, PS256.
    TokenPs256,
    /// Tokens, EdDSA.
    #[serde(rename = "token-eddsa")]
    TokenEdDsa,
    /// Checkpoints of the journal.
    Journal,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::KeyEncryption,
        Self::BlindIndex,
        Self::PairwiseSubject,
        Self::TokenEs256,
        Self::TokenRs256,
        Self::TokenPs256,
        Self::TokenEdDsa,
        Self::Journal,
    ];

    /// The stable name, as on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyEncryption => "key-encryption",
            Self::BlindIndex => "blind-index",
            Self::PairwiseSubject => "pairwise-subject",
            Self::TokenEs256 => "token-es256",
            Self::TokenRs256 => "token-rs256",
            Self::TokenPs256 => "token-ps256",
            Self::TokenEdDsa => "token-eddsa",
            Self::Journal => "journal",
        }
    }

    /// The purpose of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// The algorithm of its keys.
    #[must_use]
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::KeyEncryption => "AES-256-GCM",
            Self::BlindIndex | Self::PairwiseSubject => "HMAC-SHA-256",
            Self::TokenEs256 => "ES256",
            Self::TokenRs256 => "RS256",
            Self::TokenPs256 => "PS256",
            Self::TokenEdDsa => "EdDSA",
            Self::Journal => "Ed25519",
        }
    }

    /// The token algorithm, for the keys that sign tokens.
    #[must_use]
    pub const fn token_alg(self) -> Option<JwsAlg> {
        match self {
            Self::TokenEs256 => Some(JwsAlg::Es256),
            Self::TokenRs256 => Some(JwsAlg::Rs256),
            Self::TokenPs256 => Some(JwsAlg::Ps256),
            Self::TokenEdDsa => Some(JwsAlg::EdDsa),
            Self::KeyEncryption | Self::BlindIndex | Self::PairwiseSubject | Self::Journal => None,
        }
    }

    /// The purpose of the keys that sign tokens by an algorithm.
    #[must_use]
    pub const fn of_tokens(alg: JwsAlg) -> Self {
        match alg {
            JwsAlg::Es256 => Self::TokenEs256,
            JwsAlg::Rs256 => Self::TokenRs256,
            JwsAlg::Ps256 => Self::TokenPs256,
            JwsAlg::EdDsa => Self::TokenEdDsa,
        }
    }

    /// Whether a store may lack it: those made before it was known do, until a rotation brings it in.
    pub(super) const fn may_be_absent(self) -> bool {
        matches!(self, Self::TokenPs256 | Self::TokenEdDsa)
    }

    /// Whether the key before goes on beside the new one until it is retired: who verifies the journal is told of its
    /// keys by people.
    pub(super) const fn overlaps(self) -> bool {
        matches!(self, Self::Journal)
    }

    /// Why such a key cannot be exchanged, when it cannot.
    pub(super) const fn why_not_rotatable(self) -> Option<&'static str> {
        match self {
            Self::BlindIndex => Some("nothing indexed under it would be found again"),
            Self::PairwiseSubject => Some("every usager would become a stranger to every service"),
            Self::KeyEncryption
            | Self::TokenEs256
            | Self::TokenRs256
            | Self::TokenPs256
            | Self::TokenEdDsa
            | Self::Journal => None,
        }
    }
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// In use.
    Current,
    /// Signs beside the current one, until whoever verifies has heard of that: the overlap in the rotation of the
    /// journal's key (contract of the journal, 4.5).
    Leaving,
    /// Only verifies (or unwraps) what it made.
    Retired,
}

impl KeyState {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Leaving => "leaving",
            Self::Retired => "retired",
        }
    }
}

/// A key as an operator may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyListing {
    /// Identifier.
    pub kid: String,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Where it stands.
    pub state: KeyState,
    /// When it was made.
    pub created: Instant,
    /// The token of a PKCS#11 module that holds it; none, when it is a file.
    pub token: Option<String>,
}

/// One key in the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) kid: String,
    pub(super) purpose: KeyPurpose,
    pub(super) state: KeyState,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created: OffsetDateTime,
    /// The label of the token that holds the private half, under this identifier, instead of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) public: Option<Jwk>,
}

impl Record {
    /// The public half of a journal key.
    pub(super) fn ed25519(&self) -> Option<[u8; 32]> {
        let x = self.public.as_ref()?.x.as_deref()?;
        URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()
    }

    fn is(&self, purpose: KeyPurpose, state: KeyState) -> bool {
        self.purpose == purpose && self.state == state
    }
}

/// All keys, in the order they were made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    #[serde(rename = "key", default)]
    keys: Vec<Record>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { version: VERSION, keys: Vec::new() }
    }
}

impl Manifest {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let manifest: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if manifest.version != VERSION {
            return Err(format!("version {} is not known", manifest.version));
        }
        let kids: BTreeSet<_> = manifest.keys.iter().map(|key| key.kid.as_str()).collect();
        if kids.len() != manifest.keys.len() {
            return Err("a key identifier stands twice".to_owned());
        }
        if let Some(bad) = kids.iter().find(|kid| !kid.bytes().all(|c| c.is_ascii_alphanumeric())) {
            return Err(format!("{bad:?} is not a key identifier"));
        }
        if let Some(bad) =
            manifest.keys.iter().find(|key| key.token.is_some() && key.purpose.token_alg().is_none())
        {
            return Err(format!("a {} key is a file and in no token", bad.purpose.as_str()));
        }
        for purpose in KeyPurpose::ALL {
            if purpose.may_be_absent() && !manifest.knows(purpose) {
                continue;
            }
            let count = |state| manifest.keys.iter().filter(|key| key.is(purpose, state)).count();
            let next = usize::from(purpose.token_alg().is_some());
            let leaving = usize::from(purpose.overlaps());
            if count(KeyState::Current) != 1
                || count(KeyState::Next) != next
                || count(KeyState::Leaving) > leaving
            {
                return Err(format!("not one {} key in each state it must have", purpose.as_str()));
            }
        }
        Ok(manifest)
    }

    pub(super) fn to_toml(&self) -> Result<String, String> {
        let body = toml::to_string(self).map_err(|error| error.to_string())?;
        Ok(format!("# The keys of this instance; no secret stands here. See keys/README.md.\n\n{body}"))
    }

    pub(super) fn add(&mut self, record: Record) {
        self.keys.push(record);
    }

    /// Brings in a fresh key of a purpose and moves the others one state on.
    pub(super) fn rotate(&mut self, fresh: Record) {
        for key in self.keys.iter_mut().filter(|key| key.purpose == fresh.purpose) {
            key.state = match key.state {
                KeyState::Next => KeyState::Current,
                KeyState::Current if key.purpose.overlaps() => KeyState::Leaving,
                KeyState::Current | KeyState::Leaving | KeyState::Retired => KeyState::Retired,
            };
        }
        self.add(fresh);
    }

    /// Retires the key of a purpose that signs beside the current one. Whether there was one.
    pub(super) fn retire(&mut self, purpose: KeyPurpose) -> bool {
        let leaving = self.keys.iter_mut().find(|key| key.is(purpose, KeyState::Leaving));
        leaving.map(|key| key.state = KeyState::Retired).is_some()
    }

    /// The key of a purpose that signs beside the current one.
    pub(super) fn leaving(&self, purpose: KeyPurpose) -> Option<&Record> {
        self.keys.iter().find(|key| key.is(purpose, KeyState::Leaving))
    }

    /// Every key of a purpose that came before the current one, oldest first.
    pub(super) fn former(&self, purpose: KeyPurpose) -> impl Iterator<Item = &Record> {
        self.retired(purpose).chain(self.leaving(purpose))
    }

    /// Whether there ever was a key of a purpose.
    pub(super) fn knows(&self, purpose: KeyPurpose) -> bool {
        self.keys.iter().any(|key| key.purpose == purpose)
    }

    pub(super) fn current(&self, purpose: KeyPurpose) -> Result<&Record, KeyStoreError> {
        // `parse` has seen to it that there is one.
        self.keys
            .iter()
            .find(|key| key.is(purpose, KeyState::Current))
            .ok_or(KeyStoreError::Crypto(crate::crypto::CryptoError::UnknownKey))
    }

    /// The key of a purpose that the next rotation lets sign.
    pub(super) fn next(&self, purpose: KeyPurpose) -> Option<&Record> {
        self.keys.iter().find(|key| key.is(purpose, KeyState::Next))
    }

    pub(super) fn retired(&self, purpose: KeyPurpose) -> impl Iterator<Item = &Record> {
        self.keys.iter().filter(move |key| key.is(purpose, KeyState::Retired))
    }

    /// What will sign, what signs, and what signed last.
    pub(super) fn published(&self, purpose: KeyPurpose) -> impl Iterator<Item = &Record> {
        let live = [KeyState::Current, KeyState::Next];
        let of = move |state| self.keys.iter().filter(move |key| key.is(purpose, state));
        live.into_iter().flat_map(of).chain(self.retired(purpose).last())
    }

    /// Retired signing keys: their private half has no more use.
    pub(super) fn spent(&self) -> impl Iterator<Item = &Record> {
        self.keys
            .iter()
            .filter(|key| key.state == KeyState::Retired && key.purpose != KeyPurpose::KeyEncryption)
    }

    pub(super) fn listing(&self) -> Vec<KeyListing> {
        let listed = |key: &Record| KeyListing {
            kid: key.kid.clone(),
            purpose: key.purpose,
            state: key.state,
            created: key.created.into(),
            token: key.token.clone(),
        };
        self.keys.iter().map(listed).collect()
    }
}
