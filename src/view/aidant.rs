//! The aidant's pages: today, mandates, second factor, the locked screen, the printed mandate.

use super::card::{CardStanding, RevocationCard};
use super::parts::{Granted, Intervention, MandateCard, Person, Receipt, ThemeChoice, TimelineLine, Wording};
use super::{Problem, Qr, paths};
use crate::mandate::{ConsentChannel, Instant, Language, MandateId, NoticeId, Term};
use time::Date;

page! {
    /// Today: open interventions, mandates that wait or expire soon, what was done.
    ///
    /// Each open intervention has a form `close-<representation>-form` (POST `/aidant/representations/{id}/close`):
    /// `csrf`; button `close-<representation>`. Links: `link-new`, `mandate-<id>`.
    AidantHome in Guarded from "aidant/home.html" {
        /// Interventions still open.
        open: Vec<Intervention>,
        /// Mandates that wait for the usager or for acceptance.
        waiting: Vec<MandateCard>,
        /// Mandates in force that end within thirty days.
        soon: Vec<MandateCard>,
        /// How many mandates stand.
        standing: u64,
        /// What this aidant did today, refusals included.
        done: Vec<Intervention>,
    }
}

/// Why a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorReason {
    /// The provider did not prove one.
    SignIn,
    /// The last proof is older than an hour, and one is about to act in somebody's name.
    Act,
}

page! {
    /// Asks for a code of six digits or a recovery code.
    ///
    /// Form `factor-form` (POST `/aidant/factor`): `csrf`, `next`, `code`; button `factor-submit`.
    Factor in Guarded from "aidant/factor.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Why it is asked for.
        reason: FactorReason,
        /// Where to go afterwards, sent back in `next`; the handler checks it again.
        next: String,
    }
}

page! {
    /// Enrols a code application.
    ///
    /// Form `enrol-form` (POST `/aidant/factor/enrol`): `csrf`, `code`; button `enrol-submit`. The key stands in
    /// `totp-key`, in groups of four.
    Enrol in Guarded from "aidant/enrol.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// QR code of the `otpauth:` address.
        qr: Qr,
        /// The key in Base32.
        key: String,
    }
}

impl Enrol {
    fn grouped_key(&self) -> String {
        fours(&self.key).join(" ")
    }
}

/// A text in groups of four, as people read keys and codes out.
pub(super) fn fours(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect()).collect()
}

page! {
    /// Shows the recovery codes, once. List `recovery-codes`; link `link-continue`.
    RecoveryCodes in Guarded from "aidant/recovery_codes.html" {
        /// The codes.
        codes: Vec<String>,
        /// Where to go on.
        next: String,
    }
}

page! {
    /// The mandates of the organisation that this aidant may see. Links: `link-new`, `mandate-<id>`.
    MandateList in Guarded from "aidant/mandates.html" {
        /// The mandates, latest first.
        mandates: Vec<MandateCard>,
    }
}

impl MandateList {
    fn waiting(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| mandate.status.is_waiting()).collect()
    }

    fn active(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| mandate.status.is_active()).collect()
    }

    fn over(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| mandate.status.is_over()).collect()
    }
}

page! {
    /// New mandate, step 1: themes open into procedures.
    ///
    /// Form `procedures-form` (**GET** `/aidant/mandates/new/duration`): `procedure` (repeated; ids
    /// `procedure-<id>`); button `procedures-submit`. Themes are `<details id="theme-<id>">`.
    NewMandate in Guarded from "aidant/new_mandate.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Themes with their procedures.
        themes: Vec<ThemeChoice>,
    }
}

/// A duration as its radio button names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermChoice {
    /// `day`.
    Day,
    /// `month`.
    Month,
    /// `six_months`.
    SixMonths,
    /// `year`.
    Year,
    /// `until`, with the date beside it.
    Until,
}

impl TermChoice {
    /// Every duration, shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Month, Self::SixMonths, Self::Year, Self::Until];

    /// The value of the radio button.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::SixMonths => "six_months",
            Self::Year => "year",
            Self::Until => "until",
        }
    }

    /// The duration of that value.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.as_str() == value)
    }

    /// The term without a date of its own, for its words.
    const fn fixed(self) -> Option<Term> {
        match self {
            Self::Day => Some(Term::Day),
            Self::Month => Some(Term::Month),
            Self::SixMonths => Some(Term::SixMonths),
            Self::Year => Some(Term::Year),
            Self::Until => None,
        }
    }
}

page! {
    /// New mandate, step 2: for how long.
    ///
    /// Form `term-form` (POST `/aidant/mandates/new/duration`): `csrf`, `idempotency`, `procedure` (hidden,
    /// repeated), `term` (`day`, `month`, `six_months`, `year`, `until`; ids `term-<value>`), `until` (a date,
    /// `YYYY-MM-DD`); button `term-submit`; link `link-procedures` goes back.
    NewMandateTerm in Guarded from "aidant/new_mandate_term.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The procedures chosen.
        procedures: Vec<Granted>,
        /// The duration chosen before, if any.
        chosen: Option<TermChoice>,
        /// The date typed before, as typed.
        until: String,
        /// First date that can be chosen.
        earliest: Date,
        /// Last date that can be chosen.
        latest: Date,
        /// Key under which a repeated submission changes nothing twice.
        idempotency: String,
    }
}

impl NewMandateTerm {
    fn is_chosen(&self, choice: &TermChoice) -> bool {
        self.chosen == Some(*choice)
    }

