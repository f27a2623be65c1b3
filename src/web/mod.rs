//! HTTP: layers, extractors, handlers by audience.
//!
//! A handler extracts, calls one service function, picks a view. It answers `Result<Reply, Problem>`; a
//! [`Problem`] becomes a page, a missing step or OAuth's JSON in an outer layer.

mod address;
mod aidant;
mod anomalies;
mod asking;
mod assets;
mod auditor;
mod authorize;
mod bundle;
mod card;
mod compress;
mod consent;
mod contact;
mod cookie;
pub mod csrf;
mod edge;
mod error;
mod factor;
mod form;
mod headers;
mod health;
mod history;
mod journal;
mod language;
mod leaving;
mod messages;
mod middleware;
mod openid;
mod pages;
mod paper;
mod problem;
mod propose;
mod public;
mod rate;
mod receipts;
mod recover;
mod referent;
mod reply;
mod router;
mod session;
mod shown;
mod timeline;
mod trace;
mod usager;
mod witness;

pub use address::ClientAddress;
pub use bundle::archive;
pub use cookie::{Cookie, Cookies, is_local};
pub use edge::Edge;
pub use error::OAuthRefusal;
pub use form::{Fields, Query, RawForm};
pub use headers::FormTargets;
pub use health::metrics;
pub use language::Chosen;
pub use middleware::{Routes, compose, limited};
pub use pages::Visit;
pub use problem::{Problem, Shown, Step};
pub use rate::{Action, RateLimiter, TooOften};
pub use reply::Reply;
pub use router::router;
pub use session::{Begun, CheckedForm, Held, MaybeSession, Web};
pub use trace::{Code, Trail};
pub use witness::witness;

/// What most handlers answer with.
type Page = Result<Reply, Problem>;

/// What a part of an address names; what is no identifier names nothing.
fn named<T, E>(part: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
    parse(part).map_err(|_| Problem::NOT_FOUND)
}
