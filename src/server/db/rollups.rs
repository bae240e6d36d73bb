//! The sums that the dashboard reads. A write takes the contribution of the orders it touches out of them, changes the raw rows, and
//! puts the new contribution in, all in one transaction: `retract`, write, `add`.

use super::{DbError, Tx};

/// Which vendors' parts of orders a write touches.
pub enum Touched<'a> {
    /// `(vendor_id, order_id)` pairs, at most a few thousand.
    Orders(&'a [(i64, i64)]),
    /// Every pair in this table, which has columns `vendor_id` and `order_id`.
    Table(&'static str),
    /// Every order of one vendor.
    Vendor(i64),
}

/// Takes the contribution of these orders, as they stand now, out of the sums. Call before changing them.
pub async fn retract(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    let _ = (tx, touched);
    unreachable!("written next")
}

/// Puts the contribution of these orders, as they stand now, into the sums. Call after changing them.
pub async fn add(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    let _ = (tx, touched);
    unreachable!("written next")
}
