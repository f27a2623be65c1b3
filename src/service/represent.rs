//! An aidant carries a procedure out in a usager's name: the representation is opened, its code issued, its end noted.

mod preview;

pub use preview::{Confirmation, preview};

use super::authorize::{Waiting, answerer, find_request};
use super::end::{close_one, close_representation};
use super::grounds::{Parties, Refused, Use};
use super::office::Office;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, Session, SignedInAidant};
use crate::crypto::OpaqueToken;
use crate::mandate::{
    Allowed, EventId, EventKind, Instant, MandateId, ProcedureId, Refusal, RepresentationId, UsagerId,
};
use crate::provider::CODE_LIFE;
use crate::storage::authorizations::{self, AuthorizationRequestRow};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::{self, CloseReason, RepresentationRow, Scope};
use crate::storage::tokens::{self, CodeRow};
use crate::storage::{Snapshot, Tx};
use std::sync::Arc;
use time::Duration;

/// How long a representation stays open at most.
pub const LONGEST: Duration = Duration::minutes(60);

/// What a choice came to.
pub enum Chosen {
    /// Opened: the address that takes the code to the service.
    Opened(String),
    /// Refused by a rule; the request still waits.
    Refused(Box<Waiting>, Refusal),
}

/// What was chosen, with the secrets made for it.
struct Choice {
    session: Session,
    caller: Caller,
    handle: String,
    mandate: MandateId,
    procedure: ProcedureId,
    id: RepresentationId,
    code: OpaqueToken,
    now: Instant,
}

/// Opens a representation and issues its code. Sent twice, it opens nothing twice.
///
/// # Errors
/// [`Error::NotFound`] for a request that is not this session's and for anybody else's mandate (then journaled).
pub async fn choose(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    mandate: &MandateId,
    procedure: &ProcedureId,
) -> Result<Chosen, Error> {
    let choice = Arc::new(Choice {
        session: session.clone(),
        caller: caller.clone(),
        handle: handle.to_owned(),
        mandate: mandate.clone(),
        procedure: procedure.clone(),
        id: RepresentationId::from_bytes(app.new_id()?),
        code: OpaqueToken::generate(&*app.entropy)?,
        now: app.now(),
    });
    let app_ = Arc::clone(app);
    let (chosen, earlier) = app
        .include("represent.choose", move |tx| {
            let (app, choice) = (Arc::clone(&app_), Arc::clone(&choice));
            Box::pin(async move { choice.run(&app, tx).await })
        })
        .await??;
    app.stands(earlier).await?;
    Ok(chosen)
}

/// What a choice came to, and the entry of an earlier one of which it goes on.
type Outcome = (Chosen, Option<EventId>);

