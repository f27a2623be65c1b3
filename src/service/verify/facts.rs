//! The cards of mandates, the facts of the auditor's desk, of the watch and of the witnesses' counts: each row against the last entry that tells how it stands. None was added,
//! and none removed.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::mandate::{EventId, EventKind, Instant, MandateId};
use crate::service::Error;
use crate::service::facts::{self, Stands};
use crate::storage::data_keys::KeyKind;
use crate::storage::{
    Snapshot, anomalies, askings, audit_grants, auditors, break_glass, cards, contacts, cosigned, held,
    journal, notices, samples,
};
use std::collections::HashMap;

const PAGE: u32 = 500;

/// How rows stand as the last entry about each tells, by table and identifier.
#[derive(Default)]
pub(super) struct Facts(HashMap<String, Kept>);

struct Kept {
    event: String,
    at: Instant,
    version: i64,
    hash: String,
}

/// How long the entries about a row are kept.
enum Life {
    /// For ever.
    Ever,
    /// For a year.
    Year,
    /// As long as the history of this mandate.
    Mandate(MandateId),
    /// As long as the history of the mandate they are about, if any.
    About,
}

impl Life {
    fn of_mandate(mandate: Option<&MandateId>) -> Self {
        mandate.map_or(Self::Ever, |mandate| Self::Mandate(mandate.clone()))
    }
}

/// Whether entries of that kind tell how a row stands.
pub(super) const fn tells(kind: EventKind) -> bool {
    told_nothing_once(kind)
        || tells_of_telling(kind)
        || matches!(
            kind,
            EventKind::MandateAccepted
                | EventKind::ConsentAsked
                | EventKind::AskingSent
                | EventKind::AskingNotSent
                | EventKind::AskingRefused
                | EventKind::AskingLocked
                | EventKind::ConsentAnswered
                | EventKind::ConsentRejected
                | EventKind::MandateConsented
                | EventKind::MandateRefused
                | EventKind::CardMade
                | EventKind::CardRefused
                | EventKind::CardLocked
                | EventKind::RetentionRun
        )
}

/// Of these kinds, those of which an entry from before they told tells nothing.
const fn told_nothing_once(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::GrantGiven
            | EventKind::GrantRevoked
            | EventKind::PurposeStated
            | EventKind::ContentAsked
            | EventKind::ContentApproved
            | EventKind::ContentRefused
            | EventKind::ContentLapsed
            | EventKind::SampleDrawn
            | EventKind::SampleAnswered
            | EventKind::AnomalyRaised
            | EventKind::AnomalyCommented
            | EventKind::AnomalyClosed
            | EventKind::JournalCosigned
    )
}

/// Of what usagers are told: entries have told it since there is such a row, so that none stands without.
const fn tells_of_telling(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::ContactChosen
            | EventKind::PersonErased
            | EventKind::RepresentationClosed
            | EventKind::MandateEnded
            | EventKind::ProcedureWithdrawn
            | EventKind::NoticeDue
            | EventKind::NoticeSent
            | EventKind::NoticeNotSent
            | EventKind::NoticeHandedOver
    )
}

impl Facts {
    /// Notes what an entry says.
    pub(super) fn note(&mut self, event: &str, told: &Told) {
        for Stands { row, version, hash } in told.stands() {
            if self.0.get(&row).is_none_or(|kept| kept.version <= version) {
                let (event, at) = (event.to_owned(), told.entry.at());
                self.0.insert(row, Kept { event, at, version, hash });
            }
        }
    }
}

/// Rows held against what was told.
struct Checked<'a> {
    openings: &'a mut Openings,
    told: Facts,
    report: &'a mut Report,
}

/// Goes through the rows of a table, page by page.
macro_rules! each {
    ($checked:ident, $snapshot:ident, $page:path, $first:expr, |$row:ident| $key:expr, $stands:expr, $life:expr) => {{
        let mut after = $first;
        loop {
            let page = $page($snapshot, &after, PAGE).await?;
            let Some(($row, _)) = page.last() else { break };
            after = $key;
            for ($row, behind) in page {
                let stands = $stands;
                $checked.hold($snapshot, stands, &behind, $life).await?;
            }
        }
    }};
}

/// Holds every row against its entry, and finds the entries whose row was removed.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    told: Facts,
    report: &mut Report,
) -> Result<(), Error> {
    let mut checked = Checked { openings, told, report };
    checked.cards(snapshot).await?;
    checked.askings(snapshot).await?;
    checked.desk(snapshot).await?;
    checked.watch(snapshot).await?;
    checked.told(snapshot).await?;
    checked.counts(snapshot).await?;
    for grant in held::stray_names(snapshot).await? {
        let row = format!("audit_grant {grant}");
        checked.report.add(Finding::Fact { row, what: "what it names stands there without it" });
    }
    for row in checked.told.0.into_keys() {
        checked.report.add(Finding::Fact { row, what: "it was removed" });
    }
    Ok(())
}

