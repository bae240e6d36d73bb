//! Who bought from a vendor on which day: of each day the set of its customers, as one value, a roaring bitmap of their
//! ids. How many different customers a range had, no sums of its days say, but the union of their sets does; and it is
//! read as one row a day, whatever the number of customers.
//!
//! A customer is in the set of a day with an order that counts. A day without one has no row.

use roaring::{MultiOps, RoaringTreemap};
use sqlx::{Row, any::AnyRow};

use super::{
    Arguments, DbError, Parameters, Tx,
    rollups::{COUNTED, ORDERS, SomeOrders, Touched, counted},
    rows, sql,
};
use crate::domain::period::{DateRange, day_number};

/// Of many orders, those of as many vendors are looked at together as have no more than this; of one vendor, all.
const ORDERS_AT_ONCE: i64 = 20_000;
/// Sets that are written by one statement.
const DAYS_AT_ONCE: usize = 500;

/// The day's number, and its customers.
pub(super) type CustomersOfDay = (i64, RoaringTreemap);

/// The days of two ranges that had customers, each in their order.
pub(super) async fn list(
    tx: &mut Tx,
    vendor_id: i64,
    ranges: [Option<DateRange>; 2],
) -> Result<[Vec<CustomersOfDay>; 2], DbError> {
    let mut parameters = Parameters::default();
    let vendor = parameters.int(vendor_id);
    let selects: Vec<String> = ranges
        .into_iter()
        .enumerate()
        .filter_map(|(which, range)| {
            let range = range?;
            let (from, to) = (parameters.int(day_number(range.from)), parameters.int(day_number(range.to)));
            Some(format!(
                "SELECT {which} AS which, day, customers FROM customer_days \
                 WHERE vendor_id = {vendor} AND day BETWEEN {from} AND {to}"
            ))
        })
        .collect();
    let mut days = [Vec::new(), Vec::new()];
    if selects.is_empty() {
        return Ok(days);
    }
    for row in tx.rows(parameters.bind(format!("{} ORDER BY 1, 2", selects.join(" UNION ALL ")))).await? {
        days[usize::from(rows::int(&row, "which")? != 0)].push((rows::int(&row, "day")?, set(&row)?));
    }
    Ok(days)
}

/// Everybody who bought on any of these days.
pub(super) fn union<'a>(days: impl IntoIterator<Item = &'a CustomersOfDay>) -> RoaringTreemap {
    days.into_iter().map(|(_, customers)| customers).union()
}

/// Puts the customers of these orders, as they stand now, into the sets of their days.
pub(super) async fn add(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    for orders in batches(tx, touched).await? {
        change(tx, orders.bind(added(&orders)), RoaringTreemap::insert).await?;
    }
    Ok(())
}

/// Takes out of the sets who has no order that counts on that day but these, as they stand now.
pub(super) async fn retract(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    for orders in batches(tx, touched).await? {
        change(tx, orders.bind(retracted(&orders, touched)), RoaringTreemap::remove).await?;
    }
    Ok(())
}

/// The days of these orders, each with the customers to be put into its set, and with that as it is.
pub(super) fn added(orders: &SomeOrders) -> String {
    days_of(orders, "")
}

/// The same with the customers to be taken out. `orders` are all of their vendors' that are touched.
pub(super) fn retracted(orders: &SomeOrders, touched: &Touched<'_>) -> String {
    // By name: PostgreSQL would go through a list of its own making for every order.
    let (others, touched) = (
        counted("x"),
        match touched {
            Touched::Table(table) => table,
            Touched::Orders(_) => "touched",
        },
    );
    let has_others = format!(
        "SELECT 1 FROM vendor_orders x WHERE x.vendor_id = o.vendor_id AND x.customer_id = o.customer_id \
         AND x.day = o.day AND {others} \
         AND NOT EXISTS (SELECT 1 FROM {touched} a WHERE a.vendor_id = x.vendor_id AND a.order_id = x.order_id)"
    );
    days_of(orders, &format!("AND NOT EXISTS ({has_others})"))
}

fn days_of(orders: &SomeOrders, some: &str) -> String {
    format!(
        "WITH touched (vendor_id, order_id) AS ({}) \
         SELECT o.vendor_id, o.day, string_agg(CAST(o.customer_id AS TEXT), ',') AS ids, \
                (SELECT d.customers FROM customer_days d WHERE d.vendor_id = o.vendor_id AND d.day = o.day) \
                AS customers \
         FROM {ORDERS} AND {COUNTED} {some} GROUP BY o.vendor_id, o.day ORDER BY 1, 2",
        orders.select
    )
}

