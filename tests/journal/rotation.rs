//! The rotation of the journal's key, with services that run on meanwhile, witnesses who hear of it late, and people who
//! hold the policy of before.

use super::keys::copied_keys;
use super::outside;
use super::witnesses::watching;
use crate::support::database::{TestDatabase, on_both};
use crate::support::settings::configuration;
use crate::support::world::whereabouts;
use porteplume::clock::{ManualClock, SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::{KeyPurpose, KeyState, KeyStore};
use porteplume::journal::{NamedWitness, Policy, Vkey};
use porteplume::mandate::{EventKind, Instant, Slots};
use porteplume::service::bundle::{self, Wanted};
use porteplume::service::manage::{self, RotationError};
use porteplume::service::verify::{Journal, verify};
use porteplume::service::{App, Error, proof, read, shards, witnesses};
use porteplume::storage::search::{self, Filter};
use porteplume::storage::{Engine, JournalSigner, Store, journal};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const ORIGIN: &str = "porteplume.test/journal";

/// An instance with keys of its own, a published checkpoint outside its database, and witnesses.
struct Instance {
    database: TestDatabase,
    keys: PathBuf,
    witnesses: Vec<NamedWitness>,
    quorum: usize,
}

impl Instance {
    fn fresh(database: TestDatabase) -> Self {
        let keys = copied_keys(database.folder());
        Self { database, keys, witnesses: Vec::new(), quorum: 0 }
    }

    fn published(&self) -> PathBuf {
        self.database.folder().join("published")
    }

    /// A process of the service, with the keys as they are at that moment.
    async fn process(&self) -> App {
        let config = Config::parse(&self.configuration(), [], &|_| unreachable!("no secret in a file"));
        porteplume::app::open(&config.unwrap(), Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap()
    }

    fn configuration(&self) -> String {
        let url = &self.database.options().url;
        let text = configuration("127.0.0.1:1", "http://127.0.0.1:1", url, &self.keys, "");
        let origin = format!("origin = \"{ORIGIN}\"");
        let named = self.witnesses.iter().map(|one| format!("\"{} {} {}\"", one.name, one.key, one.url));
        let (named, quorum) = (named.collect::<Vec<_>>().join(", "), self.quorum);
        let kept = format!(
            "{origin}\ncheckpoint_file = \"{}\"\nwitnesses = [{named}]\nquorum = {quorum}",
            self.published().display()
        );
        text.replace(&origin, &kept)
    }

    fn signer(&self) -> JournalSigner {
        JournalSigner::new(ORIGIN, Arc::new(KeyStore::open(&self.keys).unwrap())).unwrap()
    }

    /// Trust in that key and one witness, if there is any.
    fn trust(&self, key: &Vkey) -> Policy {
        self.trust_all(std::slice::from_ref(key))
    }

    fn trust_all(&self, keys: &[Vkey]) -> Policy {
        let text = porteplume::journal::policy(keys, None, &self.witnesses, self.quorum);
        Policy::parse(text.as_bytes()).unwrap()
    }

    /// Everything verifies, and the checkpoint kept outside is no older than the database.
    async fn verifies(&self) {
        let store = Store::open_for_reading(&self.database.options()).await.unwrap();
        let keys = Arc::new(KeyStore::open(&self.keys).unwrap());
        let verifiers = self.signer().verifiers().to_vec();
        let (published, now) = (Some(self.published()), porteplume::clock::Clock::now(&SystemClock));
        let authorities = porteplume::journal::TimestampAuthorities::default();
        let journal = Journal { store: store.clone(), keys, verifiers, published, authorities, now };
        let report = verify(journal).await.unwrap();
        store.close().await;
        assert!(report.is_clean(), "{:?}", report.lines());
    }
}

/// Writes an entry, which waits for its place; its proof.
async fn write(app: &App) -> porteplume::journal::LogProof {
    let siret = format!("{:014}", app.now().micros() % 100_000_000_000_000);
    manage::add_organisation(app, "Mairie", &siret, &whereabouts()).await.unwrap();
    let by = Arc::clone(app);
    app.store
        .read("test", move |snapshot| {
            Box::pin(async move {
                let size = journal::head(snapshot).await?.unwrap().size;
                let row = journal::entries(snapshot, size - 1, 1).await?.remove(0);
                Ok::<_, Error>(proof::of(&by, snapshot, &row).await?.unwrap().log)
            })
        })
        .await
        .unwrap()
}

/// How many entries tell of a change of keys.
async fn told(app: &App) -> usize {
    let filter =
        Filter { kind: Some(EventKind::KeyRotated), ..Filter::period(Instant::from_micros(0), app.now()) };
    let found = app.store.read("test", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(search::find(snapshot, &filter, None, 50).await?.found) })
    });
    found.await.unwrap().len()
}

