//! The `porteplume` command.
fn main() {}
