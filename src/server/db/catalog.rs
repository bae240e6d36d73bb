//! Products. A deleted one is absent from everything here; its sales remain.

use super::{Arguments, DbError, Tx, contains_pattern, rows, sql};
use crate::domain::catalog::{BulkChange, Product, ProductInput, ProductQuery, ProductSort};

const COLUMNS: &str = "external_id, name, description, category, unit_price, stock, low_stock_threshold, status";

/// At most `limit` products after the one that `query.after` names. `None` where `after` names none of this vendor's.
pub async fn list_products(tx: &mut Tx, vendor_id: i64, query: &ProductQuery, limit: i64) -> Result<Option<Vec<Product>>, DbError> {
    let sort = match query.sort {
        ProductSort::Name => "name",
        ProductSort::Stock => "stock",
        ProductSort::Price => "unit_price",
    };
    if let Some(after) = &query.after {
        let known = sql("SELECT id FROM products WHERE vendor_id = $1 AND external_id = $2").bind(vendor_id).bind(after.clone());
        if tx.row(known).await?.is_none() {
            return Ok(None);
        }
    }
    let mut conditions = vec!["vendor_id = $1".to_owned(), "status <> 'deleted'".to_owned()];
    let mut texts = Vec::new();
    if let Some(search) = &query.search {
        texts.push(contains_pattern(search));
        conditions.push(format!("LOWER(name) LIKE ${} ESCAPE '\\'", texts.len() + 2));
    }
    if let Some(status) = query.status {
        texts.push(status.as_str().to_owned());
        conditions.push(format!("status = ${}", texts.len() + 2));
    }
    if let Some(after) = &query.after {
        texts.push(after.clone());
        conditions.push(format!("({sort}, id) > (SELECT {sort}, id FROM products WHERE external_id = ${})", texts.len() + 2));
    }
    let text = format!("SELECT {COLUMNS} FROM products WHERE {} ORDER BY {sort}, id LIMIT $2", conditions.join(" AND "));
    let query = texts.into_iter().fold(sql(text).bind(vendor_id).bind(limit), |query, text| query.bind(text));
    tx.rows(query).await?.iter().map(rows::product).collect::<Result<_, _>>().map(Some)
}

pub async fn find_product(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<Option<Product>, DbError> {
    let query = sql(format!("SELECT {COLUMNS} FROM products WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'"))
        .bind(vendor_id)
        .bind(product_id.to_owned());
    tx.row(query).await?.as_ref().map(rows::product).transpose()
}

/// The id must be new in the whole marketplace.
pub async fn insert_product(tx: &mut Tx, vendor_id: i64, product_id: &str, input: &ProductInput) -> Result<(), DbError> {
    let text = "INSERT INTO products (vendor_id, external_id, name, description, category, unit_price, stock, low_stock_threshold, status) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.execute(bind_input(sql(text).bind(vendor_id).bind(product_id.to_owned()), input)).await?;
    Ok(())
}

/// Whether there was such a product.
pub async fn update_product(tx: &mut Tx, vendor_id: i64, product_id: &str, input: &ProductInput) -> Result<bool, DbError> {
    let text = "UPDATE products SET name = $3, description = $4, category = $5, unit_price = $6, stock = $7, low_stock_threshold = $8, \
                status = $9 WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'";
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
}

/// Whether there was such a product.
pub async fn delete_product(tx: &mut Tx, vendor_id: i64, product_id: &str) -> Result<bool, DbError> {
    let query = sql("UPDATE products SET status = 'deleted' WHERE vendor_id = $1 AND external_id = $2 AND status <> 'deleted'")
        .bind(vendor_id)
        .bind(product_id.to_owned());
    Ok(tx.execute(query).await?.rows_affected() > 0)
}

/// How many of the named products were this vendor's, and so were changed.
pub async fn change_products(tx: &mut Tx, vendor_id: i64, change: &BulkChange) -> Result<u64, DbError> {
    let places: Vec<_> = (0..change.product_ids.len()).map(|i| format!("${}", i + 7)).collect();
    let text = format!(
        "UPDATE products SET category = COALESCE($2, category), unit_price = COALESCE($3, unit_price), stock = COALESCE($4, stock), \
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
        .bind(changes.status.map(|status| status.as_str()));
    let query = change.product_ids.iter().fold(query, |query, id| query.bind(id.clone()));
    Ok(tx.execute(query).await?.rows_affected())
}
