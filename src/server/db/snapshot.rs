//! What one snapshot needs from the database: at most seven statements, in one transaction, whatever the number of
//! orders.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;

use super::{
    DbError, Dialect, Parameters, Tx, customer_days,
    customers::{self, Distinct},
    day_values,
    product_days::{self, Sales, SalesByProduct},
    rows, sql,
};
use crate::domain::{
    period::{DateRange, Interval, day_number},
    snapshot::{CategorySales, ProductSales, StatusOrders, Sums, TOP},
};

/// What a snapshot says of the vendor itself.
pub struct Head {
    pub name: String,
    pub currency: String,
    pub time_zone: String,
}

/// `None` where there is no such vendor.
pub async fn find_head(tx: &mut Tx, vendor_id: i64) -> Result<Option<Head>, DbError> {
    let query = sql("SELECT name, currency, time_zone FROM vendors WHERE id = $1").bind(vendor_id);
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    Ok(Some(Head {
        name: rows::text(&row, "name")?,
        currency: rows::text(&row, "currency")?,
        time_zone: rows::text(&row, "time_zone")?,
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
pub async fn list_days(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: Option<DateRange>,
) -> Result<Days, DbError> {
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
        hours[which].push(SalesHour {
            day: rows::int(&row, "day")?,
            hour_us: rows::int(&row, "hour_us")?,
            sums: sums(&row)?,
        });
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
                     WHERE vendor_id = $1 AND day BETWEEN $2 AND $3 GROUP BY status HAVING SUM(orders) > 0 \
                     ORDER BY 2 DESC, 1")
    .bind(vendor_id)
    .bind(day_number(range.from))
    .bind(day_number(range.to));
    let found = tx.rows(query).await?;
    found
        .iter()
        .map(|row| Ok(StatusOrders { status: rows::parsed(row, "status")?, orders: rows::int(row, "placed")? }))
        .collect()
}

/// What no sums of days give: how many different customers a range had, and the one it is compared with, and what each
/// product sold, to be awaited.
pub async fn list_day_values(
    tx: &mut Tx,
    vendor_id: i64,
    interval: Interval,
    range: DateRange,
    previous: Option<DateRange>,
) -> Result<(Distinct, impl Future<Output = Result<SalesByProduct, DbError>> + use<>), DbError> {
    let ranges =
        [(customer_days::TABLE, Some(range)), (customer_days::TABLE, previous), (product_days::TABLE, Some(range))];
    let [now, before, products] = day_values::list(tx, vendor_id, ranges).await?;
    let customers = [customer_days::read(&now)?, customer_days::read(&before)?];
    Ok((customers::count(&customers, interval, range, previous), product_days::add_up(products)))
}

/// The products and the categories that sold best. A category's figures are those of the products that are in it now.
pub async fn list_top(
    tx: &mut Tx,
    vendor_id: i64,
    sales: &SalesByProduct,
) -> Result<(Vec<ProductSales>, Vec<CategorySales>), DbError> {
    let (mut products, mut categories) = (Vec::new(), Vec::new());
    let sold = |id: i64| sales.get(&id).copied().unwrap_or_default();
    let (text, parameters) = top(tx.dialect, vendor_id, sales);
    for row in tx.rows(parameters.bind(text)).await? {
        let (name, text) = (rows::text(&row, "name")?, rows::text(&row, "text")?);
        if rows::int(&row, "list")? == 0 {
            let Sales { units, net, .. } = sold(rows::int(&row, "id")?);
            products.push(ProductSales { product_id: name, name: text, units, net_sales: net });
            continue;
        }
        let ids = text.split(',').filter_map(|id| id.parse().ok());
        let (units, net_sales) = ids.map(sold).fold((0, 0), |(units, net), of| (units + of.units, net + of.net));
        categories.push(CategorySales { category: name, units, net_sales });
    }
    sort_products(&mut products);
    categories.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.category.cmp(&b.category)));
    products.truncate(TOP);
    categories.truncate(TOP);
    Ok((products, categories))
}

/// The statement that `list_top` sends: the names of those products only that can be among the first, ties included, and
/// each category of all that sold, with the ids of those that are in it. An index has these by vendor, where SQLite has
/// to be told so. (CROSS JOIN keeps it from beginning with the products.)
pub fn top(dialect: Dialect, vendor_id: i64, sales: &SalesByProduct) -> (String, Parameters) {
    let by_index = match dialect {
        Dialect::Sqlite => " INDEXED BY products_by_vendor",
        Dialect::Postgres => "",
    };
    let mut nets: Vec<i64> = sales.values().map(|sales| sales.net).collect();
    nets.sort_unstable_by(|a, b| b.cmp(a));
    let last = nets.get(TOP - 1).copied().unwrap_or(i64::MIN);
    let best = sales.iter().filter(|(_, sales)| sales.net >= last).map(|(id, _)| *id);
    let mut parameters = Parameters::default();
    // In the order of the index that they are looked up in.
    let mut all: Vec<i64> = sales.keys().copied().collect();
    all.sort_unstable();
    let (best, all) = (parameters.ids(best), parameters.ids(all.into_iter()));
    let text = format!(
        "SELECT 0 AS list, p.id AS id, p.external_id AS name, p.name AS text \
         FROM {} CROSS JOIN products p WHERE p.id = listed.id \
         UNION ALL \
         SELECT 1, 0, p.category, string_agg(CAST(p.id AS TEXT), ',') \
         FROM {} CROSS JOIN products p{by_index} WHERE p.vendor_id = {} AND p.id = listed.id GROUP BY p.category",
        dialect.listed(&best),
        dialect.listed(&all),
        parameters.int(vendor_id)
    );
    (text, parameters)
}

/// Every product with sales or refunds in the range, the best first.
pub async fn list_products_sold(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<Vec<ProductSales>, DbError> {
    let sales = product_days::list(tx, vendor_id, range).await?;
    name_products(tx, &sales).await
}

/// These products with their names, the best first, equals by their ids.
async fn name_products(tx: &mut Tx, sales: &SalesByProduct) -> Result<Vec<ProductSales>, DbError> {
    let named = product_days::list_named(tx, sales.keys().copied()).await?;
    let mut products: Vec<_> = named
        .into_iter()
        .filter_map(|(id, named)| {
            let Sales { units, net, .. } = *sales.get(&id)?;
            Some(ProductSales { product_id: named.external_id, name: named.name, units, net_sales: net })
        })
        .collect();
    sort_products(&mut products);
    Ok(products)
}

/// The best first, equals by their ids.
fn sort_products(products: &mut [ProductSales]) {
    products.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.product_id.cmp(&b.product_id)));
}

fn bind_all(text: String, parameters: &[i64]) -> super::Arguments<'static> {
    parameters.iter().fold(sql(text), |query, parameter| query.bind(*parameter))
}

/// The number of the first day on which an order was placed with a vendor, whatever became of it, or something came
/// back; `None`: of all vendors. `None` where there is no such day.
pub async fn find_first_day(tx: &mut Tx, vendor_id: Option<i64>) -> Result<Option<i64>, DbError> {
    let first = |table: &str, has_any: &str| {
        format!("(SELECT d.day FROM {table} d WHERE d.vendor_id = v.id AND {has_any} ORDER BY d.day LIMIT 1)")
    };
    let (placed, returned) = (first("status_days", "d.orders > 0"), first("sales_days", "d.returns <> 0"));
    let of = if vendor_id.is_some() { "WHERE v.id = $1" } else { "" };
    let text = format!(
        "SELECT CAST(MIN(placed) AS BIGINT) AS placed, CAST(MIN(returned) AS BIGINT) AS returned \
         FROM (SELECT {placed} AS placed, {returned} AS returned FROM vendors v {of}) AS days"
    );
    let query = vendor_id.into_iter().fold(sql(text), |query, id| query.bind(id));
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    let days = [rows::int_or_null(&row, "placed")?, rows::int_or_null(&row, "returned")?];
    Ok(days.into_iter().flatten().min())
}
