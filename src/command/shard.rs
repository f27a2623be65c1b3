//! `journal shard`.

use super::{Configured, Refused, say};
use crate::service::{read, shards};
use clap::Args;

/// Why the journal goes on in another shard.
#[derive(Args)]
pub(super) struct Next {
    /// Why: a reference of yours, no name.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    configured: Configured,
}

pub(super) async fn run(args: Next) -> Result<(), Refused> {
    let app = super::open(&args.configured.load()?).await?;
    let opened = shards::open_now(&app, &args.reason).await;
    let policy = read::policy(&app).await;
    app.store.close().await;
    let origin = opened.map_err(Refused::other)?;
    say(&format!("the journal goes on as {origin}; a service that runs goes on with it by itself"));
    say(policy?.trim_end());
    say("give this policy to auditors and its key to each witness");
    Ok(())
}
