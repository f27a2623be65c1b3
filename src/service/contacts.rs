//! How a usager is told what is done in their name: their own choice, made in their own space.

use super::people;
use super::{App, Caller, Error, InputError, Record, Session, facts};
use crate::crypto::Cell;
use crate::mandate::{Channel, Contact, EmailAddress, EventKind, Instant, UsagerId};
use crate::storage::contacts::{self, ContactRow};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, Tx};
use std::sync::Arc;

/// What a usager chose, and what they may choose. Personal data: no `Debug`.
pub struct Choice {
    /// What they chose; nothing so far when absent.
    pub chosen: Option<Contact>,
    /// The address the citizens' provider knows, for them to take over or not.
    pub known_email: Option<EmailAddress>,
    /// The channels there are here.
    pub offered: Vec<Channel>,
}

/// What the signed-in usager chose. The reading is journaled.
///
/// # Errors
/// [`Error::Session`]; [`Error::BeingRecorded`].
pub async fn choice(app: &App, session: &Session, caller: &Caller) -> Result<Choice, Error> {
    let (app_, usager, caller, now) = (Arc::clone(app), session.usager()?.clone(), caller.clone(), app.now());
    app.include("contact.read", move |tx| {
        let (app, usager, caller) = (Arc::clone(&app_), usager.clone(), caller.clone());
        Box::pin(async move {
            let record = Record::done(EventKind::UsagerSpaceRead).usager(&usager);
            record.append(&app, tx, &caller, now).await?;
            let (_, identity) = people::usager(&app, tx, &usager).await?;
            let row = contacts::load(tx, &usager).await?;
            let known = identity.email.as_deref().and_then(|email| EmailAddress::parse(email).ok());
            Ok(Choice {
                chosen: opened(&app, tx, row.as_ref()).await?,
                known_email: known,
                offered: app.couriers.offered(),
            })
        })
    })
    .await
}

/// Keeps what the signed-in usager chooses. The same choice sent again changes nothing.
///
/// # Errors
/// [`Error::Input`] for a channel there is none of here, or one without its address; [`Error::BeingRecorded`].
pub async fn choose(app: &App, session: &Session, caller: &Caller, contact: Contact) -> Result<(), Error> {
    if !app.couriers.offered().contains(&contact.channel) {
        return Err(InputError::Field("channel").into());
    }
    let contact = contact.check().map_err(|_| InputError::Field("channel"))?;
    let (app_, usager, caller, now) = (Arc::clone(app), session.usager()?.clone(), caller.clone(), app.now());
    app.include("contact.choose", move |tx| {
        let (app, usager, caller) = (Arc::clone(&app_), usager.clone(), caller.clone());
        let contact = contact.clone();
        Box::pin(async move { keep(&app, tx, &usager, &contact, (&caller, now)).await })
    })
    .await
}

async fn keep(
    app: &App,
    tx: &mut Tx,
    usager: &UsagerId,
    contact: &Contact,
    (caller, now): (&Caller, Instant),
) -> Result<(), Error> {
    let before = contacts::load(tx, usager).await?;
    if opened(app, tx, before.as_ref()).await?.is_some_and(|chosen| chosen == *contact) {
        return Ok(());
    }
    let key =
        app.vault.find_or_make(&app.keys, &*app.entropy, tx, (KeyKind::Usager, usager.as_str()), now).await?;
    let sealed = key.seal_json(&*app.entropy, &cell(usager), contact)?;
    let version = before.as_ref().map_or(1, |row| row.version + 1);
    let after = ContactRow { usager: usager.clone(), channel: contact.channel, sealed, version };
    let record =
        Record::done(EventKind::ContactChosen).usager(usager).detail("channel", after.channel.as_str());
    let record = record.stands(facts::contact(&app.keys, &after));
    let event = record.append(app, tx, caller, now).await?;
    match before {
        None => contacts::insert(tx, &after, &event).await?,
        Some(before) => contacts::update(tx, &before, &after, &event).await?,
    }
    Ok(())
}

/// What a row holds; nothing once the person was erased.
pub(super) async fn opened(
    app: &App,
    snapshot: &mut Snapshot,
    row: Option<&ContactRow>,
) -> Result<Option<Contact>, Error> {
    let Some(row) = row.filter(|row| !row.sealed.is_empty()) else { return Ok(None) };
    match app.vault.find(&app.keys, snapshot, KeyKind::Usager, row.usager.as_str()).await? {
        Some(key) => key.open_json(&cell(&row.usager), &row.sealed).map(Some),
        None => Ok(None),
    }
}

/// What stays of a choice when its person is erased: the row before and after; nothing when there is none.
pub(super) async fn erased(
    tx: &mut Tx,
    usager: &UsagerId,
) -> Result<Option<(ContactRow, ContactRow)>, Error> {
    let Some(before) = contacts::load(tx, usager).await? else { return Ok(None) };
    let after = ContactRow {
        channel: Channel::None,
        sealed: Vec::new(),
        version: before.version + 1,
        ..before.clone()
    };
    Ok(Some((before, after)))
}

fn cell(usager: &UsagerId) -> Cell<'_> {
    Cell { table: "contact", row: usager.as_str(), column: "sealed" }
}
