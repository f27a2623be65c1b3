//! Keys that sign tokens are in a PKCS#11 module (Debian's SoftHSM 2) and never leave it; what it does not sign is not told.

use super::*;
use crate::support::token::{self, MODULE, PIN, Token};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::crypto::{JwsAlg, KeyListing, KeyPurpose, KeyState, KeyStore, sign_jws, verify_jws};
use porteplume::relying::{HttpClient, HttpPolicy};
use porteplume::storage::Engine;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn fresh(more: &str) -> Token {
    Token::fresh(TestDatabase::fresh(Engine::Sqlite).await, more)
}

/// A token with the keys of an instance.
async fn holding() -> Token {
    let token = fresh("").await;
    let (code, said) = token.run(&["keys", "init"], &Token::settings());
    assert_eq!(code, Some(0), "{said}");
    token
}

fn key_files(dir: &Path) -> usize {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "key")).count()
}

fn of(token: &Token, purpose: KeyPurpose) -> Vec<KeyListing> {
    let keys = KeyStore::list(&token.keys()).unwrap();
    keys.into_iter().filter(|key| key.purpose == purpose && key.state != KeyState::Retired).collect()
}

/// Whether the current and the next key of a purpose are in the token.
fn held(token: &Token, purpose: KeyPurpose) -> [bool; 2] {
    [KeyState::Current, KeyState::Next]
        .map(|state| of(token, purpose).iter().any(|key| key.state == state && key.token.is_some()))
}

async fn rotations(token: &Token) -> i64 {
    let mut raw = token.database.raw().await;
    let text = "SELECT count(*) FROM event_search WHERE kind = 'key.rotated'";
    sqlx::query_scalar(text).fetch_one(&mut raw).await.unwrap()
}

/// The token endpoint takes the code, and tells nothing.
async fn refused(town: &Town, code: &str) {
    let answer = town.exchange(code, &[]).await;
    assert_eq!((answer.status, answer.json()), (500, json!({"error": "server_error"})));
}

/// A session of our own beside those of the service.
fn session() -> Session {
    let library = Pkcs11::new(MODULE).unwrap();
    // Initialised already by the service, in the same process.
    assert!(library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).is_err());
    let slot = library.get_slots_with_initialized_token().unwrap()[0];
    library.open_rw_session(slot).unwrap()
}

#[tokio::test]
async fn every_algorithm_signs_in_the_module_all_that_a_client_is_told() {
    let token = holding().await;
    assert_eq!(key_files(&token.keys()), 4, "what signs no token is a file");
    assert_eq!(token.objects().len(), 16, "two keys for each algorithm, two halves each");
    token.runs(&[
        "openid::algorithms::sqlite::each_algorithm_signs_everything_its_client_is_told",
        "openid::algorithms::postgres::each_algorithm_signs_everything_its_client_is_told",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_module_does_not_sign_is_not_told_and_a_lost_session_is_opened_again() {
    if token::lent().is_none() {
        let here =
            "openid::hardware::what_the_module_does_not_sign_is_not_told_and_a_lost_session_is_opened_again";
        return holding().await.runs(&[here]);
    }
    let town = Town::new(TestDatabase::fresh(Engine::Sqlite).await).await;
    let browser = town.browser().await;
    let jwks = town.get("/jwks").await.json();
    let verifies = |answer: &Answer| {
        let token = answer.json()["id_token"].as_str().map(str::to_owned);
        verify_jws(&token.expect(&answer.body), &jwks, &[JwsAlg::Es256]).unwrap();
    };
    verifies(&town.exchange(&browser.code(&[]).await, &[]).await);

    // Nobody gets a key out, asked by whoever knows the PIN.
    let ours = session();
    let private = ours.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap();
    assert_eq!(private.len(), 8);
    for key in private {
        let asked = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::NeverExtractable];
        let told = ours.get_attributes(key, &asked).unwrap();
        let stays =
            [Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::NeverExtractable(true)];
        assert!(stays.iter().all(|one| told.contains(one)), "{told:?}");
        for secret in [AttributeType::Value, AttributeType::PrivateExponent] {
            assert_eq!(ours.get_attributes(key, &[secret]).unwrap_or_default(), []);
        }
    }

    // Many at once take turns.
    let key = town.app().keys.token_key(JwsAlg::Es256).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let token = sign_jws(key, "JWT", b"{}").unwrap();
                    verify_jws(&token, &jwks, &[JwsAlg::Es256]).unwrap();
                }
            });
        }
    });

    // Signed out behind the service's back: its sessions are worth nothing.
    ours.logout().unwrap();
    verifies(&town.exchange(&browser.code(&[]).await, &[]).await);
    let pin = AuthPin::from(PIN.to_owned());
    assert!(ours.login(UserType::User, Some(&pin)).is_err(), "the service signed in again");

    // And the keys gone.
    let code = browser.code(&[]).await;
    for object in token::lent_objects() {
        fs::remove_file(object).unwrap();
    }
    refused(&town, &code).await;
    let handle = browser.asks(&[("response_mode", "jwt")]).await;
    let sent = browser.confirms(&handle, &town.mandate, PRIME).await;
    assert!(sent.status == 500 && sent.body.contains("signing_failed"), "{}", sent.body);
    assert!(sent.header("location").is_empty() && !sent.body.contains("response="), "{}", sent.body);
    town.test.verifies().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_was_refused_is_not_tried_again() {
    if token::lent().is_none() {
        return holding().await.runs(&["openid::hardware::a_pin_that_was_refused_is_not_tried_again"]);
    }
    let town = Town::new(TestDatabase::fresh(Engine::Sqlite).await).await;
    let browser = town.browser().await;
    let ours = session();
    let [pin, other] = [PIN, "hush-0815"].map(|pin| AuthPin::from(pin.to_owned()));
    assert_eq!(town.exchange(&browser.code(&[]).await, &[]).await.status, 200);
    // Changed, and changed back: the service has asked once, and does not ask again.
    ours.set_pin(&pin, &other).unwrap();
    ours.logout().unwrap();
    refused(&town, &browser.code(&[]).await).await;
    ours.login(UserType::User, Some(&other)).unwrap();
    ours.set_pin(&other, &pin).unwrap();
    ours.logout().unwrap();
    refused(&town, &browser.code(&[]).await).await;
    ours.login(UserType::User, Some(&pin)).expect("nobody is signed in");
    town.test.verifies().await;
}

