//! The card that ends a mandate: keyed in by its holder or at any desk. These pages name no person.

use super::parts::{Granted, Receipt};
use super::{Problem, paths};
use crate::mandate::{Bilingual, EndingMotive, Instant, MandateNumber};

/// Where a card is keyed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the public page.
    Anywhere,
    /// By an aidant, to whom it is read out.
    Desk,
}

impl Place {
    const fn is_desk(self) -> bool {
        matches!(self, Self::Desk)
    }

    /// Where number and code are asked for.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Anywhere => paths::REVOKE,
            Self::Desk => paths::DESK_REVOKE,
        }
    }

    const fn confirm(self) -> &'static str {
        match self {
            Self::Anywhere => paths::REVOKE_CONFIRM,
            Self::Desk => paths::DESK_REVOKE_CONFIRM,
        }
    }
}

page! {
    /// Asks for the number and the code on a card.
    ///
    /// Form `revoke-form` (POST `/revoquer` or `/aidant/revoquer`): `csrf`, `number`, `code`; button `revoke-submit`.
    Revoke in Guarded from "card/revoke.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Where it is keyed in.
        place: Place,
        /// The number as typed before. A code is never shown again.
        number: String,
    }
}

page! {
    /// What to end. At a desk nothing of the mandate is told, and only the whole can be ended.
    ///
    /// Form `end-form` (POST `/revoquer/confirmer` or `/aidant/revoquer/confirmer`): `csrf`, `pass`, `what` (`whole` or a
    /// procedure; ids `what-<value>`), `motive`; button `end-submit`; link `link-keep`.
    RevokeWhat in Guarded from "card/what.html" {
        /// Where it is keyed in.
        place: Place,
        /// The mandate's number.
        number: MandateNumber,
        /// Name of the organisation.
        organisation: String,
        /// What it grants; without what was taken out.
        procedures: Vec<Granted>,
        /// When it ends by itself.
        until: Option<Instant>,
        /// What shows that the code was right, for this browser and a short while.
        pass: String,
    }
}

impl RevokeWhat {
    pub(super) const fn motives() -> [EndingMotive; 4] {
        EndingMotive::ALL
    }
}

page! {
    /// It is ended, or had ended before. Receipt in `receipt`; link `link-home`.
    Revoked in Guarded from "card/revoked.html" {
        /// Where it was keyed in.
        place: Place,
        /// The mandate's number.
        number: MandateNumber,
        /// Name of the procedure, when only one was ended.
        procedure: Option<Bilingual>,
        /// When it ended.
        at: Instant,
        /// Its place in the journal; none when it had ended before.
        receipt: Option<Receipt>,
    }
}

/// The card of a mandate, to be cut out. Holds a code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct RevocationCard {
    /// The code that ends the mandate.
    pub code: String,
    /// Where it is keyed in, without scheme.
    pub address: String,
}

impl RevocationCard {
    /// The groups of the code. Nothing stands between them in the text.
    pub(super) fn parts(&self) -> Vec<String> {
        super::aidant::fours(&self.code)
    }
}

/// How the card of a mandate stands, for those who may see the mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CardStanding {
    /// Whether wrong codes were tried on it.
    pub tried: bool,
    /// Until when it is locked, if it is.
    pub locked_until: Option<Instant>,
}
