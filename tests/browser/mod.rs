//! Journeys in a real browser, as the persons take them.

mod itself;
mod sandboxes;
