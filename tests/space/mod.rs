//! The usager's own space and the referent's pages, over the real router and both engines.

mod accounts;
mod bytes;
mod callbacks;
pub(crate) mod elsewhere;
mod employers;
mod ending;
mod governing;
mod history;
mod inclusion;
mod journaled;
mod leaving;
mod paper;
mod weights;
pub(crate) mod world;
