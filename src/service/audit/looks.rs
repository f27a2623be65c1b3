//! Who looked at what concerns a mandate, for the person who granted it: aidants, and auditors with their purpose.

use super::entry::opened;
use crate::journal::Slot;
use crate::mandate::{AidantId, AuditorId, EventId, EventKind, Instant, MandateId, ReadingId};
use crate::service::names::Names;
use crate::service::{App, Error};
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, seen};
use serde_json::Value;
use std::collections::BTreeMap;

/// At most so many readings are told, the latest first.
const MOST: u32 = 200;

/// What counts as a look.
const LOOKS: [EventKind; 14] = [
    EventKind::AnomalyRead,
    EventKind::AnomalyCommented,
    EventKind::AnomalyClosed,
    EventKind::SampleAnswered,
    EventKind::MandateRead,
    EventKind::MandatePrinted,
    EventKind::MandateVerified,
    EventKind::EntryRead,
    EventKind::TimelineRead,
    EventKind::ContentAsked,
    EventKind::ContentApproved,
    EventKind::ContentRefused,
    EventKind::ContentLapsed,
    EventKind::ContentRead,
];

/// One look. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Instant,
    /// Its entry.
    pub event: EventId,
    /// What.
    pub kind: EventKind,
    /// First and last name of the aidant or auditor; empty once erased.
    pub by: String,
    /// The auditor's purpose.
    pub purpose: Option<String>,
}

/// The looks at a mandate, the latest first.
///
/// # Errors
/// From the store and the keys.
pub async fn at_mandate(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    mandate: &MandateId,
) -> Result<Vec<Look>, Error> {
    let blind = app.keys.index().blind("mandate", &[mandate.as_str()]);
    let everything = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
    let mut found: BTreeMap<(Instant, EventId), EventKind> = BTreeMap::new();
    for event in seen::of_mandate(snapshot, &blind, MOST).await? {
        if let Some(one) = search::of(snapshot, &event).await? {
            found.insert((one.at, one.event_id), one.search.kind);
        }
    }
    for kind in LOOKS {
        let filter = Filter { mandate: Some(blind.clone()), kind: Some(kind), ..everything.clone() };
        for one in search::find(snapshot, &filter, None, MOST).await?.found {
            found.insert((one.at, one.event_id), kind);
        }
    }
    let mut looks = Vec::new();
    for ((at, event), kind) in found.into_iter().rev().take(MOST as usize) {
        let (by, purpose) = who(app, snapshot, names, &event).await?;
        looks.push(Look { at, event, kind, by, purpose });
    }
    Ok(looks)
}

/// Who a reading's entry names, and under which purpose.
async fn who(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    event: &EventId,
) -> Result<(String, Option<String>), Error> {
    let (mut by, mut purpose) = (String::new(), None);
    for (slot, value) in opened(app, snapshot, event).await? {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        match slot {
            Slot::Aid => {
                if let Some(id) = text("aidant").and_then(|id| AidantId::parse(id).ok()) {
                    by = names.aidant(app, snapshot, &id).await?;
                } else if let Some(id) = text("auditor").and_then(|id| AuditorId::parse(id).ok()) {
                    by = names.auditor(app, snapshot, &id).await?;
                }
            }
            Slot::Act => {
                let reading = value.get("detail").and_then(|detail| detail.get("reading"));
                if let Some(id) = reading.and_then(Value::as_str).and_then(|id| ReadingId::parse(id).ok()) {
                    purpose = super::purpose_of(app, snapshot, &id).await?;
                }
            }
            Slot::Sub | Slot::Ctx => {}
        }
    }
    Ok((by, purpose))
}
