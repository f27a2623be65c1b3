//! `keys init|list|rotate|retire`.

use super::{Configured, Refused, say};
use crate::app::key_place;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Telemetry};
use crate::crypto::{KeyListing, KeyPurpose, KeyState, KeyStore};
use crate::service::{App, manage, read};
use crate::telemetry;
use clap::Subcommand;
use std::sync::Arc;

#[derive(Subcommand)]
pub(super) enum KeysAct {
    /// Make a key store with a key for each purpose. Example: porteplume keys init
    Init(Configured),
    /// List the keys; never a secret. Example: porteplume keys list
    List(Configured),
    /// Rotate the key of a purpose, or make its first, with an entry in the journal. Example: porteplume keys rotate token-es256
    Rotate {
        /// The purpose, as `keys list` writes it.
        purpose: String,
        #[command(flatten)]
        configured: Configured,
    },
    /// End the overlap in the rotation of the journal's key: the new one signs alone. Example: porteplume keys retire journal
    Retire {
        /// The purpose, as `keys list` writes it.
        purpose: String,
        #[command(flatten)]
        configured: Configured,
    },
}

pub(super) async fn run(act: KeysAct) -> Result<(), Refused> {
    match act {
        KeysAct::Init(configured) => {
            let place = key_place(&configured.load()?);
            let keys = KeyStore::init(place, &SystemEntropy, &SystemClock).map_err(Refused::other)?;
            list(keys.listing());
        }
        KeysAct::List(configured) => {
            list(&KeyStore::list(&configured.load()?.keys.dir).map_err(Refused::other)?);
        }
        KeysAct::Rotate { purpose, configured } => rotate(&purpose, &configured).await?,
        KeysAct::Retire { purpose, configured } => retire(&purpose, &configured).await?,
    }
    Ok(())
}

fn parse(purpose: &str) -> Result<KeyPurpose, Refused> {
    KeyPurpose::parse(purpose).ok_or_else(|| {
        let known: Vec<_> = KeyPurpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
        Refused::other(format!("there is no purpose {purpose:?}: write one of {}", known.join(", ")))
    })
}

async fn rotate(purpose: &str, configured: &Configured) -> Result<(), Refused> {
    let purpose = parse(purpose)?;
    telemetry::start(&Telemetry::at_a_terminal()).map_err(Refused::other)?;
    let config = configured.load()?;
    let app = super::open(&config).await?;
    let changed = manage::rotate_key(&app, key_place(&config), purpose).await;
    let policy = policy(&app, &config).await;
    app.store.close().await;
    list(&changed.map_err(Refused::other)?);
    match purpose {
        KeyPurpose::Journal => {
            say(policy?.trim_end());
            say(
                "restart every running service: whoever starts from now on signs under both keys; until then it goes on under \
                 the old one. Give the policy above to auditors and the new key to each witness, then: porteplume keys retire \
                 journal",
            );
        }
        KeyPurpose::KeyEncryption => {
            say("restart every running service NOW: it cannot open what others seal under the new key");
        }
        _ => say("restart the service: a running one sees its keys when it starts"),
    }
    Ok(())
}

async fn retire(purpose: &str, configured: &Configured) -> Result<(), Refused> {
    let purpose = parse(purpose)?;
    telemetry::start(&Telemetry::at_a_terminal()).map_err(Refused::other)?;
    let config = configured.load()?;
    let app = super::open(&config).await?;
    let changed = manage::retire_key(&app, &config.keys.dir, purpose).await;
    app.store.close().await;
    list(&changed.map_err(Refused::other)?);
    say("restart every running service: the old key signs until then, and has no more use");
    Ok(())
}

/// The policy under the keys as they stand now.
async fn policy(app: &App, config: &Config) -> Result<String, Refused> {
    let keys = KeyStore::open_files(&config.keys.dir).map_err(Refused::other)?;
    let policy = read::policy_under(app, None, &Arc::new(keys)).await?;
    policy.ok_or_else(|| Refused::other("the journal has no shard"))
}

fn list(keys: &[KeyListing]) {
    for key in keys {
        // What is retired is nowhere any more.
        let token = key.token.as_ref().filter(|_| key.state != KeyState::Retired);
        let held = token.map_or_else(String::new, |token| format!("  in the token {token:?}"));
        say(&format!(
            "{}  {}  {}  {}{held}",
            key.kid,
            key.purpose.as_str(),
            key.purpose.algorithm(),
            key.state.as_str()
        ));
    }
}
