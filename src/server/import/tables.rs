//! The tables of a bundle: their columns, and what is accepted in each.

use csv::StringRecord;
use jiff::Timestamp;

use crate::domain::{
    catalog::{MAX_CATEGORY, MAX_NAME, MAX_STOCK, ProductStatus},
    clock::parse_time_zone,
    field_error::FieldError,
    ingest::{INSTANTS_US, MAX_ID},
    money::{Currency, MAX_AMOUNT, parse_thousandths},
    order_commands::MAX_QUANTITY,
    orders::OrderStatus,
};

/// One table of a bundle, and the temporary table that its rows are read into.
pub(in crate::server) struct Table {
    /// The file's name without `.csv`.
    pub name: &'static str,
    /// Columns the file must have.
    pub required: &'static [&'static str],
    /// Columns it may have.
    pub optional: &'static [&'static str],
    /// The temporary table.
    pub staging: &'static str,
    /// Its columns. The first is always the number of the line in the file.
    pub definition: &'static [&'static str],
    /// Reads one row into the cells of the temporary table, but for the line number.
    pub read: fn(&Row<'_>, &mut Vec<Cell>) -> Result<(), FieldError>,
}

/// A value of a temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Cell {
    Integer(i64),
    Text(String),
    NoInteger,
}

pub(in crate::server) const VENDORS: Table = Table {
    name: "vendors",
    required: &["vendor_id", "name", "country", "time_zone", "currency"],
    optional: &["commission_bps", "low_stock_threshold"],
    staging: "bundle_vendors",
    definition: &[
        "csv_line BIGINT",
        "vendor_id TEXT",
        "name TEXT",
        "country TEXT",
        "time_zone TEXT",
        "currency TEXT",
        "minor_thousandths BIGINT",
        "commission_bps BIGINT",
        "low_stock_threshold BIGINT",
    ],
    read: |row, cells| {
        let currency = Currency::parse(row.text("currency")?)?;
        cells.push(row.id("vendor_id")?);
        cells.push(row.line_of_text("name", MAX_NAME)?);
        cells.push(row.line_of_text("country", MAX_NAME)?);
        cells.push(row.time_zone("time_zone")?);
        cells.push(Cell::Text(currency.code().to_owned()));
        cells.push(Cell::Integer(1000 / currency.minor_units()));
        cells.push(row.optional_number("commission_bps", MAX_BPS)?);
        cells.push(row.optional_number("low_stock_threshold", MAX_STOCK)?);
        Ok(())
    },
};

pub(in crate::server) const PRODUCTS: Table = Table {
    name: "products",
    required: &["product_id", "vendor_id", "name", "category", "unit_price", "stock", "status"],
    optional: &[],
    staging: "bundle_products",
    // `unit_price` is in thousandths: only the vendor knows the currency.
    definition: &[
        "csv_line BIGINT",
        "product_id TEXT",
        "vendor_id TEXT",
        "name TEXT",
        "category TEXT",
        "unit_price BIGINT",
        "stock BIGINT",
        "status TEXT",
    ],
    read: |row, cells| {
        let status: ProductStatus = row.text("status")?.parse()?;
        cells.push(row.id("product_id")?);
        cells.push(row.id("vendor_id")?);
        cells.push(row.line_of_text("name", MAX_NAME)?);
        cells.push(row.line_of_text("category", MAX_CATEGORY)?);
        cells.push(Cell::Integer(row.thousandths("unit_price")?));
        cells.push(Cell::Integer(row.number("stock", 0, MAX_STOCK)?));
        cells.push(Cell::Text(status.as_str().to_owned()));
        Ok(())
    },
};

pub(in crate::server) const CUSTOMERS: Table = Table {
    name: "customers",
    required: &["customer_id", "name", "country"],
    optional: &[],
    staging: "bundle_customers",
    definition: &["csv_line BIGINT", "customer_id TEXT", "name TEXT", "country TEXT"],
    read: |row, cells| {
        cells.push(row.id("customer_id")?);
        cells.push(row.line_of_text("name", MAX_NAME)?);
        cells.push(row.line_of_text("country", MAX_NAME)?);
        Ok(())
    },
};

pub(in crate::server) const ORDERS: Table = Table {
    name: "orders",
    required: &["order_id", "customer_id", "placed_at", "status"],
    optional: &[],
    staging: "bundle_orders",
    definition: &["csv_line BIGINT", "order_id TEXT", "customer_id TEXT", "placed_us BIGINT", "status TEXT"],
    read: |row, cells| {
        let status: OrderStatus = row.text("status")?.parse()?;
        cells.push(row.id("order_id")?);
        cells.push(row.id("customer_id")?);
        cells.push(row.instant("placed_at")?);
        cells.push(Cell::Text(status.as_str().to_owned()));
        Ok(())
    },
};

