//! How this instance and its store fare, and what this instance has invalidated: for people.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use vendorscope_redis::LinkStatus;

use crate::{
    Cache, Invalidation,
    clock::Instants,
    key::Key,
    stats::Names,
    store::{Listing, ServerFacts, StoreError},
};

/// Invalidations that are told apart until somebody takes them; beyond, they are counted together.
const TOLD_APART: usize = 500;

/// How this instance's cache fares now.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Since the last look at the outbox began; `None` before the first.
    pub looked_ago: Option<Duration>,
    /// Invalidations that this instance knows to be pending, and for how long it has not been able to deliver the
    /// oldest: not since before it tried, nor since before that was called for (by the clock of who did).
    pub pending: usize,
    pub pending_for: Option<Duration>,
    /// The epoch of the store that counts; `None` before the first look.
    pub epoch: Option<i64>,
    /// Whether the store that this instance speaks to is known to be the one that counts.
    pub is_trusted: bool,
    /// Entries in this process before the store, and about how many bytes they take.
    pub near_entries: u64,
    pub near_bytes: u64,
    /// Connections to the store's servers.
    pub connections: Vec<LinkStatus>,
}

/// Invalidations that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidationTally {
    pub tags: Vec<String>,
    pub who: String,
    pub why: String,
    pub times: u64,
    /// The last of them.
    pub last: Timestamp,
}

/// What this instance has invalidated and nobody has taken yet.
#[derive(Default)]
pub(crate) struct Journal(Mutex<HashMap<Alike, (u64, Timestamp)>>);

/// Tags, who and why.
type Alike = (Vec<String>, String, String);

impl Journal {
    pub fn note(&self, invalidation: &Invalidation) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut name = (invalidation.tags.clone(), invalidation.who.clone(), invalidation.why.clone());
        if noted.len() >= TOLD_APART && !noted.contains_key(&name) {
            name.0 = Vec::new();
        }
        let (times, last) = noted.entry(name).or_insert((0, invalidation.at));
        *times += 1;
        *last = invalidation.at.max(*last);
    }

    fn take(&self) -> Vec<InvalidationTally> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let tally = |((tags, who, why), (times, last))| InvalidationTally { tags, who, why, times, last };
        noted.into_iter().map(tally).collect()
    }
}

impl Cache {
    /// How this instance and its connections fare. Asks nobody.
    pub fn condition(&self) -> Condition {
        let (near_entries, near_bytes) = self.0.l1.size();
        let view = self.view();
        let oldest = view.pending.iter().map(|row| row.invalidation.at).min();
        let age = |at| Duration::try_from(Timestamp::now().duration_since(at)).unwrap_or_default();
        Condition {
            looked_ago: view.looked.map(Instants::age),
            pending: view.pending.len(),
            pending_for: oldest.and_then(|at| Some(self.0.undelivered.lasts()?.min(age(at)))),
            epoch: view.looked.map(|_| view.claim.epoch),
            is_trusted: view.bound_claim().is_some(),
            near_entries,
            near_bytes,
            connections: self.0.store.connections(),
        }
    }

    /// What this instance has invalidated since this was last called. Tags are empty where they were too many to be
    /// told apart.
    pub fn take_invalidations(&self) -> Vec<InvalidationTally> {
        self.0.journal.take()
    }

    /// What this instance was asked for most and which tags made most of its lookups miss, since this was last called.
    pub fn take_names(&self) -> Names {
        self.0.stats.take_names()
    }

    /// What the store's servers say of themselves; nothing for a store in this process.
    pub async fn servers(&self) -> Result<Vec<ServerFacts>, StoreError> {
        self.0.store.servers().await
    }

    /// The names of entries, as far as they can be looked through in half a second.
    pub async fn list_entries(&self) -> Result<Listing, StoreError> {
        self.0.store.list().await
    }

    /// What each of these takes in the store, in bytes; `None` where it is not there, or this user may not ask.
    pub async fn sizes(&self, keys: &[Key]) -> Result<Vec<Option<u64>>, StoreError> {
        self.0.store.sizes(keys).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cause, Tag};

    #[test]
    fn what_is_alike_is_counted_and_what_is_too_much_is_counted_together() {
        let journal = Journal::default();
        let note = |tag: &str, second| {
            let cause = Cause { who: "ingest".to_owned(), why: "orders" };
            let at = Timestamp::from_second(second).expect("a time");
            journal.note(&Invalidation::new(&[Tag::new(tag)], &cause, at));
        };
        (0..3).for_each(|second| note("vendor:{69}", second));
        let taken = journal.take();
        assert_eq!((taken.len(), taken[0].times, taken[0].last.as_second()), (1, 3, 2), "{taken:?}");
        assert!(journal.take().is_empty(), "it is taken once");
        (0..1_000).for_each(|vendor| note(&format!("vendor:{{{vendor}}}"), 0));
        let taken = journal.take();
        assert_eq!((taken.len(), taken.iter().map(|tally| tally.times).sum::<u64>()), (TOLD_APART + 1, 1_000));
    }
}
