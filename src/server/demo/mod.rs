//! The demo marketplace: made up, the same on every machine for the same moment, and imported like any other bundle.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use sqlx::Row as _;

use crate::{
    domain::accounts::Role,
    server::{
        AppError,
        db::{Db, DbError, Tx, sql},
        identity::passwords,
        import::{ImportError, ImportOptions, Progress, bundle::Bundle},
        services::import::import_into,
    },
};

/// Who sells what.
mod cast;
/// Shops that make what they sell.
mod makers;
/// Who buys.
mod people;
/// When people buy.
mod seasons;
/// The smaller vendors.
mod stalls;
/// What happened.
mod story;

use cast::{SELLERS, Seller};
use story::PriceChange;

/// A login of the demo marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoLogin {
    pub email: String,
    pub password: String,
    /// Such as `admin` or `vendor: Nordlicht Keramik (EUR, Europe/Berlin)`.
    pub who: String,
}

const PASSWORD: &str = "vendorscope-demo";
/// Begins every id of the demo's vendors.
const PREFIX: &str = "demo-";

/// Fills an empty database with a lively, deterministic marketplace in which nothing has happened after `now`. On a
/// database with vendors in it: an error that says so, unless they are the demo's own, in which case nothing is done
/// but to add the logins that are missing, and to return all of them.
pub async fn demo(db: &Db, now: Timestamp, progress: &dyn Progress) -> Result<Vec<DemoLogin>, ImportError> {
    let mut tx = db.read().await?;
    let vendors = texts(&mut tx, "SELECT external_id FROM vendors").await?;
    drop(tx);
    if vendors.is_empty() {
        progress.phase("making up a marketplace", 0);
        let (tables, price_changes) = story::tell(now);
        let mut tx = db.write().await?;
        import_into(&mut tx, Bundle::Memory(tables), "the demo", ImportOptions::default(), progress).await?;
        note_prices(&mut tx, &price_changes).await?;
        tx.commit().await?;
    } else if BTreeSet::from_iter(vendors) != SELLERS.iter().map(vendor_id).collect() {
        return Err(ImportError::Occupied);
    }
    progress.phase("logins", SELLERS.len() as u64 + 1);
    add_users(db, progress).await?;
    Ok(logins())
}

fn logins() -> Vec<DemoLogin> {
    let admin = DemoLogin { email: ADMIN.to_owned(), password: PASSWORD.to_owned(), who: "admin".to_owned() };
    let vendors = SELLERS.iter().map(|seller| DemoLogin {
        email: email(seller),
        password: PASSWORD.to_owned(),
        who: format!("vendor: {} ({}, {})", seller.name, seller.currency, seller.time_zone),
    });
    std::iter::once(admin).chain(vendors).collect()
}

/// Passwords hashed at a time.
const HASHES_AT_ONCE: usize = 4;
const ADMIN: &str = "admin@demo.example";

fn email(seller: &Seller) -> String {
    format!("{}@demo.example", seller.login)
}

/// As the database notes a price that changes now.
async fn note_prices(tx: &mut Tx, changes: &[PriceChange]) -> Result<(), DbError> {
    for change in changes {
        tx.execute(
            sql("INSERT INTO notes (vendor_id, noted_us, kind, product_id, was, became) \
                 SELECT vendor_id, CAST($1 AS BIGINT), 'price', id, CAST($2 AS TEXT), CAST(unit_price AS TEXT) \
                 FROM products WHERE external_id = $3")
            .bind(change.at.as_microsecond())
            .bind(change.was.to_string())
            .bind(change.product_id.clone()),
        )
        .await?;
    }
    Ok(())
}

fn vendor_id(seller: &Seller) -> String {
    format!("{PREFIX}{}", seller.login)
}

/// Adds the users that are not there yet: all of them, or those that an interrupted run has left out.
async fn add_users(db: &Db, progress: &dyn Progress) -> Result<(), ImportError> {
    let mut tx = db.read().await?;
    let there = texts(&mut tx, "SELECT email FROM users").await?;
    drop(tx);
    let users = std::iter::once((ADMIN.to_owned(), None))
        .chain(SELLERS.iter().map(|seller| (email(seller), Some(vendor_id(seller)))));
    let missing = users.filter(|(email, _)| !there.contains(email));
    // Each password is salted by itself, the same words or not: on as many cores as there are.
    let mut hashed =
        stream::iter(missing).map(|user| async { (user, passwords::hash(PASSWORD).await) }).buffered(HASHES_AT_ONCE);
    let mut done = there.len() as u64;
    while let Some(((email, vendor), hash)) = hashed.next().await {
        let role = if vendor.is_some() { Role::Vendor } else { Role::Admin };
        let mut tx = db.write().await?;
        tx.execute(
            sql("INSERT INTO users (email, password_hash, role, vendor_id, created_us)
                 VALUES ($1, $2, $3, (SELECT id FROM vendors WHERE external_id = $4), $5) \
                 ON CONFLICT (email) DO NOTHING")
            .bind(email)
            .bind(hash.map_err(hashing_failed)?)
            .bind(role.as_str())
            .bind(vendor)
            .bind(Timestamp::now().as_microsecond()),
        )
        .await?;
        tx.commit().await?;
        done += 1;
        progress.done(done);
    }
    Ok(())
}

fn hashing_failed(error: AppError) -> ImportError {
    ImportError::Password(error.to_string())
}

/// The rows of a query's one column.
async fn texts(tx: &mut Tx, query: &str) -> Result<Vec<String>, DbError> {
    tx.rows(sql(query)).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
