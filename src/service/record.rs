//! Writing entries: what happened, turned into commitments, sealed openings and a search row.
//!
//! | slot | tells of | sealed under the key of |
//! |---|---|---|
//! | `act` | what happened, in which stream, with which result | the mandate, else the organisation, else the system |
//! | `sub` | the usager | the usager |
//! | `aid` | the aidant (or auditor) | the aidant (or auditor) |
//! | `ctx` | organisation, service, address, session, software | the organisation, else the system |

use super::{App, Error};
use crate::crypto::{Cell, to_hex};
use crate::journal::{Draft, MandateKey, Opening, Slot, Tag, leaf_hash};
use crate::mandate::{
    AidantId, AuditorId, ClientId, EventId, EventKind, Instant, LifeFact, MandateId, OrganisationId, Outcome,
    ProcedureId, UsagerId,
};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::{self, NewEvent, NewOpening, SearchRow, Snapshot, Tx, usagers};
use serde_json::{Map, Value};
use std::net::IpAddr;
use std::sync::Arc;

use super::facts::Stands;
use super::vault::OpenKey;

/// Where a request came from: part of the `ctx` slot, readable by auditors only.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// Address of the browser or service, as the trusted proxies tell it.
    pub address: Option<IpAddr>,
    /// Lasting name of the session.
    pub sid: Option<String>,
}

/// The stream of one mandate: its entries are numbered and tagged, so that its history can be proved complete.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The mandate.
    pub mandate: MandateId,
    /// Number of this entry in the stream, from 1.
    pub seq: u64,
    /// Leaf hash of the entry before it, when it is at hand; else it is looked up.
    pub previous: Option<String>,
}

/// What an entry tells. Built by the service function that made it happen.
#[derive(Debug, Clone)]
pub struct Record {
    kind: EventKind,
    code: Option<&'static str>,
    stream: Option<Stream>,
    mandate: Option<MandateId>,
    organisation: Option<OrganisationId>,
    aidant: Option<AidantId>,
    auditor: Option<AuditorId>,
    usager: Option<UsagerId>,
    client: Option<ClientId>,
    procedure: Option<ProcedureId>,
    fact: Option<LifeFact>,
    registered: Option<String>,
    stands: Map<String, Value>,
    detail: Map<String, Value>,
}

impl Record {
    /// An entry of something that happened.
    #[must_use]
    pub fn done(kind: EventKind) -> Self {
        Self {
            kind,
            code: None,
            stream: None,
            mandate: None,
            organisation: None,
            aidant: None,
            auditor: None,
            usager: None,
            client: None,
            procedure: None,
            fact: None,
            registered: None,
            stands: Map::new(),
            detail: Map::new(),
        }
    }

    /// An entry of something refused, with its stable code.
    #[must_use]
    pub fn refused(kind: EventKind, code: &'static str) -> Self {
        Self { code: Some(code), ..Self::done(kind) }
    }

    /// An entry of a step in a mandate's life.
    #[must_use]
    pub fn life(fact: LifeFact) -> Self {
        let kind = fact.kind();
        Self { fact: Some(fact), ..Self::done(kind) }
    }

    /// The fact it states, of a step in a mandate's life.
    pub(super) const fn fact(&self) -> Option<&LifeFact> {
        self.fact.as_ref()
    }

    /// Places the entry in a mandate's stream.
    #[must_use]
    pub fn in_stream(self, stream: Stream) -> Self {
        Self { mandate: Some(stream.mandate.clone()), stream: Some(stream), ..self }
    }

    /// Names a mandate without placing the entry in its stream (a refusal, a reading).
    #[must_use]
    pub fn about(self, mandate: &MandateId) -> Self {
        Self { mandate: Some(mandate.clone()), ..self }
    }

    /// Names the organisation.
    #[must_use]
    pub fn organisation(self, id: &OrganisationId) -> Self {
        Self { organisation: Some(id.clone()), ..self }
    }

    /// Names the aidant.
    #[must_use]
    pub fn aidant(self, id: &AidantId) -> Self {
        Self { aidant: Some(id.clone()), ..self }
    }

    /// Names the auditor.
    #[must_use]
    pub fn auditor(self, id: &AuditorId) -> Self {
        Self { auditor: Some(id.clone()), ..self }
    }

    /// Names the usager.
    #[must_use]
    pub fn usager(self, id: &UsagerId) -> Self {
        Self { usager: Some(id.clone()), ..self }
    }

    /// Names the service.
    #[must_use]
    pub fn client(self, id: &ClientId) -> Self {
        Self { client: Some(id.clone()), ..self }
    }

    /// Names the procedure.
    #[must_use]
    pub fn procedure(self, id: &ProcedureId) -> Self {
        Self { procedure: Some(id.clone()), ..self }
    }

    /// Adds a detail that is no personal data: an identifier, a code, a level, a count.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// Tells what is registered from now on of whom it names, as a keyed hash: of the usager if it names one, else of the
    /// professional, else of the organisation or service.
    #[must_use]
    pub(super) fn registered(self, hash: String) -> Self {
        Self { registered: Some(hash), ..self }
    }

