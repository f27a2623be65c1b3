//! What a decision about a representation is made from, read in one transaction, and how its refusal is kept.
//!
//! Asked when the choice is offered, when the code is issued, at the token endpoint and at userinfo (invariant 1):
//! the question is put together here and answered by [`crate::mandate::decide`] alone.

use super::office::Office;
use super::steps::Actor;
use super::{App, Caller, Error, Record, known};
use crate::mandate::{
    Act, Aidant, AidantId, Allowed, ClientId, EventKind, Instant, Mandate, MandateId, Organisation,
    OrganisationId, ProcedureId, Question, Refusal, RelyingParty, UsagerId, decide,
};
use crate::storage::clients::{self, ClientRow, Grounds};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::refusals::{self, RefusalRow};
use crate::storage::representations::RepresentationRow;
use crate::storage::{Snapshot, Tx};
use std::collections::BTreeSet;

/// The mandatary's side and the service: the same for every mandate looked at.
pub(super) struct Parties {
    pub(super) aidant: Aidant,
    pub(super) organisation: Organisation,
    pub(super) service: RelyingParty,
}

impl Parties {
    /// Reads who acts and for whom.
    pub(super) async fn read(
        snapshot: &mut Snapshot,
        aidant: &AidantId,
        client: &ClientRow,
    ) -> Result<Self, Error> {
        let Office { aidant, organisation } = Office::behind(snapshot, aidant).await?;
        Ok(Self { aidant, organisation, service: RelyingParty::from(client) })
    }

    /// The one decision.
    pub(super) fn decide(
        &self,
        app: &App,
        mandate: &Mandate,
        procedure: &ProcedureId,
        acts: &BTreeSet<Act>,
        now: Instant,
    ) -> Result<Allowed, Refusal> {
        decide(&Question {
            mandate,
            organisation: &self.organisation,
            aidant: &self.aidant,
            procedure,
            acts,
            relying_party: &self.service,
            catalogue: &app.catalogue,
            now,
        })
    }
}

/// An open representation with all that must still hold when it is used.
pub(super) struct Use {
    pub(super) representation: RepresentationRow,
    pub(super) row: MandateRow,
    pub(super) parties: Parties,
    pub(super) client: ClientRow,
    /// Name and SIRET of the organisation.
    pub(super) organisation_name: (String, String),
}

/// A representation that is over.
pub(super) const CLOSED: &str = "representation_closed";

impl Use {
    /// Reads what a use of the representation rests on.
    pub(super) async fn read(
        snapshot: &mut Snapshot,
        representation: RepresentationRow,
    ) -> Result<Self, Error> {
        let row = mandates::load(snapshot, &representation.mandate).await?.ok_or(Error::Unreadable)?;
        let (aidant, client) = (&representation.aidant, &representation.client);
        let grounds = clients::grounds(snapshot, aidant, client).await?.ok_or(Error::Unreadable)?;
        let Grounds { client, aidant, organisation, organisation_name } = grounds;
        let parties = Parties { aidant, organisation, service: RelyingParty::from(&client) };
        Ok(Self { representation, row, parties, client, organisation_name })
    }

    /// Whether it may still be used, and until when.
    ///
    /// # Errors
    /// The stable code of what stands against it.
    pub(super) fn allowed(&self, app: &App, now: Instant) -> Result<Allowed, &'static str> {
        let of = &self.representation;
        let decided = self.parties.decide(app, &self.row.mandate, &of.procedure, &of.acts, now);
        let allowed = decided.map_err(Refusal::code)?;
        // Asked last, so that a mandate's own end is told by its own code.
        if of.closed.is_some() || now >= of.ends_at {
            return Err(CLOSED);
        }
        Ok(Allowed { until: allowed.until.min(of.ends_at), ..allowed })
    }

    /// Notes that the service learned of the mandate's end by being refused, when it has ended.
    pub(super) async fn service_knows(
        &mut self,
        app: &App,
        tx: &mut Tx,
        (caller, now): (&Caller, Instant),
    ) -> Result<(), Error> {
        let party = known::Party::Service(&self.representation.client);
        known::note(app, tx, &mut self.row, party, (Actor::Service, caller, now)).await
    }

    /// A refusal of this use, to be kept.
    pub(super) fn refusal(&self, kind: EventKind, code: &'static str) -> Refused<'_> {
        let of = &self.representation;
        Refused {
            kind,
            code,
            organisation: &of.organisation,
            aidant: &of.aidant,
            client: &of.client,
            mandate: Some(&of.mandate),
            usager: Some(&of.usager),
            procedure: Some(&of.procedure),
        }
    }
}

/// What was asked for and refused.
pub(super) struct Refused<'a> {
    pub(super) kind: EventKind,
    pub(super) code: &'static str,
    pub(super) organisation: &'a OrganisationId,
    pub(super) aidant: &'a AidantId,
    pub(super) client: &'a ClientId,
    pub(super) mandate: Option<&'a MandateId>,
    pub(super) usager: Option<&'a UsagerId>,
    pub(super) procedure: Option<&'a ProcedureId>,
}

impl Refused<'_> {
    /// Keeps it: the entry, and the line in the usager's own space.
    pub(super) async fn keep(
        &self,
        app: &App,
        tx: &mut Tx,
        (caller, now): (&Caller, Instant),
    ) -> Result<(), Error> {
        let mut record = Record::refused(self.kind, self.code)
            .organisation(self.organisation)
            .aidant(self.aidant)
            .client(self.client);
        if let Some(mandate) = self.mandate {
            record = record.about(mandate);
        }
        if let Some(usager) = self.usager {
            record = record.usager(usager);
        }
        if let Some(procedure) = self.procedure {
            record = record.procedure(procedure);
        }
        let event = record.append(app, tx, caller, now).await?;
        let row = RefusalRow {
            id: event.clone(),
            mandate: self.mandate.cloned(),
            organisation: self.organisation.clone(),
            aidant: self.aidant.clone(),
            usager: self.usager.cloned(),
            client: self.client.clone(),
            procedure: self.procedure.cloned(),
            code: self.code.to_owned(),
            at: now,
        };
        Ok(refusals::insert(tx, &row, &event).await?)
    }
}
