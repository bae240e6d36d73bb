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

/// What a loader gives the cache to keep: the bytes, and for how long.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub(crate) bytes: Bytes,
    pub(crate) ttl: Duration,
    pub(crate) adaptive: Option<AdaptiveTtl>,
    /// From when it was loaded until it is no longer true, whatever its TTL.
    pub(crate) ends_in: Duration,
    /// Whether it is kept beyond its life, for when its loader fails.
    pub(crate) stands_in: bool,
    pub(crate) statements: u64,
}

/// How to go on with what a reload finds unchanged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdaptiveTtl {
    pub digest: u64,
    pub at_most: Duration,
}

impl Loaded {
    pub fn new(bytes: impl Into<Bytes>, ttl: Duration) -> Self {
        Self { bytes: bytes.into(), ttl, adaptive: None, ends_in: Duration::MAX, stands_in: true, statements: 0 }
    }

    /// Not kept at all: whoever asks next loads again. For answers of which there are more than anybody asks for twice.
    pub fn passing(bytes: impl Into<Bytes>) -> Self {
        Self::new(bytes, Duration::ZERO)
    }

    /// Ends its life after this at the latest, exactly: with a day that it is about.
    #[must_use]
    pub fn ending_in(mut self, time: Duration) -> Self {
        self.ends_in = time;
        self
    }

    /// Has it forgotten with the end of its life, instead of being kept for when its loader fails. For what is one of
    /// very many and seldom asked for twice.
    #[must_use]
    pub fn not_standing_in(mut self) -> Self {
        self.stands_in = false;
        self
    }

    /// Says how many statements it took to load: for statistics.
    #[must_use]
    pub fn costing(mut self, statements: u64) -> Self {
        self.statements = statements;
        self
    }

    /// Lets the value live longer each time a reload finds that it says the same: eight times as long as before, up to
    /// `at_most`. `says` is what is compared: all that a reader would notice.
    #[must_use]
    pub fn adaptive(mut self, says: &impl Hash, at_most: Duration) -> Self {
        // All instances of one release hash alike. Where two releases differ, a value counts as changed once.
        let mut hasher = DefaultHasher::new();
        says.hash(&mut hasher);
        self.adaptive = Some(AdaptiveTtl { digest: hasher.finish().max(1), at_most });
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
