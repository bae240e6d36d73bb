//! Instants into local hours, days, months and years, in SQL: `jiff` says when each zone's offset from UTC changes, and
//! the database does the rest by the million.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};

use crate::{
    domain::{local_time::offset_runs, period::day_number},
    server::db::DbError,
};

use super::{ImportError, sales::TOUCHED, staging, tables::Cell, work::Work};

const DAY_US: i64 = 86_400_000_000;

/// Fills `import_offsets` with the offsets of the touched vendors' zones from the first to the last instant that is
/// dated, and `import_days` with the days these fall on. Needs the orders as the bundle has them.
pub(super) async fn load(work: &mut Work<'_>) -> Result<(), ImportError> {
    work.create_keyed(
        "import_offsets",
        "time_zone TEXT, from_us BIGINT, until_us BIGINT, offset_us BIGINT, PRIMARY KEY (time_zone, from_us)",
    )
    .await?;
    work.create_keyed("import_days", "day BIGINT PRIMARY KEY, month BIGINT, year BIGINT").await?;
    let instants = format!(
        "SELECT o.placed_us AS us FROM {TOUCHED} t JOIN orders o ON o.id = t.order_id
         UNION ALL SELECT s.placed_us FROM {TOUCHED} t CROSS JOIN vendor_orders s WHERE s.vendor_id = t.vendor_id \
         AND s.order_id = t.order_id
         UNION ALL SELECT refunded_us FROM import_refunds
         UNION ALL SELECT r.refunded_us + c.refunds_by_us FROM import_orders c CROSS JOIN refunds r \
         WHERE c.refunds_by_us <> 0 AND r.order_id = c.order_id
         UNION ALL SELECT refunded_us FROM refunds WHERE vendor_id IN (SELECT vendor_id FROM import_rezoned)"
    );
    let first = work.integer(&format!("SELECT MIN(us) FROM ({instants}) AS instants")).await?;
    let last = work.integer(&format!("SELECT MAX(us) FROM ({instants}) AS instants")).await?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(()) };

    let mut offsets = Vec::new();
    for name in work
        .texts(&format!("SELECT DISTINCT time_zone FROM vendors WHERE id IN (SELECT vendor_id FROM {TOUCHED})"))
        .await?
    {
        let corrupt = |error: jiff::Error| DbError::Corrupt(format!("time zone `{name}`: {error}"));
        let zone = TimeZone::get(&name).map_err(corrupt)?;
        let at = |us: i64| Timestamp::from_microsecond(us).map_err(corrupt);
        let runs = offset_runs(&zone, at(first)?, at(last)?);
        let ends = runs.iter().skip(1).map(|next| next.from_us).chain([i64::MAX]);
        for (run, until_us) in runs.iter().zip(ends) {
            offsets.push(Cell::Text(name.clone()));
            offsets.extend([run.from_us, until_us, run.offset_us].map(Cell::Integer));
        }
    }
    staging::insert(work, "import_offsets", 4, offsets).await?;

    // No zone is a whole day away from UTC.
    let days = (first / DAY_US - 1..=last / DAY_US + 1).flat_map(calendar).map(Cell::Integer).collect();
    staging::insert(work, "import_days", 3, days).await?;
    for table in ["import_offsets", "import_days"] {
        work.analyze(table).await?;
    }
    Ok(())
}

/// SQL for two columns: `local_us`, the local wall clock at `instant` as microseconds since 1970-01-01 00:00 on that
/// clock, and `from_us`, since when its offset holds. Needs `offset`.
pub(super) fn local_us(instant: &str) -> String {
    format!("{instant} + z.offset_us AS local_us, z.from_us")
}

/// SQL for a join with the offset of vendor `v` at `instant`. (A subquery for each of the two columns is carried out
/// six times a row: wherever the columns are named.)
pub(super) fn offset(instant: &str) -> String {
    format!("JOIN import_offsets z ON z.time_zone = v.time_zone AND z.from_us <= {instant} AND z.until_us > {instant}")
}

/// SQL for the instant at which the local hour of `instant` began: `local_time::hour_start`, by the million.
pub(super) fn hour_us(instant: &str) -> String {
    let start = format!("{instant} - p.local_us % 3600000000");
    format!("CASE WHEN p.from_us > {start} THEN p.from_us ELSE {start} END")
}

/// SQL for the number of the local day. Clocks show 1970 or later, so that cutting off is rounding down.
pub(super) fn day() -> &'static str {
    "p.local_us / 86400000000"
}

/// The numbers of a day, of the first day of its month and of the first day of its year.
fn calendar(day: i64) -> [i64; 3] {
    let date = civil::date(1970, 1, 1).saturating_add(day.days());
    [day, day_number(date.first_of_month()), day_number(date.first_of_year())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_knows_the_first_days_of_its_month_and_year() {
        assert_eq!(calendar(0), [0, 0, 0]);
        // 2024-02-29, 2024-02-01, 2024-01-01
        assert_eq!(calendar(19_782), [19_782, 19_754, 19_723]);
    }
}
