//! How entries can be found: each row of the search against what its entry commits to. A row of somebody erased may be
//! gone, in whole or in the column that named them; what is there does not lie.

use super::openings::Openings;
use super::{Finding, Report};
use crate::crypto::KeyStore;
use crate::journal::{Slot, StoredOpening};
use crate::service::Error;
use crate::storage::Snapshot;
use crate::storage::audit::{self, FoundRow, LeafRow};
use serde_json::Value;

/// What the openings of one entry say, slot by slot.
#[derive(Default)]
pub(super) struct Says {
    act: Option<Value>,
    sub: Option<Value>,
    aid: Option<Value>,
    ctx: Option<Value>,
}

impl Says {
    pub(super) fn of(openings: &[StoredOpening]) -> Self {
        let mut says = Self::default();
        for opening in openings {
            let StoredOpening::Readable(opening) = opening else { continue };
            let slot = match opening.slot() {
                Slot::Act => &mut says.act,
                Slot::Sub => &mut says.sub,
                Slot::Aid => &mut says.aid,
                Slot::Ctx => &mut says.ctx,
            };
            *slot = opening.read();
        }
        says
    }

    fn slot(&self, slot: Slot) -> Option<&Value> {
        match slot {
            Slot::Act => self.act.as_ref(),
            Slot::Sub => self.sub.as_ref(),
            Slot::Aid => self.aid.as_ref(),
            Slot::Ctx => self.ctx.as_ref(),
        }
    }

    /// Whether the entry was written with something in that slot. Entries from before `act` told of it do not say.
    pub(super) fn fills(&self, slot: Slot) -> Option<bool> {
        let slots = self.act.as_ref()?.get("slots")?.as_str()?;
        Some(slots.split(' ').any(|name| name == slot.as_str()))
    }

    /// The mandate it tells of.
    pub(super) fn mandate(&self) -> Option<&str> {
        self.text(Slot::Act, "mandate")
    }

    fn text(&self, slot: Slot, name: &str) -> Option<&str> {
        self.slot(slot)?.get(name)?.as_str()
    }
}

/// What is wrong with how an entry can be found.
pub(super) fn lies(keys: &KeyStore, leaf: &LeafRow, says: &Says) -> Vec<Finding> {
    let finding = |column| Finding::Search { event: leaf.event_id.clone(), column };
    let Some(row) = &leaf.found else {
        let whole = Slot::ALL.iter().all(|slot| match says.fills(*slot) {
            Some(filled) => !filled || says.slot(*slot).is_some(),
            None => false,
        });
        return whole.then(|| finding(None)).into_iter().collect();
    };
    let at = leaf.event.as_ref().is_none_or(|event| Some(event.at) == row.at);
    let mut columns = Vec::from_iter((!at).then_some("at"));
    columns.extend(of_act(keys, row, says));
    columns.extend(of_parties(keys, row, says));
    columns.into_iter().map(|column| finding(Some(column))).collect()
}

/// The columns that say what happened.
fn of_act(keys: &KeyStore, row: &FoundRow, says: &Says) -> Vec<&'static str> {
    if says.act.is_none() {
        return Vec::new();
    }
    let text = |name| says.text(Slot::Act, name);
    let blind = |field| text(field).map(|id| keys.index().blind(field, &[id]));
    let agree = [
        ("kind", text("kind") == row.kind.as_deref()),
        ("outcome", text("outcome") == row.outcome.as_deref()),
        ("code", text("code") == row.code.as_deref()),
        ("mandate", blind("mandate") == row.mandate),
        ("procedure", blind("procedure") == row.procedure),
    ];
    disagreeing(&agree)
}

/// The columns that say who.
fn of_parties(keys: &KeyStore, row: &FoundRow, says: &Says) -> Vec<&'static str> {
    let agrees = |slot, field: &str, column: &Option<String>| match says.slot(slot) {
        Some(told) => {
            let id = told.get(field).and_then(Value::as_str);
            id.map(|id| keys.index().blind(field, &[id])) == *column
        }
        // Whom a slot named that was erased, nobody can tell; one that named nobody says so.
        None => column.is_none() || says.fills(slot) != Some(false),
    };
    let agree = [
        ("organisation", agrees(Slot::Ctx, "organisation", &row.organisation)),
        ("client", agrees(Slot::Ctx, "client", &row.client)),
        ("usager", agrees(Slot::Sub, "usager", &row.usager)),
        ("aidant", agrees(Slot::Aid, "aidant", &row.aidant)),
    ];
    disagreeing(&agree)
}

fn disagreeing(agree: &[(&'static str, bool)]) -> Vec<&'static str> {
    agree.iter().filter(|(_, agrees)| !agrees).map(|(column, _)| *column).collect()
}

/// Rows that lead to no entry, and openings said to be erased in a journal that tells of no erasure.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &Openings,
    erased: bool,
    report: &mut Report,
) -> Result<(), Error> {
    for event in audit::stray_search(snapshot).await? {
        report.add(Finding::SearchOfNothing { event });
    }
    if !erased {
        for (event, slot) in openings.claimed() {
            report.add(Finding::NeverErased { event: event.clone(), slot: slot.as_str() });
        }
    }
    Ok(())
}
