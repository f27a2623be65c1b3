//! What the rules of the watch found, and what was said about it.

use super::bound::sql;
use super::column::{Columns, lines};
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{
    AidantId, Anomaly, AnomalyId, AnomalyState, AuditorId, Closing, CommentId, EventId, Finding, Instant,
    MandateId, OrganisationId, Rule,
};

const TABLE: &str = "anomaly";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, rule, subject, measured, threshold, span, entries, organisation_id, aidant_id, mandate_id, at, \
             raised_at, state, closed_by, closed_at, reason, version, last_event FROM anomaly WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO anomaly (id, rule, subject, measured, threshold, span, entries, organisation_id, aidant_id, \
        mandate_id, at, raised_at, state, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', 1, $13)";
    LOAD = select!("id = $1");
    LAST = select!("rule = $1 AND subject = $2 ORDER BY raised_at DESC LIMIT 1");
    LATEST = select!("state = $1 AND (raised_at, id) < ($2, $3) ORDER BY raised_at DESC, id DESC \
        LIMIT CAST($4 AS BIGINT)");
    LATEST_OF = select!("organisation_id = $5 AND state = $1 AND (raised_at, id) < ($2, $3) \
        ORDER BY raised_at DESC, id DESC LIMIT CAST($4 AS BIGINT)");
    PAGE = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    COMMENTS_PAGE = "SELECT id, anomaly_id, auditor_id, aidant_id, text_sealed, at, version, last_event FROM anomaly_comment \
        WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)";
    CLOSE = "UPDATE anomaly SET state = 'closed', closed_by = $3, closed_at = $4, reason = $5, version = version + 1, \
        last_event = $6 WHERE id = $1 AND version = $2 AND state = 'open'";
    COMMENT = "INSERT INTO anomaly_comment (id, anomaly_id, auditor_id, aidant_id, text_sealed, at, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7)";
    COMMENTED = "SELECT id, anomaly_id, auditor_id, aidant_id, text_sealed, at, version FROM anomaly_comment WHERE id = $1";
    COMMENTS = "SELECT id, anomaly_id, auditor_id, aidant_id, text_sealed, at, version FROM anomaly_comment \
        WHERE anomaly_id = $1 ORDER BY at, id";
}

/// An anomaly as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnomalyRow {
    /// The anomaly.
    pub anomaly: Anomaly,
    /// Guards changes; 1 when new.
    pub version: i64,
}

/// Who says something about an anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// An auditor.
    Auditor(AuditorId),
    /// A referent of the organisation.
    Referent(AidantId),
}

/// What was said, sealed under its author's key: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CommentRow {
    /// Identifier.
    pub id: CommentId,
    /// About what.
    pub anomaly: AnomalyId,
    /// By whom.
    pub author: Author,
    /// The sealed text.
    pub text_sealed: Vec<u8>,
    /// When.
    pub at: Instant,
    /// Always 1: what was said stays.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<AnomalyRow, StoreError> {
    let closed = (
        row.id_or_none("closed_by")?,
        row.instant_or_none("closed_at")?,
        row.named_or_none("reason", Closing::parse)?,
    );
    let state = match (row.text("state")?.as_str(), closed) {
        ("open", (None, None, None)) => AnomalyState::Open,
        ("closed", (Some(by), Some(at), Some(reason))) => AnomalyState::Closed { by, at, reason },
        _ => return Err(row.inconsistent("state")),
    };
    let entries: Result<Vec<EventId>, _> = row.lines("entries")?.into_iter().map(EventId::try_from).collect();
    let finding = Finding {
        rule: row.named("rule", Rule::parse)?,
        measured: row.count("measured")?,
        threshold: row.count("threshold")?,
        span: row.count("span")?,
        entries: entries.map_err(|_| row.inconsistent("entries"))?,
    };
    let anomaly = Anomaly {
        id: row.id("id")?,
        finding,
        subject: row.text("subject")?,
        organisation: row.id_or_none("organisation_id")?,
        aidant: row.id_or_none("aidant_id")?,
        mandate: row.id_or_none("mandate_id")?,
        at: row.instant("at")?,
        raised_at: row.instant("raised_at")?,
        state,
    };
    Ok(AnomalyRow { anomaly, version: row.number("version")? })
}

fn read_comment(row: &Columns<'_>) -> Result<CommentRow, StoreError> {
    let author = match (row.id_or_none("auditor_id")?, row.id_or_none("aidant_id")?) {
        (Some(auditor), None) => Author::Auditor(auditor),
        (None, Some(aidant)) => Author::Referent(aidant),
        _ => return Err(row.inconsistent("auditor_id")),
    };
    Ok(CommentRow {
        id: row.id("id")?,
        anomaly: row.id("anomaly_id")?,
        author,
        text_sealed: row.bytes("text_sealed")?,
        at: row.instant("at")?,
        version: row.number("version")?,
    })
}

