//! Distinct customers over time: no sum of days gives them.

use jiff::civil::Date;

use super::{
    DbError, Parameters, Tx,
    customer_days::{self, CustomersOfDay, union},
    rollups::COUNTED,
    rows,
};
use crate::domain::{
    period::{DateRange, Interval, day_number},
    snapshot::CustomersUntil,
};

/// How many different customers a range had, and the one it is compared with.
pub struct Distinct {
    pub totals: [i64; 2],
    /// Of every interval, in their order; of hours none.
    pub by_interval: [Vec<i64>; 2],
}

/// Those of a range, and of what stands beside it, from the days of both.
pub(super) fn count(
    days: &[Vec<CustomersOfDay>; 2],
    interval: Interval,
    range: DateRange,
    previous: Option<DateRange>,
) -> Distinct {
    let of = |days: &[CustomersOfDay], range: DateRange, starts: Vec<Date>| match interval {
        Interval::Hour => Vec::new(),
        _ => count_between(days, range, &starts),
    };
    let now = of(&days[0], range, range.starts(interval));
    let before = previous.map(|previous| of(&days[1], previous, previous.starts_beside(interval, &range)));
    Distinct {
        totals: days.each_ref().map(|days| union(days).len() as i64),
        by_interval: [now, before.unwrap_or_default()],
    }
}

/// Those of a range alone.
pub async fn count_all(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<i64, DbError> {
    let days = customer_days::list(tx, vendor_id, Some(range)).await?;
    Ok(union(&days).len() as i64)
}

/// Those from each of these days to the next, and from the last to the range's end.
fn count_between(days: &[CustomersOfDay], range: DateRange, starts: &[Date]) -> Vec<i64> {
    let ends = starts.iter().skip(1).map(|start| day_number(*start)).chain([day_number(range.to) + 1]);
    let place = |day: i64| days.partition_point(|(of, _)| *of < day);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| union(&days[place(day_number(*start))..place(end)]).len() as i64)
        .collect()
}

const DAY_US: i64 = 86_400_000_000;

/// Distinct customers of a range whose last day counts up to an instant.
pub async fn count_until(
    tx: &mut Tx,
    vendor_id: i64,
    range: DateRange,
    until_us: i64,
) -> Result<CustomersUntil, DbError> {
    let before = range.to.yesterday().ok().filter(|to| range.from <= *to);
    let before = before.map(|to| DateRange { from: range.from, to });
    let days = customer_days::list(tx, vendor_id, before).await?;
    let mut customers = union(&days);
    let last = day_number(range.to);
    let mut parameters = Parameters::default();
    let text = format!(
        "SELECT o.customer_id, CASE WHEN EXISTS (SELECT 1 FROM first_orders f WHERE f.vendor_id = {vendor} \
         AND f.customer_id = o.customer_id AND f.day = {day}) THEN 1 ELSE 0 END AS is_new \
         FROM (SELECT DISTINCT o.customer_id FROM vendor_orders o WHERE o.vendor_id = {vendor} \
         AND o.placed_us >= {from} AND o.placed_us < {until} AND o.day = {day} AND {COUNTED}) AS o",
        vendor = parameters.int(vendor_id),
        day = parameters.int(last),
        from = parameters.int((last - 1) * DAY_US),
        until = parameters.int(until_us),
    );
    let mut counted = CustomersUntil::default();
    for row in tx.rows(parameters.bind(text)).await? {
        customers.insert(rows::int(&row, "customer_id")? as u64);
        counted.of_last_day += 1;
        counted.new_on_last_day += rows::int(&row, "is_new")?;
    }
    Ok(CustomersUntil { customers: customers.len() as i64, ..counted })
}
