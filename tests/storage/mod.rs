//! The storage room, held to one contract on both engines.

mod anomalies;
mod contract;
mod desk;
mod interrupted;
mod notices;
mod order;
mod parties;
mod pressure;
mod roles;
pub(crate) mod sample;
mod schema;
mod sequencing;
mod walls;
mod working;
