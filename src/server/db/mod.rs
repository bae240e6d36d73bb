//! SQL over SQLite and PostgreSQL from one source: `$1` placeholders, integers for money, days and instants. What the
//! two write differently stands in `dialect`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Any, AnyConnection, AnyPool,
    any::{AnyPoolOptions, AnyQueryResult, AnyRow},
    pool::PoolConnection,
};

/// Users and the audit log.
pub mod accounts;
/// Keys that programs use the API with.
pub mod api_keys;
/// Reading the audit log.
pub mod audit;
/// What migrations leave to the program.
mod backfill;
/// Products.
pub mod catalog;
/// Connections that are lent out.
mod connection;
/// Who bought on which day.
mod customer_days;
/// Distinct customers over time.
pub mod customers;
/// Tables with one value for each vendor and day.
mod day_values;
/// What SQLite and PostgreSQL write differently.
pub mod dialect;
/// Sessions that have ended.
pub mod ended_sessions;
/// Files for accountants.
pub mod exports;
/// What the page of the cache's health looks back on.
pub mod health;
/// Answers remembered by the key that their request carried.
pub mod idempotency;
/// What an operator wants to know of the database.
mod inspection;
/// Letters that are wished for, and sent.
pub mod letters;
/// Products that run out.
pub mod low_stock;
/// Sums of the whole marketplace.
pub mod marketplace;
/// Instants on a vendor's clock.
pub mod moment;
/// Products in two ranges side by side, and what happened to them.
pub mod movers;
/// Figures of one product, category or status.
pub mod narrowed;
/// The first connection.
mod opening;
/// Lists of one vendor's orders.
pub mod order_lists;
/// Orders, one vendor's part at a time.
pub mod orders;
/// Invalidations that the cache's store may not have taken yet, and which store counts.
pub mod outbox;
/// What vendors have noted down.
pub mod own_notes;
/// One-time links for those who have lost their password.
pub mod password_resets;
/// What products sold on which day.
mod product_days;
/// Lists of one vendor's products.
pub mod product_lists;
/// Whom the marketplace's provider logs in.
pub mod provider_logins;
/// Whether the database can be written to.
mod readiness;
/// Refunds, and the commission they give back.
pub mod refunds;
/// What came back.
pub mod returns;
/// The sums that the dashboard reads, kept beside every write.
pub mod rollups;
/// Rows into domain types.
pub mod rows;
/// Views of the dashboard that users have saved.
pub mod saved_views;
/// Which migrations a database has had.
mod schema;
/// Texts as they are searched.
pub mod search;
/// One-time codes beside passwords.
pub mod second_factors;
/// What one snapshot needs, in as few statements as it takes.
pub mod snapshot;
/// How every vendor does.
pub mod standings;
/// Statements and their parameters.
mod statements;
/// Stock, as sales and refunds change it.
pub mod stock;
/// Vendors.
pub mod vendors;

pub use dialect::Dialect;
pub use opening::unverified_host;
pub use schema::Schema;
pub use statements::{Arguments, Parameters, sql};

use connection::Lent;
use readiness::Readiness;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection within the time allowed, or the server is gone, or somebody else writes, or there is no room left.
    #[error("database unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    #[error("database: {0}")]
    Query(#[from] sqlx::Error),
    /// Asked of a transaction in which a statement failed or was given up: part of it must not be kept without the
    /// rest.
    #[error("a transaction was gone on with after one of its statements had failed")]
    Failed,
    #[error("migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("DATABASE_URL: {0}")]
    Url(String),
    #[error(
        "it belongs to a newer release (its last migration is {found}, the last that this program knows is {known}): \
         run that release, or go back as docs/deployment.md says"
    )]
    Newer { found: i64, known: i64 },
    /// What one transaction has prepared and set is not there in the next.
    #[error(
        "a pooler in transaction mode stands before it, which gives every transaction to another server process: use \
         session mode (docs/deployment.md#pgbouncer)"
    )]
    SharedSession,
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

    /// Whether it can be read and not written.
    pub fn is_read_only(&self, dialect: Dialect) -> bool {
        matches!(self, Self::Unavailable(error) | Self::Query(error) if dialect.is_read_only(error))
    }

    /// What the database itself calls the error: SQLSTATE, or SQLite's number without what says more of it.
    pub fn code(&self) -> Option<String> {
        let (Self::Unavailable(error) | Self::Query(error)) = self else { return None };
        let code = error.as_database_error()?.code()?;
        Some(code.parse::<u32>().ok().filter(|_| code.len() != 5).map_or(code.into_owned(), |n| (n & 0xff).to_string()))
    }

    fn of(dialect: Dialect, error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) => {
                Self::Unavailable(error)
            }
            other if dialect.is_out_of_reach(&other) => Self::Unavailable(other),
            other => Self::Query(other),
        }
    }
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
    readiness: Arc<Readiness>,
}

