//! What one snapshot needs from the database: at most seven statements, in one transaction, whatever the number of orders.

use std::collections::BTreeMap;

use jiff::civil::Date;
use sqlx::any::AnyRow;

use super::{DbError, Tx, grains, rows, sql};
use crate::domain::{
    period::{DateRange, day_number},
    snapshot::{COVER_DAYS, CategorySales, LowStock, MAX_LOW_STOCK, ProductSales, StatusOrders, Sums, TOP},
};

/// The vendor, and how many distinct customers it had in each of the two ranges.
pub struct Head {
    pub name: String,
    pub currency: String,
    pub time_zone: String,
    pub customers: i64,
    pub previous_customers: i64,
}

/// `None` where there is no such vendor.
pub async fn find_head(tx: &mut Tx, vendor_id: i64, range: DateRange, previous: Option<DateRange>) -> Result<Option<Head>, DbError> {
    let mut parameters = vec![vendor_id];
    let mut customers = |range: DateRange| {
        let orders = grains::select("customer_orders", "customer_id", &["orders"], range, &mut parameters);
        format!(
            "(SELECT COUNT(*) FROM (SELECT customer_id FROM ({orders}) AS grains GROUP BY customer_id HAVING SUM(orders) > 0) AS counted)"
        )
    };
    let (current, before) = (customers(range), previous.map_or_else(|| "0".to_owned(), &mut customers));
    let text = format!(
        "SELECT v.name, v.currency, v.time_zone, {current} AS customers, {before} AS previous_customers FROM vendors v WHERE v.id = $1"
    );
    let Some(row) = tx.row(bind_all(text, &parameters)).await? else { return Ok(None) };
    Ok(Some(Head {
        name: rows::text(&row, "name")?,
        currency: rows::text(&row, "currency")?,
        time_zone: rows::text(&row, "time_zone")?,
        customers: rows::int(&row, "customers")?,
        previous_customers: rows::int(&row, "previous_customers")?,
    }))
}

/// Sums by bucket (a day number, or the microsecond an hour began) of a range and of the one it is compared with.
pub type Buckets = [BTreeMap<i64, Sums>; 2];

/// The days with any sales in either range.
pub async fn list_days(tx: &mut Tx, vendor_id: i64, range: DateRange, previous: Option<DateRange>) -> Result<Buckets, DbError> {
    let bounds = |range: DateRange| (day_number(range.from), day_number(range.to));
    list_buckets(tx, "sales_days", "day", "new_customers", vendor_id, bounds(range), previous.map(bounds)).await
}

/// The hours with any sales between the given microseconds, the second of each pair excluded. They know nothing of new customers.
pub async fn list_hours(tx: &mut Tx, vendor_id: i64, range: (i64, i64), previous: Option<(i64, i64)>) -> Result<Buckets, DbError> {
    let included = |(from, until): (i64, i64)| (from, until - 1);
    list_buckets(tx, "sales_hours", "hour_us", "0", vendor_id, included(range), previous.map(included)).await
}

async fn list_buckets(
    tx: &mut Tx,
    table: &str,
    bucket: &str,
    new_customers: &str,
    vendor_id: i64,
    range: (i64, i64),
    previous: Option<(i64, i64)>,
) -> Result<Buckets, DbError> {
    let select = |which: usize, from: usize| {
        format!(
            "SELECT {which} AS which, {bucket} AS bucket, gross, discounts, returns, commission, orders, units, \
                    {new_customers} AS new_customers \
             FROM {table} WHERE vendor_id = $1 AND {bucket} BETWEEN ${from} AND ${}",
            from + 1
        )
    };
    let mut parameters = vec![vendor_id, range.0, range.1];
    let mut text = select(0, 2);
    if let Some((from, to)) = previous {
        parameters.extend([from, to]);
        text = format!("{text} UNION ALL {}", select(1, 4));
    }
    let mut buckets = Buckets::default();
    for row in tx.rows(bind_all(text, &parameters)).await? {
        let which = usize::from(rows::int(&row, "which")? != 0);
        buckets[which].insert(rows::int(&row, "bucket")?, sums(&row)?);
    }
    Ok(buckets)
}

pub(super) fn sums(row: &AnyRow) -> Result<Sums, DbError> {
    Ok(Sums {
        gross_sales: rows::int(row, "gross")?,
        discounts: rows::int(row, "discounts")?,
        returns: rows::int(row, "returns")?,
        commission: rows::int(row, "commission")?,
        orders: rows::int(row, "orders")?,
        units: rows::int(row, "units")?,
        new_customers: rows::int(row, "new_customers")?,
    })
}

