//! What can be wrong with a form: said at its top, linked to the field, and said again at the field.

use super::{Frame, Text, sentences};
use crate::mandate::{Instant, InvalidTerms};

/// One thing to correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No code was typed.
    CodeMissing,
    /// The code is wrong; so many tries are left before the factor is locked.
    CodeWrong {
        /// Tries left.
        left: u8,
    },
    /// No mandate's number was typed.
    NumberMissing,
    /// Number and code on a card do not open anything, for whatever reason.
    CardRefused,
    /// Number and code on a paper do not belong to a mandate, for whatever reason.
    PaperRefused,
    /// The step after a right code came too late or from elsewhere.
    CardStepOver,
    /// The code is that of another account than the one that waits.
    AccountCodeWrong,
    /// Too many wrong codes.
    FactorLocked {
        /// When codes are accepted again.
        until: Instant,
    },
    /// The terms of a mandate do not hold.
    Terms(InvalidTerms),
    /// No duration was chosen.
    TermMissing,
    /// "Until a date" without a date that can be read.
    UntilInvalid,
    /// The usager has not said whether they are under protection.
    ProtectionUnanswered,
    /// Who is asked was not told apart from whom the organisation knows.
    KnownMissing,
    /// No document was chosen.
    DocumentMissing,
    /// What was typed of a document's number is not its last four signs.
    LastInvalid,
    /// Nobody was chosen to carry the code.
    ByMissing,
    /// The code of an asking opens nothing, for whatever reason.
    AskingRefused,
    /// The code that the person said is not the one sent to them.
    SaidCodeWrong,
    /// What was sent is no picture that can be kept.
    ScanRefused,
    /// The day beside the signature cannot be read, or cannot be.
    SignedOnInvalid,
    /// No family name.
    FamilyNameMissing,
    /// No first name.
    GivenNameMissing,
    /// The birth date cannot be read.
    BirthDateInvalid,
    /// Nobody of that name and birth date has a mandate with the organisation.
    NobodyFound,
    /// No mandate and procedure was chosen.
    ChoiceMissing,
    /// No usager was chosen.
    UsagerMissing,
    /// The e-mail address cannot be read.
    EmailInvalid,
    /// The e-mail address belongs to somebody invited already.
    EmailTaken,
    /// E-mail was chosen, and no e-mail address can be read.
    AddressInvalid,
    /// A call or a text message was chosen, and no number can be read.
    TelephoneInvalid,
    /// No way of being told was chosen.
    ChannelMissing,
    /// No role was chosen.
    RoleMissing,
    /// The auditor gave no purpose.
    PurposeMissing,
    /// The end of the period is before its start, or a date cannot be read.
    PeriodInvalid,
    /// No reason was given.
    ReasonMissing,
    /// The comment is empty.
    CommentMissing,
    /// No reason to close was chosen.
    ClosingMissing,
    /// How many entries a sample holds is no number, or too large.
    CountInvalid,
    /// A question of the checklist has no answer.
    AnswerMissing,
    /// The period is longer than a year.
    PeriodTooLong,
    /// A filter is not an identifier.
    FilterInvalid {
        /// The filter's field.
        field: &'static str,
    },
}

