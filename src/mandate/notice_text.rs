//! The words in which a usager is told what was done in their name: plain ones, the whole of it, and how to object.

use super::{EndReason, Instant, Language, NoticeKind, ProcedureOutcome, paris};

/// The longest short text: what two text messages hold in UCS-2 (3GPP TS 23.038).
pub const LONGEST_SHORT_TEXT: usize = 134;

/// What a notice tells. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    /// Of what.
    pub kind: NoticeKind,
    /// When it began, or the mandate or procedure ended.
    pub at: Instant,
    /// When it was over, of a representation; when it ends, of a reminder.
    pub until: Option<Instant>,
    /// First and last name of the aidant; empty when nobody is to be named.
    pub aidant: String,
    /// Name of the organisation.
    pub organisation: String,
    /// The organisation's telephone number, if it is known.
    pub telephone: Option<String>,
    /// Name of the service; empty of a mandate's end.
    pub service: String,
    /// Name of the procedure in the usager's language; empty of a mandate's end.
    pub procedure: String,
    /// What the service said became of it.
    pub outcome: Option<ProcedureOutcome>,
    /// Why the mandate ended.
    pub reason: Option<EndReason>,
    /// The lines of the account, of a mandate that has ended.
    pub account: Vec<String>,
    /// Where the usager finds their space.
    pub space: String,
}

/// A text ready to be carried. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct NoticeText {
    /// What stands above it; it names nobody, as it is read on locked screens.
    pub subject: String,
    /// The whole text, in paragraphs, a line's end between.
    pub body: String,
    /// The shortest that tells what happened and where the rest is read: for a text message or a call.
    pub short: String,
}

/// One line of one person's words: what ends a line or hides (controls, marks that turn the direction of writing) goes, so that a
/// name can neither add a line nor turn one around.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}');
    let text: String = text.chars().map(|c| if c.is_control() || hidden(c) { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn moment(language: Language, at: Instant) -> String {
    let local = paris(at);
    let (day, hour, minute) =
        (language.day(local.date()).replace('\u{a0}', " "), local.hour(), local.minute());
    match language {
        Language::Fr => format!("le {day} à {hour} h {minute:02}"),
        Language::En => format!("on {day} at {hour:02}:{minute:02}"),
    }
}

pub(super) const fn outcome(language: Language, outcome: ProcedureOutcome) -> &'static str {
    match (outcome, language) {
        (ProcedureOutcome::Submitted, Language::Fr) => "la demande a été envoyée",
        (ProcedureOutcome::Submitted, Language::En) => "the request was sent",
        (ProcedureOutcome::Saved, Language::Fr) => "un brouillon a été gardé, rien n’a été envoyé",
        (ProcedureOutcome::Saved, Language::En) => "a draft was kept, nothing was sent",
        (ProcedureOutcome::Abandoned, Language::Fr) => "la démarche a été abandonnée",
        (ProcedureOutcome::Abandoned, Language::En) => "the procedure was abandoned",
    }
}

pub(super) const fn ending(language: Language, reason: EndReason) -> &'static str {
    match (reason, language) {
        (EndReason::Revoked, Language::Fr) => "Vous y avez mis fin.",
        (EndReason::Revoked, Language::En) => "You ended it.",
        (EndReason::Expired, Language::Fr) => "Sa durée est écoulée.",
        (EndReason::Expired, Language::En) => "Its time is over.",
        (EndReason::Renounced, Language::Fr) => "La structure y a renoncé.",
        (EndReason::Renounced, Language::En) => "The organisation renounced it.",
        (EndReason::EndedByOrganisation, Language::Fr) => "La structure y a mis fin.",
        (EndReason::EndedByOrganisation, Language::En) => "The organisation ended it.",
        (EndReason::Deceased | EndReason::Protected, Language::Fr) => "La loi y a mis fin.",
        (EndReason::Deceased | EndReason::Protected, Language::En) => "The law ended it.",
    }
}

