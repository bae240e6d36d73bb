//! Stock follows sales: an order that counts has taken its units, one that does not has not. Units refunded were dealt
//! with when they came back. All under the vendor's lock.

use super::{DbError, Tx, rows, sql};
use crate::domain::catalog::MAX_STOCK;

/// A product of which there is not enough.
pub struct Short {
    pub product_id: String,
    pub name: String,
    pub stock: i64,
    pub wanted: i64,
}

/// The units of each product that the vendor's part of an order holds: `product_id` and `units`. `$1` is the vendor,
/// `$2` the order.
const HELD: &str = "SELECT l.product_id, CAST(SUM(l.quantity - COALESCE(r.quantity, 0)) AS BIGINT) AS units \
                    FROM order_lines l \
                    LEFT JOIN (SELECT order_id, line, SUM(quantity) AS quantity FROM refunds \
                    WHERE order_id = $2 GROUP BY order_id, line) r \
                        ON r.order_id = l.order_id AND r.line = l.line \
                    WHERE l.order_id = $2 AND l.vendor_id = $1 GROUP BY l.product_id";

/// Takes an order's units out of stock: all of them, or, where a product is short, none.
pub async fn take(tx: &mut Tx, vendor_id: i64, order_id: i64) -> Result<Vec<Short>, DbError> {
    let query = sql(format!(
        "SELECT p.external_id, p.name, p.stock, h.units FROM ({HELD}) h JOIN products p ON p.id = h.product_id \
         WHERE p.stock < h.units ORDER BY p.external_id"
    ));
    let found = tx.rows(query.bind(vendor_id).bind(order_id)).await?;
    let short = found
        .iter()
        .map(|row| {
            Ok(Short {
                product_id: rows::text(row, "external_id")?,
                name: rows::text(row, "name")?,
                stock: rows::int(row, "stock")?,
                wanted: rows::int(row, "units")?,
            })
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    if short.is_empty() {
        change(tx, vendor_id, order_id, "products.stock - h.units").await?;
    }
    Ok(short)
}

/// Puts an order's units back.
pub async fn give_back(tx: &mut Tx, vendor_id: i64, order_id: i64) -> Result<(), DbError> {
    // A vendor may have filled the shelves to the brim in the meantime.
    let more =
        format!("CASE WHEN products.stock + h.units > {MAX_STOCK} THEN {MAX_STOCK} ELSE products.stock + h.units END");
    change(tx, vendor_id, order_id, &more).await
}

async fn change(tx: &mut Tx, vendor_id: i64, order_id: i64, stock: &str) -> Result<(), DbError> {
    let text = format!(
        "UPDATE products SET stock = {stock} FROM ({HELD}) AS h WHERE products.id = h.product_id AND h.units <> 0"
    );
    tx.execute(sql(text).bind(vendor_id).bind(order_id)).await?;
    Ok(())
}

/// Takes units of one line out of stock again. Whether there were enough of them.
pub async fn take_units(tx: &mut Tx, order_id: i64, line: i64, units: i64) -> Result<bool, DbError> {
    let query = sql("UPDATE products SET stock = stock - $3 \
                     WHERE id = (SELECT product_id FROM order_lines WHERE order_id = $1 AND line = $2) AND stock >= $3")
    .bind(order_id)
    .bind(line)
    .bind(units);
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

/// Puts units of one line back.
pub async fn give_back_units(tx: &mut Tx, order_id: i64, line: i64, units: i64) -> Result<(), DbError> {
    let text = format!(
        "UPDATE products SET stock = CASE WHEN stock + $3 > {MAX_STOCK} THEN {MAX_STOCK} ELSE stock + $3 END \
         WHERE id = (SELECT product_id FROM order_lines WHERE order_id = $1 AND line = $2)"
    );
    tx.execute(sql(text).bind(order_id).bind(line).bind(units)).await?;
    Ok(())
}
