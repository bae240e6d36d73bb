//! Rows into domain types.

use jiff::Timestamp;
use sqlx::{Row, any::AnyRow};

use super::DbError;
use crate::domain::{catalog::Product, field_error::FieldError};

pub fn int(row: &AnyRow, column: &str) -> Result<i64, DbError> {
    Ok(row.try_get(column)?)
}

pub fn int_or_null(row: &AnyRow, column: &str) -> Result<Option<i64>, DbError> {
    Ok(row.try_get(column)?)
}

pub fn text(row: &AnyRow, column: &str) -> Result<String, DbError> {
    Ok(row.try_get(column)?)
}

/// A text that this program only ever stores in one of its own spellings.
pub fn parsed<T: std::str::FromStr<Err = FieldError>>(row: &AnyRow, column: &str) -> Result<T, DbError> {
    text(row, column)?.parse().map_err(|invalid: FieldError| DbError::Corrupt(format!("{column}: {invalid}")))
}

pub fn text_or_null(row: &AnyRow, column: &str) -> Result<Option<String>, DbError> {
    Ok(row.try_get(column)?)
}

/// As `parsed`, of a column that may be NULL.
pub fn parsed_or_null<T: std::str::FromStr<Err = FieldError>>(
    row: &AnyRow,
    column: &str,
) -> Result<Option<T>, DbError> {
    let text = text_or_null(row, column)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|invalid: FieldError| DbError::Corrupt(format!("{column}: {invalid}")))
}

/// An instant stored as microseconds since 1970.
pub fn instant(row: &AnyRow, column: &str) -> Result<Timestamp, DbError> {
    Timestamp::from_microsecond(int(row, column)?).map_err(|error| DbError::Corrupt(format!("{column}: {error}")))
}

/// Columns external_id, name, description, category, unit_price, stock, low_stock_threshold and status.
pub fn product(row: &AnyRow) -> Result<Product, DbError> {
    Ok(Product {
        product_id: text(row, "external_id")?,
        name: text(row, "name")?,
        description: text(row, "description")?,
        category: text(row, "category")?,
        unit_price: int(row, "unit_price")?,
        stock: int(row, "stock")?,
        low_stock_threshold: int_or_null(row, "low_stock_threshold")?,
        status: parsed(row, "status")?,
    })
}
