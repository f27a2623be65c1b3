//! What is kept no longer than its class allows (contract journal.md, 4.7): openings and search rows of the class
//! *technical* for a year, those of a mandate until six years after its end (Code pénal: the time in which an abuse can
//! be prosecuted). The leaves stay, and what was destroyed is counted in an entry of the same transaction.

use super::{App, Caller, Error, Record, asking, card, erase, facts};
use crate::mandate::{EventKind, Instant, MandateId, Retention};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::search::{self, Filter, Found};
use crate::storage::{Snapshot, Tx, askings, journal, papers};
use std::sync::Arc;
use time::Duration;

/// How long openings of the class *technical* are kept.
pub const TECHNICAL: Duration = Duration::days(365);
/// How long after its end what a mandate's entries tell is kept: six years, leap days included.
pub const EVIDENCE: Duration = Duration::days(6 * 365 + 2);
/// Entries destroyed in one transaction.
const ENTRIES: u32 = 500;
/// Mandates destroyed in one transaction.
const MANDATES: u32 = 20;

/// What one run destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    /// Openings.
    pub openings: u64,
    /// Entries nobody can open or find any more.
    pub entries: u64,
    /// Mandates whose key is gone.
    pub mandates: u64,
    /// Persons without any mandate within its time, erased.
    pub persons: u64,
}

impl Run {
    /// Whether nothing was past its time.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    fn told(self, class: Retention) -> Record {
        Record::done(EventKind::RetentionRun)
            .detail("class", class.as_str())
            .detail("openings", self.openings)
            .detail("entries", self.entries)
            .detail("mandates", self.mandates)
            .detail("persons", self.persons)
    }
}

/// Destroys one batch of each class; call again until nothing is left.
///
/// # Errors
/// [`Error::Store`].
pub async fn run(app: &App) -> Result<Run, Error> {
    let technical = technical(app).await?;
    let evidence = evidence(app).await?;
    Ok(Run {
        openings: technical.openings + evidence.openings,
        entries: technical.entries + evidence.entries,
        ..evidence
    })
}

async fn technical(app: &App) -> Result<Run, Error> {
    let before = app.now().plus(-TECHNICAL);
    let due = app
        .store
        .read("retention.technical", move |snapshot| {
            Box::pin(async move { past(snapshot, before).await.map(|due| !due.is_empty()) })
        })
        .await?;
    if !due {
        return Ok(Run::default());
    }
    let (app_, now) = (Arc::clone(app), app.now());
    app.commit("retention.technical", move |tx| {
        let app = Arc::clone(&app_);
        Box::pin(async move {
            let mut run = Run::default();
            for found in past(tx, before).await? {
                destroy(tx, &found, &mut run).await?;
            }
            run.told(Retention::Technical).append(&app, tx, &Caller::default(), now).await?;
            Ok(run)
        })
    })
    .await
}

/// Entries of the class *technical* from before that instant.
async fn past(snapshot: &mut Snapshot, before: Instant) -> Result<Vec<Found>, Error> {
    let kinds = EventKind::ALL.iter().filter(|kind| kind.retention() == Retention::Technical);
    let mut all = Vec::new();
    for kind in kinds {
        let wanted = Filter { kind: Some(*kind), ..Filter::period(Instant::from_micros(i64::MIN), before) };
        let room = ENTRIES.saturating_sub(u32::try_from(all.len()).unwrap_or(u32::MAX));
        if room == 0 {
            break;
        }
        all.extend(search::find(snapshot, &wanted, None, room).await?.found);
    }
    Ok(all)
}

async fn destroy(tx: &mut Tx, found: &Found, run: &mut Run) -> Result<(), Error> {
    run.openings += journal::destroy_openings_of(tx, &found.event_id).await?;
    run.entries += 1;
    Ok(search::forget(tx, &found.event_id).await?)
}

