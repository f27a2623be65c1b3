//! How a mandate ends from the aidant's side.

use super::world::World;
use crate::support::database::on_both;
use porteplume::mandate::{Act, ClientId, EventKind, MandateId, RepresentationId, Standing};
use porteplume::service::steps::{Actor, note};
use porteplume::service::{App, Caller, Record, expire};
use porteplume::storage::clients::{self, AuthMethod, ClientCredential, ClientRow, IdTokenAlg};
use porteplume::storage::representations::{self, RepresentationRow};
use porteplume::storage::tokens::{self, TokenRow};
use porteplume::storage::{StoreError, mandates};
use std::collections::BTreeSet;
use std::sync::Arc;

on_both! {
    an_aidant_renounces_and_a_second_click_changes_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let path = format!("/aidant/mandates/{mandate}/renounce");
        assert!(browser.get(&path).await.body.contains("renounce-form"));
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        let after = world.facts().await;
        assert_eq!(world.state(&mandate).await, "ended");
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        assert_eq!(world.facts().await, after);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        let paper = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
        assert_eq!(paper.status, 409, "{}", paper.body);
    }

    what_lives_of_a_mandate_dies_with_it(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let (id, token) = represented(&world, &mandate).await;
        assert_eq!(lives(&world, &id, &token).await, (true, true));
        let home = browser.get("/aidant").await;
        assert!(home.body.contains(&format!("close-{id}")), "{}", home.body);
        browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await;
        assert_eq!(lives(&world, &id, &token).await, (false, false));
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
    }

    a_representation_is_closed_by_its_aidant_or_by_time_and_by_nobody_else(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let (id, token) = represented(&world, &mandate).await;
        let path = format!("/aidant/representations/{id}/close");
        let colleague = world.signed_in(&world.colleague().await).await;
        assert_eq!(colleague.post(&path, &[]).await.status, 404);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 0);
        assert_eq!(lives(&world, &id, &token).await, (true, true));
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        assert_eq!(lives(&world, &id, &token).await, (false, false));
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        world.wait(31);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 0);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
    }

    an_open_representation_ends_when_its_time_is_over(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let (id, token) = represented(&world, &mandate).await;
        world.wait(30);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
        assert_eq!(lives(&world, &id, &token).await, (false, false));
        assert_eq!(world.state(&mandate).await, "active");
    }

    accepting_twice_is_accepting_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let after = world.facts().await;
        let again = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(again.status, 303, "{}", again.body);
        assert_eq!(world.facts().await, after);
        assert_eq!(world.entries(EventKind::MandateAccepted, None).await, 1);
    }

    a_consented_mandate_can_be_declined(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        browser.unlock().await;
        assert_eq!(browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await.status, 303);
        assert_eq!(world.state(&mandate).await, "ended");
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
    }

    the_days_pages_show_what_waits_and_what_stands(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let active = world.active(&mut browser).await;
        let waiting = world.proposed(&browser).await;
        let home = browser.get("/aidant").await;
        assert!(home.body.contains(waiting.as_str()) && home.body.contains("Un mandat est en vigueur"), "{}", home.body);
        let list = browser.get("/aidant/mandates").await;
        assert!(list.body.contains(active.as_str()) && list.body.contains(waiting.as_str()), "{}", list.body);
        let fresh = browser.get("/aidant/mandates/new").await;
        assert!(fresh.body.contains("procedures-form"), "{}", fresh.body);
        let term = browser.get(&format!("/aidant/mandates/new/duration?procedure={}", world.procedure())).await;
        assert!(term.body.contains("term-form"), "{}", term.body);
    }
}

/// A representation as the authorisation opens it, and a token of its own that lives.
async fn represented(world: &World, mandate: &MandateId) -> (RepresentationId, String) {
    let id = RepresentationId::from_bytes(world.app.new_id().unwrap());
    let token = "t".repeat(64);
    let (app, now, mandate) = (Arc::clone(&world.app), world.app.now(), mandate.clone());
    let (opened, token_hash) = (id.clone(), token.clone());
    let work = app.commit("test.represent", {
        let app = Arc::clone(&app);
        move |tx| {
            let (app, mandate, id) = (Arc::clone(&app), mandate.clone(), opened.clone());
            let token_hash = token_hash.clone();
            Box::pin(async move {
                let client = client(&app);
                let event =
                    Record::done(EventKind::ClientAdded).append(&app, tx, &Caller::default(), now).await?;
                clients::insert(tx, &client, &event).await?;
                let mut row = mandates::load(tx, &mandate).await?.unwrap();
                let procedure = row.mandate.terms.procedures.keys().next().unwrap().clone();
                let representation = RepresentationRow {
                    id: id.clone(),
                    organisation: row.mandate.organisation.clone(),
                    aidant: row.mandate.proposed_by.clone(),
                    usager: row.mandate.usager().unwrap().clone(),
                    mandate,
                    client: client.id.clone(),
                    procedure,
                    acts: [Act::Prepare].into(),
                    sid: "sid".to_owned(),
                    opened_at: now,
                    ends_at: now.plus(time::Duration::minutes(30)),
                    closed: None,
                    outcome: None,
                    version: 1,
                };
                let by = (Actor::Service, &Caller::default(), now);
                let record = Record::done(EventKind::RepresentationOpened);
                let event = note(&app, tx, &mut row, record, by).await?;
                representations::insert(tx, &representation, &event).await?;
                let token = TokenRow {
                    token_hash,
                    representation: id,
                    client: client.id,
                    scope: "openid".to_owned(),
                    issued_at: now,
                    expires_at: now.plus(time::Duration::minutes(5)),
                    revoked_at: None,
                };
                Ok(tokens::insert_token(tx, &token).await?)
            })
        }
    });
    work.await.unwrap();
    (id, token)
}

fn client(app: &App) -> ClientRow {
    ClientRow {
        id: ClientId::parse("caisse").unwrap(),
        name: "Caisse de démonstration".to_owned(),
        standing: Standing::Active,
        profile: "direct".to_owned(),
        credential: ClientCredential::Secret {
            method: AuthMethod::ClientSecretBasic,
            hash: "hash".to_owned(),
        },
        id_token_alg: IdTokenAlg::Es256,
        redirect_uris: vec!["https://caisse.test/back".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        scopes: vec!["openid".to_owned()],
        procedures: BTreeSet::new(),
        sector: "caisse.test".to_owned(),
        created_at: app.now(),
        version: 1,
    }
}

/// Whether the representation is still open and its token still lives.
async fn lives(world: &World, id: &RepresentationId, token: &str) -> (bool, bool) {
    let (id, token, now) = (id.clone(), token.to_owned(), world.app.now());
    let look = world.app.store.read("test", move |snapshot| {
        Box::pin(async move {
            let representation = representations::load(snapshot, &id).await?.unwrap();
            let token = tokens::load_token(snapshot, &token).await?.unwrap();
            Ok::<_, StoreError>((representation.closed.is_none(), token.is_live(now)))
        })
    });
    look.await.unwrap()
}
