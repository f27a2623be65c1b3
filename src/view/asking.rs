//! Asking for consent by other ways than the aidant's screen: what the aidant chooses, waits for and prints, what a second person
//! compares, and where whoever has a code types it.

use super::parts::{MandateCard, Person, Wording};
use super::{Frame, Problem, Qr, paths, sentences};
use crate::mandate::{
    Channel, ConsentChannel, DocumentKind, Instant, MandateId, SeenDocument, Strength, Term, UsagerId,
};
use time::Date;

page! {
    /// The ways a usager can be asked. Links `way-<channel>`; form `hand-over-form`.
    AskWays in Guarded from "asking/ways.html" {
        /// The proposal.
        mandate: MandateCard,
        /// The ways there are here, and whether each proves enough for these procedures.
        ways: Vec<(ConsentChannel, bool)>,
    }
}

/// What the aidant typed of a person.
#[derive(Clone, Default)]
pub struct Typed {
    /// First names.
    pub given_name: String,
    /// Birth name.
    pub family_name: String,
    /// Name in use, where different.
    pub preferred_username: String,
    /// Day of birth.
    pub birth_day: String,
    /// Month of birth.
    pub birth_month: String,
    /// Year of birth.
    pub birth_year: String,
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub telephone: String,
    /// Last four signs of a document's number.
    pub last: String,
}

/// Somebody of that name and date of birth.
#[derive(Clone)]
pub struct KnownPerson {
    /// Identifier.
    pub id: UsagerId,
    /// The person.
    pub person: Person,
}

page! {
    /// Asks by one way.
    ///
    /// Form `ask-form` (POST `/aidant/mandates/{id}/ask/{way}`): `csrf`, as the way needs `given_name`, `family_name`,
    /// `preferred_username`, `birth_day`, `birth_month`, `birth_year`, `document`, `last`, `by`, `email`, `telephone`, `known`;
    /// button `ask-submit`.
    AskForm in Guarded from "asking/ask.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The proposal.
        mandate: MandateId,
        /// By which way.
        way: ConsentChannel,
        /// What was typed.
        typed: Typed,
        /// Who carries a code.
        by: Vec<Channel>,
        /// Who was chosen of them.
        chosen: Option<Channel>,
        /// The document that was chosen.
        document: Option<DocumentKind>,
        /// Whom the organisation knows of that name and date of birth: they are to be told apart.
        known: Vec<KnownPerson>,
    }
}

impl AskForm {
    fn path(&self) -> String {
        paths::of_asking(&self.mandate, self.way)
    }

    const fn names_person(&self) -> bool {
        !matches!(self.way, ConsentChannel::OwnDevice)
    }

    const fn sees_document(&self) -> bool {
        matches!(self.way, ConsentChannel::SeenDocument)
    }

    fn by_email(&self) -> bool {
        self.by.contains(&Channel::Email)
    }

    fn by_telephone(&self) -> bool {
        self.by.iter().any(|by| matches!(by, Channel::Sms | Channel::Voice))
    }
}

/// How far an asking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedStanding {
    /// Nobody has answered.
    Waiting,
    /// Too many wrong codes.
    Dead,
    /// A second person has to confirm.
    Answered {
        /// Whether the one who looks may be that person.
        by_you: bool,
    },
}

/// How far the sending of a code has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It is not sent.
    None,
    /// To be sent.
    Waiting,
    /// Taken over.
    Sent,
    /// Nobody takes it there.
    Failed,
}

page! {
    /// How far it has come, and what the aidant does next.
    ///
    /// Form `code-form` (POST `…/asked/code`): `csrf`, `code`, `protected` (`no` or `yes`); button `code-submit`. Form
    /// `scan-form` (POST `…/asked/scan`, multipart): `csrf`, `signed_on`, `protected`, `scan`; button `scan-submit`. Form
    /// `again-form`, `deny-form`, `hand-over-form`; links `link-print`, `link-compare`, `link-other`.
    AskedPage in Guarded from "asking/asked.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The proposal.
        mandate: MandateCard,
        /// For how long it would be.
        term: Term,
        /// By which way.
        way: ConsentChannel,
        /// How far it has come.
        standing: AskedStanding,
        /// How far the sending of the code has come.
        sending: Sending,
        /// Where the code is sent, as far as it may be shown.
        to: Option<String>,
        /// The person, where they are named.
        person: Option<Person>,
        /// The whole text, to be read out.
        text: Wording,
        /// Until when it waits.
        until: Instant,
        /// The last day a signature may bear.
        today: Date,
    }
}

