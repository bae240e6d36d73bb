//! What a vendor's products sold on which day: of each day one value, with the sums of every product that was sold or
//! came back on it. What sold in a range is added up here, out of as many rows as the range has days: a year of a large
//! vendor has a quarter of a million sums of a product and a day.
//!
//! A product is in the value of a day with a line of an order that counts, or a refund of one; a day without any has no
//! row.

use std::collections::HashMap;

use sqlx::Row;

use super::{
    DbError, Parameters, Tx,
    day_values::{self, DayValue, Table},
    rollups::{SomeOrders, Touched, product_entries},
    rows,
};
use crate::domain::period::DateRange;

/// Bytes of values that are added up beside the requests and not among them: they take a millisecond.
const MUCH: usize = 256 * 1024;

/// What was sold of a product, less what came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sales {
    pub units: i64,
    /// In minor units of the vendor's currency.
    pub net: i64,
    /// Lines and refunds behind it; without any it is as good as absent.
    entries: i64,
}

impl Sales {
    fn add(&mut self, sign: i64, other: Self) {
        self.units += sign * other.units;
        self.net += sign * other.net;
        self.entries += sign * other.entries;
    }
}

/// By the product's id.
pub type SalesByProduct = HashMap<i64, Sales, foldhash::fast::RandomState>;

/// Values as they are kept.
pub(super) const TABLE: Table = Table { name: "product_days", column: "products" };

/// What each product sold in a range; those without any sales or refunds are left out.
pub(super) async fn list(tx: &mut Tx, vendor_id: i64, range: DateRange) -> Result<SalesByProduct, DbError> {
    let [days] = day_values::list(tx, vendor_id, [(TABLE, Some(range))]).await?;
    add_up(days).await
}

/// The same of two ranges.
pub(super) async fn list_both(
    tx: &mut Tx,
    vendor_id: i64,
    ranges: [DateRange; 2],
) -> Result<[SalesByProduct; 2], DbError> {
    let [one, other] = day_values::list(tx, vendor_id, ranges.map(|range| (TABLE, Some(range)))).await?;
    Ok([add_up(one).await?, add_up(other).await?])
}

/// The same of what has been read of days.
pub(super) async fn add_up(days: Vec<DayValue>) -> Result<SalesByProduct, DbError> {
    if days.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < MUCH {
        return sum(&days);
    }
    let summed = tokio::task::spawn_blocking(move || sum(&days)).await;
    summed.map_err(|error| DbError::Corrupt(format!("product_days: {error}")))?
}

fn sum(days: &[DayValue]) -> Result<SalesByProduct, DbError> {
    let mut sums = SalesByProduct::default();
    for (_, bytes) in days {
        for (product, sales) in read(bytes)? {
            sums.entry(product).or_default().add(1, sales);
        }
    }
    Ok(sums)
}

/// A product as it is now.
pub(super) struct Named {
    pub external_id: String,
    pub name: String,
    pub category: String,
}

/// These products, by their ids.
pub(super) async fn list_named(
    tx: &mut Tx,
    products: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, Named>, DbError> {
    let mut parameters = Parameters::default();
    let listed = tx.dialect.listed(&parameters.ids(products));
    let text = format!(
        "SELECT p.id, p.external_id, p.name, p.category FROM {listed} CROSS JOIN products p WHERE p.id = listed.id"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    let named = found.iter().map(|row| {
        let named = Named {
            external_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            category: rows::text(row, "category")?,
        };
        Ok((rows::int(row, "id")?, named))
    });
    named.collect()
}

/// Puts what these orders sold, as they stand now, into the values of their days.
pub(super) async fn add(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    change(tx, touched, 1).await
}

/// Takes it out of them.
pub(super) async fn retract(tx: &mut Tx, touched: &Touched<'_>) -> Result<(), DbError> {
    change(tx, touched, -1).await
}

async fn change(tx: &mut Tx, touched: &Touched<'_>, sign: i64) -> Result<(), DbError> {
    for orders in day_values::batches(tx, touched).await? {
        let (mut kept, mut emptied) = (Vec::new(), Vec::new());
        for row in tx.rows(orders.bind(touched_days(&orders))).await? {
            let (vendor, number) = (rows::int(&row, "vendor_id")?, rows::int(&row, "day")?);
            let before: Option<Vec<u8>> = row.try_get("products")?;
            let mut products = SalesByProduct::default();
            if let Some(bytes) = before {
                products.extend(read(&bytes)?);
            }
            for text in rows::text(&row, "sums")?.split(',') {
                let (product, sales) =
                    parsed(text).ok_or_else(|| DbError::Corrupt(format!("order_lines: sums of a product `{text}`")))?;
                products.entry(product).or_default().add(sign, sales);
            }
            match written(products) {
                Some(value) => kept.push((vendor, number, value)),
                None => emptied.push((vendor, number)),
            }
        }
        day_values::write(tx, TABLE, &kept, &emptied).await?;
    }
    Ok(())
}

/// The days of these orders and of their refunds, each with what the orders sold on it, and with its value as it is.
pub(super) fn touched_days(orders: &SomeOrders) -> String {
    format!(
        "WITH touched (vendor_id, order_id) AS ({}), \
         sums AS (SELECT vendor_id, day, product_id, SUM(units) AS units, SUM(net) AS net, SUM(entries) AS entries \
             FROM ({}) AS entries GROUP BY vendor_id, day, product_id) \
         SELECT s.vendor_id, s.day, \
                string_agg(CAST(s.product_id AS TEXT) || ' ' || CAST(s.units AS TEXT) || ' ' || CAST(s.net AS TEXT) \
                           || ' ' || CAST(s.entries AS TEXT), ',') AS sums, \
                (SELECT d.products FROM product_days d WHERE d.vendor_id = s.vendor_id AND d.day = s.day) AS products \
         FROM sums s GROUP BY s.vendor_id, s.day ORDER BY 1, 2",
        orders.select,
        product_entries()
    )
}

fn parsed(text: &str) -> Option<(i64, Sales)> {
    let mut numbers = text.split(' ').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    Some((next()?, Sales { units: next()?, net: next()?, entries: next()? }))
}

/// As it is kept: products by their ids, each as the distance to the one before, with its units, net sales and entries.
type Kept = Vec<(i64, i64, i64, i64)>;

fn read(bytes: &[u8]) -> Result<impl Iterator<Item = (i64, Sales)>, DbError> {
    let kept: Kept = postcard::from_bytes(bytes).map_err(|error| DbError::Corrupt(format!("product_days: {error}")))?;
    let mut id = 0;
    Ok(kept.into_iter().map(move |(distance, units, net, entries)| {
        id += distance;
        (id, Sales { units, net, entries })
    }))
}

/// The same for the same sums, whichever way they came together; `None` where no product has any.
fn written(products: SalesByProduct) -> Option<Vec<u8>> {
    let mut products: Vec<_> = products.into_iter().filter(|(_, sales)| sales.entries != 0).collect();
    products.sort_unstable_by_key(|(id, _)| *id);
    let mut last = 0;
    let kept: Kept = products
        .iter()
        .map(|(id, sales)| (id - std::mem::replace(&mut last, *id), sales.units, sales.net, sales.entries))
        .collect();
    // Nothing written to memory fails.
    (!kept.is_empty()).then(|| postcard::to_allocvec(&kept).unwrap_or_default())
}
