//! When something does not work: what happened, what to do, and a code to quote.

use super::Text;
use super::sentences::Advice;

/// What did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No such page or record, or none that this person may know of.
    NotFound,
    /// Too many requests in too little time.
    TooManyRequests,
    /// The form's token is missing or old.
    FormExpired,
    /// The session is over.
    SessionExpired,
    /// The browser is not the one that began this.
    OtherBrowser,
    /// The request cannot be understood.
    BadRequest,
    /// The request is too large.
    TooLarge,
    /// A service asked for something it may not.
    ServiceRequest,
    /// The identity provider refused or did not answer.
    Provider,
    /// Nobody is registered under that sign-in.
    NotRegistered,
    /// This person may not sign in for now.
    Suspended,
    /// This auditor was given nothing to read, or no longer.
    NoGrant,
    /// The record changed meanwhile.
    Conflict,
    /// Too much waits for its place in the journal: nothing new is taken on.
    Behind,
    /// The service cannot work for the moment.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A fault in plain words.
struct Said {
    title: Text,
    what: Text,
    then: Text,
}

/// Title, what happened, what to do; each in French and English.
const fn said(
    title: (&'static str, &'static str),
    what: (&'static str, &'static str),
    then: (&'static str, &'static str),
) -> Said {
    Said {
        title: Text { fr: title.0, en: title.1 },
        what: Text { fr: what.0, en: what.1 },
        then: Text { fr: then.0, en: then.1 },
    }
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 16] = [
        Self::NotFound,
        Self::TooManyRequests,
        Self::FormExpired,
        Self::SessionExpired,
        Self::OtherBrowser,
        Self::BadRequest,
        Self::TooLarge,
        Self::ServiceRequest,
        Self::Provider,
        Self::NotRegistered,
        Self::Suspended,
        Self::NoGrant,
        Self::Conflict,
        Self::Behind,
        Self::Unavailable,
        Self::Internal,
    ];

    #[cfg(test)]
    pub(super) const fn title(self) -> Text {
        self.says().title
    }

    #[expect(clippy::too_many_lines, reason = "a table: three sentences for each fault")]
    const fn says(self) -> Said {
        match self {
            Self::NotFound => said(
                ("Cette page n’existe pas", "This page does not exist"),
                (
                    "L’adresse est fausse, ou ce dossier n’est pas le vôtre.",
                    "The address is wrong, or this file is not yours.",
                ),
                (
                    "Vérifiez l’adresse, ou revenez à l’accueil.",
                    "Check the address, or go back to the first page.",
                ),
            ),
            Self::TooManyRequests => said(
                ("Trop de demandes", "Too many requests"),
                (
                    "Trop de demandes sont venues d’ici en peu de temps.",
                    "Too many requests came from here in a short time.",
                ),
                ("Attendez une minute, puis réessayez.", "Wait a minute, then try again."),
            ),
            Self::FormExpired => said(
                ("Ce formulaire n’est plus valable", "This form is no longer valid"),
                (
                    "La page est restée ouverte trop longtemps. Rien n’a été changé.",
                    "The page stayed open too long. Nothing was changed.",
                ),
                (
                    "Revenez à la page précédente, rechargez-la et recommencez.",
                    "Go back to the previous page, reload it and start again.",
                ),
            ),
            Self::SessionExpired => said(
                ("Votre session est terminée", "Your session is over"),
                (
                    "Vous êtes resté longtemps sans rien faire. Par sécurité, nous vous avons déconnecté.",
                    "You did nothing for a long time. To keep you safe, we signed you out.",
                ),
                ("Connectez-vous de nouveau.", "Sign in again."),
            ),
            Self::OtherBrowser => said(
                ("Cette étape a commencé ailleurs", "This step began elsewhere"),
                (
                    "Cette page fait partie d’une étape commencée dans un autre navigateur, ou déjà terminée. Rien n’a été changé.",
                    "This page belongs to a step begun in another browser, or already finished. Nothing was changed.",
                ),
                (
                    "Recommencez depuis le début, dans ce navigateur.",
                    "Start again from the beginning, in this browser.",
                ),
            ),
            Self::BadRequest => said(
                ("Demande incomprise", "Request not understood"),
                (
                    "Ce qui a été envoyé ne peut pas être lu. Rien n’a été changé.",
                    "What was sent cannot be read. Nothing was changed.",
                ),
                (
                    "Revenez à la page précédente et recommencez.",
                    "Go back to the previous page and start again.",
                ),
            ),
            Self::TooLarge => said(
                ("Demande trop longue", "Request too long"),
                (
                    "Ce qui a été envoyé est trop long. Rien n’a été changé.",
                    "What was sent is too long. Nothing was changed.",
                ),
                (
                    "Revenez à la page précédente et écrivez un texte plus court.",
                    "Go back to the previous page and write a shorter text.",
                ),
            ),
            Self::ServiceRequest => said(
                (
                    "Le service a fait une demande que nous refusons",
                    "The service made a request that we refuse",
                ),
                (
                    "Le service d’où vous venez n’est pas bien relié à Porteplume. Rien n’a été ouvert.",
                    "The service you come from is not properly connected to Porteplume. Nothing was opened.",
                ),
                (
                    "Revenez au service et signalez-lui ce code.",
                    "Go back to the service and tell them this code.",
                ),
            ),
            Self::Provider => said(
                ("L’identification n’a pas abouti", "The identification did not succeed"),
                (
                    "Le fournisseur d’identité a refusé ou n’a pas répondu. Rien n’a été changé.",
                    "The identity provider refused or did not answer. Nothing was changed.",
                ),
                ("Réessayez dans quelques minutes.", "Try again in a few minutes."),
            ),
            Self::NotRegistered => said(
                ("Vous n’êtes pas inscrit ici", "You are not registered here"),
                (
                    "Votre identité est bonne, mais personne ne vous a inscrit dans Porteplume.",
                    "Your identity is right, but nobody has registered you with Porteplume.",
                ),
                (
                    "Demandez une invitation au référent de votre structure.",
                    "Ask your organisation’s referent for an invitation.",
                ),
            ),
            Self::Suspended => said(
                ("Votre accès est suspendu", "Your access is suspended"),
                ("Vous ne pouvez pas vous connecter pour le moment.", "You cannot sign in for the moment."),
                ("Demandez au référent de votre structure.", "Ask your organisation’s referent."),
            ),
            Self::NoGrant => said(
                ("Rien ne vous est ouvert à la lecture", "Nothing is open to you for reading"),
                (
                    "Votre accès au journal n’a pas encore été donné, ou il a pris fin. Rien n’a été montré.",
                    "Your access to the journal has not been given yet, or it has ended. Nothing was shown.",
                ),
                (
                    "Demandez à l’exploitant de Porteplume un accès qui dise quelles structures ou quels mandats vous contrôlez, et jusqu’à quand.",
                    "Ask the operator of Porteplume for an access that states which organisations or mandates you audit, and until when.",
                ),
            ),
            Self::Conflict => said(
                ("Cela a changé entre-temps", "This has changed meanwhile"),
                (
                    "Quelqu’un d’autre a agi avant vous. Votre demande n’a rien changé.",
                    "Somebody else acted before you. Your request changed nothing.",
                ),
                (
                    "Rouvrez la page pour voir où en sont les choses.",
                    "Open the page again to see how things stand.",
                ),
            ),
            Self::Behind => said(
                ("Le registre a du retard", "The journal is behind"),
                (
                    "Ce qui se fait ici est d’abord inscrit au registre, et trop d’actions attendent de l’être. Rien n’a été fait.",
                    "Whatever is done here is first written in the journal, and too much is waiting for that. Nothing was done.",
                ),
                (
                    "Réessayez dans quelques instants. Le service reprend de lui-même.",
                    "Try again in a moment. The service goes on by itself.",
                ),
            ),
            Self::Unavailable => said(
                ("Porteplume est indisponible", "Porteplume is unavailable"),
                (
                    "Le service ne peut pas travailler pour le moment. Rien de ce qui était enregistré n’est perdu.",
                    "The service cannot work for the moment. Nothing that was recorded is lost.",
                ),
                ("Réessayez dans quelques minutes.", "Try again in a few minutes."),
            ),
            Self::Internal => said(
                ("Une erreur de notre part", "An error on our side"),
                (
                    "Quelque chose n’a pas marché chez nous. Vous n’avez rien fait de mal.",
                    "Something did not work on our side. You did nothing wrong.",
                ),
                (
                    "Réessayez. Si cela recommence, donnez-nous le numéro ci-dessous.",
                    "Try again. If it happens again, give us the number below.",
                ),
            ),
        }
    }
}

