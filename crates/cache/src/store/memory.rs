//! Entries in this process, bounded by bytes; for one instance, and for tests.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use moka::future::Cache as Moka;
use tokio::time::Instant;

use super::{Listing, Reading, Store, StoreError, Usage};
use crate::{
    generations::Generation,
    key::{Key, Span, Tag},
    lease::Lease,
    stats::Counts,
};

/// What a memory store holds unless told otherwise.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
const MAX_TAGS: usize = 100_000;
/// What an entry costs beside its bytes: key, map slot, bookkeeping. An estimate.
const OVERHEAD_BYTES: usize = 200;

pub struct MemoryStore {
    /// Another one in every process.
    server: u64,
    entries: Moka<String, Kept>,
    generations: RwLock<Generations>,
    /// By name: the token and until when.
    leases: Mutex<HashMap<String, (u64, Instant)>>,
    counts: Mutex<Counted>,
}

/// In all, and by span and number.
#[derive(Default)]
struct Counted {
    sum: Counts,
    spans: HashMap<(u8, u64), Counts>,
}

#[derive(Clone)]
struct Kept {
    entry: Bytes,
    keep: Duration,
}

impl MemoryStore {
    pub fn new(max_bytes: u64) -> Self {
        Self::with_bounds(max_bytes, MAX_TAGS)
    }

