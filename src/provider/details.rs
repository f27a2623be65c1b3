//! `authorization_details` of an authorization request (RFC 9396): a service may narrow the choice to one
//! procedure and to some of its acts.

use crate::mandate::{Act, ProcedureId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use thiserror::Error;

/// The one type of authorization details known here.
pub const MANDATE_TYPE: &str = "mandate";

/// The longest `authorization_details` that is read, in bytes.
const MAX_BYTES: usize = 4096;

/// The request is not one entry of type `mandate` with known members (RFC 9396, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("authorization_details must be one entry of type mandate with known members")]
pub struct InvalidDetails;

/// What the service asks for; what it leaves out stays the aidant's choice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AskedMandate {
    /// The only procedure it wants to receive.
    pub procedure: Option<ProcedureId>,
    /// The only acts it wants to receive; never empty.
    pub acts: Option<BTreeSet<Act>>,
    /// The only themes it wants to receive procedures of, by FranceConnect's labels; empty for any.
    #[serde(skip)]
    pub themes: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    r#type: String,
    procedure: Option<ProcedureId>,
    acts: Option<BTreeSet<Act>>,
}

impl AskedMandate {
    /// Reads the parameter's JSON.
    ///
    /// # Errors
    /// [`InvalidDetails`] for anything but exactly one entry of type `mandate`.
    pub fn parse(json: &str) -> Result<Self, InvalidDetails> {
        if json.len() > MAX_BYTES {
            return Err(InvalidDetails);
        }
        // Left alone, serde takes a list for an entry too, its members told by their place.
        let [_] = serde_json::from_str::<[Map<String, Value>; 1]>(json).map_err(|_| InvalidDetails)?;
        let [wire] = serde_json::from_str::<[Wire; 1]>(json).map_err(|_| InvalidDetails)?;
        if wire.r#type != MANDATE_TYPE || wire.acts.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(InvalidDetails);
        }
        Ok(Self { procedure: wire.procedure, acts: wire.acts, themes: BTreeSet::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_may_narrow_the_choice() {
        let asked =
            AskedMandate::parse(r#"[{"type":"mandate","procedure":"declare-income","acts":["fill"]}]"#)
                .unwrap();
        assert_eq!(asked.procedure.unwrap().as_str(), "declare-income");
        assert_eq!(asked.acts.unwrap(), [Act::Fill].into());
        assert_eq!(AskedMandate::parse(r#"[{"type":"mandate"}]"#), Ok(AskedMandate::default()));
    }

    #[test]
    fn details_of_another_form_are_refused() {
        let deep = "[".repeat(4000);
        let long = format!(r#"[{{"type":"mandate","procedure":"{}"}}]"#, "a".repeat(MAX_BYTES));
        for bad in [
            "",
            "null",
            "{}",
            "[]",
            r#"{"type":"mandate"}"#,
            r#"[{"type":"payment"}]"#,
            r#"[{"procedure":"declare-income"}]"#,
            r#"[{"type":"mandate"},{"type":"mandate"}]"#,
            r#"[{"type":"mandate","type":"mandate"}]"#,
            r#"[{"type":"mandate","surprise":1}]"#,
            r#"[{"type":"mandate","acts":[]}]"#,
            r#"[{"type":"mandate","acts":["everything"]}]"#,
            r#"[{"type":"mandate","procedure":"Declare Income"}]"#,
            r#"[["mandate","declare-income",["fill"]]]"#,
            r#"[["mandate",null,null]]"#,
            &deep,
            &long,
        ] {
            assert_eq!(AskedMandate::parse(bad), Err(InvalidDetails), "{bad}");
        }
    }
}
