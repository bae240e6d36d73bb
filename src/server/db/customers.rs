//! Distinct customers over time: no sum of days gives them.

use jiff::civil::Date;

use super::{DbError, Parameters, Tx, grains, rollups::COUNTED, rows, sql};
use crate::domain::{
    period::{DateRange, Interval, day_number},
    snapshot::CustomersUntil,
};

/// Distinct customers of every interval of a range, in its order, and of what stands beside them. Not by
/// hour, for which there are no sums.
pub async fn list_by_interval(
    tx: &mut Tx,
    vendor_id: i64,
    interval: Interval,
    range: DateRange,
    previous: Option<DateRange>,
) -> Result<[Vec<i64>; 2], DbError> {
    let mut counts = [Vec::new(), Vec::new()];
    let mut buckets = Vec::new();
    let beside = previous.map(|previous| (previous, previous.starts_beside(interval, &range)));
    let cut = [Some((range, range.starts(interval))), beside];
    for (which, (range, starts)) in cut.into_iter().flatten().enumerate() {
        let ends = starts.iter().skip(1).map(|start| day_number(*start) - 1).chain([day_number(range.to)]);
        for (place, (start, end)) in starts.iter().zip(ends).enumerate() {
            // A whole month is one row a customer.
            let is_month = start.day() == 1 && end == day_number(start.last_of_month());
            let (grain, low, high) = match is_month {
                true => (1, day_number(*start), day_number(*start)),
                false => (0, day_number(*start), end),
            };
            // PostgreSQL takes the type of a column from its first row.
            buckets.push(match buckets.is_empty() {
                true => [which as i64, place as i64, grain, low, high]
                    .map(|number| format!("CAST({number} AS BIGINT)"))
                    .join(", "),
                false => format!("{which}, {place}, {grain}, {low}, {high}"),
            });
        }
        counts[which] = vec![0; starts.len()];
    }
    // One after the other, by the key: joined, PostgreSQL would rather read all rows of a vendor, whose number it does
    // not foresee, and hold each against every bucket.
    let text = format!(
        "WITH b (which, place, grain, low, high) AS (VALUES {}) \
         SELECT which, place, (SELECT COUNT(*) FROM (\
             SELECT c.customer_id FROM customer_orders c \
             WHERE c.vendor_id = $1 AND c.grain = b.grain AND c.start BETWEEN b.low AND b.high AND c.orders > 0 \
             GROUP BY c.customer_id) AS counted) AS customers FROM b",
        buckets.iter().map(|bucket| format!("({bucket})")).collect::<Vec<_>>().join(", ")
    );
    for row in tx.rows(sql(text).bind(vendor_id)).await? {
        let (which, place) = (rows::int(&row, "which")?, rows::int(&row, "place")?);
        if let Some(count) = counts[usize::from(which != 0)].get_mut(place as usize) {
            *count = rows::int(&row, "customers")?;
        }
    }
    Ok(counts)
}

const DAY_US: i64 = 86_400_000_000;

/// Distinct customers of a range whose last day counts up to an instant.
pub async fn count_until(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    until_us: i64,
) -> Result<CustomersUntil, DbError> {
    let mut numbers = vec![vendor_id];
    let days_before: Option<Date> = (range.from < range.to).then(|| range.to.yesterday().unwrap_or(range.from));
    let before = days_before.map(|to| {
        let before = DateRange { from: range.from, to };
        grains::select("customer_orders", "customer_id", &["orders"], before, &mut numbers) + " UNION ALL "
    });
    let mut parameters = Parameters::default();
    for number in &numbers {
        parameters.int(*number);
    }
    let last = day_number(range.to);
    let on_last_day = format!(
        "vendor_orders o WHERE o.vendor_id = $1 AND o.placed_us >= {} AND o.placed_us < {} AND o.day = {} \
         AND {COUNTED}",
        parameters.int((last - 1) * DAY_US),
        parameters.int(until_us),
        parameters.int(last),
    );
    let text = format!(
        "SELECT (SELECT COUNT(*) FROM (SELECT customer_id FROM ({}SELECT o.customer_id, 1 AS orders \
         FROM {on_last_day}) AS grains \
                 GROUP BY customer_id HAVING SUM(orders) > 0) AS counted) AS customers, \
                (SELECT COUNT(DISTINCT o.customer_id) FROM {on_last_day}) AS of_last_day, \
                (SELECT COUNT(*) FROM first_orders f WHERE f.vendor_id = $1 AND f.day = {} \
                 AND f.customer_id IN (SELECT o.customer_id FROM {on_last_day})) AS new_on_last_day",
        before.unwrap_or_default(),
        parameters.int(last),
    );
    let Some(row) = tx.row(parameters.bind(text)).await? else { return Ok(CustomersUntil::default()) };
    Ok(CustomersUntil {
        customers: rows::int(&row, "customers")?,
        of_last_day: rows::int(&row, "of_last_day")?,
        new_on_last_day: rows::int(&row, "new_on_last_day")?,
    })
}
