//! An aidant whom the provider presents under another sign-in than theirs, as after a change of employer. Nobody is let in by
//! it, and nothing is merged, until somebody who knows the person has confirmed it ([`crate::service::manage::other_sign_in`]).

use crate::mandate::{EventKind, Instant};
use crate::service::{App, Caller, Error, Record, registered};
use crate::storage::Tx;
use crate::storage::aidants::{self, AidantRow, OtherSignIn};
use time::Duration;

/// How long a referent has to answer.
pub(in crate::service) const WAITS: Duration = Duration::days(7);

/// The other sign-in of an aidant that still waits for an answer.
pub(in crate::service) fn waiting(row: &AidantRow, now: Instant) -> Option<&OtherSignIn> {
    row.asked.as_ref().filter(|asked| now < asked.at.plus(WAITS))
}

/// Asks whether it is theirs. While one waits it stays, whoever comes: the referent confirms what they were shown.
pub(super) async fn ask(
    app: &App,
    tx: &mut Tx,
    (row, subject): (&AidantRow, (String, String)),
    (caller, now): (&Caller, Instant),
) -> Result<(), Error> {
    if waiting(row, now).is_some() {
        return Ok(());
    }
    let after = AidantRow { asked: Some(OtherSignIn { subject, at: now }), ..row.clone() };
    let record = Record::done(EventKind::OtherSignInAsked).organisation(&row.organisation).aidant(&row.id);
    let record = record.registered(registered::aidant(&app.keys, &after));
    let event = record.append(app, tx, caller, now).await?;
    Ok(aidants::update(tx, row, &after, &event).await?)
}
