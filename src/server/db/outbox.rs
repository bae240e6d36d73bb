//! Invalidations that the cache's store may not have taken yet, and which store counts.

use super::{Db, DbError, Tx, rows, sql};

/// What one look finds, all of it of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxState {
    pub epoch: i64,
    /// The store that counts.
    pub server: String,
    /// Ids and texts, the oldest first.
    pub pending: Vec<(i64, String)>,
}

/// Adds one to the transaction of the change that it belongs to. Returns its id, which is never used again.
pub async fn record(tx: &mut Tx, invalidation: &str) -> Result<i64, DbError> {
    let query = sql("INSERT INTO outbox (invalidation) VALUES ($1) RETURNING id").bind(invalidation.to_owned());
    let row = tx.row(query).await?.ok_or_else(|| DbError::Corrupt("outbox: no id for a new row".to_owned()))?;
    rows::int(&row, "id")
}

/// Which store counts, and at most `limit` of the rows that are committed. On a connection of its own, so that it never
/// waits behind the requests whose answers depend on it; not counted among [`Db::queries`].
pub async fn look(db: &Db, limit: usize) -> Result<OutboxState, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = sql("SELECT c.epoch, c.server, o.id, o.invalidation FROM cache_store c \
                     LEFT JOIN (SELECT id, invalidation FROM outbox ORDER BY id LIMIT $1) o ON 1 = 1 ORDER BY o.id")
    .bind(limit);
    let found = db.look(query).await?;
    let first = found.first().ok_or_else(|| DbError::Corrupt("cache_store: no row".to_owned()))?;
    let (epoch, server) = (rows::int(first, "epoch")?, rows::text(first, "server")?);
    let mut pending = Vec::new();
    for row in &found {
        if let Some(id) = rows::int_or_null(row, "id")? {
            pending.push((id, rows::text(row, "invalidation")?));
        }
    }
    Ok(OutboxState { epoch, server, pending })
}

/// Removes rows that the store has taken, if it still counts. Whether it does; rows that somebody else has removed are
/// no error.
pub async fn acknowledge(db: &Db, ids: &[i64], epoch: i64, server: &str) -> Result<bool, DbError> {
    // Numbers of this program's own: nothing to bind, and no limit on parameters.
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let counts = "SELECT 1 AS counts FROM cache_store WHERE epoch = $1 AND server = $2";
    let remove = sql(format!("DELETE FROM outbox WHERE id IN ({list}) AND EXISTS ({counts})"))
        .bind(epoch)
        .bind(server.to_owned());
    let mut tx = db.write().await?;
    let removed = tx.execute_uncounted(remove).await?.rows_affected();
    let counts = removed == ids.len() as u64
        || tx.row_uncounted(sql(counts).bind(epoch).bind(server.to_owned())).await?.is_some();
    tx.commit().await?;
    Ok(counts)
}

/// Makes `server` the store that counts, under the next epoch, if the epoch is still `seen`. Whether it was.
pub async fn claim(db: &Db, seen: i64, server: &str, now_us: i64) -> Result<bool, DbError> {
    let claim = sql("UPDATE cache_store SET epoch = epoch + 1, server = $2, claimed_at_us = $3 WHERE epoch = $1")
        .bind(seen)
        .bind(server.to_owned())
        .bind(now_us);
    let mut tx = db.write().await?;
    let claimed = tx.execute_uncounted(claim).await?.rows_affected();
    tx.commit().await?;
    Ok(claimed > 0)
}

/// What this installation is called in stores that it shares with others.
pub async fn installation(db: &Db) -> Result<String, DbError> {
    let found = db.look(sql("SELECT installation FROM cache_store")).await?.into_iter().next();
    rows::text(&found.ok_or_else(|| DbError::Corrupt("cache_store: no row".to_owned()))?, "installation")
}
