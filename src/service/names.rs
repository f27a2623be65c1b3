//! Names for one page: each person, organisation and service looked up and opened once.

use super::people::{self, Holder};
use super::{App, Error};
use crate::mandate::{AidantId, AuditorId, ClientId, OrganisationId, UsagerId};
use crate::storage::{Snapshot, aidants, auditors, clients, organisations};
use std::collections::HashMap;

/// Names looked up so far. Whoever was erased has an empty name.
#[derive(Default)]
pub struct Names {
    names: HashMap<String, String>,
    /// Of services that keep a session of their own: where it is ended.
    leaving: HashMap<ClientId, String>,
}

impl Names {
    /// First and last name of a usager.
    pub async fn usager(
        &mut self,
        app: &App,
        snapshot: &mut Snapshot,
        id: &UsagerId,
    ) -> Result<String, Error> {
        if let Some(name) = self.names.get(id.as_str()) {
            return Ok(name.clone());
        }
        let opened = people::usager(app, snapshot, id).await;
        let name = opened.map(|(_, identity)| people::full_name(&identity));
        Ok(self.keep(id.as_str(), unless_erased(name)?))
    }

    /// First and last name of an aidant.
    pub async fn aidant(
        &mut self,
        app: &App,
        snapshot: &mut Snapshot,
        id: &AidantId,
    ) -> Result<String, Error> {
        if let Some(name) = self.names.get(id.as_str()) {
            return Ok(name.clone());
        }
        let Some(row) = aidants::load(snapshot, id).await? else { return Ok(String::new()) };
        let holder = Holder::Aidant(id.as_str());
        let opened = people::professional(app, snapshot, holder, &row.identity_sealed).await;
        let name = opened.map(|one| format!("{} {}", one.given_name, one.family_name));
        Ok(self.keep(id.as_str(), unless_erased(name)?))
    }

    /// First and last name of an auditor.
    pub async fn auditor(
        &mut self,
        app: &App,
        snapshot: &mut Snapshot,
        id: &AuditorId,
    ) -> Result<String, Error> {
        if let Some(name) = self.names.get(id.as_str()) {
            return Ok(name.clone());
        }
        let Some(row) = auditors::load(snapshot, id).await? else { return Ok(String::new()) };
        let holder = Holder::Auditor(id.as_str());
        let opened = people::professional(app, snapshot, holder, &row.identity_sealed).await;
        let name = opened.map(|one| format!("{} {}", one.given_name, one.family_name));
        Ok(self.keep(id.as_str(), unless_erased(name)?))
    }

    /// Name of an organisation.
    pub async fn organisation(
        &mut self,
        snapshot: &mut Snapshot,
        id: &OrganisationId,
    ) -> Result<String, Error> {
        if let Some(name) = self.names.get(id.as_str()) {
            return Ok(name.clone());
        }
        let row = organisations::load(snapshot, id).await?.ok_or(Error::NotFound)?;
        Ok(self.keep(id.as_str(), row.name))
    }

    /// Name of a service; its identifier when it is not registered (a refused request may name any).
    pub async fn service(&mut self, snapshot: &mut Snapshot, id: &ClientId) -> Result<String, Error> {
        if let Some(name) = self.names.get(id.as_str()) {
            return Ok(name.clone());
        }
        let row = clients::load(snapshot, id).await?;
        if let Some(uri) = row.as_ref().and_then(|row| row.leave_uri.clone()) {
            self.leaving.insert(id.clone(), uri);
        }
        Ok(self.keep(id.as_str(), row.map_or_else(|| id.to_string(), |row| row.name)))
    }

    /// Where the session that a service keeps of its own is ended, when its name was looked up and it keeps one.
    #[must_use]
    pub fn leaving(&self, id: &ClientId) -> Option<String> {
        self.leaving.get(id).cloned()
    }

    fn keep(&mut self, id: &str, name: String) -> String {
        self.names.insert(id.to_owned(), name.clone());
        name
    }
}

/// Without its key an identity says nothing any more; that is what erasure means.
fn unless_erased(name: Result<String, Error>) -> Result<String, Error> {
    match name {
        Err(Error::Unreadable) => Ok(String::new()),
        other => other,
    }
}
