//! The level of identity (`acr`) a request is about.

use super::request::Refusal;
use super::{Flavour, Person};
use serde_json::Value;

/// Levels FranceConnect knows, the lowest first.
const KNOWN: [&str; 3] = ["eidas1", "eidas2", "eidas3"];

/// The levels a flavour can state, the lowest first.
pub(super) const fn levels(flavour: Flavour) -> &'static [&'static str] {
    match flavour {
        Flavour::Citizens => &["eidas1"],
        Flavour::CitizensPlus => &["eidas2", "eidas3"],
        Flavour::Agents => &["eidas1", "eidas2"],
    }
}

/// The level to state once somebody has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Level {
    /// This one, whoever it is: at FranceConnect the request decides.
    Asked(&'static str),
    /// The person's own.
    Theirs,
    /// The person's own, if it is one of these.
    TheirsAmong(Vec<String>),
}

impl Level {
    /// FranceConnect keeps the lowest level it knows of those asked for, and its own lowest when it knows none; what the
    /// platform does not offer is an error at the client's address.
    pub(super) fn at_franceconnect(flavour: Flavour, acr_values: &str) -> Result<Self, Refusal> {
        let offered = levels(flavour);
        let asked =
            KNOWN.into_iter().find(|known| acr_values.split_whitespace().any(|asked| asked == *known));
        asked
            .or_else(|| offered.first().copied())
            .filter(|level| offered.contains(level))
            .map(Self::Asked)
            .ok_or(Refusal::Redirect("invalid_acr"))
    }

    /// ProConnect holds to the `values` of an essential `acr` in the parameter `claims`; `acr_values` is a wish.
    pub(super) fn at_proconnect(claims: &Value) -> Self {
        let acr = claims.pointer("/id_token/acr").unwrap_or(&Value::Null);
        let values = acr.get("values").and_then(Value::as_array);
        match values.filter(|_| acr.get("essential") == Some(&Value::Bool(true))) {
            Some(values) => {
                Self::TheirsAmong(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            None => Self::Theirs,
        }
    }

    /// What to state of that person; nothing when it is not what was demanded.
    pub(super) fn of(&self, person: &Person) -> Option<&'static str> {
        match self {
            Self::Asked(level) => Some(level),
            Self::Theirs => Some(person.acr()),
            Self::TheirsAmong(levels) => {
                Some(person.acr()).filter(|acr| levels.iter().any(|level| level == acr))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn franceconnect_keeps_the_lowest_known_level_if_it_offers_it() {
        let low = |asked| Level::at_franceconnect(Flavour::Citizens, asked);
        for asked in ["eidas1", "eidas2 eidas1", "eidas9", "urn:example:gold", "eidas9 eidas1"] {
            assert_eq!(low(asked), Ok(Level::Asked("eidas1")), "{asked}");
        }
        for asked in ["eidas2", "eidas3", "eidas3 eidas2", "eidas2 eidas9"] {
            assert_eq!(low(asked), Err(Refusal::Redirect("invalid_acr")), "{asked}");
        }
        let high = |asked| Level::at_franceconnect(Flavour::CitizensPlus, asked);
        assert_eq!(high("eidas3 eidas2"), Ok(Level::Asked("eidas2")));
        assert_eq!(high("eidas3"), Ok(Level::Asked("eidas3")));
        assert_eq!(high("eidas1"), Err(Refusal::Redirect("invalid_acr")));
    }

    #[test]
    fn proconnect_holds_to_essential_values_alone() {
        let strong = Person::find(Flavour::Agents, "thomas-keller").unwrap();
        let weak = Person::find(Flavour::Agents, "samir-haddad").unwrap();
        let demanded = json!({"id_token": {"acr": {"essential": true, "values": ["eidas2", "eidas3"]}}});
        let level = Level::at_proconnect(&demanded);
        assert_eq!((level.of(&strong), level.of(&weak)), (Some("eidas2"), None));
        for wished in [
            json!({}),
            json!({"id_token": {"acr": {"essential": true}}}),
            json!({"id_token": {"acr": {"values": ["eidas3"]}}}),
        ] {
            assert_eq!(Level::at_proconnect(&wished).of(&weak), Some("eidas1"), "{wished}");
        }
    }
}
