//! Sessions that have ended, for a session store that may forget it.

use super::{Db, DbError, Tx, rows, sql};

/// Notes that this has ended, until it would have run out, and forgets what has run out by now. Instants in
/// microseconds since 1970.
pub async fn insert(tx: &mut Tx, name: &str, now_us: i64, until_us: i64) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM ended_sessions WHERE until_us < $1").bind(now_us)).await?;
    let insert = sql("INSERT INTO ended_sessions (name, ended_at_us, until_us) VALUES ($1, $2, $3)")
        .bind(name.to_owned())
        .bind(now_us)
        .bind(until_us);
    tx.execute(insert).await.map(|_| ())
}

/// Names of what has ended since this instant, and when each would have run out. Beside the outbox's looks, for no
/// request; not counted among [`Db::queries`].
pub async fn list_since(db: &Db, since_us: i64) -> Result<Vec<(String, i64)>, DbError> {
    let query = sql("SELECT name, until_us FROM ended_sessions WHERE ended_at_us >= $1").bind(since_us);
    let found = db.look(query).await?;
    found.iter().map(|row| Ok((rows::text(row, "name")?, rows::int(row, "until_us")?))).collect()
}
