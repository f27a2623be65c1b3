//! The shape a request must have before anything in it is looked up: both French providers check it first, and answer
//! a request without it with a page and a code (contract `franceconnect.md`, sections 2 and 3).

use super::Flavour;
use std::collections::BTreeMap;

/// The shortest nonce FranceConnect takes.
const SHORTEST_NONCE: usize = 22;
/// The longest nonce ProConnect takes.
const LONGEST_NONCE: usize = 512;
/// Characters of a SIRET number.
const SIRET: usize = 14;

/// The parameters a provider knows.
struct Shape {
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const FRANCECONNECT: Shape = Shape {
    required: &["acr_values", "client_id", "nonce", "redirect_uri", "response_type", "scope", "state"],
    optional: &["claims", "idp_hint", "prompt", "ui_locales"],
};

const PROCONNECT: Shape = Shape {
    required: &["client_id", "redirect_uri", "response_type", "scope", "state"],
    optional: &[
        "acr_values",
        "claims",
        "code_challenge",
        "code_challenge_method",
        "idp_hint",
        "login_hint",
        "nonce",
        "prompt",
        "response_mode",
        "siret_hint",
    ],
};

/// The code on the page that refuses a request without the shape.
pub(super) const fn misshapen(flavour: Flavour) -> &'static str {
    match flavour {
        Flavour::Citizens | Flavour::CitizensPlus => "Y030007",
        Flavour::Agents => "Y000400",
    }
}

/// Whether the request has the shape: every mandatory parameter, none that is unknown, and values that can be.
pub(super) fn fits(flavour: Flavour, parameters: &BTreeMap<String, String>) -> bool {
    let shape = if flavour.is_franceconnect() { FRANCECONNECT } else { PROCONNECT };
    let known = |name: &String| [shape.required, shape.optional].concat().contains(&name.as_str());
    let given = |name: &&str| parameters.get(*name).is_some_and(|value| !value.is_empty());
    let holds = |name: &str, rule: fn(&str) -> bool| parameters.get(name).is_none_or(|value| rule(value));
    let values = if flavour.is_franceconnect() {
        holds("nonce", |nonce| nonce.chars().count() >= SHORTEST_NONCE)
            && holds("prompt", |prompt| prompt.split(' ').all(|word| matches!(word, "login" | "consent")))
    } else {
        holds("nonce", |nonce| nonce.is_ascii() && (1..=LONGEST_NONCE).contains(&nonce.len()))
            && holds("login_hint", |hint| hint.contains('@'))
            && holds("siret_hint", |siret| siret.len() == SIRET)
    };
    parameters.keys().all(known) && shape.required.iter().all(given) && values
}
