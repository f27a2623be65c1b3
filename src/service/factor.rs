//! The second factor of ours: enrolled once, proved at sign-in, before acting and to take the screen back.

use super::session::{self, Opened};
use super::{App, Caller, Error, FactorError, Record, Session, SessionError, Who};
use crate::crypto::{Cell, RecoveryCode, SecretString, TotpSeed, TotpStep, normalise_code};
use crate::mandate::{AidantId, EventKind, Instant, OrganisationId};
use crate::storage::data_keys::KeyKind;
use crate::storage::factors::{self, FactorRow, FactorState};
use crate::storage::{Snapshot, Tx, aidants};
use std::sync::Arc;
use time::Duration;

/// Wrong codes in a row before the factor is locked.
const MOST_FAILURES: i64 = 5;
/// How long it stays locked.
const LOCK: Duration = Duration::minutes(15);

/// What the enrolment page shows.
pub struct Enrolment {
    /// The address inside the QR code.
    pub uri: SecretString,
    /// The same key as text, for those who type it.
    pub key: SecretString,
}

/// What the person keeps of an enrolment.
pub struct Enrolled {
    /// The session, its factor proved.
    pub opened: Opened,
    /// Recovery codes, shown once.
    pub codes: Vec<RecoveryCode>,
}

/// Whether the aidant has a confirmed factor.
pub async fn is_enrolled(app: &App, aidant: &AidantId) -> Result<bool, Error> {
    let aidant = aidant.clone();
    app.store
        .read("factor.enrolled", |snapshot| Box::pin(async move { confirmed(snapshot, &aidant).await }))
        .await
        .map(|factor| factor.is_some())
}

/// What a person does next about their second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Nothing: it is proved, or none is asked of this person.
    None,
    /// Prove the enrolled one.
    Prove,
    /// Enrol one.
    Enrol,
}

/// What the holder of a session does next about their second factor.
pub async fn next_step(app: &App, session: &Session) -> Result<NextStep, Error> {
    match &session.who {
        Who::Aidant { factor_at: None, aidant, .. } if is_enrolled(app, aidant).await? => Ok(NextStep::Prove),
        Who::Aidant { factor_at: None, .. } => Ok(NextStep::Enrol),
        _ => Ok(NextStep::None),
    }
}

/// How many wrong codes are left before the factor is locked.
pub async fn tries_left(app: &App, session: &Session) -> Result<u8, Error> {
    let failures = state(app, session).await?.map_or(0, |factor| factor.failures);
    Ok(u8::try_from(MOST_FAILURES - failures).unwrap_or(0))
}

/// Until when the factor is locked; now, when it is not.
pub async fn locked_until(app: &App, session: &Session) -> Result<Instant, Error> {
    Ok(state(app, session).await?.and_then(|factor| factor.locked_until).unwrap_or_else(|| app.now()))
}

/// The factor of the aidant whose session it is, handed over and locked screens included.
async fn state(app: &App, session: &Session) -> Result<Option<FactorRow>, Error> {
    let (Who::Aidant { aidant, .. } | Who::HandedOver { aidant, .. } | Who::Locked { aidant, .. }) =
        &session.who
    else {
        return Ok(None);
    };
    let aidant = aidant.clone();
    app.store
        .read("factor.state", |snapshot| Box::pin(async move { Ok(factors::load(snapshot, &aidant).await?) }))
        .await
}

async fn confirmed(snapshot: &mut Snapshot, aidant: &AidantId) -> Result<Option<FactorRow>, Error> {
    Ok(factors::load(snapshot, aidant).await?.filter(|factor| factor.state == FactorState::Confirmed))
}

fn cell(aidant: &AidantId) -> Cell<'_> {
    Cell { table: "factor", row: aidant.as_str(), column: "seed_sealed" }
}

async fn seed(app: &App, snapshot: &mut Snapshot, factor: &FactorRow) -> Result<TotpSeed, Error> {
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Aidant, factor.aidant.as_str()).await?;
    let bytes = key.ok_or(Error::Unreadable)?.open(&cell(&factor.aidant), &factor.seed_sealed)?;
    TotpSeed::from_slice(&bytes).ok_or(Error::Unreadable)
}

/// Begins an enrolment, or shows again the one under way: a reloaded page keeps the scanned key good.
///
/// # Errors
/// [`FactorError::Exists`] when a factor is confirmed already.
pub async fn enrolment(app: &App, session: &Session) -> Result<Enrolment, Error> {
    let aidant = session.signed_in_aidant()?.aidant.clone();
    let app_ = Arc::clone(app);
    let seed = app
        .commit("factor.enrolment", move |tx| {
            let (app, aidant) = (Arc::clone(&app_), aidant.clone());
            Box::pin(async move { pending_seed(&app, tx, &aidant).await })
        })
        .await?;
    Ok(Enrolment { uri: seed.uri("Porteplume", "aidant"), key: seed.base32() })
}

