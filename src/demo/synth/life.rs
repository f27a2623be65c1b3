//! The fictional life of one mandate, step by step. Each step is one transaction.

use super::below;
use super::world::{World, in_working_hours, person, pick};
use crate::clock::{Entropy, random};
use crate::crypto::to_hex;
use crate::mandate::{
    AidantId, Consent, ConsentChannel, Declarations, EndReason, EventKind, Instant, LifeFact, Mandate,
    MandateId, OrganisationId, ProcedureId, Refusal, RepresentationId, Term, Terms, UsagerId,
};
use crate::service::people::{self, Holder};
use crate::service::steps::{Actor, note};
use crate::service::{App, Caller, Error, Record, Stream, end};
use crate::storage::Tx;
use crate::storage::mandates::{self, MandateRow};
use crate::storage::refusals::{self, RefusalRow};
use crate::storage::representations::{self, CloseReason, RepresentationRow};
use crate::storage::usagers::{self, UsagerRow};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use time::Duration;

/// Where a life stands.
#[derive(Clone, Copy)]
enum Stage {
    Unborn,
    Proposed,
    Consented,
    /// In force, with so many uses to come.
    Active(u64),
}

/// One life.
#[derive(Clone)]
pub(super) struct Life {
    mandate: MandateId,
    organisation: OrganisationId,
    aidant: AidantId,
    usager: UsagerId,
    caller: Caller,
    revoked: bool,
    stage: Stage,
}

/// What a step wrote, and how the life goes on.
pub(super) struct Stepped {
    pub(super) written: u64,
    pub(super) next: Option<(Life, Instant)>,
}

impl Life {
    /// A life in one of the offices; none when there is no office.
    pub(super) fn begin(app: &App, world: &World) -> Option<Self> {
        let chance = &*app.entropy;
        let (organisation, aidants) = pick(chance, &world.offices)?;
        let new = || random::<16>(chance).ok();
        let host = u8::try_from(below(chance, 200)).ok()?;
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
        Some(Self {
            mandate: MandateId::from_bytes(new()?),
            aidant: pick(chance, aidants)?.clone(),
            organisation: organisation.clone(),
            usager: UsagerId::from_bytes(new()?),
            caller: Caller { address: Some(address), sid: Some(to_hex(&new()?)) },
            revoked: below(chance, 4) == 0,
            stage: Stage::Unborn,
        })
    }

    /// Takes the next step.
    pub(super) async fn step(self, app: &App, world: &Arc<World>, now: Instant) -> Result<Stepped, Error> {
        let (life, app_, world_) = (Arc::new(self.clone()), Arc::clone(app), Arc::clone(world));
        let written = app
            .include("synth.step", move |tx| {
                let (life, app, world) = (Arc::clone(&life), Arc::clone(&app_), Arc::clone(&world_));
                Box::pin(async move { life.write(&app, &world, tx, now).await })
            })
            .await?;
        Ok(Stepped { written, next: self.after(&*app.entropy, now) })
    }

    fn after(mut self, chance: &dyn Entropy, now: Instant) -> Option<(Self, Instant)> {
        let minutes = |from: u64, to: u64| {
            Duration::minutes(i64::try_from(from + below(chance, to - from)).unwrap_or(1))
        };
        let (stage, at) = match self.stage {
            Stage::Unborn => (Stage::Proposed, now.plus(minutes(2, 12))),
            Stage::Proposed => (Stage::Consented, now.plus(minutes(1, 6))),
            Stage::Consented => (Stage::Active(below(chance, 5)), now.plus(minutes(1, 90))),
            Stage::Active(0) => return None,
            Stage::Active(uses) => {
                let days = Duration::days(i64::try_from(below(chance, 40)).unwrap_or(1));
                (
                    Stage::Active(uses - 1),
                    in_working_hours(chance, now.plus(days)).max(now.plus(minutes(5, 60))),
                )
            }
        };
        self.stage = stage;
        Some((self, at))
    }

