//! The journal under attack, and as auditors and the public read it.

mod history;
mod public;
mod tampering;
