//! Whether an aidant's other sign-in is theirs: said by somebody who knows the person.

use super::standing::stop;
use super::{Manager, taken};
use crate::mandate::{AidantId, EventKind, Standing};
use crate::service::sign_in::{code, waiting};
use crate::service::{App, Caller, Error, InputError, Record, registered};
use crate::storage::aidants::{self, AidantRow};
use crate::storage::representations::{CloseReason, Scope};
use crate::storage::sessions;
use std::sync::Arc;

/// What is said of another sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The same person, who said this code: they come by it from now on, and by the former no more.
    Same(String),
    /// Not that person, or not that account: everything stays as it is.
    Another,
}

/// Answers whether the other sign-in that waits is the aidant's. If it is, the former one, its open sessions and what it
/// opened are dead from the commit on; the second factor stays.
///
/// # Errors
/// [`Error::NotFound`] for another organisation; [`Error::Conflict`] when none waits, the sign-in is somebody's meanwhile, or
/// a referent answers for themself; [`Error::Input`] on `code` for the code of another sign-in than the one that waits.
pub async fn other_sign_in(
    app: &App,
    manager: &Manager,
    caller: &Caller,
    aidant: &AidantId,
    answer: Answer,
) -> Result<(), Error> {
    let now = app.now();
    let (app_, manager, caller, id) = (Arc::clone(app), manager.clone(), caller.clone(), aidant.clone());
    app.include("manage.other_sign_in", move |tx| {
        let (app, manager, caller) = (Arc::clone(&app_), manager.clone(), caller.clone());
        let (id, answer) = (id.clone(), answer.clone());
        Box::pin(async move {
            let row = aidants::load(tx, &id).await?.ok_or(Error::NotFound)?;
            manager.may_manage(&row.organisation)?;
            if matches!(&manager, Manager::Referent { aidant, .. } if *aidant == id) {
                return Err(Error::Conflict);
            }
            let other = waiting(&row, now).ok_or(Error::Conflict)?;
            if row.standing != Standing::Active {
                return Err(Error::Conflict);
            }
            let (kind, subject) = match &answer {
                Answer::Same(said) if !code(&app, &id, &other.subject).is(said) => {
                    return Err(InputError::Field("code").into());
                }
                Answer::Same(_) => (EventKind::OtherSignInConfirmed, Some(other.subject.clone())),
                Answer::Another => (EventKind::OtherSignInDenied, row.subject.clone()),
            };
            let after = AidantRow { subject, asked: None, ..row.clone() };
            let record = manager.sign(Record::done(kind)).organisation(&row.organisation).aidant(&id);
            let record = record.registered(registered::aidant(&app.keys, &after));
            let event = record.append(&app, tx, &caller, now).await?;
            aidants::update(tx, &row, &after, &event).await.map_err(taken)?;
            if answer == Answer::Another {
                return Ok(());
            }
            sessions::delete_of_aidant(tx, &id).await?;
            stop(&app, tx, (&Scope::Aidant(id), CloseReason::SignedOut), (&caller, now)).await
        })
    })
    .await
}
