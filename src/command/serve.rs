//! `serve`, `migrate`, `doctor`.

use super::{Configured, Refused, say};
use crate::clock::{SystemClock, SystemEntropy};
use crate::crypto::KeyStore;
use crate::storage::{Store, StoreError};
use crate::{app, demo, telemetry};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) async fn serve(configured: &Configured) -> Result<(), Refused> {
    // The sandboxes let anybody sign in as anybody: they never run beside the real service.
    demo::forbid_here();
    let config = configured.load()?;
    let metrics = telemetry::start(&config.telemetry).map_err(|error| Refused::Other(error.to_string()))?;
    let app = app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    app::serve_metrics(&config, metrics).await?;
    let listener = app::listen(config.server.listen).await?;
    tracing::info!(listen = %config.server.listen, issuer = config.server.issuer.as_str(), "serving");
    Ok(app::serve(&config, app, listener, stop_on_signal()?).await?)
}

/// Turns true at SIGTERM or SIGINT.
pub(super) fn stop_on_signal() -> Result<watch::Receiver<bool>, Refused> {
    let unavailable = |error: std::io::Error| Refused::Other(format!("signals cannot be heard: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(unavailable)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unavailable)?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(stopped)
}

pub(super) async fn migrate(configured: &Configured) -> Result<(), Refused> {
    let config = configured.load()?;
    let url = config.database.owner_url.as_ref().unwrap_or(&config.database.url);
    Store::migrate(url.expose()).await.map_err(|error| match error {
        // Its own advice is to run this very command.
        StoreError::Schema(why) => Refused::Other(format!("the schema cannot be brought up to date: {why}")),
        other => Refused::Other(other.to_string()),
    })?;
    say("the schema is up to date");
    Ok(())
}

/// Checks keys, database, journal and providers; says each, and fails when one does.
pub(super) async fn doctor(configured: &Configured) -> Result<(), Refused> {
    let config = configured.load()?;
    let mut ill = 0_u32;
    let mut check = |what: &str, found: Result<String, String>| match found {
        Ok(fine) => say(&format!("ok    {what}: {fine}")),
        Err(fault) => {
            ill += 1;
            say(&format!("FAULT {what}: {fault}"));
        }
    };
    let keys = KeyStore::open(&config.keys.dir);
    check(
        "keys",
        keys.map(|keys| format!("{} keys", keys.listing().len())).map_err(|error| error.to_string()),
    );
    match app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await {
        Err(error) => check("service", Err(error.to_string())),
        Ok(app) => {
            check(
                "database",
                app.store.prepare_all().await.map_or_else(
                    |error| Err(error.to_string()),
                    |statements| Ok(format!("{statements} statements fit the schema")),
                ),
            );
            let checkpoint = crate::service::read::checkpoint(&app).await;
            check(
                "journal",
                checkpoint.map_err(|error| error.to_string()).and_then(|note| {
                    let size = note.as_deref().and_then(|note| note.lines().nth(1)).map(str::to_owned);
                    size.map(|size| format!("entries under a signed checkpoint: {size}"))
                        .ok_or_else(|| "there is no checkpoint".to_owned())
                }),
            );
            for (name, party) in [("citizens", &app.citizens), ("agents", &app.agents)] {
                let answers = party.probe(app.now()).await;
                check(name, answers.map(|()| party.issuer().to_owned()).map_err(|error| error.to_string()));
            }
            app.store.close().await;
        }
    }
    if ill == 0 {
        Ok(())
    } else {
        Err(Refused::Other("not everything is well: mend what is marked FAULT".to_owned()))
    }
}
