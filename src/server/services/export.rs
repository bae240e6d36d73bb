//! Figures as CSV. Numbers are written as numbers, amounts in the currency's major unit; texts that a spreadsheet would
//! read as a formula are made texts (OWASP, "CSV Injection").

use bytes::Bytes;

use strum::VariantNames;

use crate::{
    domain::{
        field_error::FieldError,
        money::Currency,
        snapshot::{ProductSales, Snapshot},
    },
    server::AppError,
};

/// Which figures.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    utoipa::ToSchema,
    strum::IntoStaticStr,
    strum::EnumString,
    strum::VariantNames,
)]
#[schema(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = FieldError, parse_err_fn = refuse_export_table)]
pub enum ExportTable {
    /// One row an interval, as the dashboard shows them.
    #[default]
    Series,
    /// One row a product that was sold or refunded in the range.
    Products,
}

impl ExportTable {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn refuse_export_table(text: &str) -> FieldError {
    FieldError::unknown("table", text, ExportTable::VARIANTS)
}

/// CSV, a piece at a time: each is made when the one before has been taken.
pub type Pieces = Box<dyn Iterator<Item = Result<Bytes, AppError>> + Send>;

/// Rows of one piece.
const ROWS_AT_ONCE: usize = 200;

/// The series of a snapshot; its rows sum to the snapshot's totals.
pub fn series(snapshot: Snapshot) -> Pieces {
    let currency = snapshot.currency;
    let header = ["start", "currency", "grossSales", "discounts", "returns", "netSales", "orders", "units"];
    let rows = snapshot.series.into_iter().map(move |point| {
        let amounts = [point.gross_sales, point.discounts, point.returns, point.net_sales]
            .map(|amount| currency.to_decimal(amount));
        let mut row = vec![point.start, currency.code().to_owned()];
        row.extend(amounts);
        row.extend([point.orders.to_string(), point.units.to_string()]);
        row
    });
    pieces(&header, rows)
}

/// Products with their sales; units and net sales sum to the totals of the same range.
pub fn products(products: Vec<ProductSales>, currency: Currency) -> Pieces {
    let header = ["productId", "name", "currency", "units", "netSales"];
    let rows = products.into_iter().map(move |product| {
        let amount = currency.to_decimal(product.net_sales);
        vec![
            as_text(&product.product_id),
            as_text(&product.name),
            currency.code().to_owned(),
            product.units.to_string(),
            amount,
        ]
    });
    pieces(&header, rows)
}

fn pieces(header: &[&str], rows: impl Iterator<Item = Vec<String>> + Send + 'static) -> Pieces {
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    let mut rows = std::iter::once(header).chain(rows).peekable();
    Box::new(std::iter::from_fn(move || {
        rows.peek()?;
        Some(piece(rows.by_ref().take(ROWS_AT_ONCE)))
    }))
}

pub(in crate::server) fn piece(rows: impl Iterator<Item = Vec<String>>) -> Result<Bytes, AppError> {
    let failed = |error: &dyn std::fmt::Display| AppError::Internal(format!("CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map(Bytes::from).map_err(|error| failed(&error))
}

/// A cell that no spreadsheet takes for a formula, nor any part of it where cells end with a semicolon or a tab.
pub(in crate::server) fn as_text(text: &str) -> String {
    const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];
    let mut cell = String::with_capacity(text.len() + 1);
    for part in text.split_inclusive(SEPARATORS) {
        // Blanks and quotation marks before it do not keep it from being read as one.
        if part.trim_start_matches([' ', '"', '\'']).starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            cell.push('\'');
        }
        cell.push_str(part);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(name: &str) -> ProductSales {
        ProductSales { product_id: "p-1".to_owned(), name: name.to_owned(), units: -2, net_sales: -1_250 }
    }

    fn written(products_sold: Vec<ProductSales>) -> String {
        let pieces = products(products_sold, Currency::parse("EUR").unwrap()).map(|piece| piece.unwrap().to_vec());
        String::from_utf8(pieces.collect::<Vec<_>>().concat()).unwrap()
    }

    #[test]
    fn texts_that_look_like_formulas_are_made_texts_and_numbers_stay_numbers() {
        for (name, cell) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t'=1"),
            ("Mug, \"Fog\"", "\"Mug, \"\"Fog\"\"\""),
            ("5=5", "5=5"),
            // Where cells are separated by semicolons, what follows one begins a cell.
            ("Mug;=1+1", "Mug;'=1+1"),
            ("Mug; \"@A1\"", "\"Mug;' \"\"@A1\"\"\""),
            ("Mug\t+1", "Mug\t'+1"),
            ("Mug; blue", "Mug; blue"),
        ] {
            assert_eq!(
                written(vec![product(name)]),
                format!("productId,name,currency,units,netSales\np-1,{cell},EUR,-2,-12.50\n")
            );
        }
    }

    #[test]
    fn a_long_table_comes_in_pieces_with_one_header() {
        let pieces: Vec<_> =
            products(vec![product("Mug"); 500], Currency::parse("EUR").unwrap()).map(Result::unwrap).collect();
        assert_eq!(pieces.len(), 3);
        let text = String::from_utf8(pieces.concat()).unwrap();
        assert_eq!((text.lines().count(), text.matches("productId").count()), (501, 1));
    }
}
