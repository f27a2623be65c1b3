//! A scripted hour of work, lived by a process of its own: this test binary, run again by whoever wants it harmed. It
//! says on its standard output what it acknowledges, when it is included, with its receipt.

use super::uses::{self, Parties};
use crate::support::app::{Pace, TestApp};
use crate::support::database::TestDatabase;
use crate::support::world::{self, identity, whereabouts};
use porteplume::mandate::{
    AidantId, ClientId, Consent, ConsentChannel, Declarations, EndReason, EventId, Instant, LifeFact,
    Mandate, MandateId, OrganisationId, ProcedureId, ProfessionalIdentity, Role, Term, Terms, UsagerId,
};
use porteplume::service::manage::{Invited, Manager};
use porteplume::service::{App, Caller, Error, Record, Stream, manage, receipt};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::{StoreOptions, mandates};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

/// Where the database of the hour is; without it nothing is lived.
pub(super) const ADDRESS: &str = "PORTEPLUME_TEST_HOUR";
/// A folder beside it.
pub(super) const FOLDER: &str = "PORTEPLUME_TEST_HOUR_FOLDER";
/// The keys of whoever runs it.
pub(super) const KEYS: &str = crate::support::app::KEYS;
/// How many mandates live and end in it: one used and revoked, one renounced, one refused.
const MANDATES: usize = 3;
/// Refused for a while, one begins again.
const MOST_TRIES: usize = 12;
/// After a refusal that took so long one gives up: a lock that could not be given back is held until the process ends, and
/// every write waits for it in vain.
const LONGEST: Duration = Duration::from_secs(4);
/// When something was said last.
static LAST: Mutex<Option<Moment>> = Mutex::new(None);
/// Whether one gave up.
static GIVEN_UP: AtomicBool = AtomicBool::new(false);