/// Runs a command as the operator does; how it ended, and what it said.
fn operator(config: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    let output = command.args(words).arg("--config").arg(config).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

async fn rotate(app: &App, keys: &Path) -> Result<(), RotationError> {
    manage::rotate_key(app, keys, KeyPurpose::Journal).await.map(drop)
}

async fn retire(app: &App, keys: &Path) -> Result<(), RotationError> {
    manage::retire_key(app, keys, KeyPurpose::Journal).await.map(drop)
}

on_both! {
    in_the_overlap_of_a_rotation_both_keys_sign_and_whoever_knows_either_verifies(database) {
        let instance = Instance::fresh(database);
        let old = instance.process().await;
        let first = instance.signer().verifiers()[0].clone();
        let before = write(&old).await;
        rotate(&old, &instance.keys).await.unwrap();
        let second = instance.signer().verifiers()[0].clone();
        assert_ne!(first, second);
        let listed: Vec<_> = KeyStore::list(&instance.keys).unwrap().into_iter()
            .filter(|key| key.purpose == KeyPurpose::Journal).map(|key| key.state).collect();
        assert_eq!(listed, [KeyState::Leaving, KeyState::Current]);

        let new = instance.process().await;
        // Whichever of the two gives an entry its place signs with what it has, and the other goes on.
        let either = instance.trust_all(&[first.clone(), second.clone()]);
        for app in [&new, &old, &new, &old] {
            write(app).await.verify_under(&either).unwrap();
        }
        old.store.close().await;
        let both = write(&new).await;
        let served = read::checkpoint(&new).await.unwrap().unwrap();
        for key in [&first, &second] {
            instance.trust(key).open(&served).unwrap();
            both.verify_under(&instance.trust(key)).unwrap();
        }
        before.verify_under(&instance.trust(&first)).unwrap();
        let named = read::policy(&new).await.unwrap();
        assert!(named.contains(&second.to_string()) && named.contains(&first.to_string()), "{named}");
        assert_eq!(told(&new).await, 1);
        instance.verifies().await;
        new.store.close().await;
    }

    after_the_overlap_the_new_key_signs_alone_and_what_was_signed_before_still_counts(database) {
        let instance = Instance::fresh(database);
        let old = instance.process().await;
        let first = instance.signer().verifiers()[0].clone();
        rotate(&old, &instance.keys).await.unwrap();
        old.store.close().await;
        let files = || std::fs::read_dir(&instance.keys).unwrap().count();
        let kept = files();
        let new = instance.process().await;
        let both = write(&new).await;
        retire(&new, &instance.keys).await.unwrap();
        assert_eq!(files(), kept - 1, "the private half of the former key is gone");
        let alone = instance.process().await;
        let second = instance.signer().verifiers()[0].clone();
        for app in [&alone, &new, &alone, &new] {
            write(app).await.verify_under(&instance.trust(&second)).unwrap();
        }
        new.store.close().await;
        let last = write(&alone).await;
        last.verify_under(&instance.trust(&second)).unwrap();
        assert!(last.verify_under(&instance.trust(&first)).is_err(), "the former key signs no more");
        both.verify_under(&instance.trust(&first)).unwrap();
        assert_eq!(told(&alone).await, 2);
        instance.verifies().await;
        alone.store.close().await;
    }

    a_rotation_over_the_boundary_of_two_shards_breaks_neither(database) {
        let instance = Instance::fresh(database);
        let old = instance.process().await;
        write(&old).await;
        rotate(&old, &instance.keys).await.unwrap();
        old.store.close().await;
        let new = instance.process().await;
        let before = write(&new).await;
        let signer = instance.signer();
        let [second, first] = signer.verifiers() else { panic!("two keys") };
        let name = shards::open_now(&new, "incident 1").await.unwrap();
        let in_shard = |key: &Vkey| instance.trust(&key.called(&name).unwrap());
        let both = write(&new).await;
        for key in [first, second] {
            before.verify_under(&instance.trust(key)).unwrap();
            both.verify_under(&in_shard(key)).unwrap();
            assert!(both.verify_under(&instance.trust(key)).is_err(), "under the name of its own shard alone");
        }
        retire(&new, &instance.keys).await.unwrap();
        new.store.close().await;

        let alone = instance.process().await;
        let last = write(&alone).await;
        last.verify_under(&in_shard(second)).unwrap();
        assert!(last.verify_under(&in_shard(first)).is_err(), "the former key signs no more");
        let next = shards::open_now(&alone, "incident 2").await.unwrap();
        write(&alone).await.verify_under(&instance.trust(&second.called(&next).unwrap())).unwrap();
        let closed = read::checkpoint_of(&alone, Some(0)).await.unwrap().unwrap();
        for key in [first, second] {
            instance.trust(key).open(&closed).unwrap();
        }
        instance.verifies().await;
        alone.store.close().await;
    }

    a_rotation_out_of_turn_changes_nothing(database) {
        let instance = Instance::fresh(database);
        let old = instance.process().await;
        let code = |refused: Result<(), RotationError>| match refused {
            Err(RotationError::Keys(error)) => error.code(),
            Err(RotationError::Unseen) => "unseen",
            other => panic!("{other:?}"),
        };
        assert_eq!(code(retire(&old, &instance.keys).await), "key_not_leaving");
        let token = manage::retire_key(&old, &instance.keys, KeyPurpose::TokenEs256).await.map(drop);
        assert_eq!(code(token), "key_not_leaving");
        rotate(&old, &instance.keys).await.unwrap();
        let listed = KeyStore::list(&instance.keys).unwrap();
        assert_eq!(code(rotate(&old, &instance.keys).await), "key_not_rotatable");
        let new = instance.process().await;
        assert_eq!(code(retire(&new, &instance.keys).await), "unseen", "nobody has signed under the new key yet");
        assert_eq!(KeyStore::list(&instance.keys).unwrap(), listed);
        assert_eq!(told(&new).await, 1);
        for app in [old, new] {
            app.store.close().await;
        }
    }

    the_operator_is_given_the_new_policy_and_told_what_is_left_to_do(database) {
        let instance = Instance::fresh(database);
        let config = instance.database.folder().join("porteplume.toml");
        std::fs::write(&config, instance.configuration()).unwrap();
        let old = instance.process().await;
        write(&old).await;
        old.store.close().await;
        let first = instance.signer().verifiers()[0].to_string();
        let (ended, said) = operator(&config, &["keys", "rotate", "journal"]);
        let second = instance.signer().verifiers()[0].to_string();
        let policy = said.lines().filter(|line| line.starts_with("log ") || line.starts_with("quorum "));
        let policy = Policy::parse(format!("{}\n", policy.collect::<Vec<_>>().join("\n")).as_bytes()).unwrap();
        assert_eq!(ended, Some(0), "{said}");
        assert!(said.contains(&first) && said.contains(&second) && said.contains("porteplume keys retire journal"), "{said}");
        assert!(operator(&config, &["doctor"]).1.contains("the journal's former key still signs"));
        let (ended, said) = operator(&config, &["keys", "retire", "journal"]);
        assert!(ended == Some(1) && said.contains("restart every running service"), "{said}");
        let restarted = instance.process().await;
        write(&restarted).await.verify_under(&policy).unwrap();
        restarted.store.close().await;
        let (ended, said) = operator(&config, &["keys", "retire", "journal"]);
        assert!(ended == Some(0) && said.contains("journal  Ed25519  retired"), "{said}");
        assert!(!operator(&config, &["doctor"]).1.contains("still signs"));
        let alone = instance.process().await;
        write(&alone).await.verify_under(&policy).unwrap();
        instance.verifies().await;
        alone.store.close().await;
    }

    a_witness_that_hears_late_of_a_rotation_vouches_through_the_overlap(database) {
        let mut instance = Instance::fresh(database);
        let clock = ManualClock::at(porteplume::clock::Clock::now(&SystemClock));
        let first = instance.signer().verifiers()[0].clone();
        instance.witnesses = vec![watching("late", std::slice::from_ref(&first), &clock).await];
        instance.quorum = 1;
        let old = instance.process().await;
        rotate(&old, &instance.keys).await.unwrap();
        let second = instance.signer().verifiers()[0].clone();
        old.store.close().await;
        let new = instance.process().await;
        write(&new).await;
        witnesses::round(&new).await.unwrap();
        let note = read::checkpoint(&new).await.unwrap().unwrap();
        for key in [&first, &second] {
            assert_eq!(instance.trust(key).open(&note).unwrap().seen.len(), 1, "{note}");
        }
        retire(&new, &instance.keys).await.unwrap();
        new.store.close().await;
        let alone = instance.process().await;
        write(&alone).await;
        witnesses::round(&alone).await.unwrap();
        assert_eq!(read::checkpoint(&alone).await.unwrap().unwrap(), note, "it refuses what it cannot know");

        // Told of the new key, it would have gone on.
        instance.witnesses = vec![watching("told", &[first, second.clone()], &clock).await];
        let told = instance.process().await;
        witnesses::round(&told).await.unwrap();
        let newer = read::checkpoint(&told).await.unwrap().unwrap();
        assert!(newer != note && instance.trust(&second).open(&newer).is_ok());
        instance.verifies().await;
        for app in [alone, told] {
            app.store.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_accept_what_both_keys_sign_in_the_overlap_by_the_one_they_know() {
    let mut instance = Instance::fresh(TestDatabase::fresh(Engine::Sqlite).await);
    let first = instance.signer().verifiers()[0].clone();
    let folder = instance.database.folder().to_owned();
    let (_running, named) = outside::watching(&folder, &first).await;
    (instance.witnesses, instance.quorum) = (vec![named], 1);
    let old = instance.process().await;
    write(&old).await;
    witnesses::round(&old).await.unwrap();
    rotate(&old, &instance.keys).await.unwrap();
    old.store.close().await;
    let new = instance.process().await;
    write(&new).await;
    witnesses::round(&new).await.unwrap();
    let second = instance.signer().verifiers()[0].clone();
    let note = read::checkpoint(&new).await.unwrap().unwrap();
    let wanted = Wanted::Places { from: 0, limit: 9 };
    let archive = porteplume::web::archive(bundle::export(&new, &wanted, Slots::METADATA).await.unwrap());
    let file = folder.join("overlap.tar");
    std::fs::write(&file, archive.unwrap()).unwrap();
    for key in [&first, &second] {
        assert_eq!(instance.trust(key).open(&note).unwrap().seen.len(), 1, "{note}");
        assert!(outside::go_knows(key, &file), "{key}");
    }
    let stranger = Vkey::new(ORIGIN, &[9; 32]).unwrap();
    assert!(!outside::go_knows(&stranger, &file), "a third key is none of the two");
    new.store.close().await;
}
