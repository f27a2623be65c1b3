//! The operator registers a service: what its profile asks of it is said, and what would be weaker is refused.

use super::conformance::public;
use super::*;
use crate::support::app::keys;
use crate::support::database::on_both;
use crate::support::settings::configuration;
use std::fs;
use std::path::Path;
use std::process::Command;

/// `client add` of a file that says this besides the usual; how it ended, and what it said.
fn add(database: &TestDatabase, id: &str, says: &str) -> (Option<i32>, String) {
    let folder: &Path = database.folder();
    let (config, file) = (folder.join("porteplume.toml"), folder.join(format!("{id}.toml")));
    let url = &database.options().url;
    fs::write(&config, configuration("127.0.0.1:1", "http://127.0.0.1:1", url, keys(), "")).unwrap();
    let usual =
        format!("id = \"{id}\"\nname = \"Caisse\"\nredirect_uris = [\"https://caisse.example/cb\"]\n");
    fs::write(&file, format!("{usual}{says}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    let output =
        command.args(["client", "add", "--file"]).arg(&file).arg("--config").arg(&config).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

on_both! {
    client_add_says_what_the_profile_asks_and_refuses_a_weaker_mix(database) {
        let jwk = public(1);
        let key = format!(
            "auth_method = \"private_key_jwt\"\n[[jwks.keys]]\nkty = \"OKP\"\ncrv = \"Ed25519\"\nkid = \"k\"\nx = {}", jwk["x"]);
        for (id, says, code, expected) in [
            ("a", "auth_method = \"client_secret_basic\"".to_owned(), 1, "does not fit the profile fapi2"),
            ("b", format!("id_token_alg = \"RS256\"\n{key}"), 1, "RS256 does not fit the profile fapi2"),
            ("c", format!("{key}\nalg = \"RS256\""), 1, "of a key does not fit the profile fapi2"),
            ("d", format!("profile = \"lenient\"\n{key}"), 1, "unknown variant"),
            ("e", format!("id_token_alg = \"PS256\"\n{key}"), 0, "profile fapi2: FAPI 2.0"),
            ("e2", format!("id_token_alg = \"EdDSA\"\n{key}"), 0, "profile fapi2: FAPI 2.0"),
            ("e3", key.clone(), 0, "profile fapi2: FAPI 2.0"),
            ("f", "profile = \"oidc\"\nauth_method = \"client_secret_basic\"".to_owned(), 0, "profile oidc: plain OpenID Connect"),
        ] {
            let (ended, said) = add(&database, id, &says);
            assert_eq!(ended, Some(code), "{id}: {said}");
            assert!(said.contains(expected), "{id}: {said}");
            assert_eq!(said.contains("client_secret "), id == "f", "{id}: {said}");
        }
        let mut raw = database.raw().await;
        let rows = sqlx::query("SELECT id || ' ' || profile || ' ' || id_token_alg FROM client ORDER BY id").fetch_all(&mut raw).await.unwrap();
        let kept: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(kept, ["e fapi2 PS256", "e2 fapi2 EdDSA", "e3 fapi2 ES256", "f oidc ES256"]);
    }
}
