//! Parties and mandates, written as the service writes them: each fact with its entry. Shared with the benches.

use porteplume::clock::random;
use porteplume::crypto::OpaqueToken;
use porteplume::mandate::{
    AidantId, BirthDate, Consent, ConsentChannel, Declarations, EventId, EventKind, Identity, Instant,
    Language, LifeFact, Mandate, MandateId, OrganisationId, ProcedureId, ProfessionalIdentity, Role,
    Standing, State, Term, Terms, UsagerId, Whereabouts,
};
use porteplume::provider::{ClientDraft, ClientRegistration};
use porteplume::service::people::{self, Holder};
use porteplume::service::session::Opened;
use porteplume::service::{App, Caller, Error, Record, Session, Stream, Who, manage, registry, session};
use porteplume::storage::aidants::AidantRow;
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::usagers::UsagerRow;
use porteplume::storage::{BoxFuture, Tx, aidants, mandates, usagers};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// One write of the fixture's, which waits for the journal as acts do.
async fn write<T, F>(app: &App, work: F) -> T
where
    T: Send + 'static,
    F: for<'t> Fn(App, &'t mut Tx, Instant) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
{
    let (app_, now) = (Arc::clone(app), app.now());
    app.include("world", move |tx| work(Arc::clone(&app_), tx, now)).await.expect("the fixture's write")
}

/// One that does not: the same where the journal is behind.
async fn commit<F>(app: &App, work: F)
where
    F: for<'t> Fn(App, &'t mut Tx, Instant) -> BoxFuture<'t, Result<(), Error>> + Send + Sync + 'static,
{
    let (app_, now) = (Arc::clone(app), app.now());
    app.commit("world", move |tx| work(Arc::clone(&app_), tx, now)).await.expect("the fixture's write");
}

fn text(app: &App) -> String {
    porteplume::crypto::to_hex(&random::<8>(&*app.entropy).unwrap())
}

/// Where the organisations of the tests are.
pub(crate) fn whereabouts() -> Whereabouts {
    Whereabouts {
        address: "1, rue de l’Église, 51160 Aÿ-Champagne".to_owned(),
        town: "Aÿ-Champagne".to_owned(),
        telephone: Some("01 99 00 00 00".to_owned()),
    }
}

/// An active organisation.
pub(crate) async fn organisation(app: &App, name: &str) -> OrganisationId {
    let number = u64::from_be_bytes(random::<8>(&*app.entropy).unwrap()) % 100_000_000_000_000;
    manage::add_organisation(app, name, &format!("{number:014}"), &whereabouts()).await.unwrap()
}

/// An aidant who has signed in before.
pub(crate) async fn aidant(app: &App, organisation: &OrganisationId) -> AidantId {
    aidant_named(app, organisation, "Camille", "Roche").await
}

/// The same under this name.
pub(crate) async fn aidant_named(
    app: &App,
    organisation: &OrganisationId,
    given_name: &str,
    family_name: &str,
) -> AidantId {
    let (id, organisation) = (AidantId::from_bytes(app.new_id().unwrap()), organisation.clone());
    let (given, subject) = (id.clone(), text(app));
    let identity = ProfessionalIdentity {
        given_name: given_name.to_owned(),
        family_name: family_name.to_owned(),
        email: format!("{subject}@mairie.example"),
    };
    commit(app, move |app, tx, now| {
        let (id, organisation) = (id.clone(), organisation.clone());
        let (identity, subject) = (identity.clone(), subject.clone());
        Box::pin(
            async move { engaged(&app, tx, (&organisation, &id), &identity, subject, now).await.map(drop) },
        )
    })
    .await;
    given
}

/// An aidant's row with the entry of their first sign-in.
pub(crate) async fn engaged(
    app: &App,
    tx: &mut Tx,
    (organisation, id): (&OrganisationId, &AidantId),
    identity: &ProfessionalIdentity,
    subject: String,
    now: Instant,
) -> Result<EventId, Error> {
    let holder = Holder::Aidant(id.as_str());
    let (identity_sealed, identity_key) = people::seal(app, tx, holder, identity, now).await?;
    let record = Record::done(EventKind::InvitationAccepted).organisation(organisation).aidant(id);
    let event = record.append(app, tx, &Caller::default(), now).await?;
    let row = AidantRow {
        id: id.clone(),
        organisation: organisation.clone(),
        role: Role::Aidant,
        standing: Standing::Active,
        email_blind: people::email_blind(app, &identity.email),
        identity_sealed,
        identity_key,
        subject: Some(("https://agents.test".to_owned(), subject)),
        invited_at: now,
        invite_expires_at: now.plus(Duration::days(7)),
        activated_at: Some(now),
        asked: None,
        version: 1,
    };
    aidants::insert(tx, &row, &event).await?;
    Ok(event)
}

