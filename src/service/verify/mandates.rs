//! Each mandate against its own entries: none missing, none beyond, and told again they give what is stored.

use super::openings::Openings;
use super::told::{Told, Use};
use super::{Finding, MandateFault, Report};
use crate::crypto::to_hex;
use crate::journal::{MandateKey, leaf_hash};
use crate::mandate::{EventKind, Instant, LifeFact, Mandate, MandateId, StateName, replay};
use crate::service::Error;
use crate::service::propose::text_hash;
use crate::storage::audit;
use crate::storage::data_keys::KeyKind;
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::RepresentationRow;
use crate::storage::{Snapshot, StoreError, journal, papers, representations};
use serde_json::Value;
use std::collections::BTreeMap;

const PAGE: u32 = 500;

/// Holds every mandate against its entries.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    report: &mut Report,
) -> Result<(), Error> {
    for id in audit::mandates_gone(snapshot).await? {
        report.add(Finding::Mandate { id, why: MandateFault::Gone });
    }
    let mut after = String::new();
    loop {
        let page = audit::mandates(snapshot, &after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        last.clone_into(&mut after);
        for (id, seq) in page {
            match one(snapshot, openings, &id, seq).await? {
                Ok(Proved::Follows) => report.mandates += 1,
                Ok(Proved::Erased) => report.erased_mandates += 1,
                Err(why) => report.add(Finding::Mandate { id, why }),
            }
        }
    }
}

/// How a mandate came out.
enum Proved {
    Follows,
    /// Over, and its key destroyed since.
    Erased,
}

type Verdict<T> = Result<Result<T, MandateFault>, Error>;

async fn one(snapshot: &mut Snapshot, openings: &mut Openings, id: &str, seq: u64) -> Verdict<Proved> {
    let row = match load(snapshot, id).await? {
        Ok(row) => row,
        Err(why) => return Ok(Err(why)),
    };
    let Some(key) = openings.key_of(snapshot, KeyKind::Mandate, id).await? else {
        let over =
            matches!(row.mandate.state.name(), StateName::Ended | StateName::Refused | StateName::Lapsed);
        return Ok(if over { Ok(Proved::Erased) } else { Err(MandateFault::KeyGone) });
    };
    let history = match History::read(snapshot, openings, &row.mandate.id, &key.tags()?, seq).await? {
        Ok(history) => history,
        Err(why) => return Ok(Err(why)),
    };
    let uses = match representations::of_mandate(snapshot, &row.mandate.id, u32::MAX).await {
        Err(StoreError::Inconsistent { column, .. }) => {
            return Ok(Err(MandateFault::Unreadable(column.to_owned())));
        }
        read => read?,
    };
    let sealed = history.text_hash.clone();
    if let Err(why) = history.gives(&row, &uses) {
        return Ok(Err(why));
    }
    Ok(paper(snapshot, &row.mandate.id, sealed.as_deref()).await?.map(|()| Proved::Follows))
}

/// The text kept for the paper against the hash that the entry of the proposal tells.
async fn paper(snapshot: &mut Snapshot, mandate: &MandateId, sealed: Option<&str>) -> Verdict<()> {
    let Some(sealed) = sealed else { return Ok(Ok(())) };
    let paper = papers::load(snapshot, mandate).await?;
    let same = paper.is_some_and(|paper| text_hash(&paper.text) == sealed);
    Ok(if same { Ok(()) } else { Err(MandateFault::Paper) })
}

/// The mandate's row, as far as it is one.
async fn load(snapshot: &mut Snapshot, id: &str) -> Verdict<MandateRow> {
    let unreadable = |what: &str| Ok(Err(MandateFault::Unreadable(what.to_owned())));
    let Ok(typed) = MandateId::parse(id) else { return unreadable("id") };
    match mandates::load(snapshot, &typed).await {
        Ok(Some(row)) => Ok(Ok(row)),
        Ok(None) => unreadable("id"),
        Err(StoreError::Inconsistent { column, .. }) => unreadable(column),
        Err(error) => Err(error.into()),
    }
}

/// What a mandate's entries tell.
#[derive(Default)]
struct History {
    facts: Vec<(Instant, LifeFact)>,
    /// Hash of the text sealed with the proposal.
    text_hash: Option<String>,
    /// Representations opened.
    uses: BTreeMap<String, Use>,
}

impl History {
    async fn read(
        snapshot: &mut Snapshot,
        openings: &mut Openings,
        id: &MandateId,
        tags: &MandateKey,
        last: u64,
    ) -> Verdict<Self> {
        let mut history = Self::default();
        let mut previous = None;
        for seq in 1..=last {
            let Some(row) = journal::by_tag(snapshot, &tags.tag(seq).to_hex()).await? else {
                return Ok(Err(MandateFault::EntryMissing { seq }));
            };
            let event = row.event_id.clone();
            let Some(told) = Told::read(snapshot, openings, &event, &row.entry).await? else {
                return Ok(Err(MandateFault::EntryClosed { seq, event }));
            };
            let (entry, act) = (&told.entry, &told.act);
            let text = |name: &str| act.get(name).and_then(Value::as_str);
            let ours = text("mandate") == Some(id.as_str())
                && act.get("seq").and_then(Value::as_u64) == Some(seq)
                && text("previous") == previous.as_deref()
                && *entry.id() == event;
            if !ours || !history.take(&told) {
                return Ok(Err(MandateFault::EntryForeign { seq, event }));
            }
            previous = Some(to_hex(leaf_hash(&row.entry).as_bytes()));
        }
        let seq = last + 1;
        Ok(match journal::by_tag(snapshot, &tags.tag(seq).to_hex()).await? {
            Some(row) => Err(MandateFault::EntryBeyond { seq, event: row.event_id }),
            None => Ok(history),
        })
    }

    /// Takes one entry in; false when it cannot stand in a mandate's history.
    fn take(&mut self, told: &Told) -> bool {
        let (entry, act) = (&told.entry, &told.act);
        let kind = act.get("kind").and_then(Value::as_str).and_then(EventKind::parse);
        if let Some(fact) = act.get("fact") {
            let Ok(fact) = serde_json::from_value::<LifeFact>(fact.clone()) else { return false };
            let fits = kind == Some(fact.kind());
            if matches!(fact, LifeFact::Proposed { .. }) {
                self.text_hash = told.text("text_hash");
            }
            self.facts.push((entry.at(), fact));
            return fits;
        }
        let used = act.get("detail").and_then(|detail| detail.get("representation")).and_then(Value::as_str);
        match (kind, used) {
            (Some(EventKind::RepresentationOpened), Some(id)) => {
                self.uses.insert(id.to_owned(), Use::opened(told)).is_none()
            }
            (Some(EventKind::RepresentationClosed), Some(id)) => {
                self.uses.get_mut(id).is_some_and(|opened| opened.close(told))
            }
            (Some(EventKind::OutcomeReported), Some(id)) => {
                self.uses.get_mut(id).is_some_and(|opened| opened.report(told))
            }
            (Some(kind @ (EventKind::ServiceTold | EventKind::ServiceNotTold)), Some(id)) => {
                let answered = kind == EventKind::ServiceTold;
                self.uses.get_mut(id).is_some_and(|opened| opened.hear(told, answered))
            }
            (kind, _) => kind.is_some(),
        }
    }

    /// Whether the history makes the mandate and its uses what is stored.
    fn gives(mut self, row: &MandateRow, stored: &[RepresentationRow]) -> Result<(), MandateFault> {
        let told = replay(row.mandate.id.clone(), self.facts)?;
        if let Some(what) = differs(&told, &row.mandate) {
            return Err(MandateFault::Differs { what });
        }
        for of in stored {
            let opened = self.uses.remove(of.id.as_str());
            if !opened.is_some_and(|opened| opened.gives(of, &row.mandate)) {
                return Err(MandateFault::Representation { id: of.id.to_string() });
            }
        }
        match self.uses.into_keys().next() {
            Some(id) => Err(MandateFault::Representation { id }),
            None => Ok(()),
        }
    }
}

/// What of a mandate is stored otherwise than told.
fn differs(told: &Mandate, stored: &Mandate) -> Option<&'static str> {
    if told == stored {
        None
    } else if told.state.name() != stored.state.name() {
        Some("the state")
    } else if told.terms != stored.terms {
        Some("the terms")
    } else if told.state != stored.state {
        Some("a fact or instant of the state")
    } else {
        Some("the proposal")
    }
}