page! {
    /// An error. Ids: `error-code`, `request-id`; link `link-back`.
    ErrorPage in Frame from "errors/error.html" {
        /// What did not work.
        fault: Fault,
        /// Stable code.
        code: String,
        /// Identifier of the request, to quote to support.
        request_id: String,
        /// Where to go on; the landing page when absent.
        back: Option<String>,
    }
}

page! {
    /// Somebody known came by another account than theirs. Ids: `account-code`, `error-code`, `request-id`; link `link-back`.
    OtherAccount in Frame from "errors/other_account.html" {
        /// The account's code, to be said to the referent.
        account: String,
        /// Stable code.
        code: String,
        /// Identifier of the request, to quote to support.
        request_id: String,
        /// Where to go on; the landing page when absent.
        back: Option<String>,
    }
}

page! {
    /// An act was refused by a rule. Ids: `error-code`, `request-id`; link `link-back`.
    RefusedPage in Frame from "errors/refused.html" {
        /// What happened and what to do, from [`super::sentences`].
        advice: Advice,
        /// Stable code.
        code: String,
        /// Identifier of the request, to quote to support.
        request_id: String,
        /// Where to go on; the landing page when absent.
        back: Option<String>,
    }
}

page! {
    /// The act is committed but not yet under a signed checkpoint: nothing is released meanwhile.
    /// Link `link-resume` asks again and changes nothing twice.
    BeingRecorded in Frame from "errors/being_recorded.html" {
        /// Where to ask again.
        resume: String,
        /// Our signed word that it will be in the journal, as notes. Ids `promise-1`, `promise-2`…
        promises: Vec<String>,
    }
}
