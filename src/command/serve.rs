//! `serve`, `migrate`.

use super::{Configured, Refused, say};
use crate::service::registry;
use crate::storage::{Store, StoreError};
use crate::{app, demo, telemetry};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) async fn serve(configured: &Configured) -> Result<(), Refused> {
    // The sandboxes let anybody sign in as anybody: they never run beside the real service.
    demo::forbid_here();
    let config = configured.load()?;
    let metrics = telemetry::start(&config.telemetry).map_err(Refused::other)?;
    let app = super::open(&config).await?;
    if let Some(unsigned) = registry::unsigned(&app).await? {
        return Err(Refused::other(unsigned));
    }
    app::serve_metrics(&config, metrics).await?;
    let listener = app::listen(config.server.listen).await?;
    tracing::info!(listen = %config.server.listen, issuer = config.server.issuer.as_str(), "serving");
    Ok(app::serve(&config, app, listener, stop_on_signal()?).await?)
}

/// Turns true at SIGTERM or SIGINT.
pub(super) fn stop_on_signal() -> Result<watch::Receiver<bool>, Refused> {
    let unavailable = |error: std::io::Error| Refused::other(format!("signals cannot be heard: {error}"));
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
        StoreError::Schema(why) => Refused::other(format!("the schema cannot be brought up to date: {why}")),
        other => Refused::other(other),
    })?;
    say("the schema is up to date");
    Ok(())
}
