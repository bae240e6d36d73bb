use std::{io, net::SocketAddr, path::PathBuf};

use super::{
    config::redact,
    db::{DbError, Dialect},
};

/// Why the program did not start, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the database {url}: {source}; {remedy}")]
    Database { url: String, source: DbError, remedy: &'static str },
    #[error("the database {url} can be read, but not be written to: {source}; {remedy}")]
    ReadOnly { url: String, source: DbError, remedy: &'static str },
    #[error("cannot bring the database {url} up to date: {source}")]
    Migrate { url: String, source: DbError },
    #[error("cannot use Redis at {url} as cache: {reason}; start it, or correct REDIS_URL")]
    Cache { url: String, reason: String },
    #[error("{0}; start it, or correct REDIS_URL or SESSION_REDIS_URL")]
    Sessions(String),
    #[error("cannot log anybody in through the marketplace: {0}")]
    Provider(String),
    #[error("cannot listen on {address}: {source}; choose another address with LEPTOS_SITE_ADDR")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "the browser half is not at {} ({missing} is missing): run scripts/build, or copy target/site, and say where \
         with \
         LEPTOS_SITE_ROOT", .folder.display()
    )]
    BrowserHalf { folder: PathBuf, missing: String },
    #[error(
        "there is no {} beside the program: copy it from the build that the browser half is of \
         (target/release/hash.txt), \
         or leave LEPTOS_HASH_FILES out", .file.display()
    )]
    Hashes { file: PathBuf },
    #[error(
        "the browser half at {} has names with hashes: set LEPTOS_HASH_FILES=true, with the hash.txt of the same build \
         beside the program", .folder.display()
    )]
    HashedNames { folder: PathBuf },
}

impl StartError {
    /// What stands in the way of this database.
    pub fn of_database(url: &str, source: DbError) -> Self {
        let (shown, dialect) = (redact(url), Dialect::of(url).unwrap_or(Dialect::Sqlite));
        if source.is_read_only(dialect) {
            let remedy = match dialect {
                Dialect::Sqlite => {
                    "let this user write to the file and its folder, and leave mode=ro out of DATABASE_URL"
                }
                Dialect::Postgres => "docs/deployment.md#rights has what the user of DATABASE_URL needs",
            };
            return Self::ReadOnly { url: shown, source, remedy };
        }
        match source {
            DbError::Migrate(_) | DbError::Newer { .. } => Self::Migrate { url: shown, source },
            _ => Self::Database { url: shown, remedy: remedy(dialect, &source), source },
        }
    }
}

/// What to do about a database that does not open.
fn remedy(dialect: Dialect, error: &DbError) -> &'static str {
    let code = error.code().unwrap_or_default();
    match (dialect, code.as_str()) {
        (_, _) if matches!(error, DbError::SharedSession) => "DATABASE_URL leads there",
        (Dialect::Postgres, "28P01" | "28000") => {
            "correct the user and the password in DATABASE_URL, where characters with a meaning in URLs are \
             percent-encoded (@ is %40, / is %2F, # is %23, % is %25)"
        }
        (Dialect::Postgres, "3D000") => "create it, or correct DATABASE_URL",
        (Dialect::Postgres, "53300") => {
            "give PostgreSQL more max_connections, or lower DATABASE_CONNECTIONS (docs/scaling.md#connections)"
        }
        (Dialect::Postgres, "08P01") => {
            "if DATABASE_URL leads to PgBouncer, give that ignore_startup_parameters = extra_float_digits and session \
             mode (docs/deployment.md#pgbouncer)"
        }
        (Dialect::Postgres, _) => "check DATABASE_URL, and that the server runs and takes connections there",
        (Dialect::Sqlite, "11" | "26") => {
            "the file is damaged or something else: check DATABASE_URL, or put a backup in its place"
        }
        (Dialect::Sqlite, "10" | "13") => "free some room on its disk, and check that it is well",
        (Dialect::Sqlite, _) => "check DATABASE_URL, and that its folder is there and this user may write in it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_told_in_one_sentence_with_what_to_run() {
        let error = StartError::of_database("sqlite://x.db", DbError::Newer { found: 99, known: 10 });
        assert_eq!(
            error.to_string(),
            "cannot bring the database sqlite://x.db up to date: it belongs to a newer release (its last migration is \
             99, \
             the last that this program knows is 10): run that release, or go back as docs/deployment.md says"
        );
    }
}