async fn pending_seed(app: &App, tx: &mut Tx, aidant: &AidantId) -> Result<TotpSeed, Error> {
    match factors::load(tx, aidant).await? {
        Some(factor) if factor.state == FactorState::Confirmed => Err(FactorError::Exists.into()),
        Some(factor) => seed(app, tx, &factor).await,
        None => {
            let seed = TotpSeed::generate(&*app.entropy)?;
            let subject = (KeyKind::Aidant, aidant.as_str());
            let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, app.now()).await?;
            let sealed = key.seal(&*app.entropy, &cell(aidant), seed.expose())?;
            factors::begin(tx, aidant, &sealed).await?;
            Ok(seed)
        }
    }
}

/// Ends an enrolment with its first right code; gives recovery codes.
pub async fn enrol(app: &App, session: &Session, caller: &Caller, typed: &str) -> Result<Enrolled, Error> {
    let (aidant, now) = (session.signed_in_aidant()?.aidant.clone(), app.now());
    let opened = proved(app, session, now)?;
    let codes = RecoveryCode::generate_set(&*app.entropy)?;
    let hashes: Vec<_> = codes.iter().map(|code| recovery_hash(app, &aidant, code.expose())).collect();
    let (before, after, hashes) = (session.id, Arc::new(opened.session.clone()), Arc::new(hashes));
    let (app_, caller, typed) = (Arc::clone(app), caller.clone(), typed.to_owned());
    app.commit("factor.enrol", move |tx| {
        let (app, aidant, typed) = (Arc::clone(&app_), aidant.clone(), typed.clone());
        let (caller, after, hashes) = (caller.clone(), Arc::clone(&after), Arc::clone(&hashes));
        Box::pin(async move {
            let enrolled = first_code(&app, tx, &aidant, &typed, now, &caller).await?;
            if enrolled.is_ok() {
                factors::replace_recovery_codes(tx, &aidant, &hashes).await?;
                session::rotate(tx, &before, &after).await?;
            }
            Ok(enrolled)
        })
    })
    .await??;
    Ok(Enrolled { opened, codes })
}

async fn first_code(
    app: &App,
    tx: &mut Tx,
    aidant: &AidantId,
    typed: &str,
    now: Instant,
    caller: &Caller,
) -> Result<Result<(), FactorError>, Error> {
    let factor = match factors::load(tx, aidant).await? {
        None => return Ok(Err(FactorError::Missing)),
        Some(factor) if factor.state == FactorState::Confirmed => return Ok(Err(FactorError::Exists)),
        Some(factor) => factor,
    };
    let organisation = organisation_of(tx, aidant).await?;
    let attempt = Attempt { app, aidant, organisation: &organisation, caller, now };
    attempt.totp(tx, &factor, &normalise_code(typed), EventKind::FactorEnrolled).await
}

/// Proves the factor for a signed-in aidant; the session rotates, the factor fresh from now.
pub async fn prove(app: &App, session: &Session, caller: &Caller, typed: &str) -> Result<Opened, Error> {
    let aidant = session.signed_in_aidant()?.aidant.clone();
    let opened = proved(app, session, app.now())?;
    let after = Arc::new(opened.session.clone());
    let (before, now) = (session.id, app.now());
    let (app_, caller, typed) = (Arc::clone(app), caller.clone(), typed.to_owned());
    app.commit("factor.prove", move |tx| {
        let (app, aidant, typed) = (Arc::clone(&app_), aidant.clone(), typed.clone());
        let (caller, after) = (caller.clone(), Arc::clone(&after));
        Box::pin(async move {
            let checked = check(&app, tx, &aidant, &typed, now, &caller).await?;
            if checked.is_ok() {
                session::rotate(tx, &before, &after).await?;
            }
            Ok(checked)
        })
    })
    .await??;
    Ok(opened)
}

/// The session with its factor proved now.
fn proved(app: &App, session: &Session, now: Instant) -> Result<Opened, Error> {
    let Who::Aidant { aidant, authenticated_at, level, .. } = &session.who else {
        return Err(SessionError::WrongRole.into());
    };
    let who = Who::Aidant {
        aidant: aidant.clone(),
        authenticated_at: *authenticated_at,
        factor_at: Some(now),
        level: level.clone(),
    };
    session::next(app, session, who)
}

