//! Usagers in their space, referents in theirs.

use crate::mandates::world::{Browser, World};
use porteplume::mandate::{EventKind, MandateId, ProcedureId, Role, UsagerId};
use porteplume::service::{Caller, Error, Record, Who};
use porteplume::storage::aidants::{self, AidantRow};
use porteplume::storage::mandates::{self, MandateRow};
use sqlx::Row as _;
use std::sync::Arc;

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
    world.active_for(browser, &[first.as_str(), second.as_str()]).await
}

/// Two procedures of the catalogue.
pub(crate) fn two(world: &World) -> [ProcedureId; 2] {
    let procedures = world.app.catalogue.procedures();
    [procedures[0].id.clone(), procedures[1].id.clone()]
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