    /// Tells how the row of a fact stands from now on.
    #[must_use]
    pub(super) fn stands(mut self, how: Stands) -> Self {
        self.stands.insert(how.row, format!("{} {}", how.version, how.hash).into());
        self
    }

    /// The slot that names a person, with what is registered of them where this one is whose it is.
    fn person(&self, name: &str, id: &str, registers: bool) -> Value {
        let mut person = Map::new();
        person.insert(name.to_owned(), id.into());
        if let (true, Some(hash)) = (registers, &self.registered) {
            person.insert("registered".to_owned(), hash.as_str().into());
        }
        Value::Object(person)
    }

    /// The slots it fills, by name: told in `act`, so that an opening that was removed is missed.
    fn slots(&self) -> String {
        let filled = |slot: &Slot| match slot {
            Slot::Act | Slot::Ctx => true,
            Slot::Sub => self.usager.is_some(),
            Slot::Aid => self.aidant.is_some() || self.auditor.is_some(),
        };
        Slot::ALL.into_iter().filter(filled).map(Slot::as_str).collect::<Vec<_>>().join(" ")
    }

    fn outcome(&self) -> Outcome {
        if self.code.is_some() { Outcome::Refused } else { Outcome::Done }
    }

    /// The `act` opening. Keys are sorted and values are texts and whole numbers: the RFC 8785 form.
    fn act(&self, previous_leaf: Option<String>) -> Result<Value, Error> {
        let mut act = Map::new();
        act.insert("kind".into(), self.kind.as_str().into());
        act.insert("outcome".into(), self.outcome().as_str().into());
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                act.insert(name.to_owned(), value);
            }
        };
        put("slots", Some(self.slots().into()));
        put("code", self.code.map(Value::from));
        put("mandate", self.mandate.as_ref().map(|id| id.as_str().into()));
        put("seq", self.stream.as_ref().map(|stream| stream.seq.into()));
        put("previous", previous_leaf.map(Value::from));
        put("procedure", self.procedure.as_ref().map(|id| id.as_str().into()));
        let fact = self.fact.as_ref().map(serde_json::to_value).transpose().map_err(|_| Error::Unreadable)?;
        put("fact", fact);
        let person = self.usager.is_some() || self.aidant.is_some() || self.auditor.is_some();
        put("registered", self.registered.as_deref().filter(|_| !person).map(Value::from));
        put("stands", (!self.stands.is_empty()).then(|| Value::Object(self.stands.clone())));
        put("detail", (!self.detail.is_empty()).then(|| Value::Object(self.detail.clone())));
        Ok(Value::Object(act))
    }

    fn ctx(&self, caller: &Caller) -> Value {
        let mut ctx = Map::new();
        ctx.insert("software".into(), env!("CARGO_PKG_VERSION").into());
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                ctx.insert(name.to_owned(), value.into());
            }
        };
        put("organisation", self.organisation.as_ref().map(ToString::to_string));
        put("client", self.client.as_ref().map(ToString::to_string));
        put("address", caller.address.as_ref().map(ToString::to_string));
        put("session", caller.sid.clone());
        Value::Object(ctx)
    }
}

impl Record {
    fn search(&self, app: &App) -> SearchRow {
        let index = app.keys.index();
        let blind = |field: &str, id: Option<&str>| id.map(|id| index.blind(field, &[id]));
        SearchRow {
            kind: self.kind,
            outcome: self.outcome(),
            code: self.code.map(str::to_owned),
            organisation: blind("organisation", self.organisation.as_ref().map(OrganisationId::as_str)),
            aidant: blind("aidant", self.aidant.as_ref().map(AidantId::as_str)),
            mandate: blind("mandate", self.mandate.as_ref().map(MandateId::as_str)),
            usager: blind("usager", self.usager.as_ref().map(UsagerId::as_str)),
            client: blind("client", self.client.as_ref().map(ClientId::as_str)),
            procedure: blind("procedure", self.procedure.as_ref().map(ProcedureId::as_str)),
        }
    }

