//! By which way something ended: its stable name in the journal, and its words.

use super::Language;

/// The way by which something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndingWay {
    /// The usager, in their own space.
    Space,
    /// The card, on the public page.
    Card,
    /// The card, at the desk of an organisation.
    Desk,
    /// A reply to a text message.
    Reply,
    /// An aidant of the organisation.
    Organisation,
    /// Nobody: the time was over.
    Time,
    /// The operator of the service.
    Operator,
}

impl EndingWay {
    /// Every way.
    pub const ALL: [Self; 7] =
        [Self::Space, Self::Card, Self::Desk, Self::Reply, Self::Organisation, Self::Time, Self::Operator];

    /// The stable name, as the journal has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Space => "usager",
            Self::Card => "card",
            Self::Desk => "desk",
            Self::Reply => "reply",
            Self::Organisation => "aidant",
            Self::Time => "service",
            Self::Operator => "operator",
        }
    }

    /// The way of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == name)
    }

    /// The way in words, after "by".
    #[must_use]
    pub const fn phrase(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Space, Language::Fr) => "depuis l’espace de la personne",
            (Self::Space, Language::En) => "from the person’s space",
            (Self::Card, Language::Fr) => "avec la carte, sur la page /revoquer",
            (Self::Card, Language::En) => "with the card, on the page /revoquer",
            (Self::Desk, Language::Fr) => "avec la carte, à l’accueil d’une structure",
            (Self::Desk, Language::En) => "with the card, at the desk of an organisation",
            (Self::Reply, Language::Fr) => "par une réponse à un SMS",
            (Self::Reply, Language::En) => "by a reply to a text message",
            (Self::Organisation, Language::Fr) => "par la structure",
            (Self::Organisation, Language::En) => "by the organisation",
            (Self::Time, Language::Fr) => "de lui-même, à la date prévue",
            (Self::Time, Language::En) => "by itself, on the day that was agreed",
            (Self::Operator, Language::Fr) => "par l’exploitant du service",
            (Self::Operator, Language::En) => "by the operator of the service",
        }
    }
}
