//! Products. A deleted one is absent from everything here but `find_name`; its sales remain.

use std::collections::{HashMap, HashSet};

use super::{Arguments, DbError, Parameters, Tx, rows, search, sql};
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

/// Those of these products that are there, by the marketplace's ids.
pub async fn find_products(tx: &mut Tx, vendor_id: i64, ids: &[&str]) -> Result<HashMap<String, Product>, DbError> {
    let mut parameters = Parameters::default();
    let named = named(vendor_id, ids, &mut parameters);
    let text = format!("SELECT {COLUMNS} FROM products WHERE {named} AND status <> 'deleted'");
    let found = tx.rows(parameters.bind(text)).await?;
    found.iter().map(|row| Ok((rows::text(row, "external_id")?, rows::product(row)?))).collect()
}

/// Which of these products, deleted ones too, are in the category, by the marketplace's ids.
pub async fn list_in_category(
    tx: &mut Tx,
    vendor_id: i64,
    ids: &[&str],
    category: &str,
) -> Result<HashSet<String>, DbError> {
    let mut parameters = Parameters::default();
    let (named, category) = (named(vendor_id, ids, &mut parameters), parameters.text(category));
    let text = format!("SELECT external_id FROM products WHERE {named} AND category = {category}");
    tx.rows(parameters.bind(text)).await?.iter().map(|row| rows::text(row, "external_id")).collect()
}

/// That a product is one of these of a vendor; there must be some.
pub(super) fn named(vendor_id: i64, ids: &[&str], parameters: &mut Parameters) -> String {
    let vendor = parameters.int(vendor_id);
    let places: Vec<_> = ids.iter().map(|id| parameters.text(*id)).collect();
    format!("vendor_id = {vendor} AND external_id IN ({})", places.join(", "))
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
