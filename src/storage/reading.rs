//! Reading: SQLite on threads that may wait, PostgreSQL through its pool.

use super::sqlite::Readers;
use super::tx::Snapshot;
use super::{BoxFuture, Engine, StoreError, StoreOptions, engine};
use sqlx::AnyPool;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Where views come from.
pub(super) enum Reading {
    Sqlite(Arc<Readers>),
    Postgres(AnyPool),
}

impl Reading {
    pub(super) async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(match Engine::of(&options.url)? {
            Engine::Sqlite => {
                let file = engine::sqlite_file(&options.url).await?;
                Self::Sqlite(Arc::new(Readers::new(file, options.connections.max(2), options.patience)))
            }
            Engine::Postgres => Self::Postgres(engine::connect_pool(options).await?),
        })
    }

    pub(super) const fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Looks at one consistent view, with so many statements at most.
    pub(super) async fn look<T, E, F>(&self, statements: usize, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match self {
            Self::Sqlite(readers) => {
                let reader = readers.take().await?;
                let looked = async move { seen(Snapshot::of_reader(reader, statements), look).await };
                // One row by its key is there sooner than another thread is awake.
                if statements == 1 { looked.await } else { aside(looked).await }
            }
            Self::Postgres(pool) if statements == 1 => seen(Snapshot::single(pool).await, look).await,
            Self::Postgres(pool) => {
                seen(Snapshot::begin(pool, engine::POSTGRES_BEGIN_READ).await, look).await
            }
        }
    }

    /// Prepares a statement without running it.
    pub(super) async fn prepare(&self, text: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(readers) => readers.take().await?.connection()?.prepare(text),
            Self::Postgres(pool) => engine::prepare(pool, text).await,
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(readers) => readers.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Runs what SQLite may hold up on a thread that may wait.
async fn aside<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (runtime, span) = (Handle::current(), tracing::Span::current());
    let done = tokio::task::spawn_blocking(move || span.in_scope(|| runtime.block_on(work))).await;
    done.unwrap_or_else(|_| Err(StoreError::Panicked.into()))
}

/// Looks at what a view shows; nothing is given from a view whose statement failed.
async fn seen<T, E, F>(view: Result<Snapshot, StoreError>, look: F) -> Result<T, E>
where
    E: From<StoreError>,
    F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, E>>,
{
    let mut snapshot = view?;
    let value = look(&mut snapshot).await?;
    match snapshot.take_fault() {
        Some(_) => return Err(StoreError::WentOn.into()),
        None => snapshot.commit().await?,
    }
    Ok(value)
}
