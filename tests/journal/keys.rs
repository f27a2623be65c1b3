//! A key's rotation is an entry, or does not happen.

use crate::mandates::world::World;
use crate::support::app::keys;
use crate::support::database::on_both;
use crate::support::world::whereabouts;
use porteplume::crypto::{KeyPurpose, KeyState, KeyStore};
use porteplume::mandate::EventKind;
use porteplume::service::manage::{self, RotationError};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Keys of this world's own: the others share theirs.
fn own_keys(world: &World) -> PathBuf {
    let folder = world.test.database.folder().join("keys");
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
}
