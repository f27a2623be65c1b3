//! Every address the pages link to or send forms to. `web` routes the same constants; `{…}` are path parameters.

use crate::mandate::{AidantId, ConsentChannel, EventId, MandateId, ProcedureId, RepresentationId};

/// Landing page.
pub const LANDING: &str = "/";
/// What Porteplume is, in plain words.
pub const HELP: &str = "/help";
/// Accessibility statement.
pub const ACCESSIBILITY: &str = "/accessibility";
/// Legal and privacy summary.
pub const LEGAL: &str = "/legal";
/// How to verify the journal.
pub const VERIFY: &str = "/journal";
/// The signed checkpoint, as text (contract `journal.md`).
pub const CHECKPOINT: &str = "/journal/checkpoint";
/// The policy to verify it by, as text.
pub const POLICY: &str = "/journal/policy";
/// The final checkpoint of a closed shard, as text. Takes `{number}`.
pub const SHARD_CHECKPOINT: &str = "/journal/shards/{number}/checkpoint";
/// The policy to verify it by, as text. Takes `{number}`.
pub const SHARD_POLICY: &str = "/journal/shards/{number}/policy";
/// The proof that keeps a promise: that the entry of that identifier has its place.
pub const PROMISED: &str = "/journal/promised/{event}";
/// Signs out (POST).
pub const SIGN_OUT: &str = "/sign-out";
/// Shown after signing out.
pub const SIGNED_OUT: &str = "/signed-out";
/// OpenID Connect sign-out started by a service.
pub const END_SESSION: &str = "/end_session";
/// The person's yes to it (POST).
pub const END_SESSION_CONFIRM: &str = "/end_session/confirm";

/// Whether the mandate of a paper stands: asks for number and code (GET), looks it up (POST).
pub const PRESENTED: &str = "/verifier";
/// The same, number and code filled in: where the QR code of a paper leads. Takes `{number}` and `{code}`.
pub const PRESENTED_FILLED: &str = "/verifier/{number}/{code}";

/// Ends a mandate by its card: asks for number and code (GET), looks at them (POST).
pub const REVOKE: &str = "/revoquer";
/// Ends what the holder of the card chose (POST); a GET begins again.
pub const REVOKE_CONFIRM: &str = "/revoquer/confirmer";
/// The same, read out to an aidant of any organisation.
pub const DESK_REVOKE: &str = "/aidant/revoquer";
/// Ends the mandate (POST); a GET begins again.
pub const DESK_REVOKE_CONFIRM: &str = "/aidant/revoquer/confirmer";

