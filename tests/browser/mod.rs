//! Journeys in a real browser, as the persons take them.

mod gallery;
mod itself;
mod sandboxes;
