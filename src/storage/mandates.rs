//! Mandates: one exhaustive match from row to state and back.

use super::bound::{Bound, sql};
use super::column::{Columns, Row};
use super::mandate_row::{parse_term, state_of, term_text};
use super::statement::statements;
use super::{Snapshot, StoreError, Tx, mandate_row};
use crate::crypto::to_hex;
use crate::mandate::{
    AidantId, EventId, Instant, Mandate, MandateId, OrganisationId, ProcedureId, State, StateName, Terms,
    UsagerId,
};
use std::collections::BTreeMap;

const TABLE: &str = "mandate";

macro_rules! select {
    ($($rest:literal)*) => {
        concat!(
            "SELECT mandate.id AS id, organisation_id, proposed_by, usager_id, state, seq, term, terms, catalogue, \
             proposed_at, text_hash, consented_at, identified_at, identity_level, language, channel, accepted_by, \
             starts_at, ends_at, ended_at, end_reason, closed_at, verification_code_hash, version, last_leaf, asked_channel, asked_at, \
             mandate_procedure.procedure_id AS withdrawn, mandate_procedure.withdrawn_at AS withdrawn_at \
             FROM mandate LEFT JOIN mandate_procedure ON mandate_procedure.mandate_id = mandate.id \
             AND mandate_procedure.withdrawn_at IS NOT NULL WHERE ", $($rest,)*
        )
    };
}

statements! {
    INSERT = "INSERT INTO mandate (id, organisation_id, proposed_by, state, seq, term, terms, catalogue, proposed_at, \
        lapses_at, version, last_event, last_leaf) VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7, $8, $9, 1, $10, $11)";
    INSERT_PROCEDURE = "INSERT INTO mandate_procedure (mandate_id, procedure_id, acts) VALUES ($1, $2, $3)";
    LOAD = select!("mandate.id = $1 ORDER BY mandate.id");
    BY_CODE = select!("verification_code_hash = $1 ORDER BY mandate.id");
    OF_ORGANISATION = select!("mandate.id IN (SELECT id FROM mandate WHERE organisation_id = $1 AND state = $2 \
        ORDER BY proposed_at DESC, id LIMIT CAST($3 AS BIGINT)) ORDER BY proposed_at DESC, mandate.id");
    COUNT_STANDING = "SELECT COUNT(*) AS mandates FROM mandate WHERE organisation_id = $1 AND state = 'active' \
        AND starts_at <= $2 AND ends_at > $2";
    ENDING_BEFORE = select!("organisation_id = $1 AND state = 'active' AND ends_at > $2 AND ends_at <= $3 \
        ORDER BY ends_at, mandate.id");
    OF_USAGER_IN = select!("mandate.id IN (SELECT id FROM mandate WHERE usager_id = $1 AND organisation_id = $2 \
        ORDER BY proposed_at DESC, id LIMIT CAST($3 AS BIGINT)) ORDER BY proposed_at DESC, mandate.id");
    // CROSS JOIN, because SQLite would otherwise walk through all that stands in the organisation.
    STANDING_OF_HELPED = select!("mandate.id IN (SELECT mandate.id FROM (SELECT DISTINCT usager_id FROM \
        (SELECT usager_id FROM representation WHERE aidant_id = $3 ORDER BY opened_at DESC LIMIT CAST($4 AS BIGINT)) \
        AS latest) AS helped CROSS JOIN mandate WHERE mandate.usager_id = helped.usager_id AND organisation_id = $1 AND state = 'active' \
        AND starts_at <= $2 AND ends_at > $2) ORDER BY ends_at, mandate.id");
    STANDING_SOME = select!("mandate.id IN (SELECT id FROM mandate WHERE organisation_id = $1 AND state = 'active' \
        AND starts_at <= $2 AND ends_at > $2 ORDER BY ends_at, id LIMIT CAST($3 AS BIGINT)) ORDER BY ends_at, mandate.id");
    OF_USAGER = select!("usager_id = $1 ORDER BY proposed_at DESC, mandate.id");
    ALL_FROM = select!("mandate.id IN (SELECT id FROM mandate WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)) \
        ORDER BY mandate.id");
    LAPSED = "SELECT id FROM mandate WHERE state IN ('proposed', 'consented') AND lapses_at <= $1 \
        ORDER BY lapses_at LIMIT CAST($2 AS BIGINT)";
    EXPIRED = "SELECT id FROM mandate WHERE state = 'active' AND ends_at <= $1 ORDER BY ends_at LIMIT CAST($2 AS BIGINT)";
    OVER_SINCE = "SELECT mandate.id AS id FROM mandate JOIN data_key ON data_key.kind = 'mandate' \
        AND data_key.subject_id = mandate.id WHERE COALESCE(ended_at, closed_at) < $1 ORDER BY mandate.id \
        LIMIT CAST($2 AS BIGINT)";
    // What the usager agreed to is only ever filled in, never taken out again.
    UPDATE = "UPDATE mandate SET state = $4, seq = $5, lapses_at = $6, usager_id = COALESCE($7, usager_id), \
        text_hash = COALESCE($8, text_hash), consented_at = COALESCE($9, consented_at), \
        identified_at = COALESCE($10, identified_at), identity_level = COALESCE($11, identity_level), \
        language = COALESCE($12, language), channel = COALESCE($13, channel), accepted_by = $14, starts_at = $15, \
        ends_at = $16, ended_at = $17, end_reason = $18, closed_at = $19, verification_code_hash = $20, \
        asked_channel = $21, asked_at = $22, version = version + 1, last_event = $23, last_leaf = $24 WHERE id = $1 AND version = $2 AND state = $3";
    TOUCH = "UPDATE mandate SET seq = $4, version = version + 1, last_event = $5, last_leaf = $6 \
        WHERE id = $1 AND version = $2 AND state = $3";
    WITHDRAW = "UPDATE mandate_procedure SET withdrawn_at = $3 WHERE mandate_id = $1 AND procedure_id = $2 \
        AND withdrawn_at IS NULL";
}

