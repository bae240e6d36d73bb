use sqlx::Row;

use super::{DbError, Tx, sql};

/// A link to choose a password with.
pub struct NewLink<'a> {
    pub user: i64,
    pub token_hash: &'a str,
    /// A user's address, or `cli`.
    pub made_by: &'a str,
    pub expires_us: i64,
}

/// Adds a link, in place of any that the user had before.
pub async fn insert(tx: &mut Tx, link: &NewLink<'_>, now_us: i64) -> Result<(), DbError> {
    delete_all(tx, link.user).await?;
    let query = sql("INSERT INTO password_resets (user_id, token_hash, made_by, created_us, expires_us) \
                     VALUES ($1, $2, $3, $4, $5)")
    .bind(link.user)
    .bind(link.token_hash.to_owned())
    .bind(link.made_by.to_owned())
    .bind(now_us)
    .bind(link.expires_us);
    tx.execute(query).await.map(|_| ())
}

/// When the user's link expires; `None` where there is none that has not.
pub async fn expiry(tx: &mut Tx, user: i64, now_us: i64) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT expires_us FROM password_resets WHERE user_id = $1 AND expires_us > $2 LIMIT 1");
    tx.row(query.bind(user).bind(now_us)).await?.map(|row| Ok(row.try_get("expires_us")?)).transpose()
}

/// Whether this is somebody who was invited, has not come, and whose invitation has run out.
pub async fn invitation_has_ended(tx: &mut Tx, user: i64, now_us: i64) -> Result<bool, DbError> {
    let query = sql("SELECT u.id FROM users u WHERE u.id = $1 AND u.invited_us IS NOT NULL AND NOT EXISTS \
                     (SELECT 1 FROM password_resets r WHERE r.user_id = u.id AND r.expires_us > $2)");
    Ok(tx.row(query.bind(user).bind(now_us)).await?.is_some())
}

/// The user whose link has this token; `None` where it has expired or was used.
pub async fn find_user(tx: &mut Tx, token_hash: &str, now_us: i64) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT user_id FROM password_resets WHERE token_hash = $1 AND expires_us > $2")
        .bind(token_hash.to_owned())
        .bind(now_us);
    tx.row(query).await?.map(|row| Ok(row.try_get("user_id")?)).transpose()
}

/// Uses a link up. Of several who try at once, one gets to know who made it: nothing where that is not known.
pub async fn take(tx: &mut Tx, token_hash: &str, now_us: i64) -> Result<Option<Option<String>>, DbError> {
    let query = sql("DELETE FROM password_resets WHERE token_hash = $1 AND expires_us > $2 RETURNING made_by")
        .bind(token_hash.to_owned())
        .bind(now_us);
    tx.row(query).await?.map(|row| Ok(row.try_get("made_by")?)).transpose()
}

/// Makes all links of a user worthless.
pub async fn delete_all(tx: &mut Tx, user: i64) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM password_resets WHERE user_id = $1").bind(user)).await.map(|_| ())
}
