//! Between a mandate's row and its state.

use super::StoreError;
use super::column::Columns;
use crate::mandate::{
    Acceptance, Act, Asked, Consent, ConsentChannel, EndReason, Instant, ProcedureId, State, StateName, Term,
    Terms,
};
use std::collections::{BTreeMap, BTreeSet};
use time::Date;
use time::format_description::FormatItem;
use time::macros::format_description;

const DAY: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The facts a state carries, as columns hold them.
pub(super) struct Facts<'s> {
    pub(super) consent: Option<&'s Consent>,
    pub(super) acceptance: Option<&'s Acceptance>,
    pub(super) end: Option<(Instant, EndReason)>,
    pub(super) closed_at: Option<Instant>,
}

impl<'s> Facts<'s> {
    pub(super) fn of(state: &'s State) -> Self {
        let none = Self { consent: None, acceptance: None, end: None, closed_at: None };
        match state {
            State::Proposed => none,
            State::Consented(consent) => Self { consent: Some(consent), ..none },
            State::Active { consent, acceptance, withdrawn: _ } => {
                Self { consent: Some(consent), acceptance: Some(acceptance), ..none }
            }
            State::Ended { consent, acceptance, withdrawn: _, at, reason } => Self {
                consent: Some(consent),
                acceptance: acceptance.as_ref(),
                end: Some((*at, *reason)),
                closed_at: None,
            },
            State::Refused { at } => Self { closed_at: Some(*at), ..none },
            State::Lapsed { consent, at } => Self { consent: consent.as_ref(), closed_at: Some(*at), ..none },
        }
    }
}

/// The state a row stands for: one match over everything it may hold.
pub(super) fn state_of(
    row: &Columns<'_>,
    withdrawn: BTreeMap<ProcedureId, Instant>,
) -> Result<State, StoreError> {
    let state = row.named("state", StateName::parse)?;
    let ended_at = row.instant_or_none("ended_at")?;
    let reason = row.named_or_none("end_reason", EndReason::parse)?;
    let closed_at = row.instant_or_none("closed_at")?;
    let found = (state, consent(row)?, acceptance(row)?, ended_at.zip(reason), closed_at);
    match found {
        (StateName::Proposed, None, None, None, None) => Ok(State::Proposed),
        (StateName::Consented, Some(consent), None, None, None) => Ok(State::Consented(consent)),
        (StateName::Active, Some(consent), Some(acceptance), None, None) => {
            Ok(State::Active { consent, acceptance, withdrawn })
        }
        (StateName::Ended, Some(consent), acceptance, Some((at, reason)), None) => {
            Ok(State::Ended { consent, acceptance, withdrawn, at, reason })
        }
        (StateName::Refused, None, None, None, Some(at)) => Ok(State::Refused { at }),
        (StateName::Lapsed, consent, None, None, Some(at)) => Ok(State::Lapsed { consent, at }),
        _ => Err(row.inconsistent("state")),
    }
}

/// How the usager was asked, as two columns that stand together.
pub(super) fn asked(row: &Columns<'_>) -> Result<Option<Asked>, StoreError> {
    match (row.named_or_none("asked_channel", ConsentChannel::parse)?, row.instant_or_none("asked_at")?) {
        (Some(channel), Some(at)) => Ok(Some(Asked { channel, at })),
        (None, None) => Ok(None),
        _ => Err(row.inconsistent("asked_channel")),
    }
}

fn consent(row: &Columns<'_>) -> Result<Option<Consent>, StoreError> {
    let Some(at) = row.instant_or_none("consented_at")? else { return Ok(None) };
    Ok(Some(Consent {
        usager: row.id("usager_id")?,
        at,
        identified_at: row.instant("identified_at")?,
        identity_level: row.text("identity_level")?,
        text_hash: row.text("text_hash")?,
        language: row.text("language")?,
        channel: row.named("channel", ConsentChannel::parse)?,
    }))
}

fn acceptance(row: &Columns<'_>) -> Result<Option<Acceptance>, StoreError> {
    let Some(at) = row.instant_or_none("starts_at")? else { return Ok(None) };
    Ok(Some(Acceptance { by: row.id("accepted_by")?, at, ends_at: row.instant("ends_at")? }))
}

/// A term as stored: its name, or `until YYYY-MM-DD`.
pub(super) fn term_text(term: Term) -> String {
    match term {
        Term::Day => "day".to_owned(),
        Term::Month => "month".to_owned(),
        Term::SixMonths => "six_months".to_owned(),
        Term::Year => "year".to_owned(),
        Term::Until(day) => {
            format!("until {:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
        }
    }
}

pub(super) fn parse_term(text: &str) -> Option<Term> {
    match text {
        "day" => Some(Term::Day),
        "month" => Some(Term::Month),
        "six_months" => Some(Term::SixMonths),
        "year" => Some(Term::Year),
        _ => Date::parse(text.strip_prefix("until ")?, DAY).ok().map(Term::Until),
    }
}

pub(super) fn procedures_text(terms: &Terms) -> Result<String, StoreError> {
    serde_json::to_string(&terms.procedures)
        .map_err(|_| StoreError::Refused("the terms cannot be written".to_owned()))
}

pub(super) fn parse_procedures(text: &str) -> Option<BTreeMap<ProcedureId, BTreeSet<Act>>> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn terms_read_back() {
        let until = Term::Until(date!(2027 - 02 - 03));
        assert_eq!(term_text(until), "until 2027-02-03");
        for term in [Term::Day, Term::Month, Term::SixMonths, Term::Year, until] {
            assert_eq!(parse_term(&term_text(term)), Some(term));
        }
        for bad in ["", "until", "until 2027-02-30", "decade"] {
            assert_eq!(parse_term(bad), None, "{bad}");
        }
    }
}
