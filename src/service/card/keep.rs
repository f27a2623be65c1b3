//! A card as it is kept: made, read to be printed, emptied.

use super::hash;
use crate::crypto::{Cell, SecretString, VerificationCode};
use crate::mandate::{EventId, Instant, MandateId, Tries};
use crate::service::vault::OpenKey;
use crate::service::{App, Error};
use crate::storage::cards::{self, CardRow};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, Tx};
use std::sync::Arc;

/// Where a card's code rests.
fn cell(mandate: &MandateId) -> Cell<'_> {
    Cell { table: "revocation_card", row: mandate.as_str(), column: "code_sealed" }
}

/// A card with a new code, not stored yet: the entry that tells of it comes first.
pub(in crate::service) async fn draw(
    app: &App,
    tx: &mut Tx,
    mandate: &MandateId,
    version: i64,
    now: Instant,
) -> Result<CardRow, Error> {
    let code = VerificationCode::generate(&*app.entropy)?;
    let subject = (KeyKind::Mandate, mandate.as_str());
    let key: Arc<OpenKey> = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
    let sealed = key.seal(&*app.entropy, &cell(mandate), code.expose().as_bytes())?;
    Ok(CardRow {
        mandate: mandate.clone(),
        code: Some((hash(app, mandate, code.expose()), sealed)),
        made_at: now,
        tries: Tries::default(),
        version,
    })
}

/// The code of a mandate's card, to be printed; none for a mandate without one.
pub(in crate::service) async fn code(
    app: &App,
    snapshot: &mut Snapshot,
    mandate: &MandateId,
) -> Result<Option<SecretString>, Error> {
    let Some((_, sealed)) = cards::load(snapshot, mandate).await?.and_then(|card| card.code) else {
        return Ok(None);
    };
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Mandate, mandate.as_str()).await?;
    let code = key.ok_or(Error::Unreadable)?.open(&cell(mandate), &sealed)?;
    Ok(Some(SecretString::new(String::from_utf8(code).map_err(|_| Error::Unreadable)?)))
}

/// How a mandate's card stands, for those who may see the mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The wrong codes tried on it.
    pub tries: Tries,
    /// Whether it is locked now.
    pub locked: bool,
}

/// How a mandate's card stands; none for one without a card.
pub(in crate::service) async fn standing(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    now: Instant,
) -> Result<Option<Standing>, Error> {
    let card = cards::load(snapshot, mandate).await?.filter(|card| card.code.is_some());
    Ok(card.map(|card| Standing { tries: card.tries, locked: card.tries.is_locked(now) }))
}

/// A mandate's card without its code, as erasing leaves it; none when there was no card.
pub(in crate::service) async fn emptied(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
) -> Result<Option<(CardRow, CardRow)>, Error> {
    let before = cards::load(snapshot, mandate).await?;
    Ok(before.map(|before| {
        let after = CardRow { code: None, version: before.version + 1, ..before.clone() };
        (before, after)
    }))
}

/// Stores what [`emptied`] gave, with the entry that tells of it.
pub(in crate::service) async fn store(
    tx: &mut Tx,
    card: Option<(CardRow, CardRow)>,
    event: &EventId,
) -> Result<(), Error> {
    match card {
        Some((before, after)) => Ok(cards::update(tx, &before, &after, event).await?),
        None => Ok(()),
    }
}
