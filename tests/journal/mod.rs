//! The journal under attack, and as auditors and the public read it.

mod attacks;
mod bundles;
mod campaign;
mod clock;
mod configuration;
mod desk;
mod erasing;
mod faults;
mod follow;
mod glass;
mod grants;
mod health;
mod history;
mod keys;
mod known;
mod log;
mod outside;
mod public;
mod rollback;
mod rotation;
mod samples;
mod tampering;
mod timestamp;
mod timestamps;
mod witness;
mod witnesses;
