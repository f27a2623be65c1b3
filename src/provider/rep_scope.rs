//! The themes FranceConnect asks for, in its `claims` parameter (contract `franceconnect.md`, sections 1.2 and 1.6).

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use thiserror::Error;

/// The longest `claims` that is read, in bytes.
const MAX_BYTES: usize = 4096;

/// The parameter is no request for claims of an ID token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("claims must be a JSON object whose id_token.rep_scope.values is a list of labels")]
pub(super) struct InvalidRepScope;

/// The labels asked for. None, where the service behind FranceConnect names no theme: then any will do.
///
/// # Errors
/// [`InvalidRepScope`].
pub(super) fn asked_themes(claims: Option<&str>) -> Result<BTreeSet<String>, InvalidRepScope> {
    let Some(claims) = claims else { return Ok(BTreeSet::new()) };
    if claims.len() > MAX_BYTES {
        return Err(InvalidRepScope);
    }
    let claims: Map<String, Value> = serde_json::from_str(claims).map_err(|_| InvalidRepScope)?;
    let id_token = member(&claims, "id_token")?;
    let Some(rep_scope) = id_token.map(|claims| member(claims, "rep_scope")).transpose()?.flatten() else {
        return Ok(BTreeSet::new());
    };
    let values = rep_scope
        .get("values")
        .map_or(Ok(&[][..]), |values| values.as_array().map(Vec::as_slice).ok_or(InvalidRepScope))?;
    values.iter().map(|value| value.as_str().map(str::to_owned).ok_or(InvalidRepScope)).collect()
}

/// A member that is an object; none, where there is none or it is null (OpenID Connect Core, section 5.5.1).
fn member<'v>(
    of: &'v Map<String, Value>,
    name: &str,
) -> Result<Option<&'v Map<String, Value>>, InvalidRepScope> {
    match of.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(_) => Err(InvalidRepScope),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_a_captured_request_are_read() {
        let captured = r#"{"id_token":{"rep_scope":{"essential":true,"values":["Papier-Citoyenneté-Elections","Famille-Scolarité"]}}}"#;
        let labels = asked_themes(Some(captured)).unwrap();
        assert_eq!(labels, ["Papier-Citoyenneté-Elections", "Famille-Scolarité"].map(str::to_owned).into());
    }

    #[test]
    fn a_service_without_labels_takes_any() {
        for none in [
            None,
            Some("{}"),
            Some(r#"{"id_token":{"rep_scope":{"essential":true,"values":[]}}}"#),
            Some(r#"{"id_token":{"rep_scope":null,"amr":null}}"#),
        ] {
            assert_eq!(asked_themes(none), Ok(BTreeSet::new()), "{none:?}");
        }
    }

    #[test]
    fn claims_of_another_form_are_refused() {
        let deep = "[".repeat(4000);
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_BYTES));
        for other in [
            "",
            "[]",
            "null",
            "{",
            r#"{"id_token":{"rep_scope":{"values":"Famille-Scolarité"}}}"#,
            r#"{"id_token":{"rep_scope":{"values":[1]}}}"#,
            r#"{"id_token":[]}"#,
            &deep,
            &long,
        ] {
            assert_eq!(asked_themes(Some(other)), Err(InvalidRepScope), "{other:.60}");
        }
    }
}
