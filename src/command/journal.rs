//! `journal verify|export|entries|events|check|synth|restored|shard`. Nothing here but the last two changes a journal: the others work beside a running service, and on
//! a database `serve` would refuse.

use super::{Configured, Refused, bundle, mirror, policies, restored, say, shard};
use crate::clock::{Clock as _, SystemClock};
use crate::config::Telemetry;
use crate::crypto::KeyStore;
use crate::demo::synth::{self, Amount};
use crate::journal::TimestampAuthorities;
use crate::service::Witnesses;
use crate::service::export::{Export, export};
use crate::service::verify::{self, Journal};
use crate::storage::{JournalSigner, Store, StoreOptions};
use crate::{app, telemetry, view};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Subcommand)]
pub(super) enum JournalAct {
    /// Verify the whole journal and every mandate against it. Example: porteplume journal verify --data ./demo
    Verify {
        /// A bundle of proofs, instead of a database: without keys and without a network.
        #[arg(long, value_name = "FILE", group = "offline", conflicts_with_all = ["config", "data"])]
        bundle: Option<PathBuf>,
        /// A mirror, as `journal export` writes it, instead of a database: without keys and without a network.
        #[arg(long, value_name = "DIR", group = "offline", conflicts_with_all = ["config", "data"])]
        dir: Option<PathBuf>,
        /// The policy the bundle or mirror must stand under, as you obtained it; without it the one inside. Once for each shard.
        #[arg(long, value_name = "FILE", requires = "offline")]
        policy: Vec<PathBuf>,
        #[command(flatten)]
        whose: Whose,
    },
    /// Write entries with their proofs into one archive. Example: porteplume journal bundle --file b.tar --mandate ID
    Bundle(bundle::Export),
    /// Print the catalogue of events, as docs/events.md holds it. Example: porteplume journal events
    Events,
    /// Verify a receipt, a promise or a mandate's history, offline. Example: porteplume journal check receipt.tlog-proof --policy policy.txt
    Check {
        /// A `.tlog-proof`, a promise, or the history of a mandate.
        file: PathBuf,
        /// The proof that should keep a promise.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
        /// Whom you trust: the journal's policy, from where you know it to be right. Once for each shard.
        #[arg(long, value_name = "FILE", required = true)]
        policy: Vec<PathBuf>,
    },
    /// Make up a demonstration with a long past, in a new directory. Example: porteplume journal synth --data ./long
    Synth {
        /// Where; it must not hold a demonstration yet.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Entries, about.
        #[arg(long, default_value_t = 100_000)]
        entries: u64,
        /// Spread over so many days before today.
        #[arg(long, default_value_t = 365)]
        days: u32,
    },
    /// Write checkpoint, tiles, bundles, policy and time-stamps as static files (C2SP tlog-tiles). Example: porteplume journal export --dir ./log
    Export {
        /// The folder; what is there and complete is not written again.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        #[command(flatten)]
        whose: Whose,
    },
    /// Write down that the database was restored from a backup. Example: porteplume journal restored --reference 2026-17
    Restored(restored::Restored),
    /// Go on in the next shard, behind a final checkpoint. Example: porteplume journal shard --reason "incident 2026-17"
    Shard(shard::Next),
    /// List the entries: place, instant, kind, outcome. Example: porteplume journal entries --from 1000
    Entries {
        /// The first place listed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// How many are listed.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        #[command(flatten)]
        whose: Whose,
    },
}

/// Whose journal.
#[derive(Args)]
pub(super) struct Whose {
    #[command(flatten)]
    configured: Configured,
    /// The demonstration's directory, instead of a configuration.
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    data: Option<PathBuf>,
}

impl Whose {
    async fn open(&self) -> Result<Journal, Refused> {
        if let Some(dir) = &self.data {
            return open_directory(dir).await;
        }
        let config = self.configured.load()?;
        let store = open_store(config.database.url.expose()).await?;
        let published = config.journal.checkpoint_file.clone();
        let known = journal(store, &config.keys.dir, config.journal.origin.clone(), published)?;
        Ok(Journal { authorities: app::authorities(&config)?, ..known })
    }
}

async fn write_out(whose: &Whose, dir: PathBuf) -> Result<(), Refused> {
    let journal = whose.open().await?;
    let witnesses = match &whose.data {
        Some(_) => Witnesses::default(),
        None => app::witnesses(&whose.configured.load()?, &journal.verifiers)?,
    };
    let (store, keys) = (journal.store.clone(), journal.verifiers);
    let exported = export(&Export { store, keys, witnesses: Arc::new(witnesses), dir }).await;
    journal.store.close().await;
    say(&format!("{} entries written", exported.map_err(Refused::other)?));
    Ok(())
}

