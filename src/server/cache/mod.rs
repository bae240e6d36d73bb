//! The read-through cache.

use std::{fmt::Display, future::Future, time::Duration};

use bytes::Bytes;

use crate::api::{admin::CacheStats, dashboard::Source};

pub mod keys;

pub use keys::{CacheKey, Tag};

/// How a lookup went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    Miss,
    Stale,
    Bypass,
}

impl From<Outcome> for Source {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Hit => Self::Hit,
            Outcome::Miss => Self::Miss,
            Outcome::Stale => Self::Stale,
            Outcome::Bypass => Self::Bypass,
        }
    }
}

impl Outcome {
    /// As the `X-Cache` header says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "HIT",
            Self::Miss => "MISS",
            Self::Stale => "STALE",
            Self::Bypass => "BYPASS",
        }
    }
}

/// What a loader gives the cache to keep: the bytes as they are served, and for how long.
pub struct Loaded {
    pub bytes: Bytes,
    pub ttl: Duration,
}

/// A value from the cache or the loader, and where it came from.
#[derive(Debug, Clone)]
pub struct Served<T> {
    pub value: T,
    pub outcome: Outcome,
    /// Since the value was loaded.
    pub age: Duration,
    /// What finding and, if need be, loading it took.
    pub elapsed: Duration,
}

impl<T> Served<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Served<U> {
        Served { value: change(self.value), outcome: self.outcome, age: self.age, elapsed: self.elapsed }
    }
}

/// Who invalidates, and why; for the log.
#[derive(Debug, Clone)]
pub struct Cause {
    pub who: String,
    pub why: &'static str,
}

/// The cache's facade. A call site says key, tags and loader (which says the TTL), and nothing else. Cheap to clone.
#[derive(Clone)]
pub struct Cache;

impl Cache {
    /// The fresh entry under `key`, or what `load` gives, stored under the generations its tags had before loading began.
    /// Fails only as `load` fails.
    pub async fn get_or_load<E, F, Fut>(&self, key: &CacheKey, tags: &[Tag], load: F) -> Result<Served<Bytes>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        let _ = (key, tags);
        let loaded = load().await?;
        Ok(Served { value: loaded.bytes, outcome: Outcome::Bypass, age: Duration::ZERO, elapsed: Duration::ZERO })
    }

    /// Gives each tag a new generation: no entry stamped with an older one is served again. Returns once the store has taken it, or
    /// once it can no longer be wrong that it has not.
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) {
        let _ = (tags, cause);
    }

    pub async fn stats(&self) -> CacheStats {
        todo!()
    }

    /// `redis` or `memory`.
    pub fn memory() -> Self {
        Self
    }
    pub fn store_name(&self) -> &'static str {
        "memory"
    }
}
