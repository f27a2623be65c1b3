//! Following the checkpoints from link to link: none is missing, none too many.

use super::{Audit, Fault, StoredCheckpoint};
use crate::journal::{Checkpoint, Link};

/// The checkpoint seen last.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) linked: bool,
}

/// Takes one checkpoint in; `signed` is what its note says, where it convinces. Gives what is wrong with its link.
pub(super) fn follow(
    audit: &mut Audit,
    row: &StoredCheckpoint<'_>,
    signed: Option<&Checkpoint>,
) -> Option<Fault> {
    let before = audit.chain.replace(Seen { size: row.size, linked: row.link.is_some() });
    let unlinked = Some(Fault::CheckpointUnlinked { size: row.size });
    let Some(link) = row.link else {
        // What was signed before there were links has none; what came after has.
        return unlinked.filter(|_| before.is_some_and(|before| before.linked));
    };
    let Ok(link) = Link::open(link, &audit.terms.keys) else { return unlinked };
    if link.size != row.size
        || signed.is_some_and(|signed| signed.size == link.size && signed.root != link.root)
    {
        return unlinked;
    }
    match before {
        None if link.before == 0 => None,
        Some(before) if before.linked && link.before == before.size => None,
        Some(before) if !before.linked && link.before == 0 => None,
        Some(before) if link.before <= before.size => Some(Fault::CheckpointUnlinked { size: before.size }),
        _ => Some(Fault::CheckpointRemoved { size: link.before }),
    }
}

/// What is wrong where the chain ends: the newest checkpoint is linked.
pub(super) fn end(audit: &Audit) -> Option<Fault> {
    let last = audit.chain.filter(|last| !last.linked)?;
    Some(Fault::CheckpointUnlinked { size: last.size })
}
