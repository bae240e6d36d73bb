//! The first connection, before there is a pool: pools try again until their time is over and then say no more than
//! that it is.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row, postgres::PgConnectOptions, postgres::PgSslMode};

use super::{DbError, Dialect};

/// How long a server may take to let somebody in.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How often two connections are compared. What shares servers between clients gives itself away in the first round
/// unless others use it at the same moment.
const ROUNDS: usize = 3;

/// Connects once, prepares the connection as the pools will, and finds out what stands in between. The error is the
/// cause, and comes as soon as it is known.
pub(super) async fn try_out(dialect: Dialect, url: &str) -> Result<(), DbError> {
    let mut connection = connect(dialect, url).await?;
    for statement in dialect.session_settings() {
        run(&mut connection, statement).await.map_err(|error| DbError::of(dialect, error))?;
    }
    if dialect == Dialect::Postgres {
        let mut other = connect(dialect, url).await?;
        let shares = shares_servers(&mut connection, &mut other).await;
        close(other).await;
        if shares.map_err(|error| DbError::of(dialect, error))? {
            return Err(DbError::SharedSession);
        }
    }
    close(connection).await;
    Ok(())
}

async fn connect(dialect: Dialect, url: &str) -> Result<AnyConnection, DbError> {
    match tokio::time::timeout(CONNECT_WITHIN, AnyConnection::connect(url)).await {
        Ok(connected) => connected.map_err(|error| DbError::of(dialect, error)),
        Err(_) => {
            let late = format!("no answer within {} s", CONNECT_WITHIN.as_secs());
            Err(DbError::Unavailable(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, late))))
        }
    }
}

/// Nobody is owed more: what was asked of it has been answered.
async fn close(connection: AnyConnection) {
    let _ = connection.close().await;
}

async fn run(connection: &mut AnyConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map(|_| ())
}

/// Whether a pooler gives a server process to one client after another (PgBouncer's modes `transaction` and
/// `statement`): two connections are then served by one process, or one of them by several. As plain statements, for
/// prepared ones are what does not work there.
async fn shares_servers(one: &mut AnyConnection, other: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    let mut known: [Option<i64>; 2] = [None, None];
    for _ in 0..ROUNDS {
        let now = [server_process(one).await?, server_process(other).await?];
        if now[0] == now[1] || known.iter().zip(now).any(|(known, now)| known.is_some_and(|known| known != now)) {
            return Ok(true);
        }
        known = now.map(Some);
    }
    Ok(false)
}

async fn server_process(connection: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let question = "SELECT pg_backend_pid()::BIGINT AS pid";
    sqlx::raw_sql(AssertSqlSafe(question)).fetch_one(connection).await?.try_get("pid")
}

/// The host that a PostgreSQL URL leads to, where it is another machine and nothing makes sure that it is the right
/// one.
pub fn unverified_host(url: &str) -> Option<String> {
    if Dialect::of(url).ok()? != Dialect::Postgres {
        return None;
    }
    let options: PgConnectOptions = url.parse().ok()?;
    let host = options.get_host();
    let is_local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let is_verified = matches!(options.get_ssl_mode(), PgSslMode::VerifyFull | PgSslMode::VerifyCa);
    (!is_local && !is_verified).then(|| host.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_that_is_not_verified_is_named() {
        for (url, host) in [
            ("postgres://u:p@db.internal/d", Some("db.internal")),
            ("postgres://u:p@10.0.0.7:5433/d?sslmode=require", Some("10.0.0.7")),
            ("postgres://u:p@db.internal/d?sslmode=verify-full", None),
            ("postgres://u:p@db.internal/d?sslmode=verify-ca&sslrootcert=/ca.pem", None),
            ("postgres://u:p@localhost/d", None),
            ("postgres://u:p@127.0.0.1/d?sslmode=disable", None),
            ("postgres://u:p@[::1]/d", None),
            ("postgres:///d?host=/run/postgresql", None),
            ("sqlite://vendorscope.db", None),
        ] {
            assert_eq!(unverified_host(url).as_deref(), host, "{url}");
        }
    }
}
