//! Facts said in words, in the page's language.

use super::parts::{InterventionOutcome, Person, Status};
use super::sentences;
use super::{Frame, dates};
use crate::mandate::{
    Act, BirthDate, EndReason, EndingMotive, EventKind, MandateId, Outcome, ProcedureOutcome, Refusal, Role,
    Standing, Term,
};
use std::collections::BTreeSet;

impl Frame {
    /// Acts, after "the aidant can".
    pub(super) fn acts(&self, acts: &BTreeSet<Act>) -> String {
        let said: Vec<&str> = acts.iter().map(|act| act.phrase(self.language)).collect();
        let and = self.t(" et ", " and ");
        match said.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, before)) => format!("{}{and}{last}", before.join(", ")),
            None => String::new(),
        }
    }

    pub(super) fn never(&self, act: &Act) -> String {
        self.t1("L’aidant ne peut jamais {0}.", "The aidant can never {0}.", act.phrase(self.language))
    }

    pub(super) fn event(&self, kind: &EventKind) -> &'static str {
        sentences::event(*kind, self.language)
    }

    pub(super) fn outcome(&self, outcome: &Outcome) -> String {
        self.text(&sentences::outcome(*outcome))
    }

    pub(super) fn subject(&self, name: &str) -> String {
        sentences::subject(name).map_or_else(|| name.to_owned(), |text| self.text(&text))
    }

    pub(super) fn standing(&self, standing: &Standing) -> String {
        self.text(&sentences::standing(*standing))
    }

    pub(super) fn role(&self, role: &Role) -> String {
        self.text(&sentences::role(*role))
    }

    /// Why something is refused and what to do about it.
    pub(super) fn why(&self, refusal: &Refusal) -> String {
        let advice = sentences::refusal(*refusal);
        format!("{} {}", self.text(&advice.what), self.text(&advice.then))
    }

    /// Date of birth, and the birth name where another is in use: what tells homonyms apart.
    pub(super) fn born(&self, person: &Person) -> String {
        let when = self.birth(&person.birth_date);
        if person.name_in_use.is_some() {
            self.t2("{0}, sous le nom de {1}", "{0}, under the name {1}", when, &person.family_name)
        } else {
            when
        }
    }

    pub(super) fn birth(&self, date: &BirthDate) -> String {
        dates::birth(self.language, date)
    }

    /// Why somebody ends a mandate, in their words.
    pub(super) fn motive(&self, motive: &EndingMotive) -> String {
        match motive {
            EndingMotive::Done => {
                self.t("C’est fait, je n’ai plus besoin d’aide", "It is done, I need no more help")
            }
            EndingMotive::OtherHelp => self.t("Quelqu’un d’autre m’aide", "Somebody else helps me"),
            EndingMotive::NotContent => self.t("L’aide ne me convient pas", "The help does not suit me"),
            EndingMotive::Worried => self.t("Quelque chose m’inquiète", "Something worries me"),
        }
    }

    pub(super) fn number(&self, mandate: &MandateId) -> String {
        self.t1("n° {0}", "no. {0}", crate::mandate::MandateNumber::of(mandate))
    }

    pub(super) fn term(&self, term: &Term) -> String {
        term.label(self.language)
    }

    pub(super) fn status(&self, status: &Status) -> String {
        match status {
            Status::Proposed { .. } => self.t("attend la personne", "waits for the person"),
            Status::Consented { .. } => self.t("attend votre structure", "waits for your organisation"),
            Status::Active { .. } => self.t("en vigueur", "in force"),
            Status::Ended { .. } => self.t("terminé", "ended"),
            Status::Refused { .. } => self.t("refusé", "refused"),
            Status::Lapsed { .. } => self.t("sans réponse", "unanswered"),
        }
    }

    /// The status with its date, as a full sentence.
    pub(super) fn status_sentence(&self, status: &Status) -> String {
        match status {
            Status::Proposed { lapses_at } => self.t1(
                "La personne peut répondre jusqu’à {0}.",
                "The person can answer until {0}.",
                self.clock(lapses_at),
            ),
            Status::Consented { lapses_at } => self.t1(
                "La personne a dit oui. La structure peut accepter jusqu’à {0}.",
                "The person said yes. The organisation can accept until {0}.",
                self.clock(lapses_at),
            ),
            Status::Active { until, .. } => {
                self.t1("Valable jusqu’au {0}.", "Valid until {0}.", self.moment(until))
            }
            Status::Ended { at, reason } => self.t2(
                "Terminé le {0} : {1}.",
                "Ended on {0}: {1}.",
                self.moment(at),
                self.text(&sentences::end_reason(*reason)),
            ),
            Status::Refused { at } => {
                self.t1("La personne a dit non le {0}.", "The person said no on {0}.", self.moment(at))
            }
            Status::Lapsed { at } => self.t1(
                "Une réponse a manqué à temps. La proposition est tombée le {0}.",
                "An answer did not come in time. The proposal lapsed on {0}.",
                self.moment(at),
            ),
        }
    }

    /// The same, said to the person whose mandate it is.
    pub(super) fn status_to_usager(&self, status: &Status) -> String {
        match status {
            Status::Ended { at, reason: EndReason::Revoked } => {
                self.t1("Vous y avez mis fin le {0}.", "You ended it on {0}.", self.moment(at))
            }
            Status::Consented { lapses_at } => self.t1(
                "Vous avez dit oui. La structure doit encore accepter, avant {0}.",
                "You said yes. The organisation has yet to accept, before {0}.",
                self.clock(lapses_at),
            ),
            Status::Refused { at } => {
                self.t1("Vous avez dit non le {0}.", "You said no on {0}.", self.moment(at))
            }
            // Only what they said yes to stands in their space.
            Status::Lapsed { at } => self.t1(
                "Vous avez dit oui, mais la structure n’a pas accepté à temps. La proposition est tombée le {0}.",
                "You said yes, but the organisation did not accept in time. The proposal lapsed on {0}.",
                self.moment(at),
            ),
            other => self.status_sentence(other),
        }
    }

    /// The same, said to the person in whose name it was.
    pub(super) fn came_out_to_usager(&self, outcome: &InterventionOutcome) -> String {
        match outcome {
            InterventionOutcome::Refused(Refusal::Revoked | Refusal::ProcedureWithdrawn) => self.t(
                "Refusée : rien n’a été fait, car vous y aviez mis fin.",
                "Refused: nothing was done, for you had ended it.",
            ),
            InterventionOutcome::Refused(Refusal::Refused | Refusal::NotConsented) => self.t(
                "Refusée : rien n’a été fait, car vous n’aviez pas donné votre accord.",
                "Refused: nothing was done, for you had not agreed.",
            ),
            other => self.came_out(other),
        }
    }

    /// What a service said became of the procedure.
    pub(super) fn reported(&self, outcome: &ProcedureOutcome) -> String {
        match outcome {
            ProcedureOutcome::Submitted => {
                self.t("La démarche a été envoyée.", "The procedure was sent off.")
            }
            ProcedureOutcome::Saved => self.t(
                "La démarche est commencée et enregistrée. Elle n’est pas encore envoyée.",
                "The procedure was begun and saved. It is not sent off yet.",
            ),
            ProcedureOutcome::Abandoned => self.t(
                "La démarche a été abandonnée. Rien n’a été envoyé.",
                "The procedure was given up. Nothing was sent off.",
            ),
        }
    }

    /// How an intervention came out, as professionals read it.
    pub(super) fn came_out(&self, outcome: &InterventionOutcome) -> String {
        match outcome {
            InterventionOutcome::Open { until } => self.t1(
                "En cours, jusqu’à {0} au plus tard",
                "In progress, until {0} at the latest",
                self.clock(until),
            ),
            InterventionOutcome::Closed { at, told: None } => {
                self.t1("Terminée à {0}", "Closed at {0}", self.clock(at))
            }
            InterventionOutcome::Closed { at, told: Some((told, None)) } => self.t2(
                "Terminée à {0}. Service prévenu à {1}, pas encore de réponse de sa part.",
                "Closed at {0}. The service was told at {1} and has not answered yet.",
                self.clock(at),
                self.clock(told),
            ),
            InterventionOutcome::Closed { at, told: Some((told, Some(answered))) } => self.t3(
                "Terminée à {0}. Service prévenu à {1}, il l’a confirmé à {2}.",
                "Closed at {0}. The service was told at {1} and confirmed it at {2}.",
                self.clock(at),
                self.clock(told),
                self.clock(answered),
            ),
            InterventionOutcome::Refused(refusal) => self.t1(
                "Refusée : rien n’a été fait. {0}",
                "Refused: nothing was done. {0}",
                self.text(&sentences::refusal(*refusal).what),
            ),
        }
    }
}
