//! The configuration of tests and benches.

use std::path::Path;

/// A configuration as an operator writes it: at that address, over that database, with those keys; `more` follows.
pub(crate) fn configuration(listen: &str, issuer: &str, database: &str, keys: &Path, more: &str) -> String {
    format!(
        r#"
        [server]
        listen = "{listen}"
        issuer = "{issuer}"
        [database]
        url = "{database}"
        [keys]
        dir = "{}"
        [journal]
        origin = "porteplume.test/journal"
        [citizens]
        issuer = "http://127.0.0.1:1"
        client_id = "porteplume"
        client_secret = "secret"
        [agents]
        issuer = "http://127.0.0.1:2"
        client_id = "porteplume"
        client_secret = "secret"
        {more}
        "#,
        keys.display()
    )
}
