//! What a usager is told, and how far the telling has come.

use thiserror::Error;

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, as stored.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that stable name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

named! {
    /// What a usager is told of.
    NoticeKind {
        /// A representation is over: what was done in their name.
        Receipt = "receipt",
        /// A mandate has ended.
        Ended = "ended",
        /// One procedure of a mandate has ended.
        Withdrawn = "withdrawn",
        /// The account of a mandate that has ended (Code civil art. 1993).
        Statement = "statement",
        /// The mandate ends in a month.
        EndsInAMonth = "ends_in_a_month",
        /// The mandate ends in a week.
        EndsInAWeek = "ends_in_a_week",
        /// The mandate was not used for long.
        Unused = "unused",
    }
}

impl NoticeKind {
    /// Whether what it tells of may be stopped by whoever reads it: a mandate that has not ended.
    #[must_use]
    pub const fn may_be_stopped(self) -> bool {
        match self {
            Self::Receipt | Self::Withdrawn | Self::EndsInAMonth | Self::EndsInAWeek | Self::Unused => true,
            Self::Ended | Self::Statement => false,
        }
    }
}

named! {
    /// How far the telling has come.
    NoticeState {
        /// It is to be sent.
        Waiting = "waiting",
        /// Whoever carries it has taken it over.
        Sent = "sent",
        /// Whoever carries it will not: such an address does not exist, or takes nothing. It is handed over on paper.
        Refused = "refused",
        /// It could not be sent for days. It is handed over on paper.
        GivenUp = "given_up",
        /// It is to be handed over on paper.
        OnPaper = "on_paper",
        /// It was handed over on paper.
        HandedOver = "handed_over",
    }
}

/// Why a step is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("what was told already is not told again")]
pub struct NoticeStateError;

impl NoticeState {
    /// The state after what became of sending it: sent, refused or given up.
    ///
    /// # Errors
    /// [`NoticeStateError`] when it does not wait, or the other is no such state.
    pub const fn settle(self, next: Self) -> Result<Self, NoticeStateError> {
        match (self, next) {
            (Self::Waiting, Self::Sent | Self::Refused | Self::GivenUp) => Ok(next),
            _ => Err(NoticeStateError),
        }
    }

    /// The state after it was handed over.
    ///
    /// # Errors
    /// [`NoticeStateError`] when there is nothing to hand over.
    pub const fn hand_over(self) -> Result<Self, NoticeStateError> {
        if self.is_on_paper() { Ok(Self::HandedOver) } else { Err(NoticeStateError) }
    }

    /// Whether it is to be handed over on paper.
    #[must_use]
    pub const fn is_on_paper(self) -> bool {
        matches!(self, Self::OnPaper | Self::Refused | Self::GivenUp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_once_is_not_told_again() {
        use NoticeState::{GivenUp, HandedOver, OnPaper, Refused, Sent, Waiting};
        for from in NoticeState::ALL {
            for to in NoticeState::ALL {
                let lawful = *from == Waiting && matches!(to, Sent | Refused | GivenUp);
                assert_eq!(from.settle(*to).is_ok(), lawful, "{from:?} {to:?}");
            }
            let paper = matches!(from, OnPaper | Refused | GivenUp);
            assert_eq!(from.hand_over(), if paper { Ok(HandedOver) } else { Err(NoticeStateError) });
            assert_eq!(NoticeState::parse(from.as_str()), Some(*from));
        }
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(*kind));
        }
    }
}