/// The aidant's sign-in (GET asks, POST goes to the provider).
pub const AIDANT_SIGN_IN: &str = "/aidant/sign-in";
/// The aidant's home.
pub const AIDANT: &str = "/aidant";
/// Second factor: asks for a code (GET), checks it (POST).
pub const FACTOR: &str = "/aidant/factor";
/// Second factor: enrolment (GET), first code (POST).
pub const ENROL: &str = "/aidant/factor/enrol";
/// The aidant's mandates.
pub const MANDATES: &str = "/aidant/mandates";
/// New mandate, step 1: procedures.
pub const NEW_MANDATE: &str = "/aidant/mandates/new";
/// New mandate, step 2: duration (GET with `procedure`), proposal (POST).
pub const NEW_MANDATE_TERM: &str = "/aidant/mandates/new/duration";
/// One mandate, whatever its state. Takes `{mandate}`.
pub const MANDATE: &str = "/aidant/mandates/{mandate}";
/// Hands the screen over (POST).
pub const HAND_OVER: &str = "/aidant/mandates/{mandate}/hand-over";
/// The ways to ask the usager by (GET).
pub const ASK: &str = "/aidant/mandates/{mandate}/ask";
/// Asks by one way (GET, POST). Takes `{mandate}` and `{way}`.
pub const ASK_WAY: &str = "/aidant/mandates/{mandate}/ask/{way}";
/// How far the asking has come (GET).
pub const ASKED: &str = "/aidant/mandates/{mandate}/asked";
/// The code the person says (POST).
pub const ASKED_CODE: &str = "/aidant/mandates/{mandate}/asked/code";
/// Another code (POST).
pub const ASKED_AGAIN: &str = "/aidant/mandates/{mandate}/asked/again";
/// The person said no (POST).
pub const ASKED_DENIED: &str = "/aidant/mandates/{mandate}/asked/no";
/// What was signed, as a picture (POST).
pub const ASKED_SCAN: &str = "/aidant/mandates/{mandate}/asked/scan";
/// What the second person compares (GET), and their word (POST).
pub const ASKED_COMPARE: &str = "/aidant/mandates/{mandate}/asked/compare";
/// The picture they compare.
pub const ASKED_PICTURE: &str = "/aidant/mandates/{mandate}/asked/compare/scan";
/// The form to sign, or the letter to post.
pub const ASKED_PRINT: &str = "/aidant/mandates/{mandate}/asked/print";
/// Where whoever has a code types it (GET, POST).
pub const ACCORD: &str = "/accord";
/// Acceptance for the organisation (GET, POST).
pub const ACCEPT: &str = "/aidant/mandates/{mandate}/accept";
/// Renunciation (GET asks, POST does).
pub const RENOUNCE: &str = "/aidant/mandates/{mandate}/renounce";
/// The printable mandate.
pub const PRINT: &str = "/aidant/mandates/{mandate}/print";
/// The mandate as a PDF that carries its proof.
pub const PAPER: &str = "/aidant/mandates/{mandate}/pdf";
/// Receipts to print (GET) and hand over (POST).
pub const PAPERS: &str = "/aidant/mandates/{mandate}/receipts";
/// Makes another card that ends it (POST).
pub const CARD: &str = "/aidant/mandates/{mandate}/card";
/// Its history in the journal.
pub const HISTORY: &str = "/aidant/mandates/{mandate}/history";
/// The receipt of one entry of it; below it `proof`, the file. Takes `{mandate}` and `{number}`.
pub const RECEIPT: &str = "/aidant/mandates/{mandate}/history/{number}";
/// The account of a mandate, to be printed for its usager (GET).
pub const ACCOUNT: &str = "/aidant/mandates/{mandate}/account";
/// Closes an open representation (POST). Takes `{representation}`.
pub const CLOSE: &str = "/aidant/representations/{representation}/close";
/// The locked screen (GET asks for the code, POST checks it).
pub const UNLOCK: &str = "/aidant/unlock";

/// Handed-over screen: what will be granted.
pub const CONSENT: &str = "/consent";
/// Handed-over screen: goes to the citizens' provider (POST).
pub const CONSENT_IDENTIFY: &str = "/consent/identify";
/// Handed-over screen: "is it you?" (GET, POST).
pub const CONSENT_IDENTITY: &str = "/consent/identity";
/// Handed-over screen: declaration and decision (GET, POST).
pub const CONSENT_DECISION: &str = "/consent/decision";
/// Handed-over screen: what came of it.
pub const CONSENT_DONE: &str = "/consent/done";
/// After "it is not me".
pub const CONSENT_DISOWNED: &str = "/consent/not-you";

/// The usager's sign-in (GET asks, POST goes to the provider).
pub const USAGER_SIGN_IN: &str = "/usager/sign-in";
/// The usager's space.
pub const USAGER: &str = "/usager";
/// How they are told what is done in their name (GET, POST).
pub const USAGER_CONTACT: &str = "/usager/contact";
/// Everything that happened (GET; `mandate`, `what`, `from`, `until`, `page`).
pub const USAGER_TIMELINE: &str = "/usager/timeline";
/// The same as a table (GET).
pub const USAGER_TIMELINE_FILE: &str = "/usager/timeline/file";
/// One of their mandates. Takes `{mandate}`.
pub const USAGER_MANDATE: &str = "/usager/mandates/{mandate}";
/// Ends it (GET asks, POST does).
pub const USAGER_END: &str = "/usager/mandates/{mandate}/end";
/// Ends one procedure (GET asks, POST does). Takes `{mandate}` and `{procedure}`.
pub const USAGER_END_PROCEDURE: &str = "/usager/mandates/{mandate}/procedures/{procedure}/end";
/// "I do not recognise this" (GET asks, POST says so). Takes `{representation}`.
pub const USAGER_DISPUTE: &str = "/usager/representations/{representation}/dispute";
/// The mandate as a PDF that carries its proof.
pub const USAGER_PAPER: &str = "/usager/mandates/{mandate}/pdf";
/// The card that ends it (GET), or another one (POST).
pub const USAGER_CARD: &str = "/usager/mandates/{mandate}/card";
/// What was ended, with its receipt.
pub const USAGER_ENDED: &str = "/usager/mandates/{mandate}/ended";