async fn organisation_of(tx: &mut Tx, aidant: &AidantId) -> Result<OrganisationId, Error> {
    Ok(aidants::load(tx, aidant).await?.ok_or(Error::NotFound)?.organisation)
}

/// Checks a typed code, TOTP or recovery, within a write. A refusal is journaled and comes back inside `Ok`, so
/// that the caller's write commits it.
pub async fn check(
    app: &App,
    tx: &mut Tx,
    aidant: &AidantId,
    typed: &str,
    now: Instant,
    caller: &Caller,
) -> Result<Result<(), FactorError>, Error> {
    let Some(factor) = confirmed(tx, aidant).await? else { return Ok(Err(FactorError::Missing)) };
    let organisation = organisation_of(tx, aidant).await?;
    let attempt = Attempt { app, aidant, organisation: &organisation, caller, now };
    if factor.locked_until.is_some_and(|until| until > now) {
        return attempt.refuse(tx, &factor, FactorError::Locked).await;
    }
    let typed = normalise_code(typed);
    if typed.len() == 6 {
        return attempt.totp(tx, &factor, &typed, EventKind::FactorProved).await;
    }
    attempt.recovery(tx, &factor, &typed).await
}

fn recovery_hash(app: &App, aidant: &AidantId, code: &str) -> String {
    app.keys.index().keyed_hash("recovery_code", &[aidant.as_str(), &normalise_code(code)])
}

/// One try at a factor.
struct Attempt<'a> {
    app: &'a App,
    aidant: &'a AidantId,
    organisation: &'a OrganisationId,
    caller: &'a Caller,
    now: Instant,
}

impl Attempt<'_> {
    fn record(&self, record: Record) -> Record {
        record.organisation(self.organisation).aidant(self.aidant)
    }

    async fn totp(
        &self,
        tx: &mut Tx,
        factor: &FactorRow,
        typed: &str,
        kind: EventKind,
    ) -> Result<Result<(), FactorError>, Error> {
        if factor.locked_until.is_some_and(|until| until > self.now) {
            return self.refuse(tx, factor, FactorError::Locked).await;
        }
        let last = TotpStep::from_number(factor.last_step);
        let seed = seed(self.app, tx, factor).await?;
        match seed.matching_step(typed.trim(), self.now, Some(last)) {
            Some(step) => self.accept(tx, factor, step.number(), kind).await.map(Ok),
            None => self.refuse(tx, factor, FactorError::Wrong).await,
        }
    }

    async fn recovery(
        &self,
        tx: &mut Tx,
        factor: &FactorRow,
        typed: &str,
    ) -> Result<Result<(), FactorError>, Error> {
        let hash = recovery_hash(self.app, self.aidant, typed);
        if factors::use_recovery_code(tx, self.aidant, &hash, self.now).await? {
            return self.accept(tx, factor, factor.last_step, EventKind::RecoveryCodeUsed).await.map(Ok);
        }
        self.refuse(tx, factor, FactorError::Wrong).await
    }

    async fn accept(&self, tx: &mut Tx, factor: &FactorRow, step: i64, kind: EventKind) -> Result<(), Error> {
        let event = self.record(Record::done(kind)).append(self.app, tx, self.caller, self.now).await?;
        let after = FactorRow {
            state: FactorState::Confirmed,
            last_step: step,
            failures: 0,
            locked_until: None,
            confirmed_at: Some(factor.confirmed_at.unwrap_or(self.now)),
            ..factor.clone()
        };
        Ok(factors::update(tx, factor, &after, &event).await?)
    }

    async fn refuse(
        &self,
        tx: &mut Tx,
        factor: &FactorRow,
        error: FactorError,
    ) -> Result<Result<(), FactorError>, Error> {
        let locked = error == FactorError::Locked;
        let failures = if locked { factor.failures } else { factor.failures + 1 };
        let locks = !locked && failures >= MOST_FAILURES;
        let error = if locks { FactorError::Locked } else { error };
        let kind = if locks { EventKind::FactorLocked } else { EventKind::FactorFailed };
        let record = self.record(Record::refused(kind, Error::from(error).code()));
        let event = record.append(self.app, tx, self.caller, self.now).await?;
        let after = FactorRow {
            failures: if locks { 0 } else { failures },
            locked_until: if locks { Some(self.now.plus(LOCK)) } else { factor.locked_until },
            ..factor.clone()
        };
        factors::update(tx, factor, &after, &event).await?;
        Ok(Err(error))
    }
}
