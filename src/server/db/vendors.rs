use jiff::tz::TimeZone;
use sqlx::Row;

use super::{Db, DbError, Tx, sql};
use crate::domain::{
    accounts::{UserSummary, Vendor, VendorRef},
    money::Currency,
};

/// The vendor with this marketplace id.
pub async fn find(db: &Db, external_id: &str) -> Result<Option<VendorRef>, DbError> {
    let mut tx = db.read().await?;
    let row =
        tx.row(sql("SELECT id, external_id FROM vendors WHERE external_id = $1").bind(external_id.to_owned())).await?;
    row.map(|row| Ok(VendorRef { id: row.try_get("id")?, external_id: row.try_get("external_id")? })).transpose()
}

/// A vendor's profile.
pub async fn find_profile(db: &Db, id: i64) -> Result<Option<Vendor>, DbError> {
    let mut tx = db.read().await?;
    let query =
        sql("SELECT external_id, name, country, time_zone, currency, low_stock_threshold FROM vendors WHERE id = $1")
            .bind(id);
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    let currency: String = row.try_get("currency")?;
    Ok(Some(Vendor {
        vendor_id: row.try_get("external_id")?,
        name: row.try_get("name")?,
        country: row.try_get("country")?,
        time_zone: row.try_get("time_zone")?,
        currency: Currency::parse(&currency).map_err(|e| DbError::Corrupt(e.to_string()))?,
        low_stock_threshold: row.try_get("low_stock_threshold")?,
    }))
}

/// The marketplace's ids of all vendors.
pub async fn list_ids(db: &Db) -> Result<Vec<String>, DbError> {
    let mut tx = db.read().await?;
    let rows = tx.rows(sql("SELECT external_id FROM vendors ORDER BY external_id")).await?;
    rows.iter().map(|row| Ok(row.try_get("external_id")?)).collect()
}

/// The vendor's time zone.
pub async fn find_time_zone(tx: &mut Tx, id: i64) -> Result<Option<TimeZone>, DbError> {
    let row = tx.row(sql("SELECT time_zone FROM vendors WHERE id = $1").bind(id)).await?;
    row.map(|row| time_zone(row.try_get("time_zone")?)).transpose()
}

/// The zone that a vendor has by this IANA name.
pub fn time_zone(name: &str) -> Result<TimeZone, DbError> {
    TimeZone::get(name).map_err(|error| DbError::Corrupt(format!("vendors.time_zone: {error}")))
}

/// The vendor's currency.
pub async fn find_currency(tx: &mut Tx, id: i64) -> Result<Option<Currency>, DbError> {
    let row = tx.row(sql("SELECT currency FROM vendors WHERE id = $1").bind(id)).await?;
    row.map(|row| currency(row.try_get("currency")?)).transpose()
}

/// The currency that a vendor has by this code.
pub fn currency(code: &str) -> Result<Currency, DbError> {
    Currency::parse(code).map_err(|error| DbError::Corrupt(format!("vendors.currency: {error}")))
}

/// When the vendor's newest order was placed, counted or not.
pub async fn find_last_order(db: &Db, id: i64) -> Result<Option<jiff::Timestamp>, DbError> {
    let mut tx = db.read().await?;
    let text = "SELECT MAX(placed_us) AS last_us FROM vendor_orders WHERE vendor_id = $1";
    let Some(row) = tx.row(sql(text).bind(id)).await? else { return Ok(None) };
    Ok(row.try_get::<Option<i64>, _>("last_us")?.and_then(|us| jiff::Timestamp::from_microsecond(us).ok()))
}

/// The users that belong to a vendor, by address.
pub async fn list_users(db: &Db, id: i64) -> Result<Vec<UserSummary>, DbError> {
    let mut tx = db.read().await?;
    let text = "SELECT email, disabled_us, (SELECT MAX(a.at_us) FROM audit_log a WHERE a.actor = email \
        AND a.action = 'login') AS last_us \
                FROM users WHERE vendor_id = $1 ORDER BY email";
    let rows = tx.rows(sql(text).bind(id)).await?;
    rows.iter()
        .map(|row| {
            Ok(UserSummary {
                email: row.try_get("email")?,
                disabled: row.try_get::<Option<i64>, _>("disabled_us")?.is_some(),
                last_login_at: row
                    .try_get::<Option<i64>, _>("last_us")?
                    .and_then(|us| jiff::Timestamp::from_microsecond(us).ok()),
            })
        })
        .collect()
}
