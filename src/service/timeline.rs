//! A usager's timeline: everything that happened with every mandate they ever granted, in plain sentences, searched by mandate,
//! by what it is about, and by day. Each reading is journaled.

use super::space::Visit;
use super::{App, Caller, Error, Session, account};
use crate::mandate::{Happening, Language, MandateId, StoryPart, paris};
use crate::storage::mandates;
use std::sync::Arc;
use time::Date;

/// What is looked for: everything, unless something is said. Days are those of the calendar in metropolitan France.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of one mandate.
    pub mandate: Option<MandateId>,
    /// About one thing.
    pub part: Option<StoryPart>,
    /// From that day on.
    pub from: Option<Date>,
    /// Up to and with that day.
    pub until: Option<Date>,
}

impl Wanted {
    fn takes(&self, one: &Happening) -> bool {
        let day = paris(one.at).date();
        self.part.is_none_or(|part| part == one.part)
            && self.from.is_none_or(|from| from <= day)
            && self.until.is_none_or(|until| day <= until)
    }
}

/// One line. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The mandate.
    pub mandate: MandateId,
    /// Name of the organisation.
    pub organisation: String,
    /// What happened.
    pub happening: Happening,
}

/// What was found.
pub struct Timeline {
    /// Every mandate there is, latest first, by its organisation's name.
    pub mandates: Vec<(MandateId, String)>,
    /// What happened, the latest first.
    pub lines: Vec<Line>,
}

/// The signed-in usager's timeline. A mandate that is not theirs is simply none of theirs.
///
/// # Errors
/// [`Error::BeingRecorded`] when the entry of this reading takes too long.
pub async fn of_usager(
    app: &App,
    session: &Session,
    caller: &Caller,
    wanted: &Wanted,
    language: Language,
) -> Result<Timeline, Error> {
    let visit = Visit::new(app, session, caller)?;
    let reader = Arc::clone(&visit);
    app.include("timeline.note", move |tx| {
        let reader = Arc::clone(&reader);
        Box::pin(async move { reader.note_home(tx).await })
    })
    .await?;
    let wanted = wanted.clone();
    let found = app.store.read("timeline", move |snapshot| {
        Box::pin(async move {
            let (mut known, mut lines) = (Vec::new(), Vec::new());
            for row in mandates::of_usager(snapshot, visit.usager()).await? {
                let made = account::of(&visit.app, snapshot, &row).await?;
                let (mandate, organisation) = (row.mandate.id, made.organisation.clone());
                known.push((mandate.clone(), organisation.clone()));
                if wanted.mandate.as_ref().is_some_and(|id| *id != mandate) {
                    continue;
                }
                for happening in made.story(language) {
                    if wanted.takes(&happening) {
                        let (mandate, organisation) = (mandate.clone(), organisation.clone());
                        lines.push(Line { mandate, organisation, happening });
                    }
                }
            }
            lines.reverse();
            lines.sort_by_key(|line| std::cmp::Reverse(line.happening.at));
            Ok::<_, Error>(Timeline { mandates: known, lines })
        })
    });
    found.await
}
