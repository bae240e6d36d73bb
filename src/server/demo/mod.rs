//! The demo marketplace: made up, the same on every machine for the same moment, and imported like any other bundle.

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
        services::import::import,
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
/// Begins every id of the demo's vendors; by it a database with the demo in it is known.
const PREFIX: &str = "demo-";

/// Fills an empty database with a lively, deterministic marketplace in which nothing has happened after `now`. On a
/// database with vendors in it: an error that says so, unless they are the demo's own, in which case nothing is done
/// but to return the logins.
pub async fn demo(db: &Db, now: Timestamp, progress: &dyn Progress) -> Result<Vec<DemoLogin>, ImportError> {
    let mut tx = db.read().await?;
    let vendors: i64 = count(&mut tx, "SELECT COUNT(*) FROM vendors").await?;
    let own: i64 = count(&mut tx, &format!("SELECT COUNT(*) FROM vendors WHERE external_id LIKE '{PREFIX}%'")).await?;
    drop(tx);
    if vendors != own {
        return Err(ImportError::Occupied);
    }
    if vendors == 0 {
        progress.phase("making up a marketplace", 0);
        let (tables, price_changes) = story::tell(now);
        import(db, Bundle::Memory(tables), "the demo", ImportOptions::default(), progress).await?;
        note_prices(db, &price_changes).await?;
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
async fn note_prices(db: &Db, changes: &[PriceChange]) -> Result<(), DbError> {
    let mut tx = db.write().await?;
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
    tx.commit().await
}

fn vendor_id(seller: &Seller) -> String {
    format!("{PREFIX}{}", seller.login)
}

/// Adds the users that are not there yet: all of them, or those that an interrupted run has left out.
async fn add_users(db: &Db, progress: &dyn Progress) -> Result<(), ImportError> {
    let mut tx = db.read().await?;
    let there: Vec<String> = tx
        .rows(sql("SELECT email FROM users"))
        .await?
        .iter()
        .map(|row| row.try_get("email"))
        .collect::<Result<_, _>>()
        .map_err(DbError::from)?;
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

async fn count(tx: &mut Tx, query: &str) -> Result<i64, DbError> {
    match tx.row(sql(query)).await? {
        Some(row) => Ok(row.try_get(0)?),
        None => Ok(0),
    }
}
