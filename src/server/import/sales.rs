//! Orders and their lines: checked, compared with what is there, then written, each vendor's part with its local day.

use crate::{domain::money::MAX_AMOUNT, server::db::refunds};

use super::{
    ImportError, local_days,
    tables::{has_too_many_decimals, too_many_decimals},
    work::Work,
};

/// Pairs of vendor and order that the bundle adds or changes.
pub(super) const TOUCHED: &str = "import_touched";
/// Those of them that are there already.
pub(super) const TOUCHED_BEFORE: &str = "import_touched_before";

/// Orders that are there already and differ go to `import_orders`; those that are new are written, so that they have
/// ids. (`refunds_by_us` is `refunds::find_moved`'s.)
pub(super) async fn compare_orders(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.refuse_duplicates(
        "orders",
        "bundle_orders",
        "order_id",
        "'order_id: `' || order_id || '` is in this file twice'",
    )
    .await?;
    work.refuse(
        "orders",
        "SELECT b.csv_line, CASE
            WHEN c.id IS NULL THEN 'customer_id: there is no customer `' || b.customer_id || '`'
            ELSE 'customer_id: order `' || b.order_id || '` belongs to another customer already' END AS message
         FROM bundle_orders b
         LEFT JOIN customers c ON c.external_id = b.customer_id
         LEFT JOIN orders o ON o.external_id = b.order_id
         WHERE c.id IS NULL OR o.customer_id <> c.id",
    )
    .await?;
    work.create_keyed(
        "import_orders",
        "order_id BIGINT PRIMARY KEY, placed_us BIGINT, status TEXT, placed_changed BIGINT, status_changed BIGINT, \
         refunds_by_us BIGINT",
    )
    .await?;
    work.run(
        "INSERT INTO import_orders
         SELECT o.id, b.placed_us, b.status, CASE WHEN o.placed_us <> b.placed_us THEN 1 ELSE 0 END,
                CASE WHEN o.status <> b.status THEN 1 ELSE 0 END, 0
         FROM bundle_orders b JOIN orders o ON o.external_id = b.order_id
         WHERE (o.placed_us, o.status) <> (b.placed_us, b.status)",
    )
    .await?;
    work.analyze("import_orders").await?;
    work.write(
        "INSERT INTO orders (external_id, customer_id, placed_us, status)
         SELECT b.order_id, c.id, b.placed_us, b.status
         FROM bundle_orders b
         JOIN customers c ON c.external_id = b.customer_id
         LEFT JOIN orders o ON o.external_id = b.order_id
         WHERE o.id IS NULL ORDER BY b.csv_line",
    )
    .await?;
    Ok(())
}

/// Every line of the bundle goes to `import_lines`, in minor units, with its `state`: 0 as it is there, 1 new, 2
/// different; and with the rate of its commission: what it was sold at, where it is there, else its vendor's of today.
pub(super) async fn compare_lines(work: &mut Work<'_>, items: u64) -> Result<(), ImportError> {
    work.create_keyed(
        "import_lines",
        "order_id BIGINT, line BIGINT, csv_line BIGINT, vendor_id BIGINT, product_id BIGINT, quantity BIGINT, gross \
         BIGINT,
         discount BIGINT, state BIGINT, commission_bps BIGINT, PRIMARY KEY (order_id, line)",
    )
    .await?;
    let (gross, discount) = ("b.gross / v.minor_thousandths", "b.discount / v.minor_thousandths");
    let (gross_decimals, discount_decimals) =
        (has_too_many_decimals("gross", "gross_step"), has_too_many_decimals("discount", "discount_step"));
    let sold_at = refunds::agreed_rate("s.commission", "s.gross - s.discount", "v.commission_bps");
    let resolved = work
        .run(&format!(
            "INSERT INTO import_lines
             SELECT o.id, b.line, b.csv_line, p.vendor_id, p.id, b.quantity, {gross}, {discount}, CASE
                WHEN s.line IS NULL THEN 1
                WHEN (s.product_id, s.quantity, s.gross, s.discount) = (p.id, b.quantity, {gross}, {discount}) THEN 0
                ELSE 2 END, CASE WHEN s.line IS NULL THEN v.commission_bps ELSE {sold_at} END
             FROM bundle_items b
             JOIN orders o ON o.external_id = b.order_id
             JOIN products p ON p.external_id = b.product_id
             JOIN vendors v ON v.id = p.vendor_id
             LEFT JOIN order_lines s ON s.order_id = o.id AND s.line = b.line
             WHERE NOT {gross_decimals} AND NOT {discount_decimals} AND {gross} <= {MAX_AMOUNT}
               AND (s.vendor_id IS NULL OR s.vendor_id = p.vendor_id)
             ON CONFLICT DO NOTHING"
        ))
        .await?;
    if resolved != items {
        refuse_lines(work).await?;
    }
    work.analyze("import_lines").await?;
    Ok(())
}

