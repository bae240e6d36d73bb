//! Lists of one vendor's products.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{DbError, Parameters, Tx, catalog::COLUMNS, low_stock, rows, search};
use crate::domain::{
    catalog::Product,
    period::day_number,
    position::{Position, SortValue},
    product_lists::{
        MOST_SUMMED, PriceChange, ProductColumn, ProductQuery, ProductSort, ProductSums, RecentSales, StockCover,
        StockLevel,
    },
    snapshot::COVER_DAYS,
};

/// At most `limit` products behind `query.after`, as `query.sort` has them, and those of one value by their ids. Each
/// with its place in the list. `today` is the vendor's.
pub async fn list_products(
    tx: &mut Tx,
    vendor_id: i64,
    query: &ProductQuery,
    today: Date,
    limit: i64,
) -> Result<Vec<(Product, Position)>, DbError> {
    let mut parameters = Parameters::default();
    let (column, is_low) = (query.sort.column(), query.stock == Some(StockLevel::Low));
    let (mut lists, mut joined) = (Vec::new(), "products p".to_owned());
    if is_low {
        lists.push(low_stock::low(vendor_id, today, &mut parameters));
        joined = "low CROSS JOIN products p".to_owned();
    }
    if matches!(column, ProductColumn::Sold | ProductColumn::Change | ProductColumn::Moved) {
        lists.push(recent(vendor_id, today, &mut parameters));
        joined.push_str(" LEFT JOIN recent r ON r.product_id = p.id");
    }
    if column == ProductColumn::Cover && !is_low {
        lists.push(low_stock::sold(vendor_id, today, &mut parameters));
        joined.push_str(" LEFT JOIN sold s ON s.product_id = p.id");
    }
    let with = if lists.is_empty() { String::new() } else { format!("WITH {} ", lists.join(", ")) };
    let sorted = sorted_by(query.sort, is_low);
    let mut conditions = conditions(&mut parameters, vendor_id, query);
    let (to, beyond) = if query.sort.is_descending() { (" DESC", '<') } else { ("", '>') };
    if let Some(Position { value, id }) = &query.after {
        let place = match value {
            SortValue::Integer(number) => parameters.int(*number),
            SortValue::Text(text) => parameters.text(text.clone()),
        };
        let id = parameters.text(id.clone());
        conditions.push(format!("{sorted} {beyond}= {place} AND ({sorted} {beyond} {place} OR p.external_id > {id})"));
    }
    let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("p.{column}")).collect();
    let text = format!(
        "{with}SELECT {}, {sorted} AS sorted FROM {joined} WHERE {} ORDER BY {sorted}{to}, p.external_id LIMIT {limit}",
        columns.join(", "),
        conditions.join(" AND ")
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let listed = found.iter().map(|row| {
        let product = rows::product(row)?;
        let value = match column {
            ProductColumn::Name | ProductColumn::Category => SortValue::Text(rows::text(row, "sorted")?),
            _ => SortValue::Integer(rows::int(row, "sorted")?),
        };
        let position = Position { value, id: product.product_id.clone() };
        Ok((product, position))
    });
    listed.collect()
}

/// SQL for the value that products are sorted by. Those without one stand last, whichever way.
fn sorted_by(sort: ProductSort, is_low: bool) -> String {
    let highest = i64::MAX;
    let last = if sort.is_descending() { -highest } else { highest };
    match sort.column() {
        // As the index has it.
        ProductColumn::Name => "COALESCE(p.search_text, p.name)".to_owned(),
        ProductColumn::Category => "p.category".to_owned(),
        ProductColumn::Status => "CAST(CASE p.status WHEN 'active' THEN 0 ELSE 1 END AS BIGINT)".to_owned(),
        ProductColumn::Stock => "p.stock".to_owned(),
        ProductColumn::Price => "p.unit_price".to_owned(),
        ProductColumn::PriceChanged => format!(
            "COALESCE((SELECT MAX(n.noted_us) FROM notes n WHERE n.product_id = p.id AND n.kind = 'price'), {last})"
        ),
        ProductColumn::Sold => "COALESCE(r.units, 0)".to_owned(),
        // In thousandths of a percent. Where there were none before there is no percentage: up from nothing is most.
        ProductColumn::Change => format!(
            "CAST(CASE WHEN r.product_id IS NULL OR r.units = r.units_before THEN 0 WHEN r.units_before = 0 \
             THEN {highest} ELSE (r.units - r.units_before) * 100000 / ABS(r.units_before) END AS BIGINT)"
        ),
        ProductColumn::Moved => "COALESCE(r.moved, 0)".to_owned(),
        ProductColumn::Cover if is_low => format!("COALESCE(NULLIF(low.tenths, {}), {last})", low_stock::NO_COVER),
        ProductColumn::Cover => format!("COALESCE({}, {last})", low_stock::tenths()),
        ProductColumn::AtRisk => "low.at_risk".to_owned(),
    }
}

