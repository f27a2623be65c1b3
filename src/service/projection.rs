//! The mandate as services see it, made from what is read in one transaction.

use super::grounds::Use;
use super::{App, Error};
use crate::mandate::{Acceptance, Allowed, Consent, State};
use crate::provider::{
    Actor, ActorOrganisation, Authority, ClientRegistration, FRANCECONNECT_ACR, JournalReference,
    MandateDetails, OrganisationName, Said, Subject,
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
fn actor(app: &App, client: &ClientRegistration, of: &RepresentationRow, mandate: &MandateDetails) -> Actor {
    Actor {
        sub: app.keys.pairwise().actor(client.sector(), &of.aidant),
        organisation: ActorOrganisation { id: of.organisation.clone(), name: mandate.organisation.clone() },
        acr: mandate.aidant_acr.clone(),
    }
}

/// By what the client knows the subject of its tokens about a representation.
pub(super) fn subject(app: &App, client: &ClientRegistration, of: &RepresentationRow) -> String {
    match client.subject() {
        Subject::Usager => usager(app, client, of),
        Subject::Aidant => app.keys.pairwise().actor(client.sector(), &of.aidant),
    }
}

/// By what the client knows the usager.
pub(super) fn usager(app: &App, client: &ClientRegistration, of: &RepresentationRow) -> String {
    app.keys.pairwise().subject(client.sector(), &of.usager)
}

/// The level and the projection of a client's tokens.
///
/// # Errors
/// [`Error::Unreadable`] for a procedure that is no longer in the catalogue.
pub(super) fn said(
    app: &App,
    client: &ClientRegistration,
    of: &RepresentationRow,
    mandate: &MandateDetails,
) -> Result<(String, Said), Error> {
    if !client.is_told_who_acts() {
        let theme = app.catalogue.theme_of(&of.procedure).ok_or(Error::Unreadable)?;
        let rep_scope = [theme.rep_scope.clone()];
        return Ok((FRANCECONNECT_ACR.to_owned(), Said::RepScope { rep_scope }));
    }
    let act = actor(app, client, of, mandate);
    Ok(match client.subject() {
        Subject::Usager => {
            let authorization_details = [mandate.clone()];
            (mandate.usager_acr.clone(), Said::Act { act, authorization_details })
        }
        Subject::Aidant => {
            let authority = Authority::of(mandate, usager(app, client, of), act.organisation);
            (mandate.aidant_acr.clone(), Said::Authority { authority })
        }
    })
}

/// Both agreements of a mandate in force.
fn agreements(state: &State) -> Result<(&Consent, &Acceptance), Error> {
    match state {
        State::Active { consent, acceptance, .. } => Ok((consent, acceptance)),
        _ => Err(Error::Unreadable),
    }
}