/// Says which line of the bundle did not make it into `import_lines`, and why.
async fn refuse_lines(work: &mut Work<'_>) -> Result<(), ImportError> {
    let (gross_decimals, gross_message) =
        (has_too_many_decimals("gross", "gross_step"), too_many_decimals("gross", "gross_step"));
    let (discount_decimals, discount_message) =
        (has_too_many_decimals("discount", "discount_step"), too_many_decimals("discount", "discount_step"));
    work.refuse(
        "order_items",
        &format!(
            "SELECT b.csv_line, CASE
                WHEN o.id IS NULL THEN 'order_id: there is no order `' || b.order_id || '`'
                WHEN p.id IS NULL THEN 'product_id: there is no product `' || b.product_id || '`'
                WHEN s.vendor_id <> p.vendor_id THEN 'product_id: this line was sold by another vendor'
                WHEN {gross_decimals} THEN {gross_message}
                WHEN {discount_decimals} THEN {discount_message}
                ELSE 'gross: is too large: at most {MAX_AMOUNT} minor units' END AS message
             FROM bundle_items b
             LEFT JOIN orders o ON o.external_id = b.order_id
             LEFT JOIN products p ON p.external_id = b.product_id
             LEFT JOIN vendors v ON v.id = p.vendor_id
             LEFT JOIN order_lines s ON s.order_id = o.id AND s.line = b.line
             WHERE o.id IS NULL OR p.id IS NULL OR s.vendor_id <> p.vendor_id OR {gross_decimals} OR {discount_decimals}
                OR b.gross / v.minor_thousandths > {MAX_AMOUNT}"
        ),
    )
    .await?;
    let message = "'line: order `' || order_id || '` has line ' || CAST(line AS TEXT) || ' in this file twice'";
    work.refuse_duplicates("order_items", "bundle_items", "order_id, line", message).await
}

/// Finds the pairs of vendor and order that change, and says how many. `refunds_move`: those of orders that are dated
/// anew do as well.
pub(super) async fn find_touched(work: &mut Work<'_>, refunds_move: bool) -> Result<i64, ImportError> {
    for table in [TOUCHED, TOUCHED_BEFORE] {
        work.create_keyed(table, "vendor_id BIGINT, order_id BIGINT, PRIMARY KEY (vendor_id, order_id)").await?;
    }
    work.run(&format!(
        "INSERT INTO {TOUCHED} SELECT vendor_id, order_id FROM import_lines WHERE state > 0
         GROUP BY vendor_id, order_id ORDER BY vendor_id, order_id"
    ))
    .await?;
    for pairs in [
        "SELECT vendor_id, order_id FROM import_refunds WHERE state > 0 GROUP BY vendor_id, order_id",
        // A vendor's part follows the marketplace's date and status only where those have changed since they were last
        // imported.
        "SELECT s.vendor_id, s.order_id
         FROM import_orders c CROSS JOIN order_lines l CROSS JOIN vendor_orders s
         WHERE l.order_id = c.order_id AND s.vendor_id = l.vendor_id AND s.order_id = l.order_id
           AND ((c.placed_changed = 1 AND s.placed_us <> c.placed_us) OR (c.status_changed = 1 \
           AND s.status <> c.status))
         GROUP BY s.vendor_id, s.order_id",
        "SELECT s.vendor_id, s.order_id FROM vendor_orders s WHERE s.vendor_id IN (SELECT vendor_id \
         FROM import_rezoned)",
    ] {
        work.run(&format!("INSERT INTO {TOUCHED} {pairs} ON CONFLICT DO NOTHING")).await?;
    }
    if refunds_move {
        work.run(&format!(
            "INSERT INTO {TOUCHED}
             SELECT r.vendor_id, r.order_id FROM import_orders c CROSS JOIN refunds r
             WHERE c.refunds_by_us <> 0 AND r.order_id = c.order_id GROUP BY r.vendor_id, r.order_id
             ON CONFLICT DO NOTHING"
        ))
        .await?;
    }
    work.analyze(TOUCHED).await?;
    work.run(&format!(
        "INSERT INTO {TOUCHED_BEFORE}
         SELECT t.vendor_id, t.order_id FROM {TOUCHED} t CROSS JOIN vendor_orders s
         WHERE s.vendor_id = t.vendor_id AND s.order_id = t.order_id"
    ))
    .await?;
    work.analyze(TOUCHED_BEFORE).await?;
    Ok(work.integer(&format!("SELECT COUNT(*) FROM {TOUCHED_BEFORE}")).await?.unwrap_or(0))
}

