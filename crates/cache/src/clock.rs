//! Wall-clock time in microseconds, which tests can hold still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Where the cache takes the time of day from. Lifetimes are judged by it, correctness never: a clock that runs ahead
/// or behind makes entries expire early or late, and nothing else.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's.
    #[default]
    System,
    /// Microseconds since 1970, moved by hand.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands at 2026-01-01T00:00:00Z until [`advance`](Self::advance) moves it.
    pub fn manual() -> Self {
        Self::Manual(Arc::new(AtomicU64::new(1_767_225_600_000_000)))
    }

    /// Moves a manual clock; the machine's does not listen.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            now.fetch_add(micros(by), Ordering::SeqCst);
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn now_micros(&self) -> u64 {
        match self {
            Self::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, micros),
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }
}

/// A moment by two clocks, of which the one that says more counts: a machine that slept has a monotonic clock that did
/// not notice.
#[derive(Clone, Copy)]
pub(crate) struct Instants {
    monotonic: Instant,
    wall: SystemTime,
}

impl Instants {
    pub fn now() -> Self {
        Self { monotonic: Instant::now(), wall: SystemTime::now() }
    }

    /// Whether it is less than `time` ago, or not before `asked`.
    pub fn is_within(self, time: Duration, asked: Self) -> bool {
        self.monotonic >= asked.monotonic || self.age() < time
    }

    pub fn age(self) -> Duration {
        self.monotonic.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}

/// A duration in microseconds; what does not fit is as long as can be said.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
