//! Marketplace bundles into the database.
//!
//! A bundle is read into temporary tables, checked there, and written in a few statements over whole tables: all in one
//! transaction, so that a bundle is in the database whole or not at all. Rows are compared before they are written:
//! what is there already, as the bundle has it, is not touched, and neither are the sums over it. What a bundle does
//! not mention stays as it is.
//!
//! The same statements take the few orders of a request, so none may go through all there are. SQLite joins in the
//! order it guesses, but tables of a `CROSS JOIN` in the order they are written in: the temporary one first.

use jiff::Timestamp;

use crate::domain::{field_error::FieldError, ingest::INSTANTS_US};

use super::db::{
    DbError, Tx,
    rollups::{self, Touched},
    sql,
};

/// Amounts, with a point or a comma.
mod amounts;
/// The files of a bundle.
pub(in crate::server) mod bundle;
/// Bytes into UTF-8.
mod decoding;
/// Which column is where.
mod header;
/// Instants into local days.
mod local_days;
/// Vendors, products and customers.
mod market;
/// Refunds, and the commission they give back.
mod refunds;
/// Orders, lines, and each vendor's part.
mod sales;
/// CSV into temporary tables.
pub(in crate::server) mod staging;
/// CSV, record by record.
mod strict_csv;
/// Columns, and what is accepted in each.
pub(in crate::server) mod tables;
/// The transaction, and its temporary tables.
pub(in crate::server) mod work;

use bundle::Bundle;
use staging::Staged;
use work::Work;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row that cannot be taken, by file and line (the header is line 1).
    #[error("{file}, line {line}: {message}")]
    Row { file: String, line: u64, message: String },
    /// What of a request cannot be taken, by its place and field.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    #[error("{file}: {message}")]
    File { file: String, message: String },
    #[error(transparent)]
    Db(#[from] DbError),
    /// The demo was asked for where somebody sells already.
    #[error("the vendors in the database are not the demo's: the demo wants an empty one (set DATABASE_URL)")]
    Occupied,
    /// A password of the demo could not be hashed.
    #[error("demo logins: {0}")]
    Password(String),
}

/// What an import found, and what of it was new or different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub vendors: u64,
    pub products: u64,
    pub customers: u64,
    pub orders: u64,
    pub lines: u64,
    pub refunds: u64,
    /// Rows written; 0 when the bundle was there already.
    pub changed: u64,
    /// Marketplace ids of the vendors whose figures or products changed.
    pub vendors_changed: Vec<String>,
    /// What was read otherwise than the form of a bundle has it, by file: `orders.csv: semicolons between fields`.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Moves every instant by the same number of days, as far as none lies in the future.
    pub shift_to_today: bool,
    /// What the files are in that do not say so by a byte order mark; UTF-8 where it is `None`.
    pub encoding: Option<&'static encoding_rs::Encoding>,
}

/// Is told how far an import is.
pub trait Progress: Send + Sync {
    /// A new phase begins, such as `order_items.csv` or `daily sums`; `total` in bytes or steps, 0 where it is not
    /// known.
    fn phase(&self, name: &str, total: u64);
    /// How much of the phase is done.
    fn done(&self, so_far: u64);
}

