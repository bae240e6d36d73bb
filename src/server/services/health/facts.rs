//! All that a verdict is reached from, at one moment.

use jiff::Timestamp;
use vendorscope_cache::stats::{Counter, Counts};

use crate::server_functions::cache_health::{HealthEvent, InstanceHealth, InvalidationShown, Presence, RedisHealth};

/// What is known of the cache.
pub struct Facts {
    pub now: Timestamp,
    /// `redis` or `memory`.
    pub store: &'static str,
    /// Whether the store could say what all instances counted.
    pub is_whole: bool,
    pub instances: Vec<InstanceHealth>,
    pub redis: Vec<RedisHealth>,
    /// The policy by which the sessions' Redis may throw them away; `None` where it never does.
    pub session_eviction: Option<String>,
    /// What was counted in each minute of the last day, the oldest first; the last one is not over.
    pub minutes: Vec<Counts>,
    /// When the first of them begins, in seconds since 1970.
    pub minutes_from: i64,
    /// Invalidations of the last day, the newest first.
    pub invalidations: Vec<InvalidationShown>,
    /// What happened within the last day, the newest first.
    pub events: Vec<HealthEvent>,
}

impl Facts {
    /// What was counted in the last so many minutes, the present one included.
    pub fn last(&self, minutes: usize) -> Counts {
        sum(&self.minutes[self.minutes.len().saturating_sub(minutes)..])
    }

    /// When a minute begins, by its place.
    pub fn minute(&self, place: usize) -> Timestamp {
        let second = self.minutes_from + i64::try_from(place).unwrap_or(0) * 60;
        Timestamp::from_second(second).unwrap_or(self.now)
    }

    /// What happened since, of this kind.
    pub fn events_since(&self, kind: &str, since: Timestamp) -> impl Iterator<Item = &HealthEvent> {
        self.events.iter().filter(move |event| event.kind == kind && event.at >= since)
    }

    pub fn running(&self) -> impl Iterator<Item = &InstanceHealth> {
        self.instances.iter().filter(|instance| instance.presence == Presence::Running)
    }
}

pub fn sum(counts: &[Counts]) -> Counts {
    counts.iter().fold(Counts::default(), |sum, more| sum.plus(more))
}

pub fn lookups(counts: &Counts) -> u64 {
    counts.get(Counter::Hits) + counts.misses() + counts.get(Counter::Bypasses)
}
