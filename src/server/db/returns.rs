//! What came back, by product and by reason: read from the refunds themselves, of which there are few.

use super::{DbError, Parameters, Tx, rollups::COUNTED, rows};
use crate::domain::{
    period::{DateRange, day_number},
    position::{Position, SortValue},
    returns::{RefundReason, Refunded, RefundedQuery},
};

const DAY_US: i64 = 86_400_000_000;

/// Refunds `r` of one vendor's orders that count `o`, in a range. No zone is a whole day away from UTC: so much
/// narrower the index can be read.
fn refunds_of(vendor_id: i64, range: DateRange, parameters: &mut Parameters) -> String {
    let (from, to) = (day_number(range.from), day_number(range.to));
    format!(
        "refunds r CROSS JOIN vendor_orders o \
         WHERE r.vendor_id = {} AND r.refunded_us >= {} AND r.refunded_us < {} AND r.day BETWEEN {} AND {} \
         AND o.vendor_id = r.vendor_id AND o.order_id = r.order_id AND {COUNTED}",
        parameters.int(vendor_id),
        parameters.int((from - 1) * DAY_US),
        parameters.int((to + 2) * DAY_US),
        parameters.int(from),
        parameters.int(to),
    )
}

/// A range, and the instant that refunds count up to, in microseconds since 1970, where its last day is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    pub range: DateRange,
    pub until_us: Option<i64>,
}

impl Within {
    fn refunds(self, vendor_id: i64, parameters: &mut Parameters) -> String {
        let refunds = refunds_of(vendor_id, self.range, parameters);
        match self.until_us {
            Some(until) => format!("{refunds} AND r.refunded_us < {}", parameters.int(until)),
            None => refunds,
        }
    }
}

/// What came back of one product for one reason.
pub struct Returned {
    /// 0 for the range, 1 for the one it is compared with.
    pub which: usize,
    /// The marketplace's.
    pub product_id: String,
    pub name: String,
    pub reason: Option<RefundReason>,
    pub refunds: i64,
    pub units: i64,
    pub amount: i64,
}

/// Of the range and of the one it is compared with.
pub async fn list_returned(
    tx: &mut Tx,
    vendor_id: i64,
    range: Within,
    previous: Option<Within>,
) -> Result<Vec<Returned>, DbError> {
    let mut parameters = Parameters::default();
    let selects = [Some(range), previous].into_iter().flatten().enumerate().map(|(which, within)| {
        // The lines of a refund are one row each, so that nothing is counted twice.
        let refunds = within.refunds(vendor_id, &mut parameters).replacen(
            "vendor_orders o",
            "vendor_orders o CROSS JOIN order_lines l CROSS JOIN products p",
            1,
        );
        format!(
            "SELECT {which} AS which, p.external_id, p.name, r.reason, COUNT(*) AS refunds, \
             CAST(SUM(r.quantity) AS BIGINT) AS units, CAST(SUM(r.amount) AS BIGINT) AS amount \
             FROM {refunds} AND l.order_id = r.order_id AND l.line = r.line AND p.id = l.product_id \
             GROUP BY p.external_id, p.name, r.reason"
        )
    });
    let text = selects.collect::<Vec<_>>().join(" UNION ALL ");
    let found = tx.rows(parameters.bind(text)).await?;
    let returned = found.iter().map(|row| {
        Ok(Returned {
            which: usize::from(rows::int(row, "which")? != 0),
            product_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            reason: rows::parsed_or_null(row, "reason")?,
            refunds: rows::int(row, "refunds")?,
            units: rows::int(row, "units")?,
            amount: rows::int(row, "amount")?,
        })
    });
    returned.collect()
}

/// How many orders something was refunded of, in the range and in the one it is compared with.
pub async fn count_orders(
    tx: &mut Tx,
    vendor_id: i64,
    range: Within,
    previous: Option<Within>,
) -> Result<[i64; 2], DbError> {
    let mut parameters = Parameters::default();
    let mut count = |within: Option<Within>| match within {
        Some(within) => {
            format!("(SELECT COUNT(DISTINCT r.order_id) FROM {})", within.refunds(vendor_id, &mut parameters))
        }
        None => "0".to_owned(),
    };
    let text = format!("SELECT {} AS in_range, {} AS in_previous", count(Some(range)), count(previous));
    match tx.row(parameters.bind(text)).await? {
        Some(row) => Ok([rows::int(&row, "in_range")?, rows::int(&row, "in_previous")?]),
        None => Ok([0, 0]),
    }
}

/// At most `limit` refunded lines behind `query.after`, newest first, each with its place in the list.
pub async fn list_refunded(
    tx: &mut Tx,
    vendor_id: i64,
    query: &RefundedQuery,
    limit: i64,
) -> Result<Vec<(Refunded, Position)>, DbError> {
    let mut parameters = Parameters::default();
    let refunds = refunds_of(vendor_id, query.range, &mut parameters).replacen(
        "vendor_orders o",
        "vendor_orders o CROSS JOIN orders x CROSS JOIN order_lines l CROSS JOIN products p",
        1,
    );
    let mut conditions = Vec::new();
    conditions.extend(query.reason.map(|reason| match reason {
        Some(reason) => format!(" AND r.reason = {}", parameters.text(reason.as_str())),
        None => " AND r.reason IS NULL".to_owned(),
    }));
    conditions.extend(query.product.as_ref().map(|id| format!(" AND p.external_id = {}", parameters.text(id.clone()))));
    if let Some((at, line, order)) = query.after.as_ref().and_then(read_place) {
        let (at, line, order) = (parameters.int(at), parameters.int(line), parameters.text(order));
        conditions.push(format!(
            " AND r.refunded_us <= {at} AND (r.refunded_us < {at} OR (x.external_id, r.line) > ({order}, {line}))"
        ));
    }
    let text = format!(
        "SELECT x.external_id AS order_id, r.line, p.external_id AS product_id, p.name, r.quantity, r.amount, \
         r.refunded_us, r.reason \
         FROM {refunds} AND x.id = r.order_id AND l.order_id = r.order_id AND l.line = r.line \
         AND p.id = l.product_id{} \
         ORDER BY r.refunded_us DESC, x.external_id, r.line LIMIT {limit}",
        conditions.concat()
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let refunds = found.iter().map(|row| {
        let refunded = Refunded {
            order_id: rows::text(row, "order_id")?,
            line: rows::int(row, "line")?,
            product_id: rows::text(row, "product_id")?,
            name: rows::text(row, "name")?,
            units: rows::int(row, "quantity")?,
            amount: rows::int(row, "amount")?,
            refunded_at: rows::instant(row, "refunded_us")?,
            reason: rows::parsed_or_null(row, "reason")?,
        };
        let place = Position {
            value: SortValue::Integer(rows::int(row, "refunded_us")?),
            id: format!("{} {}", refunded.line, refunded.order_id),
        };
        Ok((refunded, place))
    });
    refunds.collect()
}

/// The instant, the line and the order that a page ended with.
fn read_place(place: &Position) -> Option<(i64, i64, String)> {
    let SortValue::Integer(at) = place.value else { return None };
    let (line, order) = place.id.split_once(' ')?;
    Some((at, line.parse().ok()?, order.to_owned()))
}
