//! Figures of a part of what a vendor sells: of one product, one category, or orders of one status. There are no sums
//! of these, so that lines and refunds are read.

use std::collections::{BTreeMap, BTreeSet};

use super::{DbError, Parameters, Tx, rollups::COUNTED, rows, snapshot::SalesHour, snapshot::sums};
use crate::domain::{
    period::{DateRange, day_number},
    snapshot::{CategorySales, Narrowed, ProductSales, StatusOrders, TOP},
};

const DAY_US: i64 = 86_400_000_000;

/// Which orders, where they are narrowed to no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Counted,
    All,
}

/// Lines `l` of products `p` of orders `o` of one vendor, and what they are narrowed to. No zone is a whole day away
/// from UTC: so much narrower the index can be read.
fn lines(vendor_id: i64, range: DateRange, narrowed: &Narrowed, which: Which, parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let days = days("o", range, parameters);
    let (from, to) = (day_number(range.from), day_number(range.to));
    let (source, window) = match &narrowed.product {
        // Whatever else was sold is not looked at.
        Some(_) => ("products p CROSS JOIN order_lines l CROSS JOIN vendor_orders o", String::new()),
        None => {
            let (first, last) = (parameters.int((from - 1) * DAY_US), parameters.int((to + 2) * DAY_US));
            let window = format!(" AND o.placed_us >= {first} AND o.placed_us < {last}");
            ("vendor_orders o CROSS JOIN order_lines l CROSS JOIN products p", window)
        }
    };
    format!(
        "{source} WHERE p.vendor_id = {vendor} AND o.vendor_id = {vendor} AND l.vendor_id = {vendor} \
         AND l.product_id = p.id \
         AND o.order_id = l.order_id AND {days}{window}{}",
        only(narrowed, which, parameters)
    )
}

/// The same of refunds `r`.
fn refunds(vendor_id: i64, range: DateRange, narrowed: &Narrowed, parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let days = days("r", range, parameters);
    let (from, to) = (day_number(range.from), day_number(range.to));
    format!(
        "refunds r CROSS JOIN vendor_orders o CROSS JOIN order_lines l CROSS JOIN products p \
         WHERE r.vendor_id = {vendor} AND r.refunded_us >= {} AND r.refunded_us < {} AND {days} \
         AND o.vendor_id = {vendor} \
         AND o.order_id = r.order_id AND l.order_id = r.order_id AND l.line = r.line AND p.id = l.product_id{}",
        parameters.int((from - 1) * DAY_US),
        parameters.int((to + 2) * DAY_US),
        only(narrowed, Which::Counted, parameters)
    )
}

fn days(row: &str, range: DateRange, parameters: &mut Parameters) -> String {
    let (from, to) = (parameters.int(day_number(range.from)), parameters.int(day_number(range.to)));
    format!("{row}.day BETWEEN {from} AND {to}")
}

/// What lines of products `p` of orders `o` are narrowed to: conditions to follow others.
pub(super) fn only(narrowed: &Narrowed, which: Which, parameters: &mut Parameters) -> String {
    let mut conditions = String::new();
    for (column, value) in [("p.external_id", &narrowed.product), ("p.category", &narrowed.category)] {
        if let Some(value) = value {
            conditions.push_str(&format!(" AND {column} = {}", parameters.text(value.clone())));
        }
    }
    match (narrowed.status, which) {
        (Some(status), _) => conditions.push_str(&format!(" AND o.status = {}", parameters.text(status.as_str()))),
        (None, Which::Counted) => conditions.push_str(&format!(" AND {COUNTED}")),
        (None, Which::All) => {}
    }
    conditions
}

/// What sold and came back by hour, in the range and in the one it is compared with.
pub async fn list_hours(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: Option<DateRange>,
    narrowed: &Narrowed,
) -> Result<[Vec<SalesHour>; 2], DbError> {
    let mut parameters = Parameters::default();
    let selects = [Some(range), previous].into_iter().flatten().enumerate().map(|(which, range)| {
        let sold = lines(vendor_id, range, narrowed, Which::Counted, &mut parameters);
        let returned = refunds(vendor_id, range, narrowed, &mut parameters);
        format!(
            "SELECT {which} AS which, o.day, o.hour_us, CAST(SUM(l.gross) AS BIGINT) AS gross, CAST(SUM(l.discount) \
             AS BIGINT) AS discounts, \
                    CAST(0 AS BIGINT) AS returns, CAST(SUM(l.commission) AS BIGINT) AS commission, COUNT(DISTINCT \
                    o.order_id) AS orders, \
                    CAST(SUM(l.quantity) AS BIGINT) AS units, CAST(0 AS BIGINT) AS new_customers FROM {sold} \
                    GROUP BY o.day, o.hour_us \
             UNION ALL \
             SELECT {which}, r.day, r.hour_us, 0, 0, CAST(SUM(r.amount) AS BIGINT), CAST(-SUM(r.commission) AS \
             BIGINT), 0, \
                    CAST(-SUM(r.quantity) AS BIGINT), 0 FROM {returned} GROUP BY r.day, r.hour_us"
        )
    });
    let text = selects.collect::<Vec<_>>().join(" UNION ALL ");
    let mut hours = [Vec::new(), Vec::new()];
    for row in tx.rows(parameters.bind(text)).await? {
        let which = usize::from(rows::int(&row, "which")? != 0);
        hours[which].push(SalesHour {
            day: rows::int(&row, "day")?,
            hour_us: rows::int(&row, "hour_us")?,
            sums: sums(&row)?,
        });
    }
    Ok(hours)
}

