//! The usager's own space and the referent's pages, over the real router and both engines.

mod bytes;
mod callbacks;
mod ending;
mod governing;
mod inclusion;
mod journaled;
mod leaving;
mod world;