    async fn write(&self, app: &App, world: &World, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        match self.stage {
            Stage::Unborn => self.propose(app, world, tx, now).await,
            Stage::Proposed => self.consent(app, tx, now).await,
            Stage::Consented => self.accept(app, tx, now).await,
            Stage::Active(0) if self.revoked => self.revoke(app, tx, now).await,
            Stage::Active(_) => self.act(app, world, tx, now).await,
        }
    }

    fn record(&self, kind: EventKind) -> Record {
        Record::done(kind).organisation(&self.organisation).aidant(&self.aidant)
    }

    async fn row(&self, tx: &mut Tx) -> Result<MandateRow, Error> {
        mandates::load(tx, &self.mandate).await?.ok_or(Error::NotFound)
    }

    async fn propose(&self, app: &App, world: &World, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        self.record(EventKind::AidantSignedIn).append(app, tx, &self.caller, now).await?;
        self.record(EventKind::FactorProved).append(app, tx, &self.caller, now).await?;
        let chosen: BTreeSet<ProcedureId> =
            (0..2).filter_map(|_| pick(&*app.entropy, &world.procedures).cloned()).collect();
        let terms = Terms::check(&app.catalogue, &chosen, Term::Year, now).map_err(|_| Error::Unreadable)?;
        let mandate = Mandate::propose(
            self.mandate.clone(),
            self.organisation.clone(),
            self.aidant.clone(),
            terms.clone(),
            now,
        );
        let fact = LifeFact::Proposed {
            organisation: self.organisation.clone(),
            proposed_by: self.aidant.clone(),
            terms,
        };
        let stream = Stream { mandate: self.mandate.clone(), seq: 1, previous: None };
        let record =
            Record::life(fact).organisation(&self.organisation).aidant(&self.aidant).in_stream(stream);
        let event = record.append(app, tx, &self.caller, now).await?;
        mandates::insert(tx, &mandate, &event).await?;
        Ok(3)
    }

    async fn take(
        &self,
        app: &App,
        tx: &mut Tx,
        before: MandateRow,
        (mandate, fact): (Mandate, LifeFact),
        now: Instant,
    ) -> Result<(), Error> {
        let seq = before.seq + 1;
        let stream = Stream { mandate: self.mandate.clone(), seq, previous: None };
        let record =
            Record::life(fact).organisation(&self.organisation).usager(&self.usager).in_stream(stream);
        let event = record.append(app, tx, &self.caller, now).await?;
        let after = MandateRow { mandate, seq, ..before.clone() };
        Ok(mandates::update(tx, &before, &after, &event).await?)
    }

    async fn consent(&self, app: &App, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        let identity = person(&*app.entropy)?;
        let holder = Holder::Usager(self.usager.as_str());
        let (identity_sealed, identity_key) = people::seal(app, tx, holder, &identity, now).await?;
        let record = self.record(EventKind::UsagerIdentified).usager(&self.usager).about(&self.mandate);
        let event = record.append(app, tx, &self.caller, now).await?;
        let row = UsagerRow {
            id: self.usager.clone(),
            iss: "https://citizens.fiction.example".to_owned(),
            sub: self.usager.to_string(),
            identity_sealed,
            identity_key,
            first_seen_at: now,
            identified_at: now,
            identity_level: "eidas1".to_owned(),
            version: 1,
        };
        usagers::insert(tx, &row, &event).await?;
        usagers::index(
            tx,
            &self.organisation,
            &self.usager,
            &people::usager_blinds(app, &self.organisation, &identity),
        )
        .await?;
        let row = self.row(tx).await?;
        let consent = Consent {
            usager: self.usager.clone(),
            at: now,
            identified_at: now,
            identity_level: "eidas1".to_owned(),
            text_hash: to_hex(&random::<32>(&*app.entropy)?),
            language: "fr".to_owned(),
            channel: ConsentChannel::InPresence,
        };
        let declared = Declarations { not_protected: true, may_be_minor: false };
        let mandate = row.mandate.clone().consent(consent.clone(), declared)?;
        self.take(app, tx, row, (mandate, LifeFact::Consented { consent }), now).await?;
        Ok(2)
    }

