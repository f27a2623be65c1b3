//! Porteplume: a secure mandate service.
//!
//! One crate, one room per concern; arrows go inward.
//!
//! | module | holds | outside libraries | modules it names |
//! |---|---|---|---|
//! | [`mandate`] | the contract: states, parties, catalogue, `decide()`, events | none | none |
//! | [`journal`] | entries, Merkle tree, checkpoints, proofs, offline verification | `cms` `der` `pki_types` `tar` `webpki` `x509_cert` `x509_tsp` | `clock` `crypto` `mandate` |
//! | [`crypto`] | key store, signing, sealing, blind indexes, hashing, secret types | `cryptoki` `ring` `rsa` `tokio` | `clock` `mandate` |
//! | [`relying`] | Porteplume as OpenID relying party | `openidconnect` `reqwest` `rustls` `tokio` | `clock` `config` `crypto` `mandate` |
//! | [`provider`] | Porteplume as OpenID Provider: bytes in, bytes out | `openidconnect` | `clock` `crypto` `mandate` |
//! | [`picture`] | pictures that people send, drawn anew | `image` | none |
//! | [`courier`] | who carries texts to persons: a mail server, webhooks | `lettre` `tokio` | `crypto` `mandate` `relying` |
//! | [`service`] | one function per act of a person | `tokio` | `clock` `courier` `crypto` `journal` `mandate` `picture` `provider` `relying` `storage` `telemetry` |
//! | [`storage`] | `Store::write`, `Store::read`, repositories | `rusqlite` `sqlx` `tokio` | `clock` `crypto` `journal` `mandate` `telemetry` |
//! | [`web`] | axum, sessions, CSRF, thin handlers, error-to-HTTP in one file | `axum` `tokio` `tower` `tower_http` | `clock` `config` `crypto` `journal` `mandate` `provider` `relying` `paper` `service` `telemetry` `view` |
//! | [`view`] | typed templates, styles, languages | `askama` `qrcode` | `mandate` `paper` |
//! | [`paper`] | documents for keeps (PDF/A), and the way back to what is inside | `dejavu` `hayro_syntax` `krilla` `miniz_oxide` `parley` | none |
//! | [`jobs`] | what time does by itself: lapse, expiry, purge | `tokio` | `clock` `mandate` `service` `telemetry` |
//! | [`demo`] | sandbox providers, sandbox service, fictional people, the tour | all | all |
//! | [`clock`] | the ports of time and chance | `getrandom` | `mandate` |
//! | [`config`] | the one configuration file and its environment | `ipnet` | `mandate` |
//! | [`command`] | the operator's commands, thin over `service` | `clap` `tokio` | all |
//! | [`telemetry`] | one line per request, metrics, nothing personal | `metrics` `metrics_exporter_prometheus` `tracing_subscriber` | `config` |
//!
//! What any module may use beside these: the plain tools `base64` `serde` `serde_json` `thiserror` `time` `toml`
//! `tracing` `unicode_normalization` `url` `zeroize`. `main.rs` and `app.rs` wire and may name everything.
//! `tests/rooms.rs` reads this page and fails when a file of `src/` names what its row does not.

pub mod app;
pub mod clock;
pub mod command;
pub mod config;
pub mod courier;
pub mod crypto;
pub mod demo;
pub mod jobs;
pub mod journal;
pub mod mandate;
pub mod paper;
pub mod picture;
pub mod provider;
pub mod relying;
pub mod service;
pub mod storage;
pub mod telemetry;
pub mod view;
pub mod web;