/// Orders placed in the range by status, the most first.
pub async fn list_statuses(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<Vec<StatusOrders>, DbError> {
    let query = sql("SELECT status, CAST(SUM(orders) AS BIGINT) AS placed FROM status_days \
                     WHERE vendor_id = $1 AND day BETWEEN $2 AND $3 GROUP BY status HAVING SUM(orders) > 0 ORDER BY 2 DESC, 1")
    .bind(vendor_id)
    .bind(day_number(range.from))
    .bind(day_number(range.to));
    let found = tx.rows(query).await?;
    found.iter().map(|row| Ok(StatusOrders { status: rows::parsed(row, "status")?, orders: rows::int(row, "placed")? })).collect()
}

/// The products and the categories that sold best. A category's figures are those of the products that are in it now.
pub async fn list_top(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<(Vec<ProductSales>, Vec<CategorySales>), DbError> {
    let mut parameters = vec![vendor_id];
    let grains = grains::select("product_sales", "product_id", &["units", "net", "entries"], range, &mut parameters);
    // Names are looked up for those products only that can be among the first, ties included.
    let text = format!(
        "WITH sales AS MATERIALIZED (\
             SELECT product_id, CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(net) AS BIGINT) AS net FROM ({grains}) AS grains \
             GROUP BY product_id HAVING SUM(entries) <> 0), \
         last AS (SELECT net FROM sales ORDER BY net DESC LIMIT 1 OFFSET {offset}) \
         SELECT * FROM (\
             SELECT 0 AS list, p.external_id AS id, p.name AS name, s.units AS units, s.net AS net \
             FROM sales s JOIN products p ON p.id = s.product_id \
             WHERE s.net >= COALESCE((SELECT net FROM last), s.net) ORDER BY s.net DESC, p.external_id LIMIT {TOP}) AS best_products \
         UNION ALL \
         SELECT * FROM (\
             SELECT 1 AS list, p.category AS id, p.category AS name, CAST(SUM(s.units) AS BIGINT) AS units, \
                    CAST(SUM(s.net) AS BIGINT) AS net \
             FROM sales s JOIN products p ON p.id = s.product_id \
             GROUP BY p.category ORDER BY 5 DESC, 2 LIMIT {TOP}) AS best_categories",
        offset = TOP - 1
    );
    let (mut products, mut categories) = (Vec::new(), Vec::new());
    for row in tx.rows(bind_all(text, &parameters)).await? {
        let (id, units, net_sales) = (rows::text(&row, "id")?, rows::int(&row, "units")?, rows::int(&row, "net")?);
        match rows::int(&row, "list")? {
            0 => products.push(ProductSales { product_id: id, name: rows::text(&row, "name")?, units, net_sales }),
            _ => categories.push(CategorySales { category: id, units, net_sales }),
        }
    }
    products.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.product_id.cmp(&b.product_id)));
    categories.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.category.cmp(&b.category)));
    Ok((products, categories))
}

/// Every product with sales or refunds in the range, the best first.
pub async fn list_products_sold(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<Vec<ProductSales>, DbError> {
    let mut parameters = vec![vendor_id];
    let grains = grains::select("product_sales", "product_id", &["units", "net", "entries"], range, &mut parameters);
    let text = format!(
        "SELECT p.external_id, p.name, s.units, s.net \
         FROM (SELECT product_id, CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(net) AS BIGINT) AS net FROM ({grains}) AS grains \
               GROUP BY product_id HAVING SUM(entries) <> 0) AS s \
         JOIN products p ON p.id = s.product_id ORDER BY s.net DESC, p.external_id"
    );
    let found = tx.rows(bind_all(text, &parameters)).await?;
    found
        .iter()
        .map(|row| {
            Ok(ProductSales {
                product_id: rows::text(row, "external_id")?,
                name: rows::text(row, "name")?,
                units: rows::int(row, "units")?,
                net_sales: rows::int(row, "net")?,
            })
        })
        .collect()
}

/// Active products at or below their threshold, the emptiest first.
pub async fn list_low_stock(tx: &mut Tx, vendor_id: i64, today: Date) -> Result<Vec<LowStock>, DbError> {
    let query = sql(format!(
        "WITH low AS MATERIALIZED (\
             SELECT p.id, p.external_id, p.name, p.stock, COALESCE(p.low_stock_threshold, v.low_stock_threshold) AS threshold \
             FROM products p JOIN vendors v ON v.id = p.vendor_id \
             WHERE p.vendor_id = $1 AND p.status = 'active' AND p.stock <= COALESCE(p.low_stock_threshold, v.low_stock_threshold) \
             ORDER BY p.stock, p.external_id LIMIT {MAX_LOW_STOCK}), \
         sold AS (\
             SELECT product_id, SUM(units) AS units FROM product_sales \
             WHERE vendor_id = $1 AND grain = 0 AND start BETWEEN $2 AND $3 AND product_id IN (SELECT id FROM low) GROUP BY product_id) \
         SELECT low.external_id, low.name, low.stock, low.threshold, CAST(COALESCE(sold.units, 0) AS BIGINT) AS units \
         FROM low LEFT JOIN sold ON sold.product_id = low.id ORDER BY low.stock, low.external_id"
    ))
    .bind(vendor_id)
    .bind(day_number(today) - COVER_DAYS + 1)
    .bind(day_number(today));
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| {
            let stock = rows::int(row, "stock")?;
            Ok(LowStock {
                product_id: rows::text(row, "external_id")?,
                name: rows::text(row, "name")?,
                stock,
                threshold: rows::int(row, "threshold")?,
                days_of_cover: LowStock::cover(stock, rows::int(row, "units")?),
            })
        })
        .collect()
}

fn bind_all(text: String, parameters: &[i64]) -> super::Arguments<'static> {
    parameters.iter().fold(sql(text), |query, parameter| query.bind(*parameter))
}