impl Checked<'_> {
    async fn cards(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        each!(
            self,
            snapshot,
            cards::page,
            String::new(),
            |row| row.mandate.to_string(),
            facts::card(&keys, &row),
            Life::Mandate(row.mandate.clone())
        );
        Ok(())
    }

    async fn askings(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        each!(
            self,
            snapshot,
            askings::page,
            String::new(),
            |row| row.mandate.to_string(),
            facts::asking(&keys, &row),
            Life::Mandate(row.mandate.clone())
        );
        Ok(())
    }

    async fn desk(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        let none = String::new;
        each!(
            self,
            snapshot,
            audit_grants::page,
            none(),
            |row| row.grant.id.to_string(),
            {
                let names = audit_grants::names(snapshot, &row.grant.id).await?;
                facts::grant(&keys, &row, names)
            },
            Life::Ever
        );
        each!(
            self,
            snapshot,
            auditors::readings,
            none(),
            |row| row.id.to_string(),
            facts::reading(&keys, &row),
            Life::Year
        );
        each!(
            self,
            snapshot,
            break_glass::page,
            none(),
            |row| row.glass.id.to_string(),
            facts::glass(&keys, &row),
            Life::of_mandate(row.glass.mandate.as_ref())
        );
        each!(
            self,
            snapshot,
            samples::page,
            none(),
            |row| row.id.to_string(),
            facts::sample(&keys, &row),
            Life::Ever
        );
        each!(
            self,
            snapshot,
            samples::answers_page,
            (none(), none()),
            |row| (row.0.to_string(), row.1.event.to_string()),
            facts::answer(&keys, &row.0, &row.1),
            Life::About
        );
        Ok(())
    }

    async fn watch(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        let none = String::new;
        each!(
            self,
            snapshot,
            anomalies::page,
            none(),
            |row| row.anomaly.id.to_string(),
            facts::anomaly(&keys, &row),
            Life::of_mandate(row.anomaly.mandate.as_ref())
        );
        each!(
            self,
            snapshot,
            anomalies::comments_page,
            none(),
            |row| row.id.to_string(),
            facts::comment(&keys, &row),
            Life::About
        );
        Ok(())
    }

    async fn told(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        let none = String::new;
        each!(
            self,
            snapshot,
            contacts::page,
            none(),
            |row| row.usager.to_string(),
            facts::contact(&keys, &row),
            Life::Year
        );
        each!(
            self,
            snapshot,
            notices::page,
            none(),
            |row| row.id.to_string(),
            facts::notice(&keys, &row),
            Life::Mandate(row.mandate.clone())
        );
        Ok(())
    }

    async fn counts(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let keys = self.openings.shared_keys();
        let mut after = None;
        loop {
            let page = cosigned::page(snapshot, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.until);
            for (row, behind) in page {
                self.hold(snapshot, facts::cosigned(&keys, &row), &behind, Life::Ever).await?;
            }
        }
    }

    async fn hold(
        &mut self,
        snapshot: &mut Snapshot,
        stands: Stands,
        behind: &str,
        life: Life,
    ) -> Result<(), Error> {
        let kept = self.told.0.remove(&stands.row);
        let what = match &kept {
            Some(kept) if kept.event == behind && kept.hash == stands.hash => return Ok(()),
            Some(kept) if kept.event == behind => "it is not what its last entry tells",
            _ if self.may_stand(snapshot, &stands, behind, kept.as_ref(), life).await? => return Ok(()),
            Some(_) => "it carries another entry than the last that tells of it",
            None => "it stands there without an entry that tells of it",
        };
        self.report.add(Finding::Fact { row: stands.row, what });
        Ok(())
    }

    /// Whether a row may stand with that entry behind it, which is not the last that has a place and tells of it: one that
    /// waits for its place and tells of it, one that is past its time, or one from before entries told how rows stand.
    async fn may_stand(
        &mut self,
        snapshot: &mut Snapshot,
        stands: &Stands,
        behind: &str,
        kept: Option<&Kept>,
        life: Life,
    ) -> Result<bool, Error> {
        let Ok(event) = EventId::parse(behind) else { return Ok(false) };
        let Some(entry) = journal::entry(snapshot, &event).await? else { return Ok(false) };
        match (Told::read(snapshot, self.openings, &event, &entry.entry).await?, entry.leaf) {
            (Some(told), None) => Ok(told.stands().contains(stands)),
            (Some(told), Some(_)) => {
                let silent = told.kind().is_some_and(told_nothing_once);
                let before = silent && told.is_done() && told.stands().is_empty();
                Ok(kept.is_none() && before)
            }
            (None, Some(_)) if self.openings.is_past(entry.at) => self.is_past(snapshot, kept, life).await,
            (None, _) => Ok(false),
        }
    }

    async fn is_past(&self, snapshot: &mut Snapshot, kept: Option<&Kept>, life: Life) -> Result<bool, Error> {
        Ok(match life {
            Life::Ever => false,
            Life::Year => kept.is_none_or(|kept| self.openings.is_past(kept.at)),
            Life::About => kept.is_none(),
            Life::Mandate(id) => {
                let key = self.openings.key_of(snapshot, KeyKind::Mandate, id.as_str()).await?;
                kept.is_none() && key.is_none()
            }
        })
    }
}
