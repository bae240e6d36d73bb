use sqlx::Row;

use super::{DbError, Tx, sql};

/// The user whom a subject of an issuer belongs to.
pub async fn find_user(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT user_id FROM provider_logins WHERE issuer = $1 AND subject = $2")
        .bind(issuer.to_owned())
        .bind(subject.to_owned());
    tx.row(query).await?.map(|row| Ok(row.try_get("user_id")?)).transpose()
}

/// Has a subject be this user from now on. `false` where the subject, or the user, belongs to another already.
pub async fn bind(tx: &mut Tx, issuer: &str, subject: &str, user: i64, now_us: i64) -> Result<bool, DbError> {
    let query = sql("INSERT INTO provider_logins (issuer, subject, user_id, bound_us) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING RETURNING user_id")
    .bind(issuer.to_owned())
    .bind(subject.to_owned())
    .bind(user)
    .bind(now_us);
    Ok(tx.row(query).await?.is_some())
}

/// Has no subject be this user any more. Whether there was one.
pub async fn unbind(tx: &mut Tx, user: i64) -> Result<bool, DbError> {
    let query = sql("DELETE FROM provider_logins WHERE user_id = $1 RETURNING user_id").bind(user);
    Ok(tx.row(query).await?.is_some())
}
