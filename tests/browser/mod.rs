//! Journeys in a real browser, as the persons take them.

mod act;
mod channels;
mod gallery;
mod grant;
mod itself;
mod journeys;
mod keyboard;
mod refusals;
mod sandboxes;
mod text;
mod world;
