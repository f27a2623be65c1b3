//! Whom a verifier trusts: the policies given on the command line (C2SP tlog-policy), one for each shard.

use super::Refused;
use crate::journal::Policy;
use std::path::{Path, PathBuf};

/// Larger files are refused unread.
const LARGEST: u64 = 1024 * 1024;

/// One policy.
pub(super) fn read(path: &Path) -> Result<Policy, Refused> {
    let cannot = |error| Refused::other(format!("{} cannot be read: {error}", path.display()));
    if std::fs::metadata(path).map_err(cannot)?.len() > LARGEST {
        return Err(Refused::other(format!("{} is larger than any policy", path.display())));
    }
    let bytes = std::fs::read(path).map_err(cannot)?;
    Policy::parse(&bytes)
        .map_err(|error| Refused::other(format!("the policy cannot be used ({}): {error}", error.code())))
}

/// What counts under any of them; none when none is given.
pub(super) fn trusted(paths: &[PathBuf]) -> Result<Option<Policy>, Refused> {
    paths.iter().try_fold(None, |trusted: Option<Policy>, path| {
        let one = read(path)?;
        Ok(Some(match trusted {
            Some(all) => all.or(one),
            None => one,
        }))
    })
}
