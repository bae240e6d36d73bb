//! Orders, one vendor's part at a time.

use std::collections::HashMap;

use super::{DbError, Parameters, Tx, catalog, moment::Moment, refunds, rows, search, sql};
use crate::domain::orders::{Order, OrderLine, OrderStatus};

/// One vendor's part of an order, with its lines and what was refunded of them.
pub async fn find_order(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<Order>, DbError> {
    let query = sql("SELECT o.id, o.external_id, vo.placed_us, vo.status, c.external_id AS customer_id, c.name \
                     FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     JOIN customers c ON c.id = vo.customer_id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let Some(head) = tx.row(query).await? else { return Ok(None) };
    let query = sql("SELECT l.line, p.external_id, p.name, l.quantity, l.gross, l.discount, \
                            CAST(COALESCE(SUM(r.quantity), 0) AS BIGINT) AS refunded_quantity, \
                            CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) AS refunded_amount \
                     FROM order_lines l JOIN products p ON p.id = l.product_id \
                     LEFT JOIN refunds r ON r.order_id = l.order_id AND r.line = l.line \
                     WHERE l.order_id = $1 AND l.vendor_id = $2 \
                     GROUP BY l.line, p.external_id, p.name, l.quantity, l.gross, l.discount ORDER BY l.line")
    .bind(rows::int(&head, "id")?)
    .bind(vendor_id);
    let lines = tx.rows(query).await?;
    let refunds = refunds::list_of_order(tx, vendor_id, rows::int(&head, "id")?).await?;
    Ok(Some(Order {
        refunds,
        order_id: rows::text(&head, "external_id")?,
        placed_at: rows::instant(&head, "placed_us")?,
        status: rows::parsed(&head, "status")?,
        customer_id: rows::text(&head, "customer_id")?,
        customer_name: rows::text(&head, "name")?,
        lines: lines
            .iter()
            .map(|row| {
                Ok(OrderLine {
                    line: rows::int(row, "line")?,
                    product_id: rows::text(row, "external_id")?,
                    name: rows::text(row, "name")?,
                    quantity: rows::int(row, "quantity")?,
                    gross: rows::int(row, "gross")?,
                    discount: rows::int(row, "discount")?,
                    refunded_quantity: rows::int(row, "refunded_quantity")?,
                    refunded_amount: rows::int(row, "refunded_amount")?,
                })
            })
            .collect::<Result<_, DbError>>()?,
    }))
}

/// What a write needs to know of one vendor's part of an order.
pub struct VendorOrderRow {
    /// The database's id of the order.
    pub id: i64,
    pub status: OrderStatus,
    pub placed_us: i64,
    /// The number of its day.
    pub day: i64,
}

pub async fn find_part(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<VendorOrderRow>, DbError> {
    let query = sql(
        "SELECT vo.order_id, vo.status, vo.placed_us, vo.day FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2",
    )
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let row = tx.row(query).await?;
    row.map(|row| {
        Ok(VendorOrderRow {
            id: rows::int(&row, "order_id")?,
            status: rows::parsed(&row, "status")?,
            placed_us: rows::int(&row, "placed_us")?,
            day: rows::int(&row, "day")?,
        })
    })
    .transpose()
}

/// Changes the raw row only; the sums are the caller's to keep (`rollups`).
pub async fn update_status(tx: &mut Tx, vendor_id: i64, order_id: i64, status: OrderStatus) -> Result<(), DbError> {
    let query = sql("UPDATE vendor_orders SET status = $3 WHERE vendor_id = $1 AND order_id = $2")
        .bind(vendor_id)
        .bind(order_id)
        .bind(status.as_str());
    tx.execute(query).await?;
    Ok(())
}

// Writing: raw rows only, of one vendor. The sums beside them are the caller's to keep (`rollups`), as is the stock
// (`stock`).

/// What selling needs to know of a vendor.
pub struct VendorTerms {
    /// IANA name.
    pub time_zone: String,
    /// Hundredths of a percent.
    pub commission_bps: i64,
}

/// The vendor, and no other transaction changes its orders, products or stock until this one ends. `None` where there
/// is none.
pub async fn lock_vendor(tx: &mut Tx, vendor_id: i64) -> Result<Option<VendorTerms>, DbError> {
    let text = format!("SELECT time_zone, commission_bps FROM vendors WHERE id = $1{}", tx.dialect.for_update());
    let row = tx.row(sql(text).bind(vendor_id)).await?;
    row.map(|row| {
        Ok(VendorTerms {
            time_zone: rows::text(&row, "time_zone")?,
            commission_bps: rows::int(&row, "commission_bps")?,
        })
    })
    .transpose()
}

/// A product that can be sold.
pub struct OnSale {
    pub id: i64,
    /// Minor units.
    pub unit_price: i64,
}

/// Those of the named products that this vendor has, by the marketplace's ids.
pub async fn find_products(
    tx: &mut Tx,
    vendor_id: i64,
    product_ids: &[&str],
) -> Result<HashMap<String, OnSale>, DbError> {
    let mut parameters = Parameters::default();
    let named = catalog::named(vendor_id, product_ids, &mut parameters);
    let text = format!("SELECT id, external_id, unit_price FROM products WHERE {named} AND status <> 'deleted'");
    let found = tx.rows(parameters.bind(text)).await?;
    found
        .iter()
        .map(|row| {
            Ok((
                rows::text(row, "external_id")?,
                OnSale { id: rows::int(row, "id")?, unit_price: rows::int(row, "unit_price")? },
            ))
        })
        .collect()
}

/// A customer who has ordered from this vendor; others are none of its business.
pub async fn find_customer(tx: &mut Tx, vendor_id: i64, customer_id: &str) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT c.id FROM customers c WHERE c.external_id = $2 \
                     AND EXISTS (SELECT 1 FROM vendor_orders o WHERE o.vendor_id = $1 AND o.customer_id = c.id)")
    .bind(vendor_id)
    .bind(customer_id.to_owned());
    tx.row(query).await?.map(|row| rows::int(&row, "id")).transpose()
}

/// Returns the database's id. The marketplace's must be new.
pub async fn insert_customer(tx: &mut Tx, customer_id: &str, name: &str, country: &str) -> Result<i64, DbError> {
    let query =
        sql("INSERT INTO customers (external_id, name, country, search_text) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(customer_id.to_owned())
            .bind(name.to_owned())
            .bind(country.to_owned())
            .bind(search::fold(name));
    returned_id(tx, query).await
}

/// An order of one vendor's.
pub struct OrderRow<'a> {
    /// The marketplace's; must be new.
    pub order_id: &'a str,
    pub customer_id: i64,
    pub status: OrderStatus,
    pub placed: Moment,
    pub lines: &'a [LineRow],
}

/// Amounts in minor units.
pub struct LineRow {
    pub product_id: i64,
    pub quantity: i64,
    pub gross: i64,
    pub discount: i64,
    pub commission: i64,
}

/// Returns the database's id of the order. Lines are numbered from 1.
pub async fn insert_order(tx: &mut Tx, vendor_id: i64, order: &OrderRow<'_>) -> Result<i64, DbError> {
    let query =
        sql("INSERT INTO orders (external_id, customer_id, placed_us, status) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(order.order_id.to_owned())
            .bind(order.customer_id)
            .bind(order.placed.us)
            .bind(order.status.as_str());
    let id = returned_id(tx, query).await?;
    let part = sql(
        "INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, year) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(vendor_id)
    .bind(id)
    .bind(order.customer_id)
    .bind(order.status.as_str());
    tx.execute(order.placed.numbers().into_iter().fold(part, |query, number| query.bind(number))).await?;
    for (number, line) in (1_i64..).zip(order.lines) {
        let numbers =
            [id, number, vendor_id, line.product_id, line.quantity, line.gross, line.discount, line.commission];
        let query = sql(
            "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        );
        tx.execute(numbers.into_iter().fold(query, |query, number| query.bind(number))).await?;
    }
    Ok(id)
}

/// Dates one vendor's part of an order anew.
pub async fn update_placed(tx: &mut Tx, vendor_id: i64, order_id: i64, placed: &Moment) -> Result<(), DbError> {
    let query = sql("UPDATE vendor_orders SET placed_us = $3, hour_us = $4, day = $5, month = $6, year = $7 \
                     WHERE vendor_id = $1 AND order_id = $2")
    .bind(vendor_id)
    .bind(order_id);
    tx.execute(placed.numbers().into_iter().fold(query, |query, number| query.bind(number))).await?;
    Ok(())
}

async fn returned_id(tx: &mut Tx, insert: super::Arguments<'_>) -> Result<i64, DbError> {
    let row = tx.row(insert).await?;
    row.map(|row| rows::int(&row, "id"))
        .transpose()?
        .ok_or_else(|| DbError::Corrupt("an INSERT returned no row".to_owned()))
}
