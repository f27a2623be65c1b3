//! `journal bundle` and `journal verify --bundle`.

use super::{Configured, Refused, say};
use crate::journal::{LARGEST_BUNDLE, Policy, PolicyError, ProofBundle};
use crate::mandate::{MandateId, Slots};
use crate::service::bundle::{self, Wanted};
use crate::web;
use clap::Args;
use std::path::{Path, PathBuf};

/// What is exported.
#[derive(Args)]
pub(super) struct Export {
    /// The archive to write.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The history of one mandate, instead of places.
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "limit"])]
    mandate: Option<String>,
    /// The first place.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many entries, at most 5000.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Tell who the aidants are, too.
    #[arg(long)]
    aidants: bool,
    /// Tell who the usagers are (their identifiers), too.
    #[arg(long)]
    usagers: bool,
    #[command(flatten)]
    configured: Configured,
}

/// Writes a bundle; the export is journaled.
pub(super) async fn export(args: Export) -> Result<(), Refused> {
    let wanted = match &args.mandate {
        Some(id) => {
            let unreadable = |_| Refused::other(format!("{id:?} is no identifier of a mandate"));
            Wanted::Mandate(MandateId::parse(id).map_err(unreadable)?)
        }
        None => Wanted::Places { from: args.from, limit: args.limit },
    };
    let slots = Slots { aid: args.aidants, sub: args.usagers, ..Slots::METADATA };
    let app = args.configured.open().await?;
    let made = bundle::export(&app, &wanted, slots).await;
    app.store.close().await;
    let made = made?;
    let entries = made.count();
    let archive = web::archive(made).map_err(Refused::other)?;
    let unwritten = |error| Refused::other(format!("{} cannot be written: {error}", args.file.display()));
    std::fs::write(&args.file, archive).map_err(unwritten)?;
    say(&format!("{entries} entries with their proofs: {}", args.file.display()));
    Ok(())
}

/// Verifies a bundle without keys, database or network.
pub(super) fn verify(file: &Path, trusted: Option<&Policy>) -> Result<(), Refused> {
    let unreadable =
        |file: &Path, error| Refused::other(format!("{} cannot be read: {error}", file.display()));
    let size = std::fs::metadata(file).map_err(|error| unreadable(file, error))?.len();
    if size > LARGEST_BUNDLE as u64 {
        return Err(Refused::other("bundle_too_large: the archive is larger than any bundle"));
    }
    let archive = std::fs::read(file).map_err(|error| unreadable(file, error))?;
    let bundle =
        ProofBundle::read(&archive).map_err(|fault| Refused::other(format!("{}: {fault}", fault.code())))?;
    let told = |error: PolicyError| Refused::other(format!("{}: {error}", error.code()));
    let policy = match trusted {
        Some(trusted) => trusted.clone(),
        None => bundle.own_policy().map_err(told)?,
    };
    let verdict = bundle.verify(&policy);
    for finding in &verdict.findings {
        say(&format!("{}: {}: {}", finding.code, finding.file, finding.why));
    }
    if trusted.is_none() {
        say(
            "the policy is the bundle's own: it proves that nothing was changed since, and not whose journal it is; give --policy",
        );
    }
    for witnessed in &verdict.witnessed {
        let (checkpoint, seen) = (&witnessed.checkpoint, witnessed.seen.len());
        say(&format!("{}: {} entries, seen by {seen} witnesses", checkpoint.origin, checkpoint.size));
    }
    say(&format!("{} entries are proved, {} openings are theirs", verdict.entries, verdict.openings));
    if verdict.holds() { Ok(()) } else { Err(Refused::other("the bundle does not hold; see above")) }
}
