//! Orders, one vendor's part at a time.

use super::{DbError, Tx, rows, sql};
use crate::domain::orders::{Order, OrderLine, OrderStatus, OrderSummary};

/// Which orders to list.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter<'a> {
    pub status: Option<OrderStatus>,
    /// Placed at this microsecond or later.
    pub from_us: Option<i64>,
    /// Placed before this microsecond.
    pub until_us: Option<i64>,
    /// An order's id, or a part of its customer's name in any case.
    pub search: Option<&'a str>,
    /// The order to go on after.
    pub after: Option<&'a str>,
}

/// At most `limit` orders, newest first. `None` where `filter.after` names none of this vendor's.
pub async fn list_orders(tx: &mut Tx, vendor_id: i64, filter: &OrderFilter<'_>, limit: i64) -> Result<Option<Vec<OrderSummary>>, DbError> {
    let mut conditions = vec!["vo.vendor_id = $1".to_owned()];
    let mut numbers: Vec<i64> = Vec::new();
    let mut number = |value: i64| {
        numbers.push(value);
        format!("${}", numbers.len() + 2)
    };
    if let Some(after) = filter.after {
        let Some(part) = find_part(tx, vendor_id, after).await? else { return Ok(None) };
        conditions.push(format!("(vo.placed_us, vo.order_id) < ({}, {})", number(part.placed_us), number(part.id)));
    }
    conditions.extend(filter.from_us.map(|from| format!("vo.placed_us >= {}", number(from))));
    conditions.extend(filter.until_us.map(|until| format!("vo.placed_us < {}", number(until))));
    let mut texts: Vec<String> = Vec::new();
    if let Some(status) = filter.status {
        texts.push(status.as_str().to_owned());
        conditions.push(format!("vo.status = ${}", numbers.len() + texts.len() + 2));
    }
    if let Some(search) = filter.search {
        texts.extend([search.to_owned(), super::contains_pattern(search)]);
        let last = numbers.len() + texts.len() + 2;
        conditions.push(format!("(o.external_id = ${} OR LOWER(c.name) LIKE ${last} ESCAPE '\\')", last - 1));
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
    let query = texts.into_iter().fold(query, |query, text| query.bind(text));
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

/// What a write needs to know of one vendor's part of an order.
pub struct Part {
    /// The database's id of the order.
    pub id: i64,
    pub status: OrderStatus,
    pub placed_us: i64,
}

pub async fn find_part(tx: &mut Tx, vendor_id: i64, order_id: &str) -> Result<Option<Part>, DbError> {
    let query = sql("SELECT vo.order_id, vo.status, vo.placed_us FROM orders o JOIN vendor_orders vo ON vo.order_id = o.id \
                     WHERE o.external_id = $1 AND vo.vendor_id = $2")
    .bind(order_id.to_owned())
    .bind(vendor_id);
    let row = tx.row(query).await?;
    row.map(|row| {
        Ok(Part { id: rows::int(&row, "order_id")?, status: rows::parsed(&row, "status")?, placed_us: rows::int(&row, "placed_us")? })
    })
    .transpose()
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