#[tokio::test]
async fn keys_move_into_a_module_by_rotation_and_back_the_same_way() {
    const PURPOSE: KeyPurpose = KeyPurpose::TokenEs256;
    let token = fresh("").await;
    let (into, back) = (Token::settings(), format!("{}pkcs11_algorithms = []\n", Token::settings()));
    let done = |args: &[&str], settings: &str| {
        let (code, said) = token.run(args, settings);
        assert_eq!(code, Some(0), "{args:?}: {said}");
        said
    };
    token.add("other");
    done(&["keys", "init"], "");
    let files = key_files(&token.keys());
    let kids = |state| of(&token, PURPOSE).iter().find(|key| key.state == state).unwrap().kid.clone();
    let published = || {
        let keys = KeyStore::open_files(&token.keys()).unwrap().published().keys.clone();
        keys.into_iter().filter_map(|key| key.kid).collect::<Vec<_>>()
    };
    let steps = [
        // (settings, current and next in the token, objects, files fewer than at first)
        (&into, [false, true], 2, 1),
        (&into, [true, true], 4, 2),
        (&back, [true, false], 2, 1),
        (&back, [false, false], 0, 0),
    ];
    for (settings, in_token, objects, fewer) in steps {
        let (old, signs) = (kids(KeyState::Current), kids(KeyState::Next));
        assert!(published().contains(&signs), "published before it signs");
        let said = done(&["keys", "rotate", "token-es256"], settings);
        assert_eq!(held(&token, PURPOSE), in_token, "{said}");
        let told = said.lines().filter(|line| line.ends_with("in the token \"porteplume\"")).count();
        assert_eq!(told, in_token.iter().filter(|one| **one).count(), "{said}");
        assert_eq!(kids(KeyState::Current), signs);
        assert!(published().contains(&old), "published after it has signed");
        assert_eq!(token.objects().len(), objects, "what has no more use is gone from the token");
        assert_eq!(key_files(&token.keys()), files - fewer);
        let doctor = token.run(&["doctor"], settings).1;
        assert!(doctor.starts_with("ok    keys: 1"), "{doctor}");
        assert_eq!(doctor.contains("of them in the token \"porteplume\""), objects > 0, "{doctor}");

        // Who forgets to name the module is told so, and nothing happens.
        if in_token[0] {
            let (manifest, before) =
                (fs::read(token.keys().join("keys.toml")).unwrap(), rotations(&token).await);
            for act in [&["doctor"][..], &["serve"], &["keys", "rotate", "token-es256"]] {
                let (code, said) = token.run(act, "");
                assert!(code == Some(1) && said.contains("(pkcs11_not_configured)"), "{act:?}: {said}");
            }
            let there = settings.replace("\"porteplume\"", "\"other\"");
            let (code, said) = token.run(&["serve"], &there);
            assert!(code == Some(1) && said.contains("(pkcs11_other_token)"), "{said}");
            assert_eq!(fs::read(token.keys().join("keys.toml")).unwrap(), manifest);
            assert_eq!(rotations(&token).await, before);
            // The journal is no affair of the module.
            done(&["journal", "verify"], "");
        }
    }
    assert_eq!(rotations(&token).await, 4);
    done(&["keys", "rotate", "token-es256"], "");
}