#[expect(clippy::disallowed_methods, reason = "said by the test that runs this one")]
fn said(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whoever harms it reads along.
#[expect(clippy::print_stdout, reason = "acknowledged to the process that harms this one")]
pub(super) fn say(what: &str) {
    println!("hour: {what}");
    *LAST.lock().unwrap() = Some(Moment::now());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_of_work() {
    let (Some(address), Some(folder)) = (said(ADDRESS), said(FOLDER)) else { return };
    let database = TestDatabase::lent(&address, Path::new(&folder));
    let options = StoreOptions {
        published_checkpoint: Some(Path::new(&folder).join("checkpoint")),
        patience: Duration::from_secs(1),
        ..database.options()
    };
    let pace = Pace { patience: Duration::from_secs(5), request_seconds: 30 };
    match TestApp::opened(database, &options, pace).await {
        Ok(test) => {
            live(&test).await;
            test.web.app.store.close().await;
            say("over");
        }
        Err(error) => say(&format!("refused {}", error.code())),
    }
}

async fn live(test: &TestApp) {
    let app = &test.web.app;
    let mut lived = 0;
    for number in 0..MOST_TRIES {
        if lived == MANDATES || given_up() {
            return;
        }
        let Some(parties) = parties(app, number).await else { continue };
        life(test, &parties, lived).await;
        lived += 1;
    }
}

/// An organisation, its aidant who accepted the invitation, a usager, a service.
async fn parties(app: &App, number: usize) -> Option<Parties> {
    let siret = format!("{:08}{number:06}", std::process::id());
    let organisation = manage::add_organisation(app, "Mairie", &siret, &whereabouts()).await;
    let organisation = organisation.inspect_err(refused).ok()?;
    say(&format!("organisation {organisation}"));
    let email = format!("{organisation}@mairie.example");
    let invited = Invited { given_name: "Léo", family_name: "Grand", email: &email, role: Role::Aidant };
    let (operator, nobody) = (Manager::Operator, Caller::default());
    let invited = manage::invite_aidant(app, &operator, &nobody, &organisation, invited).await;
    say(&format!("aidant {}", invited.inspect_err(refused).ok()?));
    let (aidant, usager) = (AidantId::from_bytes(id(app)), UsagerId::from_bytes(id(app)));
    acknowledged(app, &engaged(app, &organisation, &aidant).await?).await;
    acknowledged(app, &identified(app, &usager).await?).await;
    // Replicas of one database register services of their own, and a process begins again after a refusal.
    let client = ClientId::parse(&format!("caisse-{organisation}")).unwrap();
    uses::register(app, &client).await.inspect_err(refused).ok()?;
    say(&format!("client {client}"));
    Some(Parties { organisation, aidant, usager, client })
}

/// An aidant after their first sign-in.
async fn engaged(app: &App, organisation: &OrganisationId, aidant: &AidantId) -> Option<EventId> {
    let (app_, now) = (Arc::clone(app), app.now());
    let (id, organisation) = (aidant.clone(), organisation.clone());
    let done = app.include("hour.aidant", move |tx| {
        let (app, id, organisation) = (Arc::clone(&app_), id.clone(), organisation.clone());
        Box::pin(async move {
            let (given_name, family_name) = ("Ana".to_owned(), "Petit".to_owned());
            let identity =
                ProfessionalIdentity { given_name, family_name, email: format!("{id}@mairie.example") };
            world::engaged(&app, tx, (&organisation, &id), &identity, id.to_string(), now).await
        })
    });
    done.await.inspect_err(refused).ok()
}

fn id(app: &App) -> [u8; 16] {
    app.new_id().unwrap()
}

/// Whether one gave up.
pub(super) fn given_up() -> bool {
    GIVEN_UP.load(Ordering::Relaxed)
}

/// A page said to come again.
pub(super) fn came_again() {
    say_refused("come_again");
}

pub(super) fn refused(error: &Error) {
    say_refused(error.code());
}

fn say_refused(code: &str) {
    let last = *LAST.lock().unwrap();
    if last.is_some_and(|last| last.elapsed() > LONGEST) {
        GIVEN_UP.store(true, Ordering::Relaxed);
    }
    say(&format!("refused {code}"));
}

/// A usager after an identification.
async fn identified(app: &App, usager: &UsagerId) -> Option<EventId> {
    let (app_, now, id) = (Arc::clone(app), app.now(), usager.clone());
    let done = app.include("hour.usager", move |tx| {
        let (app, id) = (Arc::clone(&app_), id.clone());
        Box::pin(async move {
            let identity = identity("Rose", "Almeida", "1942-02-28");
            world::identified(&app, tx, &id, &identity, id.to_string(), now).await
        })
    });
    done.await.inspect_err(refused).ok()
}

/// One mandate from its proposal to its end.
async fn life(test: &TestApp, parties: &Parties, number: usize) {
    let app = &test.web.app;
    let Parties { organisation, aidant, usager, .. } = parties;
    let chosen: BTreeSet<ProcedureId> = [ProcedureId::parse("prime-activite").unwrap()].into();
    let Ok(terms) = Terms::check(&app.catalogue, &chosen, Term::Month, app.now()) else { panic!("terms") };
    let (id, now) = (MandateId::from_bytes(id(app)), app.now());
    let mandate = Mandate::propose(id, organisation.clone(), aidant.clone(), terms, now);
    let fact = LifeFact::Proposed {
        organisation: organisation.clone(),
        proposed_by: aidant.clone(),
        terms: mandate.terms.clone(),
    };
    let row = MandateRow { mandate, seq: 1, last_leaf: None, verification_code_hash: None, version: 1 };
    let Some(event) = step(app, None, &row, &fact).await else { return };
    acknowledged(app, &event).await;
    if number == MANDATES - 1 {
        let refused = row.mandate.clone().refuse(passed(test)).unwrap();
        let _ = on(app, row, refused, LifeFact::Refused).await;
        return;
    }
    let now = passed(test);
    let consent = Consent {
        usager: usager.clone(),
        at: now,
        identified_at: now,
        identity_level: "eidas1".to_owned(),
        text_hash: "ab".repeat(32),
        language: "fr".to_owned(),
        channel: ConsentChannel::InPresence,
    };
    let declared = Declarations { not_protected: true, may_be_minor: false };
    let consented = row.mandate.clone().consent(consent.clone(), declared).unwrap();
    let Some(row) = on(app, row, consented, LifeFact::Consented { consent }).await else { return };
    let accepted = row.mandate.clone().accept(aidant.clone(), passed(test)).unwrap();
    let fact = LifeFact::Accepted { by: aidant.clone() };
    let Some(row) = on(app, row, accepted, fact).await else { return };
    let now = passed(test);
    if number == 0 {
        uses::of(test, parties, row).await;
    } else {
        let ended = row.mandate.clone().end(EndReason::Renounced, now).unwrap();
        let _ = on(app, row, ended, LifeFact::Ended { reason: EndReason::Renounced }).await;
    }
}

/// Some minutes later.
fn passed(test: &TestApp) -> Instant {
    test.clock.advance(time::Duration::minutes(10));
    test.web.app.now()
}

/// The next step of a mandate, acknowledged; what is refused is tried once more.
async fn on(app: &App, row: MandateRow, next: Mandate, fact: LifeFact) -> Option<MandateRow> {
    let after = MandateRow { mandate: next, seq: row.seq + 1, ..row.clone() };
    let event = step(app, Some(&row), &after, &fact).await?;
    acknowledged(app, &event).await;
    Some(MandateRow { version: row.version + 1, ..after })
}

/// Stores one step with its entry, and waits for inclusion.
async fn step(
    app: &App,
    before: Option<&MandateRow>,
    after: &MandateRow,
    fact: &LifeFact,
) -> Option<EventId> {
    for _ in 0..2 {
        if given_up() {
            return None;
        }
        let (app_, now) = (Arc::clone(app), app.now());
        let (before, after, fact) = (before.cloned(), after.clone(), fact.clone());
        let done = app.include("hour", move |tx| {
            let (app, before, after, fact) = (Arc::clone(&app_), before.clone(), after.clone(), fact.clone());
            Box::pin(async move { stored(&app, tx, before.as_ref(), &after, fact, now).await })
        });
        match done.await {
            Ok(event) => return Some(event),
            Err(error) => refused(&error),
        }
    }
    None
}

async fn stored(
    app: &App,
    tx: &mut porteplume::storage::Tx,
    before: Option<&MandateRow>,
    after: &MandateRow,
    fact: LifeFact,
    now: Instant,
) -> Result<EventId, Error> {
    let stream = Stream { mandate: after.mandate.id.clone(), seq: after.seq, previous: None };
    let record = Record::life(fact).organisation(&after.mandate.organisation).in_stream(stream);
    let mut record = record.aidant(&after.mandate.proposed_by);
    if let Some(usager) = after.mandate.usager() {
        record = record.usager(usager);
    }
    let event = record.append(app, tx, &Caller::default(), now).await?;
    match before {
        Some(before) => mandates::update(tx, before, after, &event).await?,
        None => mandates::insert(tx, &after.mandate, &event).await?,
    }
    Ok(event)
}

/// Says that it is done, and gives its receipt.
async fn acknowledged(app: &App, event: &EventId) {
    say(&format!("entry {event}"));
    let event = event.clone();
    let given = app
        .store
        .read("hour.receipt", move |snapshot| Box::pin(async move { receipt::of(snapshot, &event).await }));
    if let Ok(Some(receipt)) = given.await {
        say(&format!(
            "receipt {} {} {} {}",
            receipt.event, receipt.index, receipt.leaf_hash, receipt.tree_size
        ));
    }
}
