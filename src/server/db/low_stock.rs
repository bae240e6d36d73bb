//! Products that run out, by what sold in the last 28 days.

use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{DbError, Parameters, Tx, rows};
use crate::domain::{
    period::day_number,
    product_lists::StockCover,
    snapshot::{COVER_DAYS, LOW_STOCK_SHOWN, LowStock, SHORT_COVER_DAYS},
};

/// Tenths of a day that stand for no cover, since nothing sold: behind every number of days.
pub(super) const NO_COVER: i64 = i64::MAX;

const THRESHOLD: &str = "COALESCE(p.low_stock_threshold, v.low_stock_threshold)";

/// SQL for a list `sold` (to follow `WITH`): units and net sales of each product in the 28 days that end with `today`,
/// where more was sold than came back.
pub(super) fn sold(vendor_id: i64, today: Date, parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let (first, last) = (parameters.int(day_number(today) - COVER_DAYS + 1), parameters.int(day_number(today)));
    format!(
        "sold AS MATERIALIZED (\
             SELECT product_id, CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(net) AS BIGINT) AS net \
             FROM product_sales \
             WHERE vendor_id = {vendor} AND day BETWEEN {first} AND {last} \
             GROUP BY product_id HAVING SUM(units) > 0)"
    )
}

/// SQL for how long a product `p` lasts by what was `sold` of it, `s`: in tenths of a day, rounded half up; NULL where
/// nothing sold.
pub(super) fn tenths() -> String {
    format!("(p.stock * {twenty_times} + s.units) / (2 * s.units)", twenty_times = 20 * COVER_DAYS)
}

/// SQL for what [`stock_cover`] reads, of a product `p` of a vendor `v` and what was `sold` of it, `s`.
///
/// `tenths` is `NO_COVER` where nothing sold; `at_risk` is what the stock leaves unsold of the next 28 days, if they are
/// like the last: their net sales × (units sold − stock) ÷ units sold, in minor units.
pub(super) fn cover_columns() -> String {
    format!(
        "{THRESHOLD} AS threshold, COALESCE({}, {NO_COVER}) AS tenths, \
         CASE WHEN s.net > 0 AND s.units > p.stock \
              THEN s.net / s.units * (s.units - p.stock) + s.net % s.units * (s.units - p.stock) / s.units \
              ELSE 0 END AS at_risk",
        tenths()
    )
}

/// SQL for a list `low` (to follow `WITH`): active products that are at or below their threshold, or sell out within a
/// week, with the columns of [`cover_columns`]. Every column of a product that it reads is in `products_by_stock`.
pub(super) fn low(vendor_id: i64, today: Date, parameters: &mut Parameters) -> String {
    let (sold, vendor) = (sold(vendor_id, today, parameters), parameters.int(vendor_id));
    format!(
        "{sold}, low AS MATERIALIZED (\
             SELECT p.id AS product, p.external_id, p.stock, {} \
             FROM products p JOIN vendors v ON v.id = p.vendor_id LEFT JOIN sold s ON s.product_id = p.id \
             WHERE p.vendor_id = {vendor} AND p.status = 'active' \
             AND (p.stock <= {THRESHOLD} OR p.stock * {COVER_DAYS} <= s.units * {SHORT_COVER_DAYS}))",
        cover_columns(),
    )
}

/// The most urgent ones, and how many there are in all.
pub async fn list_most_urgent(tx: &mut Tx, vendor_id: i64, today: Date) -> Result<(Vec<LowStock>, i64), DbError> {
    let (text, parameters) = most_urgent(vendor_id, today);
    let found = tx.rows(parameters.bind(text)).await?;
    let total = found.first().map_or(Ok(0), |row| rows::int(row, "low_total"))?;
    let products = found.iter().map(|row| {
        Ok(LowStock {
            product_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            stock: rows::int(row, "stock")?,
            threshold: rows::int(row, "threshold")?,
            days_of_cover: cover(row)?,
        })
    });
    Ok((products.collect::<Result<_, DbError>>()?, total))
}

/// The statement that `list_most_urgent` sends, and its parameters.
pub fn most_urgent(vendor_id: i64, today: Date) -> (String, Parameters) {
    let mut parameters = Parameters::default();
    let low = low(vendor_id, today, &mut parameters);
    let text = format!(
        "WITH {low} SELECT external_id, (SELECT p.name FROM products p WHERE p.id = first.product) AS name, stock, \
                threshold, tenths, low_total \
         FROM (SELECT product, external_id, stock, threshold, tenths, COUNT(*) OVER () AS low_total FROM low \
               ORDER BY tenths, external_id LIMIT {LOW_STOCK_SHOWN}) AS first \
         ORDER BY tenths, external_id"
    );
    (text, parameters)
}

/// The ids of all that run low.
pub async fn list_ids(tx: &mut Tx, vendor_id: i64, today: Date) -> Result<Vec<String>, DbError> {
    let mut parameters = Parameters::default();
    let low = low(vendor_id, today, &mut parameters);
    let found = tx.rows(parameters.bind(format!("WITH {low} SELECT external_id FROM low"))).await?;
    found.iter().map(|row| rows::text(row, "external_id")).collect()
}

/// Columns threshold, tenths and at_risk.
pub(super) fn stock_cover(row: &AnyRow) -> Result<StockCover, DbError> {
    let (threshold, sales_at_risk) = (rows::int(row, "threshold")?, rows::int(row, "at_risk")?);
    Ok(StockCover { threshold, days_of_cover: cover(row)?, sales_at_risk })
}

/// Column `tenths` as days.
fn cover(row: &AnyRow) -> Result<Option<f64>, DbError> {
    let tenths = rows::int(row, "tenths")?;
    Ok((tenths != NO_COVER).then(|| tenths as f64 / 10.0))
}
