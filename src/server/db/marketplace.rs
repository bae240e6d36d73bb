//! What the figures of the whole marketplace need: sums of days, never orders.

/// The same against the time before.
pub mod comparison;

use std::collections::BTreeMap;

use super::{DbError, Tx, rows, snapshot::sums, sql};
use crate::domain::{
    period::{DateRange, day_number},
    snapshot::Sums,
};

const SUMS: &str = "CAST(COALESCE(SUM(s.gross), 0) AS BIGINT) AS gross, CAST(COALESCE(SUM(s.discounts), 0) AS BIGINT) \
    AS discounts, \
                    CAST(COALESCE(SUM(s.returns), 0) AS BIGINT) AS returns, CAST(COALESCE(SUM(s.commission), 0) AS \
                    BIGINT) AS commission, \
                    CAST(COALESCE(SUM(s.orders), 0) AS BIGINT) AS orders, CAST(COALESCE(SUM(s.units), 0) AS BIGINT) \
                    AS units, \
                    CAST(COALESCE(SUM(s.new_customers), 0) AS BIGINT) AS new_customers";

/// One vendor's sums over the range.
pub struct VendorSums {
    pub vendor_id: String,
    pub name: String,
    pub currency: String,
    pub sums: Sums,
}

/// Every vendor, those who sold nothing too.
pub async fn list_vendors(tx: &mut Tx, range: DateRange) -> Result<Vec<VendorSums>, DbError> {
    let query = sql(format!(
        "SELECT v.external_id, v.name, v.currency, {SUMS} FROM vendors v \
         LEFT JOIN sales_days s ON s.vendor_id = v.id AND s.day BETWEEN $1 AND $2 \
         GROUP BY v.id, v.external_id, v.name, v.currency"
    ))
    .bind(day_number(range.from))
    .bind(day_number(range.to));
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| {
            Ok(VendorSums {
                vendor_id: rows::text(row, "external_id")?,
                name: rows::text(row, "name")?,
                currency: rows::text(row, "currency")?,
                sums: sums(row)?,
            })
        })
        .collect()
}

/// Sums by currency and day number.
pub async fn list_days(tx: &mut Tx, range: DateRange) -> Result<BTreeMap<String, BTreeMap<i64, Sums>>, DbError> {
    let query = sql(format!(
        "SELECT v.currency, s.day, {SUMS} FROM vendors v JOIN sales_days s ON s.vendor_id = v.id \
         AND s.day BETWEEN $1 AND $2 \
         GROUP BY v.currency, s.day"
    ))
    .bind(day_number(range.from))
    .bind(day_number(range.to));
    let mut currencies: BTreeMap<String, BTreeMap<i64, Sums>> = BTreeMap::new();
    for row in tx.rows(query).await? {
        currencies.entry(rows::text(&row, "currency")?).or_default().insert(rows::int(&row, "day")?, sums(&row)?);
    }
    Ok(currencies)
}
