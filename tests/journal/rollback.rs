//! A database behind what was published (a restored backup, a replica that took over too early): nothing is signed for it,
//! and the operator is told what to do.

use crate::support::app::keys;
use crate::support::database::{TestDatabase, on_both};
use crate::support::settings::configuration;
use porteplume::crypto::KeyStore;
use porteplume::journal::{Checkpoint, leaf_hash};
use sqlx::Row as _;
use std::path::Path;
use std::process::{Command, Output};

pub(super) fn porteplume(act: &str, config: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    command.arg(act).arg("--config").arg(config).output().unwrap()
}

/// What it said, on either stream.
pub(super) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// An operator's configuration over that database; the published checkpoint is kept beside it.
pub(super) fn configured(database: &TestDatabase) -> (std::path::PathBuf, std::path::PathBuf) {
    let (config, published) =
        (database.folder().join("porteplume.toml"), database.folder().join("checkpoint"));
    let text = configuration("127.0.0.1:1", "http://127.0.0.1:1", &database.options().url, keys(), "");
    let origin = "origin = \"porteplume.test/journal\"";
    let kept = format!("{origin}\n        checkpoint_file = \"{}\"", published.display());
    std::fs::write(&config, text.replace(origin, &kept)).unwrap();
    (config, published)
}

fn restored(config: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    command.args(["journal", "restored", "--config"]).arg(config).args(more).output().unwrap()
}

on_both! {
    a_restore_is_an_entry_that_tells_what_was_lost(database) {
        let (config, published) = configured(&database);
        assert!(porteplume("doctor", &config).status.success() || published.exists());
        let (lost, strange) = (database.folder().join("lost"), database.folder().join("strange"));
        let keys = KeyStore::open(keys()).unwrap();
        let checkpoint = |origin: &str, size| Checkpoint { origin: origin.to_owned(), size, root: leaf_hash(b"lost") };
        let write = |path: &Path, origin, size| {
            std::fs::write(path, checkpoint(origin, size).sign(keys.journal()).unwrap()).unwrap();
        };
        let entries = async || -> i64 {
            let count = "SELECT count(*) FROM event_search WHERE kind = 'journal.restored'";
            sqlx::query(count).fetch_one(&mut database.raw().await).await.unwrap().get(0)
        };
        write(&strange, "elsewhere.test/journal", 900);
        write(&lost, "porteplume.test/journal", 1);
        for (more, why) in [
            (vec!["--reference", " "], "reference"),
            (vec!["--reference", "17", "--lost", strange.to_str().unwrap()], "no checkpoint signed by this journal"),
            (vec!["--reference", "17", "--lost", lost.to_str().unwrap()], "nothing was lost: 1 entries"),
            (vec!["--reference", "17", "--lost", "/nowhere"], "cannot be read"),
        ] {
            let output = restored(&config, &more);
            assert!(output.status.code() == Some(1) && said(&output).contains(why), "{why}: {}", said(&output));
        }
        assert_eq!(entries().await, 0, "nothing is written of what is refused");

        write(&lost, "porteplume.test/journal", 900);
        let output = restored(&config, &["--reference", "incident 17", "--lost", lost.to_str().unwrap()]);
        assert!(output.status.success() && said(&output).contains("entries that were lost"), "{}", said(&output));
        let output = restored(&config, &["--reference", "incident 18"]);
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(entries().await, 2);
        let verified = Command::new(env!("CARGO_BIN_EXE_porteplume"))
            .args(["journal", "verify", "--config"])
            .arg(&config)
            .output()
            .unwrap();
        assert!(verified.status.success(), "{}", said(&verified));
    }

    doctor_names_a_database_behind_what_was_published_and_says_what_to_do(database) {
        let (config, published) = configured(&database);
        let first = said(&porteplume("doctor", &config));
        assert!(first.contains("ok    journal: entries under a signed checkpoint: "), "{first}");
        let note = std::fs::read_to_string(&published).unwrap();
        let count = "SELECT count(*) FROM checkpoint";
        let before: i64 = sqlx::query(count).fetch_one(&mut database.raw().await).await.unwrap().get(0);

        let keys = KeyStore::open(keys()).unwrap();
        let origin = "porteplume.test/journal".to_owned();
        let newer = Checkpoint { origin, size: 900, root: leaf_hash(b"published") };
        std::fs::write(&published, newer.sign(keys.journal()).unwrap()).unwrap();
        for act in ["doctor", "serve"] {
            let output = porteplume(act, &config);
            let text = said(&output);
            assert_eq!(output.status.code(), Some(1), "{act}: {text}");
            assert!(text.contains("the journal is behind what was published: 900 entries were published"), "{act}: {text}");
            assert!(text.contains("look for a newer copy"), "{act}: {text}");
        }
        let after: i64 = sqlx::query(count).fetch_one(&mut database.raw().await).await.unwrap().get(0);
        assert_eq!(after, before, "nothing is signed for it");
        let held = std::fs::read_to_string(&published).unwrap();
        assert!(held.contains("\n900\n"), "the witness stays: {held}");

        std::fs::write(&published, note).unwrap();
        let again = said(&porteplume("doctor", &config));
        assert!(again.contains("ok    journal: entries under a signed checkpoint: "), "{again}");
    }
}
