//! Letters that users wish to get, and those that were sent.

use sqlx::Row;

use super::{Db, DbError, Tx, accounts, rows, sql};
use crate::domain::accounts::{LetterWishes, User};

/// Somebody who wishes for letters.
pub struct Reader {
    pub user: User,
    /// IANA name, of the vendor.
    pub time_zone: String,
    pub wishes: LetterWishes,
}

pub async fn wishes(tx: &mut Tx, user: i64) -> Result<LetterWishes, DbError> {
    let row = tx.row(sql("SELECT weekly, low_stock FROM letter_wishes WHERE user_id = $1").bind(user)).await?;
    row.map_or(Ok(LetterWishes::default()), |row| {
        Ok(LetterWishes {
            weekly_report: rows::int(&row, "weekly")? == 1,
            low_stock: rows::int(&row, "low_stock")? == 1,
        })
    })
}

pub async fn set_wishes(tx: &mut Tx, user: i64, wishes: LetterWishes) -> Result<(), DbError> {
    let query = sql("INSERT INTO letter_wishes (user_id, weekly, low_stock) VALUES ($1, $2, $3) \
                     ON CONFLICT (user_id) DO UPDATE SET weekly = excluded.weekly, low_stock = excluded.low_stock")
    .bind(user)
    .bind(i64::from(wishes.weekly_report))
    .bind(i64::from(wishes.low_stock));
    tx.execute(query).await.map(|_| ())
}

/// Everybody who wishes for any, and may still log in.
pub async fn readers(db: &Db) -> Result<Vec<Reader>, DbError> {
    let query = sql("SELECT u.id, u.email, u.role, u.read_only, u.vendor_id, v.external_id, v.time_zone, \
                     w.weekly, w.low_stock FROM letter_wishes w JOIN users u ON u.id = w.user_id \
                     JOIN vendors v ON v.id = u.vendor_id \
                     WHERE u.disabled_us IS NULL AND w.weekly + w.low_stock > 0 ORDER BY u.id");
    let mut tx = db.read().await?;
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| {
            let wishes = LetterWishes {
                weekly_report: rows::int(row, "weekly")? == 1,
                low_stock: rows::int(row, "low_stock")? == 1,
            };
            Ok(Reader { user: accounts::user(row)?, time_zone: rows::text(row, "time_zone")?, wishes })
        })
        .collect()
}

/// What the last letter of this kind told.
pub async fn last_digest(tx: &mut Tx, user: i64, kind: &str) -> Result<Option<String>, DbError> {
    let query = sql("SELECT digest FROM letters_sent WHERE user_id = $1 AND kind = $2 ORDER BY day DESC LIMIT 1")
        .bind(user)
        .bind(kind.to_owned());
    tx.row(query).await?.map(|row| Ok(row.try_get("digest")?)).transpose()
}

/// Claims a letter: of several instances that try, one gets it.
pub async fn claim(db: &Db, user: i64, kind: &str, day: i64, digest: &str, now_us: i64) -> Result<bool, DbError> {
    let query = sql("INSERT INTO letters_sent (user_id, kind, day, digest, sent_us) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (user_id, kind, day) DO NOTHING RETURNING user_id")
    .bind(user)
    .bind(kind.to_owned())
    .bind(day)
    .bind(digest.to_owned())
    .bind(now_us);
    let mut tx = db.write().await?;
    let is_claimed = tx.row(query).await?.is_some();
    tx.commit().await?;
    Ok(is_claimed)
}

/// Gives a claim back, for a letter that nobody took.
pub async fn give_back(db: &Db, user: i64, kind: &str, day: i64) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    let query = sql("DELETE FROM letters_sent WHERE user_id = $1 AND kind = $2 AND day = $3");
    tx.execute(query.bind(user).bind(kind.to_owned()).bind(day)).await?;
    tx.commit().await
}
