//! Sessions: started, found again, rotated at each rise of privilege, ended.

use super::who::{Identified, LONGEST, Session, Who};
use super::{App, Error};
use crate::clock::random;
use crate::crypto::{OpaqueToken, TokenHash, to_hex};
use crate::mandate::{Instant, Language};
use crate::storage::sessions::{self, SessionKind, SessionRow};
use crate::storage::{StoreError, Tx};
use std::sync::Arc;
use time::Duration;

/// Use is noted at most this often, so that reading pages does not write.
const TOUCH_EVERY: Duration = Duration::minutes(1);

/// A session together with the secret for its cookie. The secret is shown once.
pub struct Opened {
    /// What the browser keeps.
    pub cookie: OpaqueToken,
    /// The session.
    pub session: Session,
}

/// Finds the session of a cookie. None when it is unknown or over; notes that it was used.
pub async fn resume(app: &App, cookie: &str) -> Result<Option<Session>, Error> {
    let hash = OpaqueToken::hash_of(cookie);
    let key = hash.to_hex();
    let row = app
        .store
        .read_one("session.resume", |snapshot| {
            Box::pin(async move { Ok::<_, Error>(sessions::load(snapshot, &key).await?) })
        })
        .await?;
    let Some(row) = row else { return Ok(None) };
    let session = from_row(hash, row)?;
    let now = app.now();
    if session.is_over(now) {
        return Ok(None);
    }
    if now.since(session.seen_at) >= TOUCH_EVERY {
        let key = hash.to_hex();
        app.commit("session.touch", move |tx| {
            let key = key.clone();
            Box::pin(async move { Ok::<_, Error>(sessions::touch(tx, &key, now).await?) })
        })
        .await?;
    }
    Ok(Some(session))
}

/// Starts a session that nobody holds yet.
pub async fn start(app: &App, language: Language) -> Result<Opened, Error> {
    let now = app.now();
    let cookie = OpaqueToken::generate(&*app.entropy)?;
    let session = Session {
        id: cookie.hash(),
        sid: to_hex(&random::<16>(&*app.entropy)?),
        who: Who::Anonymous,
        csrf: random::<32>(&*app.entropy)?,
        language,
        created_at: now,
        seen_at: now,
        ends_at: now.plus(LONGEST),
        id_tokens: None,
    };
    let row = Arc::new(to_row(&session));
    app.commit("session.start", move |tx| {
        let row = Arc::clone(&row);
        Box::pin(async move { Ok::<_, Error>(sessions::insert(tx, &row).await?) })
    })
    .await?;
    Ok(Opened { cookie, session })
}

/// A session's next form, with a new secret, a new form key and another holder. What hangs on the session
/// (a sign-in under way, an authorization request) follows. Made before the write that stores it.
pub fn next(app: &App, session: &Session, who: Who) -> Result<Opened, Error> {
    let now = app.now();
    let cookie = OpaqueToken::generate(&*app.entropy)?;
    // A person who signs in begins their twelve hours; within them no step makes it longer.
    let fresh = matches!(session.who, Who::Anonymous);
    let session = Session {
        id: cookie.hash(),
        who,
        csrf: random::<32>(&*app.entropy)?,
        seen_at: now,
        ends_at: if fresh { now.plus(LONGEST) } else { session.ends_at },
        ..session.clone()
    };
    Ok(Opened { cookie, session })
}

/// Stores the next form of a session within a write. Such a write does not wait for the journal: if it gave up waiting,
/// the browser would be left with a secret that opens nothing any more.
///
/// # Errors
/// [`SignInNeeded`](super::SessionError::SignInNeeded) when the session was rotated or ended meanwhile.
pub async fn rotate(tx: &mut Tx, before: &TokenHash, after: &Session) -> Result<(), Error> {
    match sessions::update(tx, &before.to_hex(), &to_row(after)).await {
        Err(StoreError::Conflict { .. }) => Err(super::SessionError::SignInNeeded.into()),
        other => Ok(other?),
    }
}

/// Ends a session within a write.
pub async fn end(tx: &mut Tx, session: &TokenHash) -> Result<(), Error> {
    Ok(sessions::delete(tx, &session.to_hex()).await?)
}

/// Keeps another language for a session.
pub async fn speak(app: &App, session: &Session, language: Language) -> Result<(), Error> {
    let after = Arc::new(to_row(&Session { language, ..session.clone() }));
    app.commit("session.language", move |tx| {
        let after = Arc::clone(&after);
        Box::pin(async move { Ok::<_, Error>(sessions::update(tx, &after.id_hash, &after).await?) })
    })
    .await?;
    Ok(())
}

