//! How the row of a fact stands, as one keyed hash over its columns: the entry that makes a row what it is tells the hash,
//! and verification holds the row against the last one told. It says nothing to whoever lacks the key.

use crate::crypto::{KeyStore, to_hex};
use crate::mandate::{
    AidantId, AnomalyState, AuditorId, EventId, GlassState, Instant, MandateId, OrganisationId, ProcedureId,
    Reach, RepresentationId, SampleId, UsagerId,
};
use crate::storage::anomalies::{AnomalyRow, Author, CommentRow};
use crate::storage::askings::AskingRow;
use crate::storage::audit_grants::GrantRow;
use crate::storage::auditors::ReadingRow;
use crate::storage::break_glass::GlassRow;
use crate::storage::cards::CardRow;
use crate::storage::contacts::ContactRow;
use crate::storage::cosigned::CosignedRow;
use crate::storage::notices::NoticeRow;
use crate::storage::samples::{AnswerRow, SampleRow};

/// How a row stands after an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stands {
    /// Its table and its identifier, a space between.
    pub(super) row: String,
    /// Its version: of two entries the one of the higher version is the later.
    pub(super) version: i64,
    /// The keyed hash over every column but the entry's.
    pub(super) hash: String,
}

impl Stands {
    fn of(keys: &KeyStore, (table, id, version): (&str, &str, i64), columns: &[&str]) -> Self {
        let number = version.to_string();
        let columns = [&[id, &number], columns].concat();
        let hash = keys.index().keyed_hash(&format!("stands/{table}"), &columns);
        Self { row: format!("{table} {id}"), version, hash }
    }
}

fn at(instant: Instant) -> String {
    instant.micros().to_string()
}

/// What is not there differs from what is empty.
fn maybe(value: Option<impl AsRef<str>>) -> String {
    value.map(|value| format!("={}", value.as_ref())).unwrap_or_default()
}

fn maybe_at(instant: Option<Instant>) -> String {
    maybe(instant.map(at))
}

/// What a grant names, as [`grant`] takes it: kind, identifier, and how entries are found by it.
pub(super) fn names(keys: &KeyStore, reach: &Reach) -> Vec<String> {
    let Reach::Named { organisations, mandates } = reach else { return Vec::new() };
    let line = |kind: &str, id: &str| format!("{kind} {id} {}", keys.index().blind(kind, &[id]));
    let organisations = organisations.iter().map(|id| line("organisation", id.as_str()));
    organisations.chain(mandates.iter().map(|id| line("mandate", id.as_str()))).collect()
}

/// A grant with what it names.
pub(super) fn grant(keys: &KeyStore, row: &GrantRow, mut names: Vec<String>) -> Stands {
    let grant = &row.grant;
    let reach = match &grant.reach {
        Reach::Everything => "everything",
        Reach::Named { .. } => "named",
    };
    names.sort();
    let (from, until) = (at(grant.from), at(grant.until));
    let (given, ends, revoked) = (at(grant.given_at), at(grant.ends_at), maybe_at(grant.revoked_at));
    let columns = [
        grant.auditor.as_str(),
        reach,
        grant.slots.as_str(),
        &from,
        &until,
        &given,
        &ends,
        &revoked,
        &names.join("\n"),
    ];
    Stands::of(keys, ("audit_grant", grant.id.as_str(), row.version), &columns)
}

/// A count of cosignatures.
pub(super) fn cosigned(keys: &KeyStore, row: &CosignedRow) -> Stands {
    Stands::of(keys, ("cosigned", &at(row.until), 1), &[&row.total.to_string(), &row.digest])
}

/// The card that ends a mandate.
pub(super) fn card(keys: &KeyStore, row: &CardRow) -> Stands {
    let (hash, sealed) = row.code.as_ref().map(|(hash, sealed)| (hash, to_hex(sealed))).unzip();
    let (made, tries) = (at(row.made_at), row.tries);
    let columns = [
        maybe(hash),
        maybe(sealed),
        made,
        tries.failures.to_string(),
        tries.locks.to_string(),
        maybe_at(tries.locked_until),
    ];
    let id = ("revocation_card", row.mandate.as_str(), row.version);
    Stands::of(keys, id, &columns.each_ref().map(String::as_str))
}

/// How a usager is asked for their consent.
pub(super) fn asking(keys: &KeyStore, row: &AskingRow) -> Stands {
    let columns = [
        row.channel.as_str().to_owned(),
        row.delivery.as_str().to_owned(),
        maybe(row.usager.as_ref().map(UsagerId::as_str)),
        maybe(row.code_hash.as_deref()),
        to_hex(&row.sealed),
        maybe(row.scan_hash.as_deref()),
        row.asked_by.as_str().to_owned(),
        at(row.asked_at),
        row.failures.to_string(),
        maybe_at(row.answered_at),
        maybe(row.confirmed_by.as_ref().map(AidantId::as_str)),
    ];
    let id = ("asking", row.mandate.as_str(), row.version);
    Stands::of(keys, id, &columns.each_ref().map(String::as_str))
}