pub(in crate::server) const ORDER_ITEMS: Table = Table {
    name: "order_items",
    required: &["order_id", "line", "product_id", "quantity", "gross", "discount"],
    optional: &[],
    staging: "bundle_items",
    // Amounts are in thousandths: only the vendor knows the currency.
    definition: &[
        "csv_line BIGINT",
        "order_id TEXT",
        "line BIGINT",
        "product_id TEXT",
        "quantity BIGINT",
        "gross BIGINT",
        "discount BIGINT",
    ],
    read: |row, cells| {
        let (gross, discount) = (row.thousandths("gross")?, row.thousandths("discount")?);
        if discount > gross {
            return Err(FieldError::new(
                "discount",
                format!("`{}` is more than the line's gross, {}", row.text("discount")?, row.text("gross")?),
            ));
        }
        cells.push(row.id("order_id")?);
        cells.push(Cell::Integer(row.number("line", 1, MAX_LINE)?));
        cells.push(row.id("product_id")?);
        cells.push(Cell::Integer(row.number("quantity", 1, MAX_QUANTITY)?));
        cells.push(Cell::Integer(gross));
        cells.push(Cell::Integer(discount));
        Ok(())
    },
};

pub(in crate::server) const REFUNDS: Table = Table {
    name: "refunds",
    required: &["order_id", "line", "quantity", "amount", "refunded_at"],
    optional: &[],
    staging: "bundle_refunds",
    // As above, `amount` is in thousandths.
    definition: &["csv_line BIGINT", "order_id TEXT", "line BIGINT", "quantity BIGINT", "amount BIGINT", "refunded_us BIGINT"],
    read: |row, cells| {
        let (quantity, amount) = (row.number("quantity", 0, MAX_QUANTITY)?, row.thousandths("amount")?);
        if quantity == 0 && amount == 0 {
            return Err(FieldError::new("amount", "must be more than 0 where quantity is 0"));
        }
        cells.push(row.id("order_id")?);
        cells.push(Cell::Integer(row.number("line", 1, MAX_LINE)?));
        cells.push(Cell::Integer(quantity));
        cells.push(Cell::Integer(amount));
        cells.push(row.instant("refunded_at")?);
        Ok(())
    },
};

/// The highest line number.
const MAX_LINE: i64 = 1_000_000_000;
/// The highest commission: all of it.
const MAX_BPS: i64 = 10_000;

/// One row of a file, its fields found by the names in the header.
pub(in crate::server) struct Row<'a> {
    pub columns: &'a [String],
    pub record: &'a StringRecord,
}

impl<'a> Row<'a> {
    fn find(&self, column: &str) -> Option<&'a str> {
        self.columns.iter().position(|name| name == column).and_then(|at| self.record.get(at))
    }

    fn text(&self, column: &str) -> Result<&'a str, FieldError> {
        // Never happens: the header has been checked, and a record is as long as the header.
        self.find(column).ok_or_else(|| FieldError::new(column, "is missing"))
    }

    fn id(&self, column: &str) -> Result<Cell, FieldError> {
        self.line_of_text(column, MAX_ID)
    }

    fn line_of_text(&self, column: &str, most: usize) -> Result<Cell, FieldError> {
        let text = self.text(column)?;
        if text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
            return Err(FieldError::new(column, format!("must be 1 to {most} characters, without control characters")));
        }
        Ok(Cell::Text(text.to_owned()))
    }

    fn number(&self, column: &str, least: i64, most: i64) -> Result<i64, FieldError> {
        let text = self.text(column)?;
        Some(text)
            // `parse` alone also takes a sign.
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| FieldError::new(column, format!("`{text}` is not a whole number from {least} to {most}")))
    }

    fn optional_number(&self, column: &str, most: i64) -> Result<Cell, FieldError> {
        match self.find(column) {
            None | Some("") => Ok(Cell::NoInteger),
            Some(_) => Ok(Cell::Integer(self.number(column, 0, most)?)),
        }
    }

    /// An amount that is not negative, in thousandths. Whether the currency has so many decimals is checked later.
    fn thousandths(&self, column: &str) -> Result<i64, FieldError> {
        let text = self.text(column)?;
        let thousandths = parse_thousandths(column, text)?;
        if thousandths < 0 || text.starts_with('-') {
            return Err(FieldError::new(column, format!("`{text}` is negative")));
        }
        if thousandths > MAX_AMOUNT * 1000 {
            return Err(FieldError::new(column, format!("`{text}` is too large: at most {MAX_AMOUNT} minor units")));
        }
        Ok(thousandths)
    }

    fn instant(&self, column: &str) -> Result<Cell, FieldError> {
        let text = self.text(column)?;
        let instant: Timestamp = text.parse().map_err(|_| {
            FieldError::new(column, format!("`{text}` is not an instant as RFC 3339 writes it, such as 2026-03-01T09:30:00Z"))
        })?;
        let microseconds = instant.as_microsecond();
        if !INSTANTS_US.contains(&microseconds) {
            return Err(FieldError::new(column, format!("`{text}` is not from 1970-01-02 to 2100-12-31")));
        }
        Ok(Cell::Integer(microseconds))
    }

    fn time_zone(&self, column: &str) -> Result<Cell, FieldError> {
        parse_time_zone(column, self.text(column)?).map(Cell::Text)
    }
}