/// Reads a marketplace bundle into the caller's transaction, all of it or nothing. `progress` is told the phase and how
/// far it is.
pub(in crate::server) async fn import(
    tx: &mut Tx,
    mut bundle: Bundle,
    options: ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, ImportError> {
    lock_out_others(tx).await?;
    let mut work = Work::within(tx, progress);
    let vendors = stage(&mut work, &mut bundle, &tables::VENDORS).await?;
    let products = stage(&mut work, &mut bundle, &tables::PRODUCTS).await?;
    let customers = stage(&mut work, &mut bundle, &tables::CUSTOMERS).await?;
    let orders = stage(&mut work, &mut bundle, &tables::ORDERS).await?;
    let items = stage(&mut work, &mut bundle, &tables::ORDER_ITEMS).await?;
    let refunds = staging::stage(&mut work, &mut bundle, &tables::REFUNDS).await?;
    if options.shift_to_today {
        shift_to(&mut work, Timestamp::now()).await?;
    }
    let (refunds, refund_notes) = refunds.map_or((0, Vec::new()), |refunds| (refunds.rows, refunds.notes));
    let staged = [&vendors, &products, &customers, &orders, &items];
    let notes = staged
        .into_iter()
        .flat_map(|table| table.notes.iter().cloned())
        .chain(refund_notes)
        .chain(bundle.notes())
        .collect();
    let vendors_changed = write_staged(&mut work, items.rows, refunds, "SELECT id FROM vendors").await?;
    let changed = work.finish().await?;
    Ok(ImportReport {
        vendors: vendors.rows,
        products: products.rows,
        customers: customers.rows,
        orders: orders.rows,
        lines: items.rows,
        refunds,
        changed,
        vendors_changed,
        notes,
    })
}

/// One import at a time: two that bring the same new order would else both find it absent.
pub(in crate::server) async fn lock_out_others(tx: &mut Tx) -> Result<(), DbError> {
    if let Some(statement) = tx.dialect.lock_imports() {
        tx.execute(sql(statement)).await?;
    }
    Ok(())
}

/// Checks and writes what the temporary tables hold. `vendors` is a `SELECT` of the database's ids of those that may
/// change. Returns the marketplace's ids of those that did.
pub(in crate::server) async fn write_staged(
    work: &mut Work<'_>,
    items: u64,
    refunds: u64,
    vendors: &str,
) -> Result<Vec<String>, ImportError> {
    work.progress.phase("vendors, products and customers", 0);
    // From here on nobody else writes to these vendors.
    let lock = format!("SELECT id FROM vendors WHERE id IN ({vendors}) ORDER BY id{}", work.tx.dialect.for_update());
    work.tx.rows(sql(lock)).await?;
    market::write(work).await?;

    work.progress.phase("comparing orders", 0);
    sales::compare_orders(work).await?;
    sales::compare_lines(work, items).await?;
    let refunds_move = refunds::find_moved(work, refunds, work.is_shifted).await?;
    refunds::compare(work, refunds).await?;

    work.progress.phase("writing orders", 0);
    let there_before = sales::find_touched(work, refunds_move).await?;
    if there_before > 0 {
        rollups::retract(work.tx, &Touched::Table(sales::TOUCHED_BEFORE)).await?;
    }
    sales::write_orders_and_lines(work).await?;
    local_days::load(work).await?;
    sales::write_parts(work).await?;
    refunds::write(work, refunds_move).await?;

    work.progress.phase("daily sums", 0);
    if work.integer(&format!("SELECT COUNT(*) FROM {}", sales::TOUCHED)).await? > Some(0) {
        rollups::add(work.tx, &Touched::Table(sales::TOUCHED)).await?;
    }
    market::changed_vendors(work, sales::TOUCHED).await
}

/// Reads a table that every bundle has.
async fn stage(work: &mut Work<'_>, bundle: &mut Bundle, table: &'static tables::Table) -> Result<Staged, ImportError> {
    staging::stage(work, bundle, table).await?.ok_or_else(|| ImportError::File {
        file: format!("{}.csv", table.name),
        message:
            "is missing: a bundle has vendors, products, customers, orders and order_items, each as .csv or .csv.gz"
                .to_owned(),
    })
}

/// Moves every instant by the same number of days, so that the newest one is of the 24 hours before `now`.
async fn shift_to(work: &mut Work<'_>, now: Timestamp) -> Result<(), ImportError> {
    const DAY_US: i64 = 86_400_000_000;
    let instants = "SELECT placed_us AS us FROM bundle_orders UNION ALL SELECT refunded_us FROM bundle_refunds";
    let newest = work.integer(&format!("SELECT MAX(us) FROM ({instants}) AS instants")).await?;
    let Some(newest) = newest else { return Ok(()) };
    let shift = (now.as_microsecond() - newest).div_euclid(DAY_US) * DAY_US;
    work.is_shifted = true;
    work.tx.execute(sql("UPDATE bundle_orders SET placed_us = placed_us + $1").bind(shift)).await?;
    work.tx.execute(sql("UPDATE bundle_refunds SET refunded_us = refunded_us + $1").bind(shift)).await?;
    let accepted = INSTANTS_US;
    for (table, staging, instant) in
        [("orders", "bundle_orders", "placed_us"), ("refunds", "bundle_refunds", "refunded_us")]
    {
        let (first, end) = (accepted.start, accepted.end);
        work.refuse(
            table,
            &format!(
                "SELECT csv_line, 'shifted with the others to today, this is not from 1970-01-02 to 2100-12-31' \
                 AS message
                 FROM {staging} WHERE {instant} < {first} OR {instant} >= {end}"
            ),
        )
        .await?;
    }
    Ok(())
}
