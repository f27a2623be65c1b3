//! An aidant whom the provider presents under another sign-in than theirs, as after a change of employer. Nobody is let in by
//! it, and nothing is merged, until somebody who knows the person has confirmed it ([`crate::service::manage::other_sign_in`]).

use crate::crypto::SpokenCode;
use crate::mandate::{AidantId, EventKind, Instant};
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

/// The code of a sign-in: shown to whoever comes by it, and said by them to whoever confirms it. So what is confirmed is the
/// account in front of that person, and not another one at the same address.
pub(in crate::service) fn code(app: &App, aidant: &AidantId, (iss, sub): &(String, String)) -> SpokenCode {
    app.keys.index().spoken_code("sign_in", &[aidant.as_str(), iss, sub])
}

/// Asks whether it is theirs. While one waits it stays, whoever comes; the code tells them apart.
pub(super) async fn ask(
    app: &App,
    tx: &mut Tx,
    (row, subject): (&AidantRow, (String, String)),
    (caller, now): (&Caller, Instant),
) -> Result<SpokenCode, Error> {
    let code = code(app, &row.id, &subject);
    if waiting(row, now).is_some() {
        return Ok(code);
    }
    let after = AidantRow { asked: Some(OtherSignIn { subject, at: now }), ..row.clone() };
    let record = Record::done(EventKind::OtherSignInAsked).organisation(&row.organisation).aidant(&row.id);
    let record = record.registered(registered::aidant(&app.keys, &after));
    let event = record.append(app, tx, caller, now).await?;
    aidants::update(tx, row, &after, &event).await?;
    Ok(code)
}
