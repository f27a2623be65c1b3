//! Short codes for people: recovery codes, verification codes.

use super::SecretString;
use crate::clock::{Entropy, NoEntropy, random};
use zeroize::Zeroizing;

/// Letters and digits nobody takes for one another on paper: no 0 and o, no 1, i and l.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// How many recovery codes a person gets.
const RECOVERY_CODES: usize = 10;

/// One code that stands in for a lost second factor, once. About 49 bits: kept as
/// [`super::IndexKey::keyed_hash`] of its normalised form, and guesses are counted.
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// A fresh set of ten.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate_set(entropy: &dyn Entropy) -> Result<Vec<Self>, NoEntropy> {
        (0..RECOVERY_CODES)
            .map(|_| {
                let (head, tail) = (draw(entropy, 5)?, draw(entropy, 5)?);
                Ok(Self(SecretString::new(format!("{}-{}", head.as_str(), tail.as_str()))))
            })
            .collect()
    }

    /// The code as shown: `xxxxx-xxxxx`.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The 13 characters (64 bits) on a printed mandate by which its holder has it verified.
pub struct VerificationCode(SecretString);

impl VerificationCode {
    /// A fresh code.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self(SecretString::new(draw(entropy, 13)?.to_string())))
    }

    /// The code, 13 characters.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A typed code as it is compared: lower case, without spaces and hyphens.
#[must_use]
pub fn normalise_code(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}

/// Characters drawn evenly: five bits at a time, the 32nd value drawn again.
fn draw(entropy: &dyn Entropy, length: usize) -> Result<Zeroizing<String>, NoEntropy> {
    let mut text = Zeroizing::new(String::with_capacity(length));
    while text.len() < length {
        let [byte] = random::<1>(entropy)?;
        if let Some(letter) = ALPHABET.get(usize::from(byte & 31)) {
            text.push(char::from(*letter));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use std::collections::BTreeSet;

    #[test]
    fn recovery_codes_are_ten_different_ones_in_two_groups() {
        let codes = RecoveryCode::generate_set(&SeededEntropy::new(1)).unwrap();
        let texts: BTreeSet<_> = codes.iter().map(RecoveryCode::expose).collect();
        assert_eq!(texts.len(), 10);
        for text in texts {
            let (head, tail) = text.split_once('-').unwrap();
            assert!(head.len() == 5 && tail.len() == 5);
            assert!(head.bytes().chain(tail.bytes()).all(|c| ALPHABET.contains(&c)), "{text}");
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(normalise_code(" ABcde fghjk-\t2"), "abcdefghjk2");
        let code = VerificationCode::generate(&SeededEntropy::new(2)).unwrap();
        assert_eq!(code.expose().len(), 13);
        assert_eq!(normalise_code(&code.expose().to_uppercase()), code.expose());
    }

    #[test]
    fn every_letter_is_drawn_about_as_often() {
        let text = draw(&SeededEntropy::new(3), 31_000).unwrap();
        for letter in ALPHABET {
            let count = text.bytes().filter(|c| c == letter).count();
            assert!((850..1150).contains(&count), "{} {count}", char::from(*letter));
        }
    }
}
