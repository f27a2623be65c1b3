//! Proof Key for Code Exchange (RFC 7636), S256 only.

use crate::crypto::{SecretString, same, sha256};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use thiserror::Error;

/// Why a challenge or a verifier does not have its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not in the form RFC 7636 gives it")]
pub struct InvalidPkce;

/// What the client commits to when asking for a code: BASE64URL(SHA-256(verifier)), 43 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// What the client shows at the token endpoint: 43 to 128 unreserved characters. A secret, so no `Debug`.
#[derive(Clone)]
pub struct CodeVerifier(SecretString);

impl CodeChallenge {
    /// Reads an S256 challenge.
    ///
    /// # Errors
    /// [`InvalidPkce`] unless it is 43 characters of base64url.
    pub fn parse(text: &str) -> Result<Self, InvalidPkce> {
        let formed =
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if formed { Ok(Self(text.to_owned())) } else { Err(InvalidPkce) }
    }

    /// The text form, as stored beside the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the verifier is the one committed to; compared in constant time.
    #[must_use]
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        let shown = URL_SAFE_NO_PAD.encode(sha256(verifier.0.expose().as_bytes()));
        same(shown.as_bytes(), self.0.as_bytes())
    }
}

impl CodeVerifier {
    /// Reads a verifier (RFC 7636, section 4.1).
    ///
    /// # Errors
    /// [`InvalidPkce`] for another length or another character.
    pub fn parse(text: &str) -> Result<Self, InvalidPkce> {
        let formed = (43..=128).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        if formed { Ok(Self(SecretString::new(text.to_owned()))) } else { Err(InvalidPkce) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
    use proptest::prelude::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b_holds() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.is_met_by(&verifier));
    }

    #[test]
    fn lengths_and_characters_outside_the_standard_are_refused() {
        let long = "a".repeat(129);
        let short = "a".repeat(42);
        let foreign = format!("{}+", "a".repeat(50));
        let accented = format!("{}é", "a".repeat(50));
        for bad in [long.as_str(), &short, &foreign, &accented, ""] {
            assert!(CodeVerifier::parse(bad).is_err(), "{bad}");
        }
        assert!(CodeVerifier::parse(&"~".repeat(43)).is_ok());
        assert!(CodeVerifier::parse(&"~".repeat(128)).is_ok());
        for bad in ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", &"~".repeat(43), &"a".repeat(44)] {
            assert!(CodeChallenge::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_challenge_is_met_by_its_own_verifier_alone(
            one in "[A-Za-z0-9._~-]{43,128}",
            other in "[A-Za-z0-9._~-]{43,128}",
        ) {
            let made = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(one.clone()));
            let challenge = CodeChallenge::parse(made.as_str()).unwrap();
            prop_assert!(challenge.is_met_by(&CodeVerifier::parse(&one).unwrap()));
            prop_assert_eq!(challenge.is_met_by(&CodeVerifier::parse(&other).unwrap()), one == other);
        }
    }
}
