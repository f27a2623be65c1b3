//! Sample rows and the shortest ways to write and read them.

use crate::support::world::whereabouts;
use porteplume::mandate::{
    Act, AidantId, ClientId, Consent, ConsentChannel, Declarations, EventId, EventKind, Instant, Language,
    Mandate, MandateId, OrganisationId, Outcome, ProcedureId, RepresentationId, Role, Standing, Strength,
    Term, Terms, UsagerId,
};
use porteplume::storage::aidants::AidantRow;
use porteplume::storage::clients::{
    AuthMethod, ClientCredential, ClientRow, IdTokenAlg, Pkce, Refresh, RequestObjects, Subject, Userinfo,
};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::organisations::OrganisationRow;
use porteplume::storage::representations::RepresentationRow;
use porteplume::storage::sessions::{SessionKind, SessionRow};
use porteplume::storage::usagers::UsagerRow;
use porteplume::storage::{
    BoxFuture, NewEvent, NewOpening, SearchRow, Snapshot, Store, StoreError, Tx, aidants, clients, mandates,
    organisations, usagers,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Noon of a day in 2026.
pub(crate) const NOW: Instant = Instant::from_micros(1_795_000_000_000_000);

/// Sixteen bytes never given before; later ones sort later.
pub(crate) fn bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    let millis = NOW.millis().to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    bytes[8..].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// Text never given before.
pub(crate) fn unique() -> String {
    EventId::from_bytes(bytes()).to_string()
}

pub(crate) fn procedure(name: &str) -> ProcedureId {
    ProcedureId::parse(name).unwrap()
}

pub(crate) fn in_minutes(minutes: i64) -> Instant {
    NOW.plus(time::Duration::minutes(minutes))
}

/// A new entry with its four openings.
pub(crate) fn event() -> NewEvent {
    let event_id = EventId::from_bytes(bytes());
    let opening = |slot| NewOpening { slot, key_id: "key".to_owned(), sealed: vec![1, 2, 3] };
    NewEvent {
        at: NOW,
        tag: event_id.to_string(),
        entry: format!("porteplume-journal/v1\nid {event_id}\n").into_bytes(),
        openings: ["act", "sub", "aid", "ctx"].map(opening).to_vec(),
        search: SearchRow::new(EventKind::MandateProposed, Outcome::Done),
        event_id,
    }
}

/// Runs a write and waits for inclusion.
pub(crate) async fn write<T, F>(store: &Store, work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + Sync + 'static,
{
    let written = store.write("test", work).await?;
    Ok(written.included(Duration::from_mins(1)).await.expect("included in time"))
}

/// Runs a read.
pub(crate) async fn read<T, F>(store: &Store, look: F) -> T
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    store.read("test", look).await.unwrap()
}

/// `put!(store, |tx, event| call(tx, ..., &event))`: a write of one entry with what the call changes. The
/// captured values are cloned, as a write may run twice.
macro_rules! put {
    ($store:expr, [$($captured:ident),*], |$tx:ident, $event:ident| $call:expr) => {{
        $(let $captured = $captured.clone();)*
        let entry = $crate::storage::sample::event();
        $crate::storage::sample::write($store, move |$tx| {
            $(let $captured = $captured.clone();)*
            let entry = entry.clone();
            Box::pin(async move {
                let $event = entry.event_id.clone();
                $tx.append(entry).await?;
                let _ = &$event;
                $call.await
            })
        }).await
    }};
}
pub(crate) use put;

/// `change!(store, [captured], |tx| call)`: a write without an entry.
macro_rules! change {
    ($store:expr, [$($captured:ident),*], |$tx:ident| $call:expr) => {{
        $(let $captured = $captured.clone();)*
        $crate::storage::sample::write($store, move |$tx| {
            $(let $captured = $captured.clone();)*
            Box::pin(async move { $call.await })
        }).await
    }};
}
pub(crate) use change;

/// `get!(store, [captured], |snapshot| call)`: a read.
macro_rules! get {
    ($store:expr, [$($captured:ident),*], |$snapshot:ident| $call:expr) => {{
        $(let $captured = $captured.clone();)*
        $crate::storage::sample::read($store, move |$snapshot| Box::pin(async move { $call.await })).await
    }};
}
pub(crate) use get;

pub(crate) fn organisation() -> OrganisationRow {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    OrganisationRow {
        id: OrganisationId::from_bytes(bytes()),
        name: "Mairie d'Aÿ-Champagne".to_owned(),
        siret: format!("{number:014}"),
        whereabouts: number.is_multiple_of(2).then(whereabouts),
        standing: Standing::Active,
        created_at: NOW,
        version: 1,
    }
}

pub(crate) fn aidant(organisation: &OrganisationRow) -> AidantRow {
    AidantRow {
        id: AidantId::from_bytes(bytes()),
        organisation: organisation.id.clone(),
        role: Role::Aidant,
        standing: Standing::Invited,
        email_blind: unique(),
        identity_sealed: vec![9, 9],
        identity_key: "key".to_owned(),
        subject: None,
        invited_at: NOW,
        invite_expires_at: in_minutes(60),
        activated_at: None,
        asked: None,
        version: 1,
    }
}

/// An aidant after their first sign-in.
pub(crate) fn active(aidant: AidantRow) -> AidantRow {
    let subject = Some(("https://agents.test".to_owned(), unique()));
    AidantRow { standing: Standing::Active, subject, activated_at: Some(NOW), ..aidant }
}

pub(crate) fn usager() -> UsagerRow {
    UsagerRow {
        id: UsagerId::from_bytes(bytes()),
        iss: "https://citizens.test".to_owned(),
        sub: unique(),
        identity_sealed: vec![7; 20],
        identity_key: "key".to_owned(),
        first_seen_at: NOW,
        identified_at: NOW,
        identity_level: "eidas1".to_owned(),
        version: 1,
    }
}

pub(crate) fn client() -> ClientRow {
    ClientRow {
        id: ClientId::parse(&format!("caisse-{}", NUMBER.fetch_add(1, Ordering::Relaxed))).unwrap(),
        name: "Caisse de démonstration".to_owned(),
        standing: Standing::Active,
        profile: "direct".to_owned(),
        credential: ClientCredential::Secret { method: AuthMethod::ClientSecretBasic, hash: unique() },
        id_token_alg: IdTokenAlg::Es256,
        redirect_uris: vec![
            "https://caisse.test/callback".to_owned(),
            "https://caisse.test/other".to_owned(),
        ],
        post_logout_redirect_uris: vec![],
        scopes: vec!["openid".to_owned(), "profile".to_owned()],
        procedures: BTreeSet::from([procedure("declare-income"), procedure("housing-benefit")]),
        sector: "caisse.test".to_owned(),
        logout_uri: Some("https://caisse.test/logout".to_owned()),
        events_uri: Some("https://caisse.test/events".to_owned()),
        pkce: Pkce::Exempt,
        refresh: Refresh::WithinRepresentation,
        request_objects: RequestObjects::Demanded,
        subject: Subject::Aidant,
        userinfo: Userinfo::Jwt,
        leave_uri: Some("https://caisse.test/leave".to_owned()),
        consent: Strength::Witnessed,
        secret_sealed: None,
        created_at: NOW,
        version: 1,
    }
}

pub(crate) fn terms() -> Terms {
    let acts = BTreeSet::from([Act::Prepare, Act::Fill, Act::Submit]);
    Terms {
        procedures: BTreeMap::from([
            (procedure("declare-income"), acts),
            (procedure("housing-benefit"), BTreeSet::from([Act::Prepare])),
        ]),
        term: Term::Month,
        catalogue: "2026-11".to_owned(),
    }
}

pub(crate) fn consent(usager: &UsagerRow, at: Instant) -> Consent {
    Consent {
        usager: usager.id.clone(),
        at,
        identified_at: at,
        identity_level: "eidas1".to_owned(),
        text_hash: "ab".repeat(32),
        language: "fr".to_owned(),
        channel: ConsentChannel::InPresence,
    }
}

pub(crate) const DECLARED: Declarations = Declarations { not_protected: true, may_be_minor: false };

/// The parties of a mandate, stored.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) organisation: OrganisationRow,
    pub(crate) aidant: AidantRow,
    pub(crate) usager: UsagerRow,
    pub(crate) client: ClientRow,
}