/// Its history in the journal.
pub const USAGER_HISTORY: &str = "/usager/mandates/{mandate}/history";
/// The whole history, as a file that proves itself.
pub const USAGER_HISTORY_FILE: &str = "/usager/mandates/{mandate}/history/file";
/// The receipt of one entry of it; below it `proof`, the file. Takes `{mandate}` and `{number}`.
pub const USAGER_RECEIPT: &str = "/usager/mandates/{mandate}/history/{number}";
/// Their account of a mandate (GET).
pub const USAGER_ACCOUNT: &str = "/usager/mandates/{mandate}/account";

/// The organisation's aidants.
pub const REFERENT: &str = "/referent";
/// Invites an aidant (GET, POST).
pub const INVITE: &str = "/referent/aidants/invite";
/// Whether an aidant's other sign-in is theirs (GET asks, POST decides). Takes `{aidant}`.
pub const OTHER_SIGN_IN: &str = "/referent/aidants/{aidant}/other-sign-in";
/// Suspends an aidant (GET asks, POST does). Takes `{aidant}`.
pub const SUSPEND: &str = "/referent/aidants/{aidant}/suspend";
/// Reinstates an aidant (GET asks, POST does).
pub const REINSTATE: &str = "/referent/aidants/{aidant}/reinstate";
/// Procedures closed for one aidant (GET, POST).
pub const AIDANT_PROCEDURES: &str = "/referent/aidants/{aidant}/procedures";
/// Procedures closed for the organisation (GET, POST).
pub const PROCEDURES: &str = "/referent/procedures";
/// The organisation's mandates.
pub const ORGANISATION_MANDATES: &str = "/referent/mandates";
/// Ends a mandate for the organisation (GET asks, POST does). Takes `{mandate}`.
pub const ORGANISATION_END: &str = "/referent/mandates/{mandate}/end";
/// What the watch found in the organisation (GET).
pub const ORGANISATION_ANOMALIES: &str = "/referent/anomalies";
/// One anomaly (GET), or a comment about it (POST). Takes `{anomaly}`.
pub const ORGANISATION_ANOMALY: &str = "/referent/anomalies/{anomaly}";

/// The auditor's sign-in (GET asks, POST goes to the provider).
pub const AUDITOR_SIGN_IN: &str = "/auditor/sign-in";
/// States the purpose (GET, POST).
pub const PURPOSE: &str = "/auditor/purpose";
/// Searches the journal (GET with filters).
pub const SEARCH: &str = "/auditor";
/// What a search gives, as a bundle of proofs to take away.
pub const EXPORT: &str = "/auditor/export.tar";
/// One entry with its proof. Takes `{event}`.
pub const ENTRY: &str = "/auditor/entries/{event}";
/// Keeps a search under a name (POST).
pub const SAVED: &str = "/auditor/searches";
/// Forgets a kept search (POST). Takes `{search}`.
pub const SAVED_FORGET: &str = "/auditor/searches/{search}/forget";
/// Follows a mandate or an aidant through time (GET).
pub const FOLLOW: &str = "/auditor/follow";
/// Charts (GET with a period).
pub const CHARTS: &str = "/auditor/charts";
/// Random samples (GET lists, POST draws).
pub const SAMPLES: &str = "/auditor/samples";
/// One sample. Takes `{sample}`.
pub const SAMPLE: &str = "/auditor/samples/{sample}";
/// Its report, to print.
pub const SAMPLE_REPORT: &str = "/auditor/samples/{sample}/report";
/// The checklist of one of its entries (GET, POST). Takes `{sample}` and `{event}`.
pub const SAMPLE_ENTRY: &str = "/auditor/samples/{sample}/entries/{event}";
/// What the watch found (GET; `closed` for what is closed).
pub const ANOMALIES: &str = "/auditor/anomalies";
/// One anomaly (GET), or a comment about it (POST). Takes `{anomaly}`.
pub const ANOMALY: &str = "/auditor/anomalies/{anomaly}";
/// Closes it (GET asks, POST does).
pub const ANOMALY_CLOSE: &str = "/auditor/anomalies/{anomaly}/close";
/// Requests for content (GET lists, POST asks).
pub const CONTENT: &str = "/auditor/content";
/// Asks for content (GET with `mandate` or `entry`).
pub const CONTENT_ASK: &str = "/auditor/content/ask";
/// Opens what another auditor asked for (POST). Takes `{glass}`.
pub const CONTENT_APPROVE: &str = "/auditor/content/{glass}/approve";
/// Refuses what another auditor asked for (POST). Takes `{glass}`.
pub const CONTENT_REFUSE: &str = "/auditor/content/{glass}/refuse";

