//! One entry: what its openings say, as far as the grants go, with its proof.

use super::find::{Known, Line, Named};
use crate::journal::Slot;
use crate::mandate::{AidantId, AuditorId, EventId, EventKind, MandateId, Slots, UsagerId};
use crate::service::names::Names;
use crate::service::proof::{self, Proof};
use crate::service::{App, Caller, Error, Record, Session, record};
use crate::storage::{Snapshot, journal, mandates, search};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// An entry, as far as its openings tell.
pub struct Told {
    /// What is known of it without them.
    pub line: Line,
    /// What its openings say, as name and value; persons stand by identifier only.
    pub openings: Vec<(String, String)>,
}

/// One entry with its proof.
pub struct Shown {
    /// What it tells.
    pub told: Told,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The proof, once it has a place.
    pub proof: Option<Proof>,
    /// Whether another auditor opened its content.
    pub opened: bool,
    /// Whom it names, as (usager, aidant or auditor; first and last name), where it was opened.
    pub persons: Vec<(&'static str, String)>,
}

/// Opens one entry, under the purpose stated.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended; [`Error::NotFound`], journaled,
/// for an entry that is not there or out of sight.
pub async fn entry(app: &App, session: &Session, caller: &Caller, event: &EventId) -> Result<Shown, Error> {
    let (app_, session_, id) = (Arc::clone(app), session.clone(), event.clone());
    let read = app
        .store
        .read("audit.entry", |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session_).await?;
                let row = journal::entry(snapshot, &id).await?.ok_or(Error::NotFound)?;
                let found = search::of(snapshot, &id).await?.ok_or(Error::NotFound)?;
                let slots = sight.slots(&found).ok_or(Error::NotFound)?;
                let opened = sight.opens(&found);
                let (said, concerned) = said(&app_, snapshot, &id).await?;
                let persons = if opened { persons(&app_, snapshot, &said).await? } else { Vec::new() };
                let openings = openings(&app_, said, slots);
                let line = Known::read(&app_, snapshot).await?.line(found);
                let proof = proof::of(&app_, snapshot, &row).await?;
                let told = Told { line, openings };
                Ok((Shown { told, bytes: row.entry, proof, opened, persons }, concerned))
            })
        })
        .await;
    match read {
        Ok((shown, concerned)) => {
            let kind = if shown.opened { EventKind::ContentRead } else { EventKind::EntryRead };
            let record = Record::done(kind).detail("entry", event.as_str());
            super::note(app, session, caller, concerned.in_record(record), BTreeSet::new()).await?;
            Ok(shown)
        }
        Err(error @ Error::NotFound) => {
            let record = Record::refused(EventKind::AccessRefused, error.code());
            let record = record.detail("entry", event.as_str());
            super::note(app, session, caller, record, BTreeSet::new()).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Whom a reading concerns: it stands in their own space.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct Concerned {
    pub(super) mandate: Option<MandateId>,
    pub(super) usager: Option<UsagerId>,
}

impl Concerned {
    /// Whom an entry about that mandate concerns.
    pub(in crate::service) async fn by(
        snapshot: &mut Snapshot,
        mandate: Option<MandateId>,
    ) -> Result<Self, Error> {
        let row = match &mandate {
            Some(id) => mandates::load(snapshot, id).await?,
            None => None,
        };
        Ok(Self { usager: row.and_then(|row| row.mandate.usager().cloned()), mandate })
    }

    pub(in crate::service) fn in_record(&self, record: Record) -> Record {
        let record = match &self.mandate {
            Some(mandate) => record.about(mandate),
            None => record,
        };
        match &self.usager {
            Some(usager) => record.usager(usager),
            None => record,
        }
    }
}

/// What the openings of an entry say: those of these slots that were not erased. They name persons by identifier, and
/// by pseudonym whom these slots do not show.
fn openings(app: &App, opened: Vec<(Slot, Value)>, slots: Slots) -> Vec<(String, String)> {
    let mut flat = Vec::new();
    for (slot, value) in opened {
        if slots.shows(slot.as_str()) {
            flatten("", value, &mut flat);
        }
    }
    for (name, value) in &mut flat {
        if let Some((field, shown)) = names_person(name, slots)
            && !shown
            && let Some(Named::Identifier(id)) = Named::parse(value)
        {
            *value = app.keys.index().blind(field, &[&id]);
        }
    }
    flat
}

/// The names of whom an entry tells; those who were erased have none.
async fn persons(
    app: &App,
    snapshot: &mut Snapshot,
    said: &[(Slot, Value)],
) -> Result<Vec<(&'static str, String)>, Error> {
    let (mut names, mut persons) = (Names::default(), Vec::new());
    for (_, value) in said {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if let Some(id) = text("usager").and_then(|id| UsagerId::parse(id).ok()) {
            persons.push(("usager", names.usager(app, snapshot, &id).await?));
        }
        if let Some(id) = text("aidant").and_then(|id| AidantId::parse(id).ok()) {
            persons.push(("aidant", names.aidant(app, snapshot, &id).await?));
        }
        if let Some(id) = text("auditor").and_then(|id| AuditorId::parse(id).ok()) {
            persons.push(("auditor", names.auditor(app, snapshot, &id).await?));
        }
    }
    Ok(persons)
}

/// Whom a field of what happened names, and whether these slots show them.
fn names_person(name: &str, slots: Slots) -> Option<(&'static str, bool)> {
    match name {
        "fact.proposed_by" | "fact.by" | "detail.by" => Some(("aidant", slots.aid)),
        "fact.consent.usager" => Some(("usager", slots.sub)),
        _ => None,
    }
}

/// What an entry says, and whom it concerns.
pub(super) async fn said(
    app: &App,
    snapshot: &mut Snapshot,
    event: &EventId,
) -> Result<(Vec<(Slot, Value)>, Concerned), Error> {
    let said = opened(app, snapshot, event).await?;
    let act = said.iter().find(|(slot, _)| *slot == Slot::Act).map(|(_, value)| value);
    let mandate = act.and_then(|act| act.get("mandate")).and_then(Value::as_str);
    let mandate = mandate.and_then(|id| MandateId::parse(id).ok());
    let concerned = Concerned::by(snapshot, mandate).await?;
    Ok((said, concerned))
}

/// Every slot of an entry that was not erased.
pub(super) async fn opened(
    app: &App,
    snapshot: &mut Snapshot,
    event: &EventId,
) -> Result<Vec<(Slot, Value)>, Error> {
    let opened = record::openings(app, snapshot, event, |_| true).await?;
    Ok(opened.iter().map(|opening| (opening.slot(), opening.read().unwrap_or_default())).collect())
}

/// Names and values of a JSON object; those of an object within it follow with its name in front.
fn flatten(within: &str, value: Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if within.is_empty() { name } else { format!("{within}.{name}") };
                flatten(&name, value, into);
            }
        }
        Value::String(text) => into.push((within.to_owned(), text)),
        other => into.push((within.to_owned(), other.to_string())),
    }
}
