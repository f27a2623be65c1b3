//! Short codes for people: recovery codes, verification codes.

use super::SecretString;
use crate::clock::{Entropy, NoEntropy, random};
use std::fmt::{self, Write as _};
use zeroize::Zeroizing;

/// Letters and digits nobody takes for one another on paper: no 0 and o, no 1, i and l.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// How many those are.
const LETTERS: u128 = 31;

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

/// Six digits that are heard on the telephone and said again. Guesses are counted.
pub struct DigitCode(SecretString);

impl DigitCode {
    /// A fresh code.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut text = Zeroizing::new(String::with_capacity(6));
        while text.len() < 6 {
            let [byte] = random::<1>(entropy)?;
            // Evenly: what is left over of a byte is drawn again.
            if byte < 250 {
                text.push(char::from(b'0' + byte % 10));
            }
        }
        Ok(Self(SecretString::new(text.to_string())))
    }

    /// The code, six digits.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Eight characters (39 bits) by which two people, on the telephone, make sure that they speak of the same thing. No
/// secret: it opens nothing, and only somebody who may decide anyway can use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpokenCode([u8; 8]);

impl SpokenCode {
    /// The code of a digest: the same for the same thing, unlike for any other.
    pub(super) fn of(digest: &[u8; 32]) -> Self {
        let mut number = digest.first_chunk().map_or(0, |head| u128::from_be_bytes(*head));
        Self([(); 8].map(|()| {
            let place = usize::try_from(number % LETTERS).unwrap_or_default();
            number /= LETTERS;
            ALPHABET.get(place).copied().unwrap_or_default()
        }))
    }

    /// Whether this is what somebody typed, however they did.
    #[must_use]
    pub fn is(self, typed: &str) -> bool {
        normalise_code(typed).as_bytes() == self.0
    }
}

impl fmt::Display for SpokenCode {
    /// As shown and said: `xxxx-xxxx`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.iter().enumerate() {
            if place == 4 {
                f.write_char('-')?;
            }
            f.write_char(char::from(*letter))?;
        }
        Ok(())
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
    use crate::crypto::{IndexKey, SecretBytes};
    use std::collections::BTreeSet;

    #[test]
    fn digit_codes_are_six_digits_and_all_of_them_come() {
        let entropy = SeededEntropy::new(7);
        let codes: Vec<String> =
            (0..200).map(|_| DigitCode::generate(&entropy).unwrap().expose().to_owned()).collect();
        assert!(codes.iter().all(|code| code.len() == 6 && code.bytes().all(|c| c.is_ascii_digit())));
        assert_eq!(codes.concat().bytes().collect::<BTreeSet<_>>().len(), 10);
        assert!(codes.iter().collect::<BTreeSet<_>>().len() > 195);
    }

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
    fn a_spoken_code_is_one_thing_s_own_and_recognised_however_it_is_typed() {
        let key = IndexKey::new(&SecretBytes::new([1; 32]));
        let code = key.spoken_code("account", &["a", "iss", "sub"]);
        assert_eq!(code, key.spoken_code("account", &["a", "iss", "sub"]));
        let text = code.to_string();
        assert!(text.len() == 9 && text.chars().nth(4) == Some('-'), "{text}");
        assert!(text.bytes().all(|c| c == b'-' || ALPHABET.contains(&c)), "{text}");
        assert!(code.is(&text) && code.is(&text.to_uppercase().replace('-', " ")));
        for (number, other) in ["ab", "su", "sub2"].into_iter().enumerate() {
            let other = key.spoken_code("account", &["a", "iss", other]);
            assert!(other != code && !other.is(&text), "{number}");
        }
        assert!(!code.is("") && !code.is(text.split_at(8).0) && !code.is(&format!("{text}2")));
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