/// How long a request waits for a connection before it is told that the database is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

impl Db {
    /// Opens `sqlite://path` (made if absent) or `postgres://…` with at most `connections` readers. What is in the way
    /// is said as soon as it is known. `SharedSession` behind a pooler that does not keep sessions.
    pub async fn connect(url: &str, connections: u32) -> Result<Self, DbError> {
        sqlx::any::install_default_drivers();
        let dialect = Dialect::of(url)?;
        let url = dialect.connection_url(url);
        opening::try_out(dialect, &url).await?;
        let options = |more: &'static [&'static str]| {
            AnyPoolOptions::new()
                .acquire_timeout(ACQUIRE_TIMEOUT)
                // sqlx 0.9 counts idle connections in two steps: its maintenance may read one less than none, and then
                // turns in a circle for ever, a thread's worth of it. Without these two there is no maintenance. A
                // connection that has died is noticed before it is lent out.
                .idle_timeout(None)
                .max_lifetime(None)
                .after_connect(move |connection, _| {
                    Box::pin(async move {
                        for statement in dialect.session_settings().iter().chain(more) {
                            sqlx::query(*statement).execute(&mut *connection).await?;
                        }
                        Ok(())
                    })
                })
        };
        let (reads, writes) = match dialect {
            Dialect::Sqlite => {
                // The writer first: it makes the file and sets WAL.
                let writes = options(dialect.writer_settings()).max_connections(1).connect(&url).await;
                let writes = writes.map_err(|error| DbError::of(dialect, error))?;
                (
                    options(&[])
                        .max_connections(connections)
                        .connect(&url)
                        .await
                        .map_err(|error| DbError::of(dialect, error))?,
                    writes,
                )
            }
            Dialect::Postgres => {
                let pool = options(&[])
                    .max_connections(connections)
                    .connect(&url)
                    .await
                    .map_err(|error| DbError::of(dialect, error))?;
                (pool.clone(), pool)
            }
        };
        let looks = options(&[]).max_connections(1).connect_lazy(&url).map_err(|error| DbError::of(dialect, error))?;
        Ok(Self { dialect, reads, writes, looks, queries: Arc::new(AtomicU64::new(0)), readiness: Arc::default() })
    }

    /// A transaction that sees one state of the database throughout, and writes nothing.
    pub async fn read(&self) -> Result<Tx, DbError> {
        self.begin(&self.reads, self.dialect.begin_read()).await
    }

    /// The same for rows that are found by their keys, at every request: they are found in less time than it takes to
    /// plan that.
    pub(super) async fn read_by_key(&self) -> Result<Tx, DbError> {
        self.begin(&self.reads, self.dialect.begin_read_by_key()).await
    }

    /// A transaction that writes. Dropped without `commit`, it leaves nothing behind.
    pub async fn write(&self) -> Result<Tx, DbError> {
        self.begin(&self.writes, self.dialect.begin_write()).await
    }

    async fn begin(&self, pool: &AnyPool, statement: &'static str) -> Result<Tx, DbError> {
        let mut lent = Lent::new(self.acquire(pool).await?, self.dialect);
        lent.run(statement).await.map_err(|error| DbError::of(self.dialect, error))?;
        Ok(Tx { lent, is_sound: true, dialect: self.dialect, queries: self.queries.clone() })
    }

    async fn acquire(&self, pool: &AnyPool) -> Result<PoolConnection<Any>, DbError> {
        pool.acquire().await.map_err(|error| DbError::of(self.dialect, error))
    }

    /// The rows of one statement, outside of transactions and uncounted: on the outbox's own connection.
    async fn look(&self, query: Arguments<'_>) -> Result<Vec<AnyRow>, DbError> {
        let mut lent = Lent::new(self.acquire(&self.looks).await?, self.dialect);
        let connection: &mut AnyConnection = lent.get()?;
        let rows = query.fetch_all(connection).await.map_err(|error| DbError::of(self.dialect, error))?;
        lent.give_back();
        Ok(rows)
    }

    /// Statements run so far by this process, without the BEGIN and COMMIT around them, and without the outbox's looks
    /// and removals, which no request asks for.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Whether the database can be read and written. Looked at once a second at most, however many ask.
    pub async fn ready(&self) -> Result<(), String> {
        Readiness::ask(self).await
    }
}

