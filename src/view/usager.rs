//! The usager's own space: what they granted, what was done with it, and how to end it.

use super::card::{CardStanding, RevocationCard};
use super::parts::{Granted, Intervention, MandateCard, Receipt};
use super::{Frame, Problem};
use crate::mandate::{Bilingual, Channel, EventKind, Instant, Language, MandateId, RepresentationId};

page! {
    /// Mandates as cards, and everything done with them. Links: `mandate-<id>`, `end-<id>`.
    UsagerHome in Guarded from "usager/home.html" {
        /// Mandates, latest first.
        mandates: Vec<MandateCard>,
        /// Interventions, latest first, refused ones included.
        interventions: Vec<Intervention>,
    }
}

impl UsagerHome {
    fn current(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| !mandate.status.is_over()).collect()
    }

    fn over(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| mandate.status.is_over()).collect()
    }
}

page! {
    /// One mandate. Links: `link-end`, `end-procedure-<id>`.
    UsagerMandate in Guarded from "usager/mandate.html" {
        /// The mandate.
        mandate: MandateCard,
        /// Interventions, latest first, refused ones included.
        interventions: Vec<Intervention>,
        /// Who looked at what concerns it, latest first.
        looks: Vec<Look>,
        /// How the card that ends it stands, if it has one. Form `card-form` (POST `…/card`): `csrf`; button `card-submit`;
        /// link `link-card`.
        revocation: Option<CardStanding>,
        /// Receipt of its latest step.
        receipt: Option<Receipt>,
    }
}

/// Somebody looked at what concerns a mandate. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Instant,
    /// What they did.
    pub kind: EventKind,
    /// First and last name; empty once erased.
    pub by: String,
    /// Why, where a purpose had to be stated.
    pub purpose: Option<String>,
}

page! {
    /// Asks before ending a mandate or one procedure of it: the one confirmed step.
    ///
    /// Form `end-form` (POST to the same address): `csrf`; button `end-submit`; link `link-keep`.
    EndMandate in Guarded from "usager/end.html" {
        /// The mandate.
        mandate: MandateCard,
        /// The procedure, when only one is ended.
        procedure: Option<Granted>,
    }
}

impl EndMandate {
    fn action(&self) -> String {
        self.procedure.as_ref().map_or_else(
            || self.mandate.path(super::paths::USAGER_END),
            |granted| self.mandate.procedure_path(super::paths::USAGER_END_PROCEDURE, &granted.id),
        )
    }

    /// Taking the last procedure out ends the mandate.
    fn is_last(&self) -> bool {
        self.procedure.is_some() && self.mandate.standing().count() == 1
    }
}

page! {
    /// It is ended. Receipt in `receipt`; link `link-home`.
    Ended in Guarded from "usager/ended.html" {
        /// The mandate.
        mandate: MandateCard,
        /// Name of the procedure, when only one was ended.
        procedure: Option<Bilingual>,
        /// When it ended.
        at: Instant,
        /// How many interventions were stopped by it.
        stopped: u64,
        /// Its place in the journal.
        receipt: Receipt,
    }
}

page! {
    /// How the usager is told what is done in their name.
    ///
    /// Form `contact-form` (POST to the same address): `csrf`, `channel`, `email`, `telephone`, `language`; button
    /// `contact-submit`; link `link-keep`.
    UsagerContact in Guarded from "usager/contact.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The ways there are here.
        offered: Vec<Channel>,
        /// The way chosen.
        channel: Option<Channel>,
        /// The e-mail address.
        email: String,
        /// Whether that address is the one the citizens' provider gave, and nothing was chosen so far.
        email_is_given: bool,
        /// The telephone number.
        telephone: String,
        /// The language of the messages.
        language: Language,
    }
}

impl UsagerContact {
    fn offers(&self, channel: Channel) -> bool {
        self.offered.contains(&channel)
    }

    fn calls(&self) -> bool {
        self.offers(Channel::Sms) || self.offers(Channel::Voice)
    }
}

impl Frame {
    /// A way of being told, as the usager chooses it.
    pub(super) fn channel(&self, channel: &Channel) -> String {
        match channel {
            Channel::Email => self.t("Par courrier électronique", "By e-mail"),
            Channel::Sms => self.t("Par SMS", "By text message"),
            Channel::Voice => self.t("Par un appel téléphonique", "By a telephone call"),
            Channel::Paper => {
                self.t("Sur papier, à l’accueil de la structure", "On paper, at the organisation’s desk")
            }
            Channel::None => self
                .t("Ne pas me prévenir : je regarde dans mon espace", "Do not tell me: I look into my space"),
        }
    }
}

page! {
    /// Asks before a usager says that they do not recognise what was done.
    ///
    /// Form `dispute-form` (POST to the same address): `csrf`; button `dispute-submit`; link `link-keep`.
    Dispute in Guarded from "usager/dispute.html" {
        /// The representation.
        representation: RepresentationId,
        /// What was done, the one line of it.
        interventions: Vec<Intervention>,
        /// Whether they have said so already.
        said: bool,
    }
}

impl Dispute {
    fn path(&self) -> String {
        super::paths::of_representation(super::paths::USAGER_DISPUTE, &self.representation)
    }
}

page! {
    /// The card of one mandate, to be printed and cut out. Ids `revocation-card`, `revocation-code`; link `link-mandate`.
    OwnCard in Guarded from "usager/card.html" {
        /// The mandate it ends.
        mandate: CardOf,
        /// The card.
        card: RevocationCard,
    }
}

/// The mandate a card ends, for its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardOf {
    /// Identifier.
    pub id: MandateId,
}

impl CardOf {
    fn path(&self) -> String {
        super::paths::of_mandate(super::paths::USAGER_MANDATE, &self.id)
    }
}
