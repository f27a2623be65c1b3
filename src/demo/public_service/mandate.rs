//! What Porteplume says when a file is opened: the usager, the aidant, the mandate.

use super::Service;
use crate::demo::site::View;
use crate::mandate::{Act, BirthDate, Instant, Language, ProcedureId};
use crate::relying::SignedIn;
use crate::view::dates;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The claim `act`: the person at the keyboard.
#[derive(Deserialize)]
pub(super) struct Actor {
    pub(super) sub: String,
    pub(super) acr: String,
}

/// An organisation in `authorization_details`.
#[derive(Deserialize)]
pub(super) struct Organisation {
    pub(super) name: String,
    pub(super) siret: String,
}

/// Where the journal tells of it.
#[derive(Deserialize)]
pub(super) struct JournalReference {
    pub(super) entry: String,
    pub(super) index: u64,
    pub(super) origin: String,
}

/// One entry of `authorization_details` (RFC 9396).
#[derive(Deserialize)]
struct Details {
    #[serde(rename = "type")]
    kind: String,
    identifier: String,
    procedure: ProcedureId,
    acts: BTreeSet<Act>,
    organisation: Organisation,
    expires: i64,
    usager_acr: String,
    journal: JournalReference,
}

/// A file as it was opened.
pub(super) struct Opening {
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) preferred_username: Option<String>,
    pub(super) birthdate: Option<BirthDate>,
    pub(super) aidant: Actor,
    pub(super) organisation: Organisation,
    pub(super) mandate: String,
    pub(super) procedure: ProcedureId,
    pub(super) acts: BTreeSet<Act>,
    pub(super) expires: Instant,
    pub(super) usager_acr: String,
    pub(super) journal: JournalReference,
}

impl Opening {
    /// Reads the claims; nothing when they do not name both persons and exactly one mandate.
    pub(super) fn read(signed_in: &SignedIn) -> Option<Self> {
        let claim = |name: &str| signed_in.claims.get(name).cloned().unwrap_or(Value::Null);
        let text = |name: &str| signed_in.text(name).map(str::to_owned);
        let [details] = serde_json::from_value::<[Details; 1]>(claim("authorization_details")).ok()?;
        if details.kind != "mandate" {
            return None;
        }
        Some(Self {
            given_name: text("given_name")?,
            family_name: text("family_name")?,
            preferred_username: text("preferred_username"),
            birthdate: signed_in.text("birthdate").and_then(|date| BirthDate::parse(date).ok()),
            aidant: serde_json::from_value(claim("act")).ok()?,
            organisation: details.organisation,
            mandate: details.identifier,
            procedure: details.procedure,
            acts: details.acts,
            expires: Instant::from_micros(details.expires.saturating_mul(1_000_000)),
            usager_acr: details.usager_acr,
            journal: details.journal,
        })
    }

    /// First names and the name in use.
    pub(super) fn usager(&self) -> String {
        let name = self.preferred_username.as_deref().unwrap_or(&self.family_name);
        format!("{} {name}", self.given_name)
    }

    /// Whether the mandate lets the aidant send a declaration.
    pub(super) fn may_submit(&self) -> bool {
        self.acts.contains(&Act::Submit)
    }

    pub(super) fn born(&self, view: &View) -> String {
        self.birthdate.as_ref().map(|date| dates::birth(view.language, date)).unwrap_or_default()
    }

    pub(super) fn until(&self, view: &View) -> String {
        dates::moment(view.language, self.expires)
    }

    pub(super) fn acts_in_words(&self, view: &View) -> String {
        let word = |act: &Act| match act {
            Act::Prepare => view.t("préparer", "prepare"),
            Act::Fill => view.t("remplir", "fill in"),
            Act::Submit => view.t("envoyer", "submit"),
            Act::Sign => view.t("signer", "sign"),
            Act::Receive => view.t("recevoir la réponse", "receive the answer"),
        };
        self.acts.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

impl Service {
    /// The procedure's name; its identifier when the catalogue does not know it.
    pub(super) fn procedure_name(&self, opening: &Opening, language: Language) -> String {
        self.catalogue.procedure(&opening.procedure).map_or_else(
            || opening.procedure.to_string(),
            |procedure| procedure.name.text(language).to_owned(),
        )
    }
}
