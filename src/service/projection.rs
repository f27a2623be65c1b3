//! The mandate as services see it, made from what is read in one transaction.

use super::grounds::Use;
use super::{App, Error};
use crate::mandate::{Acceptance, Allowed, Consent, State};
use crate::provider::{
    Actor, ActorOrganisation, ClientRegistration, JournalReference, MandateDetails, OrganisationName,
};
use crate::storage::representations::RepresentationRow;
use crate::storage::tokens::{self, CodeRow};
use crate::storage::{Snapshot, journal};

/// The mandate behind a representation that was opened with that code.
///
/// # Errors
/// [`Error::BeingRecorded`] while the entry of its opening has no place.
pub(super) async fn mandate_of_code(
    app: &App,
    snapshot: &mut Snapshot,
    of: &Use,
    allowed: &Allowed,
    code: &CodeRow,
) -> Result<MandateDetails, Error> {
    let (consent, acceptance) = agreements(&of.row.mandate.state)?;
    // The code left only after its entry had its place.
    let place = journal::place_in_shard(snapshot, &code.event).await?;
    let (index, shard) = place.ok_or(Error::BeingRecorded)?;
    let (name, siret) = of.organisation_name.clone();
    Ok(MandateDetails {
        identifier: of.representation.mandate.clone(),
        procedure: of.representation.procedure.clone(),
        acts: allowed.acts.clone(),
        organisation: OrganisationName { name, siret },
        granted: acceptance.at,
        expires: acceptance.ends_at,
        usager_acr: consent.identity_level.clone(),
        aidant_acr: code.aidant_level.clone(),
        journal: JournalReference {
            entry: code.event.clone(),
            index,
            origin: shard.unwrap_or_else(|| app.origin.clone()),
        },
    })
}

/// The mandate behind a representation, by the code that was exchanged for it.
///
/// # Errors
/// As [`mandate_of_code`].
pub(super) async fn mandate(
    app: &App,
    snapshot: &mut Snapshot,
    of: &Use,
    allowed: &Allowed,
) -> Result<MandateDetails, Error> {
    let code = tokens::code_of(snapshot, &of.representation.id).await?.ok_or(Error::Unreadable)?;
    mandate_of_code(app, snapshot, of, allowed, &code).await
}

/// The aidant who acts in it, as the client knows them.
pub(super) fn actor(
    app: &App,
    client: &ClientRegistration,
    of: &RepresentationRow,
    mandate: &MandateDetails,
) -> Actor {
    Actor {
        sub: app.keys.pairwise().actor(client.sector(), &of.aidant),
        organisation: ActorOrganisation { id: of.organisation.clone(), name: mandate.organisation.clone() },
        acr: mandate.aidant_acr.clone(),
    }
}

/// Both agreements of a mandate in force.
fn agreements(state: &State) -> Result<(&Consent, &Acceptance), Error> {
    match state {
        State::Active { consent, acceptance, .. } => Ok((consent, acceptance)),
        _ => Err(Error::Unreadable),
    }
}
