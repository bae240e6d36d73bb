//! Who bought from a vendor on which day: of each day the set of its customers, as one value, a roaring bitmap of their
//! ids. How many different customers a range had, no sums of its days say, but the union of their sets does; and it is
//! read as one row a day, whatever the number of customers.
//!
//! A customer is in the set of a day with an order that counts. A day without one has no row.

use roaring::{MultiOps, RoaringTreemap};
use sqlx::Row;

use super::{
    Arguments, DbError, Tx,
    day_values::{self, DayValue, Table},
    rollups::{COUNTED, ORDERS, SomeOrders, Touched, counted},
    rows,
};
use crate::domain::period::DateRange;

/// The day's number, and its customers.
pub(super) type CustomersOfDay = (i64, RoaringTreemap);

/// Values as they are kept.
pub(super) const TABLE: Table = Table { name: "customer_days", column: "customers" };

/// The days of a range that had customers, in their order.
pub(super) async fn list(
    tx: &mut Tx,
    vendor_id: i64,
    range: Option<DateRange>,
) -> Result<Vec<CustomersOfDay>, DbError> {
    let [days] = day_values::list(tx, vendor_id, [(TABLE, range)]).await?;
    read(&days)
}

/// What has been read of days.
pub(super) fn read(days: &[DayValue]) -> Result<Vec<CustomersOfDay>, DbError> {
    days.iter().map(|(day, bytes)| Ok((*day, set(bytes)?))).collect()
}

/// Everybody who bought on any of these days.
pub(super) fn union<'a>(days: impl IntoIterator<Item = &'a CustomersOfDay>) -> RoaringTreemap {
    days.into_iter().map(|(_, customers)| customers).union()
}

/// Puts the customers of these orders, as they stand now, into the sets of their days.
pub(super) async fn add(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    for orders in day_values::batches(tx, touched).await? {
        change(tx, orders.bind(added(&orders)), RoaringTreemap::insert).await?;
    }
    Ok(())
}

/// Takes out of the sets who has no order that counts on that day but these, as they stand now.
pub(super) async fn retract(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    for orders in day_values::batches(tx, touched).await? {
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

async fn change(
    tx: &mut Tx,
    days: Arguments<'static>,
    change: fn(&mut RoaringTreemap, u64) -> bool,
) -> Result<(), DbError> {
    let (mut kept, mut emptied) = (Vec::new(), Vec::new());
    for row in tx.rows(days).await? {
        let (vendor, day, ids) = (rows::int(&row, "vendor_id")?, rows::int(&row, "day")?, rows::text(&row, "ids")?);
        let before: Option<Vec<u8>> = row.try_get("customers")?;
        let (mut customers, mut is_changed) =
            (before.map_or_else(|| Ok(RoaringTreemap::new()), |bytes| set(&bytes))?, false);
        for id in ids.split(',') {
            let id = id.parse().map_err(|_| DbError::Corrupt(format!("vendor_orders: customer `{id}`")))?;
            is_changed |= change(&mut customers, id);
        }
        match (is_changed, customers.is_empty()) {
            (false, _) => {}
            (true, true) => emptied.push((vendor, day)),
            (true, false) => kept.push((vendor, day, written(&customers))),
        }
    }
    day_values::write(tx, TABLE, &kept, &emptied).await
}

fn set(bytes: &[u8]) -> Result<RoaringTreemap, DbError> {
    RoaringTreemap::deserialize_from(bytes).map_err(|error| DbError::Corrupt(format!("customer_days: {error}")))
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
