//! The code given by the usager on a device of their own: the proposal opens there, and nothing else.

use super::{code_hash, open_proposal};
use crate::mandate::{ConsentChannel, DECLARED, EventKind, Instant, MandateId};
use crate::service::session::{self, Opened};
use crate::service::steps::{Actor, note};
use crate::service::{App, AskingError, Caller, Error, Identified, Record, Session, SessionError, Who};
use crate::storage::askings::{self, AskingRow};
use std::sync::Arc;

/// Opens the proposal of a code in this browser. The code can be given again while the proposal waits.
///
/// # Errors
/// [`AskingError::Refused`] whatever is wrong: the code, its time, or the proposal was answered; [`Error::Session`] when
/// somebody is signed in here, or the screen is in somebody's hands.
pub async fn open(app: &App, session: &Session, caller: &Caller, code: &str) -> Result<Opened, Error> {
    match &session.who {
        Who::Anonymous | Who::Consenting { .. } | Who::Usager { .. } => {}
        Who::HandedOver { .. } | Who::Locked { .. } => return Err(SessionError::ScreenLocked.into()),
        Who::Aidant { .. } | Who::Auditor { .. } => return Err(SessionError::WrongRole.into()),
    }
    let hash = code_hash(app, ConsentChannel::OwnDevice, &MandateId::from_bytes([0; 16]), code);
    let (app_, before, caller, now) = (Arc::clone(app), session.clone(), caller.clone(), app.now());
    app.commit("consent.open", move |tx| {
        let (app, before, caller, hash) = (Arc::clone(&app_), before.clone(), caller.clone(), hash.clone());
        Box::pin(async move {
            let Some(asking) = askings::by_code(tx, &hash).await? else {
                return Ok(Err(AskingError::Refused.into()));
            };
            let Some(mut row) = open_proposal(tx, &asking, now).await? else {
                return Ok(Err(AskingError::Refused.into()));
            };
            let opened = session::next(&app, &before, holder(&asking, now))?;
            let record = super::keep::named(Record::done(EventKind::AskingOpened), asking.usager.as_ref());
            note(&app, tx, &mut row, record, (Actor::Usager, &caller, now)).await?;
            session::rotate(tx, &before.id, &opened.session).await?;
            Ok(Ok(opened))
        })
    })
    .await?
}

/// By a letter's code the person is who the letter was for; on their own device they have yet to say it to their provider.
fn holder(asking: &AskingRow, now: Instant) -> Who {
    let identified =
        asking.usager.clone().map(|usager| Identified { usager, at: now, level: DECLARED.to_owned() });
    Who::Consenting { mandate: asking.mandate.clone(), identified }
}
