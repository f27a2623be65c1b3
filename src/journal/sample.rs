//! A random sample that nobody chooses and everybody can draw again.
//!
//! The seed is SHA-256 over a signed checkpoint, the identifier of the purpose stated and the parameters: nobody knows
//! it before the checkpoint exists. Each entry ranks by SHA-256 over the seed and its identifier; the lowest ranks are
//! the sample. The order in which entries come does not matter, and a larger sample contains a smaller one.

use super::Hash;
use crate::crypto::sha256;
use crate::mandate::{EventId, ReadingId};
use std::collections::BTreeSet;

/// Where a sample begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSeed(Hash);

impl SampleSeed {
    /// SHA-256 over the checkpoint as it is served, the purpose's identifier, a line end and the parameters.
    #[must_use]
    pub fn new(checkpoint: &str, purpose: &ReadingId, parameters: &str) -> Self {
        let text = format!("{checkpoint}{purpose}\n{parameters}");
        Self(Hash::from_bytes(sha256(text.as_bytes())))
    }

    /// A seed as it was kept.
    #[must_use]
    pub const fn from_hash(hash: Hash) -> Self {
        Self(hash)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_hash(&self) -> &Hash {
        &self.0
    }

    fn rank(&self, entry: &EventId) -> [u8; 32] {
        sha256(&[self.0.as_bytes(), entry.as_str().as_bytes()].concat())
    }
}

/// A sample under way: entries are offered one by one, and the lowest ranks stay.
#[derive(Debug, Clone)]
pub struct Drawing {
    seed: SampleSeed,
    size: usize,
    kept: BTreeSet<([u8; 32], EventId)>,
    offered: u64,
}

impl Drawing {
    /// A sample of so many entries at most.
    #[must_use]
    pub const fn new(seed: SampleSeed, size: usize) -> Self {
        Self { seed, size, kept: BTreeSet::new(), offered: 0 }
    }

    /// Offers an entry; each once.
    pub fn offer(&mut self, entry: &EventId) {
        self.offered += 1;
        let rank = self.seed.rank(entry);
        let room = self.kept.len() < self.size;
        if room || self.kept.last().is_some_and(|(last, _)| rank < *last) {
            self.kept.insert((rank, entry.clone()));
        }
        if self.kept.len() > self.size {
            self.kept.pop_last();
        }
    }

    /// How many entries were offered.
    #[must_use]
    pub const fn offered(&self) -> u64 {
        self.offered
    }

    /// The sample, by rank.
    #[must_use]
    pub fn drawn(self) -> Vec<EventId> {
        self.kept.into_iter().map(|(_, entry)| entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn id(number: u32) -> EventId {
        let mut bytes = [0; 16];
        bytes[12..].copy_from_slice(&number.to_be_bytes());
        EventId::from_bytes(bytes)
    }

    fn seed(text: &str) -> SampleSeed {
        SampleSeed::new(text, &ReadingId::from_bytes([1; 16]), "kind=mandate.ended")
    }

    fn drawn(seed: SampleSeed, size: usize, entries: impl IntoIterator<Item = u32>) -> Vec<EventId> {
        let mut drawing = Drawing::new(seed, size);
        entries.into_iter().for_each(|number| drawing.offer(&id(number)));
        drawing.drawn()
    }

    proptest! {
        #[test]
        fn the_same_checkpoint_gives_the_same_sample_in_whatever_order_entries_come(
            note in "[a-z]{1,20}", mut entries in prop::collection::hash_set(any::<u32>(), 0..200), size in 0_usize..50,
        ) {
            let forwards = drawn(seed(&note), size, entries.iter().copied());
            let mut sorted: Vec<u32> = entries.drain().collect();
            sorted.sort_unstable();
            prop_assert_eq!(&drawn(seed(&note), size, sorted.iter().copied()), &forwards);
            prop_assert_eq!(forwards.len(), size.min(sorted.len()));
            let distinct: BTreeSet<_> = forwards.iter().collect();
            prop_assert_eq!(distinct.len(), forwards.len(), "none is drawn twice");
            prop_assert!(forwards.iter().all(|entry| sorted.iter().any(|number| id(*number) == *entry)));
            let larger = drawn(seed(&note), size + 5, sorted);
            prop_assert_eq!(&larger[..forwards.len()], &forwards[..]);
        }
    }

    #[test]
    fn every_entry_is_drawn_as_often_as_every_other() {
        let (entries, size, draws) = (20, 5, 4_000);
        let mut times: HashMap<EventId, u32> = HashMap::new();
        for draw in 0..draws {
            for entry in drawn(seed(&draw.to_string()), size, 0..entries) {
                *times.entry(entry).or_default() += 1;
            }
        }
        // 1,000 expected each; the standard deviation is 27.
        assert_eq!(times.len(), 20);
        assert!(times.values().all(|times| (860..1_140).contains(times)), "{times:?}");
    }

    #[test]
    fn checkpoint_purpose_and_parameters_each_give_another_seed() {
        let (one, other) = (ReadingId::from_bytes([1; 16]), ReadingId::from_bytes([2; 16]));
        let seeds: BTreeSet<[u8; 32]> =
            [("a\n", &one, "p"), ("b\n", &one, "p"), ("a\n", &other, "p"), ("a\n", &one, "q")]
                .map(|(note, purpose, text)| *SampleSeed::new(note, purpose, text).as_hash().as_bytes())
                .into();
        assert_eq!(seeds.len(), 4);
    }
}
