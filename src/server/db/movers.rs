//! Products in two ranges side by side, and what happened to them.

use std::collections::HashSet;

use super::{
    DbError, Parameters, Tx,
    product_days::{self, Named, SalesByProduct},
    rollups::COUNTED,
    rows, sql,
};
use crate::domain::{
    movers::{NewSince, Note, NoteKind, Notes, ProductChange, StatusChange},
    period::{DateRange, day_number},
};

/// A product, its category, and what it sold in both ranges; every one with sales or refunds in either.
pub async fn list_compared(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: DateRange,
) -> Result<Vec<(ProductChange, String)>, DbError> {
    let [now, before] = product_days::list_both(tx, vendor_id, [range, previous]).await?;
    let ids: HashSet<i64> = now.keys().chain(before.keys()).copied().collect();
    let of = |sales: &SalesByProduct, id| sales.get(&id).map_or((0, 0), |sales| (sales.units, sales.net));
    let mut compared = Vec::new();
    for (id, named) in product_days::list_named(tx, ids.into_iter()).await? {
        let ((units, net_sales), (previous_units, previous_net_sales)) = (of(&now, id), of(&before, id));
        if (units, net_sales, previous_units, previous_net_sales) != (0, 0, 0, 0) {
            let Named { external_id: product_id, name, category } = named;
            let change = ProductChange { product_id, name, units, previous_units, net_sales, previous_net_sales };
            compared.push((change, category));
        }
    }
    compared.sort_by(|(a, _), (b, _)| b.net_sales.cmp(&a.net_sales).then_with(|| a.product_id.cmp(&b.product_id)));
    Ok(compared)
}