impl Choice {
    /// All in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn run(&self, app: &App, tx: &mut Tx) -> Result<Result<Outcome, Error>, Error> {
        let waiting = find_request(tx, &self.session, &self.handle).await?;
        let aidant = waiting.ready(&self.session, self.now)?;
        if let Some(used_at) = waiting.row.used_at {
            return self.resume(app, tx, &waiting, &aidant, used_at).await.map(Ok);
        }
        if self.now >= waiting.row.expires_at {
            return Err(Error::NotFound);
        }
        let parties = Parties::read(tx, aidant.aidant, &waiting.client_row).await?;
        let Some(row) = mandates::load(tx, &self.mandate).await? else {
            self.keep_refusal(app, tx, &parties, None, Error::NotFound.code()).await?;
            return Ok(Err(Error::NotFound));
        };
        match waiting.decide(app, &parties, &row.mandate, &self.procedure, self.now) {
            Ok(allowed) => {
                let by = (&self.caller, self.now);
                if let Err(used_up) = waiting.spend(app, tx, &self.session, by).await? {
                    return Ok(Err(used_up));
                }
                let opened = self.open(app, tx, &waiting, (&parties, &aidant), row, allowed).await?;
                Ok(Ok((opened, None)))
            }
            Err(refusal) => {
                self.keep_refusal(app, tx, &parties, row.mandate.usager(), refusal.code()).await?;
                Ok(match refusal {
                    Refusal::ForeignMandate => Err(Error::NotFound),
                    other => Ok((Chosen::Refused(Box::new(waiting), other), None)),
                })
            }
        }
    }

    async fn keep_refusal(
        &self,
        app: &App,
        tx: &mut Tx,
        parties: &Parties,
        usager: Option<&UsagerId>,
        code: &'static str,
    ) -> Result<(), Error> {
        let refused = Refused {
            kind: EventKind::RepresentationRefused,
            code,
            organisation: &parties.organisation.id,
            aidant: &parties.aidant.id,
            client: &parties.service.id,
            mandate: Some(&self.mandate),
            usager,
            procedure: Some(&self.procedure),
        };
        refused.keep(app, tx, (&self.caller, self.now)).await
    }

    async fn open(
        &self,
        app: &App,
        tx: &mut Tx,
        waiting: &Waiting,
        (parties, aidant): (&Parties, &SignedInAidant<'_>),
        mut row: MandateRow,
        allowed: Allowed,
    ) -> Result<Chosen, Error> {
        let own = self.session.id.to_hex();
        authorizations::take(tx, &waiting.row.id_hash, &own, self.now).await?.ok_or(Error::Conflict)?;
        let usager = row.mandate.usager().cloned().ok_or(Error::Unreadable)?;
        let by = (Actor::Aidant(aidant.aidant), &self.caller, self.now);
        for older in representations::open(tx, &Scope::Session(self.session.sid.clone())).await? {
            if older.client == waiting.request.client {
                close_beside(app, tx, &mut row, &older, CloseReason::Replaced, by).await?;
            }
        }
        let acts: Vec<&str> = allowed.acts.iter().map(|act| act.as_str()).collect();
        let ends_at = allowed.until.min(self.now.plus(LONGEST));
        let record = Record::done(EventKind::RepresentationOpened)
            .client(&waiting.request.client)
            .procedure(&self.procedure)
            .detail("representation", self.id.as_str())
            .detail("acts", acts.join(" "))
            .detail("ends_at", ends_at.millis());
        let event = note(app, tx, &mut row, record, by).await?;
        let opened = RepresentationRow {
            id: self.id.clone(),
            mandate: self.mandate.clone(),
            organisation: parties.organisation.id.clone(),
            aidant: aidant.aidant.clone(),
            usager,
            client: waiting.request.client.clone(),
            procedure: self.procedure.clone(),
            acts: allowed.acts,
            sid: self.session.sid.clone(),
            opened_at: self.now,
            ends_at,
            closed: None,
            outcome: None,
            told: None,
            version: 1,
        };
        representations::insert(tx, &opened, &event).await?;
        let code = code(&self.code, &waiting.row, &opened.id, aidant, &self.session, (event, self.now));
        tokens::insert_code(tx, &code).await?;
        let by = answerer(app, &waiting.client, self.now)?;
        Ok(Chosen::Opened(waiting.request.to.success(&by, self.code.expose())?))
    }

    /// The same choice sent again (a double click, a lost answer): a fresh code for what it opened, as long as the
    /// first code was not used; the first one dies.
    async fn resume(
        &self,
        app: &App,
        tx: &mut Tx,
        waiting: &Waiting,
        aidant: &SignedInAidant<'_>,
        used_at: Instant,
    ) -> Result<Outcome, Error> {
        let chosen = (&self.mandate, &self.procedure, used_at);
        let (opened, first) = opened_before(tx, &self.session, waiting, chosen).await?;
        let mut opened = Use::read(tx, opened).await?;
        if opened.allowed(app, self.now).is_err() {
            return Err(Error::NotFound);
        }
        let id = &opened.representation.id;
        tokens::revoke_live(tx, &Scope::Representation(id.clone()), self.now).await?;
        let record = Record::done(EventKind::CodeIssued)
            .client(&opened.representation.client)
            .procedure(&self.procedure)
            .detail("representation", id.as_str());
        let by = (Actor::Aidant(aidant.aidant), &self.caller, self.now);
        note(app, tx, &mut opened.row, record, by).await?;
        let made = (first.event.clone(), self.now);
        let code = code(&self.code, &waiting.row, id, aidant, &self.session, made);
        tokens::insert_code(tx, &code).await?;
        // This code leaves no sooner than the first might have.
        let by = answerer(app, &waiting.client, self.now)?;
        let to = waiting.request.to.success(&by, self.code.expose())?;
        Ok((Chosen::Opened(to), Some(first.event)))
    }
}

