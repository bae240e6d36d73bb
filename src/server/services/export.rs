//! Figures as CSV. Numbers are written as numbers, amounts in the currency's major unit; texts that a spreadsheet would
//! read as a formula are made texts (OWASP, "CSV Injection").

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{
    future::BoxFuture,
    stream::{self, BoxStream, StreamExt},
};
use jiff::Timestamp;
use strum::VariantNames;

use crate::{
    domain::{
        field_error::FieldError,
        money::Currency,
        period::{DateRange, day_from_number},
        returns::RefundReason,
        snapshot::{Narrowed, ProductSales, Snapshot, Sums},
    },
    server::{
        AppError,
        db::{
            Db, DbError, Tx,
            exports::{self, ExportLine, Place, RefundedLine, SoldLine},
        },
    },
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
    /// One row a line of an order that counts and was placed in the range.
    Orders,
    /// One row a line that was refunded in the range.
    Refunds,
    /// What is paid for each day of the range, with a last row for all of it.
    Payable,
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
pub type Pieces = BoxStream<'static, Result<Bytes, AppError>>;

/// Rows of one piece.
const ROWS_AT_ONCE: usize = 200;
/// Rows that are read from the database at a time.
const LINES_AT_ONCE: usize = 1_000;

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

/// What is paid for each day on which something was sold or refunded: rows sum to the last one, which is the snapshot's
/// totals. Of orders that do not count as sales nothing is.
pub fn payable(days: &BTreeMap<i64, Sums>, currency: Currency, is_paid: bool) -> Pieces {
    let header = [
        "date",
        "currency",
        "grossSales",
        "discounts",
        "returns",
        "netSales",
        "commission",
        "payable",
        "orders",
        "units",
    ];
    let row = move |date: String, sums: &Sums| {
        let net = sums.net_sales();
        let [commission, payable] = if is_paid { [sums.commission, net - sums.commission] } else { [0, 0] };
        let amounts = [sums.gross_sales, sums.discounts, sums.returns, net, commission, payable];
        let mut row = vec![date, currency.code().to_owned()];
        row.extend(amounts.map(|amount| currency.to_decimal(amount)));
        row.extend([sums.orders.to_string(), sums.units.to_string()]);
        row
    };
    let mut all = Sums::default();
    let mut rows = Vec::new();
    for (day, sums) in days {
        all += *sums;
        rows.push(row(day_from_number(*day).to_string(), sums));
    }
    rows.push(row("total".to_owned(), &all));
    pieces(&header, rows.into_iter())
}

/// Every line of the orders that count, or are of the status it is narrowed to, oldest first; gross, discounts and
/// commission sum to the snapshot's before what came back. Nothing is paid of those that do not count.
pub fn orders(db: Db, vendor_id: i64, range: DateRange, narrowed: Narrowed, currency: Currency) -> Pieces {
    let header = [
        "date",
        "placedAt",
        "orderId",
        "line",
        "status",
        "productId",
        "product",
        "category",
        "quantity",
        "currency",
        "gross",
        "discount",
        "net",
        "commission",
        "payable",
    ];
    let is_paid = narrowed.is_paid();
    let row = move |sold: SoldLine| {
        let net = sold.gross - sold.discount;
        let [commission, payable] = if is_paid { [sold.commission, net - sold.commission] } else { [0, 0] };
        let mut row = beginning(&sold.line);
        row.extend([sold.status, as_text(&sold.line.product_id), as_text(&sold.line.name), as_text(&sold.category)]);
        row.extend([sold.line.quantity.to_string(), currency.code().to_owned()]);
        let amounts = [sold.gross, sold.discount, net, commission, payable];
        row.extend(amounts.map(|amount| currency.to_decimal(amount)));
        row
    };
    read_on(
        db,
        &header,
        move |tx, after| {
            let narrowed = narrowed.clone();
            Box::pin(
                async move { exports::list_sold(tx, vendor_id, range, &narrowed, after.as_ref(), LINES_AT_ONCE).await },
            )
        },
        |sold: &SoldLine| &sold.line,
        row,
    )
}

/// Every line that was refunded, oldest first; amounts sum to the snapshot's returns, and what is payable for them is
/// less than nothing, or nothing where their orders do not count as sales.
pub fn refunds(db: Db, vendor_id: i64, range: DateRange, narrowed: Narrowed, currency: Currency) -> Pieces {
    let header = [
        "date",
        "refundedAt",
        "orderId",
        "line",
        "productId",
        "product",
        "quantity",
        "currency",
        "amount",
        "commission",
        "payable",
        "reason",
    ];
    let is_paid = narrowed.is_paid();
    let row = move |refunded: RefundedLine| {
        let [commission, payable] =
            if is_paid { [-refunded.commission, refunded.commission - refunded.amount] } else { [0, 0] };
        let mut row = beginning(&refunded.line);
        row.extend([as_text(&refunded.line.product_id), as_text(&refunded.line.name)]);
        row.extend([refunded.line.quantity.to_string(), currency.code().to_owned()]);
        let amounts = [refunded.amount, commission, payable];
        row.extend(amounts.map(|amount| currency.to_decimal(amount)));
        row.push(refunded.reason.map_or("", RefundReason::as_str).to_owned());
        row
    };
    read_on(
        db,
        &header,
        move |tx, after| {
            let narrowed = narrowed.clone();
            Box::pin(async move {
                exports::list_refunded(tx, vendor_id, range, &narrowed, after.as_ref(), LINES_AT_ONCE).await
            })
        },
        |refunded: &RefundedLine| &refunded.line,
        row,
    )
}

/// The day on the vendor's calendar, the instant, the order and the line.
fn beginning(line: &ExportLine) -> Vec<String> {
    let Place { us, order_id, line: number } = &line.place;
    let at = Timestamp::from_microsecond(*us).map(|at| at.to_string()).unwrap_or_default();
    vec![day_from_number(line.day).to_string(), at, as_text(order_id), number.to_string()]
}

/// Pieces that are read from the database one after the other, each behind the last: a file of any length takes the
/// memory of one of them, and no transaction waits for whoever downloads slowly.
fn read_on<T, R>(
    db: Db,
    header: &[&str],
    read: R,
    place: fn(&T) -> &ExportLine,
    row: impl Fn(T) -> Vec<String> + Clone + Send + Sync + 'static,
) -> Pieces
where
    T: Send + 'static,
    R: for<'a> Fn(&'a mut Tx, Option<Place>) -> BoxFuture<'a, Result<Vec<T>, DbError>> + Clone + Send + Sync + 'static,
{
    let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();
    stream::try_unfold(Some((Some(header), None)), move |turn| {
        let (db, read, row) = (db.clone(), read.clone(), row.clone());
        async move {
            let Some((header, after)) = turn else { return Ok(None) };
            let mut tx = db.read().await?;
            let found = read(&mut tx, after).await?;
            tx.commit().await?;
            let next = found.last().filter(|_| found.len() == LINES_AT_ONCE).map(|last| place(last).place.clone());
            let piece = piece(header.into_iter().chain(found.into_iter().map(row)))?;
            Ok(Some((piece, next.map(|after| (None, Some(after))))))
        }
    })
    .boxed()
}

fn pieces(header: &[&str], rows: impl Iterator<Item = Vec<String>> + Send + 'static) -> Pieces {
    let header = header.iter().map(|name| (*name).to_owned()).collect();
    let mut rows = std::iter::once(header).chain(rows).peekable();
    let pieces = std::iter::from_fn(move || {
        rows.peek()?;
        Some(piece(rows.by_ref().take(ROWS_AT_ONCE)))
    });
    stream::iter(pieces).boxed()
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

    fn made(pieces: Pieces) -> Vec<Bytes> {
        futures::executor::block_on(pieces.map(Result::unwrap).collect())
    }

    fn written(products_sold: Vec<ProductSales>) -> String {
        String::from_utf8(made(products(products_sold, Currency::parse("EUR").unwrap())).concat()).unwrap()
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
        let pieces = made(products(vec![product("Mug"); 500], Currency::parse("EUR").unwrap()));
        assert_eq!(pieces.len(), 3);
        let text = String::from_utf8(pieces.concat()).unwrap();
        assert_eq!((text.lines().count(), text.matches("productId").count()), (501, 1));
    }
}
