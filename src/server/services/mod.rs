//! Where cache meets database: every read that may be cached, and every write with what it invalidates.

use futures::future::{BoxFuture, OptionFuture};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tracing::Instrument;
use vendorscope_cache::{Cache, Cause, Loaded, Payload, Tag};

use super::{
    AppError,
    cache_keys::LISTING_TTL,
    db::{self, Db, Tx},
};
use crate::domain::accounts::VendorRef;

/// The figures.
pub mod analytics;
/// The cache's counters, as they are shown.
pub mod cache_stats;
/// Products.
pub mod catalog;
/// Customers of a day that is not over.
pub mod customers;
/// Figures as CSV.
pub mod export;
/// How far back there is anything.
pub mod first_day;
/// How the cache fares, and why: what its page and its part of the API show.
pub mod health;
/// Marketplace bundles.
pub mod import;
/// What the marketplace's backend sends.
pub mod ingest;
/// Lists of products and orders as files.
mod list_files;
/// The same against the time before.
pub mod market_comparison;
/// Figures of the whole marketplace.
pub mod marketplace;
/// What rises and falls, and what happened.
pub mod movers;
/// Figures of one product, category or status.
pub mod narrowed;
/// What a write leaves in the audit log.
mod noting;
/// Lists of orders: what may be asked for, and a page of one.
pub mod order_lists;
/// Orders.
pub mod orders;
/// What the cache's store may not have been told yet, kept in the database.
pub mod outbox;
/// What vendors note down of days.
mod own_notes;
/// What was edited of a product.
pub mod product_edits;
/// Lists of products: what may be asked for, and a page of one.
pub mod product_lists;
/// Giving back.
pub mod refunds;
/// What comes back, and why.
pub mod returns;
/// Views of the dashboard that users have saved.
pub mod saved_views;
/// Vendors side by side.
pub mod standings;

/// Requests that are done once.
pub mod once;
/// Tags that people name.
pub mod tags;
/// Keeping in the cache what is asked for most.
pub mod warming;

pub use once::Sender;
pub use outbox::DatabaseOutbox;

use noting::{changes, note};
use once::Once;

/// What a write answers, and what that means for the cache.
pub(in crate::server) struct Written<T> {
    answer: T,
    /// What it made stale.
    stale: Vec<Tag>,
    /// What it found to be so already. Whoever made it so may not have told the cache yet: the answer waits for what is
    /// pending for these tags (`None`: for anything).
    rests_on: Option<Vec<Tag>>,
}

impl<T> Written<T> {
    pub(in crate::server) fn stale(answer: T, tags: Vec<Tag>) -> Self {
        Self { answer, stale: tags, rests_on: Some(Vec::new()) }
    }

    fn stale_in_part(answer: T, tags: Vec<Tag>) -> Self {
        Self { answer, stale: tags, rests_on: None }
    }

    /// It changed nothing, because everything was so already.
    pub(in crate::server) fn nothing(answer: T, rests_on: Option<Vec<Tag>>) -> Self {
        Self { answer, stale: Vec::new(), rests_on }
    }
}

/// Every write of the services: one transaction, and then what it makes stale. Commit, deliver, answer; where `work`
/// fails, nothing has changed. Carried to its end even when the request that asked for it goes away in the middle:
/// between a commit and the invalidation that belongs to it there must be no way out. What was done `once` already is
/// answered as it was then.
pub(in crate::server) async fn write<T, W>(
    db: &Db,
    cache: &Cache,
    cause: Cause,
    once: Option<Once>,
    work: W,
) -> Result<T, AppError>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    W: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<Written<T>, AppError>> + Send + 'static,
{
    let (db, cache) = (db.clone(), cache.clone());
    let write = async move {
        let mut tx = db.write().await?;
        let before = match &once {
            Some(once) => once.answered(&mut tx).await?,
            None => None,
        };
        let Written { answer, stale, rests_on } = match before {
            // Whoever did it may not have told the cache yet.
            Some(answer) => Written::nothing(answer, None),
            None => {
                let written = work(&mut tx).await?;
                if let Some(once) = &once {
                    once.remember(&mut tx, &written.answer).await?;
                }
                written
            }
        };
        let row = if stale.is_empty() { None } else { Some(outbox::record(&mut tx, &stale, &cause).await?) };
        tx.commit().await?;
        let told = OptionFuture::from(row.map(|row| cache.deliver(row)));
        tokio::join!(told, cache.wait_until_delivered(rests_on.as_deref()));
        Ok(answer)
    };
    to_the_end(write).await
}

/// What a loader loads, with what that cost the database.
pub(in crate::server) async fn costed(
    load: impl Future<Output = Result<Loaded, AppError>>,
) -> Result<Loaded, AppError> {
    let (loaded, statements) = db::counted(load).await;
    loaded.map(|loaded| loaded.costing(statements))
}

/// Who a vendor's own write is logged as, and why it invalidates.
pub(in crate::server) fn by_vendor(vendor: &VendorRef, why: &'static str) -> Cause {
    Cause { who: format!("vendor {}", vendor.external_id), why }
}

/// Carries a write to its end even when the request that asked for it goes away in the middle: between a commit and the
/// invalidation that belongs to it there must be no way out.
pub(in crate::server) async fn to_the_end<T: Send + 'static>(
    write: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<T, AppError> {
    tokio::spawn(write.in_current_span())
        .await
        .unwrap_or_else(|error| Err(AppError::Internal(format!("a write did not end: {error}"))))
}

/// A cached payload as the type it holds. The cache takes a failure for a miss, and loads again.
pub(in crate::server) fn from_json<T: DeserializeOwned>(payload: &Payload) -> Result<T, AppError> {
    serde_json::from_slice(&payload.bytes())
        .map_err(|error| AppError::Internal(format!("cached {}: {error}", std::any::type_name::<T>())))
}

/// A page of a listing as it is kept. One that is searched for, or lies behind another, is one of as many as anybody
/// can think of: it is not kept beyond its life, and not at all where there is nothing on it.
fn listing(bytes: Vec<u8>, is_one_of_many: bool, is_empty: bool) -> Loaded {
    match (is_one_of_many, is_empty) {
        (false, _) => Loaded::new(bytes, LISTING_TTL),
        (true, false) => Loaded::new(bytes, LISTING_TTL).not_standing_in(),
        (true, true) => Loaded::passing(bytes),
    }
}

/// The part of a listing's cache key that names the query. A digest: searches are as long and as odd as people make
/// them.
fn listing_detail(query: &impl std::fmt::Debug) -> String {
    hex::encode(&Sha256::digest(format!("{query:?}"))[..16])
}
