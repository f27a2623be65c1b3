//! The storage room, held to one contract on both engines.

mod schema;
