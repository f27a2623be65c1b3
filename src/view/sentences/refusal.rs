//! Why something was refused, and what to do about it.

use super::{invalid_terms, text};
use crate::mandate::{AnomalyError, GlassError, Refusal, StateName, TransitionError};
use crate::view::Text;

/// A refusal in plain words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What happened.
    pub what: Text,
    /// What to do.
    pub then: Text,
}

const ASK_REFERENT: Text = text("Demandez à votre référent.", "Ask your referent.");
const ASK_OPERATOR: Text = text(
    "Demandez à votre référent de joindre l’équipe de Porteplume.",
    "Ask your referent to contact the Porteplume team.",
);
const NEW_MANDATE: Text = text(
    "Si la personne le souhaite, préparez un nouveau mandat avec elle.",
    "If the person wishes, prepare a new mandate with them.",
);
const OTHER_PROCEDURE: Text = text(
    "Choisissez une autre démarche, ou préparez un nouveau mandat avec la personne.",
    "Choose another procedure, or prepare a new mandate with the person.",
);
const STOP: Text = text(
    "N’agissez plus au nom de cette personne avec ce mandat.",
    "Do not act in this person’s name with this mandate any more.",
);

const fn advice(fr: &'static str, en: &'static str, then: Text) -> Advice {
    Advice { what: text(fr, en), then }
}

const STRONGER_CONSENT: Text = text(
    "Préparez un nouveau mandat, que la personne accorde après s’être identifiée.",
    "Prepare a new mandate, which the person grants after they have identified themselves.",
);

/// Why a representation was refused, and what to do.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a table: one advice for each refusal")]
pub const fn refusal(refusal: Refusal) -> Advice {
    match refusal {
        Refusal::ForeignMandate => advice(
            "Ce mandat n’est pas de votre structure.",
            "This mandate is not one of your organisation’s.",
            text("Choisissez un mandat de votre structure.", "Choose a mandate of your organisation."),
        ),
        Refusal::OrganisationSuspended => {
            advice("Votre structure est suspendue.", "Your organisation is suspended.", ASK_OPERATOR)
        }
        Refusal::AidantSuspended => {
            advice("Votre accès est suspendu.", "Your access is suspended.", ASK_REFERENT)
        }
        Refusal::AidantInvited => advice(
            "Votre accès n’est pas encore ouvert.",
            "Your access is not open yet.",
            text("Connectez-vous une première fois à Porteplume.", "Sign in to Porteplume a first time."),
        ),
        Refusal::ServiceSuspended => advice(
            "Ce service n’est plus relié à Porteplume.",
            "This service is no longer connected to Porteplume.",
            text(
                "Aidez la personne par un autre moyen : guichet, courrier ou téléphone.",
                "Help the person another way: desk, letter or telephone.",
            ),
        ),
        Refusal::NotConsented => advice(
            "La personne n’a pas encore donné son accord.",
            "The person has not agreed yet.",
            text(
                "Confiez-lui l’écran pour qu’elle réponde.",
                "Hand them the screen so that they can answer.",
            ),
        ),
        Refusal::NotAccepted => advice(
            "Votre structure n’a pas encore accepté ce mandat.",
            "Your organisation has not accepted this mandate yet.",
            text("Ouvrez le mandat et acceptez-le.", "Open the mandate and accept it."),
        ),
        Refusal::Refused => {
            advice("La personne a refusé ce mandat.", "The person refused this mandate.", STOP)
        }
        Refusal::Lapsed => advice(
            "Ce mandat n’a pas eu de réponse à temps.",
            "This mandate had no answer in time.",
            NEW_MANDATE,
        ),
        Refusal::Revoked => {
            advice("La personne a mis fin à ce mandat.", "The person ended this mandate.", STOP)
        }
        Refusal::Renounced => {
            advice("Un aidant a renoncé à ce mandat.", "An aidant renounced this mandate.", NEW_MANDATE)
        }
        Refusal::EndedByOrganisation => advice(
            "Votre structure a mis fin à ce mandat.",
            "Your organisation ended this mandate.",
            ASK_REFERENT,
        ),
        Refusal::Expired => {
            advice("La durée de ce mandat est écoulée.", "This mandate’s term has run out.", NEW_MANDATE)
        }
        Refusal::Deceased => advice("La personne est décédée.", "The person has died.", STOP),
        Refusal::Protected => advice(
            "Une mesure de protection a été prononcée pour cette personne.",
            "A legal protection measure was pronounced for this person.",
            STOP,
        ),
        Refusal::NotStarted => advice(
            "Ce mandat n’a pas encore commencé.",
            "This mandate has not started yet.",
            text("Attendez sa date de début.", "Wait for its start date."),
        ),
        Refusal::UnknownProcedure => advice(
            "Cette démarche n’est plus proposée.",
            "This procedure is no longer offered.",
            OTHER_PROCEDURE,
        ),
        Refusal::ProcedureNotGranted => advice(
            "Cette démarche n’est pas dans le mandat.",
            "This procedure is not in the mandate.",
            OTHER_PROCEDURE,
        ),
        Refusal::ProcedureWithdrawn => advice(
            "La personne a retiré cette démarche du mandat.",
            "The person took this procedure out of the mandate.",
            OTHER_PROCEDURE,
        ),
        Refusal::ClosedByOrganisation => advice(
            "Votre structure ne fait pas cette démarche.",
            "Your organisation does not carry out this procedure.",
            ASK_REFERENT,
        ),
        Refusal::ClosedForAidant => {
            advice("Cette démarche vous est fermée.", "This procedure is closed to you.", ASK_REFERENT)
        }
        Refusal::ServiceNotEntitled => advice(
            "Ce service ne traite pas cette démarche.",
            "This service does not handle this procedure.",
            text("Vérifiez que vous êtes au bon service.", "Check that you are at the right service."),
        ),
        Refusal::NoAct => advice(
            "Aucun acte n’a été demandé.",
            "No act was asked for.",
            text("Recommencez depuis le service.", "Start again from the service."),
        ),
        Refusal::ActNeverDelegable => advice(
            "Cet acte revient toujours à la personne elle-même.",
            "This act always stays with the person.",
            text("Faites-le faire par la personne, à vos côtés.", "Let the person do it, at your side."),
        ),
        Refusal::ConsentTooWeakForProcedure => advice(
            "Cette démarche demande un accord mieux prouvé.",
            "This procedure asks for an agreement that proves more.",
            STRONGER_CONSENT,
        ),
        Refusal::ConsentTooWeakForService => advice(
            "Ce service demande un accord mieux prouvé.",
            "This service asks for an agreement that proves more.",
            STRONGER_CONSENT,
        ),
        Refusal::ActNotGranted => {
            advice("Cet acte n’est pas dans le mandat.", "This act is not in the mandate.", OTHER_PROCEDURE)
        }
    }
}

