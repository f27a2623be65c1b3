//! Keys and what is done with them: sealing, signing, hashing, codes.
//!
//! Cryptography comes from `ring` alone, but for signatures of tokens where their keys are in a PKCS#11 module. Chance comes in through [`crate::clock::Entropy`], time through
//! [`crate::clock::Clock`]. Types that hold a secret have neither `Debug` nor `Display` and are wiped when
//! dropped; what is inside is reached through a method called `expose`, so that a search finds every use.

mod code;
mod error;
mod hash;
mod index;
mod jws;
mod mac;
mod module;
mod rsa_key;
mod seal;
mod secret;
mod sign;
mod store;
mod token;
mod totp;

pub use code::{DigitCode, RecoveryCode, SpokenCode, VerificationCode, normalise_code};
pub use error::CryptoError;
pub use hash::{Digest, HmacKey, from_hex, hmac_sha256, sha256, sha256_parts, to_hex};
pub use index::{IndexKey, PairwiseKey};
pub use jws::{JwsAlg, JwsError, JwsHeader, Signer, VerifiedJws, json_object, sign_jws, verify_jws};
pub use mac::{ClientMac, VerifiedMac, unverified_hs256, verify_hs256};
pub use module::{ModuleAccess, ModuleError};
pub use seal::{Cell, DataKey, KeyEncryptionKey};
pub use secret::{SecretBytes, SecretString, same};
pub use sign::{JournalKey, Jwk, Jwks, TokenKey, verify_ed25519};
pub use store::{KeyListing, KeyPlace, KeyPurpose, KeyState, KeyStore, KeyStoreError, Rotation};
pub use token::{OpaqueToken, TokenHash};
pub use totp::{TotpSeed, TotpStep};
