//! A telephone with a code application.

use porteplume::crypto::TotpSeed;

/// The seed behind a key as pages show it: RFC 4648, section 6, in groups, without padding.
pub(crate) fn seed(key: &str) -> TotpSeed {
    let digits = key.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'2'..=b'7' => byte - b'2' + 26,
        _ => panic!("{key:?} is no base32"),
    });
    let bits: Vec<u8> = digits.flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1)).collect();
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect();
    TotpSeed::from_slice(&bytes).expect("a key of 20 bytes")
}
