//! The storage room, held to one contract on both engines.

mod contract;
mod parties;
mod sample;
mod schema;
mod working;
