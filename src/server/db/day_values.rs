//! Tables with one value for each vendor and day: what is in it is worked out here, and read as one row a day.

use sqlx::Row;

use super::{
    DbError, Parameters, Tx,
    rollups::{SomeOrders, Touched},
    rows, sql,
};
use crate::domain::period::{DateRange, day_number};

/// Of many orders, those of as many vendors are looked at together as have no more than this; of one vendor, all.
const ORDERS_AT_ONCE: i64 = 20_000;
/// Values that are written by one statement.
const DAYS_AT_ONCE: usize = 500;

/// One of these tables, and its column of values.
pub(super) struct Table {
    pub name: &'static str,
    pub column: &'static str,
}

/// The number of a day, and its value.
pub(super) type DayValue = (i64, Vec<u8>);

/// The values of several ranges, each of one of the tables, in the order of their days; all by one statement.
pub(super) async fn list<const RANGES: usize>(
    tx: &mut Tx,
    vendor_id: i64,
    ranges: [(Table, Option<DateRange>); RANGES],
) -> Result<[Vec<DayValue>; RANGES], DbError> {
    let mut parameters = Parameters::default();
    let vendor = parameters.int(vendor_id);
    let mut selects = Vec::new();
    for (which, (Table { name, column }, range)) in ranges.iter().enumerate() {
        let Some(range) = range else { continue };
        let (from, to) = (parameters.int(day_number(range.from)), parameters.int(day_number(range.to)));
        selects.push(format!(
            "SELECT {which} AS which, day, {column} AS value FROM {name} \
             WHERE vendor_id = {vendor} AND day BETWEEN {from} AND {to}"
        ));
    }
    let mut days = [const { Vec::new() }; RANGES];
    if selects.is_empty() {
        return Ok(days);
    }
    for row in tx.rows(parameters.bind(selects.join(" UNION ALL "))).await? {
        let which = usize::try_from(rows::int(&row, "which")?).unwrap_or_default();
        days[which].push((rows::int(&row, "day")?, row.try_get("value")?));
    }
    days.iter_mut().for_each(|days| days.sort_unstable_by_key(|(day, _)| *day));
    Ok(days)
}

/// The orders in parts, of which none holds some of a vendor's and another the rest.
pub(super) async fn batches(tx: &mut Tx, touched: &Touched<'_>) -> Result<Vec<SomeOrders>, DbError> {
    let Touched::Table(table) = touched else { return Ok(vec![SomeOrders::of(touched)]) };
    let text = format!("SELECT vendor_id, COUNT(*) AS orders FROM {table} GROUP BY vendor_id ORDER BY vendor_id");
    let mut counts = Vec::new();
    for row in tx.rows(sql(text)).await? {
        counts.push((rows::int(&row, "vendor_id")?, rows::int(&row, "orders")?));
    }
    let orders = |(first, last)| SomeOrders {
        select: format!("SELECT vendor_id, order_id FROM {table} WHERE vendor_id BETWEEN $1 AND $2"),
        parameters: vec![first, last],
    };
    Ok(together(&counts, ORDERS_AT_ONCE).into_iter().map(orders).collect())
}

/// The first and the last of the vendors that are looked at together, by how many orders each has.
fn together(counts: &[(i64, i64)], most: i64) -> Vec<(i64, i64)> {
    let (mut groups, mut orders_of_last): (Vec<(i64, i64)>, i64) = (Vec::new(), 0);
    for (vendor, orders) in counts {
        match groups.last_mut() {
            Some(group) if orders_of_last + orders <= most => group.1 = *vendor,
            _ => {
                groups.push((*vendor, *vendor));
                orders_of_last = 0;
            }
        }
        orders_of_last += orders;
    }
    groups
}

/// Puts values in the place of those that were there, and takes out the rows of days that have none any more.
pub(super) async fn write(
    tx: &mut Tx,
    Table { name, column }: Table,
    kept: &[(i64, i64, Vec<u8>)],
    emptied: &[(i64, i64)],
) -> Result<(), DbError> {
    for some in kept.chunks(DAYS_AT_ONCE) {
        let mut parameters = Parameters::default();
        let mut places = Vec::new();
        for (vendor, day, value) in some {
            let (vendor, day) = (parameters.int(*vendor), parameters.int(*day));
            places.push(format!("({vendor}, {day}, {})", parameters.bytes(value.clone())));
        }
        let text = format!(
            "INSERT INTO {name} (vendor_id, day, {column}) VALUES {} \
             ON CONFLICT (vendor_id, day) DO UPDATE SET {column} = excluded.{column}",
            places.join(", ")
        );
        tx.execute(parameters.bind(text)).await?;
    }
    for some in emptied.chunks(DAYS_AT_ONCE) {
        let mut parameters = Parameters::default();
        let mut places = Vec::new();
        for (vendor, day) in some {
            places.push(format!("({}, {})", parameters.int(*vendor), parameters.int(*day)));
        }
        let text = format!("DELETE FROM {name} WHERE (vendor_id, day) IN (VALUES {})", places.join(", "));
        tx.execute(parameters.bind(text)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_looked_at_together_up_to_so_many_orders() {
        assert_eq!(together(&[], 10), []);
        assert_eq!(together(&[(1, 4), (2, 6), (5, 1), (7, 99), (8, 1), (9, 9)], 10), [(1, 2), (5, 5), (7, 7), (8, 9)]);
    }
}
