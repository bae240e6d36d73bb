//! Refunds of a bundle: never more than was sold, and the commission they give back.

use crate::{
    domain::money::MAX_AMOUNT,
    server::db::{
        DbError,
        refunds::{REFUND_MAY_NOT_BE, share_commission},
    },
};

use super::{
    ImportError, local_days,
    tables::{has_too_many_decimals, too_many_decimals},
    work::Work,
};

/// Finds the orders that are dated anew and take along the refunds that are there, and notes in `import_orders` by how
/// much. All of a bundle that was shifted do; else those of which more refunds are there by the same distance from the
/// bundle's than at the bundle's own instants: it was shifted the last time, or has been corrected as a whole. Whether
/// there are any.
pub(super) async fn find_moved(work: &mut Work<'_>, refunds: u64, is_shifted: bool) -> Result<bool, DbError> {
    let dated_anew = "FROM import_orders c CROSS JOIN orders o WHERE o.id = c.order_id AND c.placed_changed = 1";
    let by_us = if is_shifted {
        format!("SELECT c.order_id, c.placed_us - o.placed_us AS by_us {dated_anew}")
    } else if refunds > 0 {
        "SELECT c.order_id, c.placed_us - o.placed_us AS by_us
         FROM bundle_refunds b
         JOIN orders o ON o.external_id = b.order_id
         JOIN import_orders c ON c.order_id = o.id AND c.placed_changed = 1
         JOIN refunds r ON r.order_id = o.id AND r.line = b.line
         WHERE b.refunded_us - r.refunded_us IN (0, c.placed_us - o.placed_us)
         GROUP BY c.order_id, c.placed_us, o.placed_us
         HAVING SUM(CASE WHEN b.refunded_us = r.refunded_us THEN -1 ELSE 1 END) > 0"
            .to_owned()
    } else {
        return Ok(false);
    };
    let moved = work
        .run(&format!(
            "UPDATE import_orders SET refunds_by_us = n.by_us FROM ({by_us}) AS n
             WHERE import_orders.order_id = n.order_id"
        ))
        .await?;
    Ok(moved > 0)
}

/// Dates the refunds of these orders anew. By way of instants below zero, which no refund has: one refund may come to
/// where another one was. Needs `local_days::load`.
async fn write_moved(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.run(
        "UPDATE refunds SET refunded_us = -(refunds.refunded_us + c.refunds_by_us) FROM import_orders AS c
         WHERE c.refunds_by_us <> 0 AND refunds.order_id = +c.order_id",
    )
    .await?;
    let (hour, day) = (local_days::hour_us("p.moved_us"), local_days::day());
    let (local, offset) = (local_days::local_us("-r.refunded_us"), local_days::offset("-r.refunded_us"));
    work.write(&format!(
        "UPDATE refunds SET refunded_us = n.moved_us, hour_us = n.hour_us, day = n.day, month = n.month, year = n.year
         FROM (SELECT p.vendor_id, p.id, p.moved_us, {hour} AS hour_us, d.day, d.month, d.year
               FROM (SELECT r.vendor_id, r.id, -r.refunded_us AS moved_us, {local}
                     FROM import_orders c CROSS JOIN refunds r JOIN vendors v ON v.id = r.vendor_id {offset}
                     WHERE c.refunds_by_us <> 0 AND r.order_id = c.order_id) AS p
               JOIN import_days d ON d.day = {day}) AS n
         WHERE refunds.vendor_id = n.vendor_id AND refunds.id = n.id"
    ))
    .await
    .map_err(ImportError::from)
}

