//! The people of both flavours, alike where a provider treats them alike.

use super::Flavour;
use crate::demo::people::{AGENTS, Agent, CITIZENS, Citizen};
use crate::demo::site::View;

/// Someone who can sign in.
#[derive(Clone, Copy)]
pub(super) enum Person {
    Citizen(&'static Citizen),
    Agent(&'static Agent),
}

impl Person {
    /// Everybody of a flavour, in page order.
    pub(super) fn all(flavour: Flavour) -> Vec<Self> {
        match flavour {
            Flavour::Citizens | Flavour::CitizensPlus => CITIZENS.iter().map(Self::Citizen).collect(),
            Flavour::Agents => AGENTS.iter().map(Self::Agent).collect(),
        }
    }

    /// The person of that key.
    pub(super) fn find(flavour: Flavour, key: &str) -> Option<Self> {
        Self::all(flavour).into_iter().find(|person| person.key() == key)
    }

    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::Citizen(citizen) => citizen.key,
            Self::Agent(agent) => agent.key,
        }
    }

    /// First names and the name in use.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Citizen(c) => {
                format!("{} {}", c.given_name, c.preferred_username.unwrap_or(c.family_name))
            }
            Self::Agent(agent) => format!("{} {}", agent.given_name, agent.usual_name),
        }
    }

    pub(super) const fn about(&self, view: &View) -> &'static str {
        match self {
            Self::Citizen(citizen) => citizen.about.in_language(view.language),
            Self::Agent(agent) => agent.about.in_language(view.language),
        }
    }

    /// The level of identity stated for them.
    pub(super) const fn acr(&self) -> &'static str {
        match self {
            Self::Agent(agent) if agent.mfa => "eidas2",
            Self::Citizen(_) | Self::Agent(_) => "eidas1",
        }
    }

    /// The methods stated for them.
    pub(super) const fn amr(&self) -> &'static [&'static str] {
        match self {
            Self::Agent(agent) if agent.mfa => &["pwd", "hwk", "mfa"],
            Self::Agent(_) => &["pwd"],
            Self::Citizen(_) => &["fc", "pwd", "mail"],
        }
    }
}
