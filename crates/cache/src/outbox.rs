//! What has been changed and may not have been told to the store yet, and which store counts: kept beside the data, in
//! its database.
//!
//! A writer leaves a row for what its change makes stale, in the transaction of the change. Once the store has taken
//! the invalidation, the row is acknowledged, which removes it, and the writer answers. Whoever sees a row may deliver
//! it: rows outlive a writer that died or lost its store.
//!
//! The same database says which store **counts**, because instances need not agree on that by themselves: one may still
//! speak to the old master while another has followed to the new one, or was started with another address. Whoever
//! makes a store the one that counts counts the epoch further. Generations are seen through the epoch, so nothing from
//! an earlier one is ever served again.

use async_trait::async_trait;

use crate::Invalidation;

/// Which store counts: none yet, where the epoch is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreClaim {
    /// Counted further with every claim.
    pub epoch: i64,
    /// What the store says it is: see [`Store::server`](crate::store::Store::server).
    pub server: String,
}

/// An invalidation that the store may not have taken yet.
#[derive(Debug, Clone)]
pub struct PendingInvalidation {
    /// Never used twice.
    pub id: i64,
    pub invalidation: Invalidation,
}

/// What one look at the outbox finds, all of it of one moment.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub claim: StoreClaim,
    pub pending: Vec<PendingInvalidation>,
}

/// Where invalidations wait until the store has taken them: beside the data. Every error is a reason for the log.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Which store counts, and at most `limit` of the rows committed when this was called, the oldest first.
    async fn look(&self, limit: usize) -> Result<Look, String>;

    /// Leaves a row for something that no transaction of the data calls for. Returns its id.
    async fn record(&self, invalidation: &Invalidation) -> Result<i64, String>;

    /// Removes these rows if `claim` still counts. Whether it does: `true` for rows that somebody else has removed too.
    async fn acknowledge(&self, ids: &[i64], claim: &StoreClaim) -> Result<bool, String>;

    /// Makes `server` the store that counts, under the next epoch, if the epoch is still `seen`. Whether it was.
    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String>;
}
