//! One-time codes over time (RFC 6238): HMAC-SHA-1, 30 seconds, six digits, as every authenticator knows them.

use super::{SecretBytes, SecretString, same, to_hex};
use crate::clock::{Entropy, NoEntropy};
use crate::mandate::Instant;
use ring::hmac;

const STEP_SECONDS: i64 = 30;

/// The number of a 30-second step since the Unix epoch. Kept after use: a code counts once (RFC 6238, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TotpStep(i64);

impl TotpStep {
    /// The step an instant falls in.
    #[must_use]
    pub const fn at(now: Instant) -> Self {
        Self(now.seconds().div_euclid(STEP_SECONDS))
    }

    /// A step as stored.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number to store.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// The secret an authenticator shares with us: 160 bits (RFC 4226, R6).
#[derive(Clone)]
pub struct TotpSeed(SecretBytes<20>);

impl TotpSeed {
    /// A fresh seed.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        SecretBytes::generate(entropy).map(Self)
    }

    /// The seed as opened from its sealed form, when it has 20 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        SecretBytes::from_slice(bytes).map(Self)
    }

    /// The bytes, to be sealed.
    #[must_use]
    pub fn expose(&self) -> &[u8; 20] {
        self.0.expose()
    }

    /// The seed as people type it into an authenticator: 32 characters of base32.
    #[must_use]
    pub fn base32(&self) -> SecretString {
        SecretString::new(base32(self.expose()))
    }

    /// The address an authenticator reads from a QR code (the Key URI format).
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let (issuer, account) = (percent(issuer), percent(account));
        SecretString::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            self.base32().expose()
        ))
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: TotpStep) -> SecretString {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.expose());
        let tag = hmac::sign(&key, &step.0.to_be_bytes());
        let number = truncated(tag.as_ref()) % 1_000_000;
        SecretString::new(format!("{number:06}"))
    }

    /// The step whose code was typed: the present one, the one before or the one after, and none that is not
    /// later than the last step used. `None` when the code is wrong, or used already.
    #[must_use]
    pub fn matching_step(&self, typed: &str, now: Instant, last_used: Option<TotpStep>) -> Option<TotpStep> {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let present = TotpStep::at(now).0;
        [present, present - 1, present + 1]
            .into_iter()
            .map(TotpStep)
            .filter(|step| last_used.is_none_or(|last| *step > last))
            .find(|step| same(self.code(*step).expose().as_bytes(), typed.as_bytes()))
    }
}

/// Dynamic truncation (RFC 4226, 5.3): four bytes at the offset the last nibble names, without the sign bit.
fn truncated(tag: &[u8]) -> u32 {
    let offset = tag.last().map_or(0, |last| usize::from(last & 15));
    let word = tag.get(offset..).and_then(|rest| rest.first_chunk::<4>()).copied().unwrap_or_default();
    u32::from_be_bytes(word) & 0x7fff_ffff
}

/// Base32 without padding (RFC 4648, 6).
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |value: u64| char::from(ALPHABET.get((value & 31) as usize).copied().unwrap_or(b'A'));
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut group = [0; 8];
        for (to, from) in group.iter_mut().skip(3).zip(chunk) {
            *to = *from;
        }
        let group = u64::from_be_bytes(group);
        let letters = (chunk.len() * 8).div_ceil(5);
        text.extend((0..letters).map(|at| letter(group >> (35 - 5 * at))));
    }
    text
}

/// Percent-encoding of all but the unreserved characters (RFC 3986, 2.3).
fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&to_hex(&[byte]).to_uppercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(seconds * 1_000_000)
    }

    fn rfc() -> TotpSeed {
        TotpSeed::from_slice(b"12345678901234567890").unwrap()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, SHA-1, the last six of eight digits.
        let table = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, code) in table {
            assert_eq!(rfc().code(TotpStep::at(at(seconds))).expose(), code, "{seconds}");
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        let table = [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ];
        for (plain, text) in table {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }

    #[test]
    fn a_code_counts_one_step_early_or_late_and_no_more() {
        let seed = rfc();
        let step = TotpStep::at(at(59));
        for (seconds, found) in [
            (29, false),
            (30, true),
            (59, true),
            (60, true),
            (89, true),
            (90, true),
            (119, true),
            (120, false),
        ] {
            // Step 1 begins at 30 s; the code of step 2 is asked for around it.
            let typed = seed.code(TotpStep(2));
            assert_eq!(seed.matching_step(typed.expose(), at(seconds), None).is_some(), found, "{seconds}");
        }
        assert_eq!(seed.matching_step("287 082", at(59), None), Some(step));
        for wrong in ["", "28708", "2870822", "287083", "28708２"] {
            assert_eq!(seed.matching_step(wrong, at(59), None), None, "{wrong}");
        }
    }

    #[test]
    fn a_used_code_does_not_count_again() {
        let seed = rfc();
        let used = seed.matching_step("287082", at(59), None).unwrap();
        assert_eq!(seed.matching_step("287082", at(60), Some(used)), None);
        // Nor does an older one.
        let older = seed.code(TotpStep(used.number() - 1));
        assert_eq!(seed.matching_step(older.expose(), at(59), Some(used)), None);
        let next = seed.code(TotpStep(used.number() + 1));
        assert!(seed.matching_step(next.expose(), at(60), Some(used)).is_some());
    }

    #[test]
    fn the_address_for_the_authenticator_escapes_names() {
        let uri = rfc().uri("Porte Plume", "élise@mairie.example");
        assert_eq!(
            uri.expose(),
            "otpauth://totp/Porte%20Plume:%C3%A9lise%40mairie.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Porte%20Plume&algorithm=SHA1&digits=6&period=30"
        );
    }
}
