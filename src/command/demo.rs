//! `demo`: everything on loopback, with fictional people.

use super::{Refused, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Telemetry;
use crate::demo::people::{AGENTS, CITIZENS};
use crate::demo::{self, Demo, DemoOptions, tour};
use crate::telemetry;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Args)]
pub(super) struct DemoArgs {
    /// First of four ports on 127.0.0.1; 0 takes free ones.
    #[arg(long, default_value_t = 8650)]
    port: u16,
    /// Where database and keys are kept.
    #[arg(long, default_value = "porteplume-demo")]
    data: PathBuf,
    /// Drive the whole job over HTTP as the persons would, then end.
    #[arg(long)]
    tour: bool,
}

pub(super) async fn run(args: DemoArgs) -> Result<(), Refused> {
    telemetry::start(&Telemetry::at_a_terminal()).map_err(Refused::other)?;
    let options = DemoOptions {
        port: args.port,
        data: args.data.clone(),
        database: None,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    let demo = demo::start(options).await.map_err(Refused::other)?;
    if args.tour {
        let toured = tour::run(&demo, &args.data, &say).await;
        demo.stop().await;
        return toured.map_err(Refused::other);
    }
    introduce(&demo);
    let mut stop = super::serve::stop_on_signal()?;
    // A sender that is gone means stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
    demo.stop().await;
    Ok(())
}

/// Says where to click and who can sign in.
fn introduce(demo: &Demo) {
    say("Porteplume, démonstration : everybody here is fictional, everything stays on this computer.");
    say("");
    say(&format!("  The service                 {}", demo.service));
    say(&format!("  A public service            {}   (« Se connecter avec un mandat »)", demo.caisse));
    say(&format!("  What people are sent        {}", demo.messages));
    say(&format!("  Codes without a telephone   {}/authenticator", demo.agents));
    say("");
    say("Sign in as (one click at the sandbox providers, no password):");
    for agent in AGENTS {
        say(&format!("  {:<34}{}", format!("{} {}", agent.given_name, agent.usual_name), agent.about.fr));
    }
    for citizen in CITIZENS {
        let name = citizen.preferred_username.unwrap_or(citizen.family_name);
        say(&format!("  {:<34}{}", format!("{} {name}", citizen.given_name), citizen.about.fr));
    }
    say("");
    say("Ctrl-C ends it; the data stay where they are.");
}
