//! A journal of real entries: parties, a mandate with a use, and enough others to fill a tile.

use crate::storage::sample::{self, DECLARED, NOW, in_minutes};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use porteplume::mandate::{EventKind, LifeFact, Mandate, MandateId};
use porteplume::service::verify::Report;
use porteplume::service::{App, Caller, Error, Record, Stream};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::{Engine, Tx, aidants, clients, mandates, organisations, representations, usagers};
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};
use std::path::PathBuf;
use std::sync::Arc;

/// Entries about nothing in particular: with the others, more than one tile.
const OTHERS: usize = 297;
/// The tables an attacker would touch.
const TABLES: [&str; 22] = [
    "event",
    "leaf",
    "tile",
    "checkpoint",
    "opening",
    "mandate",
    "mandate_procedure",
    "representation",
    "organisation",
    "aidant",
    "auditor",
    "usager",
    "client",
    "reading",
    "audit_grant",
    "audit_grant_scope",
    "break_glass",
    "audit_sample",
    "audit_answer",
    "anomaly",
    "anomaly_comment",
    "closed_procedure",
];

/// A journal at rest: its service is closed.
pub(crate) struct History {
    pub(crate) app: TestApp,
    pub(crate) mandate: MandateId,
    pub(crate) raw: AnyConnection,
}

async fn step(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    next: Mandate,
    fact: LifeFact,
) -> Result<(), Error> {
    let seq = row.seq + 1;
    let now = in_minutes(i64::try_from(seq).unwrap());
    let record = Record::life(fact).in_stream(Stream { mandate: next.id.clone(), seq, previous: None });
    let record = record.organisation(&next.organisation).usager(next.usager().unwrap());
    let event = record.append(app, tx, &Caller::default(), now).await?;
    let after = MandateRow { mandate: next, seq, ..row.clone() };
    mandates::update(tx, row, &after, &event).await?;
    *row = MandateRow { version: row.version + 1, ..after };
    Ok(())
}

/// Parties, a mandate in force and one use of it.
pub(super) async fn live(app: &App, tx: &mut Tx, id: MandateId) -> Result<sample::World, Error> {
    let organisation = sample::organisation();
    let aidant = sample::active(sample::aidant(&organisation));
    let (usager, client) = (sample::usager(), sample::client());
    let record = Record::done(EventKind::OrganisationAdded).organisation(&organisation.id);
    let event = record.append(app, tx, &Caller::default(), NOW).await?;
    organisations::insert(tx, &organisation, &event).await?;
    aidants::insert(tx, &aidant, &event).await?;
    usagers::insert(tx, &usager, &event).await?;
    clients::insert(tx, &client, &event).await?;

    let mandate = Mandate::propose(id, organisation.id.clone(), aidant.id.clone(), sample::terms(), NOW);
    let fact = LifeFact::Proposed {
        organisation: organisation.id.clone(),
        proposed_by: aidant.id.clone(),
        terms: sample::terms(),
    };
    let record = Record::life(fact).in_stream(Stream { mandate: mandate.id.clone(), seq: 1, previous: None });
    let record = record.organisation(&organisation.id).aidant(&aidant.id);
    let event = record.append(app, tx, &Caller::default(), NOW).await?;
    mandates::insert(tx, &mandate, &event).await?;
    let mut row = MandateRow { mandate, seq: 1, last_leaf: None, verification_code_hash: None, version: 1 };

    let consent = sample::consent(&usager, in_minutes(2));
    let next = row.mandate.clone().consent(consent.clone(), DECLARED).unwrap();
    step(app, tx, &mut row, next, LifeFact::Consented { consent }).await?;
    let next = row.mandate.clone().accept(aidant.id.clone(), in_minutes(3)).unwrap();
    step(app, tx, &mut row, next, LifeFact::Accepted { by: aidant.id.clone() }).await?;

    let world = sample::World { organisation, aidant, usager, client };
    let used = sample::representation(&world, &row);
    let record = Record::done(EventKind::RepresentationOpened).detail("representation", used.id.as_str());
    let record = record.in_stream(Stream { mandate: row.mandate.id.clone(), seq: 4, previous: None });
    let record =
        record.organisation(&world.organisation.id).aidant(&world.aidant.id).usager(&world.usager.id);
    let event = record.append(app, tx, &Caller::default(), used.opened_at).await?;
    mandates::touch(tx, &row, &event).await?;
    representations::insert(tx, &used, &event).await?;
    registered(app, tx, &world).await?;
    Ok(world)
}