impl Told {
    /// The text in that language.
    #[must_use]
    pub fn text(&self, language: Language) -> NoticeText {
        let said = Self {
            aidant: clean(&self.aidant),
            organisation: clean(&self.organisation),
            telephone: self.telephone.as_deref().map(clean),
            service: clean(&self.service),
            procedure: clean(&self.procedure),
            ..self.clone()
        };
        let fr = language == Language::Fr;
        let pick = |french: &'static str, english: &'static str| if fr { french } else { english };
        let subject = match self.kind {
            NoticeKind::Receipt => {
                pick("Une démarche a été faite en votre nom", "Something was done in your name")
            }
            NoticeKind::Ended => pick("Votre mandat a pris fin", "Your mandate has ended"),
            NoticeKind::Withdrawn => pick(
                "Une démarche a été retirée de votre mandat",
                "A procedure was taken out of your mandate",
            ),
            NoticeKind::Statement => pick("Le compte rendu de votre mandat", "The account of your mandate"),
            NoticeKind::EndsInAMonth | NoticeKind::EndsInAWeek => {
                pick("Votre mandat finit bientôt", "Your mandate ends soon")
            }
            NoticeKind::Unused => pick("Votre mandat ne sert pas", "Your mandate is not used"),
        };
        let mut lines = vec![pick("Bonjour,", "Hello,").to_owned(), String::new()];
        lines.extend(said.facts(language));
        lines.push(String::new());
        lines.extend(said.objection(language));
        NoticeText { subject: subject.to_owned(), body: lines.join("\n"), short: self.short(language) }
    }

    fn facts(&self, language: Language) -> Vec<String> {
        let fr = language == Language::Fr;
        let line = |french: &str, english: &str, value: &str| {
            if fr { format!("{french} : {value}") } else { format!("{english}: {value}") }
        };
        let begun = moment(language, self.at);
        match self.kind {
            NoticeKind::Receipt => {
                let first = if fr {
                    "Voici ce qui a été fait en votre nom."
                } else {
                    "This was done in your name."
                };
                let mut lines = vec![first.to_owned(), line("Quand", "When", &begun)];
                if let Some(until) = self.until {
                    lines.push(line("Terminé", "Over", &moment(language, until)));
                }
                if !self.aidant.is_empty() {
                    lines.push(line("Par qui", "By whom", &self.aidant));
                }
                lines.push(line("Structure", "Organisation", &self.organisation));
                lines.push(line("Auprès de", "At", &self.service));
                lines.push(line("Démarche", "Procedure", &self.procedure));
                let silent = if fr {
                    "le service n’a rien dit pour le moment"
                } else {
                    "the service has said nothing so far"
                };
                let result = self.outcome.map_or(silent, |came| outcome(language, came));
                lines.push(line("Résultat", "Result", result));
                lines
            }
            NoticeKind::Ended => {
                let reason = self.reason.map_or("", |reason| ending(language, reason));
                let first = if fr {
                    format!("Votre mandat avec {} a pris fin {begun}. {reason}", self.organisation)
                } else {
                    format!("Your mandate with {} ended {begun}. {reason}", self.organisation)
                };
                let then = if fr {
                    "Depuis, plus personne ne peut agir en votre nom avec ce mandat."
                } else {
                    "Since then nobody can act in your name with this mandate."
                };
                vec![first.trim_end().to_owned(), then.to_owned()]
            }
            NoticeKind::Withdrawn => {
                let (procedure, organisation) = (&self.procedure, &self.organisation);
                vec![if fr {
                    format!(
                        "La démarche « {procedure} » a été retirée de votre mandat avec {organisation} {begun}."
                    )
                } else {
                    format!(
                        "The procedure “{procedure}” was taken out of your mandate with {organisation} {begun}."
                    )
                }]
            }
            NoticeKind::Statement => self.accounted(language),
            NoticeKind::EndsInAMonth | NoticeKind::EndsInAWeek | NoticeKind::Unused => {
                self.reminded(language)
            }
        }
    }