/// Who a usager is.
pub(crate) fn identity(given_name: &str, family_name: &str, birthdate: &str) -> Identity {
    Identity {
        given_name: given_name.to_owned(),
        family_name: family_name.to_owned(),
        preferred_username: None,
        gender: "female".to_owned(),
        birthdate: BirthDate::parse(birthdate).unwrap(),
        birthplace: "75107".to_owned(),
        birthcountry: "99100".to_owned(),
        email: Some("rose@example.org".to_owned()),
    }
}

/// A usager, findable in an organisation.
pub(crate) async fn usager(app: &App, organisation: &OrganisationId, identity: Identity) -> UsagerId {
    known_usager(app, Some(organisation), identity).await
}

/// A usager known to us, as after an identification; findable where an organisation is named.
pub(crate) async fn known_usager(
    app: &App,
    organisation: Option<&OrganisationId>,
    identity: Identity,
) -> UsagerId {
    let (id, organisation) = (UsagerId::from_bytes(app.new_id().unwrap()), organisation.cloned());
    let (given, sub) = (id.clone(), text(app));
    commit(app, move |app, tx, now| {
        let (id, organisation, identity, sub) =
            (id.clone(), organisation.clone(), identity.clone(), sub.clone());
        Box::pin(async move {
            identified(&app, tx, &id, &identity, sub, now).await?;
            if let Some(organisation) = organisation {
                let blinds = people::usager_blinds(&app, &organisation, &identity);
                usagers::index(tx, &organisation, &id, &blinds).await?;
            }
            Ok(())
        })
    })
    .await;
    given
}

/// A usager's row with the entry of their first identification.
pub(crate) async fn identified(
    app: &App,
    tx: &mut Tx,
    id: &UsagerId,
    identity: &Identity,
    sub: String,
    now: Instant,
) -> Result<EventId, Error> {
    let holder = Holder::Usager(id.as_str());
    let (identity_sealed, identity_key) = people::seal(app, tx, holder, identity, now).await?;
    let record = Record::done(EventKind::UsagerSignedIn).usager(id);
    let event = record.append(app, tx, &Caller::default(), now).await?;
    let row = UsagerRow {
        id: id.clone(),
        iss: "https://citizens.test".to_owned(),
        sub,
        identity_sealed,
        identity_key,
        first_seen_at: now,
        identified_at: now,
        identity_level: "eidas1".to_owned(),
        version: 1,
    };
    usagers::insert(tx, &row, &event).await?;
    Ok(event)
}

/// Registers a service.
pub(crate) async fn client(app: &App, draft: serde_json::Value) {
    let draft: ClientDraft = serde_json::from_value(draft).unwrap();
    registry::add(app, &ClientRegistration::try_from(draft).unwrap()).await.unwrap();
}

/// A procedure of the catalogue.
pub(crate) fn procedure(id: &str) -> ProcedureId {
    ProcedureId::parse(id).unwrap()
}

/// A proposal for these procedures.
pub(crate) async fn proposed(
    app: &App,
    (organisation, aidant): (&OrganisationId, &AidantId),
    procedures: &[&str],
    term: Term,
) -> MandateRow {
    let chosen: BTreeSet<_> = procedures.iter().map(|id| procedure(id)).collect();
    let terms = Terms::check(&app.catalogue, &chosen, term, app.now()).unwrap();
    let id = MandateId::from_bytes(app.new_id().unwrap());
    let mandate = Mandate::propose(id, organisation.clone(), aidant.clone(), terms, app.now());
    let row = MandateRow {
        mandate: mandate.clone(),
        seq: 1,
        last_leaf: None,
        verification_code_hash: None,
        version: 1,
    };
    write(app, move |app, tx, now| {
        let mandate = mandate.clone();
        Box::pin(async move {
            let fact = LifeFact::Proposed {
                organisation: mandate.organisation.clone(),
                proposed_by: mandate.proposed_by.clone(),
                terms: mandate.terms.clone(),
            };
            let stream = Stream { mandate: mandate.id.clone(), seq: 1, previous: None };
            let record = Record::life(fact).organisation(&mandate.organisation).aidant(&mandate.proposed_by);
            let event = record.in_stream(stream).append(&app, tx, &Caller::default(), now).await?;
            Ok(mandates::insert(tx, &mandate, &event).await?)
        })
    })
    .await;
    row
}

