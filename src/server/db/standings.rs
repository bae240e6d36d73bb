//! How every vendor of the marketplace does: sums of days and one look at the newest order, never all of them.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{DbError, Tx, rows, sql, vendors};
use crate::domain::{
    market::VendorStanding,
    period::{DateRange, day_number},
};

/// Every vendor, with its sums over both ranges.
pub async fn list(tx: &mut Tx, range: DateRange, previous: DateRange) -> Result<Vec<VendorStanding>, DbError> {
    let sums = |first: usize| {
        format!(
            "(SELECT vendor_id, CAST(SUM(gross - discounts - returns) AS BIGINT) AS net, CAST(SUM(gross - discounts) \
             AS BIGINT) AS sold, \
                     CAST(SUM(returns) AS BIGINT) AS returns, CAST(SUM(orders) AS BIGINT) AS orders \
              FROM sales_days WHERE day BETWEEN ${first} AND ${} GROUP BY vendor_id)",
            first + 1
        )
    };
    let text = format!(
        "SELECT v.external_id, v.name, v.country, v.currency, COALESCE(n.net, 0) AS net, COALESCE(n.sold, 0) AS sold, \
                COALESCE(n.returns, 0) AS returns, COALESCE(n.orders, 0) AS orders, COALESCE(b.net, 0) AS net_before, \
                (SELECT MAX(o.placed_us) FROM vendor_orders o WHERE o.vendor_id = v.id) AS last_us \
         FROM vendors v LEFT JOIN {} n ON n.vendor_id = v.id LEFT JOIN {} b ON b.vendor_id = v.id \
         ORDER BY v.external_id",
        sums(1),
        sums(3)
    );
    let days = [range.from, range.to, previous.from, previous.to].map(day_number);
    let found = tx.rows(days.into_iter().fold(sql(text), |query, day| query.bind(day))).await?;
    let standings = found.iter().map(|row| {
        let last = rows::int_or_null(row, "last_us")?;
        Ok(VendorStanding {
            vendor_id: rows::text(row, "external_id")?,
            name: rows::text(row, "name")?,
            country: rows::text(row, "country")?,
            currency: vendors::currency(&rows::text(row, "currency")?)?,
            net_sales: rows::int(row, "net")?,
            previous_net_sales: rows::int(row, "net_before")?,
            sold: rows::int(row, "sold")?,
            returns: rows::int(row, "returns")?,
            orders: rows::int(row, "orders")?,
            last_order_at: last.and_then(|us| Timestamp::from_microsecond(us).ok()),
            users: 0,
            last_login_at: None,
        })
    });
    standings.collect()
}

/// Of every vendor that has users: how many, and when one of them logged in last. By the marketplace's ids.
pub async fn list_users(tx: &mut Tx) -> Result<HashMap<String, (i64, Option<Timestamp>)>, DbError> {
    // One look at the end of an index for each user.
    let text = "SELECT v.external_id, COUNT(*) AS users, CAST(MAX(u.last_us) AS BIGINT) AS last_us FROM \
                (SELECT vendor_id, (SELECT MAX(a.at_us) FROM audit_log a WHERE a.actor = email \
                AND a.action = 'login') AS last_us \
                 FROM users WHERE vendor_id IS NOT NULL) AS u \
                JOIN vendors v ON v.id = u.vendor_id GROUP BY v.external_id";
    let found = tx.rows(sql(text)).await?;
    let users = found.iter().map(|row| {
        let last = rows::int_or_null(row, "last_us")?.and_then(|us| Timestamp::from_microsecond(us).ok());
        Ok((rows::text(row, "external_id")?, (rows::int(row, "users")?, last)))
    });
    users.collect()
}