/// What the same choice opened before, with the code made for it.
///
/// # Errors
/// [`Error::NotFound`] when it opened nothing, or its code was exchanged.
async fn opened_before(
    snapshot: &mut Snapshot,
    session: &Session,
    waiting: &Waiting,
    (mandate, procedure, used_at): (&MandateId, &ProcedureId, Instant),
) -> Result<(RepresentationRow, CodeRow), Error> {
    let open = representations::open(snapshot, &Scope::Session(session.sid.clone())).await?;
    let opened = open.into_iter().find(|one| {
        one.opened_at == used_at
            && one.client == waiting.request.client
            && one.mandate == *mandate
            && one.procedure == *procedure
    });
    let opened = opened.ok_or(Error::NotFound)?;
    let first = tokens::code_of(snapshot, &opened.id).await?.filter(|code| code.used_at.is_none());
    Ok((opened, first.ok_or(Error::NotFound)?))
}

/// Closes a representation in the same write that goes on using a mandate's row, which may be its own.
async fn close_beside(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    older: &RepresentationRow,
    reason: CloseReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    if older.mandate == row.mandate.id {
        return close_representation(app, tx, row, older, reason, by).await;
    }
    let mut other = mandates::load(tx, &older.mandate).await?.ok_or(Error::Unreadable)?;
    close_representation(app, tx, &mut other, older, reason, by).await
}

pub(super) fn code(
    code: &OpaqueToken,
    request: &AuthorizationRequestRow,
    representation: &RepresentationId,
    aidant: &SignedInAidant<'_>,
    session: &Session,
    (event, now): (EventId, Instant),
) -> CodeRow {
    CodeRow {
        code_hash: code.hash().to_hex(),
        representation: representation.clone(),
        client: request.client.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        auth_time: aidant.authenticated_at,
        aidant_level: aidant.level.to_owned(),
        event,
        sid: session.sid.clone(),
        issued_at: now,
        expires_at: now.plus(CODE_LIFE),
        used_at: None,
        revoked_at: None,
        dpop_jkt: request.dpop_jkt.clone(),
    }
}

/// An aidant closes a representation of their own.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's, journaled.
pub async fn close(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &RepresentationId,
) -> Result<(), Error> {
    let aidant = session.aidant()?.aidant.clone();
    let (app_, caller, id, now) = (Arc::clone(app), caller.clone(), id.clone(), app.now());
    app.include("represent.close", move |tx| {
        let (app, caller, id, aidant) = (Arc::clone(&app_), caller.clone(), id.clone(), aidant.clone());
        Box::pin(async move {
            let row = representations::load(tx, &id).await?.filter(|row| row.aidant == aidant);
            let Some(row) = row else {
                let office = Office::behind(tx, &aidant).await?;
                let told = office.refuse_access(&app, tx, Error::NotFound, (&caller, now)).await?;
                return Ok(Err(told));
            };
            let by = (Actor::Aidant(&aidant), &caller, now);
            close_one(&app, tx, &row, CloseReason::SignedOut, by).await?;
            Ok(Ok(()))
        })
    })
    .await?
}
