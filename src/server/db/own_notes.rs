//! What vendors have noted down of days.

use super::{DbError, Tx, rows, sql};
use crate::domain::{
    own_notes::OwnNote,
    period::{DateRange, day_from_number, day_number},
};

/// Those of the days of a range, the latest day first, `limit` at most.
pub async fn list(tx: &mut Tx, vendor_id: i64, range: DateRange, limit: usize) -> Result<Vec<OwnNote>, DbError> {
    let query = sql(format!(
        "SELECT id, day, text FROM own_notes WHERE vendor_id = $1 AND day BETWEEN $2 AND $3 \
         ORDER BY day DESC, id DESC LIMIT {limit}"
    ));
    let query = query.bind(vendor_id).bind(day_number(range.from)).bind(day_number(range.to));
    let found = tx.rows(query).await?;
    let notes = found.iter().map(|row| {
        Ok(OwnNote {
            note_id: rows::int(row, "id")?.to_string(),
            day: day_from_number(rows::int(row, "day")?),
            text: rows::text(row, "text")?,
        })
    });
    notes.collect()
}

/// How many a vendor has.
pub async fn count(tx: &mut Tx, vendor_id: i64) -> Result<i64, DbError> {
    let found = tx.row(sql("SELECT COUNT(*) AS notes FROM own_notes WHERE vendor_id = $1").bind(vendor_id)).await?;
    found.map_or(Ok(0), |row| rows::int(&row, "notes"))
}

/// Returns its id.
pub async fn insert(tx: &mut Tx, vendor_id: i64, day: i64, text: &str, now_us: i64) -> Result<i64, DbError> {
    let query = sql("INSERT INTO own_notes (vendor_id, day, text, written_us) VALUES ($1, $2, $3, $4) RETURNING id");
    let row = tx.row(query.bind(vendor_id).bind(day).bind(text.to_owned()).bind(now_us)).await?;
    row.map_or_else(|| Err(DbError::Corrupt("an INSERT returned no row".to_owned())), |row| rows::int(&row, "id"))
}

/// Whether there was one of this id, of this vendor.
pub async fn update(tx: &mut Tx, vendor_id: i64, id: i64, day: i64, text: &str) -> Result<bool, DbError> {
    let query = sql("UPDATE own_notes SET day = $3, text = $4 WHERE vendor_id = $1 AND id = $2");
    let query = query.bind(vendor_id).bind(id).bind(day).bind(text.to_owned());
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

/// Whether there was one of this id, of this vendor.
pub async fn delete(tx: &mut Tx, vendor_id: i64, id: i64) -> Result<bool, DbError> {
    let query = sql("DELETE FROM own_notes WHERE vendor_id = $1 AND id = $2").bind(vendor_id).bind(id);
    Ok(tx.execute(query).await?.rows_affected() > 0)
}