    /// Appends the entry within a write and gives its identifier, which the changed facts then carry.
    ///
    /// # Errors
    /// From the store and the keys.
    pub async fn append(
        mut self,
        app: &App,
        tx: &mut Tx,
        caller: &Caller,
        now: Instant,
    ) -> Result<EventId, Error> {
        let id = app.new_event_id(now)?;
        let person = match &self.usager {
            Some(usager) => usager_key(app, tx, usager, now).await?,
            None => None,
        };
        if person.is_none() {
            self.usager = None;
        }
        let office = match &self.organisation {
            Some(organisation) => key(app, tx, KeyKind::Organisation, organisation.as_str(), now).await?,
            None => key(app, tx, KeyKind::System, "journal", now).await?,
        };
        let (tag, previous, act_key) = match &self.stream {
            Some(stream) => {
                let own = key(app, tx, KeyKind::Mandate, stream.mandate.as_str(), now).await?;
                let tags = own.tags()?;
                (tags.tag(stream.seq), previous_leaf(tx, &tags, stream).await?, own)
            }
            None => (Tag::random(&*app.entropy)?, None, Arc::clone(&office)),
        };
        let mut slots =
            vec![(Slot::Act, self.act(previous)?, act_key), (Slot::Ctx, self.ctx(caller), office)];
        if let (Some(usager), Some(own)) = (&self.usager, person) {
            slots.push((Slot::Sub, self.person("usager", usager.as_str(), true), own));
        }
        if let Some(aidant) = &self.aidant {
            let own = key(app, tx, KeyKind::Aidant, aidant.as_str(), now).await?;
            slots.push((Slot::Aid, self.person("aidant", aidant.as_str(), self.usager.is_none()), own));
        } else if let Some(auditor) = &self.auditor {
            let own = key(app, tx, KeyKind::Auditor, auditor.as_str(), now).await?;
            slots.push((Slot::Aid, self.person("auditor", auditor.as_str(), self.usager.is_none()), own));
        }
        let mut draft = Draft::new(id.clone(), now, tag)?;
        for (slot, value, _) in &slots {
            draft = draft.fill(&*app.entropy, *slot, value)?;
        }
        let drafted = draft.finish(&*app.entropy)?;
        let openings = seal(app, &id, &drafted.openings, &slots)?;
        let search = self.search(app);
        let event = NewEvent {
            event_id: id.clone(),
            at: now,
            tag: tag.to_hex(),
            entry: drafted.bytes,
            openings,
            search,
        };
        tx.append(event).await?;
        Ok(id)
    }
}

/// Seals each opening under the key of whom it tells, bound to its entry and slot.
fn seal(
    app: &App,
    id: &EventId,
    openings: &[Opening],
    slots: &[(Slot, Value, Arc<OpenKey>)],
) -> Result<Vec<NewOpening>, Error> {
    let mut sealed = Vec::with_capacity(openings.len());
    for (opening, (slot, _, key)) in openings.iter().zip(slots) {
        let cell = opening_cell(id, *slot);
        let bytes = key.seal(&*app.entropy, &cell, &opening.to_bytes())?;
        sealed.push(NewOpening { slot: slot.as_str(), key_id: key.id.clone(), sealed: bytes });
    }
    Ok(sealed)
}

/// What opens the wanted slots of an entry, in the slots' order; those that were erased are left out.
pub(super) async fn openings(
    app: &App,
    snapshot: &mut Snapshot,
    event: &EventId,
    wanted: impl Fn(Slot) -> bool,
) -> Result<Vec<Opening>, Error> {
    let mut openings = Vec::new();
    for row in storage::journal::openings(snapshot, event).await? {
        let Some(slot) = Slot::parse(&row.slot).filter(|slot| wanted(*slot)) else { continue };
        let Some(key) = data_keys::load(snapshot, &row.key_id).await? else { continue };
        let bytes = OpenKey::of(&app.keys, key)?.open(&opening_cell(event, slot), &row.sealed)?;
        openings.push(Opening::from_bytes(slot, &bytes)?);
    }
    openings.sort_by_key(Opening::slot);
    Ok(openings)
}

/// What an entry says happened (its `act`); none when that was erased.
pub(super) async fn act(app: &App, snapshot: &mut Snapshot, event: &EventId) -> Result<Option<Value>, Error> {
    Ok(openings(app, snapshot, event, |slot| slot == Slot::Act).await?.first().and_then(Opening::read))
}

/// Where the opening of a slot rests.
pub(super) fn opening_cell(id: &EventId, slot: Slot) -> Cell<'_> {
    Cell { table: "opening", row: id.as_str(), column: slot.as_str() }
}

async fn key(
    app: &App,
    tx: &mut Tx,
    kind: KeyKind,
    subject: &str,
    now: Instant,
) -> Result<Arc<OpenKey>, Error> {
    app.vault.find_or_make(&app.keys, &*app.entropy, tx, (kind, subject), now).await
}

/// The key of a usager; none when they were erased: nothing names them from then on.
async fn usager_key(
    app: &App,
    tx: &mut Tx,
    usager: &UsagerId,
    now: Instant,
) -> Result<Option<Arc<OpenKey>>, Error> {
    let known = app.vault.find(&app.keys, tx, KeyKind::Usager, usager.as_str()).await?;
    if known.is_some() || usagers::load(tx, usager).await?.is_some_and(|row| row.is_erased()) {
        return Ok(known);
    }
    key(app, tx, KeyKind::Usager, usager.as_str(), now).await.map(Some)
}

/// The leaf hash of the stream's entry before number `seq`: chains the stream by itself.
async fn previous_leaf(tx: &mut Tx, tags: &MandateKey, stream: &Stream) -> Result<Option<String>, Error> {
    if stream.seq <= 1 || stream.previous.is_some() {
        return Ok(stream.previous.clone());
    }
    let entry = storage::journal::bytes_by_tag(tx, &tags.tag(stream.seq - 1).to_hex()).await?;
    Ok(Some(to_hex(leaf_hash(&entry.ok_or(Error::Unreadable)?).as_bytes())))
}
