//! `keys init|list|rotate`.

use super::{Configured, Refused, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Telemetry;
use crate::crypto::{KeyListing, KeyPurpose, KeyStore};
use crate::service::manage;
use crate::telemetry;
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum KeysAct {
    /// Make a key store with a key for each purpose. Example: porteplume keys init
    Init(Configured),
    /// List the keys; never a secret. Example: porteplume keys list
    List(Configured),
    /// Rotate the key of a purpose, with an entry in the journal. Example: porteplume keys rotate token-es256
    Rotate {
        /// The purpose, as `keys list` writes it.
        purpose: String,
        #[command(flatten)]
        configured: Configured,
    },
}

pub(super) async fn run(act: KeysAct) -> Result<(), Refused> {
    match act {
        KeysAct::Init(configured) => {
            let dir = configured.load()?.keys.dir;
            let keys = KeyStore::init(&dir, &SystemEntropy, &SystemClock).map_err(Refused::other)?;
            list(keys.listing());
        }
        KeysAct::List(configured) => {
            list(&KeyStore::list(&configured.load()?.keys.dir).map_err(Refused::other)?);
        }
        KeysAct::Rotate { purpose, configured } => {
            let purpose = KeyPurpose::parse(&purpose).ok_or_else(|| {
                let known: Vec<_> = KeyPurpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
                Refused::other(format!("there is no purpose {purpose:?}: write one of {}", known.join(", ")))
            })?;
            telemetry::start(&Telemetry::at_a_terminal()).map_err(Refused::other)?;
            let config = configured.load()?;
            let app = super::open(&config).await?;
            let changed = manage::rotate_key(&app, &config.keys.dir, purpose).await;
            app.store.close().await;
            list(&changed.map_err(Refused::other)?);
            say(match purpose {
                KeyPurpose::Journal => {
                    "restart every running service NOW: it knows the old key only, and cannot write any more as soon \
                     as anybody writes under the new one, as any other command does"
                }
                KeyPurpose::KeyEncryption => {
                    "restart every running service NOW: it cannot open what others seal under the new key"
                }
                _ => "restart the service: a running one sees its keys when it starts",
            });
        }
    }
    Ok(())
}

fn list(keys: &[KeyListing]) {
    for key in keys {
        say(&format!(
            "{}  {}  {}  {}",
            key.kid,
            key.purpose.as_str(),
            key.purpose.algorithm(),
            key.state.as_str()
        ));
    }
}
