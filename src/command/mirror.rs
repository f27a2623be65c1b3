//! `journal verify --dir`: a mirror of the journal, as `journal export` writes it, without keys, database or network.

use super::{Refused, policies, say};
use crate::journal::{Mirrored, Policy};
use std::path::Path;

/// Verifies each shard of a mirror under the policies, or under its own where none is given.
pub(super) fn verify(dir: &Path, trusted: Option<&Policy>) -> Result<(), Refused> {
    let mut holds = one(dir, trusted)?;
    for number in 1_u64.. {
        let shard = dir.join(format!("shards/{number}"));
        if !shard.exists() {
            break;
        }
        holds &= one(&shard, trusted)?;
    }
    if trusted.is_none() {
        say(
            "the policy is the mirror's own: it proves that nothing was changed since, and not whose journal it is; give --policy",
        );
    }
    if holds { Ok(()) } else { Err(Refused::other("the mirror does not hold; see above")) }
}

fn one(dir: &Path, trusted: Option<&Policy>) -> Result<bool, Refused> {
    let policy = match trusted {
        Some(policy) => policy.clone(),
        None => policies::read(&dir.join("policy"))?,
    };
    let mirrored = Mirrored::verify(&policy, |path| std::fs::read(dir.join(path)));
    for finding in &mirrored.findings {
        say(&format!("{}: {}: {}", finding.code, dir.join(&finding.file).display(), finding.why));
    }
    if let Some(witnessed) = &mirrored.witnessed {
        let (origin, seen) = (&witnessed.checkpoint.origin, witnessed.seen.len());
        say(&format!("{origin}: {} entries read, seen by {seen} witnesses", mirrored.entries));
    }
    Ok(mirrored.holds())
}
