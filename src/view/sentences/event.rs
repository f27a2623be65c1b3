//! One sentence for each kind of journal entry.

use super::text;
use crate::mandate::{EventKind, Language};

/// What an entry of this kind tells, as a sentence.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a table: one sentence for each kind")]
pub const fn event(kind: EventKind, language: Language) -> &'static str {
    let pair = match kind {
        EventKind::JournalOpened => text("Le journal a été ouvert.", "The journal was opened."),
        EventKind::AidantSignedIn => text("Un aidant s’est connecté.", "An aidant signed in."),
        EventKind::SignInRefused => text("Une connexion a été refusée.", "A sign-in was refused."),
        EventKind::SignedOut => text("Une personne s’est déconnectée.", "A person signed out."),
        EventKind::InvitationAccepted => {
            text("Un aidant a accepté son invitation.", "An aidant accepted their invitation.")
        }
        EventKind::FactorEnrolled => {
            text("Un second facteur a été enregistré.", "A second factor was enrolled.")
        }
        EventKind::FactorProved => text("Un second facteur a été vérifié.", "A second factor was checked."),
        EventKind::FactorFailed => text("Un code faux a été donné.", "A wrong code was given."),
        EventKind::FactorLocked => text(
            "Un second facteur a été bloqué après trop de codes faux.",
            "A second factor was locked after too many wrong codes.",
        ),
        EventKind::RecoveryCodeUsed => text("Un code de secours a été utilisé.", "A recovery code was used."),
        EventKind::MandateProposed => text("Un mandat a été proposé.", "A mandate was proposed."),
        EventKind::ScreenHandedOver => {
            text("L’écran a été confié à la personne.", "The screen was handed to the person.")
        }
        EventKind::ScreenUnlocked => {
            text("L’aidant a déverrouillé l’écran.", "The aidant unlocked the screen.")
        }
        EventKind::UsagerIdentified => {
            text("La personne a prouvé son identité.", "The person proved their identity.")
        }
        EventKind::ConsentAsked => text(
            "L’accord de la personne a été demandé par un autre moyen que l’écran de l’aidant.",
            "The person was asked for their agreement by another way than the aidant’s screen.",
        ),
        EventKind::AskingSent => {
            text("Le code a été envoyé à la personne.", "The code was sent to the person.")
        }
        EventKind::AskingNotSent => text("Le code n’a pas pu être envoyé.", "The code could not be sent."),
        EventKind::AskingOpened => text(
            "La proposition a été ouverte avec le code envoyé.",
            "The proposal was opened with the code that was sent.",
        ),
        EventKind::AskingRefused => {
            text("Un code faux a été donné pour cet accord.", "A wrong code was given for this agreement.")
        }
        EventKind::AskingLocked => text(
            "Trop de codes faux : cette demande d’accord est morte.",
            "Too many wrong codes: this asking is dead.",
        ),
        EventKind::ConsentAnswered => text(
            "La personne a dit oui. Une seconde personne de la structure doit le confirmer.",
            "The person said yes. A second person of the organisation has to confirm it.",
        ),
        EventKind::ConsentRejected => text(
            "La seconde personne n’a pas confirmé l’accord.",
            "The second person did not confirm the agreement.",
        ),
        EventKind::AskingRead => text(
            "Le formulaire, la lettre ou le document signé a été consulté.",
            "The form, the letter or the signed document was looked at.",
        ),
        EventKind::MandateConsented => {
            text("La personne a donné son accord au mandat.", "The person agreed to the mandate.")
        }
        EventKind::MandateRefused => {
            text("La personne a refusé le mandat.", "The person refused the mandate.")
        }
        EventKind::MandateAccepted => text(
            "La structure a accepté le mandat. Il est en vigueur.",
            "The organisation accepted the mandate. It is in force.",
        ),
        EventKind::MandateLapsed => text(
            "Le mandat proposé n’a pas eu de réponse à temps.",
            "The proposed mandate had no answer in time.",
        ),
        EventKind::MandateStepRefused => {
            text("Une étape d’un mandat a été refusée.", "A step of a mandate was refused.")
        }
        EventKind::ProcedureWithdrawn => {
            text("Une démarche a été retirée du mandat.", "A procedure was taken out of the mandate.")
        }
        EventKind::MandateEnded => text("Le mandat a pris fin.", "The mandate ended."),
        EventKind::CardMade => text(
            "Une nouvelle carte pour arrêter le mandat a été faite. L’ancienne ne marche plus.",
            "A new card to end the mandate was made. The former one no longer works.",
        ),
        EventKind::CardRefused => text(
            "Quelqu’un a essayé d’arrêter le mandat avec un code faux. Rien n’a changé.",
            "Somebody tried to end the mandate with a wrong code. Nothing changed.",
        ),
        EventKind::CardLocked => text(
            "Trop de codes faux ont été essayés. La carte pour arrêter le mandat est bloquée pour un moment.",
            "Too many wrong codes were tried. The card to end the mandate is locked for a while.",
        ),
        EventKind::AccountRendered => {
            text("Le compte rendu du mandat a été donné.", "The account of the mandate was given.")
        }
        EventKind::MandatePrinted => text("Le mandat a été imprimé.", "The mandate was printed."),
        EventKind::MandateVerified => text(
            "Quelqu’un à qui le papier du mandat était montré l’a vérifié.",
            "Somebody who was shown the mandate’s paper verified it.",
        ),
        EventKind::RepresentationOpened => text("Une intervention a commencé.", "An intervention began."),
        EventKind::RepresentationRefused => {
            text("Une intervention a été refusée.", "An intervention was refused.")
        }
        EventKind::TokensIssued => {
            text("Le service a reçu ses jetons d’accès.", "The service received its access tokens.")
        }
        EventKind::TokensRefreshed => text(
            "Le service a reçu un nouveau jeton d’accès : l’intervention continue.",
            "The service received another access token: the intervention goes on.",
        ),
        EventKind::ClaimsReleased => text(
            "Le service a reçu l’identité de la personne.",
            "The service received the person’s identity.",
        ),
        EventKind::StandingRead => text(
            "Un service a demandé où en est une intervention.",
            "A service asked how an intervention stands.",
        ),
        EventKind::StandingRefused => text(
            "Un service n’a pas pu suivre une intervention.",
            "A service was not allowed to follow an intervention.",
        ),
        EventKind::TokenRevoked => {
            text("Un service a rendu un jeton d’accès.", "A service gave an access token back.")
        }
        EventKind::OutcomeReported => {
            text("Un service a dit ce qui a été fait.", "A service said what was done.")
        }
        EventKind::RepresentationClosed => {
            text("Une intervention s’est terminée.", "An intervention was closed.")
        }
        EventKind::ServiceTold => text(
            "Le service a confirmé savoir que l’intervention est terminée.",
            "The service confirmed that it knows of the intervention’s end.",
        ),
        EventKind::ServiceNotTold => text(
            "Le service n’a pas répondu à l’annonce de la fin de l’intervention. Ses accès sont coupés.",
            "The service did not answer when told of the intervention’s end. Its access is cut off.",
        ),
        EventKind::ContactChosen => {
            text("La personne a choisi comment elle est informée.", "The person chose how they are told.")
        }
        EventKind::NoticeDue => text(
            "Un message est à donner à la personne : compte rendu ou rappel.",
            "A message is to be given to the person: an account or a reminder.",
        ),
        EventKind::NoticeSent => {
            text("Un message a été envoyé à la personne.", "A message was sent to the person.")
        }
        EventKind::NoticeNotSent => text(
            "Un message n’a pas pu être envoyé. Il est à remettre sur papier.",
            "A message could not be sent. It is to be handed over on paper.",
        ),
        EventKind::NoticeHandedOver => text(
            "Un reçu sur papier a été remis à la personne.",
            "A receipt on paper was handed to the person.",
        ),
        EventKind::ReplyRefused => text(
            "Une réponse à un SMS n’a pas été suivie : elle venait d’un autre téléphone, ou n’était pas claire.",
            "A reply to a text message was not followed: it came from another telephone, or was not clear.",
        ),
        EventKind::RepresentationDisputed => text(
            "La personne ne reconnaît pas une intervention.",
            "The person does not recognise an intervention.",
        ),
        EventKind::CodeReplayed => text(
            "Un code déjà utilisé a été présenté de nouveau. Tout a été annulé.",
            "A used code was presented again. Everything was cancelled.",
        ),
        EventKind::UsagerLookedUp => {
            text("Un aidant a cherché une personne.", "An aidant looked a person up.")
        }
        EventKind::UsagerSpaceRead => {
            text("La personne a consulté son espace.", "The person read their own space.")
        }
        EventKind::AidantInvited => text("Un aidant a été invité.", "An aidant was invited."),
        EventKind::OtherSignInAsked => text(
            "Un aidant s’est présenté avec un nouveau compte professionnel. Son référent doit confirmer.",
            "An aidant came with a new professional account. Their referent has to confirm.",
        ),
        EventKind::OtherSignInConfirmed => text(
            "Le nouveau compte d’un aidant a été confirmé. L’ancien ne sert plus.",
            "An aidant’s new account was confirmed. The former one no longer works.",
        ),
        EventKind::OtherSignInDenied => {
            text("Le nouveau compte d’un aidant a été refusé.", "An aidant’s new account was denied.")
        }
        EventKind::AidantSuspended => text("Un aidant a été suspendu.", "An aidant was suspended."),
        EventKind::AidantReinstated => text("Un aidant a été rétabli.", "An aidant was reinstated."),
        EventKind::ProceduresRestricted => {
            text("Des démarches ont été fermées ou rouvertes.", "Procedures were closed or opened again.")
        }
        EventKind::OrganisationAdded => {
            text("Une structure a été enregistrée.", "An organisation was registered.")
        }
        EventKind::OrganisationSuspended => {
            text("Une structure a été suspendue.", "An organisation was suspended.")
        }
        EventKind::OrganisationReinstated => {
            text("Une structure a été rétablie.", "An organisation was reinstated.")
        }
        EventKind::ClientAdded => text("Un service a été enregistré.", "A service was registered."),
        EventKind::ClientSuspended => text("Un service a été suspendu.", "A service was suspended."),
        EventKind::ClientReinstated => text("Un service a été rétabli.", "A service was reinstated."),
        EventKind::AuditorAdded => text("Un auditeur a été enregistré.", "An auditor was registered."),
        EventKind::AuditorSuspended => text("Un auditeur a été suspendu.", "An auditor was suspended."),
        EventKind::GrantGiven => text(
            "Un auditeur a reçu le droit de lire une partie du journal.",
            "An auditor was given a part of the journal to read.",
        ),
        EventKind::GrantRevoked => text(
            "Le droit de lecture d’un auditeur a été retiré.",
            "An auditor’s right to read was taken back.",
        ),
        EventKind::TimelineRead => text(
            "Un auditeur a suivi un mandat ou un aidant dans le temps.",
            "An auditor followed a mandate or an aidant through time.",
        ),
        EventKind::ChartsRead => {
            text("Un auditeur a fait dessiner des graphiques.", "An auditor had charts drawn.")
        }
        EventKind::SampleDrawn => {
            text("Un auditeur a tiré un échantillon au hasard.", "An auditor drew a random sample.")
        }
        EventKind::SampleAnswered => text(
            "Un auditeur a examiné une écriture d’un échantillon.",
            "An auditor examined an entry of a sample.",
        ),
        EventKind::SampleRead => text("Un auditeur a lu un échantillon.", "An auditor read a sample."),
        EventKind::ContentAsked => text(
            "Un auditeur a demandé à voir des noms et des identifiants.",
            "An auditor asked to see names and identifiers.",
        ),
        EventKind::ContentApproved => text(
            "Un second auditeur a ouvert des noms et des identifiants pour une heure.",
            "A second auditor opened names and identifiers for one hour.",
        ),
        EventKind::ContentRefused => text(
            "Un second auditeur a refusé d’ouvrir des noms et des identifiants.",
            "A second auditor refused to open names and identifiers.",
        ),
        EventKind::ContentLapsed => text(
            "Une demande de noms et d’identifiants est restée sans réponse.",
            "A request for names and identifiers had no answer.",
        ),
        EventKind::ContentRead => text(
            "Un auditeur a lu des noms et des identifiants ouverts par un autre.",
            "An auditor read names and identifiers that another had opened.",
        ),
        EventKind::AuditorSignedIn => text("Un auditeur s’est connecté.", "An auditor signed in."),
        EventKind::PurposeStated => text(
            "Un auditeur a dit pourquoi il lit le journal.",
            "An auditor stated why they read the journal.",
        ),
        EventKind::JournalSearched => {
            text("Un auditeur a cherché dans le journal.", "An auditor searched the journal.")
        }
        EventKind::EntryRead => text("Un auditeur a ouvert une écriture.", "An auditor opened an entry."),
        EventKind::ScreenUnlockRefused => {
            text("L’écran n’a pas été déverrouillé.", "The screen was not unlocked.")
        }
        EventKind::UsagerIdentificationRefused => text(
            "L’identification d’une personne a été refusée.",
            "The identification of a person was refused.",
        ),
        EventKind::MandateRead => text("Un aidant a lu un mandat.", "An aidant read a mandate."),
        EventKind::AuthorizationRefused => {
            text("La demande d’un service a été refusée.", "A service’s request was refused.")
        }
        EventKind::ChoiceOffered => text(
            "Les mandats utilisables pour un service ont été montrés.",
            "The mandates usable at a service were shown.",
        ),
        EventKind::ClientAuthenticationRefused => {
            text("Un service n’a pas prouvé son identité.", "A service did not prove who it is.")
        }
        EventKind::CodeExchangeRefused => {
            text("L’échange d’un code a été refusé.", "The exchange of a code was refused.")
        }
        EventKind::RefreshRefused => text(
            "Un nouveau jeton d’accès a été refusé à un service.",
            "A service was refused another access token.",
        ),
        EventKind::ClaimsRefused => text(
            "L’identité de la personne n’a pas été transmise au service.",
            "The person’s identity was not given to the service.",
        ),
        EventKind::UsagerSignedIn => {
            text("La personne s’est connectée à son espace.", "The person signed in to their space.")
        }
        EventKind::AuditorReinstated => text("Un auditeur a été rétabli.", "An auditor was reinstated."),
        EventKind::AuditorBound => text(
            "Un auditeur s’est connecté pour la première fois.",
            "An auditor signed in for the first time.",
        ),
        EventKind::JournalExported => text(
            "Un auditeur a emporté une copie vérifiable du journal.",
            "An auditor took a verifiable copy of the journal.",
        ),
        EventKind::AccessRefused => text(
            "L’accès à une page ou à un dossier a été refusé.",
            "Access to a page or a file was refused.",
        ),
        EventKind::ManagementRefused => {
            text("Un acte de gestion a été refusé.", "An act of management was refused.")
        }
        EventKind::PersonErased => {
            text("Les données d’une personne ont été effacées.", "A person’s data were erased.")
        }
        EventKind::RetentionRun => text(
            "Ce qui avait dépassé sa durée de conservation a été détruit.",
            "What was past the time it is kept for was destroyed.",
        ),
        EventKind::KeyRotated => {
            text("Une clé de signature a été créée ou changée.", "A signing key was made or changed.")
        }
        EventKind::ChoiceMade => text(
            "Un aidant a choisi pour qui et pour quelle démarche il veut agir.",
            "An aidant chose for whom and for which procedure they want to act.",
        ),
        EventKind::ChoiceRefused => text(
            "Le choix d’un aidant a été refusé avant d’être confirmé.",
            "An aidant’s choice was refused before it was confirmed.",
        ),
        EventKind::CodeIssued => text(
            "Un nouveau code a été remis au service pour une intervention en cours.",
            "The service received a new code for an open intervention.",
        ),
        EventKind::EndingKnown => text(
            "Une partie a vu pour la première fois que le mandat avait pris fin.",
            "A party saw for the first time that the mandate had ended.",
        ),
        EventKind::JournalShardOpened => text(
            "Le journal continue dans un nouveau registre, qui rappelle le dernier point de contrôle du précédent.",
            "The journal goes on in a new shard, which tells the final checkpoint of the one before.",
        ),
        EventKind::JournalTimestamped => text(
            "Une autorité d’horodatage a daté l’état du journal.",
            "A time-stamping authority dated the state of the journal.",
        ),
        EventKind::JournalCosigned => text(
            "Les attestations des témoins du journal ont été comptées.",
            "The cosignatures of the journal’s witnesses were counted.",
        ),
        EventKind::JournalRestored => text(
            "La base de données a été restaurée depuis une sauvegarde.",
            "The database was restored from a backup.",
        ),
        EventKind::AnomalyRaised => text(
            "Une règle de veille a relevé quelque chose à regarder de plus près.",
            "A rule of the watch found something that deserves a closer look.",
        ),
        EventKind::AnomalyRead => text(
            "Une personne chargée du contrôle a lu des points relevés par la veille.",
            "Somebody in charge of checks read what the watch had found.",
        ),
        EventKind::AnomalyCommented => text(
            "Une personne chargée du contrôle a commenté un point relevé par la veille.",
            "Somebody in charge of checks commented what the watch had found.",
        ),
        EventKind::AnomalyClosed => text(
            "Un auditeur a classé un point relevé par la veille, avec sa raison.",
            "An auditor closed what the watch had found, with a reason.",
        ),
        EventKind::ConfigurationChanged => text(
            "Le service a démarré avec une autre configuration.",
            "The service was started under another configuration.",
        ),
    };
    pair.in_language(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_sentence_in_each_language() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in EventKind::ALL {
            let (fr, en) = (event(*kind, Language::Fr), event(*kind, Language::En));
            assert!(seen.insert(fr) && seen.insert(en), "{kind:?} repeats a sentence");
        }
    }
}
