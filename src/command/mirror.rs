//! `journal verify --dir`: a mirror of the journal, as `journal export` writes it, without keys, database or network.

use super::{Refused, policies, say};
use crate::journal::{Mirrored, Policy, is_shard_of};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// The longest file of a mirror, in bytes: 256 entries of 64 KiB, with room.
const LONGEST_FILE: u64 = 32 << 20;

/// Verifies each shard of a mirror under the policies, or under its own where none is given.
pub(super) fn verify(dir: &Path, trusted: Option<&Policy>) -> Result<(), Refused> {
    let (mut holds, mut origins) = (true, Vec::new());
    let numbers = later_shards(dir)?;
    let shard = |number: u64| dir.join(format!("shards/{number}"));
    if let Some((missing, _)) = (1..).zip(&numbers).find(|(expected, number)| expected != *number) {
        holds = wrong(&shard(missing), "a later shard is there, and not this one");
    }
    for shard in std::iter::once(dir.to_owned()).chain(numbers.into_iter().map(shard)) {
        let mirrored = one(&shard, trusted)?;
        holds &= mirrored.holds();
        if let Some(witnessed) = mirrored.witnessed {
            holds &= belongs(&shard, &witnessed.checkpoint.origin, &origins);
            origins.push(witnessed.checkpoint.origin);
        }
    }
    if trusted.is_none() {
        say(
            "the policy is the mirror's own: it proves that nothing was changed since, and not whose journal it is; give --policy",
        );
    }
    if holds { Ok(()) } else { Err(Refused::other("the mirror does not hold; see above")) }
}

/// The numbers of the shards after the first.
fn later_shards(dir: &Path) -> Result<BTreeSet<u64>, Refused> {
    let folder = dir.join("shards");
    if !folder.exists() {
        return Ok(BTreeSet::new());
    }
    let unreadable = |error| Refused::other(format!("{} cannot be read: {error}", folder.display()));
    std::fs::read_dir(&folder)
        .map_err(unreadable)?
        .map(|found| {
            let name = found.map_err(unreadable)?.file_name();
            let text = name.to_str();
            let number = text.and_then(|name| name.parse().ok());
            // One writing only: `02` beside `2` would be passed over.
            let number =
                number.filter(|number: &u64| *number > 0 && Some(number.to_string().as_str()) == text);
            number.ok_or_else(|| {
                Refused::other(format!("{} is no shard's number", folder.join(&name).display()))
            })
        })
        .collect()
}

/// Whether a shard is another one of the journal that the first shard is of.
fn belongs(dir: &Path, origin: &str, before: &[String]) -> bool {
    if before.iter().any(|other| other == origin) {
        return wrong(dir, &format!("{origin} stands there twice"));
    }
    match before.first() {
        Some(first) if !is_shard_of(first, origin) => wrong(dir, &format!("{origin} is no shard of {first}")),
        _ => true,
    }
}

/// Says what is wrong with a shard as such; false.
fn wrong(dir: &Path, why: &str) -> bool {
    say(&format!("mirror_shard: {}: {why}", dir.display()));
    false
}

fn one(dir: &Path, trusted: Option<&Policy>) -> Result<Mirrored, Refused> {
    let policy = match trusted {
        Some(policy) => policy.clone(),
        None => policies::read(&dir.join("policy"))?,
    };
    let mirrored = Mirrored::verify(&policy, |path| read(&dir.join(path)));
    for finding in &mirrored.findings {
        say(&format!("{}: {}: {}", finding.code, dir.join(&finding.file).display(), finding.why));
    }
    if let Some(witnessed) = &mirrored.witnessed {
        let (origin, seen) = (&witnessed.checkpoint.origin, witnessed.seen.len());
        say(&format!("{origin}: {} entries read, seen by {seen} witnesses", mirrored.entries));
    }
    Ok(mirrored)
}

/// A file's bytes; one that no mirror has is not read to its end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            "it is longer than any file of a mirror",
        ));
    }
    Ok(bytes)
}
