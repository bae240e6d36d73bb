use sqlx::Row;

use super::{DbError, Tx, sql};

/// Adds a link, in place of any that the user had before.
pub async fn insert(tx: &mut Tx, user: i64, token_hash: &str, now_us: i64, expires_us: i64) -> Result<(), DbError> {
    delete_all(tx, user).await?;
    let query =
        sql("INSERT INTO password_resets (user_id, token_hash, created_us, expires_us) VALUES ($1, $2, $3, $4)")
            .bind(user)
            .bind(token_hash.to_owned())
            .bind(now_us)
            .bind(expires_us);
    tx.execute(query).await.map(|_| ())
}

/// The user whose link has this token; `None` where it has expired or was used.
pub async fn find_user(tx: &mut Tx, token_hash: &str, now_us: i64) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT user_id FROM password_resets WHERE token_hash = $1 AND expires_us > $2")
        .bind(token_hash.to_owned())
        .bind(now_us);
    tx.row(query).await?.map(|row| Ok(row.try_get("user_id")?)).transpose()
}

/// Uses a link up. Of several who try at once, one gets the user.
pub async fn take(tx: &mut Tx, token_hash: &str, now_us: i64) -> Result<Option<i64>, DbError> {
    let query = sql("DELETE FROM password_resets WHERE token_hash = $1 AND expires_us > $2 RETURNING user_id")
        .bind(token_hash.to_owned())
        .bind(now_us);
    tx.row(query).await?.map(|row| Ok(row.try_get("user_id")?)).transpose()
}

/// Makes all links of a user worthless.
pub async fn delete_all(tx: &mut Tx, user: i64) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM password_resets WHERE user_id = $1").bind(user)).await.map(|_| ())
}
