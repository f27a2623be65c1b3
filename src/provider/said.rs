//! What tokens say of who acts for whom: one of three projections of a mandate, never two of them in one token.

use super::id_token::{Actor, ActorOrganisation, JournalReference, MandateDetails};
use crate::mandate::{Act, Instant, MandateId, ProcedureId};
use serde::Serialize;
use std::collections::BTreeSet;
use time::format_description::well_known::Rfc3339;

/// The level that FranceConnect takes of us: it allows no other (contract `franceconnect.md`, section 1.1).
pub const FRANCECONNECT_ACR: &str = "eidas1";

/// A projection, as the members it adds to a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Said {
    /// The usager is the subject, the aidant acts.
    Act {
        /// Who acts (RFC 8693, section 4.1).
        act: Actor,
        /// The mandate (RFC 9396, section 7).
        authorization_details: [MandateDetails; 1],
    },
    /// The aidant is the subject and has authority.
    Authority {
        /// Over whom, for what, until when.
        authority: Authority,
    },
    /// FranceConnect: the usager is the subject, and it is not told who acts (contract `franceconnect.md`, section 1.6).
    RepScope {
        /// Label of the one theme that was chosen.
        rep_scope: [String; 1],
    },
}

/// The claim `authority` of the OpenID Connect Authority claims extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authority {
    applies_to: AppliesTo,
    permission: [Permission; 1],
    granted_by: GrantedBy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct AppliesTo {
    sub: String,
    acr: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Permission {
    role: Role,
    function: Function,
    validity: Validity,
    may_delegate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Role {
    name: &'static str,
    organisation: ActorOrganisation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Function {
    mandate: MandateId,
    procedure: ProcedureId,
    acts: BTreeSet<Act>,
    journal: JournalReference,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Validity {
    start: String,
    end: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct GrantedBy {
    method: &'static str,
}

impl Authority {
    /// The authority that a mandate gives over the usager, whom the client knows by that subject.
    #[must_use]
    pub fn of(mandate: &MandateDetails, usager: String, organisation: ActorOrganisation) -> Self {
        Self {
            applies_to: AppliesTo { sub: usager, acr: mandate.usager_acr.clone() },
            permission: [Permission {
                role: Role { name: "aidant", organisation },
                function: Function {
                    mandate: mandate.identifier.clone(),
                    procedure: mandate.procedure.clone(),
                    acts: mandate.acts.clone(),
                    journal: mandate.journal.clone(),
                },
                validity: Validity { start: moment(mandate.granted), end: moment(mandate.expires) },
                // A mandate is personal to its organisation (Code civil art. 1994).
                may_delegate: false,
            }],
            granted_by: GrantedBy { method: "delegated" },
        }
    }
}

/// To the second, in universal time.
fn moment(at: Instant) -> String {
    let whole = Instant::from_micros(at.seconds().saturating_mul(1_000_000));
    whole.to_utc().format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{actor, mandate};
    use super::*;
    use serde_json::json;

    #[test]
    fn authority_names_over_whom_for_what_until_when_and_ends_there() {
        let authority = Authority::of(&mandate(), "pairwise-usager".to_owned(), actor().organisation);
        let said = serde_json::to_value(Said::Authority { authority }).unwrap();
        let expected = json!({"authority": {
            "applies_to": {"sub": "pairwise-usager", "acr": "eidas1"},
            "permission": [{
                "role": {"name": "aidant", "organisation": {
                    "id": "03030303030303030303030303030303",
                    "name": "Mairie de Démonstration",
                    "siret": "21750001600019",
                }},
                "function": {
                    "mandate": "01010101010101010101010101010101",
                    "procedure": "declare-income",
                    "acts": ["prepare", "fill"],
                    "journal": {
                        "entry": "02020202020202020202020202020202",
                        "index": 41,
                        "origin": "porteplume.example/journal",
                    },
                },
                "validity": {"start": "2026-11-21T10:00:00Z", "end": "2026-12-22T10:00:00Z"},
                "may_delegate": false,
            }],
            "granted_by": {"method": "delegated"},
        }});
        assert_eq!(said, expected);
    }

    #[test]
    fn franceconnect_is_told_a_list_of_one_theme_and_nothing_else() {
        let said = Said::RepScope { rep_scope: ["Famille-Scolarité".to_owned()] };
        assert_eq!(serde_json::to_value(said).unwrap(), json!({"rep_scope": ["Famille-Scolarité"]}));
    }
}
