//! The watch: looks at each entry once it has its place, counts what the rules of [`Thresholds`] ask for, and raises
//! what they find, each once, with its entry. Also finds what did not happen: mandates nobody uses, look-ups nothing
//! follows.
//!
//! [`Thresholds`]: crate::mandate::Thresholds

mod look;

use super::{App, Caller, Error, Record, facts};
use crate::mandate::{
    AidantId, Anomaly, AnomalyId, AnomalyState, EventId, EventKind, Finding, Instant, MandateId,
    OrganisationId,
};
use crate::storage::anomalies::AnomalyRow;
use crate::storage::watch::{self, Mark};
use crate::storage::{StoreError, Tx, anomalies, search};
use std::sync::Arc;
use time::Duration;

/// Entries looked at in one step.
const BATCH: u64 = 500;
/// Steps in one round: what is left waits for the next one.
const STEPS: u32 = 20;
/// A device is remembered for this long.
const DEVICE: Duration = Duration::days(1);

/// What was seen in one step.
struct Seen {
    from: Mark,
    to: Mark,
    raised: Vec<Raised>,
    devices: Vec<Device>,
}

/// What a rule found, and about whom or what.
struct Raised {
    finding: Finding,
    subject: String,
    organisation: Option<OrganisationId>,
    aidant: Option<AidantId>,
    mandate: Option<MandateId>,
    at: Instant,
}

/// That a usager signed in from a device; both by blind index.
struct Device {
    name: String,
    usager: String,
    at: Instant,
    event: EventId,
}

/// Looks at what happened since the last round.
///
/// # Errors
/// [`Error::Store`].
pub async fn round(app: &App) -> Result<(), Error> {
    for _ in 0..STEPS {
        if !step(app).await? {
            break;
        }
    }
    Ok(())
}

/// One step; whether there may be more to look at.
async fn step(app: &App) -> Result<bool, Error> {
    let (app_, now) = (Arc::clone(app), app.now());
    let looked = app.store.read("watch.look", move |snapshot| {
        Box::pin(async move { look::around(&app_, snapshot, now).await })
    });
    let seen = Arc::new(looked.await?);
    if seen.from == seen.to {
        return Ok(false);
    }
    let more = seen.to.leaf >= seen.from.leaf + BATCH;
    let app_ = Arc::clone(app);
    let written = app.commit("watch.raise", move |tx| {
        let (app, seen) = (Arc::clone(&app_), Arc::clone(&seen));
        Box::pin(async move { write(&app, tx, &seen, now).await })
    });
    match written.await {
        // Another process looked at the same.
        Err(Error::Store(StoreError::Conflict { .. })) => Ok(false),
        Err(error) => Err(error),
        Ok(()) => Ok(more),
    }
}

async fn write(app: &App, tx: &mut Tx, seen: &Seen, now: Instant) -> Result<(), Error> {
    watch::advance(tx, seen.from, seen.to).await?;
    for device in &seen.devices {
        // Whoever was erased meanwhile is not written down again.
        let known = search::of(tx, &device.event).await?.is_some_and(|found| found.search.usager.is_some());
        if known {
            watch::seen_at(tx, &device.name, &device.usager, device.at).await?;
        }
    }
    watch::forget_before(tx, now.plus(-DEVICE)).await?;
    for raised in &seen.raised {
        raise(app, tx, raised, now).await?;
    }
    Ok(())
}

async fn raise(app: &App, tx: &mut Tx, raised: &Raised, now: Instant) -> Result<(), Error> {
    let finding = &raised.finding;
    let last = anomalies::last(tx, finding.rule, &raised.subject).await?;
    if last.is_some_and(|row| row.anomaly.is_open().is_ok()) {
        return Ok(());
    }
    let anomaly = Anomaly {
        id: AnomalyId::from_bytes(app.new_id()?),
        finding: finding.clone(),
        subject: raised.subject.clone(),
        organisation: raised.organisation.clone(),
        aidant: raised.aidant.clone(),
        mandate: raised.mandate.clone(),
        at: raised.at,
        raised_at: now,
        state: AnomalyState::Open,
    };
    let record = about(Record::done(EventKind::AnomalyRaised), &anomaly)
        .detail("measured", finding.measured)
        .detail("threshold", finding.threshold);
    let record = match &anomaly.aidant {
        Some(aidant) => record.aidant(aidant),
        None => record,
    };
    let row = AnomalyRow { anomaly, version: 1 };
    let record = record.stands(facts::anomaly(&app.keys, &row));
    let event = record.append(app, tx, &Caller::default(), now).await?;
    Ok(anomalies::insert(tx, &row.anomaly, &event).await?)
}

/// What every entry about an anomaly tells of it.
pub(super) fn about(record: Record, anomaly: &Anomaly) -> Record {
    let record = record.detail("anomaly", anomaly.id.as_str()).detail("rule", anomaly.finding.rule.as_str());
    let record = match &anomaly.organisation {
        Some(organisation) => record.organisation(organisation),
        None => record,
    };
    match &anomaly.mandate {
        Some(mandate) => record.about(mandate),
        None => record,
    }
}
