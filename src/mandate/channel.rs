//! By which way a usager consents, and how much that way proves.

use super::Instant;
use serde::{Deserialize, Serialize};
use time::Duration;

/// By which way the usager consented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentChannel {
    /// On the aidant's screen, handed over and locked, after their own fresh identification.
    InPresence,
    /// On a device of their own, opened by a code sent to them, after their own fresh identification.
    OwnDevice,
    /// By telephone: the text was read out, and they said the code sent to their number.
    Telephone,
    /// On paper, signed; a second person of the organisation compared what was scanned.
    Paper,
    /// By the code of a letter posted to them.
    PostedCode,
    /// On the aidant's screen, without the citizens' provider: an identity document was shown, and a second person of the
    /// organisation confirmed it.
    SeenDocument,
}

/// The level of an identity that was told and not proved to a provider.
pub const DECLARED: &str = "declared";

/// How much a consent proves about who gave it. Later ones prove more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Whoever has the person's telephone or letter-box.
    Reached,
    /// Two professionals have seen the person's document, or their signature.
    Witnessed,
    /// The citizens' provider has identified the person for this very consent.
    Identified,
}

impl Strength {
    /// Every strength, the weakest first.
    pub const ALL: [Self; 3] = [Self::Reached, Self::Witnessed, Self::Identified];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::Witnessed => "witnessed",
            Self::Identified => "identified",
        }
    }

    /// The strength of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strength| strength.as_str() == name)
    }
}

impl ConsentChannel {
    /// Every channel.
    pub const ALL: [Self; 6] = [
        Self::InPresence,
        Self::OwnDevice,
        Self::Telephone,
        Self::Paper,
        Self::PostedCode,
        Self::SeenDocument,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InPresence => "in_presence",
            Self::OwnDevice => "own_device",
            Self::Telephone => "telephone",
            Self::Paper => "paper",
            Self::PostedCode => "posted_code",
            Self::SeenDocument => "seen_document",
        }
    }

    /// The channel of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }

    /// How much it proves.
    #[must_use]
    pub const fn strength(self) -> Strength {
        match self {
            Self::InPresence | Self::OwnDevice => Strength::Identified,
            Self::Paper | Self::SeenDocument => Strength::Witnessed,
            Self::Telephone | Self::PostedCode => Strength::Reached,
        }
    }

    /// Whether the citizens' provider identifies the person for it; else their identity is [`DECLARED`].
    #[must_use]
    pub const fn identifies(self) -> bool {
        matches!(self.strength(), Strength::Identified)
    }

    /// Whether a second person of the organisation must confirm before anything counts as agreed.
    #[must_use]
    pub const fn needs_second_person(self) -> bool {
        matches!(self.strength(), Strength::Witnessed)
    }

    /// How long the usager may take to answer when asked by it.
    #[must_use]
    pub const fn answer_life(self) -> Duration {
        match self {
            Self::InPresence | Self::OwnDevice | Self::Telephone => Duration::minutes(30),
            // A day, so that a colleague who comes tomorrow can confirm.
            Self::SeenDocument => Duration::hours(24),
            // The post, twice.
            Self::Paper | Self::PostedCode => Duration::days(15),
        }
    }

    /// How long the organisation may take to accept what was consented to by it.
    #[must_use]
    pub const fn acceptance_life(self) -> Duration {
        match self {
            // Both are in the room.
            Self::InPresence => Duration::minutes(30),
            Self::OwnDevice | Self::Telephone | Self::Paper | Self::SeenDocument => Duration::hours(24),
            // It may come on a Friday night.
            Self::PostedCode => Duration::days(7),
        }
    }
}

/// How the usager of a proposal was asked, when not simply on the aidant's screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// By which way.
    pub channel: ConsentChannel,
    /// When.
    pub at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_nothing_else_does() {
        for channel in ConsentChannel::ALL {
            assert_eq!(ConsentChannel::parse(channel.as_str()), Some(channel));
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.as_str());
        }
        for strength in Strength::ALL {
            assert_eq!(Strength::parse(strength.as_str()), Some(strength));
            assert_eq!(serde_json::to_value(strength).unwrap(), strength.as_str());
        }
        for other in ["", "fax", "Identified"] {
            assert_eq!((ConsentChannel::parse(other), Strength::parse(other)), (None, None), "{other}");
        }
    }

    #[test]
    fn only_what_a_provider_proved_is_identified_and_what_two_saw_proves_more_than_a_telephone() {
        assert!(Strength::Reached < Strength::Witnessed && Strength::Witnessed < Strength::Identified);
        for channel in ConsentChannel::ALL {
            assert_eq!(channel.identifies(), channel.strength() == Strength::Identified, "{channel:?}");
            assert_eq!(
                channel.needs_second_person(),
                channel.strength() == Strength::Witnessed,
                "{channel:?}"
            );
            assert!(channel.answer_life() <= Duration::days(15), "{channel:?}");
        }
    }
}