/// Stores the parties of a mandate.
pub(crate) async fn world(store: &Store) -> World {
    let organisation = organisation();
    let aidant = active(aidant(&organisation));
    let world = World { organisation, aidant, usager: usager(), client: client() };
    put!(store, [world], |tx, event| async {
        organisations::insert(tx, &world.organisation, &event).await?;
        aidants::insert(tx, &world.aidant, &event).await?;
        usagers::insert(tx, &world.usager, &event).await?;
        clients::insert(tx, &world.client, &event).await
    })
    .unwrap();
    world
}

/// Stores a proposal.
pub(crate) async fn proposed(store: &Store, world: &World) -> MandateRow {
    let mandate = Mandate::propose(
        MandateId::from_bytes(bytes()),
        world.organisation.id.clone(),
        world.aidant.id.clone(),
        terms(),
        NOW,
    );
    put!(store, [mandate], |tx, event| mandates::insert(tx, &mandate, &event)).unwrap();
    let row = MandateRow { mandate, seq: 1, last_leaf: None, verification_code_hash: None, version: 1 };
    with_leaf(store, row).await
}

/// Stores what the domain made of a mandate, and gives it as it now stands.
pub(crate) async fn step(
    store: &Store,
    before: &MandateRow,
    mandate: Mandate,
) -> Result<MandateRow, StoreError> {
    let after = MandateRow { mandate, seq: before.seq + 1, ..before.clone() };
    let result = put!(store, [before, after], |tx, event| mandates::update(tx, &before, &after, &event));
    result?;
    Ok(with_leaf(store, MandateRow { version: before.version + 1, ..after }).await)
}