/// A mandate as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MandateRow {
    /// The mandate.
    pub mandate: Mandate,
    /// How many entries its own history has: the number of the last one, from which its tags are made.
    pub seq: u64,
    /// Leaf hash of that last entry, 64 hexadecimal digits; none when it must be looked up.
    pub last_leaf: Option<String>,
    /// Hash of the verification code printed on it, once accepted.
    pub verification_code_hash: Option<String>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

impl MandateRow {
    fn withdrawn(&self) -> Option<&BTreeMap<ProcedureId, Instant>> {
        match &self.mandate.state {
            State::Active { withdrawn, .. } | State::Ended { withdrawn, .. } => Some(withdrawn),
            _ => None,
        }
    }

    fn guard(&self, text: &'static str) -> Bound {
        sql(text)
            .bind(self.mandate.id.as_str().to_owned())
            .bind(self.version)
            .bind(self.mandate.state.name().as_str())
    }
}

/// Records a proposal. Its first entry has number 1.
///
/// # Errors
/// [`StoreError::Refused`] when the mandate is not a proposal.
pub async fn insert(tx: &mut Tx, mandate: &Mandate, event: &EventId) -> Result<(), StoreError> {
    if mandate.state != State::Proposed {
        return Err(StoreError::Refused("a mandate begins as a proposal".to_owned()));
    }
    let insert = sql(INSERT)
        .bind(mandate.id.as_str())
        .bind(mandate.organisation.as_str())
        .bind(mandate.proposed_by.as_str())
        .bind(1_i64)
        .bind(term_text(mandate.terms.term))
        .bind(mandate_row::procedures_text(&mandate.terms)?)
        .bind(mandate.terms.catalogue.as_str())
        .bind(mandate.proposed_at.micros())
        .bind(mandate.lapses_at().micros())
        .bind(event.as_str())
        .bind(leaf_of(tx, event));
    tx.execute(insert).await?;
    for (procedure, acts) in &mandate.terms.procedures {
        let acts = super::column::lines(acts.iter().map(|act| act.as_str()));
        let insert = sql(INSERT_PROCEDURE).bind(mandate.id.as_str()).bind(procedure.as_str()).bind(acts);
        tx.execute(insert).await?;
    }
    Ok(())
}

