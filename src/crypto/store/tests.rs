use super::*;
use crate::clock::{ManualClock, SystemEntropy};
use crate::crypto::{Cell, DataKey, JwsAlg, sign_jws, verify_ed25519, verify_jws};
use crate::mandate::Instant;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory of the test's own, removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("porteplume-keys-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn clock() -> ManualClock {
    ManualClock::at(Instant::from_micros(1_790_000_000_000_000))
}

fn initialised() -> (Scratch, KeyStore) {
    let dir = Scratch::new();
    let store = KeyStore::init(&dir.0, &SystemEntropy, &clock()).unwrap();
    (dir, store)
}

fn rotate(dir: &Scratch, purpose: KeyPurpose) -> Result<Vec<KeyListing>, KeyStoreError> {
    Rotation::prepare(&dir.0, purpose, &SystemEntropy, &clock())?.carry_out()
}

fn code<T>(result: Result<T, KeyStoreError>) -> &'static str {
    result.err().map_or("opened", |error| error.code())
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn key_files(dir: &Scratch) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(&dir.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "key"))
        .collect();
    files.sort();
    files
}

#[test]
fn private_keys_are_written_for_the_owner_only_and_init_never_overwrites() {
    let (dir, store) = initialised();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.0), 0o700);
    let files = key_files(&dir);
    assert_eq!(files.len(), 12);
    assert!(files.iter().all(|path| mode(path) == 0o600));
    let before: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(code(KeyStore::init(&dir.0, &SystemEntropy, &clock())), "keys_exist");
    let after: Vec<_> = key_files(&dir).iter().map(|path| fs::read(path).unwrap()).collect();
    assert_eq!(before, after);
    assert_eq!(store.listing(), KeyStore::list(&dir.0).unwrap());
}

#[test]
fn the_manifest_names_every_key_and_no_secret() {
    let (dir, _) = initialised();
    let manifest = fs::read_to_string(dir.0.join("keys.toml")).unwrap();
    for path in key_files(&dir) {
        let secret = fs::read_to_string(&path).unwrap();
        assert!(manifest.contains(path.file_stem().unwrap().to_str().unwrap()));
        assert!(!manifest.contains(secret.trim()));
    }
}

#[test]
fn a_looser_mode_refuses_to_open_and_says_the_cure() {
    let (dir, _) = initialised();
    let file = key_files(&dir).remove(3);
    for mode in [0o640, 0o604, 0o620, 0o601, 0o644] {
        chmod(&file, mode);
        let error = KeyStore::open(&dir.0).err().unwrap();
        assert_eq!(error.code(), "key_file_too_open");
        let said = error.to_string();
        assert!(said.contains(&format!("0{mode:o}")) && said.contains("chmod 600"), "{said}");
        assert!(said.contains(file.to_str().unwrap()), "{said}");
    }
    chmod(&file, 0o400);
    assert_eq!(code(KeyStore::open(&dir.0)), "opened");
    for mode in [0o770, 0o702, 0o720] {
        chmod(&dir.0, mode);
        assert_eq!(code(KeyStore::open(&dir.0)), "key_directory_too_open");
        assert_eq!(code(rotate(&dir, KeyPurpose::Journal)), "key_directory_too_open");
    }
}

#[test]
fn what_was_sealed_and_indexed_before_a_restart_is_found_after_it() {
    let (dir, store) = initialised();
    let cell = Cell { table: "t", row: "r", column: "c" };
    let key = DataKey::generate(&SystemEntropy).unwrap();
    let sealed = key.seal(&SystemEntropy, &cell, b"x").unwrap();
    let wrapped = store.key_encryption().wrap(&SystemEntropy, "k", &key).unwrap();
    rotate(&dir, KeyPurpose::KeyEncryption).unwrap();
    let again = KeyStore::open(&dir.0).unwrap();
    let unwrapped = again.key_encryption().unwrap("k", &wrapped).unwrap();
    assert_eq!(unwrapped.open(&cell, &sealed).unwrap().as_slice(), b"x");
    assert!(again.key_encryption().is_outdated(&wrapped));
    assert_eq!(again.index().blind("f", &["x"]), store.index().blind("f", &["x"]));
}