/// Stores what a mandate became, with the fact that made it so.
pub(crate) async fn step(app: &App, before: MandateRow, mandate: Mandate, fact: LifeFact) -> MandateRow {
    let after = MandateRow { mandate, seq: before.seq + 1, ..before.clone() };
    let stored = MandateRow { version: before.version + 1, ..after.clone() };
    write(app, move |app, tx, now| {
        let (before, after, fact) = (before.clone(), after.clone(), fact.clone());
        Box::pin(async move {
            let stream = Stream { mandate: after.mandate.id.clone(), seq: after.seq, previous: None };
            let mut record = Record::life(fact).organisation(&after.mandate.organisation).in_stream(stream);
            if let Some(usager) = after.mandate.usager() {
                record = record.usager(usager);
            }
            if matches!(after.mandate.state, State::Consented(_) | State::Active { .. }) {
                record = record.aidant(&after.mandate.proposed_by);
            }
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            Ok(mandates::update(tx, &before, &after, &event).await?)
        })
    })
    .await;
    stored
}

/// The usager agrees to a proposal.
pub(crate) async fn consented(app: &App, row: MandateRow, usager: &UsagerId) -> MandateRow {
    consented_after(app, row, usager, (Duration::ZERO, "eidas1")).await
}

/// The usager agrees to a proposal so long after they were identified at that level.
pub(crate) async fn consented_after(
    app: &App,
    row: MandateRow,
    usager: &UsagerId,
    (took, level): (Duration, &str),
) -> MandateRow {
    let now = app.now();
    let consent = Consent {
        usager: usager.clone(),
        at: now,
        identified_at: now.plus(-took),
        identity_level: level.to_owned(),
        text_hash: "ab".repeat(32),
        language: "fr".to_owned(),
        channel: ConsentChannel::InPresence,
    };
    let declared = Declarations { not_protected: true, may_be_minor: false };
    let mandate = row.mandate.clone().consent(consent.clone(), declared).unwrap();
    step(app, row, mandate, LifeFact::Consented { consent }).await
}

/// A mandate in force.
pub(crate) async fn mandate(
    app: &App,
    by: (&OrganisationId, &AidantId),
    usager: &UsagerId,
    procedures: &[&str],
    term: Term,
) -> MandateRow {
    let row = consented(app, proposed(app, by, procedures, term).await, usager).await;
    let mandate = row.mandate.clone().accept(by.1.clone(), app.now()).unwrap();
    step(app, row, mandate, LifeFact::Accepted { by: by.1.clone() }).await
}

/// A session of that holder.
pub(crate) async fn session_of(app: &App, who: Who) -> Opened {
    let started = session::start(app, Language::Fr).await.unwrap();
    next(app, &started.session, who).await
}

/// The session that follows another.
pub(crate) async fn next(app: &App, before: &Session, who: Who) -> Opened {
    let opened = session::next(app, before, who).unwrap();
    let (before, after): (_, Arc<Session>) = (before.id, Arc::new(opened.session.clone()));
    write(app, move |_, tx, _| {
        let after = Arc::clone(&after);
        Box::pin(async move { session::rotate(tx, &before, &after).await })
    })
    .await;
    opened
}

/// An aidant, signed in now with a second factor.
pub(crate) fn fresh(app: &App, aidant: &AidantId) -> Who {
    let now = app.now();
    let (aidant, level) = (aidant.clone(), "eidas2".to_owned());
    Who::Aidant { aidant, authenticated_at: now, factor_at: Some(now), level }
}

/// The hash a client's secret is registered under.
pub(crate) fn secret_hash(secret: &str) -> String {
    OpaqueToken::hash_of(secret).to_hex()
}
