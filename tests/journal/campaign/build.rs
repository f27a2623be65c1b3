//! Journals to tamper with: a small one, where a case costs milliseconds, and one that fills a tile.

use crate::journal::history::{self, live};
use crate::mandates::world::World;
use crate::space::elsewhere::{Window, provider};
use crate::storage::sample::{self, in_minutes};
use crate::support::app::TestApp;
use crate::support::authority::Authority;
use crate::support::database::TestDatabase;
use crate::support::world::{self, whereabouts};
use porteplume::clock::Clock as _;
use porteplume::demo::Flavour;
use porteplume::journal::{Timestamp, TimestampRequest};
use porteplume::mandate::{EventKind, MandateId, Role};
use porteplume::service::manage::{self, Invited, Manager};
use porteplume::service::shards;
use porteplume::service::timestamps::{self, Kept};
use porteplume::service::{App, Caller, Error, Record};
use porteplume::storage::refusals::{self, RefusalRow};
use porteplume::storage::{BoxFuture, StoreError, Tx, journal};
use serde_json::json;
use sqlx::Executor as _;
use std::sync::Arc;

/// The address of an aidant whom the sandbox providers know.
const NORA: &str = "nora.legoff@mediatheque.valmarie.example";

async fn write<F>(app: &App, work: F)
where
    F: for<'t> Fn(App, &'t mut Tx) -> BoxFuture<'t, Result<(), Error>> + Send + Sync + 'static,
{
    let kept = Arc::clone(app);
    app.include("campaign", move |tx| work(Arc::clone(&kept), tx)).await.unwrap();
}

/// Two days' time-stamps of the newest checkpoint.
async fn stamped(app: &App) {
    let authority = Authority::new();
    for day in ["2026-11-21", "2026-11-22"] {
        let head =
            app.store.read::<_, StoreError, _>("campaign", |snapshot| Box::pin(journal::head(snapshot)));
        let head = head.await.unwrap().unwrap();
        let request = TimestampRequest::new(&head.note, &*app.entropy).unwrap();
        let token = authority.answer(&request.to_der());
        let at = Timestamp::verify(&token, &head.note, None).unwrap().at;
        timestamps::keep(app, Kept { day: day.to_owned(), size: head.size, at, token }).await.unwrap();
        write(app, |app, tx| Box::pin(async move { signed_out(&app, tx, 7).await })).await;
    }
}

/// A mandate with its use, refusals with their lines, entries of one and of several to a checkpoint.
pub(super) async fn small(database: TestDatabase) -> TestApp {
    let test = TestApp::over(database).await;
    let app = Arc::clone(&test.web.app);
    let (id, made) = (MandateId::from_bytes(sample::bytes()), Arc::new(std::sync::Mutex::new(None)));
    let (id_, made_) = (id.clone(), Arc::clone(&made));
    write(&app, move |app, tx| {
        let (id, made) = (id_.clone(), Arc::clone(&made_));
        Box::pin(async move {
            let world = live(&app, tx, id).await?;
            *made.lock().unwrap() = Some(world);
            Ok(())
        })
    })
    .await;
    let world = made.lock().unwrap().clone().unwrap();
    for number in 0..3 {
        let (world, id) = (world.clone(), id.clone());
        write(&app, move |app, tx| {
            let (world, id) = (world.clone(), id.clone());
            Box::pin(async move { refused(&app, tx, &world, &id, number).await })
        })
        .await;
    }
    for number in 0..3 {
        write(&app, move |app, tx| Box::pin(async move { signed_out(&app, tx, number).await })).await;
    }
    stamped(&app).await;
    write(&app, |app, tx| {
        Box::pin(async move {
            for number in 10..13 {
                signed_out(&app, tx, number).await?;
            }
            Ok(())
        })
    })
    .await;
    app.store.close().await;
    waiting(&test).await;
    test
}

async fn refused(
    app: &App,
    tx: &mut Tx,
    world: &sample::World,
    id: &MandateId,
    number: i64,
) -> Result<(), Error> {
    let (at, procedure) = (in_minutes(4 + number), sample::procedure("declare-income"));
    let record = Record::refused(EventKind::RepresentationRefused, "no_act")
        .organisation(&world.organisation.id)
        .aidant(&world.aidant.id)
        .usager(&world.usager.id)
        .client(&world.client.id)
        .procedure(&procedure)
        .about(id);
    let event = record.append(app, tx, &Caller::default(), at).await?;
    let row = RefusalRow {
        id: event.clone(),
        mandate: Some(id.clone()),
        organisation: world.organisation.id.clone(),
        aidant: world.aidant.id.clone(),
        usager: Some(world.usager.id.clone()),
        client: world.client.id.clone(),
        procedure: Some(procedure),
        code: "no_act".to_owned(),
        at,
    };
    Ok(refusals::insert(tx, &row, &event).await?)
}

