//! The mandate on paper: as a page to print, as a PDF that carries its own proof; and what whoever is shown one may ask.

mod shown;

pub use shown::{Presented, REFUSED, look_up};

use super::accept::code_cell;
use super::desk::{self, Card};
use super::names::Names;
use super::office::Office;
use super::proof;
use super::receipt::{self, Receipt};
use super::space::Visit;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, Session, card, history, people};
use crate::crypto::SecretString;
use crate::journal::{History, LogProof};
use crate::mandate::{
    Acceptance, Consent, EventKind, Identity, Instant, MandateId, State, TransitionError, Whereabouts,
};
use crate::storage::data_keys::KeyKind;
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Tx, journal, organisations, papers};
use std::sync::Arc;

/// The mandate on paper. Personal data and a code: no `Debug`.
pub struct Paper {
    /// The mandate.
    pub card: Card,
    /// The usager.
    pub usager: Identity,
    /// Both agreements.
    pub consent: Consent,
    /// Both agreements.
    pub acceptance: Acceptance,
    /// First and last name of who accepted for the organisation.
    pub accepted_by: String,
    /// SIRET of the organisation.
    pub siret: String,
    /// Where the organisation is, when known.
    pub whereabouts: Option<Whereabouts>,
    /// The text agreed to; its hash is the consent's.
    pub text: String,
    /// The code to find and verify the mandate by.
    pub code: SecretString,
    /// The code of the card that ends it, if there is a card.
    pub revocation: Option<SecretString>,
    /// Where the acceptance stands in the journal.
    pub receipt: Receipt,
    /// The proof of it.
    pub proof: LogProof,
    /// When it was printed.
    pub now: Instant,
}

/// Prints a mandate in force of the aidant's organisation; each printing is journaled.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; [`Error::Transition`] when it is not in force;
/// [`Error::BeingRecorded`] while its acceptance is not included.
pub async fn of_office(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
) -> Result<Paper, Error> {
    session.aidant()?;
    let now = app.now();
    let asked = Arc::new((Arc::clone(app), session.clone(), caller.clone(), id.clone()));
    app.include("mandate.print", move |tx| {
        let asked = Arc::clone(&asked);
        Box::pin(async move {
            let (app, session, caller, id) = &*asked;
            let office = Office::of(tx, session).await?;
            let row = match office.mandate(tx, id).await {
                Ok(row) => row,
                Err(error) => return office.refuse_access(app, tx, error, (caller, now)).await.map(Err),
            };
            print(app, tx, row, (Actor::Aidant(&office.aidant.id), caller, now)).await
        })
    })
    .await?
}

/// The same for one of the signed-in usager's own mandates.
///
/// # Errors
/// As [`of_office`], for a mandate that is not theirs.
pub async fn own(app: &App, session: &Session, caller: &Caller, id: &MandateId) -> Result<Paper, Error> {
    let (visit, id) = (Visit::new(app, session, caller)?, id.clone());
    app.include("space.print", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move {
            let row = match visit.own_or_refused(tx, &id).await? {
                Ok(row) => row,
                Err(error) => return Ok(Err(error)),
            };
            print(&visit.app, tx, row, (Actor::Usager, &visit.caller, visit.now)).await
        })
    })
    .await?
}

/// What proves a paper that was just printed: the whole history of its mandate, the printing included. It names nobody.
///
/// # Errors
/// [`Error::BeingRecorded`] while an entry has no place.
pub async fn proved_by(app: &App, paper: &Paper) -> Result<History, Error> {
    let (reader, id) = (Arc::clone(app), paper.card.mandate.id.clone());
    app.store
        .read("mandate.paper", move |snapshot| {
            Box::pin(async move {
                let row = mandates::load(snapshot, &id).await?.ok_or(Error::NotFound)?;
                history::whole(&reader, snapshot, &row).await
            })
        })
        .await
}

/// The paper of a mandate in force, and the entry that it was printed.
async fn print(
    app: &App,
    tx: &mut Tx,
    mut row: MandateRow,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<Result<Paper, Error>, Error> {
    let id = row.mandate.id.clone();
    let State::Active { consent, acceptance, .. } = row.mandate.state.clone() else {
        return Ok(Err(TransitionError::NotFrom(row.mandate.state.name()).into()));
    };
    let paper = papers::load(tx, &id).await?.ok_or(Error::Unreadable)?;
    // The entry of the consent commits to the hash: no other text is printed as what was agreed.
    if super::propose::text_hash(&paper.text) != consent.text_hash {
        return Err(Error::Unreadable);
    }
    let (sealed, event) = paper.accepted.ok_or(Error::Unreadable)?;
    // The paper carries what proves the mandate, so it waits for it (invariant 3).
    let receipt = receipt::of(tx, &event).await?.ok_or(Error::BeingRecorded)?;
    let entry = journal::entry(tx, &event).await?.ok_or(Error::Unreadable)?;
    let proof = proof::of(app, tx, &entry).await?.ok_or(Error::BeingRecorded)?.log;
    let code = open_code(app, tx, &id, &sealed).await?;
    let revocation = card::code(app, tx, &id).await?;
    note(app, tx, &mut row, Record::done(EventKind::MandatePrinted), by).await?;
    let organisation = organisations::load(tx, &row.mandate.organisation).await?.ok_or(Error::NotFound)?;
    let (_, usager) = people::usager(app, tx, &consent.usager).await?;
    let mut names = Names::default();
    Ok(Ok(Paper {
        accepted_by: names.aidant(app, tx, &acceptance.by).await?,
        card: desk::card(app, tx, &mut names, row.mandate).await?,
        usager,
        consent,
        acceptance,
        siret: organisation.siret,
        whereabouts: organisation.whereabouts,
        text: paper.text,
        code,
        revocation,
        receipt,
        proof,
        now: by.2,
    }))
}

async fn open_code(app: &App, tx: &mut Tx, id: &MandateId, sealed: &[u8]) -> Result<SecretString, Error> {
    let key = app.vault.find(&app.keys, tx, KeyKind::Mandate, id.as_str()).await?;
    let code = key.ok_or(Error::Unreadable)?.open(&code_cell(id), sealed)?;
    Ok(SecretString::new(String::from_utf8(code).map_err(|_| Error::Unreadable)?))
}
