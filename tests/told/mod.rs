//! Usagers are told what is done in their name: by which way, what, when, and exactly once.

mod accounts;
mod choosing;
mod handing;
mod hooks;
mod mail;
pub(crate) mod postman;
mod reminding;
mod replying;
mod telling;
mod timeline;
