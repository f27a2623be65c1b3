//! What a service reports at the representation's resource.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::read_report;
use porteplume_fuzz::{object, text};
use serde_json::json;

fuzz_target!(|body: &[u8]| {
    let Ok(report) = read_report(body) else { return };

    let said = object(body);
    assert!(said.keys().all(|name| ["outcome", "receipt"].contains(&name.as_str())));
    assert_eq!(json!(report.outcome()), said["outcome"]);
    match report.receipt() {
        Some(receipt) => {
            assert_eq!(receipt.as_str(), text(&said, "receipt"));
            assert!(!receipt.as_str().is_empty() && !receipt.as_str().chars().any(char::is_control));
        }
        None => assert!(said.get("receipt").is_none_or(serde_json::Value::is_null)),
    }

    let written = json!({"outcome": report.outcome(), "receipt": report.receipt().map(|r| r.as_str())});
    assert_eq!(read_report(written.to_string().as_bytes()).ok(), Some(report));
});
