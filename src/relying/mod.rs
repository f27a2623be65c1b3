//! The `relying` room.
