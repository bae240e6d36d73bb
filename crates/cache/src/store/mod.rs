//! Where entries and generations are kept.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    generations::Generation,
    key::{Key, Span, Tag},
    lease::Lease,
    stats::Counts,
};

/// In this process.
pub mod memory;
/// In Redis, shared by every instance.
pub mod redis;

pub use vendorscope_redis::{LinkStatus, RequestError as StoreError, subscription::Heard};

/// What is stored under a key, and the generation of each tag, in the order asked; `None` where there is none.
#[derive(Debug, Clone)]
pub struct Reading {
    pub entry: Option<Bytes>,
    pub generations: Vec<Option<Generation>>,
}

/// What a store says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Entries of this cache.
    pub entries: u64,
    /// Bytes; on Redis the whole server's.
    pub memory_bytes: u64,
}

/// Names of entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Those that were seen.
    pub names: Vec<String>,
    /// How many there are in all: an estimate where not all keys could be looked at.
    pub entries: u64,
    pub is_estimate: bool,
}

/// What one server of a store says of itself, since it was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFacts {
    pub version: String,
    /// Another one after every start.
    pub run_id: String,
    pub role: String,
    /// What it does when its memory is full.
    pub policy: String,
    /// Bytes; a limit of 0 is none.
    pub used_memory: u64,
    pub max_memory: u64,
    pub evicted_keys: u64,
    pub expired_keys: u64,
    pub connections: u64,
    pub max_connections: u64,
    pub refused_connections: u64,
    pub commands: u64,
    pub up: Duration,
    /// What a question and its answer take from here.
    pub ping: Duration,
}

/// Entries by key, generations by tag. What every implementation promises:
///
/// - a value is a tag's generation during one unbroken stretch of time at most: once replaced, removed or forgotten it
///   never comes back;
/// - once `invalidate` has answered `Ok`, no later reading on any instance gives the earlier generations of those tags;
/// - every call answers within a bound of its own, whatever happens underneath. A call that failed may have taken
///   effect.
///
/// Entries may be lost at any time.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// `redis` or `memory`.
    fn name(&self) -> &'static str;

    /// Whether other instances see the same entries, generations and counts.
    fn is_shared(&self) -> bool;

    /// What this store is: another text for every server process, and for each time that one becomes master. A store of
    /// several servers names them all. Asks them; fails where one cannot be used.
    async fn server(&self) -> Result<String, StoreError>;

    /// From now on, answers of other servers than these (as [`server`](Self::server) named them) are errors.
    fn bind(&self, server: &str);

    /// Looks anew where the address leads.
    fn reconnect(&self);

    /// What the store's server does not let this program do, as it said last; `None` where it refuses nothing.
    fn refusal(&self) -> Option<String> {
        None
    }

    /// The entry and its tags' generations in one round trip.
    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Reading, StoreError>;

    /// The tags' generations alone.
    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError>;

    /// Takes the lease if nobody has it (`true`), and reads as [`read`](Self::read) does, after that.
    async fn try_acquire(&self, key: &Key, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError>;

    /// Gives the lease back, if it is still this one.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// A generation for each tag: the one it has, or else a new one.
    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError>;

    /// Keeps `entry` for `keep`.
    async fn write(&self, key: &Key, entry: Bytes, tags: &[Tag], keep: Duration) -> Result<(), StoreError>;

    /// Gives each tag a new generation, then publishes `message`.
    async fn invalidate(&self, tags: &[Tag], message: &str) -> Result<(), StoreError>;

    /// Adds to the counts that all instances share, and to those of the minute and the hour of `at_micros` (µs since
    /// 1970). Answers the sum of all.
    async fn add_counts(&self, counts: &Counts, at_micros: u64) -> Result<Counts, StoreError>;

    /// What was counted in each of the last `spans`, the one of `at_micros` included; the oldest first.
    async fn history(&self, span: Span, spans: usize, at_micros: u64) -> Result<Vec<Counts>, StoreError>;

    async fn usage(&self) -> Result<Usage, StoreError>;

    /// Forgets the sum of all counts; those of minutes and hours stay.
    async fn reset_counts(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// How the connections fare; none where the store is in this process.
    fn connections(&self) -> Vec<LinkStatus> {
        Vec::new()
    }

    /// What its servers say of themselves; nothing where it is in this process.
    async fn servers(&self) -> Result<Vec<ServerFacts>, StoreError> {
        Ok(Vec::new())
    }

    /// The names of entries, as far as they can be looked through in a moment.
    async fn list(&self) -> Result<Listing, StoreError> {
        Ok(Listing::default())
    }

    /// What each entry takes, in bytes; `None` where that cannot be said.
    async fn sizes(&self, keys: &[Key]) -> Result<Vec<Option<u64>>, StoreError> {
        Ok(vec![None; keys.len()])
    }

    /// Tells of what instances publish, this one among them, for as long as it is polled. A store that nobody else sees
    /// has nothing to tell.
    async fn listen(&self, _tell: &(dyn for<'m> Fn(Heard<'m>) + Send + Sync)) {
        std::future::pending().await
    }
}
