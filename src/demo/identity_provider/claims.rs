//! What is said of a person, scope by scope.

use super::request::HINT;
use super::{Flavour, Person};
use crate::crypto::{sha256, to_hex};
use crate::demo::people::{Agent, Citizen};
use serde_json::{Map, Value, json};

/// Claims by scope at FranceConnect, those that serve here.
const CITIZENS: [(&str, &[&str]); 13] = [
    (
        "profile",
        &["given_name", "given_name_array", "family_name", "preferred_username", "gender", "birthdate"],
    ),
    ("birth", &["birthdate", "birthplace", "birthcountry"]),
    (
        "identite_pivot",
        &[
            "given_name",
            "given_name_array",
            "family_name",
            "gender",
            "birthdate",
            "birthplace",
            "birthcountry",
        ],
    ),
    ("email", &["email"]),
    ("preferred_username", &["preferred_username"]),
    ("idp_birthdate", &["idp_birthdate"]),
    ("given_name", &["given_name", "given_name_array"]),
    ("family_name", &["family_name"]),
    ("gender", &["gender"]),
    ("birthdate", &["birthdate"]),
    ("birthplace", &["birthplace"]),
    ("birthcountry", &["birthcountry"]),
    ("idp_id", &["idp_id"]),
];

/// At ProConnect each claim is a scope of its own.
const AGENTS: [(&str, &[&str]); 5] = [
    ("given_name", &["given_name"]),
    ("usual_name", &["usual_name"]),
    ("email", &["email"]),
    ("uid", &["uid"]),
    ("siret", &["siret"]),
];

const fn table(flavour: Flavour) -> &'static [(&'static str, &'static [&'static str])] {
    match flavour {
        Flavour::Citizens | Flavour::CitizensPlus => &CITIZENS,
        Flavour::Agents => &AGENTS,
    }
}

/// Every scope of a flavour.
pub(super) fn scopes(flavour: Flavour) -> Vec<&'static str> {
    ["openid"].into_iter().chain(table(flavour).iter().map(|(scope, _)| *scope)).collect()
}

/// The person's identifier: pairwise at FranceConnect, public at ProConnect.
pub(super) fn subject(person: &Person, client_id: &str) -> String {
    match person {
        Person::Citizen(citizen) => {
            format!("{}v1", to_hex(&sha256(format!("sandbox {client_id} {}", citizen.key).as_bytes())))
        }
        Person::Agent(agent) => agent.key.to_owned(),
    }
}

/// The claims the scopes ask for, `sub` included.
pub(super) fn about(
    flavour: Flavour,
    person: &Person,
    client_id: &str,
    scopes: &[String],
) -> Map<String, Value> {
    let known = match person {
        Person::Citizen(citizen) => pivot(flavour, citizen),
        Person::Agent(agent) => professional(agent),
    };
    let asked: Vec<&str> = table(flavour)
        .iter()
        .filter(|(scope, _)| scopes.iter().any(|asked| asked == scope))
        .flat_map(|(_, claims)| claims.iter().copied())
        .collect();
    let mut said = Map::new();
    if let Value::Object(known) = known {
        said.extend(
            known.into_iter().filter(|(claim, value)| !value.is_null() && asked.contains(&claim.as_str())),
        );
    }
    said.insert("sub".to_owned(), json!(subject(person, client_id)));
    said
}

/// A pivot identity as FranceConnect gives it: from the civil register, which completes a partial date of birth in
/// `birthdate` and keeps it in `idp_birthdate` alone; FranceConnect+ gives the identity provider's own.
fn pivot(flavour: Flavour, citizen: &Citizen) -> Value {
    let completed = flavour == Flavour::Citizens;
    json!({
        "given_name": citizen.given_name,
        "given_name_array": citizen.given_name.split(' ').collect::<Vec<_>>(),
        "family_name": citizen.family_name,
        "preferred_username": citizen.preferred_username,
        "gender": citizen.gender,
        "birthdate": if completed { citizen.birthdate.replace("-00", "-01") } else { citizen.birthdate.to_owned() },
        "idp_birthdate": citizen.birthdate,
        "birthplace": citizen.birthplace,
        "birthcountry": citizen.birthcountry,
        "email": citizen.email,
        "idp_id": HINT,
    })
}

fn professional(agent: &Agent) -> Value {
    json!({
        "given_name": agent.given_name,
        "usual_name": agent.usual_name,
        "email": agent.email,
        "uid": agent.key,
        "siret": agent.post.organisation().map(|organisation| organisation.siret),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_date_of_birth_is_completed_but_stays_known() {
        let person = Person::find(Flavour::Citizens, "khadija-ben-mbarek").unwrap();
        let scopes = ["openid", "birth", "idp_birthdate"].map(str::to_owned);
        let claims = about(Flavour::Citizens, &person, "porteplume", &scopes);
        assert_eq!(claims["birthdate"], "1962-01-01");
        assert_eq!(claims["idp_birthdate"], "1962-00-00");
        assert_eq!(claims.get("given_name"), None);
        let high = about(Flavour::CitizensPlus, &person, "porteplume", &scopes);
        assert_eq!(high["birthdate"], "1962-00-00");
    }

    #[test]
    fn a_citizen_is_another_to_each_client() {
        let person = Person::find(Flavour::Citizens, "rose-marchal").unwrap();
        assert_ne!(subject(&person, "porteplume"), subject(&person, "caisse"));
        assert_eq!(subject(&person, "porteplume").len(), 66);
    }
}