/// Every refund of the bundle goes to `import_refunds`, in minor units, with its `state`: 0 as it is there, 1 new, 2
/// different. A refund is known by its order, line and instant, which moves where its order does (`find_moved`). One
/// that comes without a reason keeps the one it has.
/// Needs `import_lines`.
pub(super) async fn compare(work: &mut Work<'_>, refunds: u64) -> Result<(), ImportError> {
    work.create_keyed(
        "import_refunds",
        "order_id BIGINT, line BIGINT, refunded_us BIGINT, csv_line BIGINT, vendor_id BIGINT, quantity BIGINT, amount \
         BIGINT,
         state BIGINT, reason TEXT, PRIMARY KEY (order_id, line, refunded_us)",
    )
    .await?;
    if refunds == 0 {
        return Ok(());
    }
    let amount = "b.amount / v.minor_thousandths";
    let too_many = has_too_many_decimals("amount", "amount_step");
    let resolved = work
        .run(&format!(
            "INSERT INTO import_refunds
             SELECT o.id, b.line, b.refunded_us, b.csv_line, v.id, b.quantity, {amount}, CASE
                WHEN r.id IS NULL THEN 1
                WHEN (r.quantity, r.amount) = (b.quantity, {amount}) AND b.reason IN ('', COALESCE(r.reason, '')) THEN 0
                ELSE 2 END, b.reason
             FROM bundle_refunds b
             JOIN orders o ON o.external_id = b.order_id
             LEFT JOIN import_lines l ON l.order_id = o.id AND l.line = b.line
             LEFT JOIN order_lines s ON s.order_id = o.id AND s.line = b.line
             JOIN vendors v ON v.id = COALESCE(l.vendor_id, s.vendor_id)
             LEFT JOIN import_orders c ON c.order_id = o.id
             LEFT JOIN refunds r ON r.order_id = o.id AND r.line = b.line
                AND r.refunded_us = b.refunded_us - COALESCE(c.refunds_by_us, 0)
             WHERE NOT {too_many} AND {amount} <= {MAX_AMOUNT}
             ON CONFLICT DO NOTHING"
        ))
        .await?;
    if resolved != refunds {
        refuse(work).await?;
    }
    work.analyze("import_refunds").await?;
    Ok(())
}

/// Says which refund of the bundle did not make it into `import_refunds`, and why.
async fn refuse(work: &mut Work<'_>) -> Result<(), ImportError> {
    let (too_many, message) =
        (has_too_many_decimals("amount", "amount_step"), too_many_decimals("amount", "amount_step"));
    work.refuse(
        "refunds",
        &format!(
            "SELECT b.csv_line, CASE
                WHEN o.id IS NULL THEN 'order_id: there is no order `' || b.order_id || '`'
                WHEN v.id IS NULL THEN 'line: order `' || b.order_id || '` has no line ' || CAST(b.line AS TEXT)
                WHEN {too_many} THEN {message}
                ELSE 'amount: is too large: at most {MAX_AMOUNT} minor units' END AS message
             FROM bundle_refunds b
             LEFT JOIN orders o ON o.external_id = b.order_id
             LEFT JOIN import_lines l ON l.order_id = o.id AND l.line = b.line
             LEFT JOIN order_lines s ON s.order_id = o.id AND s.line = b.line
             LEFT JOIN vendors v ON v.id = COALESCE(l.vendor_id, s.vendor_id)
             WHERE v.id IS NULL OR {too_many} OR b.amount / v.minor_thousandths > {MAX_AMOUNT}"
        ),
    )
    .await?;
    let message = "'refunded_at: order `' || order_id || '`, line ' || CAST(line AS TEXT) || ', has a refund of this \
        instant twice'";
    work.refuse_duplicates("refunds", "bundle_refunds", "order_id, line, refunded_us", message).await
}

/// Writes the refunds that are new or differ, dates those of vendors whose zone has changed, and works out the
/// commission given back. Needs `local_days::load`, and the lines as the bundle has them. `refunds_move`: those of
/// orders that are dated anew do as well.
pub(super) async fn write(work: &mut Work<'_>, refunds_move: bool) -> Result<(), ImportError> {
    if refunds_move {
        write_moved(work).await?;
    }
    let (hour, day) = (local_days::hour_us("p.refunded_us"), local_days::day());
    let (local, offset) = (local_days::local_us("r.refunded_us"), local_days::offset("r.refunded_us"));
    work.write(&format!(
        "INSERT INTO refunds (vendor_id, order_id, line, quantity, amount, commission, refunded_us, hour_us, day, \
         month, year, reason)
         SELECT p.vendor_id, p.order_id, p.line, p.quantity, p.amount, 0, p.refunded_us, {hour}, d.day, d.month, \
         d.year, NULLIF(p.reason, '')
         FROM (SELECT r.vendor_id, r.order_id, r.line, r.quantity, r.amount, r.refunded_us, r.reason, {local}
               FROM import_refunds r JOIN vendors v ON v.id = r.vendor_id {offset} WHERE r.state > 0) AS p
         JOIN import_days d ON d.day = {day}
         WHERE true
         ON CONFLICT (order_id, line, refunded_us) DO UPDATE SET quantity = excluded.quantity, amount = excluded.amount,
             reason = COALESCE(excluded.reason, refunds.reason)"
    ))
    .await?;
    work.write(&format!(
        "UPDATE refunds SET hour_us = n.hour_us, day = n.day, month = n.month, year = n.year
         FROM (SELECT p.vendor_id, p.id, {hour} AS hour_us, d.day, d.month, d.year
               FROM (SELECT r.vendor_id, r.id, r.refunded_us, {local}
                     FROM refunds r JOIN vendors v ON v.id = r.vendor_id {offset}
                     WHERE r.vendor_id IN (SELECT vendor_id FROM import_rezoned)) AS p
               JOIN import_days d ON d.day = {day}) AS n
         WHERE refunds.vendor_id = n.vendor_id AND refunds.id = n.id AND (refunds.hour_us, refunds.day) <> (n.hour_us, n.day)"
    ))
    .await?;

    work.create_keyed("import_refunded", "order_id BIGINT, line BIGINT, PRIMARY KEY (order_id, line)").await?;
    work.run(
        "INSERT INTO import_refunded
         SELECT order_id, line FROM import_refunds WHERE state > 0
         UNION SELECT l.order_id, l.line FROM import_lines l CROSS JOIN refunds r
               WHERE r.order_id = l.order_id AND r.line = l.line AND l.state = 2",
    )
    .await?;
    work.analyze("import_refunded").await?;
    refuse_more_than_sold(work).await?;
    refuse_before_their_orders(work).await?;
    work.run(&share_commission("SELECT order_id, line FROM import_refunded")).await?;
    Ok(())
}

