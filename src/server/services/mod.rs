//! Where cache meets database: every read that may be cached, and every write with what it invalidates.

use bytes::Bytes;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tracing::Instrument;
use vendorscope_cache::{Cache, Cause, Invalidation, Tag};

use super::{
    AppError,
    db::{Db, Tx, outbox},
};
use crate::domain::accounts::VendorRef;

/// The figures.
pub mod analytics;
/// The cache's counters, as they are shown.
pub mod cache_stats;
/// Products.
pub mod catalog;
/// Figures as CSV.
pub mod export;
/// Marketplace bundles.
pub mod import;
/// What the marketplace's backend sends.
pub mod ingest;
/// Figures of the whole marketplace.
pub mod marketplace;
/// Orders.
pub mod orders;
/// What the cache is owed, kept in the database.
pub mod owed;

/// Keeping in the cache what is asked for most.
pub mod warming;

pub use owed::DatabaseOutbox;

/// What a write answers, and what it has made stale: nothing where it changed nothing.
pub(in crate::server) struct Written<T> {
    pub answer: T,
    pub stale: Vec<Tag>,
}

/// Every write of the services: one transaction, and then what it makes stale. Commit, invalidate, answer; where `work` fails, nothing
/// has changed. Carried to its end even when the request that asked for it goes away in the middle: between a commit and the
/// invalidation that belongs to it there must be no way out.
pub(in crate::server) async fn write<T, W>(db: &Db, cache: &Cache, cause: Cause, work: W) -> Result<T, AppError>
where
    T: Send + 'static,
    W: for<'a> FnOnce(&'a mut Tx) -> BoxFuture<'a, Result<Written<T>, AppError>> + Send + 'static,
{
    let (db, cache) = (db.clone(), cache.clone());
    let write = async move {
        let mut tx = db.write().await?;
        let Written { answer, stale } = work(&mut tx).await?;
        let debt = if cache.keeps_debts() && !stale.is_empty() {
            let invalidation = Invalidation::new(&stale, &cause, Timestamp::now());
            Some(cache.owe(outbox::record(&mut tx, &invalidation.to_json()).await?))
        } else {
            None
        };
        tx.commit().await?;
        cache.invalidate_owed(&stale, &cause, debt).await;
        Ok(answer)
    };
    to_the_end(write).await
}

/// Who a vendor's own write is logged as, and why it invalidates.
pub(in crate::server) fn by_vendor(vendor: &VendorRef, why: &'static str) -> Cause {
    Cause { who: format!("vendor {}", vendor.external_id), why }
}

/// Carries a write to its end even when the request that asked for it goes away in the middle: between a commit and the invalidation
/// that belongs to it there must be no way out.
pub(in crate::server) async fn to_the_end<T: Send + 'static>(
    write: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<T, AppError> {
    tokio::spawn(write.in_current_span()).await.unwrap_or_else(|error| Err(AppError::Internal(format!("a write did not end: {error}"))))
}

/// A cached payload as the type it holds. The cache takes a failure for a miss, and loads again.
pub(in crate::server) fn from_json<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, AppError> {
    serde_json::from_slice(bytes).map_err(|error| AppError::Internal(format!("cached {}: {error}", std::any::type_name::<T>())))
}

/// The part of a listing's cache key that names the query. A digest: searches are as long and as odd as people make them.
fn listing_detail(query: &impl std::fmt::Debug) -> String {
    hex::encode(&Sha256::digest(format!("{query:?}"))[..16])
}
