//! The usager's own space and the referent's pages, over the real router and both engines.

mod ending;
mod governing;
mod world;