async fn signed_out(app: &App, tx: &mut Tx, number: i64) -> Result<(), Error> {
    let record = Record::done(EventKind::SignedOut).detail("number", number);
    record.append(app, tx, &Caller::default(), in_minutes(20 + number)).await.map(drop)
}

/// On PostgreSQL some entries wait in the queue.
async fn waiting(test: &TestApp) {
    if test.database.engine() == porteplume::storage::Engine::Sqlite {
        return;
    }
    for digit in ["a", "b", "c"] {
        let id = digit.repeat(32);
        let event = format!(
            "INSERT INTO event SELECT '{id}', at, '{id}', convert_to('waits', 'UTF8') FROM event ORDER BY event_id LIMIT 1"
        );
        test.database.raw().await.execute(sqlx::AssertSqlSafe(event)).await.unwrap();
    }
}

/// A journal in three shards, each with several checkpoints.
pub(super) async fn parted(database: TestDatabase) -> TestApp {
    let test = TestApp::over(database).await;
    let app = Arc::clone(&test.web.app);
    test.clock.advance(in_minutes(20).since(test.clock.now()));
    for year in 0..3 {
        for number in 0..4 {
            write(&app, move |app, tx| Box::pin(async move { signed_out(&app, tx, number).await })).await;
        }
        if year < 2 {
            shards::open_now(&app, "campaign").await.unwrap();
        }
    }
    app.store.close().await;
    test
}

/// Two of each party that somebody registers; of the aidants one has signed in, and comes by another account since.
pub(super) async fn registered(database: TestDatabase) -> TestApp {
    let test = TestApp::over(database).await;
    let (first, at) = provider(&test, Flavour::Agents, "agents").await;
    let (second, there) = provider(&test, Flavour::Agents, "agents").await;
    let test = test.employed_by(first);
    let app = &test.web.app;
    let mut last = None;
    for (digit, role) in [("1", Role::Aidant), ("2", Role::Referent)] {
        let siret = format!("2175000160001{digit}");
        let organisation = manage::add_organisation(app, "Mairie", &siret, &whereabouts()).await.unwrap();
        let email = if digit == "1" { "ana@mairie.example" } else { NORA };
        let invited = Invited { given_name: "Ana", family_name: "Petit", email, role };
        let (operator, nobody) = (Manager::Operator, Caller::default());
        let aidant = manage::invite_aidant(app, &operator, &nobody, &organisation, invited).await.unwrap();
        last = Some((organisation, aidant));
        manage::add_auditor(app, "Léa", "Roux", &format!("lea{digit}@audit.example")).await.unwrap();
        let id = format!("caisse-{digit}");
        world::client(
            app,
            json!({
                "id": id, "name": "Caisse", "profile": "oidc", "redirect_uris": [format!("https://{id}.example/callback")],
                "post_logout_redirect_uris": [format!("https://{id}.example/bye")],
                "auth_method": "client_secret_basic", "secret_hash": world::secret_hash(&id),
                "claims": ["given_name"], "procedures": ["declare-income"],
            }),
        )
        .await;
    }
    let (organisation, aidant) = last.unwrap();
    let world = World::peopled(test, organisation, aidant);
    Window::stranger(&world, &at).await.signs_in("/aidant/sign-in", "nora-legoff").await;
    let beside = world.beside(world.test.replica().await.employed_by(second));
    let mut window = Window::stranger(&beside, &there).await;
    let back = window.identifies("/aidant/sign-in", "nora-legoff").await;
    assert_eq!(window.here.follow(&back).await.status, 403);
    // What stands behind a row has its place in the log once what came later has one: a row whose entry waits is not held.
    write(&world.app, |app, tx| Box::pin(async move { signed_out(&app, tx, 7).await })).await;
    for store in [&beside.app.store, &world.app.store] {
        store.close().await;
    }
    world.test
}

/// More entries than one tile holds.
pub(super) async fn full(database: TestDatabase) -> TestApp {
    let (test, _) = history::written(database).await;
    test.web.app.store.close().await;
    test
}