    async fn accept(&self, app: &App, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        self.record(EventKind::FactorProved).append(app, tx, &self.caller, now).await?;
        let row = self.row(tx).await?;
        let mandate = row.mandate.clone().accept(self.aidant.clone(), now)?;
        self.take(app, tx, row, (mandate, LifeFact::Accepted { by: self.aidant.clone() }), now).await?;
        Ok(2)
    }

    async fn revoke(&self, app: &App, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        let record = Record::done(EventKind::UsagerSpaceRead).usager(&self.usager).about(&self.mandate);
        record.append(app, tx, &self.caller, now).await?;
        let mut row = self.row(tx).await?;
        end::end_mandate(app, tx, &mut row, EndReason::Revoked, (Actor::Usager, &self.caller, now)).await?;
        Ok(2)
    }

    /// One use, from the look-up to its end; one in twelve is refused.
    async fn act(&self, app: &App, world: &World, tx: &mut Tx, now: Instant) -> Result<u64, Error> {
        self.record(EventKind::UsagerLookedUp)
            .usager(&self.usager)
            .append(app, tx, &self.caller, now)
            .await?;
        let mut row = self.row(tx).await?;
        let terms = row.mandate.terms.procedures.clone();
        let Some((procedure, acts)) = terms.into_iter().next() else { return Ok(1) };
        if below(&*app.entropy, 12) == 0 {
            self.refused(app, world, tx, (&procedure, now)).await?;
            return Ok(2);
        }
        let by = |at: Instant| (Actor::Aidant(&self.aidant), &self.caller, at);
        let at = |seconds: i64| now.plus(Duration::seconds(seconds));
        let id = RepresentationId::from_bytes(app.new_id()?);
        let told = |kind: EventKind| {
            Record::done(kind)
                .client(&world.client)
                .procedure(&procedure)
                .detail("representation", id.as_str())
        };
        let ends_at = now.plus(Duration::minutes(60));
        let granted: Vec<&str> = acts.iter().map(|act| act.as_str()).collect();
        let record = told(EventKind::RepresentationOpened)
            .detail("acts", granted.join(" "))
            .detail("ends_at", ends_at.millis());
        let event = note(app, tx, &mut row, record, by(now)).await?;
        let opened = RepresentationRow {
            id: id.clone(),
            mandate: self.mandate.clone(),
            organisation: self.organisation.clone(),
            aidant: self.aidant.clone(),
            usager: self.usager.clone(),
            client: world.client.clone(),
            procedure: procedure.clone(),
            acts,
            sid: self.caller.sid.clone().unwrap_or_default(),
            opened_at: now,
            ends_at,
            closed: None,
            outcome: None,
            told: None,
            version: 1,
        };
        representations::insert(tx, &opened, &event).await?;
        note(app, tx, &mut row, told(EventKind::TokensIssued), by(at(1))).await?;
        note(app, tx, &mut row, told(EventKind::ClaimsReleased), by(at(2))).await?;
        let over = at(i64::try_from(120 + below(&*app.entropy, 1_800)).unwrap_or(120));
        end::close_representation(app, tx, &mut row, &opened, CloseReason::SignedOut, by(over)).await?;
        Ok(5)
    }

    async fn refused(
        &self,
        app: &App,
        world: &World,
        tx: &mut Tx,
        (procedure, now): (&ProcedureId, Instant),
    ) -> Result<(), Error> {
        let codes = [Refusal::Expired, Refusal::ActNotGranted, Refusal::ProcedureNotGranted];
        let code = pick(&*app.entropy, &codes).map_or("", |refusal| refusal.code());
        let record = Record::refused(EventKind::RepresentationRefused, code)
            .organisation(&self.organisation)
            .aidant(&self.aidant)
            .client(&world.client)
            .usager(&self.usager)
            .procedure(procedure)
            .about(&self.mandate);
        let event = record.append(app, tx, &self.caller, now).await?;
        let row = RefusalRow {
            id: event.clone(),
            mandate: Some(self.mandate.clone()),
            organisation: self.organisation.clone(),
            aidant: self.aidant.clone(),
            usager: Some(self.usager.clone()),
            client: world.client.clone(),
            procedure: Some(procedure.clone()),
            code: code.to_owned(),
            at: now,
        };
        Ok(refusals::insert(tx, &row, &event).await?)
    }
}
