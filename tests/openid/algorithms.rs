//! What a client is told is signed by the algorithm it is registered with, by a key that is published.

use super::told::{logout_token, send};
use super::*;
use crate::support::app::keys;
use crate::support::database::on_both;
use crate::support::listener::Listener;
use crate::support::settings::configuration;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJwsSigningAlgorithm};
use openidconnect::{AccessToken, AccessTokenHash, IssuerUrl, Nonce};
use porteplume::crypto::{JwsAlg, verify_jws};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Our name of an algorithm, and openidconnect's.
const ALGS: [(JwsAlg, CoreJwsSigningAlgorithm); 4] = [
    (JwsAlg::Es256, CoreJwsSigningAlgorithm::EcdsaP256Sha256),
    (JwsAlg::Rs256, CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
    (JwsAlg::Ps256, CoreJwsSigningAlgorithm::RsaSsaPssSha256),
    (JwsAlg::EdDsa, CoreJwsSigningAlgorithm::EdDsa),
];

/// A copy of the run's keys as they were made before there was a purpose.
pub(super) fn keys_without(database: &TestDatabase, purpose: &str) -> PathBuf {
    let folder = keys_copied(database);
    edited(&folder, |key| key["purpose"].as_str() != Some(purpose));
    folder
}

/// Keeps those keys alone in the manifest.
fn edited(folder: &Path, keep: impl Fn(&toml::Value) -> bool) {
    let manifest = folder.join("keys.toml");
    let mut told: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
    told["key"].as_array_mut().unwrap().retain(|key| keep(key));
    fs::write(&manifest, toml::to_string(&told).unwrap()).unwrap();
}

fn keys_copied(database: &TestDatabase) -> PathBuf {
    let folder = database.folder().join("older-keys");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(keys()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// How a command ended, and what it said.
fn run(config: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    let output = command.args(args).arg("--config").arg(config).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

on_both! {
    each_algorithm_signs_everything_its_client_is_told(database) {
        let listener = Listener::answering(|path| if path == "/logout" { 200 } else { 202 }).await;
        let town = Town::new(database).await;
        let jwks = town.get("/jwks").await.json();
        let mut kids = Vec::new();
        for (alg, theirs) in ALGS {
            let id = format!("caisse-{}", alg.as_str().to_lowercase());
            let mut registered = draft(&id);
            for (member, value) in [
                ("id_token_alg", json!(alg.as_str())), ("userinfo", json!("jwt")),
                ("backchannel_logout_uri", json!(listener.at("/logout"))), ("security_events_uri", json!(listener.at("/events"))),
            ] {
                registered[member] = value;
            }
            world::client(town.app(), registered).await;
            let before = listener.heard().len();
            let browser = town.browser().await;
            // JARM.
            let handle = browser.asks(&[("client_id", &id), ("response_mode", "jwt")]).await;
            let sent = browser.confirms(&handle, &town.mandate, PRIME).await;
            let response = sent.location().split_once("response=").unwrap().1.to_owned();
            let answer = town.exchange_as(&basic(&id, SECRET), &sent.sent_on("code").unwrap(), &[]).await.json();
            let (id_token, access_token) = (answer["id_token"].as_str().unwrap(), answer["access_token"].as_str().unwrap());

            // The ID token, by a certified library, with the keys we publish.
            let now = format!("\"{}\"", time::OffsetDateTime::from_unix_timestamp(town.app().now().seconds()).unwrap()
                .format(&time::format_description::well_known::Rfc3339).unwrap());
            let issuer = IssuerUrl::new(ISSUER.to_owned()).unwrap();
            let verifier = CoreIdTokenVerifier::new_public_client(
                openidconnect::ClientId::new(id.clone()), issuer, serde_json::from_value(jwks.clone()).unwrap(),
            )
            .set_allowed_algs([theirs])
            .set_time_fn(move || serde_json::from_str(&now).unwrap());
            let token: CoreIdToken = id_token.parse().unwrap();
            let told = token.claims(&verifier, &Nonce::new("n-0S6_WzA2Mj".to_owned())).unwrap();
            let hash = AccessTokenHash::from_token(
                &AccessToken::new(access_token.to_owned()), token.signing_alg().unwrap(), token.signing_key(&verifier).unwrap(),
            );
            assert_eq!(told.access_token_hash(), Some(&hash.unwrap()), "{}", alg.as_str());

            // All the rest.
            let userinfo = town.userinfo(access_token).await.body;
            let asks = Request::post("/introspect")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("accept", "application/token-introspection+jwt")
                .header("authorization", basic(&id, SECRET));
            let introspected = town.ask(asks.body(Body::from(form(&[("token", access_token)]))).unwrap()).await.body;
            let mut signed = vec![id_token.to_owned(), response, userinfo, introspected];
            town.get(&format!("/end_session?{}", form(&[("id_token_hint", id_token)]))).await;
            send(town.app()).await;
            let heard = listener.heard().split_off(before);
            assert_eq!(heard.len(), 2, "the hint was read, and both are told: {}", alg.as_str());
            signed.extend(heard.iter().map(|one| if one.path == "/logout" { logout_token(&one.body) } else { one.body.clone() }));
            for jwt in signed {
                let checked = verify_jws(&jwt, &jwks, &[alg]);
                let header = checked.unwrap_or_else(|error| panic!("{}: {error}: {jwt}", alg.as_str())).header;
                kids.push(header.kid.unwrap());
            }
        }
        kids.dedup();
        assert_eq!(kids.len(), ALGS.len(), "one key each");
        town.test.verifies().await;
    }

    where_a_key_is_lacking_every_command_says_which_and_how_to_make_it(database) {
        let folder = keys_without(&database, "token-ps256");
        let (config, file) = (database.folder().join("porteplume.toml"), database.folder().join("caisse.toml"));
        fs::write(&config, configuration("127.0.0.1:0", "http://127.0.0.1:1", &database.options().url, &folder, "")).unwrap();
        fs::write(&file, "id = \"pss\"\nname = \"Caisse\"\nredirect_uris = [\"https://caisse.example/cb\"]\nprofile = \"oidc\"\n\
            auth_method = \"client_secret_basic\"\nid_token_alg = \"PS256\"\n").unwrap();
        let add = ["client", "add", "--file", file.to_str().unwrap()];
        let cure = "there is no token-ps256 key: run `porteplume keys rotate token-ps256`";
        let (code, said) = run(&config, &add);
        assert!(code == Some(1) && said.contains(cure), "{said}");
        let mut raw = database.raw().await;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM client").fetch_one(&mut raw).await.unwrap();
        assert_eq!(count, 0);

        let (code, said) = run(&config, &["keys", "rotate", "token-ps256"]);
        assert_eq!((code, said.matches("token-ps256  PS256").count()), (Some(0), 2), "{said}");
        let (code, said) = run(&config, &add);
        assert_eq!(code, Some(0), "{said}");
        // A replica that was not given the new keys does not start, and the doctor says why.
        fs::remove_dir_all(&folder).unwrap();
        keys_without(&database, "token-ps256");
        for command in ["serve", "doctor"] {
            let (code, said) = run(&config, &[command]);
            assert!(code == Some(1) && said.contains(cure), "{command}: {said}");
        }
    }

    a_secret_that_signs_is_explained_and_still_opens_after_the_key_that_seals_it_was_rotated(database) {
        let folder = keys_copied(&database);
        let (config, file) = (database.folder().join("porteplume.toml"), database.folder().join("fc.toml"));
        fs::write(&config, configuration("127.0.0.1:0", "http://127.0.0.1:1", &database.options().url, &folder, "")).unwrap();
        let add = |profile: &str, method: &str| {
            fs::write(&file, format!("id = \"fc\"\nname = \"FC\"\nredirect_uris = [\"https://fc.example/cb\"]\nprofile = \"{profile}\"\n\
                auth_method = \"{method}\"\nid_token_alg = \"HS256\"\n")).unwrap();
            run(&config, &["client", "add", "--file", file.to_str().unwrap()])
        };
        for (profile, method) in [("oidc", "client_secret_post"), ("oidc", "client_secret_basic")] {
            let (code, said) = add(profile, method);
            assert!(code == Some(1) && said.contains("HS256 is weaker"), "{profile}: {said}");
        }
        let (code, said) = add("franceconnect", "client_secret_basic");
        assert!(code == Some(1) && said.contains("does not fit the profile franceconnect"), "{said}");
        let (code, said) = add("franceconnect", "client_secret_post");
        assert!(code == Some(0) && said.contains("HS256 is weaker") && said.contains("client_secret "), "{said}");

        let services = || {
            let (_, said) = run(&config, &["doctor"]);
            said.lines().find(|line| line.contains(" services: ")).unwrap_or_else(|| panic!("{said}")).to_owned()
        };
        assert!(services().starts_with("ok "), "{}", services());
        let (code, said) = run(&config, &["keys", "rotate", "key-encryption"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(services().starts_with("ok "), "the former key still opens it: {}", services());
        edited(&folder, |key| (key["purpose"].as_str(), key["state"].as_str()) != (Some("key-encryption"), Some("retired")));
        let (code, said) = run(&config, &["serve"]);
        assert!(code == Some(1) && said.contains("key-encryption key this key store does not hold"), "{said}");
    }
}
