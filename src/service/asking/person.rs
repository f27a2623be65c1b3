//! Whom an asking is for, where no provider has identified them: somebody the organisation knows already, or a person whose
//! identity is declared.

use super::{Act, Ground};
use crate::mandate::{DECLARED, EventKind, Identity, UsagerId};
use crate::service::{App, Error, Record, people, registered};
use crate::storage::usagers::{self, UsagerRow};
use crate::storage::{Snapshot, Tx};

/// In the place of an issuer: no provider knows a person whose identity was declared.
const DECLARED_BY_AIDANT: &str = "urn:porteplume:declared";

/// Whom. Personal data: no `Debug`.
#[derive(Clone)]
pub struct Whom {
    /// The person, as the aidant typed them.
    pub identity: Identity,
    /// Whether it is somebody the organisation knows, once the aidant was asked.
    pub known: Option<Choice>,
}

/// What the aidant says when the organisation knows somebody of that name and date of birth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// It is them.
    Them(UsagerId),
    /// It is somebody else.
    Other,
}

/// Somebody of that name and date of birth. Personal data: no `Debug`.
pub struct Known {
    /// Identifier.
    pub usager: UsagerId,
    /// The person.
    pub identity: Identity,
}

pub(super) enum Found {
    One(UsagerId),
    Whether(Vec<Known>),
    Minor,
}

/// Finds whom an asking is for, or records them as declared.
pub(super) async fn find_or_declare(
    act: &Act,
    tx: &mut Tx,
    ground: &Ground,
    whom: &Whom,
) -> Result<Found, Error> {
    if whom.identity.birthdate.may_be_minor(act.now.date()) {
        return Ok(Found::Minor);
    }
    let known = known(&act.app, tx, ground, &whom.identity).await?;
    match &whom.known {
        Some(Choice::Them(id)) => {
            let one = known.into_iter().find(|one| one.usager == *id).ok_or(Error::NotFound)?;
            Ok(Found::One(one.usager))
        }
        None if !known.is_empty() => Ok(Found::Whether(known)),
        None | Some(Choice::Other) => declare(act, tx, ground, &whom.identity).await.map(Found::One),
    }
}

async fn known(
    app: &App,
    snapshot: &mut Snapshot,
    ground: &Ground,
    identity: &Identity,
) -> Result<Vec<Known>, Error> {
    let mut known: Vec<Known> = Vec::new();
    let organisation = &ground.office.organisation.id;
    for blind in people::usager_blinds(app, organisation, identity) {
        for row in usagers::found(snapshot, organisation, &blind).await? {
            if !row.is_erased() && known.iter().all(|one| one.usager != row.id) {
                let identity = people::identity(app, snapshot, &row).await?;
                known.push(Known { usager: row.id, identity });
            }
        }
    }
    Ok(known)
}

async fn declare(act: &Act, tx: &mut Tx, ground: &Ground, identity: &Identity) -> Result<UsagerId, Error> {
    let (app, now) = (&act.app, act.now);
    let id = UsagerId::from_bytes(app.new_id()?);
    let holder = people::Holder::Usager(id.as_str());
    let (identity_sealed, identity_key) = people::seal(app, tx, holder, identity, now).await?;
    let row = UsagerRow {
        id: id.clone(),
        iss: DECLARED_BY_AIDANT.to_owned(),
        sub: id.as_str().to_owned(),
        identity_sealed,
        identity_key,
        first_seen_at: now,
        identified_at: now,
        identity_level: DECLARED.to_owned(),
        version: 1,
    };
    let record = Record::done(EventKind::UsagerIdentified)
        .organisation(&ground.office.organisation.id)
        .aidant(&ground.office.aidant.id)
        .about(&act.mandate)
        .usager(&id)
        .detail("level", DECLARED)
        .registered(registered::usager(&app.keys, &row));
    let event = record.append(app, tx, &act.caller, now).await?;
    usagers::insert(tx, &row, &event).await?;
    Ok(id)
}
