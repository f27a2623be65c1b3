//! The integration tests: one binary, so that it links once. Add no second one: each is linked and run apart.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod browser;
mod clients;
mod journal;
mod mandates;
mod openid;
mod relying;
mod rooms;
mod sandbox;
mod space;
mod storage;
mod support;
mod told;
mod tour;
mod web;
