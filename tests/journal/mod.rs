//! The journal under attack, and as auditors and the public read it.

mod desk;
mod history;
mod public;
mod tampering;
