//! How every vendor of the marketplace does: sums of days and one look at the newest order, never all of them.

use std::collections::HashMap;

use super::{DbError, Parameters, Tx, rows, sql};
use crate::domain::{
    market::VendorStanding,
    money::Currency,
    period::{DateRange, day_number},
};

/// Every vendor, with its sums over both ranges.
pub async fn list(tx: &mut Tx, range: DateRange, previous: DateRange) -> Result<Vec<VendorStanding>, DbError> {
    let sums = |first: usize| {
        format!(
            "(SELECT vendor_id, CAST(SUM(gross - discounts - returns) AS BIGINT) AS net, CAST(SUM(gross - discounts) AS BIGINT) AS sold, \
                     CAST(SUM(returns) AS BIGINT) AS returns, CAST(SUM(orders) AS BIGINT) AS orders \
              FROM sales_days WHERE day BETWEEN ${first} AND ${} GROUP BY vendor_id)",
            first + 1
        )
    };
    let text = format!(
        "SELECT v.external_id, v.name, v.country, v.currency, COALESCE(n.net, 0) AS net, COALESCE(n.sold, 0) AS sold, \
                COALESCE(n.returns, 0) AS returns, COALESCE(n.orders, 0) AS orders, COALESCE(b.net, 0) AS net_before, \
                (SELECT MAX(o.placed_us) FROM vendor_orders o WHERE o.vendor_id = v.id) AS last_us \
         FROM vendors v LEFT JOIN {} n ON n.vendor_id = v.id LEFT JOIN {} b ON b.vendor_id = v.id ORDER BY v.external_id",
        sums(1),
        sums(3)
    );
    let days = [range.from, range.to, previous.from, previous.to].map(day_number);
    let found = tx.rows(days.into_iter().fold(sql(text), |query, day| query.bind(day))).await?;
    let standings = found.iter().map(|row| {
        let currency = Currency::parse(&rows::text(row, "currency")?)
            .map_err(|error| DbError::Corrupt(format!("vendors.currency: {error}")))?;
        let last = rows::int_or_null(row, "last_us")?;
        Ok(VendorStanding {
            vendor_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            country: rows::text(row, "country")?,
            currency,
            net_sales: rows::int(row, "net")?,
            previous_net_sales: rows::int(row, "net_before")?,
            sold: rows::int(row, "sold")?,
            returns: rows::int(row, "returns")?,
            orders: rows::int(row, "orders")?,
            last_order_at: last.and_then(|us| jiff::Timestamp::from_microsecond(us).ok()),
        })
    });
    standings.collect()
}

/// How many users each of these vendors has.
pub async fn count_users(tx: &mut Tx, vendor_ids: &[&str]) -> Result<HashMap<String, i64>, DbError> {
    if vendor_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut parameters = Parameters::default();
    let ids: Vec<_> = vendor_ids.iter().map(|id| parameters.text(*id)).collect();
    let text = format!(
        "SELECT v.external_id, COUNT(u.id) AS users FROM vendors v LEFT JOIN users u ON u.vendor_id = v.id \
         WHERE v.external_id IN ({}) GROUP BY v.external_id",
        ids.join(", ")
    );
    let found = tx.rows(parameters.bind(text)).await?;
    found.iter().map(|row| Ok((rows::text(row, "external_id")?, rows::int(row, "users")?))).collect()
}