fn to_row(session: &Session) -> SessionRow {
    let mut row = SessionRow {
        id_hash: session.id.to_hex(),
        sid: session.sid.clone(),
        kind: SessionKind::Anonymous,
        aidant: None,
        usager: None,
        auditor: None,
        reading: None,
        mandate: None,
        provider_sub: None,
        authenticated_at: None,
        factor_at: None,
        identified_at: None,
        identity_level: None,
        usager_level: None,
        csrf: session.csrf,
        language: session.language,
        created_at: session.created_at,
        seen_at: session.seen_at,
        ends_at: session.ends_at,
        id_token_hint_sealed: session.id_tokens.clone(),
    };
    match session.who.clone() {
        Who::Anonymous => {}
        Who::Aidant { aidant, authenticated_at, factor_at, level } => {
            row.kind = SessionKind::Aidant;
            row.aidant = Some(aidant);
            row.authenticated_at = Some(authenticated_at);
            row.factor_at = factor_at;
            row.identity_level = Some(level);
        }
        Who::HandedOver { aidant, authenticated_at, level, mandate, identified } => {
            row.kind = SessionKind::HandedOver;
            row.aidant = Some(aidant);
            row.authenticated_at = Some(authenticated_at);
            row.identity_level = Some(level);
            row.mandate = Some(mandate);
            row = named(row, identified);
        }
        Who::Consenting { mandate, identified } => {
            row.kind = SessionKind::Consenting;
            row.mandate = Some(mandate);
            row = named(row, identified);
        }
        Who::Locked { aidant, authenticated_at, level, mandate } => {
            row.kind = SessionKind::Locked;
            row.aidant = Some(aidant);
            row.authenticated_at = Some(authenticated_at);
            row.identity_level = Some(level);
            row.mandate = Some(mandate);
        }
        Who::Usager { usager, authenticated_at, level } => {
            row.kind = SessionKind::Usager;
            row.usager = Some(usager);
            row.authenticated_at = Some(authenticated_at);
            row.identity_level = Some(level);
        }
        Who::Auditor { auditor, authenticated_at, reading } => {
            row.kind = SessionKind::Auditor;
            row.auditor = Some(auditor);
            row.authenticated_at = Some(authenticated_at);
            row.reading = reading;
        }
    }
    row
}

fn named(row: SessionRow, identified: Option<Identified>) -> SessionRow {
    let Some(Identified { usager, at, level }) = identified else { return row };
    SessionRow { usager: Some(usager), identified_at: Some(at), usager_level: Some(level), ..row }
}

fn identified(row: &SessionRow) -> Option<Identified> {
    match (&row.usager, row.identified_at, &row.usager_level) {
        (Some(usager), Some(at), Some(level)) => {
            Some(Identified { usager: usager.clone(), at, level: level.clone() })
        }
        _ => None,
    }
}

fn from_row(id: TokenHash, row: SessionRow) -> Result<Session, Error> {
    let who = holder(&row).ok_or_else(|| StoreError::Inconsistent {
        table: "session",
        column: "kind",
        id: String::new(),
    })?;
    Ok(Session {
        id,
        sid: row.sid,
        who,
        csrf: row.csrf,
        language: row.language,
        created_at: row.created_at,
        seen_at: row.seen_at,
        ends_at: row.ends_at,
        id_tokens: row.id_token_hint_sealed,
    })
}

fn holder(row: &SessionRow) -> Option<Who> {
    let level = || row.identity_level.clone();
    let authenticated_at: Option<Instant> = row.authenticated_at;
    Some(match row.kind {
        SessionKind::Anonymous => Who::Anonymous,
        SessionKind::Aidant => Who::Aidant {
            aidant: row.aidant.clone()?,
            authenticated_at: authenticated_at?,
            factor_at: row.factor_at,
            level: level()?,
        },
        SessionKind::HandedOver => Who::HandedOver {
            aidant: row.aidant.clone()?,
            authenticated_at: authenticated_at?,
            level: level()?,
            mandate: row.mandate.clone()?,
            identified: identified(row),
        },
        SessionKind::Consenting => {
            Who::Consenting { mandate: row.mandate.clone()?, identified: identified(row) }
        }
        SessionKind::Locked => Who::Locked {
            aidant: row.aidant.clone()?,
            authenticated_at: authenticated_at?,
            level: level()?,
            mandate: row.mandate.clone()?,
        },
        SessionKind::Usager => {
            Who::Usager { usager: row.usager.clone()?, authenticated_at: authenticated_at?, level: level()? }
        }
        SessionKind::Auditor => Who::Auditor {
            auditor: row.auditor.clone()?,
            authenticated_at: authenticated_at?,
            reading: row.reading.clone(),
        },
    })
}
