//! `[keys]`: where the keys are.

use super::reader::{Section, one_of};
use super::{ConfigError, Secret, values};
use std::path::PathBuf;

const DIR: &str = "write the path of a folder";
const MODULE: &str =
    "write the absolute path of a PKCS#11 module, such as \"/usr/lib/softhsm/libsofthsm2.so\"";
const TOKEN: &str = "write the label of the token that is to hold keys";
const PIN: &str = "write the PIN by which its user signs in to the token, or better name a file with it: keys.pkcs11_pin_file";
const ALGORITHMS: &str =
    "write those whose new keys the module is to make, among \"ES256\", \"RS256\", \"PS256\", \"EdDSA\"";

/// `[keys]`: the key store.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Its folder.
    pub dir: PathBuf,
    /// The PKCS#11 module that holds keys which sign tokens. Default: none, all are files.
    pub pkcs11: Option<Pkcs11>,
}

/// A token in a PKCS#11 module.
#[derive(Debug, Clone)]
pub struct Pkcs11 {
    /// The module, a shared library.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The user's PIN.
    pub pin: Secret,
    /// Whose new keys are made there. Default: every one's; none on the way back to files.
    pub algorithms: Vec<TokenAlgorithm>,
}

/// An algorithm by which tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSA PKCS#1 v1.5.
    Rs256,
    /// RSA-PSS.
    Ps256,
    /// Ed25519.
    EdDsa,
}

const WORDS: [(&str, TokenAlgorithm); 4] = [
    ("ES256", TokenAlgorithm::Es256),
    ("RS256", TokenAlgorithm::Rs256),
    ("PS256", TokenAlgorithm::Ps256),
    ("EdDSA", TokenAlgorithm::EdDsa),
];

pub(super) fn read(section: &mut Section<'_>) -> Result<Keys, ConfigError> {
    let dir = section.required("dir", DIR, values::path)?;
    let module = section.optional("pkcs11_module", MODULE, |text| {
        // The loader would look a bare name up elsewhere.
        values::path(text).filter(|path| path.is_absolute())
    })?;
    let token = section.optional("pkcs11_token", TOKEN, values::nonempty)?;
    let pin = section.secret("pkcs11_pin", PIN, |_| true)?;
    let algorithms = section.given_list("pkcs11_algorithms", ALGORITHMS, |text| one_of(&WORDS, text))?;
    let pkcs11 = match (module, token, pin) {
        (None, None, None) if algorithms.is_none() => None,
        (None, ..) => return Err(section.missing("pkcs11_module", MODULE)),
        (_, None, _) => return Err(section.missing("pkcs11_token", TOKEN)),
        (_, _, None) => return Err(section.missing("pkcs11_pin", PIN)),
        (Some(module), Some(token), Some(pin)) => {
            let algorithms = algorithms.unwrap_or_else(|| WORDS.map(|(_, algorithm)| algorithm).to_vec());
            Some(Pkcs11 { module, token, pin, algorithms })
        }
    };
    Ok(Keys { dir, pkcs11 })
}