impl AskedPage {
    fn path(&self, path: &str) -> String {
        paths::of_mandate(path, &self.mandate.id)
    }

    fn is_waiting(&self) -> bool {
        self.standing == AskedStanding::Waiting
    }

    const fn is_spoken(&self) -> bool {
        matches!(self.way, ConsentChannel::Telephone | ConsentChannel::PostedCode)
    }

    const fn is_sent(&self) -> bool {
        matches!(self.way, ConsentChannel::Telephone | ConsentChannel::OwnDevice)
    }

    const fn is_printed(&self) -> bool {
        matches!(self.way, ConsentChannel::Paper | ConsentChannel::PostedCode)
    }

    fn is(&self, way: ConsentChannel) -> bool {
        self.way == way
    }
}

page! {
    /// What the second person compares. Form `compare-form` (POST `…/asked/compare`): `csrf`, `compare` (`right` or `wrong`, by
    /// button); buttons `compare-right`, `compare-wrong`.
    Compare in Guarded from "asking/compare.html" {
        /// The proposal.
        mandate: MandateCard,
        /// For how long it would be.
        term: Term,
        /// By which way.
        way: ConsentChannel,
        /// The person.
        person: Person,
        /// The document that was seen.
        document: Option<SeenDocument>,
        /// The day beside the signature.
        signed_on: Option<Date>,
        /// Whether the one who looks may be the second person.
        by_you: bool,
        /// Whether there is a scan.
        has_scan: bool,
    }
}

impl Compare {
    fn path(&self, path: &str) -> String {
        paths::of_mandate(path, &self.mandate.id)
    }
}

page! {
    /// The form to sign, or the letter with the code. Holds a code and a name.
    AskingPrint in Guarded from "asking/print.html" {
        /// The proposal.
        mandate: MandateCard,
        /// For how long it would be.
        term: Term,
        /// By which way: on paper, or by a posted code.
        way: ConsentChannel,
        /// The person.
        person: Person,
        /// The whole text.
        text: Wording,
        /// The letter's code in groups; none on a form to sign.
        code: Option<String>,
        /// Where it is typed, without scheme.
        address: String,
        /// The proposal's number as a QR code, by which a form is found again.
        qr: Qr,
        /// Until when it can be answered.
        until: Instant,
    }
}

impl AskingPrint {
    fn back(&self) -> String {
        paths::of_mandate(paths::ASKED, &self.mandate.id)
    }
}

page! {
    /// Where whoever has a code types it. Form `accord-form` (POST `/accord`): `csrf`, `code`; button `accord-submit`.
    Accord in Guarded from "asking/accord.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
    }
}

impl Frame {
    /// A way of being asked, as the aidant chooses it.
    pub(super) fn way(&self, way: &ConsentChannel) -> String {
        match way {
            ConsentChannel::InPresence => self.t("Sur votre écran", "On your screen"),
            ConsentChannel::OwnDevice => self.t("Sur son propre appareil", "On a device of their own"),
            ConsentChannel::Telephone => self.t("Par téléphone", "By telephone"),
            ConsentChannel::Paper => self.t("Sur papier, signé", "On paper, signed"),
            ConsentChannel::PostedCode => self.t("Par une lettre avec un code", "By a letter with a code"),
            ConsentChannel::SeenDocument => self
                .t("Sur votre écran, avec une pièce d’identité", "On your screen, with an identity document"),
        }
    }