#[test]
fn a_token_key_is_published_then_signs_then_retires_and_no_kid_comes_twice() {
    let (dir, mut store) = initialised();
    for (alg, verifies) in JwsAlg::ALL.into_iter().zip(JwsAlg::ALL) {
        assert_eq!(alg.as_str(), verifies.as_str());
        let purpose = KeyPurpose::of_tokens(alg);
        let kids = |store: &KeyStore| -> Vec<String> {
            let published = store.published().keys.iter();
            let of = published.filter(|key| key.alg.as_deref() == Some(alg.as_str()));
            of.filter_map(|key| key.kid.clone()).collect()
        };
        let [current, next] = kids(&store).try_into().unwrap();
        assert_eq!(store.token_key(alg).unwrap().kid(), current);
        let token = sign_jws(store.token_key(alg).unwrap(), "JWT", b"{}").unwrap();

        let changed = rotate(&dir, purpose).unwrap();
        assert_eq!(changed.len(), 3);
        let second = KeyStore::open(&dir.0).unwrap();
        assert_eq!(second.token_key(alg).unwrap().kid(), next);
        assert!(kids(&second).contains(&current), "a retired key still verifies");
        assert!(verify_jws(&token, &second.published().to_value(), &[verifies]).is_ok());
        assert!(!dir.0.join(format!("{current}.key")).exists(), "and can sign no more");

        rotate(&dir, purpose).unwrap();
        let third = KeyStore::open(&dir.0).unwrap();
        assert!(!kids(&third).contains(&current), "until the next one retires");
        let listed: Vec<_> = third.listing().iter().map(|key| key.kid.clone()).collect();
        let distinct: std::collections::BTreeSet<_> = listed.iter().collect();
        assert_eq!(distinct.len(), listed.len());
        assert!(listed.contains(&current));
        store = third;
    }
}

/// The store as it was made before there were these purposes.
fn without(dir: &Scratch, purposes: &[KeyPurpose]) {
    let path = dir.0.join("keys.toml");
    let mut manifest: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    let keys = manifest["key"].as_array_mut().unwrap();
    keys.retain(|key| {
        let of = purposes.iter().any(|purpose| key["purpose"].as_str() == Some(purpose.as_str()));
        if of {
            fs::remove_file(dir.0.join(format!("{}.key", key["kid"].as_str().unwrap()))).unwrap();
        }
        !of
    });
    fs::write(&path, toml::to_string(&manifest).unwrap()).unwrap();
}

#[test]
fn a_store_from_before_an_algorithm_opens_and_a_rotation_brings_its_keys_in() {
    let (dir, _) = initialised();
    let young = [(JwsAlg::Ps256, KeyPurpose::TokenPs256), (JwsAlg::EdDsa, KeyPurpose::TokenEdDsa)];
    without(&dir, &young.map(|(_, purpose)| purpose));
    for (alg, purpose) in young {
        let before = KeyStore::open(&dir.0).unwrap();
        let absent = before.token_key(alg).err().unwrap();
        assert_eq!(absent, CryptoError::NoTokenKey(purpose.as_str()));
        assert!(absent.to_string().contains(&format!("keys rotate {}", purpose.as_str())), "{absent}");
        assert!(before.token_algs().all(|has| has != alg));

        Rotation::prepare(&dir.0, purpose, &SystemEntropy, &clock()).unwrap().abandon().unwrap();
        assert_eq!(key_files(&dir).len(), before.listing().len(), "given up: no key stays");

        let states: Vec<_> = rotate(&dir, purpose).unwrap().iter().map(|key| key.state).collect();
        assert_eq!(states, [KeyState::Current, KeyState::Next]);
        let after = KeyStore::open(&dir.0).unwrap();
        assert_eq!(after.token_key(alg).unwrap().alg(), alg);
        assert_eq!(after.published().keys.len(), before.published().keys.len() + 2);
    }
    assert_eq!(KeyStore::open(&dir.0).unwrap().token_algs().collect::<Vec<_>>(), JwsAlg::ALL);
    without(&dir, &[KeyPurpose::TokenRs256]);
    assert_eq!(code(KeyStore::open(&dir.0)), "keys_bad_manifest", "what every store has is not brought in");
}

#[test]
fn checkpoints_signed_before_a_rotation_still_verify() {
    let (dir, before) = initialised();
    let signature = before.journal().sign(b"checkpoint");
    rotate(&dir, KeyPurpose::Journal).unwrap();
    let after = KeyStore::open(&dir.0).unwrap();
    assert_ne!(after.journal().public_key(), before.journal().public_key());
    assert_eq!(after.former_journal_keys(), [*before.journal().public_key()]);
    assert!(verify_ed25519(&after.former_journal_keys()[0], b"checkpoint", &signature));
}

#[test]
fn keys_others_depend_on_for_ever_refuse_rotation() {
    let (dir, _) = initialised();
    let before = fs::read(dir.0.join("keys.toml")).unwrap();
    assert_eq!(code(rotate(&dir, KeyPurpose::BlindIndex)), "key_not_rotatable");
    assert_eq!(code(rotate(&dir, KeyPurpose::PairwiseSubject)), "key_not_rotatable");
    assert_eq!(fs::read(dir.0.join("keys.toml")).unwrap(), before);
}

