//! The account as a timeline: each thing that happened, by itself, to be searched by the person concerned.

use super::{Account, Place};
use crate::mandate::{Instant, Language};

/// What a line of a timeline is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoryPart {
    /// The agreement.
    Agreement,
    /// What was done.
    Done,
    /// What was refused.
    Refused,
    /// What was taken out, and the end.
    End,
    /// What the person was told.
    Told,
    /// Who has looked.
    Looks,
    /// The rest.
    Other,
}

impl StoryPart {
    /// Every part.
    pub const ALL: [Self; 7] =
        [Self::Agreement, Self::Done, Self::Refused, Self::End, Self::Told, Self::Looks, Self::Other];

    /// The stable name, as addresses carry it and as the account's part is called.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::End => "end",
            Self::Told => "told",
            Self::Looks => "looks",
            Self::Other => "other",
        }
    }

    /// The part of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == name)
    }
}

/// One thing that happened. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Instant,
    /// What it is about.
    pub part: StoryPart,
    /// In words, the day and hour included.
    pub text: String,
    /// Where it stands in the journal.
    pub places: Vec<Place>,
}

impl Account {
    /// Everything that happened, the first first. Every entry the account knows of stands in exactly one of them.
    #[must_use]
    pub fn story(&self, language: Language) -> Vec<Happening> {
        let uses = self.uses.iter().map(|one| Happening {
            at: one.at.0,
            part: StoryPart::Done,
            text: one.words(language),
            places: one.places.clone(),
        });
        let events = self.events.iter().map(|event| Happening {
            at: event.at,
            part: super::part(&event.what),
            text: event.words(language),
            places: vec![event.place.clone()],
        });
        let mut story: Vec<Happening> = uses.chain(events).collect();
        story.sort_by_key(|one| one.at);
        story
    }
}