/// Writes the orders that differ, and all lines that are new or differ.
pub(super) async fn write_orders_and_lines(work: &mut Work<'_>) -> Result<(), ImportError> {
    // `+`: not by an index, so that SQLite goes from what has changed to the orders.
    work.write(
        "UPDATE orders SET placed_us = c.placed_us, status = c.status FROM import_orders AS c \
        WHERE orders.id = +c.order_id",
    )
    .await?;
    // The commission was agreed when the line was sold: where its amounts are corrected, at the rate of then.
    let commission = refunds::commission("l.gross - l.discount", "l.commission_bps");
    work.write(&format!(
        "UPDATE order_lines SET product_id = l.product_id, quantity = l.quantity, gross = l.gross,
                discount = l.discount, commission = {commission}
         FROM import_lines AS l
         WHERE l.state = 2 AND order_lines.order_id = +l.order_id AND order_lines.line = +l.line"
    ))
    .await?;
    // Nobody else adds the same lines meanwhile: imports go one at a time.
    work.write(&format!(
        "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission)
         SELECT l.order_id, l.line, l.vendor_id, l.product_id, l.quantity, l.gross, l.discount, {commission}
         FROM import_lines l
         WHERE l.state = 1
         ORDER BY l.order_id, l.line"
    ))
    .await?;
    Ok(())
}

/// Writes the touched parts. Needs `local_days::load`, and the orders as the bundle has them.
pub(super) async fn write_parts(work: &mut Work<'_>) -> Result<(), ImportError> {
    let (local, offset) = (local_days::local_us("n.placed_us"), local_days::offset("n.placed_us"));
    let (hour, day) = (local_days::hour_us("p.placed_us"), local_days::day());
    work.write(&format!(
        "INSERT INTO vendor_orders (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, year)
         SELECT p.vendor_id, p.order_id, p.customer_id, p.status, p.placed_us, {hour}, d.day, d.month, d.year
         FROM (SELECT n.vendor_id, n.order_id, n.customer_id, n.placed_us, n.status, {local}
               FROM (SELECT t.vendor_id, t.order_id, o.customer_id,
                            CASE WHEN s.status IS NULL OR c.placed_changed = 1 THEN o.placed_us \
                            ELSE s.placed_us END AS placed_us,
                            CASE WHEN s.status IS NULL OR c.status_changed = 1 THEN o.status ELSE s.status END AS status
                     FROM {TOUCHED} t
                     JOIN orders o ON o.id = t.order_id
                     LEFT JOIN vendor_orders s ON s.vendor_id = t.vendor_id AND s.order_id = t.order_id
                     LEFT JOIN import_orders c ON c.order_id = t.order_id) AS n
               JOIN vendors v ON v.id = n.vendor_id {offset}) AS p
         JOIN import_days d ON d.day = {day}
         WHERE true
         ORDER BY p.vendor_id, p.order_id
         ON CONFLICT (vendor_id, order_id) DO UPDATE SET status = excluded.status, placed_us = excluded.placed_us,
                hour_us = excluded.hour_us, day = excluded.day, month = excluded.month, year = excluded.year
         WHERE (vendor_orders.status, vendor_orders.placed_us, vendor_orders.hour_us, vendor_orders.day)
            <> (excluded.status, excluded.placed_us, excluded.hour_us, excluded.day)"
    ))
    .await?;
    Ok(())
}
