//! What the rules count: around each new entry, and in what did not happen.

mod disputed;
mod employer;

use super::{BATCH, DEVICE, Device, Raised, Seen};
use crate::journal::{Opening, Slot};
use crate::mandate::{
    AidantId, AnomalyState, EndReason, EventKind, Finding, Instant, LifeFact, MandateId, OrganisationId,
    Outcome, Rule, Share, Standing, Thresholds, Trace,
};
use crate::service::{App, Error, record};
use crate::storage::search::{self, Filter, Found};
use crate::storage::watch::{self, Mark};
use crate::storage::{Snapshot, aidants, anomalies};
use serde_json::Value;
use std::collections::BTreeSet;
use time::Duration;

/// What was written by then is counted on to be there: no request takes longer.
const SETTLED: Duration = Duration::minutes(1);
/// What did not happen is looked for this often.
const ABSENCE_EVERY: Duration = Duration::minutes(1);
/// Entries counted around one, at most.
const AROUND: u32 = 500;
/// Mandates nobody used that are taken up in one step.
const UNUSED: u32 = 200;
/// Days a habit is looked for in: long enough for the rare consents of a small place.
const HABIT: Duration = Duration::days(90);
const DAY: Duration = Duration::days(1);

pub(super) async fn around(app: &App, snapshot: &mut Snapshot, now: Instant) -> Result<Seen, Error> {
    let from = watch::mark(snapshot).await?;
    let leaf = watch::length(snapshot).await?.min(from.leaf + BATCH);
    let mut watcher = Watcher { app, snapshot, rules: &app.watch, raised: Vec::new(), devices: Vec::new() };
    for found in watch::entries(watcher.snapshot, from.leaf, leaf).await? {
        watcher.entry(&found).await?;
    }
    let settled = now.plus(-SETTLED);
    let until = if settled.since(from.until) < ABSENCE_EVERY {
        from.until
    } else {
        watcher.absences(from.until, settled).await?
    };
    let Watcher { raised, devices, .. } = watcher;
    Ok(Seen { from, to: Mark { leaf, until }, raised, devices })
}

/// Whom an entry tells of.
struct Told {
    organisation: Option<OrganisationId>,
    aidant: Option<AidantId>,
    mandate: Option<MandateId>,
    address: Option<String>,
    /// Which other employer the provider named.
    employer: Option<String>,
    fact: Option<LifeFact>,
}

struct Watcher<'a> {
    app: &'a App,
    snapshot: &'a mut Snapshot,
    rules: &'a Thresholds,
    raised: Vec<Raised>,
    devices: Vec<Device>,
}

fn days(count: u32) -> Duration {
    Duration::days(i64::from(count))
}

/// From then on, up to and with this instant.
fn up_to(from: Instant, at: Instant) -> Filter {
    Filter::period(from, at.plus(Duration::MICROSECOND))
}

