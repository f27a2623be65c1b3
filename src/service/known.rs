//! When each party learned that a mandate had ended: "ended at" and "known at" are two facts (Code civil art. 2005, 2008).
//! Whoever ended it knows by that. Of the others the first sight is an entry in the mandate's own history: of the
//! organisation and the usager when they are shown it, of a service when it is refused for it.

use super::steps::{self, Actor};
use super::{App, Caller, Error, Record, record};
use crate::mandate::{ClientId, EndReason, EventKind, Instant, State};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::mandates::MandateRow;
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, Tx};
use serde_json::Value;

/// More parties than a mandate's ending has been told to.
const MOST_PARTIES: u32 = 500;

/// How the entry names the organisation.
pub(super) const ORGANISATION: &str = ":organisation";
/// How it names the usager.
pub(super) const USAGER: &str = ":usager";

/// Who learns of an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Party<'a> {
    Organisation,
    Usager,
    Service(&'a ClientId),
}

impl Party<'_> {
    /// How its entry names it: a service's identifier holds no colon.
    fn name(self) -> String {
        match self {
            Self::Organisation => ORGANISATION.to_owned(),
            Self::Usager => USAGER.to_owned(),
            Self::Service(id) => id.to_string(),
        }
    }

    /// Whether a mandate that ended for that reason was ended by this party.
    const fn ended_it(self, reason: EndReason) -> bool {
        match reason {
            EndReason::Revoked => matches!(self, Self::Usager),
            EndReason::Renounced | EndReason::EndedByOrganisation => matches!(self, Self::Organisation),
            EndReason::Expired | EndReason::Deceased | EndReason::Protected => false,
        }
    }
}

/// Notes, within a write, that a party sees a mandate that has ended; nothing when it has not, or they knew.
pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    party: Party<'_>,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let State::Ended { reason, .. } = row.mandate.state else { return Ok(()) };
    if party.ended_it(reason) || told(app, tx, row, party).await? {
        return Ok(());
    }
    let record = Record::done(EventKind::EndingKnown).detail("party", party.name());
    let record = match party {
        Party::Service(client) => record.client(client),
        Party::Organisation | Party::Usager => record,
    };
    steps::note(app, tx, row, record, by).await.map(drop)
}

/// Whether the mandate's history tells of it already, or is past its time.
async fn told(app: &App, snapshot: &mut Snapshot, row: &MandateRow, party: Party<'_>) -> Result<bool, Error> {
    let id = row.mandate.id.as_str();
    if data_keys::of_subject(snapshot, KeyKind::Mandate, id).await?.is_none() {
        return Ok(true);
    }
    let ever = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
    let mandate = Some(app.keys.index().blind("mandate", &[id]));
    let wanted = Filter { kind: Some(EventKind::EndingKnown), mandate, ..ever };
    for found in search::find(snapshot, &wanted, None, MOST_PARTIES).await?.found {
        let act = record::act(app, snapshot, &found.event_id).await?.unwrap_or_default();
        if act.pointer("/detail/party").and_then(Value::as_str) == Some(party.name().as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}
