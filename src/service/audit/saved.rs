//! Searches an auditor keeps under a name: their own, and nobody else's. Name and filters are sealed.

use crate::crypto::Cell;
use crate::mandate::SearchId;
use crate::service::line::line;
use crate::service::{App, Error, InputError, Session};
use crate::storage::Snapshot;
use crate::storage::data_keys::KeyKind;
use crate::storage::saved_searches::{self, SavedRow};
use std::sync::Arc;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;
/// Longest filters, as the query of an address.
const LONGEST_QUERY: usize = 2_000;
/// An auditor keeps so many at most; the oldest are not shown beyond.
const MOST: u32 = 50;

/// A search kept under a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Saved {
    /// Identifier.
    pub id: SearchId,
    /// Its name.
    pub name: String,
    /// Its filters, as the query of an address.
    pub query: String,
}

fn cell<'a>(id: &'a SearchId, column: &'static str) -> Cell<'a> {
    Cell { table: "saved_search", row: id.as_str(), column }
}

/// Keeps a search under a name.
///
/// # Errors
/// [`Error::Input`] without a name, or with an endless one; [`Error::Session`] without a purpose.
pub async fn keep(app: &App, session: &Session, name: &str, query: &str) -> Result<(), Error> {
    let name = line(name, LONGEST_NAME).map_err(|no| no.in_field("name"))?;
    if query.len() > LONGEST_QUERY {
        return Err(InputError::TooLong("name").into());
    }
    let id = SearchId::from_bytes(app.new_id()?);
    let by = Arc::new((Arc::clone(app), session.clone(), name.to_owned(), query.to_owned(), id));
    app.commit("audit.keep", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, name, query, id) = &*by;
            let (auditor, _) = super::reading(tx, session).await?;
            let now = app.now();
            let subject = (KeyKind::Auditor, auditor.as_str());
            let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
            let row = SavedRow {
                id: id.clone(),
                name_sealed: key.seal(&*app.entropy, &cell(id, "name_sealed"), name.as_bytes())?,
                query_sealed: key.seal(&*app.entropy, &cell(id, "query_sealed"), query.as_bytes())?,
            };
            Ok(saved_searches::insert(tx, &auditor, &row, now).await?)
        })
    })
    .await
}

/// Forgets a search.
///
/// # Errors
/// [`Error::NotFound`] when it is none of the auditor's own.
pub async fn forget(app: &App, session: &Session, id: &SearchId) -> Result<(), Error> {
    let (session, id) = (session.clone(), id.clone());
    app.commit("audit.forget", move |tx| {
        let (session, id) = (session.clone(), id.clone());
        Box::pin(async move {
            let (auditor, _) = super::reading(tx, &session).await?;
            if saved_searches::delete(tx, &auditor, &id).await? { Ok(()) } else { Err(Error::NotFound) }
        })
    })
    .await
}

/// The searches of a session's auditor, the one kept last first.
pub(super) async fn of(app: &App, snapshot: &mut Snapshot, session: &Session) -> Result<Vec<Saved>, Error> {
    let (auditor, _) = super::reading(snapshot, session).await?;
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Auditor, auditor.as_str()).await?;
    let Some(key) = key else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for row in saved_searches::of_auditor(snapshot, &auditor, MOST).await? {
        let text = |column, sealed: &[u8]| {
            String::from_utf8(key.open(&cell(&row.id, column), sealed)?).map_err(|_| Error::Unreadable)
        };
        let name = text("name_sealed", &row.name_sealed)?;
        let query = text("query_sealed", &row.query_sealed)?;
        all.push(Saved { name, query, id: row.id.clone() });
    }
    Ok(all)
}
