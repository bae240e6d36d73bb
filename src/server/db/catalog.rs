//! Products. A deleted one is absent from everything here; its sales remain.

use std::collections::HashMap;

use jiff::civil::Date;

use super::{Arguments, DbError, Parameters, Tx, low_stock, rows, search, sql};
use crate::domain::{
    catalog::{
        BulkChange, MOST_SUMMED, PriceChange, Product, ProductInput, ProductQuery, ProductSort, ProductSums,
        RecentSales, StockCover, StockLevel,
    },
    period::day_number,
    position::{Position, SortValue},
    snapshot::COVER_DAYS,
};

const COLUMNS: &str = "external_id, name, description, category, unit_price, stock, low_stock_threshold, status";

/// A product, where it stands in the list, and where those that are low were asked for, how long it lasts.
pub struct Listed {
    pub product: Product,
    pub position: Position,
    pub cover: Option<StockCover>,
}

/// At most `limit` products behind `query.after`. `today` is the vendor's.
pub async fn list_products(
    tx: &mut Tx,
    vendor_id: i64,
    query: &ProductQuery,
    today: Date,
    limit: i64,
) -> Result<Vec<Listed>, DbError> {
    let mut parameters = Parameters::default();
    let is_low = query.stock == Some(StockLevel::Low);
    let mut lists = Vec::new();
    let (mut joined, mut more_columns) = ("products p".to_owned(), String::new());
    if is_low {
        lists.push(low_stock::low(vendor_id, today, &mut parameters));
        joined = "low CROSS JOIN products p".to_owned();
        more_columns.push_str(", low.threshold, low.tenths, low.at_risk");
    }
    if query.sort.is_of_sales() {
        lists.push(recent(vendor_id, today, &mut parameters));
        joined.push_str(" LEFT JOIN recent ON recent.product_id = p.id");
        more_columns.push_str(", COALESCE(recent.units, 0) AS recent_units, COALESCE(recent.moved, 0) AS moved");
    }
    let with = if lists.is_empty() { String::new() } else { format!("WITH {} ", lists.join(", ")) };
    let sort = match query.sort {
        ProductSort::Name => "p.name",
        ProductSort::Stock => "p.stock",
        ProductSort::Price => "p.unit_price",
        ProductSort::Cover => "low.tenths",
        ProductSort::AtRisk => "-low.at_risk",
        ProductSort::Sold => "-COALESCE(recent.units, 0)",
        ProductSort::Rising => "-COALESCE(recent.moved, 0)",
        ProductSort::Falling => "COALESCE(recent.moved, 0)",
    };
    let mut conditions = conditions(&mut parameters, vendor_id, query);
    if let Some(Position { value, id }) = &query.after {
        let value = match value {
            SortValue::Integer(value) => parameters.int(*value),
            SortValue::Text(value) => parameters.text(value.clone()),
        };
        conditions.push(format!("({sort}, p.external_id) > ({value}, {})", parameters.text(id.clone())));
    }
    let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("p.{column}")).collect();
    let text = format!(
        "{with}SELECT {}{more_columns} FROM {joined} WHERE {} ORDER BY {sort}, p.external_id LIMIT {limit}",
        columns.join(", "),
        conditions.join(" AND ")
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let listed = found.iter().map(|row| {
        let product = rows::product(row)?;
        let value = match query.sort {
            ProductSort::Name => SortValue::Text(product.name.clone()),
            ProductSort::Stock => SortValue::Integer(product.stock),
            ProductSort::Price => SortValue::Integer(product.unit_price),
            ProductSort::Cover => SortValue::Integer(rows::int(row, "tenths")?),
            ProductSort::AtRisk => SortValue::Integer(-rows::int(row, "at_risk")?),
            ProductSort::Sold => SortValue::Integer(-rows::int(row, "recent_units")?),
            ProductSort::Rising => SortValue::Integer(-rows::int(row, "moved")?),
            ProductSort::Falling => SortValue::Integer(rows::int(row, "moved")?),
        };
        let position = Position { value, id: product.product_id.clone() };
        let cover = if is_low { Some(low_stock::stock_cover(row)?) } else { None };
        Ok(Listed { product, position, cover })
    });
    listed.collect()
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
                     WHERE vendor_id = {} AND grain = 0 AND start BETWEEN {} AND {} \
                     AND product_id IN (SELECT id FROM matching)) AS sold",
        lists.join(", "),
        sum("m.stock", "stock"),
        sum(&format!("m.stock * (m.unit_price / {PRICE_PART})"), "parts"),
        sum(&format!("m.stock * (m.unit_price % {PRICE_PART})"), "rest"),
        sum("m.at_risk", "at_risk"),
        sum(&format!("CASE WHEN start >= {} THEN units ELSE 0 END", days.middle), "units"),
        sum(&format!("CASE WHEN start >= {} THEN 0 ELSE units END", days.middle), "units_before"),
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

