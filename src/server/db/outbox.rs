//! Invalidations that writes owe the cache.

use super::{Db, DbError, Tx, rows, sql};

/// Adds one to the transaction of the change that it belongs to. Returns its id, which is never used again.
pub async fn record(tx: &mut Tx, invalidation: &str) -> Result<i64, DbError> {
    let query = sql("INSERT INTO outbox (invalidation) VALUES ($1) RETURNING id").bind(invalidation.to_owned());
    let row = tx.row(query).await?.ok_or_else(|| DbError::Corrupt("outbox: no id for a new row".to_owned()))?;
    rows::int(&row, "id")
}

/// At most `limit` of those that are committed, with their ids, the oldest first. On a connection of its own, so that it never waits
/// behind the requests whose answers depend on it; not counted among [`Db::queries`].
pub async fn list(db: &Db, limit: usize) -> Result<Vec<(i64, String)>, DbError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = sql("SELECT id, invalidation FROM outbox ORDER BY id LIMIT $1").bind(limit);
    let found = db.look(query).await?;
    found.iter().map(|row| Ok((rows::int(row, "id")?, rows::text(row, "invalidation")?))).collect()
}

/// Removes those that the cache's store has taken. Absent ones are somebody else's doing, and no error.
pub async fn remove(db: &Db, ids: &[i64]) -> Result<(), DbError> {
    // Numbers of this program's own: nothing to bind, and no limit on parameters.
    let ids: Vec<_> = ids.iter().map(i64::to_string).collect();
    if !ids.is_empty() {
        let mut tx = db.write().await?;
        tx.execute_uncounted(sql(format!("DELETE FROM outbox WHERE id IN ({})", ids.join(", ")))).await?;
        tx.commit().await?;
    }
    Ok(())
}
