//! Products. A deleted one is absent from everything here but `find_name`; its sales remain.

use super::{Arguments, DbError, Tx, rows, search, sql};
use crate::domain::catalog::{BulkChange, Product, ProductInput};

pub(super) const COLUMNS: &str =
    "external_id, name, description, category, unit_price, stock, low_stock_threshold, status";

pub async fn find_product(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<Option<Product>, DbError> {
    let query = sql(format!(
        "SELECT {COLUMNS} FROM products WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'"
    ))
    .bind(vendor_id)
    .bind(product_id.to_owned());
    tx.row(query).await?.as_ref().map(rows::product).transpose()
}

/// What a product is called, and whether it was deleted.
pub async fn find_name(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<Option<(String, bool)>, DbError> {
    let query = sql("SELECT name, status FROM products WHERE vendor_id = $1 AND external_id = $2")
        .bind(vendor_id)
        .bind(product_id.to_owned());
    let found = tx.row(query).await?;
    found.map(|row| Ok((rows::text(&row, "name")?, rows::text(&row, "status")? == "deleted"))).transpose()
}

/// The marketplace's ids of the product and of the products in the category that are named; of all without a name.
pub async fn list_ids(
    tx: &mut Tx,
    vendor_id: i64,
    product_id: Option<&str>,
    category: Option<&str>,
) -> Result<Vec<String>, DbError> {
    let query = sql("SELECT external_id FROM products WHERE vendor_id = $1 \
                     AND external_id = COALESCE($2, external_id) AND category = COALESCE($3, category)")
    .bind(vendor_id)
    .bind(product_id.map(str::to_owned))
    .bind(category.map(str::to_owned));
    tx.rows(query).await?.iter().map(|row| rows::text(row, "external_id")).collect()
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