/// Of refunds that are new or differ, and of orders that are dated anew. (A vendor that changes its zone takes both
/// along.)
async fn refuse_before_their_orders(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.refuse(
        "refunds",
        &format!(
            "SELECT b.csv_line, 'refunded_at: order `' || o.external_id || '` was placed on a later day' AS message
             FROM import_refunds b CROSS JOIN refunds r CROSS JOIN vendor_orders vo CROSS JOIN orders o
             WHERE b.state > 0 AND r.order_id = b.order_id AND r.line = b.line AND r.refunded_us = b.refunded_us
               AND vo.vendor_id = r.vendor_id AND vo.order_id = r.order_id AND o.id = r.order_id \
               AND {REFUND_MAY_NOT_BE}"
        ),
    )
    .await?;
    work.refuse(
        "orders",
        &format!(
            "SELECT b.csv_line, 'placed_at: order `' || b.order_id || '` has a refund of a day before' AS message
             FROM bundle_orders b CROSS JOIN orders o CROSS JOIN import_orders c CROSS JOIN order_lines l \
             CROSS JOIN vendor_orders vo
             CROSS JOIN refunds r
             WHERE o.external_id = b.order_id AND c.order_id = o.id AND c.placed_changed = 1 AND l.order_id = o.id
               AND vo.vendor_id = l.vendor_id AND vo.order_id = l.order_id AND r.order_id = l.order_id \
               AND r.line = l.line
               AND {REFUND_MAY_NOT_BE}"
        ),
    )
    .await
}

/// Over all refunds of a line, those there already too: not more units, and not more money, than were sold.
async fn refuse_more_than_sold(work: &mut Work<'_>) -> Result<(), ImportError> {
    let exceeded = "
        SELECT a.order_id, a.line, o.external_id, l.quantity - SUM(r.quantity) AS units_left, l.gross - l.discount - \
        SUM(r.amount) AS left_over
        FROM import_refunded a CROSS JOIN refunds r CROSS JOIN order_lines l CROSS JOIN orders o
        WHERE r.order_id = a.order_id AND r.line = a.line AND l.order_id = a.order_id AND l.line = a.line \
        AND o.id = a.order_id
        GROUP BY a.order_id, a.line, o.external_id, l.quantity, l.gross, l.discount";
    let message = |of: &str| {
        format!(
            "CASE WHEN e.units_left < 0 THEN 'quantity' ELSE '{of}' END || ': refunds of order `' || e.external_id || \
             '`, line '
             || CAST(e.line AS TEXT) || ', come to more than was sold'"
        )
    };
    // The refund of the file that comes last is the one too many; with none in the file, the line itself has become too
    // small.
    work.refuse(
        "refunds",
        &format!(
            "SELECT MAX(b.csv_line) AS csv_line, {} AS message
             FROM ({exceeded}) AS e JOIN import_refunds b ON b.order_id = e.order_id AND b.line = e.line
             WHERE b.state > 0 AND (e.units_left < 0 OR e.left_over < 0)
             GROUP BY e.order_id, e.line, e.external_id, e.units_left",
            message("amount")
        ),
    )
    .await?;
    work.refuse(
        "order_items",
        &format!(
            "SELECT b.csv_line, {} AS message
             FROM ({exceeded}) AS e JOIN import_lines b ON b.order_id = e.order_id AND b.line = e.line
             WHERE e.units_left < 0 OR e.left_over < 0",
            message("gross")
        ),
    )
    .await
}
