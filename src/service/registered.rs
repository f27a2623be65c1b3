//! What is registered of a party, as one keyed hash: the entry that registers or binds it tells the hash, and
//! verification holds the party's row against the last one told. It names nobody to whoever lacks the key.
//!
//! Of a person it stands in the slot that names them, and goes with it when they are erased.

use crate::crypto::KeyStore;
use crate::mandate::{ProcedureId, Role};
use crate::storage::aidants::AidantRow;
use crate::storage::auditors::AuditorRow;
use crate::storage::clients::{AuthMethod, ClientCredential, ClientRow, IdTokenAlg};
use crate::storage::organisations::OrganisationRow;

fn hash(keys: &KeyStore, of: &str, parts: &[&str]) -> String {
    keys.index().keyed_hash(of, parts)
}

fn bound(subject: Option<&(String, String)>) -> [&str; 2] {
    subject.map_or(["", ""], |(iss, sub)| [iss, sub])
}

/// Organisation: name, SIRET, where it is.
pub(super) fn organisation(keys: &KeyStore, row: &OrganisationRow) -> String {
    let at = row.whereabouts.as_ref();
    let at =
        at.map_or(["", "", ""], |at| [&at.address, &at.town, at.telephone.as_deref().unwrap_or_default()]);
    hash(keys, "registered/organisation", &[&[row.id.as_str(), &row.name, &row.siret], &at[..]].concat())
}

/// Aidant: organisation, role, and the sign-in they are bound to.
pub(super) fn aidant(keys: &KeyStore, row: &AidantRow) -> String {
    let role = match row.role {
        Role::Aidant => "aidant",
        Role::Referent => "referent",
    };
    let of = [row.id.as_str(), row.organisation.as_str(), role];
    hash(keys, "registered/aidant", &[&of[..], &bound(row.subject.as_ref())].concat())
}

/// Auditor: the sign-in they are bound to.
pub(super) fn auditor(keys: &KeyStore, row: &AuditorRow) -> String {
    hash(keys, "registered/auditor", &[&[row.id.as_str()][..], &bound(row.subject.as_ref())].concat())
}

/// Usager: the sign-in they are known by.
pub(super) fn usager(keys: &KeyStore, id: &str, iss: &str, sub: &str) -> String {
    hash(keys, "registered/usager", &[id, iss, sub])
}

/// Relying party: everything its registration says.
pub(super) fn client(keys: &KeyStore, row: &ClientRow) -> String {
    let credential = match &row.credential {
        ClientCredential::Secret { method, hash } => [AuthMethod::as_str(*method), hash],
        ClientCredential::Keys { jwks } => [AuthMethod::PrivateKeyJwt.as_str(), jwks],
    };
    let lists = [
        row.redirect_uris.join("\n"),
        row.post_logout_redirect_uris.join("\n"),
        row.scopes.join("\n"),
        row.procedures.iter().map(ProcedureId::as_str).collect::<Vec<_>>().join("\n"),
    ];
    let alone = [row.id.as_str(), &row.name, &row.profile, IdTokenAlg::as_str(row.id_token_alg), &row.sector];
    let lists = lists.each_ref().map(String::as_str);
    hash(keys, "registered/client", &[&alone[..], &credential, &lists].concat())
}
