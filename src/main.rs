//! The `porteplume` command.

use clap::Parser as _;
use porteplume::command::{Command, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = Command::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return porteplume::command::fail(&format!("cannot start: {error}")),
    };
    runtime.block_on(run(command))
}