#[test]
fn an_init_that_was_killed_is_finished_by_the_next_and_lost_manifests_are_not_papered_over() {
    let (dir, _) = initialised();
    let manifest = dir.0.join("keys.toml");
    let stale = key_files(&dir);
    fs::remove_file(&manifest).unwrap();
    assert_eq!(code(KeyStore::open(&dir.0)), "keys_missing");
    assert_eq!(code(KeyStore::init(&dir.0, &SystemEntropy, &clock())), "keys_without_manifest");
    assert_eq!(key_files(&dir), stale);
    // As after a kill: the mark of an init at work, keys, a draft, no manifest.
    fs::write(dir.0.join(".init-unfinished"), "").unwrap();
    fs::write(dir.0.join(".keys.toml.draft"), "half").unwrap();
    KeyStore::init(&dir.0, &SystemEntropy, &clock()).unwrap();
    assert!(key_files(&dir).iter().all(|path| !stale.contains(path)));
    assert!(!dir.0.join(".init-unfinished").exists());
}

#[test]
fn a_rotation_that_was_killed_before_or_after_its_commit_leaves_a_store_that_opens() {
    let (dir, store) = initialised();
    // Before: a fresh key no manifest names.
    let stray = dir.0.join("00112233aabbccdd.key");
    fs::write(&stray, "AAAA").unwrap();
    chmod(&stray, 0o600);
    let reopened = KeyStore::open(&dir.0).unwrap();
    assert_eq!(reopened.listing(), store.listing());
    // After: the private half of the retired key still lies there.
    let old = dir.0.join(format!("{}.key", store.token_key(JwsAlg::Es256).unwrap().kid()));
    let bytes = fs::read(&old).unwrap();
    rotate(&dir, KeyPurpose::TokenEs256).unwrap();
    fs::write(&old, bytes).unwrap();
    chmod(&old, 0o600);
    assert_eq!(code(KeyStore::open(&dir.0)), "opened");
    rotate(&dir, KeyPurpose::TokenEs256).unwrap();
    assert!(!old.exists(), "the next rotation removes it");
}

#[test]
fn a_rotation_counts_though_the_retired_key_cannot_be_removed() {
    let (dir, store) = initialised();
    let old = dir.0.join(format!("{}.key", store.token_key(JwsAlg::Es256).unwrap().kid()));
    fs::remove_file(&old).unwrap();
    fs::create_dir(&old).unwrap();
    chmod(&old, 0o700);
    let changed = rotate(&dir, KeyPurpose::TokenEs256).unwrap();
    assert_eq!(changed.len(), 3);
    assert!(old.exists());
    let after = KeyStore::open(&dir.0).unwrap();
    assert_ne!(after.token_key(JwsAlg::Es256).unwrap().kid(), store.token_key(JwsAlg::Es256).unwrap().kid());
}

#[test]
fn a_manifest_or_key_that_does_not_fit_refuses_to_open() {
    let (dir, _) = initialised();
    let manifest = dir.0.join("keys.toml");
    let good = fs::read_to_string(&manifest).unwrap();
    let bad = [
        good.replace("version = 1", "version = 2"),
        good.replacen("\"current\"", "\"retired\"", 1),
        good.replacen("\"next\"", "\"current\"", 1),
        good.replacen("kid = \"", "kid = \"../", 1),
        good.replace("purpose = \"journal\"", "purpose = \"other\""),
        format!("{good}\n{}", good.get(good.find("[[key]]").unwrap()..).unwrap()),
        String::new(),
    ];
    for text in bad {
        fs::write(&manifest, &text).unwrap();
        assert_eq!(code(KeyStore::open(&dir.0)), "keys_bad_manifest", "{text}");
    }
    fs::write(&manifest, &good).unwrap();
    let files = key_files(&dir);
    let contents: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    // Two signing keys exchanged for one another, or a key cut short.
    let listing = KeyStore::list(&dir.0).unwrap();
    let path_of = |purpose| {
        let key = listing.iter().find(|key| key.purpose == purpose && key.state == KeyState::Current);
        dir.0.join(format!("{}.key", key.unwrap().kid))
    };
    for (purpose, wrong) in [
        (KeyPurpose::Journal, path_of(KeyPurpose::BlindIndex)),
        (KeyPurpose::TokenEs256, path_of(KeyPurpose::TokenRs256)),
        (KeyPurpose::KeyEncryption, path_of(KeyPurpose::TokenEs256)),
    ] {
        fs::write(path_of(purpose), fs::read(wrong).unwrap()).unwrap();
        assert_eq!(code(KeyStore::open(&dir.0)), "keys_bad_key", "{}", purpose.as_str());
        for (path, content) in files.iter().zip(&contents) {
            fs::write(path, content).unwrap();
        }
    }
    assert_eq!(code(KeyStore::open(&dir.0)), "opened");
}
