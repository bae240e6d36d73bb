//! What the cache counts of itself.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    clock::micros,
    keys::{Family, Tag},
    times::{self, Times, Timing},
};

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
    /// Of those, where `vendor:ID` had; where several tags had, each is counted.
    MissesByVendorTag,
    MissesByProductsTag,
    MissesByOrdersTag,
    MissesByAnalyticsTag,
    MissesByMarketplaceTag,
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
    pub const ALL: [Self; 21] = [
        Self::Hits,
        Self::NearHits,
        Self::MissesAbsent,
        Self::MissesExpired,
        Self::MissesInvalidated,
        Self::MissesByVendorTag,
        Self::MissesByProductsTag,
        Self::MissesByOrdersTag,
        Self::MissesByAnalyticsTag,
        Self::MissesByMarketplaceTag,
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
            Self::MissesByVendorTag => "misses_by_vendor_tag",
            Self::MissesByProductsTag => "misses_by_products_tag",
            Self::MissesByOrdersTag => "misses_by_orders_tag",
            Self::MissesByAnalyticsTag => "misses_by_analytics_tag",
            Self::MissesByMarketplaceTag => "misses_by_marketplace_tag",
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

    /// What is counted when this tag's new generation made an entry unusable.
    pub fn missed_by(tag: &Tag) -> Self {
        match tag.family() {
            Family::Vendor => Self::MissesByVendorTag,
            Family::Products => Self::MissesByProductsTag,
            Family::Orders => Self::MissesByOrdersTag,
            Family::Analytics => Self::MissesByAnalyticsTag,
            Family::Marketplace => Self::MissesByMarketplaceTag,
        }
    }
}

/// How many numbers there are: one for each [`Counter`], and what each [`Timing`] takes.
const PLACES: usize = Counter::ALL.len() + Timing::ALL.len() * times::PLACES;

/// The name of each number in the store.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let counters = Counter::ALL.iter().map(|counter| counter.name().to_owned());
    counters.chain(Timing::ALL.into_iter().flat_map(Timing::names)).collect()
});

/// A number for each [`Counter`], and how long what [`Timing`] names took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; PLACES]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; PLACES])
    }
}

impl Counts {
    /// As the store has them: `of` says the number that goes by a name, 0 where there is none.
    pub fn read(of: impl Fn(&str) -> u64) -> Self {
        Self(std::array::from_fn(|place| of(&NAMES[place])))
    }

    /// Those that are not 0, by the name that [`read`](Self::read) asks for.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        NAMES.iter().zip(self.0).filter(|(_, value)| *value > 0).map(|(name, value)| (name.as_str(), value))
    }

    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    pub fn set(&mut self, counter: Counter, value: u64) {
        self.0[counter as usize] = value;
    }

    /// How long loads or hits took.
    pub fn times(&self, timing: Timing) -> Times {
        Times::new(std::array::from_fn(|place| self.0[first_place(timing) + place]))
    }

    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|value| *value == 0)
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|place| self.0[place].saturating_add(other.0[place])))
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

fn first_place(timing: Timing) -> usize {
    Counter::ALL.len() + timing as usize * times::PLACES
}

/// What this process counted and has not yet handed to the store.
#[derive(Debug)]
pub struct Stats([AtomicU64; PLACES]);

impl Default for Stats {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl Stats {
    pub fn add(&self, counter: Counter) {
        self.add_many(counter, 1);
    }

    pub fn add_many(&self, counter: Counter, count: u64) {
        self.add_at(counter as usize, count);
    }

    /// Notes that one of these took so long.
    pub fn time(&self, timing: Timing, took: Duration) {
        let first = first_place(timing);
        self.add_at(first + times::bucket(took), 1);
        self.add_at(first + times::SUM, micros(took));
    }

    fn add_at(&self, place: usize, count: u64) {
        self.0[place].fetch_add(count, Ordering::Relaxed);
    }

    /// Everything counted since the last call; what cannot be delivered goes back with [`give_back`](Self::give_back).
    pub fn take(&self) -> Counts {
        Counts(std::array::from_fn(|place| self.0[place].swap(0, Ordering::Relaxed)))
    }

    pub fn give_back(&self, counts: &Counts) {
        counts.0.iter().enumerate().for_each(|(place, count)| self.add_at(place, *count));
    }

    pub fn peek(&self) -> Counts {
        Counts(std::array::from_fn(|place| self.0[place].load(Ordering::Relaxed)))
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
        let names: std::collections::HashSet<_> = NAMES.iter().collect();
        assert_eq!((NAMES.len(), names.len()), (PLACES, PLACES));
        for (place, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, place);
        }
    }

    #[test]
    fn what_the_store_has_by_name_reads_back_whole() {
        let stats = Stats::default();
        stats.add_many(Counter::MissesByOrdersTag, 3);
        stats.time(Timing::Load, Duration::from_millis(7));
        stats.time(Timing::Hit, Duration::from_secs(60));
        let counts = stats.take();
        let stored: std::collections::HashMap<_, _> = counts.named().collect();
        assert_eq!(stored.len(), 5, "{stored:?}");
        assert_eq!(Counts::read(|name| stored.get(name).copied().unwrap_or(0)), counts);
        assert_eq!(counts.times(Timing::Load).count(), 1);
    }
}
