//! Recording a mandate: proposed by an aidant, consented to by the usager, accepted by the organisation; over the
//! real router and both engines. Refusals are tested for what they leave unchanged.

pub(crate) mod asking;
mod bad_input;
pub(crate) mod cards;
mod ends;
mod journey;
mod people;
mod presented;
mod screen;
mod times;
pub(crate) mod uses;
pub(crate) mod world;
