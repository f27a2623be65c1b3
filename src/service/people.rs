//! Persons at rest: sealed identities, and the blind indexes they are found by.

use super::{App, Ctx, Error};
use crate::crypto::Cell;
use crate::mandate::{BirthDate, Identity, Instant, OrganisationId, ProfessionalIdentity, UsagerId};
use crate::storage::data_keys::KeyKind;
use crate::storage::usagers::UsagerRow;
use crate::storage::{Snapshot, Tx};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// A name as people type it anew: without accents, case, hyphens, apostrophes or spaces.
#[must_use]
pub fn plain_name(name: &str) -> String {
    name.nfkd()
        .filter(|c| !is_combining_mark(*c) && c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Blind index of an e-mail address.
#[must_use]
pub fn email_blind(app: &Ctx, email: &str) -> String {
    app.keys.index().blind("email", &[&email.trim().to_lowercase()])
}

/// Blind index by which one organisation, and no other, finds a usager again.
#[must_use]
pub fn usager_blind(
    app: &Ctx,
    organisation: &OrganisationId,
    family_name: &str,
    birthdate: &BirthDate,
) -> String {
    let name = plain_name(family_name);
    app.keys.index().blind("usager", &[organisation.as_str(), &name, &birthdate.to_string()])
}

/// Every blind index of a usager in one organisation: by birth name, and by the name in use.
#[must_use]
pub fn usager_blinds(app: &Ctx, organisation: &OrganisationId, identity: &Identity) -> Vec<String> {
    let mut blinds = vec![usager_blind(app, organisation, &identity.family_name, &identity.birthdate)];
    if let Some(name) = &identity.preferred_username {
        let other = usager_blind(app, organisation, name, &identity.birthdate);
        if !blinds.contains(&other) {
            blinds.push(other);
        }
    }
    blinds
}

/// A usager's name as pages show it: first names, and the name in use or the birth name.
#[must_use]
pub fn full_name(identity: &Identity) -> String {
    let family = identity.preferred_username.as_deref().unwrap_or(&identity.family_name);
    format!("{} {family}", identity.given_name)
}

/// Where a person's identity rests.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// A usager's row.
    Usager(&'a str),
    /// An aidant's row.
    Aidant(&'a str),
    /// An auditor's row.
    Auditor(&'a str),
}

impl<'a> Holder<'a> {
    fn parts(self) -> (KeyKind, &'static str, &'a str) {
        match self {
            Self::Usager(id) => (KeyKind::Usager, "usager", id),
            Self::Aidant(id) => (KeyKind::Aidant, "aidant", id),
            Self::Auditor(id) => (KeyKind::Auditor, "auditor", id),
        }
    }
}

/// Seals an identity; gives the sealed bytes and the key's identifier.
pub async fn seal<T: serde::Serialize>(
    app: &App,
    tx: &mut Tx,
    holder: Holder<'_>,
    identity: &T,
    now: Instant,
) -> Result<(Vec<u8>, String), Error> {
    let (kind, table, row) = holder.parts();
    let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, (kind, row), now).await?;
    let cell = Cell { table, row, column: "identity_sealed" };
    Ok((key.seal_json(&*app.entropy, &cell, identity)?, key.id.clone()))
}

async fn open<T: serde::de::DeserializeOwned>(
    app: &App,
    snapshot: &mut Snapshot,
    holder: Holder<'_>,
    sealed: &[u8],
) -> Result<T, Error> {
    let (kind, table, row) = holder.parts();
    // Whoever was erased has nothing left to open, also where their key is still at hand.
    if sealed.is_empty() {
        return Err(Error::Unreadable);
    }
    let key = app.vault.find(&app.keys, snapshot, kind, row).await?.ok_or(Error::Unreadable)?;
    key.open_json(&Cell { table, row, column: "identity_sealed" }, sealed)
}

/// Opens a usager's identity.
pub async fn identity(app: &App, snapshot: &mut Snapshot, row: &UsagerRow) -> Result<Identity, Error> {
    open(app, snapshot, Holder::Usager(row.id.as_str()), &row.identity_sealed).await
}

/// Loads a usager and opens their identity.
pub async fn usager(
    app: &App,
    snapshot: &mut Snapshot,
    id: &UsagerId,
) -> Result<(UsagerRow, Identity), Error> {
    let row = crate::storage::usagers::load(snapshot, id).await?.ok_or(Error::NotFound)?;
    let identity = identity(app, snapshot, &row).await?;
    Ok((row, identity))
}

/// Opens a professional's identity.
pub async fn professional(
    app: &App,
    snapshot: &mut Snapshot,
    holder: Holder<'_>,
    sealed: &[u8],
) -> Result<ProfessionalIdentity, Error> {
    open(app, snapshot, holder, sealed).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        for (given, typed) in [
            ("Lefèvre-Núñez", "LEFEVRE NUNEZ"),
            ("D’Amato", "d'amato"),
            ("Œuvrard", "œuvrard"),
            ("Нгуен", "нгуен"),
            ("e\u{301}tienne", "Étienne"),
        ] {
            assert_eq!(plain_name(given), plain_name(typed), "{given}");
        }
        assert_ne!(plain_name("Martin"), plain_name("Martinez"));
    }
}
