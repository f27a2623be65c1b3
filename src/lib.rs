//! Porteplume: a secure mandate service.
//!
//! One crate, one room per concern; arrows go inward.
//!
//! | room | holds | may name |
//! |---|---|---|
//! | [`mandate`] | the contract: states, parties, catalogue, `decide()`, events | std, serde, time, thiserror |
//! | [`journal`] | entries, Merkle tree, checkpoints, proofs, offline verification | the same, base64, `crypto` |
//! | [`crypto`] | key store, signing, sealing, blind indexes, hashing, secret types | ring |
//! | [`relying`] | Porteplume as OpenID relying party | openidconnect, reqwest |
//! | [`provider`] | Porteplume as OpenID Provider: bytes in, bytes out | openidconnect types, `crypto`, `mandate` |
//! | [`service`] | one function per act of a person | the rooms above, `storage`, ports |
//! | [`storage`] | `Store::write`, `Store::read`, repositories | sqlx, `journal`, `mandate` |
//! | [`web`] | axum, sessions, CSRF, thin handlers, error-to-HTTP in one file | axum, tower, `service`, `view` |
//! | [`view`] | typed templates, styles, languages | askama, `mandate` |
//! | [`jobs`] | sequencer, expiry | `service`, ports |
//! | [`demo`] | sandbox providers, sandbox service, fictional people, the tour | everything public |

pub mod clock;
pub mod crypto;
pub mod demo;
pub mod jobs;
pub mod journal;
pub mod mandate;
pub mod provider;
pub mod relying;
pub mod service;
pub mod storage;
pub mod view;
pub mod web;