/// SQL for a list `recent` (to follow `WITH`): the units of each product in the 28 days before `today` and in the 28
/// before those, and by how much its net sales rose, in minor units.
fn recent(vendor_id: i64, today: Date, parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let RecentDays { first, middle, last } = RecentDays::before(today, parameters);
    format!(
        "recent AS MATERIALIZED (\
             SELECT product_id, CAST(SUM(CASE WHEN start >= {middle} THEN units ELSE 0 END) AS BIGINT) AS units, \
                    CAST(SUM(CASE WHEN start >= {middle} THEN net ELSE -net END) AS BIGINT) AS moved \
             FROM product_sales WHERE vendor_id = {vendor} AND grain = 0 AND start BETWEEN {first} AND {last} \
             GROUP BY product_id)"
    )
}

pub async fn find_product(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<Option<Product>, DbError> {
    let query = sql(format!(
        "SELECT {COLUMNS} FROM products WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'"
    ))
    .bind(vendor_id)
    .bind(product_id.to_owned());
    tx.row(query).await?.as_ref().map(rows::product).transpose()
}

/// The id must be new in the whole marketplace.
pub async fn insert_product(
    tx: &mut Tx,
    vendor_id: i64,
    product_id: &str,
    input: &ProductInput,
) -> Result<(), DbError> {
    let text = "INSERT INTO products (vendor_id, external_id, name, description, category, unit_price, stock, \
        low_stock_threshold, status, \
                                      search_text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    tx.execute(bind_input(sql(text).bind(vendor_id).bind(product_id.to_owned()), input)).await?;
    Ok(())
}

/// Whether there was such a product.
pub async fn update_product(
    tx: &mut Tx,
    vendor_id: i64,
    product_id: &str,
    input: &ProductInput,
) -> Result<bool, DbError> {
    let text = "UPDATE products SET name = $3, description = $4, category = $5, unit_price = $6, stock = $7, \
        low_stock_threshold = $8, \
                status = $9, search_text = $10 WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'";
    let query = bind_input(sql(text).bind(vendor_id).bind(product_id.to_owned()), input);
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

fn bind_input<'q>(query: Arguments<'q>, input: &ProductInput) -> Arguments<'q> {
    query
        .bind(input.name.clone())
        .bind(input.description.clone())
        .bind(input.category.clone())
        .bind(input.unit_price)
        .bind(input.stock)
        .bind(input.low_stock_threshold)
        .bind(input.status.as_str())
        .bind(search::fold(&input.name))
}

/// Whether there was such a product.
pub async fn delete_product(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<bool, DbError> {
    let query =
        sql("UPDATE products SET status = 'deleted' WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'")
            .bind(vendor_id)
            .bind(product_id.to_owned());
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

/// How many of the named products were this vendor's, and so were changed.
pub async fn change_products(tx: &mut Tx, vendor_id: i64, change: &BulkChange) -> Result<u64, DbError> {
    let places: Vec<_> = (0..change.product_ids.len()).map(|i| format!("${}", i + 8)).collect();
    // As `changed_price` does; without a change the sum is NULL.
    let text = format!(
        "UPDATE products SET category = COALESCE($2, category), \
         unit_price = COALESCE($3, (unit_price * (10000 + CAST($7 AS BIGINT)) + 5000) / 10000, unit_price), stock = \
         COALESCE($4, stock), \
         low_stock_threshold = COALESCE($5, low_stock_threshold), status = COALESCE($6, status) \
         WHERE vendor_id = $1 AND status <> 'deleted' AND external_id IN ({})",
        places.join(", ")
    );
    let changes = &change.changes;
    let query = sql(text)
        .bind(vendor_id)
        .bind(changes.category.clone())
        .bind(changes.unit_price)
        .bind(changes.stock)
        .bind(changes.low_stock_threshold)
        .bind(changes.status.map(|status| status.as_str()))
        .bind(changes.unit_price_change_bps);
    let query = change.product_ids.iter().fold(query, |query, id| query.bind(id.clone()));
    Ok(tx.execute(query).await?.rows_affected())
}
