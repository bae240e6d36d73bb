use sqlx::{Row, any::AnyRow};

use super::{Db, DbError, Tx, accounts, rows, sql};
use crate::domain::accounts::{ApiKey, KeyScope, User};

/// A key that somebody uses.
pub struct KeyInUse {
    pub id: i64,
    pub user: User,
    pub last_used_us: Option<i64>,
    pub scope: KeyScope,
    /// The marketplace's id of the one vendor that it ingests for.
    pub vendor: Option<String>,
}

/// A key that is made.
pub struct KeyRow<'a> {
    pub name: &'a str,
    pub prefix: &'a str,
    pub key_hash: &'a str,
    pub scope: KeyScope,
    /// The one vendor that it ingests for.
    pub vendor: Option<i64>,
    pub created_us: i64,
    pub expires_us: i64,
}

/// A key as an admin sees it.
pub struct KeyOfUser {
    pub email: String,
    pub key: ApiKey,
}

/// Who may use the key of this hash: nobody where it was revoked, or has expired, or its user is shut out.
pub async fn find_in_use(db: &Db, key_hash: &str, now_us: i64) -> Result<Option<KeyInUse>, DbError> {
    let mut tx = db.read_by_key().await?;
    let query =
        sql("SELECT k.id AS key_id, k.last_used_us, u.id, u.email, u.role, u.read_only, u.vendor_id, v.external_id, \
                     k.scope, o.external_id AS only_vendor \
                     FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN vendors v ON v.id = u.vendor_id \
                     LEFT JOIN vendors o ON o.id = k.vendor_id \
                     WHERE k.key_hash = $1 AND k.revoked_us IS NULL AND u.disabled_us IS NULL \
                     AND (k.expires_us IS NULL OR k.expires_us > $2)")
        .bind(key_hash.to_owned())
        .bind(now_us);
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    Ok(Some(KeyInUse {
        id: row.try_get("key_id")?,
        user: accounts::user(&row)?,
        last_used_us: row.try_get("last_used_us")?,
        scope: rows::parsed(&row, "scope")?,
        vendor: row.try_get("only_vendor")?,
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

const KEY: &str = "k.id AS key_id, k.name, k.prefix, k.scope, k.created_us, k.expires_us, k.last_used_us, \
                   o.external_id AS only_vendor FROM api_keys k LEFT JOIN vendors o ON o.id = k.vendor_id";

/// A user's keys that are not revoked, oldest first.
pub async fn list(tx: &mut Tx, user: i64) -> Result<Vec<ApiKey>, DbError> {
    let query = sql(format!("SELECT {KEY} WHERE k.user_id = $1 AND k.revoked_us IS NULL ORDER BY k.id")).bind(user);
    tx.rows(query).await?.iter().map(api_key).collect()
}

/// Everybody's keys that are not revoked, by address and age; `most` at most.
pub async fn list_all(tx: &mut Tx, most: i64) -> Result<Vec<KeyOfUser>, DbError> {
    let query = sql(format!(
        "SELECT u.email, {KEY} JOIN users u ON u.id = k.user_id WHERE k.revoked_us IS NULL AND u.disabled_us IS NULL \
         ORDER BY u.email, k.id LIMIT $1"
    ))
    .bind(most);
    let rows = tx.rows(query).await?;
    rows.iter().map(|row| Ok(KeyOfUser { email: rows::text(row, "email")?, key: api_key(row)? })).collect()
}

fn api_key(row: &AnyRow) -> Result<ApiKey, DbError> {
    let instant_or_null = |column: &str| match rows::int_or_null(row, column)? {
        Some(_) => rows::instant(row, column).map(Some),
        None => Ok(None),
    };
    Ok(ApiKey {
        key_id: rows::int(row, "key_id")?.to_string(),
        name: rows::text(row, "name")?,
        prefix: rows::text(row, "prefix")?,
        scope: rows::parsed(row, "scope")?,
        vendor_id: row.try_get("only_vendor")?,
        created_at: rows::instant(row, "created_us")?,
        expires_at: instant_or_null("expires_us")?,
        last_used_at: instant_or_null("last_used_us")?,
    })
}

/// Adds a key and returns its id.
pub async fn insert(tx: &mut Tx, user: i64, key: &KeyRow<'_>) -> Result<i64, DbError> {
    let query = sql("INSERT INTO api_keys \
                     (user_id, name, prefix, key_hash, scope, vendor_id, created_us, expires_us) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id")
    .bind(user)
    .bind(key.name.to_owned())
    .bind(key.prefix.to_owned())
    .bind(key.key_hash.to_owned())
    .bind(key.scope.as_str())
    .bind(key.vendor)
    .bind(key.created_us)
    .bind(key.expires_us);
    let row = tx.row(query).await?.ok_or_else(|| DbError::Corrupt("a new key without an id".to_owned()))?;
    Ok(row.try_get("id")?)
}

/// Revokes a key, whosever it is; `None` where there is no such key. Its name and its user's address otherwise.
pub async fn revoke_any(tx: &mut Tx, id: i64, now_us: i64) -> Result<Option<(String, String)>, DbError> {
    let query = sql("UPDATE api_keys SET revoked_us = $1 WHERE id = $2 AND revoked_us IS NULL \
                     RETURNING name, (SELECT email FROM users WHERE users.id = api_keys.user_id) AS email")
    .bind(now_us)
    .bind(id);
    tx.row(query).await?.map(|row| Ok((rows::text(&row, "name")?, rows::text(&row, "email")?))).transpose()
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
