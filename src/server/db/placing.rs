//! Writing orders: raw rows only, of one vendor. The sums beside them are the caller's to keep (`rollups`), as is the stock (`stock`).

use std::collections::HashMap;

use super::{DbError, Tx, moment::Moment, rows, search, sql};
use crate::domain::orders::OrderStatus;

/// What selling needs to know of a vendor.
pub struct Seller {
    /// IANA name.
    pub time_zone: String,
    /// Hundredths of a percent.
    pub commission_bps: i64,
}

/// The vendor, and no other transaction changes its orders, products or stock until this one ends. `None` where there is none.
pub async fn lock_vendor(tx: &mut Tx, vendor_id: i64) -> Result<Option<Seller>, DbError> {
    let text = format!("SELECT time_zone, commission_bps FROM vendors WHERE id = $1{}", tx.dialect.for_update());
    let row = tx.row(sql(text).bind(vendor_id)).await?;
    row.map(|row| Ok(Seller { time_zone: rows::text(&row, "time_zone")?, commission_bps: rows::int(&row, "commission_bps")? })).transpose()
}

/// A product that can be sold.
pub struct OnSale {
    pub id: i64,
    /// Minor units.
    pub unit_price: i64,
}

/// Those of the named products that this vendor has, by the marketplace's ids.
pub async fn find_products(tx: &mut Tx, vendor_id: i64, product_ids: &[&str]) -> Result<HashMap<String, OnSale>, DbError> {
    let places: Vec<_> = (0..product_ids.len()).map(|at| format!("${}", at + 2)).collect();
    let text = format!(
        "SELECT id, external_id, unit_price FROM products WHERE vendor_id = $1 AND status <> 'deleted' AND external_id IN ({})",
        places.join(", ")
    );
    let query = product_ids.iter().fold(sql(text).bind(vendor_id), |query, id| query.bind((*id).to_owned()));
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| Ok((rows::text(row, "external_id")?, OnSale { id: rows::int(row, "id")?, unit_price: rows::int(row, "unit_price")? })))
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
    let query = sql("INSERT INTO customers (external_id, name, country, search_text) VALUES ($1, $2, $3, $4) RETURNING id")
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
    let query = sql("INSERT INTO orders (external_id, customer_id, placed_us, status) VALUES ($1, $2, $3, $4) RETURNING id")
        .bind(order.order_id.to_owned())
        .bind(order.customer_id)
        .bind(order.placed.us)
        .bind(order.status.as_str());
    let id = returned_id(tx, query).await?;
    let part = sql("INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, year) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(vendor_id)
    .bind(id)
    .bind(order.customer_id)
    .bind(order.status.as_str());
    tx.execute(order.placed.numbers().into_iter().fold(part, |query, number| query.bind(number))).await?;
    for (number, line) in (1_i64..).zip(order.lines) {
        let numbers = [id, number, vendor_id, line.product_id, line.quantity, line.gross, line.discount, line.commission];
        let query = sql("INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
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
    row.map(|row| rows::int(&row, "id")).transpose()?.ok_or_else(|| DbError::Corrupt("an INSERT returned no row".to_owned()))
}
