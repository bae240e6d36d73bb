use sqlx::Row;

use super::{Db, DbError, Tx, accounts, rows, sql};
use crate::domain::accounts::{ApiKey, User};

/// A key that somebody uses.
pub struct KeyInUse {
    pub id: i64,
    pub user: User,
    pub last_used_us: Option<i64>,
}

/// Who may use the key of this hash: nobody where it was revoked or its user shut out.
pub async fn find_in_use(db: &Db, key_hash: &str) -> Result<Option<KeyInUse>, DbError> {
    let mut tx = db.read().await?;
    let query = sql("SELECT k.id AS key_id, k.last_used_us, u.id, u.email, u.role, u.vendor_id, v.external_id \
                     FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN vendors v ON v.id = u.vendor_id \
                     WHERE k.key_hash = $1 AND k.revoked_us IS NULL AND u.disabled_us IS NULL")
    .bind(key_hash.to_owned());
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    Ok(Some(KeyInUse {
        id: row.try_get("key_id")?,
        user: accounts::user(&row)?,
        last_used_us: row.try_get("last_used_us")?,
    }))
}

/// Notes that a key was used, unless that was noted after `not_since_us`.
pub async fn note_use(db: &Db, id: i64, now_us: i64, not_since_us: i64) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    let query =
        sql("UPDATE api_keys SET last_used_us = $1 WHERE id = $2 AND (last_used_us IS NULL OR last_used_us <= $3)")
            .bind(now_us)
            .bind(id)
            .bind(not_since_us);
    tx.execute(query).await?;
    tx.commit().await
}

/// A user's keys that are not revoked, oldest first.
pub async fn list(tx: &mut Tx, user: i64) -> Result<Vec<ApiKey>, DbError> {
    let query =
        sql("SELECT id, name, prefix, created_us, last_used_us FROM api_keys WHERE user_id = $1 AND revoked_us IS NULL ORDER BY id")
            .bind(user);
    let rows = tx.rows(query).await?;
    rows.iter()
        .map(|row| {
            Ok(ApiKey {
                key_id: row.try_get::<i64, _>("id")?.to_string(),
                name: row.try_get("name")?,
                prefix: row.try_get("prefix")?,
                created_at: rows::instant(row, "created_us")?,
                last_used_at: match rows::int_or_null(row, "last_used_us")? {
                    Some(_) => Some(rows::instant(row, "last_used_us")?),
                    None => None,
                },
            })
        })
        .collect()
}

/// Adds a key and returns its id.
pub async fn insert(
    tx: &mut Tx,
    user: i64,
    name: &str,
    prefix: &str,
    key_hash: &str,
    now_us: i64,
) -> Result<i64, DbError> {
    let query = sql(
        "INSERT INTO api_keys (user_id, name, prefix, key_hash, created_us) VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind(user)
    .bind(name.to_owned())
    .bind(prefix.to_owned())
    .bind(key_hash.to_owned())
    .bind(now_us);
    let row = tx.row(query).await?.ok_or_else(|| DbError::Corrupt("a new key without an id".to_owned()))?;
    Ok(row.try_get("id")?)
}

/// Revokes one of the user's keys; `None` where there is no such key. Its name otherwise.
pub async fn revoke(tx: &mut Tx, user: i64, id: i64, now_us: i64) -> Result<Option<String>, DbError> {
    let query =
        sql("UPDATE api_keys SET revoked_us = $1 WHERE id = $2 AND user_id = $3 AND revoked_us IS NULL RETURNING name")
            .bind(now_us)
            .bind(id)
            .bind(user);
    tx.row(query).await?.map(|row| Ok(row.try_get("name")?)).transpose()
}

/// Revokes all of a user's keys.
pub async fn revoke_all(tx: &mut Tx, user: i64, now_us: i64) -> Result<(), DbError> {
    let query =
        sql("UPDATE api_keys SET revoked_us = $1 WHERE user_id = $2 AND revoked_us IS NULL").bind(now_us).bind(user);
    tx.execute(query).await.map(|_| ())
}
