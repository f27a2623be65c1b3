//! A card whose number and code come in a text message: as on the public page, in one step.

use super::{Ended, Wish, find, run};
use crate::crypto::normalise_code;
use crate::mandate::{Answer, Instant, MandateNumber};
use crate::service::{App, Caller, Error};
use crate::storage::Tx;

/// Ends the mandate of a card. Whatever is wrong is answered alike, and counted as on the page.
pub(in crate::service) async fn end_by_message(
    app: &App,
    tx: &mut Tx,
    (number, code): (MandateNumber, &str),
    (caller, now): (&Caller, Instant),
) -> Result<Answer, Error> {
    let code = normalise_code(code);
    let Some((row, _)) = find(app, tx, Some(number), &code, (None, caller, now)).await? else {
        return Ok(Answer::NotFound);
    };
    let whole = Wish { procedure: None, motive: None };
    match run(app, tx, row, &whole, (None, caller, now)).await? {
        Ok(Ended { step: Some(_), .. }) => Ok(Answer::Ended(number)),
        Ok(Ended { at, .. }) => Ok(Answer::OverSince(number, at)),
        Err(Error::Transition(_)) => Ok(Answer::TooLate),
        Err(error) => Err(error),
    }
}
