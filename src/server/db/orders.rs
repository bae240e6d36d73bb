//! Orders, one vendor's part at a time.

use super::{DbError, Tx, rows, sql};
use crate::domain::orders::{Order, OrderLine, OrderStatus, OrderSummary};

/// At most `limit` orders, newest first, after the one that `after` names. `None` where `after` names none of this vendor's.
pub async fn list_orders(
    tx: &mut Tx,
    vendor_id: i64,
    status: Option<OrderStatus>,
    after: Option<&str>,
    limit: i64,
) -> Result<Option<Vec<OrderSummary>>, DbError> {
    let mut conditions = vec!["vo.vendor_id = $1".to_owned()];
    let mut numbers = Vec::new();
    if let Some(after) = after {
        let Some((order_id, placed_us)) = find_position(tx, vendor_id, after).await? else { return Ok(None) };
        numbers.extend([placed_us, order_id]);
        conditions.push("(vo.placed_us, vo.order_id) < ($3, $4)".to_owned());
    }
    if status.is_some() {
        conditions.push(format!("vo.status = ${}", numbers.len() + 3));
    }
    let lines = |sum: &str| {
        format!("(SELECT CAST(SUM({sum}) AS BIGINT) FROM order_lines l WHERE l.order_id = vo.order_id AND l.vendor_id = vo.vendor_id)")
    };
    let text = format!(
        "SELECT o.external_id, vo.placed_us, vo.status, c.name, {units} AS units, {total} AS total \
         FROM vendor_orders vo JOIN orders o ON o.id = vo.order_id JOIN customers c ON c.id = vo.customer_id \
         WHERE {conditions} ORDER BY vo.placed_us DESC, vo.order_id DESC LIMIT $2",
        units = lines("l.quantity"),
        total = lines("l.gross - l.discount"),
        conditions = conditions.join(" AND "),
    );
    let query = numbers.into_iter().fold(sql(text).bind(vendor_id).bind(limit), |query, number| query.bind(number));
    let query = status.into_iter().fold(query, |query, status| query.bind(status.as_str()));
    let found = tx.rows(query).await?;
    let orders = found.iter().map(|row| {
        Ok(OrderSummary {
            order_id: rows::text(row, "external_id")?,
            placed_at: rows::instant(row, "placed_us")?,
            status: rows::parsed(row, "status")?,
            customer_name: rows::text(row, "name")?,
            units: rows::int(row, "units")?,
            total: rows::int(row, "total")?,
        })
    });
    orders.collect::<Result<_, DbError>>().map(Some)
}

async fn find_position(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<(i64, i64)>, DbError> {
    let query = sql("SELECT vo.order_id, vo.placed_us FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let row = tx.row(query).await?;
    row.map(|row| Ok((rows::int(&row, "order_id")?, rows::int(&row, "placed_us")?))).transpose()
}

/// One vendor's part of an order, with its lines and what was refunded of them.
pub async fn find_order(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<Order>, DbError> {
    let query = sql("SELECT o.id, o.external_id, vo.placed_us, vo.status, c.external_id AS customer_id, c.name \
                     FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id JOIN customers c ON c.id = vo.customer_id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let Some(head) = tx.row(query).await? else { return Ok(None) };
    let query = sql("SELECT l.line, p.external_id, p.name, l.quantity, l.gross, l.discount, \
                            CAST(COALESCE(SUM(r.quantity), 0) AS BIGINT) AS refunded_quantity, \
                            CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) AS refunded_amount \
                     FROM order_lines l JOIN products p ON p.id = l.product_id \
                     LEFT JOIN refunds r ON r.order_id = l.order_id AND r.line = l.line \
                     WHERE l.order_id = $1 AND l.vendor_id = $2 \
                     GROUP BY l.line, p.external_id, p.name, l.quantity, l.gross, l.discount ORDER BY l.line")
    .bind(rows::int(&head, "id")?)
    .bind(vendor_id);
    let lines = tx.rows(query).await?;
    Ok(Some(Order {
        order_id: rows::text(&head, "external_id")?,
        placed_at: rows::instant(&head, "placed_us")?,
        status: rows::parsed(&head, "status")?,
        customer_id: rows::text(&head, "customer_id")?,
        customer_name: rows::text(&head, "name")?,
        lines: lines
            .iter()
            .map(|row| {
                Ok(OrderLine {
                    line: rows::int(row, "line")?,
                    product_id: rows::text(row, "external_id")?,
                    name: rows::text(row, "name")?,
                    quantity: rows::int(row, "quantity")?,
                    gross: rows::int(row, "gross")?,
                    discount: rows::int(row, "discount")?,
                    refunded_quantity: rows::int(row, "refunded_quantity")?,
                    refunded_amount: rows::int(row, "refunded_amount")?,
                })
            })
            .collect::<Result<_, DbError>>()?,
    }))
}

/// The database's id and the status of one vendor's part of an order.
pub async fn find_status(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<(i64, OrderStatus)>, DbError> {
    let query = sql("SELECT vo.order_id, vo.status FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let row = tx.row(query).await?;
    row.map(|row| Ok((rows::int(&row, "order_id")?, rows::parsed(&row, "status")?))).transpose()
}

/// Changes the raw row only; the sums are the caller's to keep (`rollups`).
pub async fn update_status(tx: &mut Tx, vendor_id: i64, order_id: i64, status: OrderStatus) -> Result<(), DbError> {
    let query = sql("UPDATE vendor_orders SET status = $3 WHERE vendor_id = $1 AND order_id = $2")
        .bind(vendor_id)
        .bind(order_id)
        .bind(status.as_str());
    tx.execute(query).await?;
    Ok(())
}

/// Lets no other transaction change this vendor's orders until this one ends.
pub async fn lock_vendor(tx: &mut Tx, vendor_id: i64) -> Result<(), DbError> {
    let text = format!("SELECT id FROM vendors WHERE id = $1{}", tx.dialect.for_update());
    tx.row(sql(text).bind(vendor_id)).await?;
    Ok(())
}