    /// The account, as it was made.
    fn accounted(&self, language: Language) -> Vec<String> {
        let organisation = &self.organisation;
        let first = match language {
            Language::Fr => format!(
                "Votre mandat avec {organisation} est terminé. Voici tout ce qui a été fait, avec sa place dans le journal."
            ),
            Language::En => format!(
                "Your mandate with {organisation} is over. This is everything that was done, with its place in the journal."
            ),
        };
        std::iter::once(first).chain(self.account.iter().cloned()).collect()
    }

    /// Of a mandate that stands: when it ends, and that nothing has to be done.
    fn reminded(&self, language: Language) -> Vec<String> {
        let (organisation, until) =
            (&self.organisation, self.until.map_or_else(String::new, |at| moment(language, at)));
        let unused = self.kind == NoticeKind::Unused;
        match (language, unused) {
            (Language::Fr, false) => vec![
                format!("Votre mandat avec {organisation} finit {until}."),
                "Il s’arrête de lui-même : vous n’avez rien à faire. Pour continuer, il faut un nouvel accord de votre part."
                    .to_owned(),
            ],
            (Language::En, false) => vec![
                format!("Your mandate with {organisation} ends {until}."),
                "It stops by itself: you need not do anything. To go on, you have to agree anew.".to_owned(),
            ],
            (Language::Fr, true) => vec![
                format!("Votre mandat avec {organisation} n’a pas servi depuis cinq mois. Il finit {until}."),
                "Si vous n’en avez plus besoin, vous pouvez l’arrêter quand vous voulez.".to_owned(),
            ],
            (Language::En, true) => vec![
                format!("Your mandate with {organisation} was not used for five months. It ends {until}."),
                "If you no longer need it, you can end it whenever you like.".to_owned(),
            ],
        }
    }

    fn objection(&self, language: Language) -> Vec<String> {
        let (space, organisation) = (&self.space, &self.organisation);
        let call = self.telephone.as_deref().map(|number| match language {
            Language::Fr => format!("Vous pouvez aussi appeler {organisation} : {number}."),
            Language::En => format!("You can also call {organisation}: {number}."),
        });
        let first = match language {
            Language::Fr => format!(
                "Vous ne reconnaissez pas cela, ou vous n’êtes pas d’accord ? Dites-le dans votre espace : {space}"
            ),
            Language::En => {
                format!("You do not recognise this, or you do not agree? Say so in your space: {space}")
            }
        };
        let last = match language {
            Language::Fr => "Nous ne vous demandons jamais de mot de passe ni de code par message.",
            Language::En => "We never ask for a password or a code in a message.",
        };
        [Some(first), call, Some(last.to_owned())].into_iter().flatten().collect()
    }

    /// It names nobody: others may hear or read it.
    fn short(&self, language: Language) -> String {
        let what = match (self.kind, language) {
            (NoticeKind::Receipt, Language::Fr) => "Une démarche a été faite en votre nom.",
            (NoticeKind::Receipt, Language::En) => "Something was done in your name.",
            (NoticeKind::Ended, Language::Fr) => "Votre mandat a pris fin.",
            (NoticeKind::Ended, Language::En) => "Your mandate has ended.",
            (NoticeKind::Withdrawn, Language::Fr) => "Une démarche a été retirée de votre mandat.",
            (NoticeKind::Withdrawn, Language::En) => "A procedure was taken out of your mandate.",
            (NoticeKind::Statement, Language::Fr) => "Le compte rendu de votre mandat est prêt.",
            (NoticeKind::Statement, Language::En) => "The account of your mandate is ready.",
            (NoticeKind::EndsInAMonth, Language::Fr) => "Votre mandat finit dans un mois.",
            (NoticeKind::EndsInAMonth, Language::En) => "Your mandate ends in a month.",
            (NoticeKind::EndsInAWeek, Language::Fr) => "Votre mandat finit dans une semaine.",
            (NoticeKind::EndsInAWeek, Language::En) => "Your mandate ends in a week.",
            (NoticeKind::Unused, Language::Fr) => "Votre mandat ne sert pas depuis cinq mois.",
            (NoticeKind::Unused, Language::En) => "Your mandate was not used for five months.",
        };
        let read = match language {
            Language::Fr => "Lire ou contester :",
            Language::En => "Read or object:",
        };
        format!("{what} {read} {}", self.space)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: NoticeKind) -> Told {
        Told {
            kind,
            at: Instant::from_micros(1_795_000_000_000_000),
            until: Some(Instant::from_micros(1_795_000_600_000_000)),
            aidant: "Nora Le Goff".to_owned(),
            organisation: "Médiathèque de Saint-Aubin".to_owned(),
            telephone: Some("02 99 00 00 00".to_owned()),
            service: "Caisse de démonstration".to_owned(),
            procedure: "Déclarer ses revenus".to_owned(),
            outcome: Some(ProcedureOutcome::Submitted),
            reason: Some(EndReason::Revoked),
            account: vec!["Rien n’a été fait.".to_owned()],
            space: "https://mandats.example.fr/usager".to_owned(),
        }
    }

