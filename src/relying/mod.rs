//! Porteplume as OpenID *relying party*: it identifies usagers at the citizens' provider (FranceConnect) and
//! aidants at the agents' provider (ProConnect), or at any provider that speaks OpenID Connect.
//!
//! * [`RelyingParty::begin`] gives the address to send the browser to and what to remember for that browser;
//! * [`RelyingParty::complete`] turns the callback into a [`SignedIn`], or into a [`RelyingError`] with a stable code.
//!
//! Protocol work is the `openidconnect` crate's; ours are the limits on outgoing calls ([`HttpClient`]), the cache
//! of the provider's metadata, and the checks that crate leaves to its callers: the `iss` parameter, `azp`, `iat`,
//! `auth_time`, and signed userinfo other than RS256.
//! What the two French providers demand stands in the contract `franceconnect.md`, sections 2 and 3.

mod address;
mod error;
mod http;
mod identity;
mod metadata;
mod party;
mod registration;
mod resolver;
mod signed_in;
mod userinfo;
mod verify;

pub use crate::config::email_domain;
pub use error::{IdTokenFault, RelyingError, UserinfoFault};
pub use http::{Authority, HttpClient, HttpError, HttpPolicy};
pub use identity::MissingClaim;
pub use party::{BeginOptions, Begun, CallbackQuery, Expected, RelyingParty};
pub use signed_in::SignedIn;
