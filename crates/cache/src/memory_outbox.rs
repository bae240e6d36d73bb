//! The outbox of a cache that has been given no other: right where one process changes the data, and the store ends with
//! it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Invalidation, Look, Outbox, PendingInvalidation, StoreClaim};

/// What is pending, and which store counts: what a look finds.
pub(crate) struct MemoryOutbox(Mutex<Look>);

/// Its epochs are none that a database counts: of what is stored under one of them, no cache with a database is served.
impl Default for MemoryOutbox {
    fn default() -> Self {
        let claim = StoreClaim { epoch: i64::MIN, ..StoreClaim::default() };
        Self(Mutex::new(Look { claim, ..Look::default() }))
    }
}

impl MemoryOutbox {
    fn state(&self) -> MutexGuard<'_, Look> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    async fn look(&self, limit: usize) -> Result<Look, String> {
        let Look { claim, pending } = &*self.state();
        Ok(Look { claim: claim.clone(), pending: pending.iter().take(limit).cloned().collect() })
    }

    async fn record(&self, invalidation: &Invalidation) -> Result<i64, String> {
        let id = rand::random();
        self.state().pending.push(PendingInvalidation { id, invalidation: invalidation.clone() });
        Ok(id)
    }

    async fn acknowledge(&self, ids: &[i64], claim: &StoreClaim) -> Result<bool, String> {
        let mut state = self.state();
        let counts = state.claim == *claim;
        state.pending.retain(|row| !(counts && ids.contains(&row.id)));
        Ok(counts)
    }

    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String> {
        let mut state = self.state();
        let is_seen = state.claim.epoch == seen;
        if is_seen {
            state.claim = StoreClaim { epoch: seen + 1, server: server.to_owned() };
        }
        Ok(is_seen)
    }
}
