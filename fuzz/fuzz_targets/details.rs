//! `authorization_details` of a request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::{AskedMandate, MANDATE_TYPE};
use serde_json::{Map, Value, json};

fuzz_target!(|json: &str| {
    let Ok(asked) = AskedMandate::parse(json) else { return };

    let [entry]: [Map<String, Value>; 1] = serde_json::from_str(json).expect("one object in a list");
    assert_eq!(entry.get("type"), Some(&json!(MANDATE_TYPE)));
    assert!(entry.keys().all(|name| ["type", "procedure", "acts"].contains(&name.as_str())), "{json}");
    assert!(asked.acts.as_ref().is_none_or(|acts| !acts.is_empty()));
    assert_eq!(asked.procedure.is_some(), entry.get("procedure").is_some_and(|value| !value.is_null()));
    assert_eq!(asked.acts.is_some(), entry.get("acts").is_some_and(|value| !value.is_null()));

    let written = json!([{"type": MANDATE_TYPE, "procedure": asked.procedure, "acts": asked.acts}]);
    assert_eq!(AskedMandate::parse(&written.to_string()), Ok(asked));
});
