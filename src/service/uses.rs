//! What was done with mandates, and what was refused, in words for the persons concerned (Code civil art. 1993).

use super::names::Names;
use super::{App, Error};
use crate::mandate::{
    AidantId, ClientId, Instant, OrganisationId, ProcedureId, ProcedureOutcome, Refusal, RepresentationId,
    UsagerId,
};
use crate::storage::Snapshot;
use crate::storage::refusals::RefusalRow;
use crate::storage::representations::RepresentationRow;

/// How a use came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// Still open.
    Open {
        /// When it closes by itself.
        until: Instant,
    },
    /// Over.
    Closed {
        /// When.
        at: Instant,
        /// When the service was told, and when it answered.
        told: Option<(Instant, Option<Instant>)>,
    },
    /// Refused before it began.
    Refused(Refusal),
}

/// One use of a mandate, or an attempt at one. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Use {
    /// The representation; absent when it was refused.
    pub id: Option<RepresentationId>,
    /// When it was opened or refused.
    pub at: Instant,
    /// First and last name of the usager; empty when none was named.
    pub usager: String,
    /// First and last name of the aidant.
    pub aidant: String,
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the service.
    pub service: String,
    /// Where the session that it keeps of its own is ended, if it keeps one.
    pub leave: Option<String>,
    /// The procedure, if one was named.
    pub procedure: Option<ProcedureId>,
    /// How it came out.
    pub came: Came,
    /// What the service reported.
    pub reported: Option<ProcedureOutcome>,
}

/// The persons and parties of one line.
struct Parties<'a> {
    usager: Option<&'a UsagerId>,
    aidant: &'a AidantId,
    organisation: &'a OrganisationId,
    client: &'a ClientId,
}

/// Tells representations and refusals as one list, the latest first.
pub async fn told(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    representations: &[RepresentationRow],
    refusals: &[RefusalRow],
) -> Result<Vec<Use>, Error> {
    let mut uses = Vec::with_capacity(representations.len() + refusals.len());
    for row in representations {
        let parties = Parties {
            usager: Some(&row.usager),
            aidant: &row.aidant,
            organisation: &row.organisation,
            client: &row.client,
        };
        let came = match row.closed {
            Some((at, _)) => Came::Closed { at, told: row.told },
            None => Came::Open { until: row.ends_at },
        };
        let line = line(app, snapshot, names, &parties, row.opened_at, came).await?;
        let (id, procedure) = (Some(row.id.clone()), Some(row.procedure.clone()));
        uses.push(Use { id, procedure, reported: row.outcome, ..line });
    }
    for row in refusals {
        // A code this version does not know was written by a later one.
        let Some(refusal) = Refusal::ALL.iter().find(|refusal| refusal.code() == row.code) else { continue };
        let parties = Parties {
            usager: row.usager.as_ref(),
            aidant: &row.aidant,
            organisation: &row.organisation,
            client: &row.client,
        };
        let line = line(app, snapshot, names, &parties, row.at, Came::Refused(*refusal)).await?;
        uses.push(Use { procedure: row.procedure.clone(), ..line });
    }
    uses.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(uses)
}

async fn line(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    parties: &Parties<'_>,
    at: Instant,
    came: Came,
) -> Result<Use, Error> {
    let usager = match parties.usager {
        Some(id) => names.usager(app, snapshot, id).await?,
        None => String::new(),
    };
    Ok(Use {
        id: None,
        at,
        usager,
        aidant: names.aidant(app, snapshot, parties.aidant).await?,
        organisation: names.organisation(snapshot, parties.organisation).await?,
        service: names.service(snapshot, parties.client).await?,
        leave: names.leaving(parties.client),
        procedure: None,
        came,
        reported: None,
    })
}