/// Who ordered on which days of a range.
#[derive(Default)]
pub struct Customers {
    /// By the number of the day; ids of the database's own.
    pub by_day: BTreeMap<i64, BTreeSet<i64>>,
    /// Those whose first counted order ever lies in the range.
    pub new: BTreeSet<i64>,
}

/// Of the range and of the one it is compared with.
pub async fn list_customers(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: Option<DateRange>,
    narrowed: &Narrowed,
) -> Result<[Customers; 2], DbError> {
    let mut parameters = Parameters::default();
    let ranges: Vec<_> = [Some(range), previous].into_iter().flatten().collect();
    let selects = ranges.iter().enumerate().map(|(which, range)| {
        let sold = lines(vendor_id, *range, narrowed, Which::Counted, &mut parameters);
        format!("SELECT DISTINCT {which} AS which, o.day, o.customer_id FROM {sold}")
    });
    let selects = selects.collect::<Vec<_>>().join(" UNION ALL ");
    let text = format!(
        "SELECT s.which, s.day, s.customer_id, f.day AS first_day FROM ({selects}) AS s \
         LEFT JOIN first_orders f ON f.vendor_id = {} AND f.customer_id = s.customer_id",
        parameters.int(vendor_id)
    );
    let mut customers = [Customers::default(), Customers::default()];
    for row in tx.rows(parameters.bind(text)).await? {
        let which = usize::from(rows::int(&row, "which")? != 0);
        let (day, id) = (rows::int(&row, "day")?, rows::int(&row, "customer_id")?);
        let days = day_number(ranges[which].from)..=day_number(ranges[which].to);
        customers[which].by_day.entry(day).or_default().insert(id);
        if rows::int_or_null(&row, "first_day")?.is_some_and(|first| days.contains(&first)) {
            customers[which].new.insert(id);
        }
    }
    Ok(customers)
}

/// Orders by status, the most first; whether they count or not, unless they are narrowed to one status.
pub async fn list_statuses(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
) -> Result<Vec<StatusOrders>, DbError> {
    let mut parameters = Parameters::default();
    let lines = lines(vendor_id, range, narrowed, Which::All, &mut parameters);
    let text = format!(
        "SELECT o.status, COUNT(DISTINCT o.order_id) AS placed FROM {lines} GROUP BY o.status ORDER BY 2 DESC, 1"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    found
        .iter()
        .map(|row| Ok(StatusOrders { status: rows::parsed(row, "status")?, orders: rows::int(row, "placed")? }))
        .collect()
}

/// Every product that was sold or came back, with its category; what sold best stands first.
pub async fn list_products(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
) -> Result<Vec<(ProductSales, String)>, DbError> {
    let mut parameters = Parameters::default();
    let sold = lines(vendor_id, range, narrowed, Which::Counted, &mut parameters);
    let returned = refunds(vendor_id, range, narrowed, &mut parameters);
    let text = format!(
        "SELECT external_id, name, category, CAST(SUM(units) AS BIGINT) AS units, CAST(SUM(net) AS BIGINT) AS net \
         FROM (\
             SELECT p.external_id, p.name, p.category, l.quantity AS units, l.gross - l.discount AS net FROM {sold} \
             UNION ALL SELECT p.external_id, p.name, p.category, -r.quantity, -r.amount FROM {returned}) AS sums \
         GROUP BY external_id, name, category ORDER BY 5 DESC, external_id"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let products = found.iter().map(|row| {
        let product = ProductSales {
            product_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            units: rows::int(row, "units")?,
            net_sales: rows::int(row, "net")?,
        };
        Ok((product, rows::text(row, "category")?))
    });
    products.collect()
}

/// The products and the categories that sold best, of all that [`list_products`] found.
pub fn top(products: Vec<(ProductSales, String)>) -> (Vec<ProductSales>, Vec<CategorySales>) {
    let mut categories: BTreeMap<String, CategorySales> = BTreeMap::new();
    for (product, category) in &products {
        let sums = categories.entry(category.clone()).or_insert(CategorySales {
            category: category.clone(),
            units: 0,
            net_sales: 0,
        });
        sums.units += product.units;
        sums.net_sales += product.net_sales;
    }
    let products = products.into_iter().take(TOP).map(|(product, _)| product).collect();
    let mut categories: Vec<_> = categories.into_values().collect();
    categories.sort_by(|a, b| b.net_sales.cmp(&a.net_sales).then_with(|| a.category.cmp(&b.category)));
    categories.truncate(TOP);
    (products, categories)
}