/// How many orders were placed in both ranges, by status.
pub async fn list_statuses(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    previous: DateRange,
) -> Result<Vec<StatusChange>, DbError> {
    let mut parameters = Parameters::default();
    let vendor = parameters.int(vendor_id);
    let mut within = |range: DateRange| {
        let (from, to) = (parameters.int(day_number(range.from)), parameters.int(day_number(range.to)));
        format!("day BETWEEN {from} AND {to}")
    };
    let (now, before) = (within(range), within(previous));
    let text = format!(
        "SELECT status, CAST(SUM(CASE WHEN {now} THEN orders ELSE 0 END) AS BIGINT) AS placed, \
                CAST(SUM(CASE WHEN {before} THEN orders ELSE 0 END) AS BIGINT) AS placed_before \
         FROM status_days WHERE vendor_id = {vendor} AND ({now} OR {before}) GROUP BY status ORDER BY status"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let changes = found.iter().map(|row| {
        Ok(StatusChange {
            status: rows::parsed(row, "status")?,
            orders: rows::int(row, "placed")?,
            previous_orders: rows::int(row, "placed_before")?,
        })
    });
    changes.collect()
}

/// What happened between two instants (microseconds since 1970, the later one excluded), newest first.
pub async fn list_notes(tx: &mut Tx, vendor_id: i64, from_us: i64, to_us: i64, limit: usize) -> Result<Notes, DbError> {
    let query = sql(format!(
        "SELECT n.noted_us, n.kind, p.external_id, p.name, n.was, n.became, COUNT(*) OVER () AS noted \
         FROM notes n LEFT JOIN products p ON p.id = n.product_id \
         WHERE n.vendor_id = $1 AND n.noted_us >= $2 AND n.noted_us < $3 ORDER BY n.noted_us DESC, n.id DESC \
         LIMIT {limit}"
    ))
    .bind(vendor_id)
    .bind(from_us)
    .bind(to_us);
    let found = tx.rows(query).await?;
    let total = found.first().map_or(Ok(0), |row| rows::int(row, "noted"))?;
    let notes = found.iter().map(|row| {
        Ok(Note {
            at: rows::instant(row, "noted_us")?,
            kind: rows::parsed(row, "kind")?,
            product_id: rows::text_or_null(row, "external_id")?,
            name: rows::text_or_null(row, "name")?,
            order_id: None,
            was: rows::text_or_null(row, "was")?,
            became: rows::text_or_null(row, "became")?,
        })
    });
    Ok(Notes { notes: notes.collect::<Result<_, DbError>>()?, total, own: Vec::new() })
}

const DAY_US: i64 = 86_400_000_000;
/// Days before a range from which it is known what is usually refunded at a time, and how often that must have been.
const USUAL_DAYS: i64 = 90;
const USUAL_REFUNDS: i64 = 10;

/// Refunds between two instants that were more than three times what is usual, the largest first, `limit` at most. None
/// where too little was refunded before to know what is usual.
pub async fn list_unusual_refunds(
    tx: &mut Tx,
    vendor_id: i64,
    from_us: i64,
    to_us: i64,
    limit: usize,
) -> Result<Vec<Note>, DbError> {
    let query = sql("SELECT COUNT(*) AS refunds, CAST(COALESCE(SUM(made.amount), 0) AS BIGINT) AS amount FROM \
                     (SELECT CAST(SUM(r.amount) AS BIGINT) AS amount FROM refunds r \
                      WHERE r.vendor_id = $1 AND r.refunded_us >= $2 AND r.refunded_us < $3 \
                      GROUP BY r.order_id, r.refunded_us) AS made")
    .bind(vendor_id)
    .bind(from_us - USUAL_DAYS * DAY_US)
    .bind(from_us);
    let Some(row) = tx.row(query).await? else { return Ok(Vec::new()) };
    let (refunds, amount) = (rows::int(&row, "refunds")?, rows::int(&row, "amount")?);
    if refunds < USUAL_REFUNDS {
        return Ok(Vec::new());
    }
    let usual = amount / refunds;
    let query = sql(format!(
        "SELECT x.external_id, r.refunded_us, CAST(SUM(r.amount) AS BIGINT) AS amount \
         FROM refunds r CROSS JOIN vendor_orders o CROSS JOIN orders x \
         WHERE r.vendor_id = $1 AND r.refunded_us >= $2 AND r.refunded_us < $3 \
         AND o.vendor_id = r.vendor_id AND o.order_id = r.order_id AND {COUNTED} AND x.id = r.order_id \
         GROUP BY r.order_id, x.external_id, r.refunded_us HAVING SUM(r.amount) > $4 \
         ORDER BY amount DESC, r.refunded_us DESC LIMIT {limit}"
    ))
    .bind(vendor_id)
    .bind(from_us)
    .bind(to_us)
    .bind(usual * 3);
    let found = tx.rows(query).await?;
    let notes = found.iter().map(|row| {
        Ok(Note {
            at: rows::instant(row, "refunded_us")?,
            kind: NoteKind::Refund,
            product_id: None,
            name: None,
            order_id: Some(rows::text(row, "external_id")?),
            was: Some(usual.to_string()),
            became: Some(rows::int(row, "amount")?.to_string()),
        })
    });
    notes.collect()
}

/// What came in from an instant on (microseconds since 1970).
pub async fn count_since(tx: &mut Tx, vendor_id: i64, since_us: i64) -> Result<NewSince, DbError> {
    let query = sql(format!(
        "SELECT (SELECT COUNT(*) FROM vendor_orders o WHERE o.vendor_id = $1 AND o.placed_us >= $2 \
         AND {COUNTED}) AS orders, \
         (SELECT COUNT(DISTINCT r.order_id) FROM refunds r WHERE r.vendor_id = $1 \
         AND r.refunded_us >= $2) AS returned, \
         (SELECT COUNT(DISTINCT n.product_id) FROM notes n WHERE n.vendor_id = $1 AND n.noted_us >= $2 \
         AND n.kind = 'sold_out') AS sold_out"
    ))
    .bind(vendor_id)
    .bind(since_us);
    let Some(row) = tx.row(query).await? else { return Ok(NewSince::default()) };
    Ok(NewSince {
        orders: rows::int(&row, "orders")?,
        returns: rows::int(&row, "returned")?,
        sold_out: rows::int(&row, "sold_out")?,
    })
}
