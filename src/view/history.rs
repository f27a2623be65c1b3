//! A mandate's own history in the journal, and the receipt of one of its entries: the same for usager and aidant.

use super::{Frame, Qr, Receipt, paths, typeset};
use crate::mandate::{Account, AccountPart, EventKind, Instant, Language, MandateId, Place, ServiceReport};

/// Whose page it is: decides where the links lead and who is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The usager's.
    Usager,
    /// The aidant's.
    Aidant,
}

impl Whose {
    /// The mandate's page.
    #[must_use]
    pub const fn mandate(self) -> &'static str {
        match self {
            Self::Usager => paths::USAGER_MANDATE,
            Self::Aidant => paths::MANDATE,
        }
    }

    /// Its history.
    #[must_use]
    pub const fn history(self) -> &'static str {
        match self {
            Self::Usager => paths::USAGER_HISTORY,
            Self::Aidant => paths::HISTORY,
        }
    }

    /// Its account.
    #[must_use]
    pub const fn account(self) -> &'static str {
        match self {
            Self::Usager => paths::USAGER_ACCOUNT,
            Self::Aidant => paths::ACCOUNT,
        }
    }

    /// The receipt of one entry of it.
    #[must_use]
    pub const fn receipt(self) -> &'static str {
        match self {
            Self::Usager => paths::USAGER_RECEIPT,
            Self::Aidant => paths::RECEIPT,
        }
    }
}

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// Its number, from 1.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// What the service reported there.
    pub reported: Option<ServiceReport>,
}

page! {
    /// A mandate's history. Ids: `history`, links `receipt-<number>`, `link-older`, `link-file` (usager only).
    History in Guarded from "history/list.html" {
        /// Whose page.
        whose: Whose,
        /// The mandate.
        mandate: MandateId,
        /// Name of the organisation.
        organisation: String,
        /// The entries, the latest first.
        lines: Vec<HistoryLine>,
        /// How many entries there are in all.
        length: u64,
        /// The number the next page begins before.
        before: Option<u64>,
    }
}

impl History {
    fn receipt_path(&self, line: &HistoryLine) -> String {
        paths::of_number(self.whose.receipt(), &self.mandate, line.number)
    }

    fn older(&self) -> Option<String> {
        let before = self.before?;
        Some(format!("{}?before={before}", paths::of_mandate(self.whose.history(), &self.mandate)))
    }

    fn path(&self, pattern: &str) -> String {
        paths::of_mandate(pattern, &self.mandate)
    }
}

page! {
    /// The receipt of one entry: a line to print or copy, a QR code and a file, each of which proves it to anybody.
    /// Ids: `receipt`, `receipt-line`, `receipt-qr`, `link-proof`, `link-history`.
    Proved in Guarded from "history/receipt.html" {
        /// Whose page.
        whose: Whose,
        /// The mandate.
        mandate: MandateId,
        /// The entry.
        line: HistoryLine,
        /// Its place in the journal.
        receipt: Receipt,
        /// The proof as a QR code.
        qr: Qr,
    }
}

impl Proved {
    fn path(&self, pattern: &str) -> String {
        paths::of_mandate(pattern, &self.mandate)
    }

    fn proof_path(&self) -> String {
        format!("{}/proof", paths::of_number(self.whose.receipt(), &self.mandate, self.line.number))
    }
}

page! {
    /// The account of a mandate (Code civil art. 1993), to read and to print in large type. Ids: `account`, one section per part
    /// (`part-<name>`), `origins`; links `link-print`, `receipt-<number>`, `link-mandate`.
    AccountPage in Guarded from "history/account.html" {
        /// Whose page.
        whose: Whose,
        /// The mandate.
        mandate: MandateId,
        /// The account.
        account: Account,
    }
}

impl AccountPage {
    fn parts(&self, language: &Language) -> Vec<AccountPart> {
        self.account.parts(*language)
    }

    fn receipt_path(&self, number: &u64) -> String {
        paths::of_number(self.whose.receipt(), &self.mandate, *number)
    }

    fn path(&self, pattern: &str) -> String {
        paths::of_mandate(pattern, &self.mandate)
    }
}

impl Frame {
    /// What the domain says in this page's language, set as the page is.
    pub(super) fn said(&self, text: &str) -> String {
        typeset(self.language, text)
    }

    /// A place in the journal.
    pub(super) fn place(&self, place: &Place) -> String {
        place.words(self.language)
    }
}
