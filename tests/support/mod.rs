//! What the tests share.

pub(crate) mod app;
pub(crate) mod auditor;
pub(crate) mod authority;
pub(crate) mod browser;
pub(crate) mod database;
pub(crate) mod franceconnect;
pub(crate) mod front;
pub(crate) mod gate;
pub(crate) mod listener;
pub(crate) mod settings;
pub(crate) mod site;
pub(crate) mod slots;
pub(crate) mod state;
pub(crate) mod text_browser;
pub(crate) mod token;
pub(crate) mod totp;
pub(crate) mod world;
