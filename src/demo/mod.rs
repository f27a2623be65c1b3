//! The demonstration: sandboxes that stand for FranceConnect, ProConnect and a public service, and fictional people.
//!
//! Everything here runs on loopback, in a process that is not a real service: [`forbid_here`] is what `serve` calls first,
//! and no sandbox starts after it. The sandboxes remember in memory only; the service between them keeps its database, its
//! keys and its checkpoint in one directory. Nothing outside this room depends on it.
//!
//! * [`identity_provider`]: one minimal OpenID Provider, used twice ([`Flavour::Citizens`], [`Flavour::Agents`]);
//! * [`public_service`]: the "Caisse de démonstration", a relying party of Porteplume;
//! * [`people`]: who can sign in where.
//!
//! The sandboxes share one host name, 127.0.0.1, with each other and with Porteplume, and cookies do not tell ports
//! apart: each has cookie names of its own ([`Site`]).

pub mod identity_provider;
mod memory;
pub mod people;
mod postbox;
pub mod public_service;
mod server;
mod site;
mod start;
pub mod synth;
pub mod tour;

pub use identity_provider::{Flavour, IdentityProvider, SandboxClient};
pub use public_service::{PublicService, PublicServiceConfig};
pub use server::{SandboxError, forbid_here, serve};
pub use site::Site;
pub use start::{Demo, DemoError, DemoOptions, start};