/// Records a transition: `after` is what the domain made of `before`. The number of its entry is
/// `after.seq`; `before` guards by version and state.
pub async fn update(
    tx: &mut Tx,
    before: &MandateRow,
    after: &MandateRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let mandate = &after.mandate;
    let facts = mandate_row::Facts::of(&mandate.state);
    let consent = facts.consent;
    let update = before
        .guard(UPDATE)
        .bind(mandate.state.name().as_str())
        .bind(i64::try_from(after.seq).unwrap_or(i64::MAX))
        .bind(mandate.lapses_at().micros())
        .bind(consent.map(|c| c.usager.as_str()))
        .bind(consent.map(|c| c.text_hash.as_str()))
        .bind(consent.map(|c| c.at.micros()))
        .bind(consent.map(|c| c.identified_at.micros()))
        .bind(consent.map(|c| c.identity_level.as_str()))
        .bind(consent.map(|c| c.language.as_str()))
        .bind(consent.map(|c| c.channel.as_str()))
        .bind(facts.acceptance.map(|a| a.by.as_str()))
        .bind(facts.acceptance.map(|a| a.at.micros()))
        .bind(facts.acceptance.map(|a| a.ends_at.micros()))
        .bind(facts.end.map(|(at, _)| at.micros()))
        .bind(facts.end.map(|(_, reason)| reason.as_str()))
        .bind(facts.closed_at.map(Instant::micros))
        .bind(after.verification_code_hash.as_deref())
        .bind(mandate.asked.map(|asked| asked.channel.as_str()))
        .bind(mandate.asked.map(|asked| asked.at.micros()))
        .bind(event.as_str())
        .bind(leaf_of(tx, event));
    tx.change_one(TABLE, update).await?;
    for (procedure, at) in after.withdrawn().into_iter().flatten() {
        if before.withdrawn().is_none_or(|before| !before.contains_key(procedure)) {
            let withdraw = sql(WITHDRAW).bind(mandate.id.as_str()).bind(procedure.as_str()).bind(at.micros());
            tx.change_one("mandate_procedure", withdraw).await?;
        }
    }
    Ok(())
}

/// Takes the next number of the mandate's history for an entry that changes nothing else of it (a use, a
/// refusal, a printing). Gives that number; `before` guards.
pub async fn touch(tx: &mut Tx, before: &MandateRow, event: &EventId) -> Result<u64, StoreError> {
    let next = before.seq + 1;
    let touch = before
        .guard(TOUCH)
        .bind(i64::try_from(next).unwrap_or(i64::MAX))
        .bind(event.as_str())
        .bind(leaf_of(tx, event));
    tx.change_one(TABLE, touch).await?;
    Ok(next)
}

fn leaf_of(tx: &Tx, event: &EventId) -> Option<String> {
    tx.leaf_of(event).map(|leaf| to_hex(leaf.as_bytes()))
}

/// One mandate.
pub async fn load(snapshot: &mut Snapshot, id: &MandateId) -> Result<Option<MandateRow>, StoreError> {
    one(snapshot, sql(LOAD).bind(id.as_str())).await
}

/// The mandate with that verification code.
pub async fn by_verification_code(
    snapshot: &mut Snapshot,
    hash: &str,
) -> Result<Option<MandateRow>, StoreError> {
    one(snapshot, sql(BY_CODE).bind(hash)).await
}

/// The latest mandates of an organisation in one state, latest proposal first.
pub async fn of_organisation(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    state: StateName,
    limit: u32,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(OF_ORGANISATION).bind(organisation.as_str()).bind(state.as_str()).bind(i64::from(limit));
    many(snapshot, rows).await
}

/// How many mandates of an organisation stand now.
pub async fn count_standing(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Instant,
) -> Result<u64, StoreError> {
    let count = sql(COUNT_STANDING).bind(organisation.as_str()).bind(now.micros());
    Ok(snapshot.find(TABLE, count, |row| row.count("mandates")).await?.unwrap_or(0))
}

/// The mandates of an organisation that stand now for the usagers its aidant helped last.
pub async fn standing_of_helped(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    aidant: &AidantId,
    now: Instant,
    latest: u32,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(STANDING_OF_HELPED).bind(organisation.as_str()).bind(now.micros());
    many(snapshot, rows.bind(aidant.as_str()).bind(i64::from(latest))).await
}

/// Some of the mandates of an organisation that stand now, the first to end first.
pub async fn some_standing(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Instant,
    limit: u32,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(STANDING_SOME).bind(organisation.as_str()).bind(now.micros()).bind(i64::from(limit));
    many(snapshot, rows).await
}

