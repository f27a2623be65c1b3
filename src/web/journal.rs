//! The public face of the journal (C2SP tlog-tiles): signed checkpoint, hash tiles, policy. Entries are not public.

use super::{Problem, Reply, Web};
use crate::journal::TileId;
use crate::mandate::EventId;
use crate::service::{Error, promise, read};
use crate::view::paths;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
/// What is said of an entry that is committed and has no place yet.
const WAITING: &str = "this entry waits for its place in the journal: ask again in a few seconds\n";
/// The newest checkpoint is asked for anew each time.
const FRESH: &str = "no-store, must-revalidate";
/// A full tile never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Where the shard is not named, another one stands in its place next year.
const FOR_A_DAY: &str = "public, max-age=86400";
/// A partial tile never changes either, but soon nobody asks for it any more.
const SHORTLY: &str = "public, max-age=300";

/// The routes of this file: the current shard, and each shard under its number.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::CHECKPOINT, get(checkpoint))
        .route(paths::POLICY, get(policy))
        .route("/journal/tile/{*tile}", get(tile))
        .route(paths::SHARD_CHECKPOINT, get(checkpoint_of))
        .route(paths::SHARD_POLICY, get(policy_of))
        .route("/journal/shards/{number}/tile/{*tile}", get(tile_of))
        .route(paths::PROMISED, get(promised))
}

/// The number of a shard as an address names it, in its one form.
fn number(text: &str) -> Result<Option<u64>, Problem> {
    let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
    number.map(Some).ok_or(Problem::NOT_FOUND)
}

async fn checkpoint(State(web): State<Web>) -> Result<Reply, Problem> {
    head(&web, None).await
}

async fn checkpoint_of(State(web): State<Web>, Path(shard): Path<String>) -> Result<Reply, Problem> {
    head(&web, number(&shard)?).await
}

async fn head(web: &Web, shard: Option<u64>) -> Result<Reply, Problem> {
    let note = read::checkpoint_of(&web.app, shard).await?.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file(TEXT, note).kept_for(FRESH))
}

async fn policy(State(web): State<Web>) -> Result<Reply, Problem> {
    trust(&web, None).await
}

async fn policy_of(State(web): State<Web>, Path(shard): Path<String>) -> Result<Reply, Problem> {
    trust(&web, number(&shard)?).await
}

async fn trust(web: &Web, shard: Option<u64>) -> Result<Reply, Problem> {
    let policy = read::policy_of(&web.app, shard).await?.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file(TEXT, policy).kept_for(SHORTLY))
}

async fn tile(State(web): State<Web>, Path(path): Path<String>) -> Result<Reply, Problem> {
    hashes(&web, None, &path).await
}

async fn tile_of(
    State(web): State<Web>,
    Path((shard, path)): Path<(String, String)>,
) -> Result<Reply, Problem> {
    hashes(&web, number(&shard)?, &path).await
}

async fn hashes(web: &Web, shard: Option<u64>, path: &str) -> Result<Reply, Problem> {
    let id = TileId::parse(&format!("tile/{path}")).ok_or(Problem::NOT_FOUND)?;
    let hashes = read::tile(&web.app, shard, id).await?.ok_or(Problem::NOT_FOUND)?;
    // Where the current shard is served, another one is next year.
    let full = if shard.is_some() { FOR_EVER } else { FOR_A_DAY };
    Ok(Reply::file(BYTES, hashes).kept_for(if id.is_full() { full } else { SHORTLY }))
}

/// The proof that keeps a promise, or that it is still waited for. The identifier of an entry cannot be guessed, and the
/// proof tells nothing of it but its place.
async fn promised(State(web): State<Web>, Path(event): Path<String>) -> Result<Reply, Problem> {
    let event = EventId::parse(&event).map_err(|_| Problem::NOT_FOUND)?;
    match promise::kept(&web.app, event).await {
        Ok(proof) => Ok(Reply::file(TEXT, proof.to_string()).kept_for(FRESH)),
        Err(Error::BeingRecorded) => Ok(Reply::file(TEXT, WAITING.to_owned()).status(StatusCode::ACCEPTED)),
        Err(error) => Err(error.into()),
    }
}