    #[test]
    fn a_receipt_tells_who_did_what_where_and_when_and_how_to_object() {
        let text = told(NoticeKind::Receipt).text(Language::Fr);
        for needed in [
            "le 18 novembre 2026 à",
            "Nora Le Goff",
            "Médiathèque de Saint-Aubin",
            "Caisse de démonstration",
            "Déclarer ses revenus",
            "la demande a été envoyée",
            "https://mandats.example.fr/usager",
            "02 99 00 00 00",
        ] {
            assert!(text.body.contains(needed), "{needed}: {}", text.body);
        }
        let english = told(NoticeKind::Receipt).text(Language::En);
        assert!(
            english.body.contains("By whom: Nora Le Goff") && english.body.contains("the request was sent")
        );
    }

    #[test]
    fn what_others_may_see_names_nobody_and_is_short() {
        for kind in NoticeKind::ALL {
            for language in Language::ALL {
                let text = told(*kind).text(language);
                for open in [&text.subject, &text.short] {
                    assert!(
                        !open.contains("Goff") && !open.contains("Saint-Aubin") && !open.contains("revenus")
                    );
                }
                assert!(text.short.chars().count() <= LONGEST_SHORT_TEXT, "{}", text.short);
                assert!(text.short.contains("https://mandats.example.fr/usager"));
            }
        }
    }

    #[test]
    fn a_reminder_says_when_it_ends_and_that_nothing_goes_on_by_itself() {
        for kind in [NoticeKind::EndsInAMonth, NoticeKind::EndsInAWeek, NoticeKind::Unused] {
            let body = told(kind).text(Language::Fr).body;
            assert!(body.contains("le 18 novembre 2026 à") && body.contains("Saint-Aubin"), "{body}");
        }
        assert!(told(NoticeKind::EndsInAWeek).text(Language::Fr).body.contains("nouvel accord"));
        assert!(told(NoticeKind::Statement).text(Language::Fr).body.contains("Rien n’a été fait."));
    }

    #[test]
    fn no_name_adds_a_line_or_turns_one_around() {
        let evil = "Nora\r\nBcc: x@evil.example\u{2028}a\u{202e}b\u{2066}c\0";
        let one =
            Told { aidant: evil.to_owned(), organisation: evil.to_owned(), ..told(NoticeKind::Receipt) };
        let usual = told(NoticeKind::Receipt).text(Language::Fr);
        let text = one.text(Language::Fr);
        assert_eq!(text.body.lines().count(), usual.body.lines().count());
        assert!(!text.body.contains(['\r', '\u{202e}', '\u{2066}', '\u{2028}', '\0']));
        assert!(text.body.contains("Par qui : Nora Bcc: x@evil.example a b c\n"));
        let arabic = Told { aidant: "ليلى بن علي".to_owned(), ..told(NoticeKind::Receipt) };
        assert!(
            arabic.text(Language::Fr).body.contains("Par qui : ليلى بن علي\n"),
            "names of other scripts stay whole"
        );
    }
}
