//! `journal restored`.

use super::{Configured, Refused, say};
use crate::service::restored;
use clap::Args;
use std::path::PathBuf;

/// What was restored.
#[derive(Args)]
pub(super) struct Restored {
    /// Under which decision: a reference of yours, no name.
    #[arg(long, value_name = "TEXT")]
    reference: String,
    /// The published checkpoint that the restored database falls short of, moved away from its place.
    #[arg(long, value_name = "FILE")]
    lost: Option<PathBuf>,
    #[command(flatten)]
    configured: Configured,
}

pub(super) async fn run(args: Restored) -> Result<(), Refused> {
    let lost = match &args.lost {
        Some(file) => {
            let unread = |error| Refused::other(format!("{} cannot be read: {error}", file.display()));
            Some(std::fs::read_to_string(file).map_err(unread)?)
        }
        None => None,
    };
    let app = super::open(&args.configured.load()?).await?;
    let noted = restored::note(&app, &args.reference, lost.as_deref()).await;
    app.store.close().await;
    match noted.map_err(Refused::other)? {
        0 => say("the restore is written down in the journal; nothing is known to be lost"),
        lost => say(&format!(
            "the restore is written down in the journal, with the {lost} entries that were lost"
        )),
    }
    Ok(())
}