#[tokio::test]
async fn what_is_wrong_with_module_token_or_pin_is_said_in_one_line_and_changes_nothing() {
    let token = fresh("").await;
    let text = token.database.folder().join("text.so");
    fs::write(&text, "no library").unwrap();
    let good = Token::settings();
    let wrong = [
        (good.replace(MODULE, "/usr/lib/softhsm/none.so"), "pkcs11_module_missing"),
        (good.replace(MODULE, text.to_str().unwrap()), "pkcs11_module_missing"),
        (good.replace("\"porteplume\"", "\"portepluie\""), "pkcs11_no_token"),
        (good.replace(PIN, "hush-4712"), "pkcs11_wrong_pin"),
    ];
    for (settings, expected) in &wrong {
        let (code, said) = token.run(&["keys", "init"], settings);
        assert!(code == Some(1) && said.ends_with(&format!("({expected})\n")), "{said}");
        assert!(said.lines().count() == 1 && !said.contains("hush"), "{said}");
        assert!(!token.keys().exists() && token.objects().is_empty(), "{expected}");
    }
    let (code, said) = token.run(&["keys", "init"], &good);
    assert_eq!(code, Some(0), "{said}");
    let (manifest, objects) = (fs::read(token.keys().join("keys.toml")).unwrap(), token.objects());
    let refused = |settings: &str, expected: &str| {
        for act in
            [&["serve"][..], &["doctor"], &["keys", "rotate", "token-es256"], &["keys", "rotate", "journal"]]
        {
            let (code, said) = token.run(act, settings);
            assert!(code == Some(1) && said.contains(&format!("({expected})")), "{act:?}: {said}");
            assert!(!said.contains("hush"), "{said}");
        }
    };
    for (settings, expected) in &wrong {
        refused(settings, expected);
    }
    token.add("porteplume");
    refused(&good, "pkcs11_token_ambiguous");
    assert_eq!(fs::read(token.keys().join("keys.toml")).unwrap(), manifest);
    assert_eq!(token.objects(), objects);
    // The first command that opens an instance begins its journal; none of these came so far.
    assert_eq!(rotations(&token).await, 0);
    assert_eq!(token.run(&["keys", "list"], &wrong[0].0).0, Some(0), "the list needs no module");
}

