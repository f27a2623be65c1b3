//! Mandates in use: representations open with live tokens, at a registered service.

use super::world::World;
use porteplume::mandate::{
    Act, ClientId, EventKind, Instant, MandateId, ProcedureId, RepresentationId, Standing, Strength,
};
use porteplume::service::steps::{Actor, note};
use porteplume::service::{Caller, Error, Record};
use porteplume::storage::clients::{
    self, AuthMethod, ClientCredential, ClientRow, IdTokenAlg, Pkce, Refresh, RequestObjects, Subject,
    Userinfo,
};
use porteplume::storage::mandates;
use porteplume::storage::representations::{self, RepresentationRow};
use porteplume::storage::tokens::{self, TokenRow};
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// A representation, and a token of its.
pub(crate) struct Represented {
    pub(crate) id: RepresentationId,
    token_hash: String,
}

/// Opens a representation with a live token under a mandate, as an authorisation does.
pub(crate) async fn represent(
    world: &World,
    mandate: &MandateId,
    procedure: &ProcedureId,
    sid: &str,
) -> Represented {
    let (app, now) = (Arc::clone(&world.app), world.app.now());
    let client = ClientId::parse("caisse").unwrap();
    let (mandate, procedure, sid) = (mandate.clone(), procedure.clone(), sid.to_owned());
    let id = RepresentationId::from_bytes(app.new_id().unwrap());
    let given = Represented { token_hash: format!("hash-of-{id}"), id: id.clone() };
    let hash = given.token_hash.clone();
    world
        .app
        .commit("test.represent", move |tx| {
            let (app, client, id, hash) = (Arc::clone(&app), client.clone(), id.clone(), hash.clone());
            let (mandate, procedure, sid) = (mandate.clone(), procedure.clone(), sid.clone());
            Box::pin(async move {
                if clients::load(tx, &client).await?.is_none() {
                    let record = Record::done(EventKind::ClientAdded).client(&client);
                    let event = record.append(&app, tx, &Caller::default(), now).await?;
                    clients::insert(tx, &service(client.clone(), &procedure, now), &event).await?;
                }
                let mut row = mandates::load(tx, &mandate).await?.unwrap();
                let aidant = row.mandate.proposed_by.clone();
                let ends_at = now.plus(Duration::minutes(30));
                let record = Record::done(EventKind::RepresentationOpened)
                    .client(&client)
                    .procedure(&procedure)
                    .detail("representation", id.as_str())
                    .detail("acts", Act::Fill.as_str())
                    .detail("ends_at", ends_at.millis());
                let by = (Actor::Aidant(&aidant), &Caller::default(), now);
                let event = note(&app, tx, &mut row, record, by).await?;
                let opened = RepresentationRow {
                    id: id.clone(),
                    mandate,
                    organisation: row.mandate.organisation.clone(),
                    usager: row.mandate.usager().unwrap().clone(),
                    aidant,
                    client: client.clone(),
                    procedure,
                    acts: BTreeSet::from([Act::Fill]),
                    sid,
                    opened_at: now,
                    ends_at,
                    closed: None,
                    outcome: None,
                    told: None,
                    version: 1,
                };
                representations::insert(tx, &opened, &event).await?;
                let token = TokenRow {
                    token_hash: hash,
                    representation: id,
                    client,
                    scope: "openid".to_owned(),
                    issued_at: now,
                    expires_at: now.plus(Duration::minutes(10)),
                    revoked_at: None,
                    dpop_jkt: None,
                    code_hash: None,
                };
                Ok::<_, Error>(tokens::insert_token(tx, &token).await?)
            })
        })
        .await
        .unwrap();
    given
}

fn service(id: ClientId, procedure: &ProcedureId, now: Instant) -> ClientRow {
    ClientRow {
        id,
        name: "Caisse d’à côté <script>alert(1)</script>".to_owned(),
        standing: Standing::Active,
        profile: "direct".to_owned(),
        credential: ClientCredential::Secret {
            method: AuthMethod::ClientSecretBasic,
            hash: "hash".to_owned(),
        },
        id_token_alg: IdTokenAlg::Es256,
        redirect_uris: vec!["https://caisse.test/callback".to_owned()],
        post_logout_redirect_uris: vec![],
        scopes: vec!["openid".to_owned()],
        procedures: BTreeSet::from([procedure.clone()]),
        sector: "caisse.test".to_owned(),
        logout_uri: None,
        events_uri: None,
        pkce: Pkce::Demanded,
        refresh: Refresh::None,
        request_objects: RequestObjects::Optional,
        subject: Subject::Usager,
        userinfo: Userinfo::Json,
        leave_uri: None,
        consent: Strength::Identified,
        secret_sealed: None,
        created_at: now,
        version: 1,
    }
}

/// Whether that representation is open and its token lives: never one without the other.
pub(crate) async fn lives(world: &World, of: &Represented) -> bool {
    let (id, hash, now) = (of.id.clone(), of.token_hash.clone(), world.app.now());
    let found = world.app.store.read("test.token", move |snapshot| {
        Box::pin(async move {
            let representation = representations::load(snapshot, &id).await?.unwrap();
            let token = tokens::load_token(snapshot, &hash).await?.unwrap();
            Ok::<_, Error>((representation.closed.is_none(), token.is_live(now)))
        })
    });
    let (open, live) = found.await.unwrap();
    assert_eq!(open, live, "they end together");
    open
}

/// How many representations are open.
pub(crate) async fn open(world: &World) -> i64 {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT count(*) AS open FROM representation WHERE state = 'open'";
    sqlx::query(text).fetch_one(&mut raw).await.unwrap().get("open")
}