    fn with_bounds(max_bytes: u64, max_tags: usize) -> Self {
        let entries = Moka::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &String, kept: &Kept| {
                u32::try_from(key.len() + kept.entry.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
            })
            .expire_after(KeepFor)
            .build();
        Self {
            server: rand::random(),
            entries,
            generations: RwLock::new(Generations::new(max_tags)),
            leases: Mutex::default(),
            counts: Mutex::default(),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(MAX_BYTES)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn server(&self) -> Result<String, StoreError> {
        Ok(format!("memory-{:016x}", self.server))
    }

    fn bind(&self, _server: &str) {}

    fn reconnect(&self) {}

    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Reading, StoreError> {
        // The entry first: generations read after it can only be newer, and newer refuses.
        let entry = self.entries.get(key.as_str()).await.map(|kept| kept.entry);
        Ok(Reading { entry, generations: self.generations(tags).await? })
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError> {
        let known = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        Ok(tags.iter().map(|tag| known.get(tag)).collect())
    }

    async fn try_acquire(&self, key: &Key, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError> {
        let won = {
            let (mut leases, now) = (self.leases.lock().unwrap_or_else(PoisonError::into_inner), Instant::now());
            leases.retain(|_, (_, until)| *until > now);
            let free = !leases.contains_key(&lease.name);
            if free {
                leases.insert(lease.name.clone(), (lease.token, now + lease.lasts));
            }
            free
        };
        Ok((won, self.read(key, tags).await?))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.get(&lease.name).is_some_and(|(token, _)| *token == lease.token) {
            leases.remove(&lease.name);
        }
        Ok(())
    }

    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError> {
        let mut known = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        Ok(tags.iter().map(|tag| known.get_or_mint(tag)).collect())
    }

    async fn write(&self, key: &Key, entry: Bytes, _tags: &[Tag], keep: Duration) -> Result<(), StoreError> {
        self.entries.insert(key.as_str().to_owned(), Kept { entry, keep }).await;
        Ok(())
    }

    async fn invalidate(&self, tags: &[Tag], _message: &str) -> Result<(), StoreError> {
        let mut known = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        for tag in tags {
            known.renew(tag);
        }
        Ok(())
    }

    async fn add_counts(&self, counts: &Counts, at_micros: u64) -> Result<Counts, StoreError> {
        let mut counted = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counted.sum = counted.sum.plus(counts);
        for span in Span::ALL.into_iter().filter(|_| !counts.is_zero()) {
            let (number, kept) = (span.number(at_micros), span.kept().as_secs() / span.lasts().as_secs());
            counted.spans.retain(|(other, old), _| *other != span as u8 || *old + kept > number);
            let of_span = counted.spans.entry((span as u8, number)).or_default();
            *of_span = of_span.plus(counts);
        }
        Ok(counted.sum.clone())
    }

    async fn history(&self, span: Span, spans: usize, at_micros: u64) -> Result<Vec<Counts>, StoreError> {
        let (counted, last) = (self.counts.lock().unwrap_or_else(PoisonError::into_inner), span.number(at_micros));
        let numbers = (0..spans as u64).rev().map(|ago| last.saturating_sub(ago));
        Ok(numbers.map(|number| counted.spans.get(&(span as u8, number)).cloned().unwrap_or_default()).collect())
    }

    async fn usage(&self) -> Result<Usage, StoreError> {
        self.entries.run_pending_tasks().await;
        Ok(Usage { entries: self.entries.entry_count(), memory_bytes: self.entries.weighted_size() })
    }

    async fn reset_counts(&self) -> Result<(), StoreError> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).sum = Counts::default();
        Ok(())
    }

    async fn list(&self) -> Result<Listing, StoreError> {
        let names: Vec<String> = self.entries.iter().map(|(key, _)| key.as_str().to_owned()).collect();
        Ok(Listing { entries: names.len() as u64, names, is_estimate: false })
    }

    async fn sizes(&self, keys: &[Key]) -> Result<Vec<Option<u64>>, StoreError> {
        let mut sizes = Vec::with_capacity(keys.len());
        for key in keys {
            let kept = self.entries.get(key.as_str()).await;
            sizes.push(kept.map(|kept| (key.as_str().len() + kept.entry.len() + OVERHEAD_BYTES) as u64));
        }
        Ok(sizes)
    }
}

/// Each entry lives as long as it says.
struct KeepFor;

impl moka::Expiry<String, Kept> for KeepFor {
    fn expire_after_create(&self, _: &String, kept: &Kept, _: std::time::Instant) -> Option<Duration> {
        Some(kept.keep)
    }

    fn expire_after_update(
        &self,
        _: &String,
        kept: &Kept,
        _: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.keep)
    }
}

/// Generations in two halves: when the young half is full it becomes the old one, and the old one is forgotten. A tag
/// in use moves back into the young half when it is minted or renewed. What is forgotten is safe: the tag gets a
/// generation that no entry has.
struct Generations {
    young: HashMap<Tag, Generation>,
    old: HashMap<Tag, Generation>,
    half: usize,
}

impl Generations {
    fn new(max_tags: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), half: (max_tags / 2).max(1) }
    }

    /// The young half first: what it says replaces what the old half still holds.
    fn get(&self, tag: &Tag) -> Option<Generation> {
        self.young.get(tag).or_else(|| self.old.get(tag)).copied()
    }

    fn get_or_mint(&mut self, tag: &Tag) -> Generation {
        let generation = self.get(tag).unwrap_or_else(Generation::mint);
        self.put(tag, generation);
        generation
    }

    fn renew(&mut self, tag: &Tag) {
        self.put(tag, Generation::mint());
    }

    fn put(&mut self, tag: &Tag, generation: Generation) {
        if self.young.len() >= self.half && !self.young.contains_key(tag) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(tag.clone(), generation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_generation_never_comes_back() {
        let mut known = Generations::new(4);
        let mut given = std::collections::HashSet::new();
        for round in 0..1_000 {
            let tag = Tag::new(format!("vendor:{{{}}}", round % 7));
            let before = known.get(&tag);
            let generation = known.get_or_mint(&tag);
            assert!(before == Some(generation) || given.insert(generation), "{generation} was given before");
            assert!(known.young.len() + known.old.len() <= 4);
            if round % 3 == 0 {
                known.renew(&tag);
                let renewed = known.get(&tag).filter(|renewed| *renewed != generation);
                assert!(renewed.is_some_and(|renewed| given.insert(renewed)));
            }
        }
    }

    #[tokio::test]
    async fn entries_are_bounded_by_bytes() {
        let store = MemoryStore::new(100_000);
        for index in 0..200 {
            let key = Key::new(format!("snapshot:{index}"));
            assert_eq!(store.write(&key, Bytes::from(vec![0; 10_000]), &[], Duration::from_secs(60)).await, Ok(()));
        }
        let usage = store.usage().await;
        assert!(usage.as_ref().is_ok_and(|usage| usage.memory_bytes <= 100_000 && usage.entries > 0), "{usage:?}");
    }
}
