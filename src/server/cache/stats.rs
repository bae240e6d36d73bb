//! What the cache counts of itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that is counted. Every lookup is exactly one of: a hit, a miss with its reason, a bypass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Served from an entry that was current.
    Hits,
    /// Of the hits, those that moved no payload: the entry was in this process, its generations in the store.
    NearHits,
    /// Missed: there was no entry.
    MissesAbsent,
    /// Missed: the entry had outlived its time.
    MissesExpired,
    /// Missed: a tag had another generation by now.
    MissesInvalidated,
    /// Missed: what was stored is no entry that can be read.
    MissesCorrupt,
    /// The store could not be asked, or could not be trusted.
    Bypasses,
    /// A loader ran.
    Loads,
    /// A loader failed or panicked.
    LoadFailures,
    /// An expired but not invalidated value was served because its loader failed.
    Stale,
    /// Tags that were given a new generation.
    InvalidatedTags,
    /// A value that could not be stored.
    WriteFailures,
    /// A caller that was served by somebody else's load.
    Coalesced,
    /// A load that waited for another instance's.
    LeaseWaits,
    /// A reload of an entry that was still fresh.
    Refreshes,
    /// A value loaded before anyone asked for it.
    Warmed,
}

impl Counter {
    pub const ALL: [Self; 16] = [
        Self::Hits,
        Self::NearHits,
        Self::MissesAbsent,
        Self::MissesExpired,
        Self::MissesInvalidated,
        Self::MissesCorrupt,
        Self::Bypasses,
        Self::Loads,
        Self::LoadFailures,
        Self::Stale,
        Self::InvalidatedTags,
        Self::WriteFailures,
        Self::Coalesced,
        Self::LeaseWaits,
        Self::Refreshes,
        Self::Warmed,
    ];

    /// Its name in the store and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hits => "hits",
            Self::NearHits => "near_hits",
            Self::MissesAbsent => "misses_absent",
            Self::MissesExpired => "misses_expired",
            Self::MissesInvalidated => "misses_invalidated",
            Self::MissesCorrupt => "misses_corrupt",
            Self::Bypasses => "bypasses",
            Self::Loads => "loads",
            Self::LoadFailures => "load_failures",
            Self::Stale => "stale",
            Self::InvalidatedTags => "invalidated_tags",
            Self::WriteFailures => "write_failures",
            Self::Coalesced => "coalesced",
            Self::LeaseWaits => "lease_waits",
            Self::Refreshes => "refreshes",
            Self::Warmed => "warmed",
        }
    }
}

/// A number for each [`Counter`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([u64; Counter::ALL.len()]);

impl Counts {
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    pub fn set(&mut self, counter: Counter, value: u64) {
        self.0[counter as usize] = value;
    }

    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|value| *value == 0)
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index].saturating_add(other.0[index])))
    }

    /// The four reasons together.
    pub fn misses(&self) -> u64 {
        [Counter::MissesAbsent, Counter::MissesExpired, Counter::MissesInvalidated, Counter::MissesCorrupt]
            .iter()
            .map(|reason| self.get(*reason))
            .sum()
    }

    /// Hits of a hundred lookups that the store could answer, with two decimals. `None` before the first.
    pub fn hit_rate_percent(&self) -> Option<f64> {
        let (hits, lookups) = (self.get(Counter::Hits), self.get(Counter::Hits) + self.misses());
        (lookups > 0).then(|| (hits as f64 * 10_000.0 / lookups as f64).round() / 100.0)
    }
}

/// What this process counted and has not yet handed to the store.
#[derive(Debug, Default)]
pub struct Stats([AtomicU64; Counter::ALL.len()]);

impl Stats {
    pub fn add(&self, counter: Counter) {
        self.add_many(counter, 1);
    }

    pub fn add_many(&self, counter: Counter, count: u64) {
        self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// Everything counted since the last call; what cannot be delivered goes back with [`give_back`](Self::give_back).
    pub fn take(&self) -> Counts {
        Counts(std::array::from_fn(|index| self.0[index].swap(0, Ordering::Relaxed)))
    }

    pub fn give_back(&self, counts: &Counts) {
        for counter in Counter::ALL {
            self.add_many(counter, counts.get(counter));
        }
    }

    pub fn peek(&self) -> Counts {
        Counts(std::array::from_fn(|index| self.0[index].load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_rate_is_percent_with_two_decimals_and_unknown_at_first() {
        let mut counts = Counts::default();
        assert_eq!(counts.hit_rate_percent(), None);
        counts.set(Counter::Bypasses, 5);
        assert_eq!(counts.hit_rate_percent(), None, "a bypass says nothing of the cache");
        counts.set(Counter::Hits, 1523);
        counts.set(Counter::MissesAbsent, 100);
        counts.set(Counter::MissesExpired, 87);
        assert_eq!(counts.misses(), 187);
        assert_eq!(counts.hit_rate_percent(), Some(89.06));
    }

    #[test]
    fn what_is_given_back_is_counted_once() {
        let stats = Stats::default();
        stats.add(Counter::Hits);
        let taken = stats.take();
        stats.add(Counter::Hits);
        stats.give_back(&taken);
        assert_eq!(stats.take().get(Counter::Hits), 2);
        assert!(stats.take().is_zero());
    }

    #[test]
    fn every_counter_has_a_place_and_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = Counter::ALL.iter().map(|counter| counter.name()).collect();
        assert_eq!(names.len(), Counter::ALL.len());
        for (place, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, place);
        }
    }
}