/// A stated purpose.
pub(super) fn reading(keys: &KeyStore, row: &ReadingRow) -> Stands {
    let (purpose, opened, closed) = (to_hex(&row.purpose_sealed), at(row.opened_at), maybe_at(row.closed_at));
    let columns = [row.auditor.as_str(), &purpose, &opened, &closed];
    Stands::of(keys, ("reading", row.id.as_str(), row.version), &columns)
}

/// A request for content.
pub(super) fn glass(keys: &KeyStore, row: &GlassRow) -> Stands {
    let glass = &row.glass;
    let (by, decided) = match &glass.state {
        GlassState::Asked => (None, None),
        GlassState::Open { by, at } | GlassState::Refused { by, at } => (Some(by), Some(*at)),
        GlassState::Lapsed { at } => (None, Some(*at)),
    };
    let mandate = maybe(glass.mandate.as_ref().map(MandateId::as_str));
    let entry = maybe(glass.entry.as_ref().map(EventId::as_str));
    let (reason, asked) = (to_hex(&row.reason_sealed), at(glass.asked_at));
    let columns = [
        glass.auditor.as_str(),
        glass.reading.as_str(),
        &mandate,
        &entry,
        &reason,
        glass.state.as_str(),
        &asked,
        &maybe(by.map(AuditorId::as_str)),
        &maybe_at(decided),
    ];
    Stands::of(keys, ("break_glass", glass.id.as_str(), row.version), &columns)
}

/// A sample.
pub(super) fn sample(keys: &KeyStore, row: &SampleRow) -> Stands {
    let drawn: Vec<_> = row.drawn.iter().map(EventId::as_str).collect();
    let columns = [
        row.auditor.as_str(),
        row.reading.as_str(),
        &row.parameters,
        &row.checkpoint_size.to_string(),
        &row.seed.to_string(),
        &row.population.to_string(),
        &drawn.join("\n"),
        &at(row.drawn_at),
    ];
    Stands::of(keys, ("audit_sample", row.id.as_str(), row.version), &columns)
}

/// The answers about one entry of a sample.
pub(super) fn answer(keys: &KeyStore, sample: &SampleId, row: &AnswerRow) -> Stands {
    let id = format!("{sample} {}", row.event);
    let note = maybe(row.note_sealed.as_deref().map(to_hex));
    let (answers, answered) = (row.answers.to_text(), at(row.answered_at));
    let columns = [answers.as_str(), &note, &answered];
    Stands::of(keys, ("audit_answer", &id, row.version), &columns)
}

/// What a rule of the watch found.
pub(super) fn anomaly(keys: &KeyStore, row: &AnomalyRow) -> Stands {
    let (anomaly, finding) = (&row.anomaly, &row.anomaly.finding);
    let (state, by, closed, reason) = match &anomaly.state {
        AnomalyState::Open => ("open", None, None, None),
        AnomalyState::Closed { by, at, reason } => ("closed", Some(by), Some(*at), Some(reason.as_str())),
    };
    let entries: Vec<_> = finding.entries.iter().map(EventId::as_str).collect();
    let columns = [
        finding.rule.as_str(),
        &anomaly.subject,
        &finding.measured.to_string(),
        &finding.threshold.to_string(),
        &finding.span.to_string(),
        &entries.join("\n"),
        &maybe(anomaly.organisation.as_ref().map(OrganisationId::as_str)),
        &maybe(anomaly.aidant.as_ref().map(AidantId::as_str)),
        &maybe(anomaly.mandate.as_ref().map(MandateId::as_str)),
        &at(anomaly.at),
        &at(anomaly.raised_at),
        state,
        &maybe(by.map(AuditorId::as_str)),
        &maybe_at(closed),
        &maybe(reason),
    ];
    Stands::of(keys, ("anomaly", anomaly.id.as_str(), row.version), &columns)
}

/// What somebody said about an anomaly.
pub(super) fn comment(keys: &KeyStore, row: &CommentRow) -> Stands {
    let (role, author) = match &row.author {
        Author::Auditor(id) => ("auditor", id.as_str()),
        Author::Referent(id) => ("referent", id.as_str()),
    };
    let columns = [row.anomaly.as_str(), role, author, &to_hex(&row.text_sealed), &at(row.at)];
    Stands::of(keys, ("anomaly_comment", row.id.as_str(), row.version), &columns)
}

/// How a usager chose to be told.
pub(super) fn contact(keys: &KeyStore, row: &ContactRow) -> Stands {
    let columns = [row.channel.as_str(), &to_hex(&row.sealed)];
    Stands::of(keys, ("contact", row.usager.as_str(), row.version), &columns)
}

/// What a usager is told, and how far the telling has come.
pub(super) fn notice(keys: &KeyStore, row: &NoticeRow) -> Stands {
    let columns = [
        row.usager.as_str(),
        &row.number.to_string(),
        row.kind.as_str(),
        row.mandate.as_str(),
        &maybe(row.representation.as_ref().map(RepresentationId::as_str)),
        &maybe(row.procedure.as_ref().map(ProcedureId::as_str)),
        row.channel.as_str(),
        row.state.as_str(),
        &maybe(row.code.as_deref()),
        &at(row.created_at),
        &maybe_at(row.settled_at),
    ];
    Stands::of(keys, ("notice", row.id.as_str(), row.version), &columns)
}