async fn evidence(app: &App) -> Result<Run, Error> {
    let before = app.now().plus(-EVIDENCE);
    let due = app
        .store
        .read("retention.evidence", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(mandates::over_since(snapshot, before, MANDATES).await?) })
        })
        .await?;
    if due.is_empty() {
        return Ok(Run::default());
    }
    let (app_, now, due_) = (Arc::clone(app), app.now(), due.clone());
    let run = app
        .commit("retention.evidence", move |tx| {
            let (app, due) = (Arc::clone(&app_), due_.clone());
            Box::pin(async move { mandates_past(&app, tx, &due, now).await })
        })
        .await?;
    for mandate in due {
        app.vault.forget(KeyKind::Mandate, mandate.as_str());
    }
    Ok(run)
}

async fn mandates_past(app: &App, tx: &mut Tx, due: &[MandateId], now: Instant) -> Result<Run, Error> {
    let (mut run, mut rows) = (Run::default(), Vec::new());
    for id in due {
        let Some(row) = mandates::load(tx, id).await? else { continue };
        history(app, tx, id, &mut run).await?;
        rows.push(row);
    }
    let mut persons: Vec<_> = rows.iter().filter_map(|row| row.mandate.usager().cloned()).collect();
    for row in &rows {
        // Who was asked and never answered was declared for that alone.
        let asked = askings::load(tx, &row.mandate.id).await?.and_then(|asking| asking.usager);
        persons.extend(asked.filter(|_| row.mandate.usager().is_none()));
    }
    for person in persons {
        let own = mandates::of_usager(tx, &person).await?;
        let mut kept = false;
        for asking in askings::of_usager(tx, &person).await? {
            kept |= data_keys::of_subject(tx, KeyKind::Mandate, asking.mandate.as_str()).await?.is_some();
        }
        for row in &own {
            kept |= data_keys::of_subject(tx, KeyKind::Mandate, row.mandate.id.as_str()).await?.is_some();
        }
        if !kept
            && matches!(erase::run(app, tx, &person, now).await?, Ok(erased) if erased.mandates + erased.openings > 0)
        {
            app.vault.forget(KeyKind::Usager, person.as_str());
            run.persons += 1;
        }
    }
    let (mut record, mut emptied) = (run.told(Retention::Evidence), Vec::new());
    let mut cleared = Vec::new();
    for row in &rows {
        if let Some((before, after)) = asking::cleared(tx, &row.mandate.id).await? {
            record = record.stands(facts::asking(&app.keys, &after));
            cleared.push((before, after));
        }
        if let Some((before, after)) = card::emptied(tx, &row.mandate.id).await? {
            record = record.stands(facts::card(&app.keys, &after));
            emptied.push((before, after));
        }
    }
    let event = record.append(app, tx, &Caller::default(), now).await?;
    for one in emptied {
        card::store(tx, Some(one), &event).await?;
    }
    for one in cleared {
        asking::store(tx, Some(one), &event).await?;
    }
    for row in rows {
        let after = MandateRow { verification_code_hash: None, ..row.clone() };
        mandates::update(tx, &row, &after, &event).await?;
    }
    Ok(run)
}

/// Destroys everything a mandate's entries tell, and its key.
async fn history(app: &App, tx: &mut Tx, id: &MandateId, run: &mut Run) -> Result<(), Error> {
    let blind = app.keys.index().blind("mandate", &[id.as_str()]);
    let ever = Filter::period(Instant::from_micros(i64::MIN), Instant::from_micros(i64::MAX));
    let wanted = Filter { mandate: Some(blind), ..ever };
    loop {
        let found = search::find(tx, &wanted, None, ENTRIES).await?.found;
        if found.is_empty() {
            break;
        }
        for one in found {
            destroy(tx, &one, run).await?;
        }
    }
    papers::erase(tx, id).await?;
    if let Some(key) = data_keys::of_subject(tx, KeyKind::Mandate, id.as_str()).await? {
        run.openings += journal::destroy_openings(tx, &key.id).await?;
        data_keys::destroy(tx, &key.id).await?;
        run.mandates += 1;
    }
    Ok(())
}
