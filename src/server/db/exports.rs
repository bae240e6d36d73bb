//! What an accountant wants to see line by line, read on from place to place so that no file is held in memory.

use sqlx::any::AnyRow;

use super::{
    DbError, Parameters, Tx,
    narrowed::{Which, only},
    rows,
};
use crate::domain::{
    period::{DateRange, day_number},
    returns::RefundReason,
    snapshot::Narrowed,
};

const DAY_US: i64 = 86_400_000_000;

/// Where a part of the file ended: instant, order and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub us: i64,
    pub order_id: String,
    pub line: i64,
}

/// What two files have in common: a line of an order. Amounts in minor units.
pub struct ExportLine {
    /// Number of the day that it counts on.
    pub day: i64,
    pub place: Place,
    pub product_id: String,
    pub name: String,
    pub quantity: i64,
}

/// A line that was sold, of an order that counts or has the status that the file is narrowed to.
pub struct SoldLine {
    pub line: ExportLine,
    pub status: String,
    pub category: String,
    pub gross: i64,
    pub discount: i64,
    pub commission: i64,
}

/// What was given back of a line of such an order.
pub struct RefundedLine {
    pub line: ExportLine,
    pub amount: i64,
    pub commission: i64,
    pub reason: Option<RefundReason>,
}

/// Conditions, to follow `WHERE`, for rows of `instant` in a range behind a place.
fn behind(
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
    (table, instant): (&str, &str),
    after: Option<&Place>,
    parameters: &mut Parameters,
) -> String {
    let (from, to) = (day_number(range.from), day_number(range.to));
    // No zone is a whole day away from UTC: so much narrower the index can be read.
    let first = after.map_or((from - 1) * DAY_US, |place| place.us);
    let mut text = format!(
        "{table}.vendor_id = {} AND {instant} >= {} AND {instant} < {} AND {table}.day BETWEEN {} AND {}{}",
        parameters.int(vendor_id),
        parameters.int(first),
        parameters.int((to + 2) * DAY_US),
        parameters.int(from),
        parameters.int(to),
        only(narrowed, Which::Counted, parameters),
    );
    if let Some(place) = after {
        text.push_str(&format!(
            " AND ({instant}, x.external_id, l.line) > ({}, {}, {})",
            parameters.int(place.us),
            parameters.text(place.order_id.clone()),
            parameters.int(place.line)
        ));
    }
    text
}

fn line(row: &AnyRow) -> Result<ExportLine, DbError> {
    Ok(ExportLine {
        day: rows::int(row, "day")?,
        place: Place {
            us: rows::int(row, "at_us")?,
            order_id: rows::text(row, "order_id")?,
            line: rows::int(row, "line")?,
        },
        product_id: rows::text(row, "product_id")?,
        name: rows::text(row, "name")?,
        quantity: rows::int(row, "quantity")?,
    })
}

/// At most `limit` lines behind `after`.
pub async fn list_sold(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<SoldLine>, DbError> {
    let mut parameters = Parameters::default();
    let conditions = behind(vendor_id, range, narrowed, ("o", "o.placed_us"), after, &mut parameters);
    let text = format!(
        "SELECT o.day, o.placed_us AS at_us, x.external_id AS order_id, l.line, o.status, p.external_id AS \
         product_id, p.name, \
                p.category, l.quantity, l.gross, l.discount, l.commission \
         FROM vendor_orders o CROSS JOIN orders x CROSS JOIN order_lines l CROSS JOIN products p \
         WHERE {conditions} AND x.id = o.order_id AND l.order_id = o.order_id AND l.vendor_id = o.vendor_id \
         AND p.id = l.product_id \
         ORDER BY o.placed_us, x.external_id, l.line LIMIT {limit}"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let sold = found.iter().map(|row| {
        Ok(SoldLine {
            line: line(row)?,
            status: rows::text(row, "status")?,
            category: rows::text(row, "category")?,
            gross: rows::int(row, "gross")?,
            discount: rows::int(row, "discount")?,
            commission: rows::int(row, "commission")?,
        })
    });
    sold.collect()
}

/// At most `limit` refunded lines behind `after`.
pub async fn list_refunded(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    narrowed: &Narrowed,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<RefundedLine>, DbError> {
    let mut parameters = Parameters::default();
    let conditions = behind(vendor_id, range, narrowed, ("r", "r.refunded_us"), after, &mut parameters);
    let text = format!(
        "SELECT r.day, r.refunded_us AS at_us, x.external_id AS order_id, r.line, p.external_id AS product_id, \
         p.name, r.quantity, \
                r.amount, r.commission, r.reason \
         FROM refunds r CROSS JOIN vendor_orders o CROSS JOIN orders x CROSS JOIN order_lines l CROSS JOIN products p \
         WHERE {conditions} AND o.vendor_id = r.vendor_id AND o.order_id = r.order_id AND x.id = r.order_id \
         AND l.order_id = r.order_id AND l.line = r.line AND p.id = l.product_id \
         ORDER BY r.refunded_us, x.external_id, r.line LIMIT {limit}"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let refunded = found.iter().map(|row| {
        Ok(RefundedLine {
            line: line(row)?,
            amount: rows::int(row, "amount")?,
            commission: rows::int(row, "commission")?,
            reason: rows::parsed_or_null(row, "reason")?,
        })
    });
    refunded.collect()
}
