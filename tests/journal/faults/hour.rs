//! A scripted hour of work, lived by a process of its own: this test binary, run again by whoever wants it harmed. It
//! says on its standard output what it acknowledges, when it is included, with its receipt.

use crate::support::app::{Pace, TestApp};
use crate::support::database::TestDatabase;
use crate::support::world::{identity, whereabouts};
use porteplume::mandate::{
    AidantId, Consent, ConsentChannel, Declarations, EndReason, EventId, EventKind, Instant, LifeFact,
    Mandate, MandateId, OrganisationId, ProcedureId, Role, Term, Terms, UsagerId,
};
use porteplume::service::manage::{Invited, Manager};
use porteplume::service::people::Holder;
use porteplume::service::{App, Caller, Error, Record, Stream, manage, people, receipt};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::usagers::UsagerRow;
use porteplume::storage::{StoreOptions, mandates, usagers};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Where the database of the hour is; without it nothing is lived.
pub(super) const ADDRESS: &str = "PORTEPLUME_TEST_HOUR";
/// A folder beside it.
pub(super) const FOLDER: &str = "PORTEPLUME_TEST_HOUR_FOLDER";
/// The keys of whoever runs it.
pub(super) const KEYS: &str = crate::support::app::KEYS;
/// How many mandates live and end in it.
const MANDATES: usize = 2;
/// Refused for a while, one begins again.
const MOST_TRIES: usize = 12;

#[expect(clippy::disallowed_methods, reason = "said by the test that runs this one")]
fn said(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whoever harms it reads along.
#[expect(clippy::print_stdout, reason = "acknowledged to the process that harms this one")]
fn say(what: &str) {
    println!("hour: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_of_work() {
    let (Some(address), Some(folder)) = (said(ADDRESS), said(FOLDER)) else { return };
    let database = TestDatabase::lent(&address, Path::new(&folder));
    let options = StoreOptions {
        published_checkpoint: Some(Path::new(&folder).join("checkpoint")),
        patience: Duration::from_secs(2),
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
        if lived == MANDATES {
            return;
        }
        let siret = format!("{:08}{number:06}", std::process::id());
        let organisation = manage::add_organisation(app, "Mairie", &siret, &whereabouts()).await;
        let Ok(organisation) = organisation.inspect_err(refused) else { continue };
        say(&format!("organisation {organisation}"));
        let email = format!("{organisation}@mairie.example");
        let invited = Invited { given_name: "Ana", family_name: "Petit", email: &email, role: Role::Aidant };
        let (operator, nobody) = (Manager::Operator, Caller::default());
        let aidant = manage::invite_aidant(app, &operator, &nobody, &organisation, invited).await;
        let Ok(aidant) = aidant.inspect_err(refused) else { continue };
        let usager = UsagerId::from_bytes(id(app));
        let Some(event) = known(app, &usager).await else { continue };
        acknowledged(app, &event).await;
        life(test, &organisation, &aidant, &usager).await;
        lived += 1;
    }
}

fn id(app: &App) -> [u8; 16] {
    app.new_id().unwrap()
}

fn refused(error: &Error) {
    say(&format!("refused {}", error.code()));
}

/// A usager after an identification.
async fn known(app: &App, usager: &UsagerId) -> Option<EventId> {
    let (app_, now, id) = (Arc::clone(app), app.now(), usager.clone());
    let done = app.include("hour.usager", move |tx| {
        let (app, id) = (Arc::clone(&app_), id.clone());
        Box::pin(async move {
            let identity = identity("Rose", "Almeida", "1942-02-28");
            let (identity_sealed, identity_key) =
                people::seal(&app, tx, Holder::Usager(id.as_str()), &identity, now).await?;
            let record = Record::done(EventKind::UsagerSignedIn).usager(&id);
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            let row = UsagerRow {
                iss: "https://citizens.test".to_owned(),
                sub: id.to_string(),
                identity_sealed,
                identity_key,
                first_seen_at: now,
                identified_at: now,
                identity_level: "eidas1".to_owned(),
                version: 1,
                id,
            };
            usagers::insert(tx, &row, &event).await?;
            Ok(event)
        })
    });
    done.await.inspect_err(refused).ok()
}

/// One mandate from its proposal to its end; what is refused is tried once more.
async fn life(test: &TestApp, organisation: &OrganisationId, aidant: &AidantId, usager: &UsagerId) {
    let app = &test.web.app;
    let chosen: BTreeSet<ProcedureId> = [ProcedureId::parse("prime-activite").unwrap()].into();
    let Ok(terms) = Terms::check(&app.catalogue, &chosen, Term::Month, app.now()) else { panic!("terms") };
    let mandate = Mandate::propose(
        MandateId::from_bytes(id(app)),
        organisation.clone(),
        aidant.clone(),
        terms,
        app.now(),
    );
    let fact = LifeFact::Proposed {
        organisation: organisation.clone(),
        proposed_by: aidant.clone(),
        terms: mandate.terms.clone(),
    };
    let mut row = MandateRow {
        mandate: mandate.clone(),
        seq: 1,
        last_leaf: None,
        verification_code_hash: None,
        version: 1,
    };
    let Some(event) = step(app, None, &row, &fact).await else { return };
    acknowledged(app, &event).await;
    for number in 0..3 {
        test.clock.advance(time::Duration::minutes(10));
        let now = app.now();
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
        let before = row.mandate.clone();
        let (next, fact) = match number {
            0 => (before.consent(consent.clone(), declared), LifeFact::Consented { consent }),
            1 => (before.accept(aidant.clone(), now), LifeFact::Accepted { by: aidant.clone() }),
            _ => (before.end(EndReason::Revoked, now), LifeFact::Ended { reason: EndReason::Revoked }),
        };
        let after = MandateRow { mandate: next.unwrap(), seq: row.seq + 1, ..row.clone() };
        let Some(event) = step(app, Some(&row), &after, &fact).await else { return };
        acknowledged(app, &event).await;
        row = MandateRow { version: row.version + 1, ..after };
    }
}

/// Stores one step with its entry, and waits for inclusion.
async fn step(
    app: &App,
    before: Option<&MandateRow>,
    after: &MandateRow,
    fact: &LifeFact,
) -> Option<EventId> {
    for _ in 0..2 {
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
    let (app_, event) = (Arc::clone(app), event.clone());
    let given = app.store.read("hour.receipt", move |snapshot| {
        Box::pin(async move { receipt::of(&app_, snapshot, &event).await })
    });
    if let Ok(Some(receipt)) = given.await {
        say(&format!(
            "receipt {} {} {} {}",
            receipt.event, receipt.index, receipt.leaf_hash, receipt.tree_size
        ));
    }
}
