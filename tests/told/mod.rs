//! Usagers are told what is done in their name: by which way, what, when, and exactly once.

mod choosing;
mod handing;
mod hooks;
mod mail;
pub(crate) mod postman;
mod telling;
