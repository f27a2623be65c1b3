//! A key's rotation is an entry, or does not happen; a person's key is one that was committed.

use crate::mandates::world::World;
use crate::support::app::keys;
use crate::support::database::{TestDatabase, on_both};
use crate::support::world::whereabouts;
use porteplume::crypto::{KeyPurpose, KeyState, KeyStore, Rotation};
use porteplume::journal::{Policy, leaf_hash, policy};
use porteplume::mandate::{AidantId, EventKind};
use porteplume::service::manage::{self, RotationError};
use porteplume::service::people::{self, Holder};
use porteplume::service::{Caller, Error, Record};
use porteplume::storage::{CheckpointSigner as _, Engine, JournalSigner, StoreError};
use sqlx::{Executor as _, Row as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keys of this world's own: the others share theirs.
fn own_keys(world: &World) -> PathBuf {
    copied_keys(world.test.database.folder())
}

/// A copy of the run's keys in that folder, to be changed.
pub(super) fn copied_keys(folder: &Path) -> PathBuf {
    let folder = folder.join("keys");
    std::fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    for file in std::fs::read_dir(keys()).unwrap() {
        let file = file.unwrap().path();
        let copy = folder.join(file.file_name().unwrap());
        std::fs::copy(&file, &copy).unwrap();
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

on_both! {
    a_key_made_by_a_write_that_was_undone_seals_nothing(database) {
        let world = World::over(database).await;
        let id = AidantId::from_bytes(world.app.new_id().unwrap());
        for undone in [true, false] {
            let (app, aidant, now) = (Arc::clone(&world.app), id.clone(), world.app.now());
            let written = world.app.include("test", move |tx| {
                let (app, aidant) = (Arc::clone(&app), aidant.clone());
                Box::pin(async move {
                    // Made by the first, found by the second.
                    people::seal(&app, tx, Holder::Aidant(aidant.as_str()), &"x", now).await?;
                    let record = Record::done(EventKind::SignedOut).aidant(&aidant);
                    record.append(&app, tx, &Caller::default(), now).await?;
                    if undone { Err(Error::Conflict) } else { Ok(()) }
                })
            });
            assert_eq!(written.await.is_err(), undone);
        }
        let keys = format!("SELECT count(*) FROM data_key WHERE kind = 'aidant' AND subject_id = '{id}'");
        let mut raw = world.test.database.raw().await;
        let kept: i64 = sqlx::query(sqlx::AssertSqlSafe(keys)).fetch_one(&mut raw).await.unwrap().get(0);
        assert_eq!(kept, 1, "what was sealed the second time can be opened");
        world.test.verifies().await;
    }

    a_rotated_key_is_an_entry_and_the_running_service_writes_on(database) {
        let world = World::over(database).await;
        let folder = own_keys(&world);
        for purpose in [KeyPurpose::Journal, KeyPurpose::TokenEs256, KeyPurpose::KeyEncryption] {
            let changed = manage::rotate_key(&world.app, &folder, purpose).await.unwrap();
            assert!(changed.iter().any(|key| key.purpose == purpose && key.state == KeyState::Current));
        }
        assert_eq!(world.entries(EventKind::KeyRotated, None).await, 3);
        KeyStore::open(&folder).unwrap();
        manage::add_organisation(&world.app, "Autre", "13002526500013", &whereabouts()).await.unwrap();
        world.test.verifies().await;
    }

    after_the_journals_key_was_rotated_the_policy_names_both_and_what_either_signed_counts(database) {
        let world = World::over(database).await;
        let (folder, origin) = (own_keys(&world), world.app.origin.clone());
        let signer = || JournalSigner::new(origin.clone(), Arc::new(KeyStore::open(&folder).unwrap())).unwrap();
        let trust = |signer: &JournalSigner| {
            Policy::parse(policy(signer.verifiers(), None, &[], 0).as_bytes()).unwrap()
        };
        let (before, root) = (signer(), leaf_hash(b"x"));
        manage::rotate_key(&world.app, &folder, KeyPurpose::Journal).await.unwrap();
        let after = signer();
        assert_eq!((before.verifiers().len(), after.verifiers().len()), (1, 2));
        assert_eq!(after.verifiers()[1], before.verifiers()[0], "the new key first, the former one behind");
        let (old, new) = (before.sign(7, &root).unwrap(), after.sign(8, &root).unwrap());
        assert_eq!((after.open(&old), after.open(&new)), (Some((7, root)), Some((8, root))));
        assert!(trust(&after).open(&old).is_ok() && trust(&after).open(&new).is_ok());
        assert!(trust(&before).open(&old).is_ok());
        assert!(trust(&before).open(&new).is_ok(), "both sign, until the former one is retired");
        Rotation::prepare_end(&folder, KeyPurpose::Journal).unwrap().carry_out().unwrap();
        let alone = signer();
        assert_eq!(alone.verifiers(), after.verifiers());
        let newest = alone.sign(9, &root).unwrap();
        assert_eq!(after.open(&newest), Some((9, root)));
        assert!(trust(&alone).open(&old).is_ok() && trust(&alone).open(&new).is_ok());
        assert!(trust(&before).open(&newest).is_err(), "who has the old policy needs the new one by now");
    }

    a_rotation_that_cannot_be_journaled_does_not_happen(database) {
        let world = World::over(database).await;
        let folder = own_keys(&world);
        let (listed, before) = (KeyStore::list(&folder).unwrap(), files(&folder));
        world.test.database.refuses("INSERT", "event").await;
        let refused = manage::rotate_key(&world.app, &folder, KeyPurpose::Journal).await;
        assert!(matches!(refused, Err(RotationError::Journal(_))));
        assert_eq!((KeyStore::list(&folder).unwrap(), files(&folder)), (listed.clone(), before.clone()));
        world.test.database.takes_again("event").await;
        let refused = manage::rotate_key(&world.app, &folder, KeyPurpose::BlindIndex).await;
        assert!(matches!(refused, Err(RotationError::Keys(_))));
        assert_eq!((KeyStore::list(&folder).unwrap(), files(&folder)), (listed, before));
        assert_eq!(world.entries(EventKind::KeyRotated, None).await, 0);
    }

    a_rotation_the_files_refuse_is_taken_back_in_the_journal(database) {
        let world = World::over(database).await;
        let folder = own_keys(&world);
        let listed = KeyStore::list(&folder).unwrap();
        std::fs::create_dir(folder.join(".keys.toml.draft")).unwrap();
        let refused = manage::rotate_key(&world.app, &folder, KeyPurpose::Journal).await;
        assert!(matches!(refused, Err(RotationError::Keys(_))));
        assert_eq!(KeyStore::open(&folder).unwrap().listing(), listed);
        assert_eq!(world.entries(EventKind::KeyRotated, None).await, 1);
        assert_eq!(world.entries(EventKind::KeyRotated, Some("keys_not_written")).await, 1);
        world.test.verifies().await;
    }
}

#[tokio::test]
async fn a_rotation_whose_entry_only_waits_for_its_place_is_carried_out() {
    let first = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let folder = own_keys(&first);
    let world = first.beside(first.test.held_back().await);
    let changed = manage::rotate_key(&world.app, &folder, KeyPurpose::Journal).await.unwrap();
    assert!(changed.iter().all(|key| KeyStore::list(&folder).unwrap().contains(key)));
    KeyStore::open(&folder).unwrap();
    assert_ne!(world.app.store.sequence_once().await, Ok(0));
    assert_eq!(world.entries(EventKind::KeyRotated, None).await, 1);
    world.test.verifies().await;
}

#[tokio::test]
async fn a_rotation_whose_entry_may_stand_or_not_is_given_up_and_taken_back() {
    let world = World::over(TestDatabase::fresh(Engine::Postgres).await).await;
    let folder = own_keys(&world);
    let (listed, before) = (KeyStore::list(&folder).unwrap(), files(&folder));
    // The first commit that holds an entry loses its connection.
    let cut = "CREATE SEQUENCE test_cuts; CREATE FUNCTION test_cuts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
        AS $$ BEGIN IF nextval('test_cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; \
        END $$; CREATE CONSTRAINT TRIGGER test_cuts AFTER INSERT ON event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW \
        EXECUTE FUNCTION test_cuts()";
    world.test.database.raw().await.execute(cut).await.unwrap();
    let refused = manage::rotate_key(&world.app, &folder, KeyPurpose::Journal).await;
    assert!(matches!(refused, Err(RotationError::Journal(Error::Store(StoreError::OutcomeUnknown)))));
    assert_eq!((KeyStore::list(&folder).unwrap(), files(&folder)), (listed, before));
    assert_eq!(world.entries(EventKind::KeyRotated, Some("keys_not_written")).await, 1);
    world.test.verifies().await;
}

#[tokio::test]
async fn a_rotation_given_up_says_why_though_its_key_cannot_be_taken_away() {
    let world = World::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    let folder = own_keys(&world);
    let (listed, before) = (KeyStore::list(&folder).unwrap(), files(&folder));
    let outage = world.test.database.outage().await;
    let spoiled = async {
        let fresh = files(&folder).into_iter().find(|file| !before.contains(file)).unwrap();
        std::fs::remove_file(&fresh).unwrap();
        std::fs::DirBuilder::new().mode(0o700).create(&fresh).unwrap();
    };
    let rotation = manage::rotate_key(&world.app, &folder, KeyPurpose::Journal);
    let (refused, ()) = tokio::join!(biased; rotation, spoiled);
    outage.ends().await;
    assert!(matches!(refused, Err(RotationError::Journal(_))));
    assert_eq!(KeyStore::open(&folder).unwrap().listing(), listed);
    assert_eq!(world.entries(EventKind::KeyRotated, None).await, 0);
}