impl Watcher<'_> {
    async fn entry(&mut self, found: &Found) -> Result<(), Error> {
        match found.search.kind {
            EventKind::RepresentationOpened => self.representation(found).await,
            EventKind::MandateConsented => self.consent(found).await,
            EventKind::MandateEnded => self.ending(found).await,
            EventKind::UsagerSignedIn => self.sign_in(found).await,
            EventKind::AidantSignedIn => self.employer(found).await,
            EventKind::RepresentationDisputed => self.disputed(found).await,
            _ if found.search.outcome == Outcome::Refused => self.refusal(found).await,
            _ => Ok(()),
        }
    }

    async fn told(&mut self, found: &Found) -> Result<Told, Error> {
        let openings = record::openings(self.app, self.snapshot, &found.event_id, |_| true).await?;
        let said = |slot: Slot| -> Value {
            let opening = openings.iter().find(|opening| opening.slot() == slot);
            opening.and_then(Opening::read).unwrap_or_default()
        };
        let (act, aid, ctx) = (said(Slot::Act), said(Slot::Aid), said(Slot::Ctx));
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
        Ok(Told {
            organisation: text(&ctx, "organisation").and_then(|id| OrganisationId::parse(&id).ok()),
            aidant: text(&aid, "aidant").and_then(|id| AidantId::parse(&id).ok()),
            mandate: text(&act, "mandate").and_then(|id| MandateId::parse(&id).ok()),
            address: text(&ctx, "address"),
            employer: act.get("detail").and_then(|detail| text(detail, "employer_index")),
            fact: act.get("fact").and_then(|fact| serde_json::from_value(fact.clone()).ok()),
        })
    }

    /// From when on acts count for a rule about a subject; nothing while an anomaly about it is open.
    async fn since(&mut self, rule: Rule, subject: &str, from: Instant) -> Result<Option<Instant>, Error> {
        if self.raised.iter().any(|raised| raised.finding.rule == rule && raised.subject == subject) {
            return Ok(None);
        }
        let Some(last) = anomalies::last(self.snapshot, rule, subject).await? else { return Ok(Some(from)) };
        Ok(match last.anomaly.state {
            AnomalyState::Open => None,
            // What was looked at and closed does not count again.
            AnomalyState::Closed { at, .. } => Some(from.max(at.plus(Duration::MICROSECOND))),
        })
    }

    async fn traces(&mut self, filter: &Filter) -> Result<Vec<Trace>, Error> {
        let walked = search::find(self.snapshot, filter, None, AROUND).await?;
        let trace = |found: Found| Trace { event: found.event_id, at: found.at, usager: found.search.usager };
        Ok(walked.found.into_iter().rev().map(trace).collect())
    }

    fn raise(&mut self, finding: Option<Finding>, subject: &str, told: &Told, at: Instant) {
        self.raised.extend(finding.map(|finding| Raised {
            finding,
            subject: subject.to_owned(),
            organisation: told.organisation.clone(),
            aidant: told.aidant.clone(),
            mandate: told.mandate.clone(),
            at,
        }));
    }

    /// An aidant opened a representation.
    async fn representation(&mut self, found: &Found) -> Result<(), Error> {
        let (Some(blind), at) = (found.search.aidant.clone(), found.at) else { return Ok(()) };
        let told = Told { mandate: None, ..self.told(found).await? };
        let of_aidant = |from| Filter {
            aidant: Some(blind.clone()),
            kind: Some(EventKind::RepresentationOpened),
            ..up_to(from, at)
        };
        if self.rules.outside_hours > 0
            && !self.rules.opening.covers(at)
            && let Some(since) = self.since(Rule::OutsideHours, &blind, at.plus(-DAY)).await?
        {
            let uses = self.traces(&of_aidant(since)).await?;
            self.raise(self.rules.outside_hours(&uses, at), &blind, &told, at);
        }
        let span = Duration::minutes(i64::from(self.rules.burst_minutes));
        if self.rules.burst > 0
            && let Some(since) = self.since(Rule::Burst, &blind, at.plus(-span)).await?
        {
            let uses = self.traces(&of_aidant(since)).await?;
            self.raise(self.rules.burst(&uses, at), &blind, &told, at);
        }
        if self.rules.used_at_once > 0
            && let Some(aidant) = &told.aidant
            && let Some(since) = self.since(Rule::UsedAtOnce, &blind, at.plus(-HABIT)).await?
        {
            let lately = watch::first_uses(self.snapshot, aidant, since, self.rules.used_at_once).await?;
            self.raise(self.rules.used_at_once(&lately), &blind, &told, at);
        }
        Ok(())
    }

    /// A usager consented.
    async fn consent(&mut self, found: &Found) -> Result<(), Error> {
        let (Some(mandate), Some(aidant), at) =
            (found.search.mandate.clone(), found.search.aidant.clone(), found.at)
        else {
            return Ok(());
        };
        let told = self.told(found).await?;
        let Some(LifeFact::Consented { consent }) = &told.fact else { return Ok(()) };
        let trace = Trace { event: found.event_id.clone(), at: consent.at, usager: None };
        let hasty = self.rules.hasty_consent(consent.identified_at, &trace);
        if hasty.is_some() && self.since(Rule::HastyConsent, &mandate, at).await?.is_some() {
            self.raise(hasty, &mandate, &told, at);
        }
        let (Some(organisation), Some(own)) = (&told.organisation, &told.aidant) else { return Ok(()) };
        let span = days(self.rules.weak_consents_days);
        if self.rules.weak_consents > 0
            && let Some(since) = self.since(Rule::WeakConsents, &aidant, at.plus(-span)).await?
        {
            let (mine, others) = self.shares(organisation, own, since).await?;
            let told = Told {
                mandate: None,
                organisation: Some(organisation.clone()),
                aidant: Some(own.clone()),
                ..told
            };
            self.raise(self.rules.weak_consents(mine, others), &aidant, &told, at);
        }
        Ok(())
    }

    /// The consents one aidant took, and those the others of the organisation took.
    async fn shares(
        &mut self,
        organisation: &OrganisationId,
        aidant: &AidantId,
        since: Instant,
    ) -> Result<(Share, Share), Error> {
        let (mut own, mut others) = (Share::default(), Share::default());
        for consents in watch::consents(self.snapshot, organisation, since).await? {
            let share = if consents.aidant == *aidant { &mut own } else { &mut others };
            share.all += consents.count;
            if self.rules.weak.iter().any(|weak| *weak == consents.level || *weak == consents.channel) {
                share.weak += consents.count;
            }
        }
        Ok((own, others))
    }

    /// A mandate ended: whether its usager revoked it right after it was used.
    async fn ending(&mut self, found: &Found) -> Result<(), Error> {
        let Some(blind) = found.search.mandate.clone() else { return Ok(()) };
        let told = self.told(found).await?;
        if !matches!(told.fact, Some(LifeFact::Ended { reason: EndReason::Revoked })) {
            return Ok(());
        }
        let span = Duration::minutes(i64::from(self.rules.used_before_revocation_minutes));
        let from = found.at.plus(-span);
        let Some(since) = self.since(Rule::UsedBeforeRevocation, &blind, from).await? else { return Ok(()) };
        let kind = Some(EventKind::RepresentationOpened);
        let uses =
            self.traces(&Filter { mandate: Some(blind.clone()), kind, ..up_to(since, found.at) }).await?;
        let finding = self.rules.used_before_revocation(&uses, found.at);
        // The aidant who used it, whoever wrote its end.
        if finding.is_some()
            && let Some(last) = uses.last()
            && let Some(used) = search::of(self.snapshot, &last.event).await?
        {
            let by = self.told(&used).await?;
            self.raise(finding, &blind, &by, found.at);
        }
        Ok(())
    }

    /// A usager signed in to their own space.
    async fn sign_in(&mut self, found: &Found) -> Result<(), Error> {
        let Some(usager) = found.search.usager.clone().filter(|_| self.rules.shared_device > 0) else {
            return Ok(());
        };
        let Some(address) = self.told(found).await?.address else { return Ok(()) };
        let device = self.app.keys.index().blind("device", &[&address]);
        let event = found.event_id.clone();
        self.devices.push(Device { name: device.clone(), usager, at: found.at, event });
        let Some(since) = self.since(Rule::SharedDevice, &device, found.at.plus(-DEVICE)).await? else {
            return Ok(());
        };
        let before = watch::usagers_at(self.snapshot, &device, since).await?;
        let now = self.devices.iter().filter(|one| one.name == device && one.at > since);
        let usagers: BTreeSet<&String> = before.iter().chain(now.map(|one| &one.usager)).collect();
        let finding = self.rules.shared_device(u64::try_from(usagers.len()).unwrap_or(u64::MAX));
        let told = Told {
            organisation: None,
            aidant: None,
            mandate: None,
            address: None,
            employer: None,
            fact: None,
        };
        self.raise(finding, &device, &told, found.at);
        Ok(())
    }

    /// Something was refused to an aidant.
    async fn refusal(&mut self, found: &Found) -> Result<(), Error> {
        let (Some(aidant), Some(organisation)) =
            (found.search.aidant.clone(), found.search.organisation.clone())
        else {
            return Ok(());
        };
        let from = found.at.plus(-days(self.rules.most_refusals_days));
        if self.rules.most_refusals == 0 {
            return Ok(());
        }
        let Some(since) = self.since(Rule::MostRefusals, &aidant, from).await? else { return Ok(()) };
        let by_aidant = watch::refusals(self.snapshot, &organisation, since).await?;
        let all = by_aidant.iter().map(|(_, count)| count).sum();
        let own = by_aidant.iter().find(|(blind, _)| *blind == aidant).map_or(0, |(_, count)| *count);
        if self.rules.most_refusals(own, all, false).is_none() {
            return Ok(());
        }
        let told = Told { mandate: None, ..self.told(found).await? };
        let alone = match &told.organisation {
            Some(id) => {
                let all = aidants::of_organisation(self.snapshot, id).await?;
                all.iter().filter(|row| row.standing == Standing::Active).count() < 2
            }
            None => true,
        };
        self.raise(self.rules.most_refusals(own, all, alone), &aidant, &told, found.at);
        Ok(())
    }

    /// What did not happen, between two looks; until when it was looked for.
    async fn absences(&mut self, from: Instant, until: Instant) -> Result<Instant, Error> {
        let until = self.unused(from, until).await?;
        self.look_ups(from, until).await?;
        Ok(until)
    }

    /// Mandates that have stood for so long without use.
    async fn unused(&mut self, from: Instant, until: Instant) -> Result<Instant, Error> {
        if self.rules.never_used_days == 0 {
            return Ok(until);
        }
        let wait = days(self.rules.never_used_days);
        let found = watch::unused(self.snapshot, from.plus(-wait), until.plus(-wait), UNUSED).await?;
        let reached = match found.last() {
            Some(last) if found.len() >= UNUSED as usize => last.starts_at.plus(wait),
            _ => until,
        };
        for one in found {
            let subject = self.app.keys.index().blind("mandate", &[one.mandate.as_str()]);
            if self.since(Rule::NeverUsed, &subject, one.starts_at).await?.is_none() {
                continue;
            }
            let finding = self.rules.never_used(one.starts_at, until, false);
            let told = Told {
                organisation: Some(one.organisation),
                aidant: Some(one.aidant),
                mandate: Some(one.mandate),
                address: None,
                employer: None,
                fact: None,
            };
            self.raise(finding, &subject, &told, one.starts_at.plus(wait));
        }
        Ok(reached)
    }

    /// Look-ups after which something could have happened, and nothing did.
    async fn look_ups(&mut self, from: Instant, until: Instant) -> Result<(), Error> {
        if self.rules.look_ups_alone == 0 {
            return Ok(());
        }
        let wait = Duration::hours(i64::from(self.rules.look_ups_hours));
        let kind = Some(EventKind::UsagerLookedUp);
        let matured = Filter { kind, ..Filter::period(from.plus(-wait), until.plus(-wait)) };
        let mut looked: Vec<Found> = Vec::new();
        let mut after = None;
        loop {
            let page = search::find(self.snapshot, &matured, after.as_ref(), AROUND).await?;
            looked.extend(page.found);
            match page.reached {
                Some(reached) => after = Some(reached),
                None => break,
            }
        }
        let mut aidants = BTreeSet::new();
        // The latest of each aidant, with what came in the day before it.
        for last in looked {
            if let Some(aidant) = last.search.aidant.clone()
                && aidants.insert(aidant.clone())
            {
                self.look_ups_of(&aidant, &last, wait).await?;
            }
        }
        Ok(())
    }

    async fn look_ups_of(&mut self, aidant: &str, last: &Found, wait: Duration) -> Result<(), Error> {
        let Some(since) = self.since(Rule::LookUpsAlone, aidant, last.at.plus(-DAY)).await? else {
            return Ok(());
        };
        let of =
            |kind, until| Filter { aidant: Some(aidant.to_owned()), kind: Some(kind), ..up_to(since, until) };
        let look_ups = self.traces(&of(EventKind::UsagerLookedUp, last.at)).await?;
        let mut acts = self.traces(&of(EventKind::RepresentationOpened, last.at.plus(wait))).await?;
        acts.extend(self.traces(&of(EventKind::MandateProposed, last.at.plus(wait))).await?);
        let finding = self.rules.look_ups_alone(&look_ups, &acts);
        if finding.is_some() {
            let told = Told { mandate: None, ..self.told(last).await? };
            self.raise(finding, aidant, &told, last.at);
        }
        Ok(())
    }
}
