//! `keys init|list|rotate`.

use super::{Configured, Refused, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::crypto::{KeyListing, KeyPurpose, KeyStore, KeyStoreError};
use crate::service::manage;
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
            let keys = KeyStore::init(&dir, &SystemEntropy, &SystemClock).map_err(refused)?;
            list(keys.listing());
        }
        KeysAct::List(configured) => list(&KeyStore::list(&configured.load()?.keys.dir).map_err(refused)?),
        KeysAct::Rotate { purpose, configured } => {
            let purpose = KeyPurpose::parse(&purpose).ok_or_else(|| {
                let known: Vec<_> = KeyPurpose::ALL.iter().map(|purpose| purpose.as_str()).collect();
                Refused::Other(format!("there is no purpose {purpose:?}: write one of {}", known.join(", ")))
            })?;
            let app = configured.open().await?;
            let changed = manage::rotate_key(&app, &configured.load()?.keys.dir, purpose).await;
            app.store.close().await;
            list(&changed.map_err(|error| Refused::Other(error.to_string()))?);
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

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refused(error: KeyStoreError) -> Refused {
    Refused::Other(error.to_string())
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
