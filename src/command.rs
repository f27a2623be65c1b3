//! The operator's commands. Exit code 0 is success, 1 a refusal or failed verification, 2 bad usage (clap's own).

mod admin;
mod bundle;
mod check;
mod demo;
mod doctor;
mod journal;
mod keys;
mod mandate;
mod mirror;
mod policies;
mod restored;
mod serve;
mod shard;
mod usager;
mod witness;

use crate::app::StartError;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, ConfigError};
use crate::service::{App, Error, InputError};
use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Porteplume: a secure mandate service.
#[derive(Parser)]
#[command(name = "porteplume", version, after_help = "Example: porteplume demo")]
pub struct Command {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Start everything on loopback with fictional people. Example: porteplume demo --tour
    Demo(demo::DemoArgs),
    /// Serve. Example: porteplume serve --config /etc/porteplume.toml
    Serve(Configured),
    /// Bring the database's schema up to date. Example: porteplume migrate --config /etc/porteplume.toml
    Migrate(Configured),
    /// Check a deployment and say what to mend. Example: porteplume doctor --config /etc/porteplume.toml
    Doctor(Configured),
    /// Make, list and rotate keys. Example: porteplume keys init --config /etc/porteplume.toml
    Keys {
        #[command(subcommand)]
        act: keys::KeysAct,
    },
    /// Verify and list the journal. Example: porteplume journal verify --config /etc/porteplume.toml
    Journal {
        #[command(subcommand)]
        act: journal::JournalAct,
    },
    /// Be a witness for other logs. Example: porteplume witness run --dir ./witness
    Witness {
        #[command(subcommand)]
        act: witness::WitnessAct,
    },
    /// Organisations. Example: porteplume organisation list
    Organisation {
        #[command(subcommand)]
        act: admin::OrganisationAct,
    },
    /// Aidants. Example: porteplume aidant list --organisation 0192f3c47d2e7c1a9b3f0e5d6c7b8a90
    Aidant {
        #[command(subcommand)]
        act: admin::AidantAct,
    },
    /// Auditors. Example: porteplume auditor list
    Auditor {
        #[command(subcommand)]
        act: admin::AuditorAct,
    },
    /// Persons who grant mandates. Example: porteplume usager erase --mandate 0192f3c47d2e7c1a9b3f0e5d6c7b8a90
    Usager {
        #[command(subcommand)]
        act: usager::UsagerAct,
    },
    /// Mandates that somebody was given. Example: porteplume mandate verify mandat.json --policy policy.txt
    Mandate {
        #[command(subcommand)]
        act: mandate::MandateAct,
    },
    /// Services. Example: porteplume client add --file caisse.toml
    Client {
        #[command(subcommand)]
        act: admin::ClientAct,
    },
}

/// Where the configuration is.
#[derive(Args, Clone)]
pub struct Configured {
    /// The configuration file.
    #[arg(long, default_value = "porteplume.toml")]
    config: PathBuf,
}

impl Configured {
    fn load(&self) -> Result<Config, Refused> {
        Ok(Config::load(&self.config)?)
    }

    /// Opens the instance as `serve` would.
    async fn open(&self) -> Result<App, Refused> {
        Ok(open(&self.load()?).await?)
    }
}

async fn open(config: &Config) -> Result<App, StartError> {
    crate::app::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await
}

/// Why a command was refused: one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The instance could not be opened.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The act was refused.
    #[error("{}", advice(.0))]
    Act(#[from] Error),
    /// Anything else, in one line.
    #[error("{0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Refused {
    fn other(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(why.into())
    }
}

/// What an operator does about a refusal.
fn advice(error: &Error) -> String {
    match error {
        Error::Input(InputError::Field(field)) => {
            format!("{field} cannot be used: --help says what it takes")
        }
        Error::Input(InputError::TooLong(field)) => format!("{field} is too long: shorten it"),
        Error::NotFound => "nobody is registered under that identifier: copy it from `list`".to_owned(),
        Error::Conflict => "it is registered already, or already as you want it: see `list`".to_owned(),
        Error::BeingRecorded | Error::Promised(_) => {
            "it is done, but not yet under a signed checkpoint: see `list`".to_owned()
        }
        other => other.to_string(),
    }
}

/// Runs a command and gives its exit code.
pub async fn run(command: Command) -> ExitCode {
    let done = match command.act {
        Act::Demo(args) => demo::run(args).await,
        Act::Serve(configured) => serve::serve(&configured).await,
        Act::Migrate(configured) => serve::migrate(&configured).await,
        Act::Doctor(configured) => doctor::run(&configured).await,
        Act::Keys { act } => keys::run(act).await,
        Act::Journal { act } => journal::run(act).await,
        Act::Witness { act } => witness::run(act).await,
        Act::Organisation { act } => admin::organisation(act).await,
        Act::Aidant { act } => admin::aidant(act).await,
        Act::Auditor { act } => admin::auditor(act).await,
        Act::Usager { act } => usager::run(act).await,
        Act::Mandate { act } => mandate::run(act).await,
        Act::Client { act } => admin::client(act).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(refused) => fail(&refused.to_string()),
    }
}

/// Says one line on standard error and gives the exit code of a refusal.
#[must_use]
pub fn fail(line: &str) -> ExitCode {
    // Nothing is left to do when standard error is closed.
    let _ = writeln!(std::io::stderr(), "porteplume: {line}");
    ExitCode::FAILURE
}

/// Says one line on standard output.
pub(crate) fn say(line: &str) {
    // A reader that went away is no fault of ours.
    let _ = writeln!(std::io::stdout(), "{line}");
}