/// The entries that register the parties of a world.
async fn registered(app: &App, tx: &mut Tx, world: &sample::World) -> Result<(), Error> {
    let invited = Record::done(EventKind::AidantInvited).organisation(&world.organisation.id);
    for record in [
        invited.aidant(&world.aidant.id),
        Record::done(EventKind::UsagerSignedIn).usager(&world.usager.id),
        Record::done(EventKind::ClientAdded).client(&world.client.id),
    ] {
        record.append(app, tx, &Caller::default(), NOW).await?;
    }
    Ok(())
}

/// Writes the history, and closes the service.
pub(crate) async fn history(database: TestDatabase) -> History {
    let (app, mandate) = written(database).await;
    app.web.app.store.close().await;
    let raw = app.database.raw().await;
    History { app, mandate, raw }
}

/// Writes the history.
pub(crate) async fn written(database: TestDatabase) -> (TestApp, MandateId) {
    let test = TestApp::over(database).await;
    let app = Arc::clone(&test.web.app);
    let mandate = MandateId::from_bytes(sample::bytes());
    let (app_, id) = (Arc::clone(&app), mandate.clone());
    app.include("test", move |tx| {
        let (app, id) = (Arc::clone(&app_), id.clone());
        Box::pin(async move { live(&app, tx, id).await.map(drop) })
    })
    .await
    .unwrap();
    let app_ = Arc::clone(&app);
    app.include("test", move |tx| {
        let app = Arc::clone(&app_);
        Box::pin(async move {
            for number in 0..OTHERS {
                let record = Record::done(EventKind::SignedOut).detail("number", number);
                record.append(&app, tx, &Caller::default(), in_minutes(5)).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    (test, mandate)
}

impl History {
    pub(crate) fn engine(&self) -> Engine {
        self.app.database.engine()
    }

    /// Verifies it as it now stands.
    pub(crate) async fn verified(&self, published: Option<PathBuf>) -> Report {
        self.app.report(published, in_minutes(10)).await
    }

    pub(crate) async fn run(&mut self, statement: &str) {
        let done = self.raw.execute(AssertSqlSafe(statement.to_owned())).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// The event at a place.
    pub(crate) async fn event(&mut self, index: u64) -> String {
        let text = format!("SELECT event_id FROM leaf WHERE idx = {index}");
        let row = sqlx::query(AssertSqlSafe(text)).fetch_one(&mut self.raw).await.unwrap();
        row.get(0)
    }

    /// Takes every wall down, as somebody who owns the database can, and keeps what stands.
    pub(crate) async fn take_walls_down(&mut self) {
        match self.engine() {
            Engine::Sqlite => {
                let rows = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                    .fetch_all(&mut self.raw)
                    .await
                    .unwrap();
                for row in rows {
                    self.run(&format!("DROP TRIGGER {}", row.get::<String, _>(0))).await;
                }
                self.run("PRAGMA foreign_keys = OFF").await;
            }
            Engine::Postgres => {
                self.run("SET session_replication_role = replica").await;
                for table in TABLES.iter().chain(&["data_key"]) {
                    self.run(&format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await;
                }
            }
        }
        for table in TABLES {
            self.run(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}")).await;
        }
    }

    /// Puts back what was kept.
    pub(crate) async fn restore(&mut self) {
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!("INSERT INTO {table} SELECT * FROM kept_{table}")).await;
        }
        if self.engine() == Engine::Postgres {
            self.run("DELETE FROM queue").await;
        }
    }
}
