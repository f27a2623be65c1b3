//! An aidant proposes a mandate: the terms are sealed with their text, and nothing is granted yet.

use super::office::Office;
use super::{App, Caller, Error, InputError, Record, Session, Stream};
use crate::crypto::{OpaqueToken, sha256, to_hex};
use crate::mandate::{
    EventKind, Instant, LifeFact, Mandate, MandateId, MandateText, ProcedureId, Refusal, TEXT_VERSION, Term,
    Terms, binding_text,
};
use crate::storage::idempotency::{self, Claim};
use crate::storage::{Snapshot, Tx, mandates, organisations, papers};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The name of this act among idempotency keys.
const ACT: &str = "mandate.propose";

/// What an aidant asks to propose.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The procedures chosen.
    pub procedures: BTreeSet<ProcedureId>,
    /// For how long.
    pub term: Term,
    /// The form's key: the same one twice makes one proposal.
    pub idempotency: String,
}

/// A fresh key for a form that creates something.
pub fn form_key(app: &App) -> Result<String, Error> {
    Ok(to_hex(&app.new_id()?))
}

/// Which procedures this aidant may put into a mandate.
pub struct Offer {
    /// Closed for the whole organisation.
    pub closed_for_organisation: BTreeSet<ProcedureId>,
    /// Closed for this aidant.
    pub closed_for_aidant: BTreeSet<ProcedureId>,
    /// The first instant of today's choices: for the dates a form offers.
    pub now: Instant,
}

/// What the pages that prepare a proposal offer. Nothing is stored.
pub async fn offer(app: &App, session: &Session) -> Result<Offer, Error> {
    let (now, session) = (app.now(), session.clone());
    app.store
        .read("mandate.offer", move |snapshot| {
            Box::pin(async move {
                let office = Office::of(snapshot, &session).await?;
                Ok(Offer {
                    closed_for_organisation: office.organisation.closed_procedures,
                    closed_for_aidant: office.aidant.closed_procedures,
                    now,
                })
            })
        })
        .await
}

/// Proposes a mandate.
///
/// # Errors
/// [`Error::Terms`] and [`Error::Refused`], journaled; [`Error::Conflict`] when the form's key was used for
/// something else.
pub async fn propose(
    app: &App,
    session: &Session,
    caller: &Caller,
    proposal: Proposal,
) -> Result<MandateId, Error> {
    session.aidant()?;
    if !(1..=64).contains(&proposal.idempotency.len()) {
        return Err(InputError::Field("idempotency").into());
    }
    let act = Arc::new(Proposing {
        app: Arc::clone(app),
        session: session.clone(),
        caller: caller.clone(),
        id: MandateId::from_bytes(app.new_id()?),
        key: OpaqueToken::hash_of(&proposal.idempotency).to_hex(),
        proposal,
        now: app.now(),
    });
    app.commit(ACT, move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.run(tx).await })
    })
    .await?
}

struct Proposing {
    app: App,
    session: Session,
    caller: Caller,
    id: MandateId,
    key: String,
    proposal: Proposal,
    now: Instant,
}

impl Proposing {
    async fn run(&self, tx: &mut Tx) -> Result<Result<MandateId, Error>, Error> {
        let office = Office::of(tx, &self.session).await?;
        let terms = match self.terms(&office) {
            Ok(terms) => terms,
            Err(error) => {
                let by = (&self.caller, self.now);
                let kind = EventKind::MandateStepRefused;
                return office.refuse(&self.app, tx, kind, error, by).await.map(Err);
            }
        };
        match idempotency::claim(tx, &self.key, &self.session.sid, ACT, self.now).await? {
            Claim::First => self.create(tx, &office, terms).await.map(Ok),
            Claim::Again(id) => same(tx, &id, &terms).await,
            Claim::Foreign => Ok(Err(Error::Conflict)),
        }
    }

    fn terms(&self, office: &Office) -> Result<Terms, Error> {
        let chosen = &self.proposal.procedures;
        let terms = Terms::check(&self.app.catalogue, chosen, self.proposal.term, self.now)?;
        if !chosen.is_disjoint(&office.organisation.closed_procedures) {
            return Err(Refusal::ClosedByOrganisation.into());
        }
        if !chosen.is_disjoint(&office.aidant.closed_procedures) {
            return Err(Refusal::ClosedForAidant.into());
        }
        Ok(terms)
    }

    async fn create(&self, tx: &mut Tx, office: &Office, terms: Terms) -> Result<MandateId, Error> {
        let organisation = organisations::load(tx, &office.organisation.id).await?.ok_or(Error::NotFound)?;
        let text = binding_text(&MandateText::of(&organisation.name, &terms, &self.app.catalogue)?);
        let aidant = office.aidant.id.clone();
        let mandate = Mandate::propose(self.id.clone(), organisation.id, aidant.clone(), terms, self.now);
        let fact = LifeFact::Proposed {
            organisation: mandate.organisation.clone(),
            proposed_by: aidant,
            terms: mandate.terms.clone(),
        };
        let event = Record::life(fact)
            .in_stream(Stream { mandate: self.id.clone(), seq: 1, previous: None })
            .organisation(&mandate.organisation)
            .aidant(&mandate.proposed_by)
            .detail("text_hash", text_hash(&text))
            .detail("text_version", TEXT_VERSION)
            .append(&self.app, tx, &self.caller, self.now)
            .await?;
        mandates::insert(tx, &mandate, &event).await?;
        papers::insert(tx, &self.id, &text).await?;
        idempotency::keep(tx, &self.key, self.id.as_str()).await?;
        Ok(self.id.clone())
    }
}

/// The proposal this key made before, if it asked for the same.
async fn same(snapshot: &mut Snapshot, id: &str, terms: &Terms) -> Result<Result<MandateId, Error>, Error> {
    let id = MandateId::parse(id).map_err(|_| Error::Unreadable)?;
    let row = mandates::load(snapshot, &id).await?.ok_or(Error::Unreadable)?;
    Ok(if row.mandate.terms == *terms { Ok(id) } else { Err(Error::Conflict) })
}

/// SHA-256 of a binding text, in hexadecimal: what the usager consents to.
#[must_use]
pub fn text_hash(text: &str) -> String {
    to_hex(&sha256(text.as_bytes()))
}