/// A row as it was written, with the leaf that writing gave it.
pub(crate) async fn with_leaf(store: &Store, row: MandateRow) -> MandateRow {
    let id = row.mandate.id.clone();
    let stored = get!(store, [id], |s| mandates::load(s, &id)).unwrap();
    assert!(stored.last_leaf.is_some(), "the row keeps its last leaf");
    MandateRow { last_leaf: stored.last_leaf, ..row }
}

/// Stores a mandate in force.
pub(crate) async fn in_force(store: &Store, world: &World) -> MandateRow {
    let proposed = proposed(store, world).await;
    let consented =
        proposed.mandate.clone().consent(consent(&world.usager, in_minutes(1)), DECLARED).unwrap();
    let consented = step(store, &proposed, consented).await.unwrap();
    let accepted = consented.mandate.clone().accept(world.aidant.id.clone(), in_minutes(2)).unwrap();
    step(store, &consented, accepted).await.unwrap()
}

pub(crate) fn representation(world: &World, mandate: &MandateRow) -> RepresentationRow {
    RepresentationRow {
        id: RepresentationId::from_bytes(bytes()),
        mandate: mandate.mandate.id.clone(),
        organisation: world.organisation.id.clone(),
        aidant: world.aidant.id.clone(),
        usager: world.usager.id.clone(),
        client: world.client.id.clone(),
        procedure: procedure("declare-income"),
        acts: BTreeSet::from([Act::Prepare, Act::Submit]),
        sid: "sid".to_owned(),
        opened_at: in_minutes(3),
        ends_at: in_minutes(33),
        closed: None,
        outcome: None,
        told: None,
        version: 1,
    }
}

pub(crate) fn session(kind: SessionKind) -> SessionRow {
    SessionRow {
        id_hash: unique(),
        sid: unique(),
        kind,
        aidant: None,
        usager: None,
        auditor: None,
        reading: None,
        mandate: None,
        provider_sub: None,
        authenticated_at: None,
        factor_at: None,
        identified_at: None,
        identity_level: None,
        usager_level: None,
        csrf: [5; 32],
        language: Language::Fr,
        created_at: NOW,
        seen_at: NOW,
        ends_at: in_minutes(720),
        id_token_hint_sealed: None,
    }
}
