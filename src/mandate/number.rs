//! The number by which people call a mandate.

use super::MandateId;
use std::fmt;

/// Ten digits from the end of a mandate's identifier. Digits only: letters would spell words. No secret, and not quite
/// unique: whoever looks a mandate up by it looks at each that bears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MandateNumber(u32);

impl MandateNumber {
    /// The number of a mandate.
    #[must_use]
    pub fn of(mandate: &MandateId) -> Self {
        let tail = mandate.as_str().get(24..).and_then(|tail| u32::from_str_radix(tail, 16).ok());
        Self(tail.unwrap_or_default())
    }

    /// Reads a number as people write it: spaces, hyphens, dots and line breaks say nothing. `None` when it cannot be a
    /// mandate's.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String =
            typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '‑' | '–')).collect();
        let well_formed = digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_| well_formed).map(Self)
    }

    /// How the identifiers end that bear it: 8 hexadecimal digits.
    #[must_use]
    pub fn tail(self) -> String {
        format!("{:08x}", self.0)
    }
}

impl fmt::Display for MandateNumber {
    /// As written and read aloud: `dddd-ddd-ddd`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, middle, end) = (self.0 / 1_000_000, self.0 / 1_000 % 1_000, self.0 % 1_000);
        write!(f, "{head:04}-{middle:03}-{end:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mandate_is_known_by_its_last_digits() {
        let id = MandateId::parse("0192f3c47d2e7c1a9b3f0e5d6c7b8a90").unwrap();
        let number = MandateNumber::of(&id);
        assert_eq!((number.to_string().as_str(), number.tail().as_str()), ("1820-035-728", "6c7b8a90"));
        for typed in ["1820035728", " 1820 035 728\n", "1820.035.728", "18 20–03 57‑28"] {
            assert_eq!(MandateNumber::parse(typed), Some(number), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for typed in [
            "",
            "1820-035-72",
            "11820-035-728",
            "4294967296",
            "+820035728",
            "182003572x",
            "１８２００３５７２８",
        ] {
            assert_eq!(MandateNumber::parse(typed), None, "{typed}");
        }
    }

    proptest! {
        #[test]
        fn every_number_reads_back(tail in any::<[u8; 16]>()) {
            let id = MandateId::from_bytes(tail);
            let number = MandateNumber::of(&id);
            prop_assert_eq!(MandateNumber::parse(&number.to_string()), Some(number));
            prop_assert!(id.as_str().ends_with(&number.tail()));
        }
    }
}