/// Why a step of a request for content was refused, and what to do.
#[must_use]
pub const fn glass(error: GlassError) -> Advice {
    match error {
        GlassError::OwnRequest => advice(
            "On n’ouvre pas soi-même ce qu’on a demandé.",
            "Nobody opens what they asked for themselves.",
            text("Demandez à un autre auditeur de décider.", "Ask another auditor to decide."),
        ),
        GlassError::Answered => advice(
            "Cette demande a déjà une réponse.",
            "This request has an answer already.",
            text("Rouvrez la liste des demandes.", "Open the list of requests again."),
        ),
        GlassError::TooLate => advice(
            "L’heure pour répondre à cette demande est passée.",
            "The hour to answer this request is over.",
            text("Une nouvelle demande peut être faite.", "A new request can be made."),
        ),
        GlassError::TooEarly => advice(
            "Cette demande attend encore une réponse.",
            "This request still waits for an answer.",
            text("Vous n’avez rien à faire.", "There is nothing to do."),
        ),
    }
}

/// Why a step of an anomaly was refused, and what to do.
#[must_use]
pub const fn anomaly(error: AnomalyError) -> Advice {
    match error {
        AnomalyError::Closed => advice(
            "Ce point est déjà classé.",
            "This point is closed already.",
            text("Rouvrez la liste de la veille.", "Open the list of the watch again."),
        ),
    }
}

/// Why a step of a mandate's life was refused, and what to do.
#[must_use]
pub const fn transition(error: TransitionError) -> Advice {
    match error {
        TransitionError::NotFrom(StateName::Proposed) => advice(
            "La personne n’a pas encore donné son accord.",
            "The person has not agreed yet.",
            text(
                "Confiez-lui l’écran pour qu’elle réponde.",
                "Hand them the screen so that they can answer.",
            ),
        ),
        TransitionError::NotFrom(StateName::Consented) => advice(
            "La personne a déjà donné son accord.",
            "The person has already agreed.",
            text("Il reste à la structure à accepter.", "The organisation has yet to accept."),
        ),
        TransitionError::NotFrom(StateName::Active) => advice(
            "Ce mandat est déjà en vigueur.",
            "This mandate is already in force.",
            text("Vous n’avez rien à faire.", "There is nothing to do."),
        ),
        TransitionError::NotFrom(StateName::Ended) => {
            advice("Ce mandat a déjà pris fin.", "This mandate has already ended.", NEW_MANDATE)
        }
        TransitionError::NotFrom(StateName::Refused) => {
            advice("La personne a refusé ce mandat.", "The person refused this mandate.", STOP)
        }
        TransitionError::NotFrom(StateName::Lapsed) | TransitionError::Lapsed => {
            advice("Le temps pour répondre est écoulé.", "The time to answer has run out.", NEW_MANDATE)
        }
        TransitionError::TooEarly => advice(
            "Le moment n’est pas encore venu.",
            "The time has not come yet.",
            text("Réessayez plus tard.", "Try again later."),
        ),
        TransitionError::StaleIdentification => advice(
            "L’identification n’est plus assez récente.",
            "The identification is no longer recent enough.",
            text("Identifiez-vous de nouveau.", "Identify yourself again."),
        ),
        TransitionError::Terms(terms) => Advice {
            what: invalid_terms(terms),
            then: text("Préparez une nouvelle proposition.", "Prepare a new proposal."),
        },
        TransitionError::NotGranted => advice(
            "Cette démarche n’est plus dans le mandat.",
            "This procedure is no longer in the mandate.",
            text("Vous n’avez rien à faire.", "There is nothing to do."),
        ),
        TransitionError::OtherChannel => advice(
            "L’accord n’est pas venu par le moyen demandé.",
            "The agreement did not come by the way it was asked for.",
            text("Demandez l’accord de nouveau.", "Ask for the agreement again."),
        ),
        TransitionError::CannotGrant => advice(
            "Cette personne ne peut pas donner de mandat ici.",
            "This person cannot grant a mandate here.",
            text(
                "Adressez-vous à la personne qui la représente : parent, tuteur ou curateur.",
                "Turn to the person who represents them: parent, guardian or curator.",
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_happened_differently() {
        let said: std::collections::BTreeSet<_> = Refusal::ALL.iter().map(|r| refusal(*r).what.fr).collect();
        assert_eq!(said.len(), Refusal::ALL.len());
    }
}
