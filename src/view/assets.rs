//! The files pages name: one stylesheet and one mark. Nothing else is loaded, from nowhere else.

/// The stylesheet.
pub const STYLESHEET: &str = include_str!("assets/porteplume.css");
/// The pen-holder, as the browser's icon.
pub const MARK: &str = include_str!("assets/porteplume.svg");
/// Where the stylesheet is served.
pub const STYLESHEET_PATH: &str = "/assets/porteplume.css";
/// Where the mark is served.
pub const MARK_PATH: &str = "/assets/porteplume.svg";

/// The stylesheet's address with its version, so that it may be cached for a year: it changes with the content.
#[must_use]
pub fn stylesheet_address() -> String {
    format!("{STYLESHEET_PATH}?v={STYLESHEET_VERSION:08x}")
}

const STYLESHEET_VERSION: u32 = fnv(STYLESHEET.as_bytes());

/// FNV-1a: tells versions apart, guards nothing.
const fn fnv(mut bytes: &[u8]) -> u32 {
    let mut hash: u32 = 0x811c_9dc5;
    while let Some((byte, rest)) = bytes.split_first() {
        hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        bytes = rest;
    }
    hash
}
