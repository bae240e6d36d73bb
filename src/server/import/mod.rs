//! Marketplace bundles into the database, and the demo marketplace.

use std::path::Path;

use super::db::{Db, DbError};

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A row that cannot be taken, by file and line (the header is line 1).
    #[error("{file}, line {line}: {message}")]
    Row { file: String, line: u64, message: String },
    #[error("{file}: {message}")]
    File { file: String, message: String },
    #[error(transparent)]
    Db(#[from] DbError),
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
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// Moves every instant by the same number of days, so that the newest order is of today.
    pub shift_to_today: bool,
}

/// Reads a marketplace bundle (`*.csv` or `*.csv.gz`), all of it or nothing. `progress` is told the phase and how far it is.
pub async fn import_bundle(db: &Db, folder: &Path, options: ImportOptions, progress: &dyn Progress) -> Result<ImportReport, ImportError> {
    let _ = (db, folder, options, progress);
    todo!()
}

/// Is told how far an import is.
pub trait Progress: Send + Sync {
    /// A new phase begins, such as `order_items.csv` or `daily sums`; `total` in bytes or steps, 0 where it is not known.
    fn phase(&self, name: &str, total: u64);
    /// How much of the phase is done.
    fn done(&self, so_far: u64);
}

/// A login of the demo marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoLogin {
    pub email: String,
    pub password: String,
    /// Such as `admin` or `vendor: Nordlicht Keramik (EUR, Europe/Berlin)`.
    pub who: String,
}

/// Fills an empty database with a lively, deterministic marketplace that ends today. On a database with vendors in it: an error
/// that says so, unless they are the demo's own, in which case nothing is done but to return the logins.
pub async fn demo(db: &Db, today: jiff::civil::Date, progress: &dyn Progress) -> Result<Vec<DemoLogin>, ImportError> {
    let _ = (db, today, progress);
    todo!()
}
