//! openid-client (npm), a certified relying party, its checks of ID token signatures on.

use super::{Stage, node, visit};
use crate::openid::PRIME;
use crate::support::database::on_both;
use crate::support::world;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

const SCRIPT: &str = include_str!("npm/openid-client.mjs");

/// What the script goes through.
const CHECKS: [&str; 14] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "PS256 and EdDSA",
    "max_age",
    "prompt",
    "code replay",
    "wrong verifier",
    "unregistered redirect",
    "introspection and revocation",
    "refresh",
    "logout",
    "PAR with DPoP nonce and PS256",
    "JAR with JARM",
];

/// What a service of the script is registered with.
fn draft(wish: &Value) -> Value {
    let mut draft = wish.clone();
    let members = draft.as_object_mut().unwrap();
    if let Some(secret) = members.remove("secret") {
        members.insert("secret_hash".to_owned(), json!(world::secret_hash(secret.as_str().unwrap())));
    }
    for (name, value) in [
        ("name", json!("Caisse de démonstration")),
        ("claims", json!(["given_name", "birthdate"])),
        ("procedures", json!([PRIME])),
        ("sector", json!("service.example")),
    ] {
        members.insert(name.to_owned(), value);
    }
    draft
}

on_both! {
    openid_client_passes(database) {
        let stage = Stage::new(database, |_| String::new()).await;
        let mut node = node(Some(&stage.front), "openid-client.mjs", SCRIPT, &[&stage.front.origin()]);
        let mut answers = node.stdin.take().unwrap();
        let mut wishes = BufReader::new(node.stdout.take().unwrap()).lines();
        let mut browser = stage.town.browser().await;
        let mut passed = Vec::new();
        while let Some(line) = wishes.next_line().await.unwrap() {
            let wish: Value = serde_json::from_str(&line).unwrap();
            let answer = if let Some(name) = wish["passed"].as_str() {
                passed.push(name.to_owned());
                json!({})
            } else if wish["register"].is_object() {
                world::client(stage.town.app(), draft(&wish["register"])).await;
                json!({})
            } else {
                if let Some(seconds) = wish["later"].as_u64() {
                    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
                }
                let address = wish["visit"].as_str().unwrap();
                if wish["stranger"] == true {
                    visit(&stage, &mut stage.town.stranger(), address).await
                } else {
                    visit(&stage, &mut browser, address).await
                }
            };
            answers.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
        }
        let ended = node.wait().await.unwrap();
        assert!(ended.success(), "after {passed:?}; Apache: {}", stage.front.log());
        assert_eq!(passed, CHECKS);
        stage.town.test.verifies().await;
    }
}
