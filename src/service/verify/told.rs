//! What an entry tells, as far as its openings are there and are what it commits to.

use super::openings::Openings;
use crate::journal::{Entry, Slot, StoredOpening};
use crate::mandate::{Act, EventId, EventKind, Instant, Mandate, ProcedureOutcome};
use crate::service::Error;
use crate::service::facts::Stands;
use crate::storage::audit::{LeafRow, SealedOpening};
use crate::storage::representations::RepresentationRow;
use crate::storage::{Snapshot, journal};
use serde_json::Value;

/// An entry with what it says.
pub(super) struct Told {
    pub(super) entry: Entry,
    /// What happened.
    pub(super) act: Value,
    /// Who of the usagers, aidants, organisations and services: absent when it was erased, or tells of none.
    others: Vec<Value>,
}

impl Told {
    /// What an audited leaf tells, when it is of a kind that is looked for and what its entry commits to.
    pub(super) fn of(
        leaf: &LeafRow,
        openings: &[StoredOpening],
        wanted: impl Fn(EventKind) -> bool,
    ) -> Option<Self> {
        let readable = |opening: &'_ StoredOpening| match opening {
            StoredOpening::Readable(opening) => Some(opening.clone()),
            StoredOpening::Erased | StoredOpening::Unreadable { .. } => None,
        };
        let mut act = openings.iter().filter_map(readable).filter(|opening| opening.slot() == Slot::Act);
        let act: Value = act.find_map(|opening| opening.read())?;
        if !act.get("kind").and_then(Value::as_str).and_then(EventKind::parse).is_some_and(wanted) {
            return None;
        }
        let entry = Entry::parse(&leaf.event.as_ref()?.entry).ok()?;
        let mut others = Vec::new();
        for opening in openings.iter().filter_map(readable) {
            if !entry.is_opened_by(&opening) {
                return None;
            }
            if opening.slot() != Slot::Act {
                others.extend(opening.read());
            }
        }
        Some(Self { entry, act, others })
    }

    /// Opens an entry; nothing when its `act` is not there.
    pub(super) async fn read(
        snapshot: &mut Snapshot,
        openings: &mut Openings,
        event: &EventId,
        bytes: &[u8],
    ) -> Result<Option<Self>, Error> {
        let Ok(entry) = Entry::parse(bytes) else { return Ok(None) };
        let (mut act, mut others) = (None, Vec::new());
        for row in journal::openings(snapshot, event).await? {
            let row = SealedOpening {
                event_id: row.event_id.to_string(),
                slot: row.slot,
                key_id: row.key_id,
                sealed: row.sealed,
            };
            let StoredOpening::Readable(opening) = openings.open(snapshot, &row).await? else { continue };
            if !entry.is_opened_by(&opening) {
                continue;
            }
            match opening.slot() {
                Slot::Act => act = opening.read(),
                _ => others.extend(opening.read()),
            }
        }
        Ok(act.map(|act| Self { entry, act, others }))
    }

    /// What kind it is of.
    pub(super) fn kind(&self) -> Option<EventKind> {
        self.says("kind").and_then(EventKind::parse)
    }

    /// Whether it tells of something that was done, not refused.
    pub(super) fn is_done(&self) -> bool {
        self.says("outcome") == Some("done")
    }

    /// A text of its `act`.
    pub(super) fn says(&self, what: &str) -> Option<&str> {
        self.act.get(what).and_then(Value::as_str)
    }

    /// Whom it names as usager, aidant, auditor, organisation or client.
    pub(super) fn names(&self, what: &str) -> Option<String> {
        self.others.iter().find_map(|of| of.get(what)).and_then(Value::as_str).map(str::to_owned)
    }

    /// The hash of what is registered from then on of whom it names.
    pub(super) fn registered(&self) -> Option<String> {
        self.says("registered").map(str::to_owned).or_else(|| self.names("registered"))
    }

    /// How it says that rows of facts stand after it.
    pub(super) fn stands(&self) -> Vec<Stands> {
        let of = self.act.get("stands").and_then(Value::as_object).into_iter().flatten();
        of.filter_map(|(row, how)| {
            let (version, hash) = how.as_str()?.split_once(' ')?;
            Some(Stands { row: row.clone(), version: version.parse().ok()?, hash: hash.to_owned() })
        })
        .collect()
    }

    fn detail(&self, what: &str) -> Option<&Value> {
        self.act.get("detail").and_then(|detail| detail.get(what))
    }

    /// How many openings that every entry has it tells to be destroyed.
    pub(super) fn destroyed(&self) -> u64 {
        let common = self.detail("common").and_then(Value::as_u64);
        common.filter(|_| self.kind() == Some(EventKind::PersonErased)).unwrap_or_default()
    }

    /// A detail that is a whole number.
    pub(super) fn number(&self, what: &str) -> Option<u64> {
        self.detail(what).and_then(Value::as_u64)
    }

    /// A detail that is a list of texts.
    pub(super) fn texts(&self, what: &str) -> Vec<String> {
        let list = self.detail(what).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A detail that is a text.
    pub(super) fn text(&self, what: &str) -> Option<String> {
        self.detail(what).and_then(Value::as_str).map(str::to_owned)
    }
}

