//! Relying parties: the OpenID clients the operator registered.

use super::aidants::{self, for_decision_columns};
use super::bound::sql;
use super::column::{Columns, lines};
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx, named};
use crate::mandate::{
    Aidant, AidantId, ClientId, EventId, Instant, Organisation, ProcedureId, RelyingParty, Standing, Strength,
};
use std::collections::BTreeSet;

const TABLE: &str = "client";

macro_rules! columns {
    () => {
        "client.id AS id, client.name AS name, client.standing AS standing, profile, auth_method, secret_hash, jwks, \
         id_token_alg, redirect_uris, post_logout_redirect_uris, scopes, procedures, sector, logout_uri, events_uri, pkce, refresh, \
         request_objects, subject, userinfo, leave_uri, secret_sealed, consent, client.created_at AS created_at, client.version AS version"
    };
}

statements! {
    INSERT = "INSERT INTO client (id, name, standing, profile, auth_method, secret_hash, jwks, id_token_alg, \
        redirect_uris, post_logout_redirect_uris, scopes, procedures, sector, logout_uri, events_uri, pkce, refresh, \
        request_objects, subject, userinfo, leave_uri, secret_sealed, consent, created_at, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
        $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 1, $25)";
    LOAD = concat!("SELECT ", columns!(), " FROM client WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM client ORDER BY id");
    GROUNDS = concat!("SELECT ", columns!(), ", organisation.name AS organisation_name, \
        organisation.siret AS organisation_siret, ", for_decision_columns!(), " JOIN client ON client.id = $2 \
        WHERE aidant.id = $1");
    UPDATE = "UPDATE client SET name = $4, standing = $5, profile = $6, auth_method = $7, secret_hash = $8, jwks = $9, \
        id_token_alg = $10, redirect_uris = $11, post_logout_redirect_uris = $12, scopes = $13, procedures = $14, \
        sector = $15, logout_uri = $16, events_uri = $17, pkce = $18, refresh = $19, request_objects = $20, \
        subject = $21, userinfo = $22, leave_uri = $23, secret_sealed = $24, consent = $25, \
        version = version + 1, last_event = $26 WHERE id = $1 AND version = $2 AND standing = $3";
}

named! {
    /// How a relying party's ID tokens are signed.
    IdTokenAlg {
        /// ECDSA on P-256.
        Es256 = "ES256",
        /// RSA, PKCS#1 v1.5.
        Rs256 = "RS256",
        /// RSA, PSS.
        Ps256 = "PS256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// The client's secret.
        Hs256 = "HS256",
    }
}

named! {
    /// How a relying party proves who it is.
    AuthMethod {
        /// Secret in the Authorization header.
        ClientSecretBasic = "client_secret_basic",
        /// Secret in the form.
        ClientSecretPost = "client_secret_post",
        /// A signed assertion.
        PrivateKeyJwt = "private_key_jwt",
    }
}

named! {
    /// Whether a relying party's requests must bring a challenge (RFC 7636).
    Pkce {
        /// They must.
        Demanded = "demanded",
        /// They may come without one.
        Exempt = "exempt",
    }
}

named! {
    /// Whether a relying party is given refresh tokens.
    Refresh {
        /// It is not.
        None = "none",
        /// It is; they die with the representation.
        WithinRepresentation = "within_representation",
    }
}

named! {
    /// Whether a relying party's requests must be signed (RFC 9101).
    RequestObjects {
        /// They may be.
        Optional = "optional",
        /// They must.
        Demanded = "demanded",
    }
}

named! {
    /// Of whom a relying party's tokens are.
    Subject {
        /// The usager.
        Usager = "usager",
        /// The aidant.
        Aidant = "aidant",
    }
}

named! {
    /// How a relying party is given userinfo.
    Userinfo {
        /// As it is.
        Json = "json",
        /// Signed.
        Jwt = "jwt",
    }
}

/// What proves a relying party.
#[derive(Clone, PartialEq, Eq)]
pub enum ClientCredential {
    /// A secret, stored hashed.
    Secret {
        /// By which way it comes: basic or post.
        method: AuthMethod,
        /// The hash.
        hash: String,
    },
    /// A public key set (JSON) for signed assertions.
    Keys {
        /// The JWK set.
        jwks: String,
    },
}

/// A relying party as stored. Holds a credential: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// Identifier, the `client_id`.
    pub id: ClientId,
    /// Name on the pages.
    pub name: String,
    /// Whether the operator lets it in.
    pub standing: Standing,
    /// Which kind of client it is, as the provider room names it.
    pub profile: String,
    /// What proves it.
    pub credential: ClientCredential,
    /// How its ID tokens are signed.
    pub id_token_alg: IdTokenAlg,
    /// Redirect URIs, compared exactly.
    pub redirect_uris: Vec<String>,
    /// URIs allowed after sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Scopes it may ask for.
    pub scopes: Vec<String>,
    /// Procedures it may receive.
    pub procedures: BTreeSet<ProcedureId>,
    /// Sector identifier for pairwise subjects.
    pub sector: String,
    /// Where it takes logout tokens.
    pub logout_uri: Option<String>,
    /// Where it takes security events.
    pub events_uri: Option<String>,
    /// Whether its requests must bring a challenge.
    pub pkce: Pkce,
    /// Whether it is given refresh tokens.
    pub refresh: Refresh,
    /// Whether its requests must be signed.
    pub request_objects: RequestObjects,
    /// Of whom its tokens are.
    pub subject: Subject,
    /// How it is given userinfo.
    pub userinfo: Userinfo,
    /// Where aidants end the session it keeps of its own.
    pub leave_uri: Option<String>,
    /// Its secret, sealed, where that signs its ID tokens.
    pub secret_sealed: Option<Vec<u8>>,
    /// How much a consent must prove for a mandate to be of use there.
    pub consent: Strength,
    /// When it was registered.
    pub created_at: Instant,
    /// Guards changes; 1 when new.
    pub version: i64,
}

