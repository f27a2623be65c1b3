//! `doctor`: looks at everything an instance needs, and says each.

use super::{Configured, Refused, say};
use crate::config::Config;
use crate::courier::NotTaken;
use crate::crypto::{KeyState, KeyStore};
use crate::mandate::Channel;
use crate::relying::{HttpClient, HttpError, HttpPolicy};
use crate::service::{App, health, read, registry, timestamps};
use std::net::{Ipv4Addr, SocketAddr};
use time::Duration;

/// An entry that waits longer than this for its place has nobody who gives it one.
const LONG_WAIT: Duration = Duration::seconds(10);

/// What one look found: what is well, or what is wrong and what to do.
type Found = Result<String, String>;

/// Checks keys, database, journal, providers and the running service; says each, and fails when one is ill.
pub(super) async fn run(configured: &Configured) -> Result<(), Refused> {
    let config = configured.load()?;
    let mut ill = 0_u32;
    let mut check = |what: &str, found: Found| match found {
        Ok(fine) => say(&format!("ok    {what}: {fine}")),
        Err(fault) => {
            ill += 1;
            say(&format!("FAULT {what}: {fault}"));
        }
    };
    let keys = KeyStore::open(crate::app::key_place(&config));
    check("keys", keys.map(|keys| told(&keys)).map_err(|error| error.to_string()));
    match super::open(&config).await {
        Err(error) => check("service", Err(error.to_string())),
        Ok(app) => {
            let statements = app.store.prepare_all().await;
            check(
                "database",
                statements
                    .map(|number| format!("{number} statements fit the schema"))
                    .map_err(|error| error.to_string()),
            );
            for text in app.texts.each() {
                let (reading, hash) = (text.translation.reading(), &text.file_hash);
                let state = if text.translation.reviewed() { "reviewed" } else { "not reviewed" };
                check("text", Ok(format!("{reading}, {state}, SHA-256 of its file {hash}")));
            }
            check("services", services(&app).await);
            check("journal", journal(&app).await);
            if app.timestamps.are_asked_for() {
                check("time-stamps", stamped(&app).await);
            }
            let writes = health::check(&app).await;
            check("writing", writes.map(|()| "possible".to_owned()).map_err(|ill| ill.to_string()));
            for party in std::iter::once(&app.citizens).chain(app.agents.each()) {
                let name = party.name();
                let answers = party.probe(app.now()).await;
                check(name, answers.map(|()| party.issuer().to_owned()).map_err(|error| error.to_string()));
            }
            for channel in Channel::ALL {
                if let Some(courier) = app.couriers.of(channel) {
                    let answers = courier.answers().await.map(|()| "answers".to_owned());
                    check(channel.as_str(), answers.map_err(|error| unheard(channel, error)));
                }
            }
            app.store.close().await;
        }
    }
    check("running service", running(&config).await);
    if ill == 0 { Ok(()) } else { Err(Refused::other("not everything is well: mend what is marked FAULT")) }
}

fn unheard(channel: Channel, why: NotTaken) -> String {
    let section = if channel == Channel::Email { "messages.smtp_* or messages.email_*" } else { "messages" };
    format!("who carries it gives no answer ({why}): see {section}; meanwhile messages wait")
}

async fn services(app: &App) -> Found {
    match registry::unsigned(app).await.map_err(|error| error.to_string())? {
        None => Ok("each has a key that signs for it".to_owned()),
        Some(unsigned) => Err(unsigned.to_string()),
    }
}

async fn journal(app: &App) -> Found {
    let note = read::checkpoint(app).await.map_err(|error| error.to_string())?;
    let mut told = note.as_deref().unwrap_or_default().lines();
    let (Some(origin), Some(size)) = (told.next(), told.next()) else {
        return Err("there is no checkpoint".to_owned());
    };
    let shard = if origin == app.origin { String::new() } else { format!(" of the shard {origin}") };
    let waiting = read::oldest_waiting(app).await.map_err(|error| error.to_string())?;
    match waiting.filter(|at| app.now().since(*at) >= LONG_WAIT) {
        None => Ok(format!("entries under a signed checkpoint: {size}{shard}")),
        Some(at) => Err(format!(
            "an entry of {} still waits for its place: start the service, or restart it when it runs, so that it \
             signs under the keys that are there now",
            at.to_utc()
        )),
    }
}

async fn stamped(app: &App) -> Found {
    match timestamps::overdue(app).await.map_err(|error| error.to_string())? {
        None => Ok("none is overdue".to_owned()),
        Some(at) => Err(format!(
            "the day's checkpoint was not time-stamped since {}: start the service, or see in its log why the authority in \
             journal.timestamp_url gave no time-stamp",
            at.to_utc()
        )),
    }
}

/// How many keys there are, and whether a rotation of the journal's is under way.
fn told(keys: &KeyStore) -> String {
    let listing = keys.listing();
    let mut count = format!("{} keys", listing.len());
    let held: Vec<_> = listing.iter().filter(|key| key.state != KeyState::Retired).collect();
    let held: Vec<_> = held.iter().filter_map(|key| key.token.as_ref()).collect();
    if let Some(token) = held.first() {
        count = format!("{count}, {} of them in the token {token:?}", held.len());
    }
    match keys.journal_keys().len() {
        1 => count,
        _ => format!(
            "{count}; the journal's former key still signs beside the new one: `porteplume keys retire journal` ends \
             that, once auditors and witnesses know the new one"
        ),
    }
}

/// What the service that listens at the configured address says of itself. None running is no fault here.
async fn running(config: &Config) -> Found {
    let listen = config.server.listen;
    let address = if listen.ip().is_unspecified() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, listen.port()))
    } else {
        listen
    };
    if !address.ip().is_loopback() {
        return Ok(format!("not asked, since it does not listen here: see http://{address}/health/ready"));
    }
    let policy = HttpPolicy { allow_loopback: true, ..HttpPolicy::default() };
    let client = HttpClient::new(&policy).map_err(|error| error.to_string())?;
    match client.status(&format!("http://{address}/health/ready")).await {
        Ok(200) => Ok(format!("{address} is ready")),
        Ok(status) => Err(format!(
            "{address} says that it cannot work (status {status}): its log says why; if a key was rotated, restart it"
        )),
        Err(HttpError::Unreachable) => Ok(format!("none at {address}")),
        Err(error) => Err(format!("{address} gives no answer: {error}")),
    }
}
