//! Refunds, and the commission they give back. Raw rows only: the sums beside them are the caller's to keep
//! (`rollups`).

use super::{DbError, Tx, moment::Moment, rows, sql};
use crate::domain::{allocation::WHOLE_BPS, orders::OrderRefund, refund_commands::RefundedLine, returns::RefundReason};

/// The lines of an order that have a refund of this very instant already.
pub async fn lines_refunded_at(tx: &mut Tx, order_id: i64, refunded_us: i64) -> Result<Vec<i64>, DbError> {
    let query =
        sql("SELECT line FROM refunds WHERE order_id = $1 AND refunded_us = $2").bind(order_id).bind(refunded_us);
    tx.rows(query).await?.iter().map(|row| rows::int(row, "line")).collect()
}

/// The day of the first refund of this vendor's part of an order, if there is one.
pub async fn first_day(tx: &mut Tx, vendor_id: i64, order_id: i64) -> Result<Option<i64>, DbError> {
    let query = sql("SELECT MIN(day) AS first FROM refunds WHERE order_id = $1 AND vendor_id = $2")
        .bind(order_id)
        .bind(vendor_id);
    Ok(tx.row(query).await?.map(|row| rows::int_or_null(&row, "first")).transpose()?.flatten())
}

/// SQL for what `refund_commands::refund_may_be_of` refuses, of a refund `r` and its vendor's part of the order `vo`.
pub const REFUND_MAY_NOT_BE: &str = "r.day < vo.day";

/// How a vendor's own refund was made.
pub struct Terms {
    pub at: Moment,
    pub reason: Option<RefundReason>,
}

/// Notes what is given back of each line, and shares the commission out anew over all refunds of these lines.
pub async fn insert_refunds(
    tx: &mut Tx,
    vendor_id: i64,
    order_id: i64,
    lines: &[RefundedLine],
    terms: &Terms,
) -> Result<(), DbError> {
    for line in lines {
        let query = sql(
            "INSERT INTO refunds (vendor_id, order_id, line, quantity, amount, restocked, commission, refunded_us, \
             hour_us, day, month, \
                                  year, reason) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12)",
        );
        let numbers = [vendor_id, order_id, line.line, line.quantity, line.amount, line.restocked];
        let numbers = numbers.into_iter().chain(terms.at.numbers());
        let query = numbers.fold(query, |query, number| query.bind(number));
        tx.execute(query.bind(terms.reason.map(RefundReason::as_str))).await?;
    }
    share_commission_of(tx, vendor_id, order_id).await
}

async fn share_commission_of(tx: &mut Tx, vendor_id: i64, order_id: i64) -> Result<(), DbError> {
    let lines = "SELECT order_id, line FROM order_lines WHERE order_id = $1 AND vendor_id = $2";
    tx.execute(sql(share_commission(lines)).bind(order_id).bind(vendor_id)).await?;
    Ok(())
}

/// What a refund of one instant put back into stock, line by line; `None` where the marketplace noted it.
pub struct Restocked {
    pub line: i64,
    pub units: Option<i64>,
}

pub async fn find_restocked(
    tx: &mut Tx,
    vendor_id: i64,
    order_id: i64,
    refunded_us: i64,
) -> Result<Vec<Restocked>, DbError> {
    let query = sql("SELECT line, restocked FROM refunds WHERE order_id = $1 AND vendor_id = $2 AND refunded_us = $3")
        .bind(order_id)
        .bind(vendor_id)
        .bind(refunded_us);
    let found = tx.rows(query).await?;
    let restocked = found
        .iter()
        .map(|row| Ok(Restocked { line: rows::int(row, "line")?, units: rows::int_or_null(row, "restocked")? }));
    restocked.collect()
}

/// Forgets what was given back at one instant, and shares the commission out anew over what is left.
pub async fn delete_refunds(tx: &mut Tx, vendor_id: i64, order_id: i64, refunded_us: i64) -> Result<(), DbError> {
    let query = sql("DELETE FROM refunds WHERE order_id = $1 AND vendor_id = $2 AND refunded_us = $3")
        .bind(order_id)
        .bind(vendor_id)
        .bind(refunded_us);
    tx.execute(query).await?;
    share_commission_of(tx, vendor_id, order_id).await
}

