//! What goes into the cache and what comes out.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use bytes::Bytes;

use crate::derived::Derived;

/// How a lookup went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    Miss,
    Stale,
    Bypass,
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
#[derive(Debug, Clone)]
pub struct Loaded {
    pub(crate) bytes: Bytes,
    pub(crate) ttl: Duration,
    pub(crate) adaptive: Option<AdaptiveTtl>,
    pub(crate) statements: u64,
}

/// How to go on with what a reload finds unchanged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdaptiveTtl {
    pub digest: u64,
    pub at_most: Duration,
    pub ends_in: Duration,
}

impl Loaded {
    pub fn new(bytes: impl Into<Bytes>, ttl: Duration) -> Self {
        Self { bytes: bytes.into(), ttl, adaptive: None, statements: 0 }
    }

    /// Says how many statements it took to load: for statistics.
    #[must_use]
    pub fn costing(mut self, statements: u64) -> Self {
        self.statements = statements;
        self
    }

    /// Lets the value live longer each time a reload finds that it says the same: eight times as long as before, up to
    /// `at_most`, and never beyond `ends_in` from now, unless that is less than its TTL. `says` is what is compared:
    /// all that a reader would notice.
    #[must_use]
    pub fn adaptive(mut self, says: &impl Hash, at_most: Duration, ends_in: Duration) -> Self {
        // All instances of one release hash alike. Where two releases differ, a value counts as changed once.
        let mut hasher = DefaultHasher::new();
        says.hash(&mut hasher);
        self.adaptive = Some(AdaptiveTtl { digest: hasher.finish().max(1), at_most, ends_in });
        self
    }
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
    /// What was worked out from the entry's bytes, or will be.
    pub derived: Derived,
}

impl<T> Served<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Served<U> {
        Served {
            value: change(self.value),
            outcome: self.outcome,
            age: self.age,
            elapsed: self.elapsed,
            derived: self.derived,
        }
    }
}

/// Who invalidates, and why; for the log.
#[derive(Debug, Clone)]
pub struct Cause {
    pub who: String,
    pub why: &'static str,
}