/// The latest mandates between a usager and one organisation, whatever their state.
pub async fn of_usager_in(
    snapshot: &mut Snapshot,
    usager: &UsagerId,
    organisation: &OrganisationId,
    limit: u32,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(OF_USAGER_IN).bind(usager.as_str()).bind(organisation.as_str()).bind(i64::from(limit));
    many(snapshot, rows).await
}

/// The mandates of an organisation that stand now and end by `before`.
pub async fn ending(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Instant,
    before: Instant,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(ENDING_BEFORE).bind(organisation.as_str()).bind(now.micros()).bind(before.micros());
    many(snapshot, rows).await
}

/// Every mandate a usager ever consented to, latest first, at every organisation: for their own space only.
pub async fn of_usager(snapshot: &mut Snapshot, usager: &UsagerId) -> Result<Vec<MandateRow>, StoreError> {
    many(snapshot, sql(OF_USAGER).bind(usager.as_str())).await
}

/// Every mandate in pages by identifier, after `after`: for `journal verify`.
pub async fn page(
    snapshot: &mut Snapshot,
    after: Option<&MandateId>,
    limit: u32,
) -> Result<Vec<MandateRow>, StoreError> {
    let rows = sql(ALL_FROM).bind(after.map_or("", MandateId::as_str)).bind(i64::from(limit));
    many(snapshot, rows).await
}

/// Proposals nobody answered in time, the oldest first.
pub async fn lapsed(snapshot: &mut Snapshot, now: Instant, limit: u32) -> Result<Vec<MandateId>, StoreError> {
    snapshot.list(TABLE, sql(LAPSED).bind(now.micros()).bind(i64::from(limit)), |row| row.id("id")).await
}

/// Active mandates whose term has run out, the oldest first.
pub async fn expired(
    snapshot: &mut Snapshot,
    now: Instant,
    limit: u32,
) -> Result<Vec<MandateId>, StoreError> {
    snapshot.list(TABLE, sql(EXPIRED).bind(now.micros()).bind(i64::from(limit)), |row| row.id("id")).await
}

/// Mandates that were over before that instant and whose key is there: their history is past its time.
pub async fn over_since(
    snapshot: &mut Snapshot,
    before: Instant,
    limit: u32,
) -> Result<Vec<MandateId>, StoreError> {
    let rows = sql(OVER_SINCE).bind(before.micros()).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| row.id("id")).await
}

async fn one(snapshot: &mut Snapshot, rows: Bound) -> Result<Option<MandateRow>, StoreError> {
    Ok(many(snapshot, rows).await?.pop())
}

/// A mandate comes as one row per withdrawn procedure, at least one; rows of one mandate are neighbours.
async fn many(snapshot: &mut Snapshot, rows: Bound) -> Result<Vec<MandateRow>, StoreError> {
    let rows = snapshot.all(rows).await?;
    let mut groups: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in &rows {
        let id = Columns::of(TABLE, row).text("id")?;
        match groups.last_mut() {
            Some((last, group)) if *last == id => group.push(row),
            _ => groups.push((id, vec![row])),
        }
    }
    groups.iter().map(|(_, group)| read(group)).collect()
}

fn read(group: &[&Row]) -> Result<MandateRow, StoreError> {
    let Some(first) = group.first() else {
        return Err(StoreError::Inconsistent { table: TABLE, column: "id", id: String::new() });
    };
    let row = Columns::of(TABLE, first);
    let mut withdrawn = BTreeMap::new();
    for row in group {
        let row = Columns::of(TABLE, row);
        if let Some(procedure) = row.id_or_none("withdrawn")? {
            withdrawn.insert(procedure, row.instant("withdrawn_at")?);
        }
    }
    let terms = Terms {
        procedures: mandate_row::parse_procedures(&row.text("terms")?)
            .ok_or_else(|| row.inconsistent("terms"))?,
        term: row.named("term", parse_term)?,
        catalogue: row.text("catalogue")?,
    };
    let mandate = Mandate {
        id: row.id("id")?,
        organisation: row.id("organisation_id")?,
        proposed_by: row.id("proposed_by")?,
        proposed_at: row.instant("proposed_at")?,
        terms,
        asked: mandate_row::asked(&row)?,
        state: state_of(&row, withdrawn)?,
    };
    Ok(MandateRow {
        mandate,
        seq: row.count("seq")?,
        last_leaf: row.text_or_none("last_leaf")?,
        verification_code_hash: row.text_or_none("verification_code_hash")?,
        version: row.number("version")?,
    })
}
