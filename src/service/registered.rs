//! What is registered of a party, as two keyed hashes, a space between: of what says who it is and what it may, and of
//! everything else its row holds. The entry that registers or binds it tells them, and verification holds the party's row
//! against the last ones told. They name nobody to whoever lacks the key. Entries from before there were two tell the first.
//!
//! Of a person it stands in the slot that names them, and goes with it when they are erased.

use crate::crypto::{KeyStore, to_hex};
use crate::mandate::{Instant, ProcedureId, Role, Strength};
use crate::storage::aidants::AidantRow;
use crate::storage::auditors::AuditorRow;
use crate::storage::clients::{
    AuthMethod, ClientCredential, ClientRow, IdTokenAlg, Pkce, Refresh, RequestObjects, Subject, Userinfo,
};
use crate::storage::organisations::OrganisationRow;
use crate::storage::usagers::UsagerRow;

fn hash(keys: &KeyStore, of: &str, parts: &[&str]) -> String {
    keys.index().keyed_hash(of, parts)
}

/// Both hashes.
fn both(keys: &KeyStore, of: &str, parts: &[&str], rest: &[&str]) -> String {
    let rest = [parts, rest].concat();
    format!("{} {}", hash(keys, &format!("registered/{of}"), parts), hash(keys, &format!("row/{of}"), &rest))
}

fn at(instant: Instant) -> String {
    instant.micros().to_string()
}

/// When somebody was invited, until when, and when they came.
fn invited(at_first: Instant, until: Instant, came: Option<Instant>) -> [String; 3] {
    [at(at_first), at(until), came.map(at).unwrap_or_default()]
}

fn bound(subject: Option<&(String, String)>) -> [&str; 2] {
    subject.map_or(["", ""], |(iss, sub)| [iss, sub])
}

/// Organisation: name, SIRET, where it is.
pub(super) fn organisation(keys: &KeyStore, row: &OrganisationRow) -> String {
    let at = row.whereabouts.as_ref();
    let at =
        at.map_or(["", "", ""], |at| [&at.address, &at.town, at.telephone.as_deref().unwrap_or_default()]);
    let created = row.created_at.micros().to_string();
    both(keys, "organisation", &[&[row.id.as_str(), &row.name, &row.siret], &at[..]].concat(), &[&created])
}

/// Aidant: organisation, role, and the sign-in they are bound to.
pub(super) fn aidant(keys: &KeyStore, row: &AidantRow) -> String {
    let role = match row.role {
        Role::Aidant => "aidant",
        Role::Referent => "referent",
    };
    let of = [row.id.as_str(), row.organisation.as_str(), role];
    let sealed = to_hex(&row.identity_sealed);
    let [first, until, came] = invited(row.invited_at, row.invite_expires_at, row.activated_at);
    let rest = [row.email_blind.as_str(), &sealed, &row.identity_key, &first, &until, &came];
    let asked = row.asked.as_ref().map(|asked| (&asked.subject, at(asked.at)));
    let asked = asked.as_ref().map(|((iss, sub), at)| ["asked", iss, sub, at]);
    let asked = asked.as_ref().map_or(&[][..], |asked| asked);
    both(keys, "aidant", &[&of[..], &bound(row.subject.as_ref())].concat(), &[&rest[..], asked].concat())
}

/// Auditor: the sign-in they are bound to.
pub(super) fn auditor(keys: &KeyStore, row: &AuditorRow) -> String {
    let sealed = to_hex(&row.identity_sealed);
    let [first, until, came] = invited(row.invited_at, row.invite_expires_at, row.activated_at);
    let rest = [row.email_blind.as_str(), &sealed, &row.identity_key, &first, &until, &came];
    both(keys, "auditor", &[&[row.id.as_str()][..], &bound(row.subject.as_ref())].concat(), &rest)
}

/// Usager: the sign-in they are known by.
pub(super) fn usager(keys: &KeyStore, row: &UsagerRow) -> String {
    let (sealed, first) = (to_hex(&row.identity_sealed), at(row.first_seen_at));
    let rest = [&sealed, &row.identity_key, &first, &at(row.identified_at), &row.identity_level];
    both(keys, "usager", &[row.id.as_str(), &row.iss, &row.sub], &rest.map(String::as_str))
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
    // Clients from before there were such addresses have none, and the hash they always had.
    let told: Vec<&str> = match (&row.logout_uri, &row.events_uri) {
        (None, None) => Vec::new(),
        (logout, events) => [logout, events].map(|uri| uri.as_deref().unwrap_or_default()).to_vec(),
    };
    // Nor was anybody exempt then, or given refresh tokens, or had to sign.
    let pkce: &[&str] = if row.pkce == Pkce::Exempt { &[Pkce::Exempt.as_str()] } else { &[] };
    let refresh: &[&str] =
        if row.refresh == Refresh::None { &[] } else { &["refresh", Refresh::as_str(row.refresh)] };
    let signed: &[&str] = match row.request_objects {
        RequestObjects::Optional => &[],
        RequestObjects::Demanded => &["request_objects", RequestObjects::Demanded.as_str()],
    };
    let subject: &[&str] =
        if row.subject == Subject::Usager { &[] } else { &["subject", Subject::as_str(row.subject)] };
    let userinfo: &[&str] =
        if row.userinfo == Userinfo::Json { &[] } else { &["userinfo", Userinfo::as_str(row.userinfo)] };
    let leave = row.leave_uri.as_deref().map(|uri| ["leave_uri", uri]);
    let leave = leave.as_ref().map_or(&[][..], |leave| leave);
    let sealed = row.secret_sealed.as_deref().map(to_hex);
    let sealed = sealed.as_deref().map(|sealed| ["secret_sealed", sealed]);
    let sealed = sealed.as_ref().map_or(&[][..], |sealed| sealed);
    let consent: &[&str] =
        if row.consent == Strength::Identified { &[] } else { &["consent", row.consent.as_str()] };
    let all = [
        &alone[..],
        &credential,
        &lists,
        &told,
        pkce,
        refresh,
        signed,
        subject,
        userinfo,
        leave,
        sealed,
        consent,
    ]
    .concat();
    both(keys, "client", &all, &[&at(row.created_at)])
}