/// Where services send people (GET, POST).
pub const AUTHORIZE: &str = "/authorize";
/// A pending authorisation request: its choice of the usager.
pub const AUTHORIZE_REQUEST: &str = "/authorize/{request}";
/// Chooses the usager (GET, POST). Takes `{request}`, the handle of the pending authorisation request.
pub const AUTHORIZE_USAGER: &str = "/authorize/{request}/usager";
/// Looks a usager up by name and birth date (POST).
pub const AUTHORIZE_SEARCH: &str = "/authorize/{request}/search";
/// Chooses mandate and procedure (GET, POST).
pub const AUTHORIZE_MANDATE: &str = "/authorize/{request}/mandate";
/// Confirms (GET, POST).
pub const AUTHORIZE_CONFIRM: &str = "/authorize/{request}/confirm";
/// Gives up and goes back to the service (POST).
pub const AUTHORIZE_CANCEL: &str = "/authorize/{request}/cancel";

/// Where the QR code of a paper leads: number and code without what people write between.
#[must_use]
pub fn of_paper(number: &str, code: &str) -> String {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    PRESENTED_FILLED.replace("{number}", &plain(number)).replace("{code}", &plain(code))
}

/// The address with its mandate put in.
#[must_use]
pub fn of_mandate(path: &str, mandate: &MandateId) -> String {
    path.replace("{mandate}", mandate.as_str())
}

/// The address to ask a proposal's usager at, by one way.
#[must_use]
pub fn of_asking(mandate: &MandateId, way: ConsentChannel) -> String {
    of_mandate(ASK_WAY, mandate).replace("{way}", way.as_str())
}

/// The address with the number of a shard put in.
#[must_use]
pub fn of_shard(path: &str, number: u64) -> String {
    path.replace("{number}", &number.to_string())
}

/// The address with its mandate and a number put in.
#[must_use]
pub fn of_number(path: &str, mandate: &MandateId, number: u64) -> String {
    of_mandate(path, mandate).replace("{number}", &number.to_string())
}

/// The address with its mandate and procedure put in.
#[must_use]
pub fn of_procedure(path: &str, mandate: &MandateId, procedure: &ProcedureId) -> String {
    of_mandate(path, mandate).replace("{procedure}", procedure.as_str())
}

/// The address with its aidant put in.
#[must_use]
pub fn of_aidant(path: &str, aidant: &AidantId) -> String {
    path.replace("{aidant}", aidant.as_str())
}

/// The address with its representation put in.
#[must_use]
pub fn of_representation(path: &str, representation: &RepresentationId) -> String {
    path.replace("{representation}", representation.as_str())
}

/// The address with its journal entry put in.
#[must_use]
pub fn of_event(path: &str, event: &EventId) -> String {
    path.replace("{event}", event.as_str())
}

/// The address with its pending authorisation request put in; whatever is not a letter, a digit, `-` or `_` is
/// left out, so that a handle can never lead elsewhere.
#[must_use]
pub fn of_request(path: &str, request: &str) -> String {
    let handle: String =
        request.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    path.replace("{request}", &handle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_put_in() {
        let mandate = MandateId::from_bytes([1; 16]);
        let procedure = ProcedureId::parse("declare-income").unwrap();
        assert_eq!(
            of_procedure(USAGER_END_PROCEDURE, &mandate, &procedure),
            "/usager/mandates/01010101010101010101010101010101/procedures/declare-income/end"
        );
        assert_eq!(of_request(AUTHORIZE_CONFIRM, "a/../b_-9"), "/authorize/ab_-9/confirm");
    }
}
