//! What a migration leaves to the program, for what is in the database already.

use jiff::{Timestamp, tz::TimeZone};

use super::{Db, DbError, Tx, rollups, rows, search, sql};
use crate::domain::{
    local_time::offset_runs,
    period::{FIRST_DAY, LAST_DAY, day_number},
};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 86_400_000_000;

pub(super) async fn run(db: &Db) -> Result<(), DbError> {
    redate_hours(db).await?;
    fill_customers(db).await?;
    fill_products(db).await?;
    // A thousand names at a time, so that nobody waits long.
    for table in search::TABLES {
        loop {
            let mut tx = db.write().await?;
            let more = search::fill_some(&mut tx, table).await?;
            tx.commit().await?;
            if !more {
                break;
            }
        }
    }
    Ok(())
}

/// Hours used to begin where the clock would have shown a whole hour, even before the offset that it was read by.
async fn redate_hours(db: &Db) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    if claim(&mut tx, "hours").await? {
        for row in
            tx.rows(sql(format!("SELECT id, time_zone FROM vendors ORDER BY id{}", tx.dialect.for_update()))).await?
        {
            let (vendor_id, name) = (rows::int(&row, "id")?, rows::text(&row, "time_zone")?);
            for (from_us, until_us) in cut_hours(&name)? {
                redate(&mut tx, vendor_id, from_us, until_us).await?;
            }
        }
        rollups::rebuild_hours(&mut tx).await?;
    }
    tx.commit().await
}

/// The sets of days took the place of a row for each customer and day.
async fn fill_customers(db: &Db) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    if claim(&mut tx, "customer_days").await? {
        rollups::fill_customers(&mut tx).await?;
    }
    tx.commit().await
}

/// Values of days took the place of sums of products by month and year.
async fn fill_products(db: &Db) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    if claim(&mut tx, "product_days").await? {
        rollups::fill_products(&mut tx).await?;
    }
    tx.commit().await
}

/// Whether this work is still to be done, in this transaction. Of several instances that start at once, one does it;
/// the others wait and find it done.
async fn claim(tx: &mut Tx, name: &str) -> Result<bool, DbError> {
    let claim = sql("DELETE FROM pending_work WHERE name = $1").bind(name.to_owned());
    Ok(tx.execute(claim).await?.rows_affected() > 0)
}

async fn redate(tx: &mut Tx, vendor_id: i64, from_us: i64, until_us: i64) -> Result<(), DbError> {
    for (table, instant) in [("vendor_orders", "placed_us"), ("refunds", "refunded_us")] {
        let text =
            format!("UPDATE {table} SET hour_us = $2 WHERE vendor_id = $1 AND {instant} >= $2 AND {instant} < $3");
        tx.execute(sql(text).bind(vendor_id).bind(from_us).bind(until_us)).await?;
    }
    Ok(())
}

/// The hours of a zone that begin with a change of its offset, and not on the hour.
fn cut_hours(time_zone: &str) -> Result<Vec<(i64, i64)>, DbError> {
    let corrupt = |error: jiff::Error| DbError::Corrupt(format!("time zone `{time_zone}`: {error}"));
    let zone = TimeZone::get(time_zone).map_err(corrupt)?;
    let at = |us: i64| Timestamp::from_microsecond(us).map_err(corrupt);
    let runs = offset_runs(&zone, at(day_number(FIRST_DAY) * DAY_US)?, at(day_number(LAST_DAY) * DAY_US)?);
    let ends = runs.iter().skip(1).map(|run| run.from_us).chain([i64::MAX]);
    let cut = runs.iter().zip(ends).skip(1).filter_map(|(run, end)| {
        let into_hour = (run.from_us + run.offset_us).rem_euclid(HOUR_US);
        (into_hour > 0).then(|| (run.from_us, (run.from_us - into_hour + HOUR_US).min(end)))
    });
    Ok(cut.collect())
}
