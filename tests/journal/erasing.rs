//! Erasing a person: nothing of theirs is left in the files, every proof stays, and what aidants did still reads.

use crate::mandates::uses::represent;
use crate::mandates::world::{Browser, World, marie};
use crate::space::world::{at_home, two, usager_of};
use crate::support::database::{TestDatabase, on_both};
use crate::support::state::{State, journal};
use porteplume::mandate::{EventKind, MandateId, UsagerId};
use porteplume::service::erase::{self, EraseError, Erased};
use porteplume::service::{Error, retention, upkeep};
use porteplume::storage::{Engine, Store, data_keys, data_keys::KeyKind};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};
use time::Duration;

/// A person with a mandate in force, a use of it, and a visit to their space.
async fn lived(world: &World) -> (Browser<'_>, MandateId, UsagerId) {
    let mut desk = world.signed_in(&world.aidant).await;
    let mandate = world.active(&mut desk).await;
    represent(world, &mandate, &two(world)[0], "sid").await;
    assert_eq!(desk.get(&format!("/aidant/mandates/{mandate}")).await.status, 200);
    assert_eq!(desk.get(&format!("/aidant/mandates/{mandate}/print")).await.status, 200);
    let usager = usager_of(world, &mandate).await;
    let home = at_home(world, &usager).await;
    assert_eq!(home.get("/usager").await.status, 200);
    assert_eq!(home.get("/usager/mandates/00000000000000000000000000000000").await.status, 404);
    (desk, mandate, usager)
}

/// What stands in a column of one row.
async fn column(world: &World, text: &str) -> Vec<u8> {
    let mut raw = world.test.database.raw().await;
    let rows = sqlx::query(AssertSqlSafe(text.to_owned())).fetch_all(&mut raw).await.unwrap();
    assert!(!rows.is_empty(), "{text}");
    let row = &rows[0];
    row.try_get::<Vec<u8>, _>(0).or_else(|_| row.try_get::<String, _>(0).map(String::into_bytes)).unwrap()
}

/// Everything that leads to the person: identity, key, sign-in, indexes, sealed openings, the code on the paper.
async fn traces(world: &World, usager: &UsagerId, mandate: &MandateId) -> Vec<(&'static str, Vec<u8>)> {
    let index = world.app.keys.index();
    let id = usager.clone();
    let read = world.app.store.read("test.key", move |snapshot| {
        Box::pin(async move {
            Ok::<_, Error>(data_keys::of_subject(snapshot, KeyKind::Usager, id.as_str()).await?)
        })
    });
    let key = read.await.unwrap().unwrap();
    let opening = format!("SELECT sealed FROM opening WHERE key_id = '{}' ORDER BY event_id LIMIT 1", key.id);
    vec![
        (
            "identity",
            column(world, &format!("SELECT identity_sealed FROM usager WHERE id = '{usager}'")).await,
        ),
        ("subject", column(world, &format!("SELECT sub FROM usager WHERE id = '{usager}'")).await),
        ("wrapped key", key.wrapped),
        ("key's name", key.id.into_bytes()),
        ("opening", column(world, &opening).await),
        ("index of entries", index.blind("usager", &[usager.as_str()]).into_bytes()),
        (
            "index of names",
            column(world, &format!("SELECT blind FROM usager_index WHERE usager_id = '{usager}'")).await,
        ),
        (
            "code's hash",
            column(world, &format!("SELECT verification_code_hash FROM mandate WHERE id = '{mandate}'"))
                .await,
        ),
        (
            "hash of the card's code",
            column(world, &format!("SELECT code_hash FROM revocation_card WHERE mandate_id = '{mandate}'"))
                .await,
        ),
        (
            "sealed code of the card",
            column(world, &format!("SELECT code_sealed FROM revocation_card WHERE mandate_id = '{mandate}'"))
                .await,
        ),
        (
            "sealed code",
            column(world, &format!("SELECT code_sealed FROM mandate_paper WHERE mandate_id = '{mandate}'"))
                .await,
        ),
        ("family name", marie().family_name.into_bytes()),
    ]
}

