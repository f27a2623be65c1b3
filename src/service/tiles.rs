//! Full tiles above the leaves, hashed once: every proof in a long journal goes through the same few.

use crate::journal::HashedTile;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tiles kept at most: 16 kB each, those of some thirty million entries.
const MOST: usize = 512;

/// By the start of their shard, level and index. A full tile never changes.
#[derive(Default)]
pub struct Tiles(Mutex<HashMap<(u64, u8, u64), Arc<HashedTile>>>);

impl Tiles {
    fn kept(&self) -> MutexGuard<'_, HashMap<(u64, u8, u64), Arc<HashedTile>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tile that was kept.
    pub(super) fn find(&self, start: u64, level: u8, index: u64) -> Option<Arc<HashedTile>> {
        self.kept().get(&(start, level, index)).map(Arc::clone)
    }

    /// Keeps a tile. When there is no more room all others go: those that are wanted come back.
    pub(super) fn keep(&self, start: u64, level: u8, index: u64, tile: Arc<HashedTile>) {
        let mut kept = self.kept();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert((start, level, index), tile);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_found_by_where_they_stand_and_take_no_more_room_than_allowed() {
        let tiles = Tiles::default();
        let tile = |byte| Arc::new(HashedTile::of(&[byte; 8_192]).unwrap());
        tiles.keep(0, 1, 7, tile(1));
        assert_eq!(tiles.find(0, 1, 7), Some(tile(1)));
        assert_eq!([tiles.find(5, 1, 7), tiles.find(0, 2, 7), tiles.find(0, 1, 8)], [None, None, None]);
        for index in 0..1_000 {
            tiles.keep(0, 1, index, tile(2));
            assert!(tiles.kept().len() <= MOST);
            assert!(tiles.find(0, 1, index).is_some());
        }
    }
}
