//! The tables of a bundle: their columns, and what is accepted in each.

use crate::domain::{
    allocation::WHOLE_BPS,
    catalog::{MAX_CATEGORY, MAX_NAME, MAX_STOCK, ProductStatus},
    clock::{parse_instant, parse_time_zone},
    field_error::FieldError,
    ingest::INSTANTS_US,
    money::{Currency, Decimal},
    order_commands::MAX_QUANTITY,
    orders::OrderStatus,
    returns::RefundReason,
    text::{check_id, read_line, shown},
};

use super::{amounts::Amounts, strict_csv::Record};

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
    pub read: fn(&mut Row<'_>, &mut Vec<Cell>) -> Result<(), FieldError>,
}

/// A value of a temporary table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Cell {
    Integer(i64),
    Text(String),
    NoInteger,
}

/// Every table that a bundle may have.
pub(in crate::server) const ALL: [&Table; 6] = [&VENDORS, &PRODUCTS, &CUSTOMERS, &ORDERS, &ORDER_ITEMS, &REFUNDS];

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
    // `unit_price` is in thousandths: only the vendor knows the currency. `price_step` is the least that another last
    // digit of it would have changed: 1000 without decimals, 1 with three. A step below the currency's minor unit is
    // one decimal too many.
    definition: &[
        "csv_line BIGINT",
        "product_id TEXT",
        "vendor_id TEXT",
        "name TEXT",
        "category TEXT",
        "unit_price BIGINT",
        "price_step BIGINT",
        "stock BIGINT",
        "status TEXT",
    ],
    read: |row, cells| {
        let status: ProductStatus = row.text("status")?.parse()?;
        cells.push(row.id("product_id")?);
        cells.push(row.id("vendor_id")?);
        cells.push(row.line_of_text("name", MAX_NAME)?);
        cells.push(row.line_of_text("category", MAX_CATEGORY)?);
        cells.extend(cells_of(row.amount("unit_price")?));
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
    // Amounts are in thousandths, and have steps, as `unit_price` has.
    definition: &[
        "csv_line BIGINT",
        "order_id TEXT",
        "line BIGINT",
        "product_id TEXT",
        "quantity BIGINT",
        "gross BIGINT",
        "gross_step BIGINT",
        "discount BIGINT",
        "discount_step BIGINT",
    ],
    read: |row, cells| {
        let (gross, discount) = (row.amount("gross")?, row.amount("discount")?);
        if discount.thousandths > gross.thousandths {
            return Err(FieldError::new(
                "discount",
                format!(
                    "`{}` is more than the line's gross, {}",
                    shown(row.text("discount")?),
                    shown(row.text("gross")?)
                ),
            ));
        }
        cells.push(row.id("order_id")?);
        cells.push(Cell::Integer(row.number("line", 1, MAX_LINE)?));
        cells.push(row.id("product_id")?);
        cells.push(Cell::Integer(row.number("quantity", 1, MAX_QUANTITY)?));
        cells.extend(cells_of(gross));
        cells.extend(cells_of(discount));
        Ok(())
    },
};

pub(in crate::server) const REFUNDS: Table = Table {
    name: "refunds",
    required: &["order_id", "line", "quantity", "amount", "refunded_at"],
    optional: &["reason"],
    staging: "bundle_refunds",
    // As above, `amount` is in thousandths, and has a step.
    definition: &[
        "csv_line BIGINT",
        "order_id TEXT",
        "line BIGINT",
        "quantity BIGINT",
        "amount BIGINT",
        "amount_step BIGINT",
        "refunded_us BIGINT",
        "reason TEXT",
    ],
    read: |row, cells| {
        let (quantity, amount) = (row.number("quantity", 0, MAX_QUANTITY)?, row.amount("amount")?);
        if quantity == 0 && amount.thousandths == 0 {
            return Err(FieldError::new("amount", "must be more than 0 where quantity is 0"));
        }
        cells.push(row.id("order_id")?);
        cells.push(Cell::Integer(row.number("line", 1, MAX_LINE)?));
        cells.push(Cell::Integer(quantity));
        cells.extend(cells_of(amount));
        cells.push(row.instant("refunded_at")?);
        // Empty where the file does not say.
        let reason = RefundReason::parse_optional(row.find("reason").unwrap_or_default())?;
        cells.push(Cell::Text(reason.map_or("", RefundReason::as_str).to_owned()));
        Ok(())
    },
};

