//! What the marketplace's comparison needs: sums of days, and of hours where a day counts in part. Never orders.

use sqlx::any::AnyRow;

use crate::domain::{
    market_comparison::VendorFigures,
    money::Currency,
    period::{DateRange, day_number},
};
use crate::server::db::{DbError, Tx, rows, sql, statements::Parameters, vendors};

/// What is compared. Of the last two days of the range before, only hours that began before a zone's `cut_us` count, in
/// microseconds since 1970; without cuts, all of it does.
pub struct Compared<'a> {
    pub range: DateRange,
    pub previous: DateRange,
    pub cuts: &'a [(String, i64)],
}

/// One vendor's sums now and before.
pub struct VendorBeside {
    pub vendor_id: String,
    pub name: String,
    pub currency: Currency,
    pub now: VendorFigures,
    pub before: VendorFigures,
}

/// Net sales of all vendors of one currency and zone in one hour.
pub struct MarketHour {
    pub currency: String,
    pub time_zone: String,
    pub day: i64,
    /// When it began, in microseconds since 1970.
    pub hour_us: i64,
    pub net_sales: i64,
}

/// Every pair of currency and time zone that vendors have.
pub async fn list_zones(tx: &mut Tx) -> Result<Vec<(String, String)>, DbError> {
    let found = tx.rows(sql("SELECT DISTINCT currency, time_zone FROM vendors ORDER BY 1, 2")).await?;
    found.iter().map(|row| Ok((rows::text(row, "currency")?, rows::text(row, "time_zone")?))).collect()
}

/// The last two days of a range, or its only one: in those a zone may be, somewhere on Earth, while it is the last one
/// in UTC.
pub fn tail(range: DateRange) -> [i64; 2] {
    let last = day_number(range.to);
    [day_number(range.from).max(last - 1), last]
}

/// Every vendor, those who sold nothing too.
pub async fn list_vendors(tx: &mut Tx, compared: &Compared<'_>) -> Result<Vec<VendorBeside>, DbError> {
    const FIGURES: &str = "CAST(SUM(gross - discounts) AS BIGINT) AS sold, CAST(SUM(returns) AS BIGINT) AS returns, \
                           CAST(SUM(orders) AS BIGINT) AS orders";
    let mut parameters = Parameters::default();
    let now = between(&mut parameters, compared.range);
    let [tail_from, to] = tail(compared.previous);
    let is_cut = !compared.cuts.is_empty();
    let [from, until] = [day_number(compared.previous.from), if is_cut { tail_from - 1 } else { to }];
    let whole = format!("BETWEEN {} AND {}", parameters.int(from), parameters.int(until));
    let mut before = format!("SELECT vendor_id, gross, discounts, returns, orders FROM sales_days WHERE day {whole}");
    let mut cuts = String::new();
    if is_cut {
        let days = format!("BETWEEN {} AND {}", parameters.int(tail_from), parameters.int(to));
        let values: Vec<_> = compared
            .cuts
            .iter()
            .map(|(zone, cut_us)| format!("({}, {})", parameters.text(zone.clone()), parameters.int(*cut_us)))
            .collect();
        cuts = format!("WITH cuts (zone, cut_us) AS (VALUES {}) ", values.join(", "));
        before += &format!(
            " UNION ALL SELECT h.vendor_id, h.gross, h.discounts, h.returns, h.orders FROM vendors w \
             JOIN cuts c ON c.zone = w.time_zone \
             JOIN sales_hours h ON h.vendor_id = w.id AND h.day {days} AND h.hour_us < c.cut_us"
        );
    }
    let text = format!(
        "{cuts}SELECT v.external_id, v.name, v.currency, \
                COALESCE(n.sold, 0) AS sold, COALESCE(n.returns, 0) AS returns, COALESCE(n.orders, 0) AS orders, \
                COALESCE(b.sold, 0) AS sold_before, COALESCE(b.returns, 0) AS returns_before, \
                COALESCE(b.orders, 0) AS orders_before \
         FROM vendors v \
         LEFT JOIN (SELECT vendor_id, {FIGURES} FROM sales_days WHERE day {now} GROUP BY vendor_id) AS n \
              ON n.vendor_id = v.id \
         LEFT JOIN (SELECT vendor_id, {FIGURES} FROM ({before}) AS counted GROUP BY vendor_id) AS b \
              ON b.vendor_id = v.id \
         ORDER BY v.external_id"
    );
    let found = tx.rows(parameters.bind(text)).await?;
    found.iter().map(vendor).collect()
}

fn between(parameters: &mut Parameters, range: DateRange) -> String {
    format!("BETWEEN {} AND {}", parameters.int(day_number(range.from)), parameters.int(day_number(range.to)))
}

fn vendor(row: &AnyRow) -> Result<VendorBeside, DbError> {
    Ok(VendorBeside {
        vendor_id: rows::text(row, "external_id")?,
        name: rows::text(row, "name")?,
        currency: vendors::currency(&rows::text(row, "currency")?)?,
        now: VendorFigures {
            sold: rows::int(row, "sold")?,
            returns: rows::int(row, "returns")?,
            orders: rows::int(row, "orders")?,
        },
        before: VendorFigures {
            sold: rows::int(row, "sold_before")?,
            returns: rows::int(row, "returns_before")?,
            orders: rows::int(row, "orders_before")?,
        },
    })
}

/// Hours with any sales on the days from one to another, both included, by currency and zone.
pub async fn list_hours(tx: &mut Tx, [from, to]: [i64; 2]) -> Result<Vec<MarketHour>, DbError> {
    let text = "SELECT v.currency, v.time_zone, h.day, h.hour_us, \
                       CAST(SUM(h.gross - h.discounts - h.returns) AS BIGINT) AS net \
                FROM vendors v JOIN sales_hours h ON h.vendor_id = v.id AND h.day BETWEEN $1 AND $2 \
                GROUP BY v.currency, v.time_zone, h.day, h.hour_us";
    let found = tx.rows(sql(text).bind(from).bind(to)).await?;
    let hours = found.iter().map(|row| {
        Ok(MarketHour {
            currency: rows::text(row, "currency")?,
            time_zone: rows::text(row, "time_zone")?,
            day: rows::int(row, "day")?,
            hour_us: rows::int(row, "hour_us")?,
            net_sales: rows::int(row, "net")?,
        })
    });
    hours.collect()
}
