//! `witness init|watch|run`: being a witness for other logs.

use super::serve::stop_on_signal;
use super::{Refused, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{LogFormat, Telemetry};
use crate::service::witness::{self, Witness};
use crate::{app, telemetry};
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Subcommand)]
pub(super) enum WitnessAct {
    /// Make a witness's folder and key. Example: porteplume witness init --dir ./witness --name temoin.example.org/1
    Init {
        /// The name it cosigns under, for good: a host and path of yours without "https://".
        #[arg(long)]
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Watch a log, or take a further key of it; the witness is stopped meanwhile. Example: porteplume witness watch --dir
    /// ./witness --log "mandats.example.fr/journal+1c2d3e4f+AUd…"
    Watch {
        /// The log's key, as its policy writes it.
        #[arg(long, value_name = "VKEY")]
        log: String,
        #[command(flatten)]
        place: Place,
    },
    /// Answer submissions and monitors. Example: porteplume witness run --dir ./witness --listen 127.0.0.1:7380
    Run {
        /// Where it listens; put a proxy with TLS before it.
        #[arg(long, default_value = "127.0.0.1:7380")]
        listen: SocketAddr,
        #[command(flatten)]
        place: Place,
    },
}

/// Where a witness keeps what it needs.
#[derive(Args)]
pub(super) struct Place {
    /// Its folder.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) async fn run(act: WitnessAct) -> Result<(), Refused> {
    match act {
        WitnessAct::Init { name, place } => {
            let key = witness::init(&place.dir, &name, &SystemEntropy).map_err(Refused::other)?;
            say(&format!("{key}"));
            Ok(())
        }
        WitnessAct::Watch { log, place } => {
            let origin = witness::watch(&place.dir, &log).map_err(Refused::other)?;
            say(&format!("watching {origin}"));
            Ok(())
        }
        WitnessAct::Run { listen, place } => {
            let settings = Telemetry { format: LogFormat::Text, filter: "info".to_owned() };
            telemetry::start(&settings).map_err(Refused::other)?;
            let witness = Witness::open(&place.dir, Arc::new(SystemClock)).map_err(Refused::other)?;
            let listener = app::listen(listen).await?;
            let address = listener.local_addr().map_err(Refused::other)?;
            say(&format!("{} watches {} logs at http://{address}", witness.vkey(), witness.watched()));
            Ok(app::serve_witness(witness, listener, stop_on_signal()?).await?)
        }
    }
}
