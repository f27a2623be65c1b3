//! A journal of many entries, for measuring and for looking at pages as they will be after years: fictional lives of
//! mandates, written in the order of their instants through the very functions that write real entries.
//!
//! Facts and entries belong together as everywhere, so the journal verifies. What is left out: papers (a synthetic
//! mandate cannot be printed) and services' codes and tokens.

mod life;
mod world;

use super::start::{Demo, DemoError, DemoOptions, start};
use crate::clock::{Clock as _, Entropy, ManualClock, SystemClock, SystemEntropy, random};
use crate::mandate::{ClientId, Instant};
use crate::service::{self, App};
use life::Life;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;
use time::Duration;
use tokio::task::JoinSet;
use world::World;

/// Steps under way at once: they share commits.
const AT_ONCE: usize = 192;
/// How far apart in time they may be: the clock stands at the last of them, and no proposal may lapse before its
/// consent comes.
const TOGETHER: Duration = Duration::minutes(5);
/// Entries in the life of a mandate, on average: how many mandates it takes for so many entries.
const ENTRIES_A_LIFE: u64 = 17;
/// Mandates a year in one organisation, about.
const LIVES_AN_ORGANISATION: u64 = 800;

/// Why nothing was made up.
#[derive(Debug, Error)]
pub enum SynthError {
    /// The directory holds a journal already: made-up entries would stand among real steps of the demonstration, and
    /// before them in time.
    #[error("{0} holds a demonstration already: name a directory that does not exist yet")]
    NotNew(std::path::PathBuf),
    /// The demonstration.
    #[error("{0}")]
    Demo(#[from] DemoError),
    /// A step.
    #[error("a made-up step failed: {0}")]
    Step(#[from] service::Error),
    /// A task died.
    #[error("a made-up step died")]
    Died,
}

/// How much to make up.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Entries, about.
    pub entries: u64,
    /// Over so many days before today.
    pub days: u32,
}

/// A number below `bound`, by chance; the chance of a made-up life guards nothing.
fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    random::<8>(entropy).map_or(0, u64::from_be_bytes) % bound.max(1)
}

/// Makes up a demonstration in a new directory, and in another database than the embedded one if named, migrated already.
/// Says now and then how far it is.
///
/// # Errors
/// [`SynthError`].
pub async fn fill(
    data: &Path,
    database: Option<String>,
    amount: Amount,
    say: &dyn Fn(&str),
) -> Result<(), SynthError> {
    if data.join("porteplume.sqlite").exists() {
        return Err(SynthError::NotNew(data.to_owned()));
    }
    // Entries tell milliseconds: so must the facts.
    let began = SystemClock.now().to_the_millisecond().plus(Duration::days(-i64::from(amount.days)));
    let clock = ManualClock::at(began);
    let options = DemoOptions {
        port: 0,
        data: data.to_owned(),
        database,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SystemEntropy),
    };
    let demo = start(options).await?;
    let made = live(&demo, &clock, began, amount, say).await;
    demo.stop().await;
    made
}

async fn live(
    demo: &Demo,
    clock: &ManualClock,
    began: Instant,
    amount: Amount,
    say: &dyn Fn(&str),
) -> Result<(), SynthError> {
    let app = &demo.app;
    let lives = (amount.entries / ENTRIES_A_LIFE).max(1);
    let client = ClientId::parse(super::start::CAISSE).map_err(|_| DemoError::Built("client"))?;
    let world = Arc::new(World::found(app, (lives / LIVES_AN_ORGANISATION).clamp(3, 60), client).await?);
    let mut due: BinaryHeap<_> =
        (0..lives).filter_map(|_| first(app, &world, began, amount)).map(Reverse).collect();
    let (mut written, mut told) = (0, 0);
    while let Some(Reverse(next)) = due.pop() {
        let (from, mut now) = (next.at, next.at);
        let mut batch = vec![next];
        while batch.len() < AT_ONCE
            && due.peek().is_some_and(|Reverse(more)| more.at.since(from) <= TOGETHER)
            && let Some(Reverse(more)) = due.pop()
        {
            now = more.at;
            batch.push(more);
        }
        clock.advance(now.since(clock.now()).max(Duration::ZERO));
        let mut steps = JoinSet::new();
        for one in batch {
            let (app, world) = (Arc::clone(app), Arc::clone(&world));
            steps.spawn(async move { one.life.step(&app, &world, one.at).await });
        }
        while let Some(step) = steps.join_next().await {
            let step = step.map_err(|_| SynthError::Died)??;
            written += step.written;
            let end = clock.now().plus(Duration::days(400));
            if let Some((life, at)) = step.next.filter(|(_, at)| *at < end) {
                due.push(Reverse(Due { at, life }));
            }
        }
        if written / 50_000 > told {
            told = written / 50_000;
            say(&format!("{written} entries, up to {}", clock.now().to_utc().date()));
        }
        if clock.now() >= SystemClock.now() || written >= amount.entries {
            break;
        }
    }
    say(&format!("{written} entries of {lives} mandates"));
    Ok(())
}

/// When a life begins: spread over the whole time, on working days, nearly always in working hours.
fn first(app: &App, world: &World, began: Instant, amount: Amount) -> Option<Due> {
    let after = below(&*app.entropy, u64::from(amount.days) * 86_400);
    let at = began.plus(Duration::seconds(i64::try_from(after).ok()?));
    Some(Due { at: world::in_working_hours(&*app.entropy, at), life: Life::begin(app, world)? })
}

/// A life and when it goes on.
struct Due {
    at: Instant,
    life: Life,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
