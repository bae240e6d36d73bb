//! Views of the dashboard that users have saved.

use super::{DbError, Tx, rows, sql};
use crate::domain::views::SavedView;

/// Those of all users of a vendor, each with whose it is; by their names.
pub async fn list(tx: &mut Tx, vendor_id: i64) -> Result<Vec<(i64, SavedView)>, DbError> {
    let text = "SELECT s.user_id, s.id, s.name, s.query FROM users u JOIN saved_views s ON s.user_id = u.id \
                WHERE u.vendor_id = $1 ORDER BY s.name, s.id";
    let found = tx.rows(sql(text).bind(vendor_id)).await?;
    let views = found.iter().map(|row| {
        let view = SavedView {
            view_id: rows::int(row, "id")?.to_string(),
            name: rows::text(row, "name")?,
            query: rows::text(row, "query")?,
        };
        Ok((rows::int(row, "user_id")?, view))
    });
    views.collect()
}

/// Saves it under this name, in place of another of the same name.
pub async fn save(tx: &mut Tx, user_id: i64, name: &str, query: &str, now_us: i64) -> Result<(), DbError> {
    let text = "INSERT INTO saved_views (user_id, name, query, saved_us) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query, saved_us = excluded.saved_us";
    let query = sql(text).bind(user_id).bind(name.to_owned()).bind(query.to_owned()).bind(now_us);
    tx.execute(query).await?;
    Ok(())
}

/// Whether there was one of this id, of this user.
pub async fn delete(tx: &mut Tx, user_id: i64, id: i64) -> Result<bool, DbError> {
    let query = sql("DELETE FROM saved_views WHERE user_id = $1 AND id = $2").bind(user_id).bind(id);
    Ok(tx.execute(query).await?.rows_affected() > 0)
}