    fn back(&self) -> String {
        let chosen: Vec<String> = self.procedures.iter().map(|p| format!("procedure={}", p.id)).collect();
        format!("{}?{}", paths::NEW_MANDATE, chosen.join("&"))
    }
}

page! {
    /// New mandate, step 3: the sealed proposal, before the screen changes hands.
    ///
    /// Form `hand-over-form` (POST `/aidant/mandates/{id}/hand-over`): `csrf`; button `hand-over-submit`.
    Proposal in Guarded from "aidant/proposal.html" {
        /// The proposal.
        mandate: MandateCard,
        /// How long it will stand.
        term: Term,
    }
}

page! {
    /// The screen is locked: the usager has it, or has just given it back.
    ///
    /// Form `unlock-form` (POST `/aidant/unlock`): `csrf`, `code`; button `unlock-submit`; link `link-consent`
    /// goes back to the usager's page.
    Locked in Guarded from "aidant/locked.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The aidant who can unlock it.
        aidant: String,
        /// Whether the usager has answered.
        answered: bool,
    }
}

page! {
    /// The usager said yes; the organisation has yet to accept.
    ///
    /// Form `accept-form` (POST `/aidant/mandates/{id}/accept`): `csrf`; button `accept-submit`; link
    /// `link-decline` leads to renouncing.
    Accept in Guarded from "aidant/accept.html" {
        /// The mandate, consented.
        mandate: MandateCard,
        /// How long it will stand.
        term: Term,
    }
}

page! {
    /// What became of a proposal that was refused or lapsed. Links: `link-new`, `link-home`.
    ProposalOver in Guarded from "aidant/proposal_over.html" {
        /// The proposal.
        mandate: MandateCard,
    }
}

page! {
    /// One mandate: what it grants, its life, what was done with it.
    ///
    /// Links: `link-print`, `link-renounce`, `link-accept` (when consented).
    MandateDetail in Guarded from "aidant/mandate.html" {
        /// The mandate.
        mandate: MandateCard,
        /// Its life, oldest first.
        timeline: Vec<TimelineLine>,
        /// What was done with it, latest first.
        interventions: Vec<Intervention>,
        /// How the card that ends it stands, if it has one. Form `card-form` (POST `…/card`): `csrf`; button `card-submit`.
        revocation: Option<CardStanding>,
        /// Receipt of its latest step.
        receipt: Option<Receipt>,
        /// How many receipts are to be handed over on paper.
        papers: u64,
    }
}

page! {
    /// Asks before renouncing.
    ///
    /// Form `renounce-form` (POST `/aidant/mandates/{id}/renounce`): `csrf`; button `renounce-submit`; link
    /// `link-keep`.
    Renounce in Guarded from "aidant/renounce.html" {
        /// The mandate.
        mandate: MandateCard,
    }
}

page! {
    /// The mandate on paper: all that Code civil art. 1984 ff. and the field ask a mandate to state.
    ///
    /// Link `link-pdf`. Ids: `mandate-text`, `revocation-card`, `revocation-code`, `verification-code`, `receipt`, `receipt-line`, `receipt-qr`.
    PrintedMandate in Guarded from "aidant/printed.html" {
        /// The mandate.
        mandate: MandateCard,
        /// The usager.
        usager: Person,
        /// When the usager agreed.
        consented_at: Instant,
        /// By which way.
        channel: ConsentChannel,
        /// When the organisation accepted.
        accepted_at: Instant,
        /// Who accepted for it.
        accepted_by: String,
        /// When it ends by itself.
        ends_at: Instant,
        /// Where it was made: town of the organisation.
        place: String,
        /// How to reach the organisation: address and telephone, one a line.
        contact: Vec<String>,
        /// Where the usager ends it online, without scheme.
        space_address: String,
        /// The text agreed to.
        text: Wording,
        /// Code to find and verify the mandate by.
        verification_code: String,
        /// Where it is keyed in, without scheme.
        verification_address: String,
        /// The card that ends it; none for a mandate from before there were cards, until one is made.
        card: Option<RevocationCard>,
        /// QR code of the address that verifies it, number and code filled in.
        qr: Qr,
        /// Where it stands in the journal.
        receipt: Receipt,
        /// The proof of that place, as a QR code.
        proof: Qr,
    }
}
impl PrintedMandate {
    /// The groups of the verification code. Nothing stands between them in the text.
    pub(super) fn code_parts(&self) -> Vec<String> {
        fours(&self.verification_code)
    }
}

/// A receipt to be handed over on paper. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PaperReceipt {
    /// The notice.
    pub id: NoticeId,
    /// When it was written.
    pub at: Instant,
    /// The language of its text.
    pub language: Language,
    /// What stands above it.
    pub subject: String,
    /// Its lines.
    pub lines: Vec<String>,
}

page! {
    /// Receipts to print and hand over.
    ///
    /// Form `papers-form` (POST to the same address): `csrf`, `notice` for each; button `papers-submit`; link `link-mandate`.
    PaperReceipts in Guarded from "aidant/papers.html" {
        /// The mandate.
        mandate: MandateId,
        /// First and last name of the usager.
        usager: String,
        /// The receipts, the first first.
        papers: Vec<PaperReceipt>,
    }
}

impl PaperReceipts {
    fn path(&self) -> String {
        paths::of_mandate(paths::PAPERS, &self.mandate)
    }
}