/// A representation as its entries tell it.
pub(super) struct Use {
    at: i64,
    ends_at: Option<i64>,
    acts: Option<String>,
    procedure: Option<String>,
    aidant: Option<String>,
    usager: Option<String>,
    organisation: Option<String>,
    client: Option<String>,
    /// When and why it was closed.
    closed: Option<(i64, Option<String>)>,
    /// When the service was first told of that, and when it first answered.
    heard: Option<(i64, Option<i64>)>,
    /// What the service reported last.
    reported: Option<String>,
}

impl Use {
    /// As its opening tells it.
    pub(super) fn opened(told: &Told) -> Self {
        Self {
            at: told.entry.at().millis(),
            ends_at: told.detail("ends_at").and_then(Value::as_i64),
            acts: told.text("acts"),
            procedure: told.says("procedure").map(str::to_owned),
            aidant: told.names("aidant"),
            usager: told.names("usager"),
            organisation: told.names("organisation"),
            client: told.names("client"),
            closed: None,
            heard: None,
            reported: None,
        }
    }

    /// Takes its end in; false when it had ended already.
    pub(super) fn close(&mut self, told: &Told) -> bool {
        self.closed.replace((told.entry.at().millis(), told.text("reason"))).is_none()
    }

    /// Takes in that its service was told of its end, and whether it answered; false when it had not ended.
    pub(super) fn hear(&mut self, told: &Told, answered: bool) -> bool {
        let Some(at) = told.detail("told").and_then(Value::as_i64) else { return false };
        let heard = self.heard.get_or_insert((at, None));
        if answered && heard.1.is_none() {
            heard.1 = Some(told.entry.at().millis());
        }
        self.closed.is_some()
    }

    /// Takes in what the service reported; false when it names no outcome.
    pub(super) fn report(&mut self, told: &Told) -> bool {
        self.reported = told.text("outcome");
        self.reported.is_some()
    }

    /// Whether it is what is stored. Of a person who was erased the entry names nobody any more: nothing is held
    /// against the row then, except that a usager is the mandate's own.
    pub(super) fn gives(&self, stored: &RepresentationRow, mandate: &Mandate) -> bool {
        let same = |told: &Option<String>, stored: &str| told.as_deref().is_none_or(|told| told == stored);
        let acts: Vec<_> = stored.acts.iter().map(|act| Act::as_str(*act)).collect();
        let closed = match (&self.closed, stored.closed) {
            (None, None) => true,
            (Some((at, why)), Some((when, reason))) => *at == when.millis() && same(why, reason.as_str()),
            _ => false,
        };
        closed
            && self.heard == stored.told.map(|(at, answered)| (at.millis(), answered.map(Instant::millis)))
            && self.reported.as_deref() == stored.outcome.map(ProcedureOutcome::as_str)
            && self.at == stored.opened_at.millis()
            && self.ends_at.is_none_or(|at| at == stored.ends_at.millis())
            && same(&self.acts, &acts.join(" "))
            && same(&self.procedure, stored.procedure.as_str())
            && same(&self.aidant, stored.aidant.as_str())
            && same(&self.usager, stored.usager.as_str())
            && same(&self.organisation, stored.organisation.as_str())
            && same(&self.client, stored.client.as_str())
            && mandate.usager() == Some(&stored.usager)
            && mandate.organisation == stored.organisation
    }
}