/// A transaction. Every statement of requests goes through one. Dropped without `commit` it leaves nothing behind,
/// wherever it was: within a BEGIN, a statement, or a COMMIT that is not answered (which may have happened or not, as
/// whenever an answer is lost).
pub struct Tx {
    lent: Lent,
    /// No statement has failed or was given up: databases go on differently then, SQLite at times without a
    /// transaction.
    is_sound: bool,
    pub dialect: Dialect,
    queries: Arc<AtomicU64>,
}

tokio::task_local! {
    /// Statements of the work that is being counted.
    static COUNTED: std::cell::Cell<u64>;
}

/// Does the work, and says how many statements it took.
pub async fn counted<T>(work: impl Future<Output = T>) -> (T, u64) {
    COUNTED.scope(std::cell::Cell::new(0), async { (work.await, COUNTED.with(std::cell::Cell::get)) }).await
}

impl Tx {
    #[tracing::instrument(
        target = "vendorscope::spans", level = "trace", name = "query", skip_all,
        fields(otel.kind = "client", db.system.name = self.dialect.otel_name())
    )]
    pub async fn execute(&mut self, query: Arguments<'_>) -> Result<AnyQueryResult, DbError> {
        self.count();
        self.execute_uncounted(query).await
    }

    async fn execute_uncounted(&mut self, query: Arguments<'_>) -> Result<AnyQueryResult, DbError> {
        let result = query.execute(self.begin_statement()?).await;
        self.end_statement(result)
    }

    async fn row_uncounted(&mut self, query: Arguments<'_>) -> Result<Option<AnyRow>, DbError> {
        let result = query.fetch_optional(self.begin_statement()?).await;
        self.end_statement(result)
    }

    async fn rows_uncounted(&mut self, query: Arguments<'_>) -> Result<Vec<AnyRow>, DbError> {
        let result = query.fetch_all(self.begin_statement()?).await;
        self.end_statement(result)
    }

    #[tracing::instrument(
        target = "vendorscope::spans", level = "trace", name = "query", skip_all,
        fields(otel.kind = "client", db.system.name = self.dialect.otel_name())
    )]
    pub async fn rows(&mut self, query: Arguments<'_>) -> Result<Vec<AnyRow>, DbError> {
        self.count();
        let result = query.fetch_all(self.begin_statement()?).await;
        self.end_statement(result)
    }

    #[tracing::instrument(
        target = "vendorscope::spans", level = "trace", name = "query", skip_all,
        fields(otel.kind = "client", db.system.name = self.dialect.otel_name())
    )]
    pub async fn row(&mut self, query: Arguments<'_>) -> Result<Option<AnyRow>, DbError> {
        self.count();
        let result = query.fetch_optional(self.begin_statement()?).await;
        self.end_statement(result)
    }

    /// `Failed` where a statement before it did: PostgreSQL would answer as if something had been kept.
    pub async fn commit(mut self) -> Result<(), DbError> {
        if !self.is_sound {
            return Err(DbError::Failed);
        }
        self.lent.run("COMMIT").await.map_err(|error| DbError::of(self.dialect, error))?;
        self.lent.give_back();
        Ok(())
    }

    fn begin_statement(&mut self) -> Result<&mut AnyConnection, DbError> {
        if !std::mem::replace(&mut self.is_sound, false) {
            return Err(DbError::Failed);
        }
        Ok(self.lent.get()?)
    }

    fn end_statement<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, DbError> {
        let answer = result.map_err(|error| DbError::of(self.dialect, error))?;
        self.is_sound = true;
        Ok(answer)
    }

    fn count(&self) {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let _ = COUNTED.try_with(|counted| counted.set(counted.get() + 1));
    }
}
