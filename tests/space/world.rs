//! Mandates in use: representations open with live tokens, at a registered service.

use crate::mandates::world::{Browser, World};
use porteplume::mandate::{
    Act, ClientId, EventKind, MandateId, ProcedureId, RepresentationId, Role, Standing, UsagerId,
};
use porteplume::service::steps::{Actor, note};
use porteplume::service::{Caller, Error, Record, Who};
use porteplume::storage::aidants::{self, AidantRow};
use porteplume::storage::clients::{self, AuthMethod, ClientCredential, ClientRow, IdTokenAlg};
use porteplume::storage::mandates::{self, MandateRow};
use porteplume::storage::representations::{self, RepresentationRow};
use porteplume::storage::tokens::{self, TokenRow};
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// A mandate as stored.
pub(crate) async fn stored(world: &World, id: &MandateId) -> MandateRow {
    let id = id.clone();
    let found = world
        .app
        .store
        .read("test.mandate", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(mandates::load(snapshot, &id).await?) })
        })
        .await;
    found.unwrap().unwrap()
}

/// Who consented to a mandate.
pub(crate) async fn usager_of(world: &World, id: &MandateId) -> UsagerId {
    stored(world, id).await.mandate.usager().unwrap().clone()
}

/// The browser of a usager in their own space.
pub(crate) async fn at_home<'w>(world: &'w World, usager: &UsagerId) -> Browser<'w> {
    let (usager, authenticated_at) = (usager.clone(), world.app.now());
    world.in_hands_of(Who::Usager { usager, authenticated_at, level: "eidas1".to_owned() }).await
}

/// A mandate in force for two procedures.
pub(crate) async fn active_for_two(world: &World, browser: &mut Browser<'_>) -> MandateId {
    let [first, second] = two(world);
    let key = porteplume::service::propose::form_key(&world.app).unwrap();
    let fields = [
        ("procedure", first.as_str()),
        ("procedure", second.as_str()),
        ("term", "month"),
        ("until", ""),
        ("idempotency", &key),
    ];
    let answer = browser.post("/aidant/mandates/new/duration", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let mandate = MandateId::parse(answer.location.rsplit('/').next().unwrap()).unwrap();
    browser.hand_over(&mandate).await;
    world.identify(browser, crate::mandates::world::marie()).await;
    let said = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
    assert_eq!(said.status, 303, "{}", said.body);
    browser.unlock().await;
    let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
    assert_eq!(accepted.status, 303, "{}", accepted.body);
    mandate
}

/// Two procedures of the catalogue.
pub(crate) fn two(world: &World) -> [ProcedureId; 2] {
    let procedures = world.app.catalogue.procedures();
    [procedures[0].id.clone(), procedures[1].id.clone()]
}

/// Opens a representation with a live token under a mandate, as an authorisation does. Gives the token's hash.
pub(crate) async fn represent(
    world: &World,
    mandate: &MandateId,
    procedure: &ProcedureId,
    sid: &str,
) -> String {
    let (app, now) = (Arc::clone(&world.app), world.app.now());
    let client = ClientId::parse("caisse").unwrap();
    let (mandate, procedure, sid) = (mandate.clone(), procedure.clone(), sid.to_owned());
    let id = RepresentationId::from_bytes(app.new_id().unwrap());
    let hash = format!("hash-of-{id}");
    let kept = hash.clone();
    world
        .app
        .commit("test.represent", move |tx| {
            let (app, client, id, hash) = (Arc::clone(&app), client.clone(), id.clone(), kept.clone());
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
                };
                Ok::<_, Error>(tokens::insert_token(tx, &token).await?)
            })
        })
        .await
        .unwrap();
    hash
}

fn service(id: ClientId, procedure: &ProcedureId, now: porteplume::mandate::Instant) -> ClientRow {
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
        created_at: now,
        version: 1,
    }
}

/// Whether that token lives.
pub(crate) async fn lives(world: &World, hash: &str) -> bool {
    let (hash, now) = (hash.to_owned(), world.app.now());
    let found = world
        .app
        .store
        .read("test.token", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(tokens::load_token(snapshot, &hash).await?) })
        })
        .await;
    found.unwrap().is_some_and(|token| token.is_live(now))
}

/// How many representations are open.
pub(crate) async fn open(world: &World) -> i64 {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT count(*) AS open FROM representation WHERE state = 'open'";
    sqlx::query(text).fetch_one(&mut raw).await.unwrap().get("open")
}

/// Makes an aidant a referent.
pub(crate) async fn promote(world: &World, aidant: &porteplume::mandate::AidantId) {
    let (app, id, now) = (Arc::clone(&world.app), aidant.clone(), world.app.now());
    world
        .app
        .commit("test.promote", move |tx| {
            let (app, id) = (Arc::clone(&app), id.clone());
            Box::pin(async move {
                let row = aidants::load(tx, &id).await?.unwrap();
                let record = Record::done(EventKind::AidantReinstated).aidant(&id);
                let event = record.append(&app, tx, &Caller::default(), now).await?;
                let after = AidantRow { role: Role::Referent, ..row.clone() };
                Ok::<_, Error>(aidants::update(tx, &row, &after, &event).await?)
            })
        })
        .await
        .unwrap();
}

/// Every aidant's facts, for "nothing changed".
pub(crate) async fn people(world: &World) -> Vec<String> {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT id || ' ' || role || ' ' || standing || ' ' || CAST(version AS TEXT) AS fact FROM aidant \
                ORDER BY id";
    sqlx::query(text).fetch_all(&mut raw).await.unwrap().iter().map(|row| row.get("fact")).collect()
}
