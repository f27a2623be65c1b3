//! Which telling of a stretch is the journaled one: the one that gives the signed root.

use super::place::Place;
use super::{Audit, Fault};
use crate::journal::{EMPTY_ROOT, FullTile, Hash, tree::CompactRange};

/// A root somebody signed.
pub(super) struct Fact {
    pub(super) size: u64,
    pub(super) root: Hash,
    /// Known from outside the database.
    pub(super) outside: bool,
}

/// What was journaled in a stretch, as far as it can be known, and the tiles it fills.
pub(super) struct Truth {
    /// The first `settled` of these are known; the others are what the tables mostly tell.
    pub(super) hashes: Vec<Option<Hash>>,
    pub(super) settled: usize,
    pub(super) filled: Vec<FullTile>,
}

/// One way to read a place.
type Telling = fn(&Place) -> Option<Hash>;

/// The tellings, in the order they are believed when no root is signed.
const TELLINGS: [Telling; 4] = [majority, |place| place.computed, |place| place.stored, in_tile];

fn majority(place: &Place) -> Option<Hash> {
    let agreed = place.stored.filter(|stored| Some(*stored) == place.tile);
    agreed.or(place.computed).or(place.stored).or(place.tile)
}

/// The full tile, and behind the last full one what is left to go by.
fn in_tile(place: &Place) -> Option<Hash> {
    place.tile.or(place.computed).or(place.stored)
}

/// Settles what was journaled in a stretch, from signed root to signed root. `facts` are in ascending order and
/// lie within the stretch.
pub(super) fn settle(audit: &mut Audit, places: &[Place], facts: &[Fact]) -> Truth {
    let mut truth = Truth { hashes: Vec::with_capacity(places.len()), settled: 0, filled: Vec::new() };
    for fact in facts.iter().filter(|fact| fact.size == 0) {
        told(audit, fact, fact.root == EMPTY_ROOT);
    }
    let mut facts = facts.iter().filter(|fact| fact.size > 0).peekable();
    let mut rest = places;
    while let (Some(first), false) = (rest.first(), audit.lost) {
        let to = facts.peek().map_or(u64::MAX, |fact| fact.size);
        let signed: Vec<_> = std::iter::from_fn(|| facts.next_if(|fact| fact.size == to)).collect();
        let count = usize::try_from(to - first.index).unwrap_or(usize::MAX).min(rest.len());
        let (here, behind) = rest.split_at(count);
        rest = behind;
        step(audit, here, &signed, &mut truth);
    }
    truth.hashes.extend(rest.iter().map(majority));
    truth
}

/// Settles one step: the places up to the next signed root, or to the end of the stretch.
fn step(audit: &mut Audit, places: &[Place], signed: &[&Fact], truth: &mut Truth) {
    if let Some(first) = places.first().filter(|first| first.index == audit.proved) {
        audit.behind_proved.clone_from(&first.event);
    }
    let mut complete = false;
    let chosen = TELLINGS.iter().find_map(|telling| {
        let hashes = places.iter().map(telling).collect::<Option<Vec<_>>>()?;
        complete = true;
        (signed.is_empty() || gives_one_of(audit.tree.range(), &hashes, signed)).then_some(hashes)
    });
    let Some(hashes) = chosen else {
        audit.lost = true;
        truth.hashes.extend(places.iter().map(majority));
        // A place nothing tells of any more is found as removed or cut off; the root it spoils is a consequence.
        for fact in signed.iter().filter(|_| complete) {
            told(audit, fact, false);
        }
        return;
    };
    for hash in &hashes {
        truth.filled.extend(audit.tree.append(*hash));
    }
    truth.hashes.extend(hashes.into_iter().map(Some));
    truth.settled = truth.hashes.len();
    let root = audit.tree.root();
    for fact in signed {
        told(audit, fact, fact.root == root);
    }
}

fn gives_one_of(tree: &CompactRange, hashes: &[Hash], signed: &[&Fact]) -> bool {
    let mut tree = tree.clone();
    for hash in hashes {
        tree.append(*hash, |_, _| {});
    }
    let root = tree.root();
    signed.iter().any(|fact| fact.root == root)
}

/// Takes note of whether a signed root came out.
fn told(audit: &mut Audit, fact: &Fact, came_out: bool) {
    match (came_out, fact.outside) {
        (true, outside) => {
            if fact.size > audit.proved {
                audit.proved = fact.size;
                audit.behind_proved = None;
            }
            audit.report.checkpoints += u64::from(!outside);
        }
        (false, true) => audit.report.add(None, None, Fault::Forked { published: fact.size }),
        (false, false) => {
            let fault = Fault::RootMismatch { size: fact.size };
            audit.report.add(Some(audit.proved), audit.behind_proved.as_deref(), fault);
        }
    }
}