/// The bytes of each file in which the database rests: SQLite's with its log; of PostgreSQL those of its tables and
/// indexes (not its own log, which an operator archives and destroys).
async fn files(database: &TestDatabase) -> Vec<Vec<u8>> {
    if database.engine() == Engine::Sqlite {
        let listed = std::fs::read_dir(database.folder()).unwrap().map(|file| file.unwrap().path());
        return listed.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect();
    }
    let mut raw = database.raw().await;
    raw.execute("CHECKPOINT").await.unwrap();
    let text = "SELECT pg_read_binary_file(folder || '/' || name) FROM (SELECT folder, pg_ls_dir(folder) AS name FROM \
                (SELECT 'base/' || CAST(oid AS TEXT) AS folder FROM pg_database WHERE datname = current_database()) AS here) AS listed \
                WHERE name ~ '^[0-9]'";
    sqlx::query(text).fetch_all(&mut raw).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Which of the traces stand in the files, as raw bytes.
async fn found(database: &TestDatabase, traces: &[(&'static str, Vec<u8>)]) -> Vec<&'static str> {
    let files = files(database).await;
    let holds =
        |bytes: &[u8]| files.iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes));
    traces.iter().filter(|(_, bytes)| holds(bytes)).map(|(what, _)| *what).collect()
}

async fn rewritten(world: &World) {
    Store::rewrite(&world.test.database.options().url).await.unwrap();
}

on_both! {
    files_are_written_anew_once_nobody_on_the_server_looks_back_at_what_was_there(database) {
        if database.engine() == Engine::Sqlite {
            Store::rewrite(&database.options().url).await.unwrap();
            return;
        }
        // Another database of the same server, in which somebody writes.
        let url = database.options().url;
        let (server, _) = url.rsplit_once('/').unwrap();
        let mut elsewhere = sqlx::AnyConnection::connect(&format!("{server}/postgres")).await.unwrap();
        elsewhere.execute("BEGIN").await.unwrap();
        elsewhere.execute("SELECT CAST(pg_current_xact_id() AS TEXT)").await.unwrap();
        let mut rewriting = tokio::spawn(async move { Store::rewrite(&url).await });
        let early = tokio::time::timeout(std::time::Duration::from_secs(1), &mut rewriting).await;
        assert!(early.is_err(), "a view taken now would look back as far as that write: {early:?}");
        elsewhere.execute("ROLLBACK").await.unwrap();
        rewriting.await.unwrap().unwrap();
    }

    a_mandate_that_stands_stands_against_the_erasure_of_its_person(database) {
        let world = World::over(database).await;
        let (_desk, _, usager) = lived(&world).await;
        let (before, told) = (State::of(&world.test.database).await, journal(&world.test.database).await);
        let refused = erase::usager(&world.app, &usager, false).await;
        assert!(matches!(refused, Err(EraseError::MandatesStand(1))));
        let nobody = UsagerId::parse(&"0".repeat(32)).unwrap();
        assert!(matches!(erase::usager(&world.app, &nobody, true).await, Err(EraseError::Other(Error::NotFound))));
        assert_eq!((State::of(&world.test.database).await, journal(&world.test.database).await), (before, told));
    }

    nothing_of_an_erased_person_is_left_in_the_files_and_every_proof_stays(database) {
        let world = World::over(database).await;
        let (desk, mandate, usager) = lived(&world).await;
        let traces = traces(&world, &usager, &mandate).await;
        let names: Vec<_> = traces.iter().map(|(what, _)| *what).collect();
        assert_eq!(found(&world.test.database, &traces[..9]).await, names[..9], "they are looked for as they stand");
        let (entries, checkpoints) = journal(&world.test.database).await;

        let erased = erase::usager(&world.app, &usager, true).await.unwrap();
        assert!(erased.openings > 8 && erased.common >= 4 && erased.mandates == 1, "{erased:?}");
        rewritten(&world).await;
        assert_eq!(found(&world.test.database, &traces).await, Vec::<&str>::new());

        let (after, signed) = journal(&world.test.database).await;
        assert!(after.starts_with(&entries) && signed.starts_with(&checkpoints), "the leaves are as they were");
        let report = world.test.report(None, world.app.now()).await;
        assert!(report.is_clean(), "{:?}", report.lines());
        assert_eq!((report.erased_persons, report.tree.erased), (1, erased.common));
        world.test.verifies().await;

        // What the aidant did still reads, and names nobody.
        let page = desk.get(&format!("/aidant/mandates/{mandate}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(!page.body.contains(&marie().family_name), "{}", page.body);
        assert_eq!(world.entries(EventKind::PersonErased, None).await, 2, "one that counts, one by the mandate's tag");
        assert_eq!(desk.get(&format!("/aidant/mandates/{mandate}/print")).await.status, 409);
        world.test.verifies().await;
        assert_eq!(found(&world.test.database, &traces).await, Vec::<&str>::new(), "later entries name nobody either");
    }

    an_erased_person_who_comes_again_is_another_one(database) {
        let world = World::over(database).await;
        let (_desk, _, usager) = lived(&world).await;
        let home = at_home(&world, &usager).await;
        erase::usager(&world.app, &usager, true).await.unwrap();
        assert_eq!(home.get("/usager").await.status, 303, "their sessions are over");
        assert_eq!(erase::usager(&world.app, &usager, false).await.unwrap(), Erased::default(), "again is nothing");
        let mut desk = world.signed_in(&world.colleague().await).await;
        let mandate = world.active(&mut desk).await;
        assert_ne!(usager_of(&world, &mandate).await, usager);
        world.test.verifies().await;
    }

    what_another_process_wrote_of_an_erased_person_is_taken_away_when_it_is_erased_again(database) {
        let world = World::over(database).await;
        let (_desk, mandate, usager) = lived(&world).await;
        let other = world.beside(world.test.replica().await);
        let there = other.signed_in(&other.colleague().await).await;
        assert_eq!(there.get(&format!("/aidant/mandates/{mandate}")).await.status, 200, "the key is at hand there");
        erase::usager(&world.app, &usager, true).await.unwrap();
        assert_eq!(there.get(&format!("/aidant/mandates/{mandate}")).await.status, 200);
        upkeep::forget_erased(&other.app).await.unwrap();
        let again = erase::usager(&world.app, &usager, true).await.unwrap();
        assert_eq!(there.get(&format!("/aidant/mandates/{mandate}")).await.status, 200);
        assert_eq!(erase::usager(&world.app, &usager, true).await.unwrap(), Erased::default(), "after {again:?}");
        world.test.verifies().await;
    }

    a_removal_cannot_hide_behind_an_erasure(database) {
        let world = World::over(database).await;
        let (_desk, _, usager) = lived(&world).await;
        erase::usager(&world.app, &usager, true).await.unwrap();
        world.test.verifies().await;
        let mut raw = world.test.database.raw().await;
        let text = "SELECT event_id FROM event_search WHERE usager IS NULL AND aidant IS NULL ORDER BY event_id LIMIT 1";
        let event: String = sqlx::query(text).fetch_one(&mut raw).await.unwrap().get(0);
        for table in ["opening", "event_search"] {
            raw.execute(AssertSqlSafe(format!("DELETE FROM {table} WHERE event_id = '{event}'"))).await.unwrap();
        }
        let report = world.test.report(None, world.app.now()).await;
        assert!(report.lines().iter().any(|line| line.contains("without a trace")), "{:?}", report.lines());
    }

    what_is_past_its_time_is_destroyed_and_counted_and_nothing_sooner(database) {
        let world = World::over(database).await;
        let (_desk, mandate, usager) = lived(&world).await;
        let traces = traces(&world, &usager, &mandate).await;
        assert!(retention::run(&world.app).await.unwrap().is_empty(), "nothing is a year old");
        world.test.clock.advance(Duration::days(364));
        porteplume::service::expire::expire_due(&world.app).await.unwrap();
        assert!(retention::run(&world.app).await.unwrap().is_empty(), "nor now");
        assert_eq!(world.entries(EventKind::RetentionRun, None).await, 0);
        world.test.clock.advance(Duration::days(2));
        let run = retention::run(&world.app).await.unwrap();
        assert!(run.openings > 0 && run.mandates == 0, "{run:?}");
        assert_eq!(world.entries(EventKind::FactorEnrolled, None).await, 0, "technical");
        assert_eq!(world.entries(EventKind::MandateAccepted, None).await, 1, "evidence");
        world.test.verifies().await;
        world.test.clock.advance(Duration::days(6 * 365 + 2));
        let run = retention::run(&world.app).await.unwrap();
        assert_eq!((run.mandates, run.persons), (1, 1), "{run:?}");
        assert!(retention::run(&world.app).await.unwrap().is_empty());
        assert_eq!(world.entries(EventKind::MandateAccepted, None).await, 0);
        let report = world.test.report(None, world.app.now()).await;
        assert!(report.is_clean(), "{:?}", report.lines());
        assert_eq!((report.erased_mandates, report.erased_persons), (1, 1));
        rewritten(&world).await;
        assert_eq!(found(&world.test.database, &traces).await, Vec::<&str>::new());
    }
}