/// Records an anomaly that is open.
pub async fn insert(tx: &mut Tx, anomaly: &Anomaly, event: &EventId) -> Result<(), StoreError> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let finding = &anomaly.finding;
    let insert = sql(INSERT)
        .bind(anomaly.id.as_str())
        .bind(finding.rule.as_str())
        .bind(anomaly.subject.as_str())
        .bind(number(finding.measured))
        .bind(number(finding.threshold))
        .bind(number(finding.span))
        .bind(lines(finding.entries.iter().map(EventId::as_str)))
        .bind(anomaly.organisation.as_ref().map(OrganisationId::as_str))
        .bind(anomaly.aidant.as_ref().map(AidantId::as_str))
        .bind(anomaly.mandate.as_ref().map(MandateId::as_str))
        .bind(anomaly.at.micros())
        .bind(anomaly.raised_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(drop)
}

/// One anomaly.
pub async fn load(snapshot: &mut Snapshot, id: &AnomalyId) -> Result<Option<AnomalyRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every anomaly in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(AnomalyRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// Everything that was said, in the same way.
pub async fn comments_page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(CommentRow, String)>, StoreError> {
    let rows = sql(COMMENTS_PAGE).bind(after).bind(i64::from(limit));
    snapshot.list("anomaly_comment", rows, |row| Ok((read_comment(row)?, row.text("last_event")?))).await
}

/// The last one a rule raised about the same.
pub async fn last(
    snapshot: &mut Snapshot,
    rule: Rule,
    subject: &str,
) -> Result<Option<AnomalyRow>, StoreError> {
    snapshot.find(TABLE, sql(LAST).bind(rule.as_str()).bind(subject), read).await
}

/// Where a page of anomalies begins: after this one, the last of the page before.
pub type Place = (Instant, AnomalyId);

/// Those open (or closed), of one organisation or of all, the latest first.
pub async fn latest(
    snapshot: &mut Snapshot,
    organisation: Option<&OrganisationId>,
    open: bool,
    after: Option<&Place>,
    limit: u32,
) -> Result<Vec<AnomalyRow>, StoreError> {
    // Beyond every identifier: hexadecimal digits sort before 'g'.
    let (at, id) = after.map_or((i64::MAX, "g"), |(at, id)| (at.micros(), id.as_str()));
    let text = if organisation.is_some() { LATEST_OF } else { LATEST };
    let list = sql(text).bind(if open { "open" } else { "closed" }).bind(at).bind(id).bind(i64::from(limit));
    let list = match organisation {
        Some(organisation) => list.bind(organisation.as_str()),
        None => list,
    };
    snapshot.list(TABLE, list, read).await
}

/// Records that it was closed.
pub async fn close(
    tx: &mut Tx,
    before: &AnomalyRow,
    after: &AnomalyState,
    event: &EventId,
) -> Result<(), StoreError> {
    let AnomalyState::Closed { by, at, reason } = after else {
        return Err(StoreError::Conflict { table: TABLE });
    };
    let close = sql(CLOSE)
        .bind(before.anomaly.id.as_str())
        .bind(before.version)
        .bind(by.as_str())
        .bind(at.micros())
        .bind(reason.as_str())
        .bind(event.as_str());
    tx.change_one(TABLE, close).await
}

/// Records what was said.
pub async fn comment(tx: &mut Tx, row: &CommentRow, event: &EventId) -> Result<(), StoreError> {
    let (auditor, aidant) = match &row.author {
        Author::Auditor(id) => (Some(id.as_str()), None),
        Author::Referent(id) => (None, Some(id.as_str())),
    };
    let comment = sql(COMMENT)
        .bind(row.id.as_str())
        .bind(row.anomaly.as_str())
        .bind(auditor)
        .bind(aidant)
        .bind(row.text_sealed.as_slice())
        .bind(row.at.micros())
        .bind(event.as_str());
    tx.execute(comment).await.map(drop)
}

/// One comment.
pub async fn commented(snapshot: &mut Snapshot, id: &CommentId) -> Result<Option<CommentRow>, StoreError> {
    snapshot.find("anomaly_comment", sql(COMMENTED).bind(id.as_str()), read_comment).await
}

/// What was said about an anomaly, in the order it was said.
pub async fn comments(snapshot: &mut Snapshot, anomaly: &AnomalyId) -> Result<Vec<CommentRow>, StoreError> {
    snapshot.list("anomaly_comment", sql(COMMENTS).bind(anomaly.as_str()), read_comment).await
}