/// All refunds of one vendor's part of an order, in the order they were made.
pub async fn list_of_order(tx: &mut Tx, vendor_id: i64, order_id: i64) -> Result<Vec<OrderRefund>, DbError> {
    let query = sql("SELECT line, quantity, amount, refunded_us, reason FROM refunds \
                     WHERE order_id = $1 AND vendor_id = $2 ORDER BY refunded_us, line")
    .bind(order_id)
    .bind(vendor_id);
    let found = tx.rows(query).await?;
    let refunds = found.iter().map(|row| {
        Ok(OrderRefund {
            line: rows::int(row, "line")?,
            quantity: rows::int(row, "quantity")?,
            amount: rows::int(row, "amount")?,
            refunded_at: rows::instant(row, "refunded_us")?,
            reason: rows::parsed_or_null(row, "reason")?,
        })
    });
    refunds.collect()
}

/// SQL for `domain::allocation::commission`, for lines that never leave the database.
pub fn commission(net: &str, rate_bps: &str) -> String {
    format!("(({net}) * {rate_bps} + {}) / {WHOLE_BPS}", WHOLE_BPS / 2)
}

/// SQL for the rate that a line was sold at, in hundredths of a percent, told by its commission: today's, where that
/// comes to the same, else the nearest. For the same `net` it comes to this commission again. Where `net` is 10,000
/// minor units or more, no other rate does.
pub fn agreed_rate(commission_then: &str, net: &str, rate_today: &str) -> String {
    let today = commission(net, rate_today);
    format!(
        "CASE WHEN {today} = {commission_then} THEN {rate_today} \
         ELSE ({commission_then} * {WHOLE_BPS} + ({net}) / 2) / ({net}) END"
    )
}

/// The statement that shares the commission of `lines`, a `SELECT order_id, line`, out over all of their refunds.
///
/// A refund gives back the share of the line's commission that all refunds up to it come to, rounded, less what those
/// before it gave back. So the shares never come to more than the commission, and a line refunded in full gives back
/// all of it.
pub fn share_commission(lines: &str) -> String {
    let upto = proportion("commission", "refunded", "net");
    format!(
        "UPDATE refunds SET commission = n.commission \
         FROM (SELECT id, upto - COALESCE(LAG(upto) OVER (PARTITION BY order_id, line \
         ORDER BY refunded_us), 0) AS commission \
               FROM (SELECT id, order_id, line, refunded_us, CASE WHEN net = 0 THEN 0 ELSE {upto} END AS upto \
                     FROM (SELECT r.id, r.order_id, r.line, r.refunded_us, l.commission, l.gross - l.discount AS net, \
                                  CAST(SUM(r.amount) OVER (PARTITION BY r.order_id, r.line \
                                  ORDER BY r.refunded_us) AS BIGINT) AS refunded \
                           FROM ({lines}) AS a CROSS JOIN refunds r CROSS JOIN order_lines l \
                           WHERE r.order_id = a.order_id AND r.line = a.line AND l.order_id = a.order_id \
                           AND l.line = a.line) AS amounts) \
                     AS shares) AS n \
         WHERE refunds.id = n.id AND refunds.commission <> n.commission"
    )
}

/// SQL for `whole * part / of`, rounded to the nearest, of integers that are not negative with `whole` and `part` at
/// most `of` and `of` at most `MAX_AMOUNT`. The product may be beyond 64 bits, so `part` is split into millions and the
/// rest: long division in two digits, of which each step stays below 2^63.
fn proportion(whole: &str, part: &str, of: &str) -> String {
    let millions = format!("{whole} * ({part} / 1000000)");
    format!(
        "({millions}) / {of} * 1000000 + ((({millions}) % {of}) * 1000000 + {whole} * ({part} % 1000000) + {of} / 2) \
         / {of}"
    )
}