#[tokio::test]
async fn a_key_that_is_gone_or_another_one_is_named_at_the_start_and_a_rotation_needs_the_next_one() {
    let token = holding().await;
    let good = Token::settings();
    let kid =
        |state| of(&token, KeyPurpose::TokenEs256).into_iter().find(|key| key.state == state).unwrap().kid;
    let (current, next) = (kid(KeyState::Current), kid(KeyState::Next));
    let holds = |path: &Path, kid: &str| {
        fs::read(path).unwrap().windows(kid.len()).any(|bytes| bytes == kid.as_bytes())
    };
    let of_key = |kid: &str| token.objects().into_iter().filter(|path| holds(path, kid)).collect::<Vec<_>>();
    let refused = |act: &[&str], expected: &str, kid: &str| {
        let manifest = fs::read(token.keys().join("keys.toml")).unwrap();
        let (code, said) = token.run(act, &good);
        assert!(code == Some(1) && said.contains(&format!("({expected})")) && said.contains(kid), "{said}");
        assert_eq!(fs::read(token.keys().join("keys.toml")).unwrap(), manifest);
    };
    // What is published is not what is there.
    let path = token.keys().join("keys.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replacen("\nx = \"", "\nx = \"A", 1)).unwrap();
    for act in ["serve", "doctor"] {
        refused(&[act], "pkcs11_other_key", &current);
    }
    fs::write(&path, &manifest).unwrap();

    // The next one is gone: whoever signs goes on, and it does not come to its turn.
    let rotate = ["keys", "rotate", "token-es256"];
    for object in of_key(&next) {
        fs::remove_file(object).unwrap();
    }
    let before = token.objects().len();
    assert!(token.run(&["doctor"], &good).1.starts_with("ok    keys"));
    refused(&rotate, "pkcs11_no_key", &next);
    assert_eq!((token.objects().len(), rotations(&token).await), (before, 0));
    for object in of_key(&current) {
        fs::remove_file(object).unwrap();
    }
    for act in [&["serve"][..], &["doctor"], &rotate] {
        refused(act, "pkcs11_no_key", &current);
    }

    // No backup of the token: keys of another folder take the place of those lost with it.
    let other = token.database.folder().join("other-keys");
    let made = KeyStore::init(&other, &SystemEntropy, &SystemClock).unwrap();
    let entries =
        |dir: &Path| -> toml::Table { fs::read_to_string(dir.join("keys.toml")).unwrap().parse().unwrap() };
    let signs = |key: &toml::Value| key["purpose"].as_str().unwrap().starts_with("token-");
    let (mut ours, theirs) = (entries(&token.keys()), entries(&other));
    let keys = ours["key"].as_array_mut().unwrap();
    keys.retain(|key| !signs(key));
    for key in theirs["key"].as_array().unwrap().iter().filter(|key| signs(key)) {
        let file = format!("{}.key", key["kid"].as_str().unwrap());
        fs::copy(other.join(&file), token.keys().join(&file)).unwrap();
        keys.push(key.clone());
    }
    fs::write(&path, toml::to_string(&ours).unwrap()).unwrap();
    for settings in [&good, ""] {
        let (_, said) = token.run(&["doctor"], settings);
        assert!(said.starts_with("ok    keys: 12 keys\n") && said.contains("ok    writing"), "{said}");
    }
    let published = KeyStore::open_files(&token.keys()).unwrap();
    assert_eq!(published.published(), made.published());
}

#[tokio::test]
async fn where_a_token_does_not_know_an_algorithm_its_keys_can_stay_files() {
    let token = fresh("slots.mechanisms = -CKM_EC_EDWARDS_KEY_PAIR_GEN,CKM_EDDSA").await;
    let good = Token::settings();
    let (code, said) = token.run(&["keys", "init"], &good);
    assert!(code == Some(1) && said.contains("leave EdDSA out of keys.pkcs11_algorithms"), "{said}");
    assert!(said.contains("(pkcs11_unsupported)"), "{said}");
    assert!(!KeyStore::exists(&token.keys()) && token.objects().is_empty(), "nothing is left");
    let three = format!("{good}pkcs11_algorithms = [\"ES256\", \"RS256\", \"PS256\"]\n");
    let (code, said) = token.run(&["keys", "init"], &three);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(held(&token, KeyPurpose::TokenEdDsa), [false, false]);
    assert_eq!((key_files(&token.keys()), token.objects().len()), (6, 12));
}

/// Ends the process, whatever the test finds.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a running service answers.
async fn asked(port: u16, path: &str) -> Value {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let ask = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    serde_json::from_str(told.split_once("\r\n\r\n").expect(&told).1).expect(&told)
}

#[tokio::test]
async fn a_service_over_a_module_publishes_its_keys_and_ends_in_peace() {
    let token = holding().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = token.command(&["serve"], &Token::settings(), port);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut serving = Serving(command.spawn().unwrap());
    let policy = HttpPolicy { allow_loopback: true, ..HttpPolicy::default() };
    let http = HttpClient::new(&policy).unwrap();
    let address = format!("http://127.0.0.1:{port}");
    let ready = async {
        while http.status(&format!("{address}/health/ready")).await.ok() != Some(200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ready).await.expect("it serves");
    let told = asked(port, "/jwks").await;
    let published = KeyStore::open_files(&token.keys()).unwrap().published().to_value();
    assert_eq!(told, published);
    let pid = serving.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = async {
        loop {
            if let Some(status) = serving.0.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_mins(1), ended).await.expect("it ends");
    assert_eq!(ended.code(), Some(0));
}