async fn open_store(url: &str) -> Result<Store, Refused> {
    Store::open_for_reading(&StoreOptions::new(url)).await.map_err(Refused::other)
}

async fn open_directory(dir: &Path) -> Result<Journal, Refused> {
    let store = open_store(&format!("sqlite:{}", dir.join("porteplume.sqlite").display())).await?;
    let published = dir.join("checkpoint");
    let origin = verify::origin(&store, Some(&published)).await?;
    let origin =
        origin.ok_or_else(|| Refused::other("there is no checkpoint: nothing was ever signed here"))?;
    journal(store, &dir.join("keys"), origin, Some(published))
}

fn journal(
    store: Store,
    keys: &Path,
    origin: String,
    published: Option<PathBuf>,
) -> Result<Journal, Refused> {
    let keys = Arc::new(KeyStore::open_files(keys).map_err(Refused::other)?);
    let signer = JournalSigner::new(origin, Arc::clone(&keys)).map_err(Refused::other)?;
    Ok(Journal {
        store,
        keys,
        verifiers: signer.verifiers().to_vec(),
        published,
        authorities: TimestampAuthorities::default(),
        now: SystemClock.now(),
    })
}

pub(super) async fn run(act: JournalAct) -> Result<(), Refused> {
    match act {
        JournalAct::Events => {
            say(view::sentences::catalogue().trim_end());
            Ok(())
        }
        JournalAct::Export { dir, whose } => write_out(&whose, dir).await,
        JournalAct::Check { file, proof, policy } => {
            super::check::run(&file, &policy, proof.as_deref()).await
        }
        JournalAct::Verify { bundle: Some(file), policy, .. } => {
            bundle::verify(&file, policies::trusted(&policy)?.as_ref())
        }
        JournalAct::Verify { dir: Some(dir), policy, .. } => {
            mirror::verify(&dir, policies::trusted(&policy)?.as_ref())
        }
        JournalAct::Verify { whose, .. } => check(whose.open().await?).await,
        JournalAct::Bundle(args) => bundle::export(args).await,
        JournalAct::Synth { data, entries, days } => {
            telemetry::start(&Telemetry::at_a_terminal()).map_err(Refused::other)?;
            synth::fill(&data, None, Amount { entries, days }, &say).await.map_err(Refused::other)
        }
        JournalAct::Restored(args) => restored::run(args).await,
        JournalAct::Shard(args) => shard::run(args).await,
        JournalAct::Entries { from, limit, whose } => list(whose.open().await?, from, limit).await,
    }
}

async fn check(journal: Journal) -> Result<(), Refused> {
    let store = journal.store.clone();
    let verified = verify::verify(journal).await;
    store.close().await;
    let report = verified?;
    let lines = report.lines();
    for line in &lines {
        say(line);
    }
    let tree = &report.tree;
    say(&format!(
        "{} entries, {} checkpoints and {} openings hold; {} mandates follow from their entries",
        tree.entries, tree.checkpoints, tree.openings, report.mandates
    ));
    if report.shards > 1 {
        say(&format!(
            "{} shards, each of which begins with the final checkpoint of the one before",
            report.shards
        ));
    }
    if report.timestamps > 0 {
        say(&format!("{} time-stamps hold", report.timestamps));
    }
    if tree.erased > 0 || report.erased_mandates > 0 || report.erased_persons > 0 {
        let (persons, mandates) = (report.erased_persons, report.erased_mandates);
        say(&format!("erased: {persons} persons, {} openings, {mandates} mandates", tree.erased));
    }
    if report.is_clean() { Ok(()) } else { Err(Refused::other("the journal does not hold; see above")) }
}

async fn list(journal: Journal, from: u64, limit: u32) -> Result<(), Refused> {
    let listed = verify::entries(&journal.store, from, limit).await;
    journal.store.close().await;
    for entry in listed? {
        let kind = entry.kind.as_deref().unwrap_or("-");
        let outcome = entry.outcome.as_deref().unwrap_or("-");
        say(&format!("{}  {}  {kind}  {outcome}  {}", entry.index, entry.at.to_utc(), entry.event_id));
    }
    Ok(())
}
