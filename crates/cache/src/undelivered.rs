//! Invalidations that the store has not taken yet.
//!
//! Until it has, this process trusts no entry of those tags. The [outbox](super::outbox) extends the same distrust to the other
//! instances, and survives this process.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::key::Tag;

#[derive(Debug, Default)]
pub struct Undelivered {
    waiting: Mutex<Waiting>,
    /// How many tags wait: lookups ask this first, and nearly always it is 0.
    count: AtomicUsize,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// When each tag was last added; a delivery that began before that does not count.
    tags: HashMap<Tag, u64>,
    clock: u64,
    delivering: bool,
}

impl Undelivered {
    pub fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub fn contains_any(&self, tags: &[Tag]) -> bool {
        self.len() > 0 && {
            let waiting = self.lock();
            tags.iter().any(|tag| waiting.tags.contains_key(tag))
        }
    }

    /// Adds the tags. `true` if nobody is delivering: the caller must see to it.
    #[must_use]
    pub fn add(&self, tags: &[Tag]) -> bool {
        let mut waiting = self.lock();
        waiting.clock += 1;
        let now = waiting.clock;
        waiting.tags.extend(tags.iter().map(|tag| (tag.clone(), now)));
        self.count.store(waiting.tags.len(), Ordering::SeqCst);
        !std::mem::replace(&mut waiting.delivering, true)
    }

    /// Up to `limit` tags and the moment of asking. Without any left, delivering has ended.
    pub fn next(&self, limit: usize) -> Option<(Vec<Tag>, u64)> {
        let mut waiting = self.lock();
        if waiting.tags.is_empty() {
            waiting.delivering = false;
            return None;
        }
        Some((waiting.tags.keys().take(limit).cloned().collect(), waiting.clock))
    }

    /// The store has taken these, in an invalidation that began at `moment`.
    pub fn delivered(&self, tags: &[Tag], moment: u64) {
        let mut waiting = self.lock();
        for tag in tags {
            if waiting.tags.get(tag).is_some_and(|added| *added <= moment) {
                waiting.tags.remove(tag);
            }
        }
        self.count.store(waiting.tags.len(), Ordering::SeqCst);
        drop(waiting);
        self.changed.notify_waiters();
    }

    /// Returns once none of the tags waits.
    pub async fn until_delivered(&self, tags: &[Tag]) {
        loop {
            // Registered before looking, so that a delivery in between is not missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !self.contains_any(tags) {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_added_again_while_being_delivered_goes_on_waiting() {
        let (undelivered, tags) = (Undelivered::default(), [Tag::new("vendor:{1}")]);
        assert!(undelivered.add(&tags));
        let taken = undelivered.next(10);
        assert!(!undelivered.add(&tags), "someone is delivering already");
        if let Some((taken, moment)) = taken {
            undelivered.delivered(&taken, moment);
        }
        assert!(undelivered.contains_any(&tags), "the second invalidation has not been delivered");
        let again = undelivered.next(10);
        if let Some((taken, moment)) = again {
            undelivered.delivered(&taken, moment);
        }
        assert!(!undelivered.contains_any(&tags));
        assert!(undelivered.next(10).is_none());
        assert!(undelivered.add(&tags), "delivering had ended");
    }
}
