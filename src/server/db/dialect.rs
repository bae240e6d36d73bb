use sqlx::migrate::Migrator;

use super::DbError;

/// The database behind a URL, and everything that this program writes differently for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
}

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Dialect {
    pub fn of(url: &str) -> Result<Self, DbError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => {
                Err(DbError::Url("not accepted: sqlite://path/to/file.db or postgres://user@host/database".to_owned()))
            }
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// What OpenTelemetry calls it.
    pub(super) fn otel_name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }

    pub(super) fn migrator(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE,
            Self::Postgres => &POSTGRES,
        }
    }

    /// Whether there is a table of the migrations that were applied: one row, `found`.
    pub(super) fn migrations_table(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT COUNT(*) AS found FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'"
            }
            Self::Postgres => "SELECT COUNT(*) AS found FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
        }
    }

    /// Whether the database lets this user read and not write.
    pub(super) fn is_read_only(self, error: &sqlx::Error) -> bool {
        let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return false };
        match self {
            // SQLITE_READONLY; what says more of it stands in the higher bytes.
            Self::Sqlite => code.parse::<u32>().is_ok_and(|code| code & 0xff == 8),
            // "insufficient_privilege", and "read_only_sql_transaction", which a standby answers.
            Self::Postgres => code == "42501" || code == "25006",
        }
    }

    /// SQLite makes the file where there is none.
    pub(super) fn connection_url(self, url: &str) -> String {
        match self {
            Self::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        }
    }

    /// Run on every new connection. WAL lets readers and the one writer work side by side; with it, NORMAL loses
    /// nothing when the process dies, and FULL (the default, kept) nothing when the machine does.
    pub(super) fn session_settings(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[
                "PRAGMA journal_mode = WAL",
                "PRAGMA busy_timeout = 5000",
                "PRAGMA foreign_keys = ON",
                "PRAGMA cache_size = -8192",
            ],
            // What a page asks for is read from a few thousand rows at most: starting workers to share them, or
            // compiling it, costs many times what it saves (docs/performance.md).
            Self::Postgres => {
                &["SELECT set_config('TimeZone', 'UTC', false), set_config('max_parallel_workers_per_gather', '0', \
                 false), set_config('jit', 'off', false)"]
            }
        }
    }

    /// Run after these on the connection that writes: an import goes through all there is, where what a page reads is a
    /// few megabytes, and there are many that read.
    pub(super) fn writer_settings(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["PRAGMA cache_size = -32768"],
            Self::Postgres => &[],
        }
    }

    /// PostgreSQL is to plan each statement for its own parameters. From the sixth time on it would otherwise keep one
    /// plan for all parameters, which expects one row where there are thousands: a list of products took 600 ms instead
    /// of 20, a snapshot of one category up to 30 s instead of one. Planning takes a millisecond for the largest of
    /// them.
    pub(super) fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan"
            }
        }
    }

    /// The same where rows are found one by one, by their keys: one plan is right for all parameters.
    pub(super) fn begin_read_by_key(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN DEFERRED",
            Self::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    pub(super) fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Whether a ROLLBACK failed because there was nothing to roll back: the connection is clean. (PostgreSQL answers
    /// such a one with a warning.)
    pub(super) fn is_no_transaction(self, error: &sqlx::Error) -> bool {
        self == Self::Sqlite
            && error.as_database_error().is_some_and(|error| error.message().contains("no transaction is active"))
    }

    /// Whether another process writes to the SQLite file, and went on longer than a transaction waits for it.
    pub(super) fn is_busy(self, error: &sqlx::Error) -> bool {
        const SQLITE_BUSY: &str = "5";
        self == Self::Sqlite
            && error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == SQLITE_BUSY)
    }

    /// Whether an error is of the database's surroundings, and may be gone the next time: another process that writes
    /// for longer than a transaction waits, no room, a server that is starting or stopping.
    pub(super) fn is_out_of_reach(self, error: &sqlx::Error) -> bool {
        let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return false };
        match self {
            // SQLITE_BUSY, SQLITE_IOERR and SQLITE_FULL; what says more of them stands in the higher bytes.
            Self::Sqlite => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 10 | 13)),
            // Classes "insufficient resources" and "operator intervention".
            Self::Postgres => code.starts_with("53") || code.starts_with("57P"),
        }
    }

    /// After a `SELECT … FROM vendors`: holds those rows until the transaction ends, so that writes to one vendor queue
    /// up and its sums are never worked out from two states at once. Likewise of users. SQLite has one writer as it is.
    pub fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// Lets one import in at a time, until the transaction ends. SQLite has one writer as it is.
    pub fn lock_imports(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            // The number is this program's own: it stands for nothing else.
            Self::Postgres => Some("SELECT 1 FROM pg_advisory_xact_lock(8206291)"),
        }
    }

    /// Ends a `CREATE TEMP TABLE` whose rows live as long as the transaction.
    pub fn temp_table_end(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " ON COMMIT DROP",
        }
    }

    /// The same for one with a primary key, kept in the order of that key.
    pub fn keyed_temp_table_end(self) -> &'static str {
        match self {
            Self::Sqlite => " WITHOUT ROWID",
            Self::Postgres => " ON COMMIT DROP",
        }
    }

    /// Tells the planner what a table that has just been filled holds: PostgreSQL's autovacuum never sees temporary
    /// tables, nor what has not been committed. SQLite plans by the indexes there are.
    pub fn analyze(self, table: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(format!("ANALYZE {table}")),
        }
    }

    /// What stands for a parameter where all of them are named once, in their order, and there are many. For each that
    /// has a number SQLite's driver reads the list of numbers from its start: the work grows with the square.
    pub fn place(self, number: usize) -> String {
        match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        }
    }

    /// A table `listed` with a column `id`: the numbers of a parameter that is a text like `1,2,3`. However many there
    /// are, it is the same statement, and the planner knows of how many.
    pub fn listed(self, parameter: &str) -> String {
        match self {
            Self::Sqlite => format!("(SELECT value AS id FROM json_each('[' || {parameter} || ']')) AS listed"),
            Self::Postgres => format!("unnest(CAST(string_to_array({parameter}, ',') AS BIGINT[])) AS listed (id)"),
        }
    }

    /// The most parameters of one statement.
    pub fn max_parameters(self) -> usize {
        match self {
            Self::Sqlite => 32_766,
            Self::Postgres => 65_535,
        }
    }
}