/// What these products sold in the 28 days before `today`, and in the 28 before those, and how long each will last, by
/// the marketplace's ids. Each day of each is found by its key, whatever else is sold.
pub async fn list_recent(
    tx: &mut Tx,
    vendor_id: i64,
    today: Date,
    product_ids: &[&str],
) -> Result<HashMap<String, (RecentSales, StockCover)>, DbError> {
    if product_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut parameters = Parameters::default();
    let vendor = parameters.int(vendor_id);
    let days = RecentDays::before(today, &mut parameters);
    let (first, middle, last) = (days.first, days.middle, days.last);
    let (cover_first, today) = (parameters.int(day_number(today) - COVER_DAYS + 1), parameters.int(day_number(today)));
    let ids: Vec<_> = product_ids.iter().map(|id| parameters.text(*id)).collect();
    let named = format!("p.vendor_id = {vendor} AND p.external_id IN ({})", ids.join(", "));
    let sum = |from: &str, to: &str, what: &str| {
        format!("CAST(SUM(CASE WHEN d.day BETWEEN {from} AND {to} THEN t.{what} ELSE 0 END) AS BIGINT)")
    };
    // What the cover goes by counts where something was left sold, as in the list of those that are low.
    let text = format!(
        "WITH RECURSIVE days (day) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT day + 1 FROM days \
         WHERE day < {today}), \
         daily AS MATERIALIZED (SELECT p.id, {} AS recent_units, {} AS units_before, {} AS units, {} AS net \
             FROM products p CROSS JOIN days d CROSS JOIN product_sales t \
             WHERE {named} AND t.vendor_id = {vendor} AND t.day = d.day AND t.product_id = p.id \
             GROUP BY p.id) \
         SELECT p.external_id, COALESCE(m.recent_units, 0) AS recent_units, \
                COALESCE(m.units_before, 0) AS units_before, {} \
         FROM products p JOIN vendors v ON v.id = p.vendor_id LEFT JOIN daily m ON m.id = p.id \
         LEFT JOIN daily s ON s.id = p.id AND s.units > 0 WHERE {named}",
        sum(&middle, &last, "units"),
        sum(&first, &format!("{middle} - 1"), "units"),
        sum(&cover_first, &today, "units"),
        sum(&cover_first, &today, "net"),
        low_stock::cover_columns(),
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let recent = found.iter().map(|row| {
        let sales =
            RecentSales { units: rows::int(row, "recent_units")?, previous_units: rows::int(row, "units_before")? };
        Ok((rows::text(row, "external_id")?, (sales, low_stock::stock_cover(row)?)))
    });
    recent.collect()
}

/// The last price change of each of the named products of a vendor; those whose price never changed are left out.
pub async fn list_price_changes(
    tx: &mut Tx,
    vendor_id: i64,
    product_ids: &[&str],
) -> Result<HashMap<String, PriceChange>, DbError> {
    if product_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut parameters = Parameters::default();
    let vendor = parameters.int(vendor_id);
    let ids: Vec<_> = product_ids.iter().map(|id| parameters.text(*id)).collect();
    let text = format!(
        "SELECT p.external_id, n.noted_us, CAST(n.was AS BIGINT) AS was FROM products p JOIN notes n \
             ON n.vendor_id = p.vendor_id AND n.id = \
             (SELECT m.id FROM notes m WHERE m.product_id = p.id AND m.kind = 'price' \
              ORDER BY m.noted_us DESC, m.id DESC LIMIT 1) \
         WHERE p.vendor_id = {vendor} AND p.external_id IN ({})",
        ids.join(", ")
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let changes = found.iter().map(|row| {
        let change =
            PriceChange { changed_at: rows::instant(row, "noted_us")?, previous_price: rows::int(row, "was")? };
        Ok((rows::text(row, "external_id")?, change))
    });
    changes.collect()
}

/// What a product `p` is to be like, wherever it stands in the list; of those that are low, one with a row in `low`.
fn conditions(parameters: &mut Parameters, vendor_id: i64, query: &ProductQuery) -> Vec<String> {
    let mut conditions =
        vec![format!("p.vendor_id = {}", parameters.int(vendor_id)), "p.status <> 'deleted'".to_owned()];
    conditions.extend(query.stock.map(|_| "p.id = low.product".to_owned()));
    if let Some(text) = &query.search {
        conditions.push(search::holds("p", &parameters.text(search::pattern(text))));
    }
    conditions.extend(query.status.map(|status| format!("p.status = {}", parameters.text(status.as_str()))));
    if let Some(category) = &query.category {
        conditions.push(format!("p.category = {}", parameters.text(category.clone())));
    }
    conditions
}

/// Prices are added up in two parts, these and what is left of each, so that no sum is too large.
const PRICE_PART: i64 = 100_000;

/// What all products that match come to, on whichever page they stand: `None` where they are too many. `today` is the
/// vendor's.
pub async fn sum_products(
    tx: &mut Tx,
    vendor_id: i64,
    query: &ProductQuery,
    today: Date,
) -> Result<Option<ProductSums>, DbError> {
    let is_low = query.stock == Some(StockLevel::Low);
    // Counted first: what is too much to be shown is not worked out either. Of those that are low, the counting is most
    // of the work.
    if !is_low && count_products(tx, vendor_id, query).await? > MOST_SUMMED {
        return Ok(None);
    }
    let mut parameters = Parameters::default();
    let low = is_low.then(|| low_stock::low(vendor_id, today, &mut parameters));
    let (from, at_risk) = match is_low {
        true => ("low CROSS JOIN products p", "low.at_risk"),
        false => ("products p", "CAST(0 AS BIGINT)"),
    };
    let matching = format!(
        "matching AS MATERIALIZED (SELECT p.id, p.stock, p.unit_price, {at_risk} AS at_risk FROM {from} WHERE {} \
         LIMIT {})",
        conditions(&mut parameters, vendor_id, query).join(" AND "),
        MOST_SUMMED + 1
    );
    let lists: Vec<_> = low.into_iter().chain([matching]).collect();
    let sum = |what: &str, name: &str| format!("CAST(COALESCE(SUM({what}), 0) AS BIGINT) AS {name}");
    let days = RecentDays::before(today, &mut parameters);
    // What sold is added up by itself: by product, as `recent` has it, it would be sorted and joined for nothing.
    let text = format!(
        "WITH {} SELECT * FROM (SELECT COUNT(*) AS products, {}, {}, {}, {} FROM matching m) AS held \
         CROSS JOIN (SELECT {}, {} FROM product_sales \
                     WHERE vendor_id = {} AND day BETWEEN {} AND {} \
                     AND product_id IN (SELECT id FROM matching)) AS sold",
        lists.join(", "),
        sum("m.stock", "stock"),
        sum(&format!("m.stock * (m.unit_price / {PRICE_PART})"), "parts"),
        sum(&format!("m.stock * (m.unit_price % {PRICE_PART})"), "rest"),
        sum("m.at_risk", "at_risk"),
        sum(&format!("CASE WHEN day >= {} THEN units ELSE 0 END", days.middle), "units"),
        sum(&format!("CASE WHEN day >= {} THEN 0 ELSE units END", days.middle), "units_before"),
        parameters.int(vendor_id),
        days.first,
        days.last,
    );
    let Some(row) = tx.row(parameters.bind(text)).await? else { return Ok(None) };
    let int = |column: &str| rows::int(&row, column);
    let value = i128::from(int("parts")?) * i128::from(PRICE_PART) + i128::from(int("rest")?);
    let sums = ProductSums {
        products: int("products")?,
        stock: int("stock")?,
        stock_value: i64::try_from(value).ok(),
        recent: RecentSales { units: int("units")?, previous_units: int("units_before")? },
        sales_at_risk: if is_low { Some(int("at_risk")?) } else { None },
    };
    Ok(Some(sums).filter(|sums| sums.products <= MOST_SUMMED))
}

/// How many products match, counted no further than one more than `MOST_SUMMED`. Not for those that are low.
async fn count_products(tx: &mut Tx, vendor_id: i64, query: &ProductQuery) -> Result<i64, DbError> {
    let mut parameters = Parameters::default();
    let conditions = conditions(&mut parameters, vendor_id, query).join(" AND ");
    let text = format!(
        "SELECT COUNT(*) AS products FROM (SELECT 1 AS one FROM products p WHERE {conditions} LIMIT {}) AS matching",
        MOST_SUMMED + 1
    );
    let counted = tx.row(parameters.bind(text)).await?;
    counted.map_or(Ok(0), |row| rows::int(&row, "products"))
}

/// Places of the numbers of days: the 28 before today begin with `middle` and end with `last`, the 28 before those
/// begin with `first`.
struct RecentDays {
    first: String,
    middle: String,
    last: String,
}

impl RecentDays {
    /// `today` is the vendor's.
    fn before(today: Date, parameters: &mut Parameters) -> Self {
        let today = day_number(today);
        Self {
            first: parameters.int(today - 2 * COVER_DAYS),
            middle: parameters.int(today - COVER_DAYS),
            last: parameters.int(today - 1),
        }
    }
}

/// SQL for a list `recent` (to follow `WITH`): the units of each product in the 28 days before `today`, its units in the
/// 28 before those (`units_before`), and by how much its net sales rose (`moved`, in minor units).
fn recent(vendor_id: i64, today: Date, parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let RecentDays { first, middle, last } = RecentDays::before(today, parameters);
    format!(
        "recent AS MATERIALIZED (\
             SELECT product_id, CAST(SUM(CASE WHEN day >= {middle} THEN units ELSE 0 END) AS BIGINT) AS units, \
                    CAST(SUM(CASE WHEN day >= {middle} THEN 0 ELSE units END) AS BIGINT) AS units_before, \
                    CAST(SUM(CASE WHEN day >= {middle} THEN net ELSE -net END) AS BIGINT) AS moved \
             FROM product_sales WHERE vendor_id = {vendor} AND day BETWEEN {first} AND {last} \
             GROUP BY product_id)"
    )
}