/// The orders in parts, of which none holds some of a vendor's and another the rest.
async fn batches(tx: &mut Tx, touched: &Touched<'_>) -> Result<Vec<SomeOrders>, DbError> {
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

async fn change(
    tx: &mut Tx,
    days: Arguments<'static>,
    change: fn(&mut RoaringTreemap, u64) -> bool,
) -> Result<(), DbError> {
    let (mut kept, mut emptied) = (Vec::new(), Vec::new());
    for row in tx.rows(days).await? {
        let (vendor, day, ids) = (rows::int(&row, "vendor_id")?, rows::int(&row, "day")?, rows::text(&row, "ids")?);
        let (mut customers, mut is_changed) = (set(&row)?, false);
        for id in ids.split(',') {
            let id = id.parse().map_err(|_| DbError::Corrupt(format!("vendor_orders: customer `{id}`")))?;
            is_changed |= change(&mut customers, id);
        }
        match (is_changed, customers.is_empty()) {
            (false, _) => {}
            (true, true) => emptied.push((vendor, day)),
            (true, false) => kept.push((vendor, day, customers)),
        }
    }
    for some in kept.chunks(DAYS_AT_ONCE) {
        let mut parameters = Parameters::default();
        let values: Vec<String> = some
            .iter()
            .map(|(vendor, day, customers)| {
                let (vendor, day) = (parameters.int(*vendor), parameters.int(*day));
                format!("({vendor}, {day}, {})", parameters.bytes(written(customers)))
            })
            .collect();
        let text = format!(
            "INSERT INTO customer_days (vendor_id, day, customers) VALUES {} \
             ON CONFLICT (vendor_id, day) DO UPDATE SET customers = excluded.customers",
            values.join(", ")
        );
        tx.execute(parameters.bind(text)).await?;
    }
    for some in emptied.chunks(DAYS_AT_ONCE) {
        let mut parameters = Parameters::default();
        let keys: Vec<String> = some
            .iter()
            .map(|(vendor, day)| format!("({}, {})", parameters.int(*vendor), parameters.int(*day)))
            .collect();
        let text = format!("DELETE FROM customer_days WHERE (vendor_id, day) IN (VALUES {})", keys.join(", "));
        tx.execute(parameters.bind(text)).await?;
    }
    Ok(())
}

/// The set in the column `customers`; an empty one where that is NULL.
fn set(row: &AnyRow) -> Result<RoaringTreemap, DbError> {
    let Some(bytes) = row.try_get::<Option<Vec<u8>>, _>("customers")? else { return Ok(RoaringTreemap::new()) };
    RoaringTreemap::deserialize_from(&bytes[..]).map_err(|error| DbError::Corrupt(format!("customer_days: {error}")))
}

/// The same for the same customers, whichever way they came in.
fn written(customers: &RoaringTreemap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(customers.serialized_size());
    // Nothing written to memory fails.
    let _ = customers.serialize_into(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_are_looked_at_together_up_to_so_many_orders() {
        assert_eq!(together(&[], 10), []);
        assert_eq!(together(&[(1, 4), (2, 6), (5, 1), (7, 99), (8, 1), (9, 9)], 10), [(1, 2), (5, 5), (7, 7), (8, 9)]);
    }

    #[test]
    fn a_set_is_written_alike_whichever_way_its_customers_came_in() {
        // More than a container of the format holds as a list, and ids beyond 32 bits.
        let many = || (0..10_000).chain([1 << 33, 1 << 40]);
        let (mut forth, mut back) = (RoaringTreemap::new(), RoaringTreemap::new());
        forth.extend(many());
        many().chain(20_000..30_000).collect::<Vec<_>>().into_iter().rev().for_each(|id| {
            back.insert(id);
        });
        (20_000..30_000).for_each(|id| {
            back.remove(id);
        });
        assert_eq!(written(&forth), written(&back));
        for few in [forth, back].iter_mut() {
            many().filter(|id| id % 5 != 0).for_each(|id| {
                few.remove(id);
            });
            assert_eq!(written(few), written(&many().filter(|id| id % 5 == 0).collect()));
        }
    }
}
