//! One-time codes, and codes for when those are lost.

use sqlx::Row;

use super::{DbError, Tx, rows, sql};

/// What a user's codes are worked out of.
pub struct SecondFactor {
    /// Sealed, or base32 where it is from before secrets were.
    pub secret: String,
    pub created_us: i64,
    /// Whether a code has shown that the user's app has the secret.
    pub confirmed: bool,
}

pub async fn find(tx: &mut Tx, user: i64) -> Result<Option<SecondFactor>, DbError> {
    let query = sql("SELECT secret, created_us, confirmed_us FROM second_factors WHERE user_id = $1").bind(user);
    let row = tx.row(query).await?;
    row.map(|row| {
        Ok(SecondFactor {
            secret: row.try_get("secret")?,
            created_us: row.try_get("created_us")?,
            confirmed: rows::int_or_null(&row, "confirmed_us")?.is_some(),
        })
    })
    .transpose()
}

/// Users and their secrets, by user from behind this one, `limit` at most.
pub async fn list(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<(i64, String)>, DbError> {
    let query = sql("SELECT user_id, secret FROM second_factors WHERE user_id > $1 ORDER BY user_id LIMIT $2");
    let rows = tx.rows(query.bind(after).bind(limit)).await?;
    rows.iter().map(|row| Ok((rows::int(row, "user_id")?, rows::text(row, "secret")?))).collect()
}

/// Stores the same secret in another form; `false` where it is not what it was any more.
pub async fn replace(tx: &mut Tx, user: i64, was: &str, secret: &str) -> Result<bool, DbError> {
    let query = sql("UPDATE second_factors SET secret = $1 WHERE user_id = $2 AND secret = $3 RETURNING user_id")
        .bind(secret.to_owned())
        .bind(user)
        .bind(was.to_owned());
    Ok(tx.row(query).await?.is_some())
}

/// Begins anew, in place of what was not confirmed; `false` where one was.
pub async fn begin(tx: &mut Tx, user: i64, secret: &str, now_us: i64) -> Result<bool, DbError> {
    let query = sql("INSERT INTO second_factors (user_id, secret, created_us) VALUES ($1, $2, $3) \
                     ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_us = excluded.created_us \
                     WHERE second_factors.confirmed_us IS NULL RETURNING user_id")
    .bind(user)
    .bind(secret.to_owned())
    .bind(now_us);
    Ok(tx.row(query).await?.is_some())
}

/// Confirms with a code of this step; `false` where there is nothing to confirm, or not what it was.
pub async fn confirm(tx: &mut Tx, user: i64, secret: &str, step: i64, now_us: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE second_factors SET confirmed_us = $1, last_step = $2 \
                     WHERE user_id = $3 AND secret = $4 AND confirmed_us IS NULL RETURNING user_id")
    .bind(now_us)
    .bind(step)
    .bind(user)
    .bind(secret.to_owned());
    Ok(tx.row(query).await?.is_some())
}

/// Takes a code of this step; `false` where one of it, or of a later one, was taken before.
pub async fn take_step(tx: &mut Tx, user: i64, step: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE second_factors SET last_step = $1 \
                     WHERE user_id = $2 AND confirmed_us IS NOT NULL AND last_step < $1 RETURNING user_id")
    .bind(step)
    .bind(user);
    Ok(tx.row(query).await?.is_some())
}

/// Gives a user other recovery codes, by their hashes, in place of those that were.
pub async fn set_codes(tx: &mut Tx, user: i64, hashes: &[String]) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)).await?;
    for hash in hashes {
        let query = sql("INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)");
        tx.execute(query.bind(user).bind(hash.clone())).await?;
    }
    Ok(())
}

/// Uses a recovery code up; `false` where it is none, or was used.
pub async fn take_code(tx: &mut Tx, user: i64, hash: &str, now_us: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE recovery_codes SET used_us = $1 \
                     WHERE user_id = $2 AND code_hash = $3 AND used_us IS NULL RETURNING user_id")
    .bind(now_us)
    .bind(user)
    .bind(hash.to_owned());
    Ok(tx.row(query).await?.is_some())
}

/// Recovery codes that were not used.
pub async fn codes_left(tx: &mut Tx, user: i64) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS codes FROM recovery_codes WHERE user_id = $1 AND used_us IS NULL").bind(user);
    match tx.row(query).await? {
        Some(row) => rows::int(&row, "codes"),
        None => Ok(0),
    }
}

/// Whether there was one to remove.
pub async fn remove(tx: &mut Tx, user: i64) -> Result<bool, DbError> {
    tx.execute(sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)).await?;
    let query = sql("DELETE FROM second_factors WHERE user_id = $1 RETURNING confirmed_us").bind(user);
    match tx.row(query).await? {
        Some(row) => Ok(rows::int_or_null(&row, "confirmed_us")?.is_some()),
        None => Ok(false),
    }
}
