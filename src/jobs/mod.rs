//! What happens by itself: times that pass, rows that have had their time.

use crate::service::audit::glass;
use crate::service::{
    App, Error, asking, cosigned, expire, notices, outbox, remind, retention, shards, timestamps, upkeep,
    watch as anomalies, witnesses,
};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// How often the jobs look.
const EVERY: Duration = Duration::from_secs(5);
/// How often messages are looked for: a service learns of an end within a second.
const MESSAGES_EVERY: Duration = Duration::from_millis(250);
/// How often what usagers are to be told is looked for.
const PEOPLE_EVERY: Duration = Duration::from_secs(1);
/// Lost entries are looked for in every so many rounds: about once a minute.
const ROUNDS_OF_A_SEARCH: u32 = 12;

/// The alarm that entries had no place and no queue row.
const LOST: &str = "journal_entries_lost";

/// The running jobs.
pub struct Jobs([JoinHandle<()>; 5]);

impl Jobs {
    /// Waits until the round under way is done. They end by themselves when told to stop.
    pub async fn finish(self) {
        for job in self.0 {
            if job.await.is_err() {
                tracing::error!("the jobs died");
            }
        }
    }
}

/// Starts the jobs; they end when `stop` turns true or its sender is gone.
#[must_use]
pub fn start(app: &App, stop: watch::Receiver<bool>) -> Jobs {
    let chores = tokio::spawn(chores(App::clone(app), stop.clone()));
    let rules = tokio::spawn(rules(App::clone(app), stop.clone()));
    let messages = tokio::spawn(messages(App::clone(app), stop.clone()));
    let people = tokio::spawn(people(App::clone(app), stop.clone()));
    Jobs([chores, rules, messages, people, tokio::spawn(outside(App::clone(app), stop))])
}

async fn chores(app: App, mut stop: watch::Receiver<bool>) {
    for number in (0..ROUNDS_OF_A_SEARCH).cycle() {
        round(&app).await;
        if number == 0 {
            search(&app).await;
            report("remind", remind::round(&app).await.map(drop));
            report("retention", retention::run(&app).await.map(drop));
        }
        if stops(&mut stop, EVERY).await {
            return;
        }
    }
}

/// What deserves a second look is looked for in a loop of its own: much may have happened.
async fn rules(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        report("watch", anomalies::round(&app).await);
        if stops(&mut stop, EVERY).await {
            return;
        }
    }
}

/// Services are told of ends as they happen. What is under way when the service stops is sent again by who starts next.
async fn messages(app: App, mut stop: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    loop {
        report("outbox", outbox::send_due(&app, &mut under_way).await);
        if stops(&mut stop, MESSAGES_EVERY).await {
            return;
        }
    }
}

/// Usagers are told what was done in their name. A mail server's slowness holds up no service.
async fn people(app: App, mut stop: watch::Receiver<bool>) {
    let (mut under_way, mut codes) = (JoinSet::new(), JoinSet::new());
    loop {
        report("askings", asking::send_due(&app, &mut codes).await);
        report("notices", notices::send_due(&app, &mut under_way).await);
        if stops(&mut stop, PEOPLE_EVERY).await {
            return;
        }
    }
}

/// What others are asked for has a loop of its own: their slowness is theirs.
async fn outside(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            (seen, counted, stamped) = others(&app) => {
                report("witnesses", seen);
                report("cosigned", counted);
                report("timestamps", stamped);
            }
            // What was asked is not waited for: the answers count nowhere.
            _ = stop.wait_for(|stop| *stop) => return,
        }
        if stops(&mut stop, EVERY).await {
            return;
        }
    }
}

/// Asks everybody; then what the witnesses said until now is counted.
async fn others(app: &App) -> (Result<(), Error>, Result<(), Error>, Result<(), Error>) {
    let seen = async { (witnesses::round(app).await, cosigned::round(app).await) };
    let ((seen, counted), stamped) = tokio::join!(seen, timestamps::round(app));
    (seen, counted, stamped)
}

/// Waits for the next round; whether it is not to come.
async fn stops(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}

/// One round of everything. A job that fails is tried again at the next round.
async fn round(app: &App) {
    report("lapse", expire::lapse_due(app).await.map(drop));
    report("expire", expire::expire_due(app).await.map(drop));
    report("close", expire::close_due(app).await.map(drop));
    report("glass", glass::lapse_due(app).await.map(drop));
    report("shard", shard(app).await);
    report("purge", upkeep::purge(app).await);
    report("forget", upkeep::forget_erased(app).await);
}

/// Goes on in the shard of the new year, once it has begun.
async fn shard(app: &App) -> Result<(), Error> {
    if let Some(origin) = shards::open_due(app).await? {
        tracing::info!(
            origin,
            "the journal goes on in the shard of the new year: tell auditors and witnesses"
        );
    }
    Ok(())
}

/// Looks for entries that lost their place in the queue. Each is an alarm, though it is mended.
async fn search(app: &App) {
    let found = upkeep::requeue_lost(app).await;
    if let Ok(found @ 1..) = found {
        tracing::error!(
            code = LOST,
            found,
            "entries had lost their place in the queue and were queued again"
        );
        crate::telemetry::refused(LOST);
    }
    report("requeue", found.map(drop));
}

fn report(job: &'static str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::error!(job, code = error.code(), "a job failed");
        crate::telemetry::refused(job);
    }
}