impl Problem {
    /// The id of the element to correct.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::KnownMissing => "known",
            Self::DocumentMissing => "document-identity_card",
            Self::LastInvalid => "last",
            Self::ByMissing => "by",
            Self::ScanRefused => "scan",
            Self::SignedOnInvalid => "signed_on",
            Self::CodeMissing
            | Self::AskingRefused
            | Self::SaidCodeWrong
            | Self::CodeWrong { .. }
            | Self::AccountCodeWrong
            | Self::FactorLocked { .. } => "code",
            Self::NumberMissing | Self::CardRefused | Self::CardStepOver | Self::PaperRefused => "number",
            Self::Terms(InvalidTerms::NoProcedure | InvalidTerms::UnknownProcedure) => "procedures",
            Self::Terms(InvalidTerms::EndInPast | InvalidTerms::TooLong) | Self::UntilInvalid => "until",
            Self::TermMissing => "term-day",
            Self::ProtectionUnanswered => "protected-no",
            Self::FamilyNameMissing | Self::NobodyFound => "family_name",
            Self::GivenNameMissing => "given_name",
            Self::BirthDateInvalid => "birth_day",
            Self::ChoiceMissing => "choices",
            Self::UsagerMissing => "usagers",
            Self::EmailInvalid | Self::EmailTaken | Self::AddressInvalid => "email",
            Self::TelephoneInvalid => "telephone",
            Self::ChannelMissing => "channel-paper",
            Self::RoleMissing => "role-aidant",
            Self::PurposeMissing => "purpose",
            Self::ReasonMissing => "reason",
            Self::CommentMissing => "text",
            Self::ClosingMissing => "reason-explained",
            Self::CountInvalid => "count",
            Self::AnswerMissing => "covered-yes",
            Self::PeriodInvalid | Self::PeriodTooLong => "from",
            Self::FilterInvalid { field } => field,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one text for each problem")]
    const fn text(self) -> Text {
        let (fr, en) = match self {
            Self::CodeMissing => ("Écrivez le code.", "Enter the code."),
            Self::CodeWrong { left: 1 } => (
                "Ce code n’est pas le bon. Il reste un essai.",
                "This code is not the right one. One try is left.",
            ),
            Self::CodeWrong { .. } => (
                "Ce code n’est pas le bon. Il reste {0} essais.",
                "This code is not the right one. {0} tries are left.",
            ),
            Self::NumberMissing => ("Écrivez le numéro du mandat.", "Enter the number of the mandate."),
            Self::CardRefused => (
                "Ce numéro et ce code ne vont pas ensemble. Relisez la carte. Après plusieurs codes faux, une carte est bloquée pour une heure ou plus, même avec le bon code. Dans ce cas, dites à la structure qui vous aide d’arrêter le mandat.",
                "This number and this code do not go together. Read the card again. After several wrong codes a card is locked for an hour or more, even with the right code. In that case, tell the organisation that helps you to end the mandate.",
            ),
            Self::PaperRefused => (
                "Aucun mandat ne correspond à ce numéro et à ce code. Relisez le papier : le code est à côté du code QR. S’il est bien recopié, ce papier ne prouve rien.",
                "No mandate has this number and this code. Read the paper again: the code is next to the QR code. If it is copied correctly, this paper proves nothing.",
            ),
            Self::CardStepOver => (
                "Rien n’a été arrêté : le temps est passé, ou une nouvelle carte a été faite. Recopiez encore le numéro et le code.",
                "Nothing was ended: time ran out, or a new card was made. Copy the number and the code once more.",
            ),
            Self::AccountCodeWrong => (
                "Ce code n’est pas celui du compte qui attend. Faites-le répéter. S’il reste différent, refusez ce compte et demandez à la personne de se connecter de nouveau.",
                "This is not the code of the account that waits. Have it said again. If it stays different, deny this account and ask the person to sign in again.",
            ),
            Self::FactorLocked { .. } => (
                "Trop de codes faux. Vous pourrez réessayer à {0}.",
                "Too many wrong codes. You can try again at {0}.",
            ),
            Self::Terms(terms) => return sentences::invalid_terms(terms),
            Self::TermMissing => ("Choisissez une durée.", "Choose a duration."),
            Self::UntilInvalid => ("Écrivez la date de fin.", "Enter the end date."),
            Self::ProtectionUnanswered => (
                "Dites-nous si vous êtes sous protection juridique.",
                "Tell us whether you are under legal protection.",
            ),
            Self::KnownMissing => (
                "Dites si c’est une personne que votre structure connaît déjà.",
                "Say whether it is a person your organisation knows already.",
            ),
            Self::DocumentMissing => {
                ("Choisissez la pièce d’identité vue.", "Choose the identity document seen.")
            }
            Self::LastInvalid => (
                "Écrivez seulement les quatre derniers signes du numéro.",
                "Enter only the last four signs of the number.",
            ),
            Self::ByMissing => ("Choisissez où envoyer le code.", "Choose where the code is sent."),
            Self::AskingRefused => (
                "Ce code ne marche pas : il est faux, trop ancien, ou a déjà reçu une réponse. Relisez-le, ou demandez-en un autre à la structure.",
                "This code does not work: it is wrong, too old, or was answered already. Read it again, or ask the organisation for another one.",
            ),
            Self::SaidCodeWrong => (
                "Ce code n’est pas le bon. Faites-le répéter. Après cinq codes faux, il faut en envoyer un autre.",
                "This code is not the right one. Have it said again. After five wrong codes another one has to be sent.",
            ),
            Self::ScanRefused => (
                "Envoyez une photo JPEG ou PNG lisible, de 10 Mo au plus.",
                "Send a readable JPEG or PNG picture, of 10 MB at most.",
            ),
            Self::SignedOnInvalid => (
                "Écrivez la date de la signature : entre la proposition et aujourd’hui.",
                "Enter the date of the signature: between the proposal and today.",
            ),
            Self::FamilyNameMissing => ("Écrivez le nom.", "Enter the last name."),
            Self::GivenNameMissing => ("Écrivez le prénom.", "Enter the first name."),
            Self::BirthDateInvalid => (
                "Écrivez la date de naissance : jour, mois, année.",
                "Enter the date of birth: day, month, year.",
            ),
            Self::NobodyFound => (
                "Aucun mandat de votre structure ne porte ce nom et cette date de naissance.",
                "No mandate of your organisation bears this name and date of birth.",
            ),
            Self::ChoiceMissing => ("Choisissez une démarche.", "Choose a procedure."),
            Self::UsagerMissing => ("Choisissez une personne.", "Choose a person."),
            Self::EmailInvalid => (
                "Écrivez une adresse électronique, par exemple prenom.nom@mairie.example.",
                "Enter an e-mail address, for example first.last@townhall.example.",
            ),
            Self::EmailTaken => (
                "Quelqu’un est déjà invité avec cette adresse.",
                "Somebody has already been invited with this address.",
            ),
            Self::AddressInvalid => (
                "Écrivez votre adresse électronique, par exemple prenom.nom@exemple.fr.",
                "Enter your e-mail address, for example first.last@example.fr.",
            ),
            Self::TelephoneInvalid => (
                "Écrivez le numéro de téléphone, par exemple 06 12 34 56 78.",
                "Enter the telephone number, for example 06 12 34 56 78.",
            ),
            Self::ChannelMissing => {
                ("Choisissez comment nous vous prévenons.", "Choose how we shall tell you.")
            }
            Self::RoleMissing => ("Choisissez un rôle.", "Choose a role."),
            Self::PurposeMissing => {
                ("Dites pourquoi vous lisez le journal.", "State why you are reading the journal.")
            }
            Self::PeriodInvalid => (
                "La fin de la période doit venir après son début.",
                "The end of the period must come after its start.",
            ),
            Self::ReasonMissing => ("Dites pourquoi.", "State why."),
            Self::CommentMissing => ("Écrivez votre commentaire.", "Write your comment."),
            Self::ClosingMissing => ("Choisissez une raison.", "Choose a reason."),
            Self::CountInvalid => ("Écrivez un nombre entre 1 et 200.", "Enter a number between 1 and 200."),
            Self::AnswerMissing => ("Répondez à chaque question.", "Answer each question."),
            Self::PeriodTooLong => {
                ("Choisissez une période d’un an au plus.", "Choose a period of one year at most.")
            }
            Self::FilterInvalid { .. } => {
                ("Ce filtre n’est pas un identifiant.", "This filter is not an identifier.")
            }
        };
        Text { fr, en }
    }

    pub(super) fn say(self, frame: &Frame) -> String {
        let Text { fr, en } = self.text();
        match self {
            Self::CodeWrong { left } => frame.t1(fr, en, left),
            Self::FactorLocked { until } => frame.t1(fr, en, frame.clock(&until)),
            _ => frame.t(fr, en),
        }
    }
}

/// Attributes that tie a field to its problem and to its hint. The field's name is never a person's text.
pub(super) fn tie(problems: &[Problem], field: &str, has_hint: bool) -> String {
    let wrong = problems.iter().any(|problem| problem.field() == field);
    match (wrong, has_hint) {
        (true, true) => {
            format!(" aria-invalid=\"true\" aria-describedby=\"{field}-problem {field}-hint\"")
        }
        (true, false) => format!(" aria-invalid=\"true\" aria-describedby=\"{field}-problem\""),
        (false, true) => format!(" aria-describedby=\"{field}-hint\""),
        (false, false) => String::new(),
    }
}