    /// What happens by it.
    pub(super) fn way_explained(&self, way: &ConsentChannel) -> String {
        match way {
            ConsentChannel::InPresence => self.t("La personne est avec vous.", "The person is with you."),
            ConsentChannel::OwnDevice => self.t(
                "La personne reçoit un code par SMS ou courrier électronique. Elle lit, prouve son identité et répond chez elle. Elle a 30 minutes.",
                "The person receives a code by text message or e-mail. They read, prove who they are and answer at home. They have 30 minutes.",
            ),
            ConsentChannel::Telephone => self.t(
                "Vous lisez la proposition au téléphone. La personne reçoit un code et vous le dit si elle est d’accord. Elle a 30 minutes.",
                "You read the proposal on the telephone. The person receives a code and tells it to you if they agree. They have 30 minutes.",
            ),
            ConsentChannel::Paper => self.t(
                "Vous imprimez un formulaire. La personne le signe. Vous envoyez une photo, et un collègue compare. Elle a 15 jours.",
                "You print a form. The person signs it. You send a picture, and a colleague compares. They have 15 days.",
            ),
            ConsentChannel::PostedCode => self.t(
                "Vous postez une lettre avec un code. La personne répond avec ce code, sur internet ou en vous le lisant. Elle a 15 jours.",
                "You post a letter with a code. The person answers with that code, on the internet or by reading it to you. They have 15 days.",
            ),
            ConsentChannel::SeenDocument => self.t(
                "Pour une personne qui ne peut pas utiliser FranceConnect. Vous regardez sa pièce d’identité, elle lit et répond sur votre écran, puis un collègue confirme.",
                "For a person who cannot use FranceConnect. You look at their identity document, they read and answer on your screen, then a colleague confirms.",
            ),
        }
    }

    pub(super) fn way_button(&self, way: &ConsentChannel) -> String {
        match way {
            ConsentChannel::InPresence | ConsentChannel::SeenDocument => self.t("Continuer", "Continue"),
            ConsentChannel::OwnDevice | ConsentChannel::Telephone => {
                self.t("Envoyer le code", "Send the code")
            }
            ConsentChannel::Paper => self.t("Préparer le formulaire", "Prepare the form"),
            ConsentChannel::PostedCode => self.t("Préparer la lettre", "Prepare the letter"),
        }
    }

    /// How somebody agreed, on the mandate's paper.
    pub(super) fn agreed(&self, channel: &ConsentChannel) -> String {
        match channel {
            ConsentChannel::InPresence => {
                self.t("à l’écran, après identification", "on screen, after identification")
            }
            ConsentChannel::OwnDevice => self.t(
                "sur son propre appareil, après identification",
                "on a device of their own, after identification",
            ),
            ConsentChannel::Telephone => {
                self.t("par téléphone, identité déclarée", "by telephone, identity declared")
            }
            ConsentChannel::Paper => self
                .t("sur papier signé, vérifié par deux personnes", "on signed paper, checked by two persons"),
            ConsentChannel::PostedCode => self.t(
                "par le code d’une lettre, identité déclarée",
                "by the code of a letter, identity declared",
            ),
            ConsentChannel::SeenDocument => self.t(
                "à l’écran, pièce d’identité vue par deux personnes",
                "on screen, identity document seen by two persons",
            ),
        }
    }

    /// How much it proves.
    pub(super) fn strength(&self, strength: Strength) -> String {
        self.text(&sentences::strength(strength))
    }

    pub(super) fn document(&self, kind: &DocumentKind) -> String {
        match kind {
            DocumentKind::IdentityCard => self.t("Carte nationale d’identité", "National identity card"),
            DocumentKind::Passport => self.t("Passeport", "Passport"),
            DocumentKind::ResidencePermit => self.t("Titre de séjour", "Residence permit"),
            DocumentKind::DrivingLicence => self.t("Permis de conduire", "Driving licence"),
        }
    }

    pub(super) fn sending(&self, sending: &Sending) -> String {
        match sending {
            Sending::None => self.t("pas envoyé", "not sent"),
            Sending::Waiting => self.t("en cours d’envoi", "being sent"),
            Sending::Sent => self.t("envoyé", "sent"),
            Sending::Failed => {
                self.t("n’a pas pu être envoyé : vérifiez l’adresse", "could not be sent: check the address")
            }
        }
    }
}
