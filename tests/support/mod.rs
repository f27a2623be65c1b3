//! What the tests share.

pub(crate) mod app;
pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod site;
pub(crate) mod world;
