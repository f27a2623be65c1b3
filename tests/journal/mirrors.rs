//! Mirrors of the journal: exported as static files, verified without keys, database or network.

use super::shards::{NEW_YEAR, at};
use super::witnesses::grow;
use crate::support::app::TestApp;
use crate::support::database::{TestSigner, on_both, signer};
use porteplume::journal::policy;
use porteplume::service::export::{Export, export};
use porteplume::service::shards;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Runs `porteplume journal verify --dir` in a process of its own; its exit code and what it said.
fn verified(dir: &Path, policies: &[&Path]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    command.args(["journal", "verify", "--dir"]).arg(dir);
    for policy in policies {
        command.arg("--policy").arg(policy);
    }
    let done = command.env_clear().output().unwrap();
    (done.status.code(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
}

async fn exported(test: &TestApp) -> PathBuf {
    let dir = test.database.folder().join("mirror");
    let wanted = Export {
        store: test.web.app.store.clone(),
        keys: vec![signer().verifier()],
        witnesses: Arc::default(),
        dir: dir.clone(),
    };
    export(&wanted).await.unwrap();
    dir
}

on_both! {
    a_mirror_of_two_shards_verifies_offline_and_whatever_is_changed_in_it_is_named(database) {
        let test = TestApp::over(database).await;
        grow(&test, 300).await.unwrap();
        at(&test, NEW_YEAR);
        assert!(shards::open_due(&test.web.app).await.unwrap().is_some());
        grow(&test, 4).await.unwrap();
        let dir = exported(&test).await;
        let trust = |origin: &str| {
            let file = test.database.folder().join(origin.replace('/', "-"));
            std::fs::write(&file, policy(&[TestSigner::called(origin).verifier()], None, &[], 0)).unwrap();
            file
        };
        let (first, second) = (trust("porteplume.test/journal"), trust("porteplume.test/journal/2027"));
        let (code, told) = verified(&dir, &[&first, &second]);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("porteplume.test/journal: 300 entries read"), "{told}");
        assert!(told.contains("porteplume.test/journal/2027: 5 entries read"), "{told}");
        assert!(verified(&dir, &[]).1.contains("the policy is the mirror's own"));
        let (code, told) = verified(&dir, &[&first]);
        assert_eq!(code, Some(1), "the second shard's key is not among those trusted: {told}");
        for (file, finding) in [
            ("tile/entries/000", "mirror_root"),
            ("tile/entries/001.p/44", "mirror_root"),
            ("tile/0/000", "mirror_tile"),
            ("shards/1/tile/0/000.p/5", "mirror_tile"),
            ("shards/1/checkpoint", "checkpoint"),
        ] {
            let path = dir.join(file);
            let good = std::fs::read(&path).unwrap();
            let mut bad = good.clone();
            let at = 40.min(bad.len() / 2);
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let (code, told) = verified(&dir, &[&first, &second]);
            assert!(code == Some(1) && told.contains(finding), "{file}: {told}");
            std::fs::remove_file(&path).unwrap();
            let (code, told) = verified(&dir, &[&first, &second]);
            assert!(code == Some(1) && told.contains("mirror_file") && told.contains(file), "{file}: {told}");
            std::fs::write(&path, good).unwrap();
        }
        assert_eq!(verified(&dir, &[&first, &second]).0, Some(0));
        shards_are_missed(&dir, &[&first, &second]);
    }
}

/// A shard that is missing, of another number, there twice or of another journal is named.
fn shards_are_missed(dir: &Path, trusted: &[&Path]) {
    let refused = |why: &str| {
        let (code, told) = verified(dir, trusted);
        assert!(code == Some(1) && told.contains("mirror_shard") && told.contains(why), "{why}: {told}");
    };
    let shard = |number: &str| dir.join("shards").join(number);
    std::fs::rename(shard("1"), shard("2")).unwrap();
    refused("a later shard is there, and not this one");
    std::fs::rename(shard("2"), shard("1")).unwrap();
    std::fs::create_dir(shard("2")).unwrap();
    let files = ["checkpoint", "tile", "policy"].map(|file| dir.join(file));
    let copied = Command::new("cp").arg("-r").args(files).arg(shard("2")).status().unwrap();
    assert!(copied.success());
    refused("porteplume.test/journal stands there twice");
    std::fs::remove_dir_all(shard("2")).unwrap();
    for strange in ["x", "01", "+1", "0"] {
        std::fs::write(shard(strange), "").unwrap();
        let (code, told) = verified(dir, trusted);
        assert!(code == Some(1) && told.contains("is no shard's number"), "{strange}: {told}");
        std::fs::remove_file(shard(strange)).unwrap();
    }
    let huge = std::fs::File::create(shard("1/tile/entries/000.p/5")).unwrap();
    huge.set_len(64 << 20).unwrap();
    let (code, told) = verified(dir, trusted);
    assert!(code == Some(1) && told.contains("longer than any file of a mirror"), "{told}");
}

#[test]
fn what_is_no_mirror_is_refused_in_words() {
    let (code, told) = verified(Path::new("/nowhere"), &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("/nowhere/policy cannot be read"), "{told}");
}
