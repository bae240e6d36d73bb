//! SQL over SQLite and PostgreSQL from one source: `$1` placeholders, integers for money, days and instants. What the two write
//! differently stands in `dialect`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Any, AnyPool, AssertSqlSafe, Transaction,
    any::{AnyPoolOptions, AnyQueryResult, AnyRow},
    query::Query,
};

/// Users and the audit log.
pub mod accounts;
/// Keys that programs use the API with.
pub mod api_keys;
/// Products.
pub mod catalog;
/// What SQLite and PostgreSQL write differently.
pub mod dialect;
/// Sessions that have ended.
pub mod ended_sessions;
/// A range of days as few sums.
mod grains;
/// Answers remembered by the key that their request carried.
pub mod idempotency;
/// Sums of the whole marketplace.
pub mod marketplace;
/// Instants on a vendor's clock.
pub mod moment;
/// Orders, one vendor's part at a time.
pub mod orders;
/// Invalidations that the cache's store may not have taken yet, and which store counts.
pub mod outbox;
/// One-time links for those who have lost their password.
pub mod password_resets;
/// Refunds, and the commission they give back.
pub mod refunds;
/// The sums that the dashboard reads, kept beside every write.
pub mod rollups;
/// Rows into domain types.
pub mod rows;
/// What one snapshot needs, in as few statements as it takes.
pub mod snapshot;
/// Stock, as sales and refunds change it.
pub mod stock;
/// Vendors.
pub mod vendors;

pub use dialect::Dialect;

/// Parameters of one statement, bound in order.
pub type Arguments<'q> = Query<'q, Any, sqlx::any::AnyArguments>;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection within the time allowed, or the server is gone, or somebody else writes.
    #[error("database unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    #[error("migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("DATABASE_URL: {0}")]
    Url(String),
    /// A stored value that no version of this program writes.
    #[error("stored value: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether it may work again soon, without anybody mending anything.
    pub fn is_unavailable(&self) -> bool {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
        matches!(self, Self::Unavailable(_) | Self::Query(Io(_) | PoolClosed | PoolTimedOut | Tls(_) | WorkerCrashed))
    }

    fn from_connecting(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Self::Unavailable(error),
            other if is_busy(&other) => Self::Unavailable(other),
            other => Self::Query(other),
        }
    }
}

/// Whether another process writes to the SQLite file, and went on longer than a transaction waits for it. (PostgreSQL's codes have five
/// characters.)
fn is_busy(error: &sqlx::Error) -> bool {
    const SQLITE_BUSY: &str = "5";
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == SQLITE_BUSY)
}

/// A database, by the scheme of its URL.
#[derive(Clone)]
pub struct Db {
    pub dialect: Dialect,
    reads: AnyPool,
    /// On SQLite a pool of one, so that writers queue here and not on a lock; on PostgreSQL the pool of readers.
    writes: AnyPool,
    /// One connection, for the outbox alone.
    looks: AnyPool,
    queries: Arc<AtomicU64>,
}

/// How long a request waits for a connection before it is told that the database is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

impl Db {
    /// Opens `sqlite://path` (made if absent) or `postgres://…` with at most `connections` readers.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let url = dialect.connection_url(url);
        let options = || {
            AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).after_connect(move |connection, _| {
                Box::pin(async move {
                    for statement in dialect.session_settings() {
                        sqlx::query(*statement).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
        };
        let (reads, writes) = match dialect {
            Dialect::Sqlite => {
                // The writer first: it makes the file and sets WAL.
                let writes = options().max_connections(1).connect(&url).await.map_err(DbError::from_connecting)?;
                (options().max_connections(connections).connect(&url).await.map_err(DbError::from_connecting)?, writes)
            }
            Dialect::Postgres => {
                let pool = options().max_connections(connections).connect(&url).await.map_err(DbError::from_connecting)?;
                (pool.clone(), pool)
            }
        };
        let looks = options().max_connections(1).connect_lazy(&url).map_err(DbError::from_connecting)?;
        Ok(Self { dialect, reads, writes, looks, queries: Arc::new(AtomicU64::new(0)) })
    }

    /// Brings the tables up to this program's version.
    pub async fn migrate(&self) -> Result<(), DbError> {
        self.dialect.migrator().run(&self.writes).await?;
        Ok(())
    }

    /// A transaction that sees one state of the database throughout, and writes nothing.
    pub async fn read(&self) -> Result<Tx, DbError> {
        self.begin(&self.reads, self.dialect.begin_read()).await
    }

    /// A transaction that writes. Dropped without `commit`, it leaves nothing behind.
    pub async fn write(&self) -> Result<Tx, DbError> {
        self.begin(&self.writes, self.dialect.begin_write()).await
    }

    async fn begin(&self, pool: &AnyPool, statement: &'static str) -> Result<Tx, DbError> {
        let inner = pool.begin_with(statement).await.map_err(DbError::from_connecting)?;
        Ok(Tx { inner, dialect: self.dialect, queries: self.queries.clone() })
    }

    /// Statements run so far by this process, without the BEGIN and COMMIT around them, and without the outbox's looks and removals,
    /// which no request asks for.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbError> {
        sqlx::query("SELECT 1").execute(&self.reads).await.map_err(DbError::from_connecting)?;
        Ok(())
    }
}

/// A transaction. Every statement of this program goes through one.
pub struct Tx {
    inner: Transaction<'static, Any>,
    pub dialect: Dialect,
    queries: Arc<AtomicU64>,
}

/// A statement and its parameters. The texts are this program's own, never a caller's: what callers send is bound.
pub fn sql<'q>(text: impl Into<String>) -> Arguments<'q> {
    sqlx::query(AssertSqlSafe(text.into()))
}

/// A LIKE pattern for texts that hold this one. Both databases fold the case of A to Z here, and of no other letter.
fn contains_pattern(search: &str) -> String {
    let escaped: String = search.chars().flat_map(|c| if matches!(c, '%' | '_' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
    format!("%{}%", escaped.to_ascii_lowercase())
}

impl Tx {
    pub async fn execute(&mut self, query: Arguments<'_>) -> Result<AnyQueryResult, DbError> {
        self.count();
        Ok(query.execute(&mut *self.inner).await?)
    }

    async fn execute_uncounted(&mut self, query: Arguments<'_>) -> Result<AnyQueryResult, DbError> {
        Ok(query.execute(&mut *self.inner).await?)
    }

    async fn row_uncounted(&mut self, query: Arguments<'_>) -> Result<Option<AnyRow>, DbError> {
        Ok(query.fetch_optional(&mut *self.inner).await?)
    }

    pub async fn rows(&mut self, query: Arguments<'_>) -> Result<Vec<AnyRow>, DbError> {
        self.count();
        Ok(query.fetch_all(&mut *self.inner).await?)
    }

    pub async fn row(&mut self, query: Arguments<'_>) -> Result<Option<AnyRow>, DbError> {
        self.count();
        Ok(query.fetch_optional(&mut *self.inner).await?)
    }

    pub async fn commit(self) -> Result<(), DbError> {
        Ok(self.inner.commit().await?)
    }

    fn count(&self) {
        self.queries.fetch_add(1, Ordering::Relaxed);
    }
}