impl From<&ClientRow> for RelyingParty {
    fn from(row: &ClientRow) -> Self {
        let (id, procedures) = (row.id.clone(), row.procedures.clone());
        Self { id, standing: row.standing, procedures, consent: row.consent }
    }
}

fn credential(row: &Columns<'_>) -> Result<ClientCredential, StoreError> {
    let method = row.named("auth_method", AuthMethod::parse)?;
    match (method, row.text_or_none("secret_hash")?, row.text_or_none("jwks")?) {
        (AuthMethod::PrivateKeyJwt, None, Some(jwks)) => Ok(ClientCredential::Keys { jwks }),
        (AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost, Some(hash), None) => {
            Ok(ClientCredential::Secret { method, hash })
        }
        _ => Err(row.inconsistent("auth_method")),
    }
}

fn read(row: &Columns<'_>) -> Result<ClientRow, StoreError> {
    Ok(ClientRow {
        id: row.id("id")?,
        name: row.text("name")?,
        standing: row.named("standing", named::parse_standing)?,
        profile: row.text("profile")?,
        credential: credential(row)?,
        id_token_alg: row.named("id_token_alg", IdTokenAlg::parse)?,
        redirect_uris: row.lines("redirect_uris")?,
        post_logout_redirect_uris: row.lines("post_logout_redirect_uris")?,
        scopes: row.lines("scopes")?,
        procedures: row.procedures("procedures")?,
        sector: row.text("sector")?,
        logout_uri: row.text_or_none("logout_uri")?,
        events_uri: row.text_or_none("events_uri")?,
        pkce: row.named("pkce", Pkce::parse)?,
        refresh: row.named("refresh", Refresh::parse)?,
        request_objects: row.named("request_objects", RequestObjects::parse)?,
        subject: row.named("subject", Subject::parse)?,
        userinfo: row.named("userinfo", Userinfo::parse)?,
        leave_uri: row.text_or_none("leave_uri")?,
        secret_sealed: row.bytes_or_none("secret_sealed")?,
        consent: row.named("consent", Strength::parse)?,
        created_at: row.instant("created_at")?,
        version: row.number("version")?,
    })
}

/// A relying party with the mandatary's side.
pub struct Grounds {
    /// The relying party.
    pub client: ClientRow,
    /// The aidant.
    pub aidant: Aidant,
    /// Their organisation.
    pub organisation: Organisation,
    /// Its name and SIRET.
    pub organisation_name: (String, String),
}

/// What a decision rests on besides the mandate, in one look: the aidant, their organisation, the relying party.
pub async fn grounds(
    snapshot: &mut Snapshot,
    aidant: &AidantId,
    client: &ClientId,
) -> Result<Option<Grounds>, StoreError> {
    let rows = snapshot.all(sql(GROUNDS).bind(aidant.as_str()).bind(client.as_str())).await?;
    let Some((aidant, organisation)) = aidants::read_for_decision(&rows)? else { return Ok(None) };
    let Some(first) = rows.first() else { return Ok(None) };
    let row = Columns::of(TABLE, first);
    let organisation_name = (row.text("organisation_name")?, row.text("organisation_siret")?);
    Ok(Some(Grounds { client: read(&row)?, aidant, organisation, organisation_name }))
}

/// Binds what insert and update share, in the same order.
fn bind_body(statement: super::bound::Bound, row: &ClientRow) -> super::bound::Bound {
    let (method, hash, jwks) = match &row.credential {
        ClientCredential::Secret { method, hash } => (*method, Some(hash.as_str()), None),
        ClientCredential::Keys { jwks } => (AuthMethod::PrivateKeyJwt, None, Some(jwks.as_str())),
    };
    statement
        .bind(row.name.as_str())
        .bind(named::standing(row.standing))
        .bind(row.profile.as_str())
        .bind(method.as_str())
        .bind(hash)
        .bind(jwks)
        .bind(row.id_token_alg.as_str())
        .bind(lines(row.redirect_uris.iter().map(String::as_str)))
        .bind(lines(row.post_logout_redirect_uris.iter().map(String::as_str)))
        .bind(lines(row.scopes.iter().map(String::as_str)))
        .bind(lines(row.procedures.iter().map(ProcedureId::as_str)))
        .bind(row.sector.as_str())
        .bind(row.logout_uri.as_deref())
        .bind(row.events_uri.as_deref())
        .bind(row.pkce.as_str())
        .bind(row.refresh.as_str())
        .bind(row.request_objects.as_str())
        .bind(row.subject.as_str())
        .bind(row.userinfo.as_str())
        .bind(row.leave_uri.as_deref())
        .bind(row.secret_sealed.as_deref())
        .bind(row.consent.as_str())
}

/// Registers a relying party.
pub async fn insert(tx: &mut Tx, row: &ClientRow, event: &EventId) -> Result<(), StoreError> {
    let insert =
        bind_body(sql(INSERT).bind(row.id.as_str()), row).bind(row.created_at.micros()).bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One relying party.
pub async fn load(snapshot: &mut Snapshot, id: &ClientId) -> Result<Option<ClientRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every relying party.
pub async fn list(snapshot: &mut Snapshot) -> Result<Vec<ClientRow>, StoreError> {
    snapshot.list(TABLE, sql(LIST), read).await
}

/// Changes everything but identifier and registration date; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &ClientRow,
    after: &ClientRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let guard =
        sql(UPDATE).bind(before.id.as_str()).bind(before.version).bind(named::standing(before.standing));
    tx.change_one(TABLE, bind_body(guard, after).bind(event.as_str())).await
}
