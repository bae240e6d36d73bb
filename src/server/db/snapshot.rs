//! What one snapshot needs from the database: at most seven statements, in one transaction, whatever the number of orders.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use sqlx::any::AnyRow;

use super::{DbError, Tx, rows, sql};
use crate::domain::{
    period::{DateRange, day_number},
    snapshot::{CategorySales, ProductSales, StatusOrders, Sums, TOP},
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
        let orders = read_grains("customer_orders", "customer_id, orders", range, &mut parameters);
        format!("(SELECT COUNT(DISTINCT customer_id) FROM ({orders}) AS counted WHERE orders > 0)")
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

/// Sums by day number of a range and of the one it is compared with.
pub type Days = [BTreeMap<i64, Sums>; 2];

/// What sold within an hour, as it was noted: the number of its day, and the microsecond since 1970 it began at.
pub struct SalesHour {
    pub day: i64,
    pub hour_us: i64,
    pub sums: Sums,
}

/// The days with any sales in either range.
pub async fn list_days(tx: &mut Tx, vendor_id: i64, range: DateRange, previous: Option<DateRange>) -> Result<Days, DbError> {
    let mut days = Days::default();
    for row in list_sums(tx, "sales_days", "day, 0 AS hour_us, new_customers", vendor_id, range, previous).await? {
        let which = usize::from(rows::int(&row, "which")? != 0);
        days[which].insert(rows::int(&row, "day")?, sums(&row)?);
    }
    Ok(days)
}

/// The hours with any sales on the days of either range. They know nothing of new customers.
pub async fn list_hours(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: Option<DateRange>,
) -> Result<[Vec<SalesHour>; 2], DbError> {
    let mut hours = [Vec::new(), Vec::new()];
    for row in list_sums(tx, "sales_hours", "day, hour_us, 0 AS new_customers", vendor_id, range, previous).await? {
        let which = usize::from(rows::int(&row, "which")? != 0);
        hours[which].push(SalesHour { day: rows::int(&row, "day")?, hour_us: rows::int(&row, "hour_us")?, sums: sums(&row)? });
    }
    Ok(hours)
}

/// Rows of both ranges, always by day; `which` is 0 for those of the first.
async fn list_sums(
    tx: &mut Tx,
    table: &str,
    columns: &str,
    vendor_id: i64,
    range: DateRange,
    previous: Option<DateRange>,
) -> Result<Vec<AnyRow>, DbError> {
    let mut parameters = vec![vendor_id];
    let selects: Vec<String> = [Some(range), previous]
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(which, range)| {
            let from = parameters.len() + 1;
            parameters.extend([day_number(range.from), day_number(range.to)]);
            format!(
                "SELECT {which} AS which, {columns}, gross, discounts, returns, commission, orders, units \
                 FROM {table} WHERE vendor_id = $1 AND day BETWEEN ${from} AND ${}",
                from + 1
            )
        })
        .collect();
    tx.rows(bind_all(selects.join(" UNION ALL "), &parameters)).await
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
    let grains = read_grains("product_sales", "product_id, units, net, entries", range, &mut parameters);
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
    let grains = read_grains("product_sales", "product_id, units, net, entries", range, &mut parameters);
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

fn bind_all(text: String, parameters: &[i64]) -> super::Arguments<'static> {
    parameters.iter().fold(sql(text), |query, parameter| query.bind(*parameter))
}

/// A `SELECT` of a grained table over a range, as the fewest years, months and days that make it up. `$1` is the vendor; the others
/// are appended to `parameters`.
fn read_grains(table: &str, columns: &str, range: DateRange, parameters: &mut Vec<i64>) -> String {
    let selects: Vec<_> = grains(range)
        .into_iter()
        .map(|(grain, from, to)| {
            let first = parameters.len() + 1;
            parameters.extend([day_number(from), day_number(to)]);
            format!("SELECT {columns} FROM {table} WHERE vendor_id = $1 AND grain = {grain} AND start BETWEEN ${first} AND ${}", first + 1)
        })
        .collect();
    selects.join(" UNION ALL ")
}

/// Runs of days (0), months (1) and years (2) that make up the range: each with the first and the last start of its run.
fn grains(range: DateRange) -> Vec<(u8, Date, Date)> {
    let mut runs: Vec<(u8, Date, Date)> = Vec::new();
    let mut day = range.from;
    while day <= range.to {
        let year_end = day.last_of_year();
        let month_end = day.last_of_month();
        let (grain, end) = if day.day_of_year() == 1 && year_end <= range.to {
            (2, year_end)
        } else if day.day() == 1 && month_end <= range.to {
            (1, month_end)
        } else {
            (0, day)
        };
        match runs.last_mut() {
            Some((last, _, to)) if *last == grain => *to = day,
            _ => runs.push((grain, day, day)),
        }
        day = end.saturating_add(1.day());
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(from: &str, to: &str) -> Vec<(u8, String, String)> {
        grains(DateRange::parse(from, to).unwrap()).into_iter().map(|(grain, from, to)| (grain, from.to_string(), to.to_string())).collect()
    }

    #[test]
    fn a_year_is_one_row_and_a_ragged_range_is_days_months_years_months_days() {
        let run = |grain, from: &str, to: &str| (grain, from.to_owned(), to.to_owned());
        assert_eq!(runs("2017-01-01", "2017-12-31"), [run(2, "2017-01-01", "2017-01-01")]);
        assert_eq!(
            runs("2015-11-29", "2018-02-02"),
            [
                run(0, "2015-11-29", "2015-11-30"),
                run(1, "2015-12-01", "2015-12-01"),
                run(2, "2016-01-01", "2017-01-01"),
                run(1, "2018-01-01", "2018-01-01"),
                run(0, "2018-02-01", "2018-02-02"),
            ]
        );
    }

    #[test]
    fn every_day_of_a_range_is_covered_once() {
        for (from, to) in
            [("2016-02-28", "2016-03-01"), ("2015-01-01", "2024-12-31"), ("2017-01-02", "2017-12-30"), ("2020-02-29", "2020-02-29")]
        {
            let range = DateRange::parse(from, to).unwrap();
            let mut next = range.from;
            for (grain, first, last) in grains(range) {
                let mut start = first;
                while start <= last {
                    assert_eq!(start, next, "{from} {to}");
                    next = match grain {
                        2 => start.last_of_year(),
                        1 => start.last_of_month(),
                        _ => start,
                    }
                    .saturating_add(1.day());
                    start = next;
                }
            }
            assert_eq!(next, range.to.saturating_add(1.day()), "{from} {to}");
        }
    }
}
