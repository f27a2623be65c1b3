//! The journal: entries.
mod entry;
mod hash;
mod json;
mod opening;
mod tile;
mod tree;
pub use entry::{Draft, Drafted, Entry, EntryError, MandateKey, Slot, Tag, new_event_id};
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use json::{NotCanonical, canonical_json};
pub use opening::Opening;
pub use tile::{
    BundleError, TILE_WIDTH, TileId, TileKind, TileSet, decode_bundle, encode_bundle, partial_tiles,
};
pub use tree::{Frontier, FrontierError, FullTile};
