//! One function per act of a person: sign in, propose, consent, accept, represent, revoke, read the journal.
//!
//! A function takes the session that asks, checks what the session may ask, runs one named write (or
//! read), lets the domain decide, appends the entry in the same transaction, and waits for inclusion before
//! anything leaves (invariants 1 to 3). It knows no HTTP, no HTML and no SQL.

pub mod accept;
pub mod account;
pub mod agents;
pub mod anomalies;
pub mod asking;
pub mod audit;
pub mod authorize;
pub mod bundle;
pub mod card;
pub mod claims;
pub mod configuration;
pub mod consent;
pub mod contacts;
pub mod cosigned;
mod dates;
pub mod desk;
pub mod dispute;
pub mod end;
pub mod erase;
mod error;
pub mod expire;
pub mod export;
pub mod factor;
mod facts;
pub mod govern;
mod grounds;
pub mod handing;
pub mod health;
mod held;
pub mod history;
pub mod introspect;
mod kept;
mod known;
pub mod leaving;
mod line;
pub mod logout;
pub mod manage;
pub mod names;
pub mod notices;
pub mod offer;
pub mod office;
pub mod outbox;
pub mod paper;
pub mod people;
mod projection;
pub mod promise;
pub mod proof;
pub mod propose;
pub mod push;
pub mod read;
pub mod receipt;
mod record;
mod registered;
pub mod registry;
pub mod remind;
pub mod reply;
pub mod represent;
pub mod restored;
pub mod retention;
pub mod screen;
pub mod session;
pub mod shards;
pub mod sign_in;
mod silent;
pub mod space;
pub mod standing;
pub mod steps;

pub mod texts;
mod tiles;
pub mod timeline;
pub mod timestamps;
pub mod tokens;
pub mod upkeep;
pub mod uses;
mod vault;
pub mod verify;
pub mod watch;
mod who;
pub mod whoami;
pub mod witness;
pub mod witnesses;

pub use error::{AskingError, CardError, Error, FactorError, InputError, SessionError, SignInError};
pub use health::Pulse;
pub use record::{Caller, Record, Stream};
pub use tiles::Tiles;
pub use timestamps::Timestamps;
pub use vault::{OpenKey, Vault};
pub use who::{
    FACTOR_FRESH, IDENTIFICATION_FRESH, IDLE, Identified, LONGEST as LONGEST_SESSION, Session,
    SignedInAidant, Who,
};
pub use witnesses::Witnesses;

use crate::clock::{Clock, Entropy, random};
use crate::courier::Couriers;
use crate::crypto::KeyStore;
use crate::journal;
use crate::mandate::{Catalogue, CatalogueError, CatalogueFile, EventId, Instant, ThemeId, Thresholds};
use crate::provider::{Issuer, Nonces};
use crate::relying::{HttpClient, RelyingParty};
use crate::storage::{BoxFuture, NotIncluded, Store, Tx};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error as ThisError;

/// What every act needs, made once at start.
pub struct Ctx {
    /// The database with its journal.
    pub store: Store,
    /// The keys.
    pub keys: Arc<KeyStore>,
    /// Opened keys of persons.
    pub vault: Vault,
    /// The catalogue in force.
    pub catalogue: Catalogue,
    /// The languages the mandate's text can be read in.
    pub texts: texts::Texts,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The citizens' provider (FranceConnect).
    pub citizens: RelyingParty,
    /// The agents' providers (ProConnect, and others by the domain of an address).
    pub agents: agents::Agents,
    /// Our own issuer.
    pub issuer: Issuer,
    /// The name of the journal's first shard: its origin line.
    pub origin: String,
    /// Whether the journal goes on in a new shard each year.
    pub yearly: bool,
    /// How long a person waits for inclusion before they read "being recorded".
    pub patience: Duration,
    /// How the last writes went.
    pub pulse: Pulse,
    /// Who else sees the journal.
    pub witnesses: Witnesses,
    /// Who says when the journal was as it was.
    pub timestamps: Timestamps,
    /// Calls to services.
    pub http: HttpClient,
    /// Who carries what usagers are told.
    pub couriers: Couriers,
    /// Tiles that many proofs go through.
    pub tiles: Tiles,
    /// From how many on the rules of the watch speak.
    pub watch: Thresholds,
}

/// The shared context.
pub type App = Arc<Ctx>;

impl Ctx {
    /// The current instant in whole milliseconds: what an entry can tell, so that facts and entries agree.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_micros(self.clock.now().millis().saturating_mul(1_000))
    }

    /// The nonces that proofs of possession may carry at that instant.
    #[must_use]
    pub fn nonces(&self, now: Instant) -> Nonces {
        Nonces::at(now, |span| self.keys.index().keyed_hash("dpop_nonce", &[span]))
    }

    /// Sixteen bytes of chance, for a new identifier.
    pub fn new_id(&self) -> Result<[u8; 16], Error> {
        Ok(random(&*self.entropy)?)
    }

    /// A new entry's identifier.
    pub fn new_event_id(&self, now: Instant) -> Result<EventId, Error> {
        Ok(journal::new_event_id(now, &*self.entropy)?)
    }

    /// One named write whose commit alone suffices: nothing leaves the process by it.
    pub async fn commit<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
    {
        let written = self.store.write(name, work).await;
        self.pulse.of_commit(&written, self.store.engine(), self.now());
        Ok(written?.committed())
    }

    /// One named write whose value is given only once its entries are under a signed checkpoint (invariant 3).
    ///
    /// # Errors
    /// [`Error::Promised`] when that takes too long; nothing may be released meanwhile.
    pub async fn include<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
    {
        let written = self.store.write(name, work).await;
        self.pulse.of_commit(&written, self.store.engine(), self.now());
        let written = written?;
        let journaled = !written.events().is_empty();
        let included = written.included(self.patience).await;
        if journaled {
            self.pulse.of_inclusion(included.is_ok(), self.now());
        }
        match included {
            Ok(value) => Ok(value),
            Err(NotIncluded(waiting)) => Err(self.promised(waiting.events()).await),
        }
    }

    /// Waits for the entry of what was done before, so that whoever asks again is told no sooner than at first.
    ///
    /// # Errors
    /// [`Error::Promised`], as [`Self::include`].
    pub async fn stands(&self, earlier: Option<EventId>) -> Result<(), Error> {
        let Some(event) = earlier else { return Ok(()) };
        let events = [event];
        if self.store.included(&events, self.patience).await {
            Ok(())
        } else {
            Err(self.promised(&events).await)
        }
    }
}

/// Why the catalogue's data file cannot be used.
#[derive(Debug, ThisError)]
pub enum BadCatalogue {
    /// It is not the TOML it should be.
    #[error("the catalogue cannot be read: {0}")]
    Form(#[from] toml::de::Error),
    /// It breaks a rule.
    #[error("the catalogue cannot be used: {0}")]
    Rule(#[from] CatalogueError),
}

/// The catalogue this program carries.
pub fn catalogue() -> Result<Catalogue, BadCatalogue> {
    let file: CatalogueFile = toml::from_str(crate::mandate::CATALOGUE_TOML)?;
    Ok(Catalogue::try_from(file)?)
}

/// The same, with other labels of FranceConnect's for some of its themes.
pub fn catalogue_labelled(labels: &[(ThemeId, String)]) -> Result<Catalogue, BadCatalogue> {
    Ok(catalogue()?.labelled(labels)?)
}
