//! Whether an aidant's other sign-in is theirs: said by somebody who knows the person.

use super::Manager;
use super::standing::stop;
use crate::mandate::{AidantId, EventKind, Instant, Standing};
use crate::service::sign_in::waiting;
use crate::service::{App, Caller, Error, Record, registered};
use crate::storage::aidants::{self, AidantRow};
use crate::storage::representations::Scope;
use crate::storage::{Tx, sessions};
use std::sync::Arc;

/// What is said of another sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The same person: they come by it from now on, and by the former no more.
    Same,
    /// Not that person: everything stays as it is.
    Another,
}

/// Answers whether the other sign-in that was first seen at `asked` is the aidant's. If it is, the former one, its open
/// sessions and what it opened are dead from the commit on; the second factor stays, and is asked for.
///
/// # Errors
/// [`Error::NotFound`] for another organisation; [`Error::Conflict`] when none waits, another one does, or a referent
/// answers for themself.
pub async fn other_sign_in(
    app: &App,
    manager: &Manager,
    caller: &Caller,
    (aidant, asked): (&AidantId, Instant),
    answer: Answer,
) -> Result<(), Error> {
    let now = app.now();
    let (app_, manager, caller, id) = (Arc::clone(app), manager.clone(), caller.clone(), aidant.clone());
    app.include("manage.other_sign_in", move |tx| {
        let (app, manager, caller, id) = (Arc::clone(&app_), manager.clone(), caller.clone(), id.clone());
        Box::pin(async move {
            let row = aidants::load(tx, &id).await?.ok_or(Error::NotFound)?;
            manager.may_manage(&row.organisation)?;
            if matches!(&manager, Manager::Referent { aidant, .. } if *aidant == id) {
                return Err(Error::Conflict);
            }
            let other = waiting(&row, now).filter(|other| other.at == asked).ok_or(Error::Conflict)?;
            if row.standing != Standing::Active {
                return Err(Error::Conflict);
            }
            let (kind, subject) = match answer {
                Answer::Same => (EventKind::OtherSignInConfirmed, Some(other.subject.clone())),
                Answer::Another => (EventKind::OtherSignInDenied, row.subject.clone()),
            };
            let after = AidantRow { subject, asked: None, ..row.clone() };
            let record = manager.sign(Record::done(kind)).organisation(&row.organisation).aidant(&id);
            let record = record.registered(registered::aidant(&app.keys, &after));
            let event = record.append(&app, tx, &caller, now).await?;
            aidants::update(tx, &row, &after, &event).await?;
            if answer == Answer::Same { close(&app, tx, &id, (&caller, now)).await } else { Ok(()) }
        })
    })
    .await
}

/// The operator's answer, where no other referent can give one.
///
/// # Errors
/// As [`other_sign_in`]; [`Error::Conflict`] when none waits.
pub async fn answer_for(app: &App, aidant: &AidantId, answer: Answer) -> Result<(), Error> {
    let (id, now) = (aidant.clone(), app.now());
    let asked = app
        .store
        .read("manage.asked", move |snapshot| {
            Box::pin(async move {
                let row = aidants::load(snapshot, &id).await?.ok_or(Error::NotFound)?;
                waiting(&row, now).map(|asked| asked.at).ok_or(Error::Conflict)
            })
        })
        .await?;
    other_sign_in(app, &Manager::Operator, &Caller::default(), (aidant, asked), answer).await
}

/// Ends what the former sign-in opened.
async fn close(app: &App, tx: &mut Tx, id: &AidantId, by: (&Caller, Instant)) -> Result<(), Error> {
    sessions::delete_of_aidant(tx, id).await?;
    stop(app, tx, &Scope::Aidant(id.clone()), by).await
}
