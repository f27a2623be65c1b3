//! `usager erase`.

use super::{Configured, Refused, say};
use crate::mandate::{MandateId, UsagerId};
use crate::service::App;
use crate::service::erase::{self, Erased};
use crate::storage::Store;
use clap::{Args, Subcommand};
use std::time::Duration;

/// Running services forget the keys at hand within two rounds of their jobs.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(12);

#[derive(Subcommand)]
pub(super) enum UsagerAct {
    /// Erase a person: their identity, keys and indexes; every proof stays. Example: porteplume usager erase --mandate ID
    Erase {
        #[command(flatten)]
        whom: Whom,
        /// End the mandates that stand first; without it they stand against the erasure.
        #[arg(long)]
        end_mandates: bool,
        #[command(flatten)]
        configured: Configured,
    },
}

/// Whom.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whom {
    /// The person's identifier, as an auditor reads it in an entry.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The identifier of any mandate of theirs, as its paper shows it.
    #[arg(long, value_name = "ID")]
    mandate: Option<String>,
}

pub(super) async fn run(act: UsagerAct) -> Result<(), Refused> {
    let UsagerAct::Erase { whom, end_mandates, configured } = act;
    let config = configured.load()?;
    let app = super::open(&config).await?;
    let erased = erase(&app, &whom, end_mandates).await;
    app.store.close().await;
    let erased = erased?;
    let url = config.database.owner_url.as_ref().unwrap_or(&config.database.url);
    Store::rewrite(url.expose()).await.map_err(|error| {
        let again =
            "the person is erased, but the files still hold what was deleted; run the same command again";
        Refused::other(format!("{again}: {error}"))
    })?;
    say(&format!(
        "erased: {} openings of {} entries, {} mandates without their person; the files were written anew",
        erased.openings, erased.entries, erased.mandates
    ));
    say(
        "copies made before (backups, replicas, archives of the log) still hold what was erased: destroy them in time",
    );
    Ok(())
}

async fn erase(app: &App, whom: &Whom, end: bool) -> Result<Erased, Refused> {
    let unreadable = |text: &str| Refused::other(format!("{text:?} is no identifier"));
    let usager = match (&whom.id, &whom.mandate) {
        (Some(id), _) => UsagerId::parse(id).map_err(|_| unreadable(id))?,
        (None, Some(id)) => erase::usager_of(app, &MandateId::parse(id).map_err(|_| unreadable(id))?).await?,
        (None, None) => return Err(Refused::other("say whom: --id or --mandate")),
    };
    let first = erase::usager(app, &usager, end).await.map_err(Refused::other)?;
    // A service that runs may have named the person under a key it had at hand.
    tokio::time::sleep(FORGOTTEN_AFTER).await;
    let since = erase::usager(app, &usager, end).await.map_err(Refused::other)?;
    Ok(Erased { openings: first.openings + since.openings, entries: first.entries + since.entries, ..first })
}
