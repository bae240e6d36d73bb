//! Answers remembered by the key that their request carried.

use super::{DbError, Tx, rows, sql};

/// Times a key is tried that others claim and forget in the meantime.
const CLAIMS: usize = 5;

/// What is remembered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub fingerprint: String,
    /// Empty while the request is still being answered.
    pub answer: String,
    /// When the key was claimed, in microseconds.
    pub at_us: i64,
}

/// Claims a key for this transaction, and forgets those from before `forget_before_us`. Another transaction that claims
/// the same key waits for this one. Returns what is remembered where the key was used before; where nothing is, the key
/// is claimed, in a row of this transaction's.
pub async fn claim(
    tx: &mut Tx,
    scope: &str,
    key: &str,
    fingerprint: &str,
    now_us: i64,
    forget_before_us: i64,
) -> Result<Option<Remembered>, DbError> {
    tx.execute(sql("DELETE FROM idempotency_keys WHERE at_us < $1").bind(forget_before_us)).await?;
    for _ in 0..CLAIMS {
        if insert(tx, scope, key, fingerprint, now_us).await? {
            return Ok(None);
        }
        if let Some(before) = find(tx, scope, key).await? {
            return Ok(Some(before));
        }
        // Whoever had it was refused in the meantime, and has forgotten it.
    }
    // Somebody else's each time: it is being answered.
    Ok(Some(Remembered { fingerprint: fingerprint.to_owned(), answer: String::new(), at_us: now_us }))
}

async fn insert(tx: &mut Tx, scope: &str, key: &str, fingerprint: &str, now_us: i64) -> Result<bool, DbError> {
    let insert =
        sql("INSERT INTO idempotency_keys (scope, key, fingerprint, answer, at_us) VALUES ($1, $2, $3, '', $4) \
                      ON CONFLICT (scope, key) DO NOTHING")
        .bind(scope.to_owned())
        .bind(key.to_owned())
        .bind(fingerprint.to_owned())
        .bind(now_us);
    Ok(tx.execute(insert).await?.rows_affected() > 0)
}

async fn find(tx: &mut Tx, scope: &str, key: &str) -> Result<Option<Remembered>, DbError> {
    let query = sql("SELECT fingerprint, answer, at_us FROM idempotency_keys WHERE scope = $1 AND key = $2")
        .bind(scope.to_owned())
        .bind(key.to_owned());
    let row = tx.row(query).await?;
    row.map(|row| {
        Ok(Remembered {
            fingerprint: rows::text(&row, "fingerprint")?,
            answer: rows::text(&row, "answer")?,
            at_us: rows::int(&row, "at_us")?,
        })
    })
    .transpose()
}

/// Remembers the answer under a key that this transaction has claimed.
pub async fn remember(tx: &mut Tx, scope: &str, key: &str, answer: &str) -> Result<(), DbError> {
    let query = sql("UPDATE idempotency_keys SET answer = $3 WHERE scope = $1 AND key = $2")
        .bind(scope.to_owned())
        .bind(key.to_owned())
        .bind(answer.to_owned());
    tx.execute(query).await?;
    Ok(())
}

/// Claims again what was claimed at `claimed_us` and never answered. False where somebody else did, or it is answered.
pub async fn claim_again(tx: &mut Tx, scope: &str, key: &str, claimed_us: i64, now_us: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE idempotency_keys SET at_us = $4 \
                     WHERE scope = $1 AND key = $2 AND at_us = $3 AND answer = ''")
    .bind(scope.to_owned())
    .bind(key.to_owned())
    .bind(claimed_us)
    .bind(now_us);
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

/// Forgets a key whose request was refused or failed.
pub async fn forget(tx: &mut Tx, scope: &str, key: &str) -> Result<(), DbError> {
    let query =
        sql("DELETE FROM idempotency_keys WHERE scope = $1 AND key = $2").bind(scope.to_owned()).bind(key.to_owned());
    tx.execute(query).await?;
    Ok(())
}