/// The highest line number.
const MAX_LINE: i64 = 1_000_000_000;
/// The highest commission: all of it.
const MAX_BPS: i64 = WHOLE_BPS;

/// SQL for an amount with more decimals than its vendor's currency has, by its column in a temporary table and the
/// column of its step. `100.00` of a currency without decimals is what a bundle of two decimals throughout has, and can
/// be read in one way only.
pub(super) fn has_too_many_decimals(field: &str, step: &str) -> String {
    format!("(b.{step} < v.minor_thousandths AND NOT (b.{step} = 10 AND b.{field} % 1000 = 0))")
}

/// SQL for what is said of such an amount, with the amount as it was seen.
pub(super) fn too_many_decimals(field: &str, step: &str) -> String {
    let decimals = format!("(CASE b.{step} WHEN 1 THEN 3 WHEN 10 THEN 2 ELSE 1 END)");
    let seen = format!(
        "CAST(b.{field} / 1000 AS TEXT) || '.' || SUBSTR(CAST(1000 + b.{field} % 1000 AS TEXT), 2, {decimals})"
    );
    let has = "CASE v.minor_thousandths WHEN 1 THEN '3' WHEN 10 THEN '2' ELSE '0' END";
    format!("'{field}: `' || {seen} || '` has more decimals than ' || v.currency || ' has (' || {has} || ')'")
}

/// An amount in thousandths, and its step.
fn cells_of(amount: Decimal) -> [Cell; 2] {
    [Cell::Integer(amount.thousandths), Cell::Integer(10_i64.pow(3 - amount.decimals.min(3)))]
}

/// The step of amounts that were sent in minor units, and so have no decimals too many.
pub(in crate::server) const NO_STEP: Cell = Cell::Integer(1000);

/// One row of a file, its fields found by the names in the header.
pub(in crate::server) struct Row<'a> {
    pub columns: &'a [String],
    pub record: &'a Record,
    pub amounts: &'a mut Amounts,
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
        let id = self.text(column)?;
        check_id(column, id).map(|()| Cell::Text(id.to_owned()))
    }

    fn line_of_text(&self, column: &str, most: usize) -> Result<Cell, FieldError> {
        read_line(column, self.text(column)?, most).map(Cell::Text)
    }

    fn number(&self, column: &str, least: i64, most: i64) -> Result<i64, FieldError> {
        let text = self.text(column)?;
        Some(text)
            // `parse` alone also takes a sign.
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                FieldError::new(column, format!("`{}` is not a whole number from {least} to {most}", shown(text)))
            })
    }

    fn optional_number(&self, column: &str, most: i64) -> Result<Cell, FieldError> {
        match self.find(column) {
            None | Some("") => Ok(Cell::NoInteger),
            Some(_) => Ok(Cell::Integer(self.number(column, 0, most)?)),
        }
    }

    /// An amount that is not negative. Whether the currency has so many decimals is checked later.
    fn amount(&mut self, column: &str) -> Result<Decimal, FieldError> {
        let text = self.text(column)?;
        self.amounts.read(self.record.line, column, text)
    }

    fn instant(&self, column: &str) -> Result<Cell, FieldError> {
        let text = self.text(column)?;
        let microseconds = parse_instant(column, text)?.as_microsecond();
        if !INSTANTS_US.contains(&microseconds) {
            return Err(FieldError::new(column, format!("`{}` is not from 1970-01-02 to 2100-12-31", shown(text))));
        }
        Ok(Cell::Integer(microseconds))
    }

    fn time_zone(&self, column: &str) -> Result<Cell, FieldError> {
        parse_time_zone(column, self.text(column)?).map(Cell::Text)
    }
}
