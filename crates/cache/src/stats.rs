//! What the cache counts of itself.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{
    clock::micros,
    frequent::Frequent,
    key::{Key, Tag},
    times::{self, Times, Timing},
};

/// One thing that is counted. Every lookup is exactly one of: a hit, a miss with its reason, a bypass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Served from an entry that was current.
    Hits,
    /// Of the hits, those that moved no payload: the entry was in this process (L1), its generations in the store.
    L1Hits,
    /// Missed: there was no entry.
    MissesAbsent,
    /// Missed: the entry had outlived its time.
    MissesExpired,
    /// Missed: a tag had another generation by now. By which family of tags is counted beside it.
    MissesInvalidated,
    /// Missed: what was stored is no entry that can be read.
    MissesCorrupt,
    /// Missed: the payload is of a schema that this release does not read.
    MissesUndecodable,
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
    /// Statements that loaders sent to their source, as far as they say: see
    /// [`Loaded::costing`](crate::Loaded::costing).
    LoadStatements,
}

impl Counter {
    pub const ALL: [Self; 18] = [
        Self::Hits,
        Self::L1Hits,
        Self::MissesAbsent,
        Self::MissesExpired,
        Self::MissesInvalidated,
        Self::MissesCorrupt,
        Self::MissesUndecodable,
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
        Self::LoadStatements,
    ];

    /// Its name in the store and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hits => "hits",
            Self::L1Hits => "l1_hits",
            Self::MissesAbsent => "misses_absent",
            Self::MissesExpired => "misses_expired",
            Self::MissesInvalidated => "misses_invalidated",
            Self::MissesCorrupt => "misses_corrupt",
            Self::MissesUndecodable => "misses_undecodable",
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
            Self::LoadStatements => "load_statements",
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

/// Misses by the family of the tag that had another generation; where several tags had, each is counted. By the name
/// they have in the store and in metrics: `misses_by_FAMILY_tag`.
type Families = BTreeMap<String, u64>;

fn family_name(family: &str) -> String {
    format!("misses_by_{family}_tag")
}

fn is_family_name(name: &str) -> bool {
    name.starts_with("misses_by_") && name.ends_with("_tag")
}

/// A number for each [`Counter`] and each family of tags, and how long what [`Timing`] names took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    numbers: [u64; PLACES],
    families: Families,
}

impl Default for Counts {
    fn default() -> Self {
        Self { numbers: [0; PLACES], families: Families::new() }
    }
}

impl Counts {
    /// As the store has them: numbers by name. Names that are none of this release's are left out.
    pub fn read(stored: &HashMap<String, u64>) -> Self {
        let families = stored
            .iter()
            .filter(|(name, _)| is_family_name(name))
            .map(|(name, count)| (name.clone(), *count))
            .collect();
        Self { numbers: std::array::from_fn(|place| stored.get(&NAMES[place]).copied().unwrap_or(0)), families }
    }

    /// Those that are not 0, by the name that [`read`](Self::read) finds them by.
    pub fn named(&self) -> impl Iterator<Item = (&str, u64)> {
        let numbers = NAMES.iter().zip(self.numbers).map(|(name, value)| (name.as_str(), value));
        numbers.chain(self.families.iter().map(|(name, count)| (name.as_str(), *count))).filter(|(_, value)| *value > 0)
    }

    /// Misses that tags of this family caused.
    pub fn misses_by_family(&self, family: &str) -> u64 {
        self.families.get(&family_name(family)).copied().unwrap_or(0)
    }

    /// Families that caused a miss, by the name they are counted under, and how many.
    pub fn families(&self) -> impl Iterator<Item = (&str, u64)> {
        self.families.iter().map(|(name, count)| (name.as_str(), *count))
    }

    pub fn get(&self, counter: Counter) -> u64 {
        self.numbers[counter as usize]
    }

    pub fn set(&mut self, counter: Counter, value: u64) {
        self.numbers[counter as usize] = value;
    }

    /// How long loads or hits took.
    pub fn times(&self, timing: Timing) -> Times {
        Times::new(std::array::from_fn(|place| self.numbers[first_place(timing) + place]))
    }

    pub fn is_zero(&self) -> bool {
        self.numbers.iter().chain(self.families.values()).all(|value| *value == 0)
    }

    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.numbers.iter_mut().zip(other.numbers).for_each(|(number, more)| *number = number.saturating_add(more));
        other.families.iter().for_each(|(name, more)| *sum.families.entry(name.clone()).or_default() += more);
        sum
    }

    /// The five reasons together.
    pub fn misses(&self) -> u64 {
        let reasons = [
            Counter::MissesAbsent,
            Counter::MissesExpired,
            Counter::MissesInvalidated,
            Counter::MissesCorrupt,
            Counter::MissesUndecodable,
        ];
        reasons.into_iter().map(|reason| self.get(reason)).sum()
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
pub struct Stats {
    numbers: [AtomicU64; PLACES],
    families: Mutex<Families>,
    reads: Mutex<Frequent>,
    missed: Mutex<Frequent>,
}

impl Default for Stats {
    fn default() -> Self {
        let numbers = std::array::from_fn(|_| AtomicU64::new(0));
        Self { numbers, families: Mutex::default(), reads: Mutex::default(), missed: Mutex::default() }
    }
}

/// What this process was asked for most, and what made most of its lookups miss.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Keys by how often they were looked up, however that ended.
    pub reads: Frequent,
    /// Tags by how many misses their new generations caused.
    pub missed: Frequent,
}

impl Names {
    pub fn merge(&mut self, other: &Self) {
        self.reads.merge(&other.reads);
        self.missed.merge(&other.missed);
    }

    pub fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.missed.is_empty()
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
        self.time_many(timing, took, 1);
    }

    /// Notes that each of so many took so long.
    pub fn time_many(&self, timing: Timing, took: Duration, many: u64) {
        let first = first_place(timing);
        self.add_at(first + times::bucket(took), many);
        self.add_at(first + times::SUM, micros(took) * many);
    }

    fn add_at(&self, place: usize, count: u64) {
        self.numbers[place].fetch_add(count, Ordering::Relaxed);
    }

    /// Notes that this tag's new generation made an entry unusable.
    pub fn missed_by(&self, tag: &Tag) {
        self.add_families([(family_name(tag.family()), 1)]);
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).note(tag.name(), 1);
    }

    /// Notes that this was looked up so often.
    pub fn read(&self, key: &Key, times: u64) {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner).note(key.as_str(), times);
    }

    /// What was looked up and what made lookups miss since the last call.
    pub fn take_names(&self) -> Names {
        let take = |names: &Mutex<Frequent>| std::mem::take(&mut *names.lock().unwrap_or_else(PoisonError::into_inner));
        Names { reads: take(&self.reads), missed: take(&self.missed) }
    }

    fn add_families(&self, more: impl IntoIterator<Item = (String, u64)>) {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        more.into_iter().for_each(|(name, count)| *families.entry(name).or_default() += count);
    }

    /// Everything counted since the last call; what cannot be delivered goes back with [`give_back`](Self::give_back).
    pub fn take(&self) -> Counts {
        let families = std::mem::take(&mut *self.families.lock().unwrap_or_else(PoisonError::into_inner));
        Counts { numbers: std::array::from_fn(|place| self.numbers[place].swap(0, Ordering::Relaxed)), families }
    }

    pub fn give_back(&self, counts: &Counts) {
        counts.numbers.iter().enumerate().for_each(|(place, count)| self.add_at(place, *count));
        self.add_families(counts.families.clone());
    }

    pub fn peek(&self) -> Counts {
        let families = self.families.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Counts { numbers: std::array::from_fn(|place| self.numbers[place].load(Ordering::Relaxed)), families }
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
        (0..3).for_each(|_| stats.missed_by(&Tag::new("orders:{7}")));
        let names = stats.take_names();
        assert_eq!(names.missed.ranking()[0].name, "orders:{7}");
        assert!(names.reads.is_empty() && stats.take_names().is_empty(), "they are taken once");
        stats.time(Timing::Load, Duration::from_millis(7));
        stats.time(Timing::Hit, Duration::from_secs(60));
        let counts = stats.take();
        let stored: HashMap<_, _> = counts.named().map(|(name, count)| (name.to_owned(), count)).collect();
        assert_eq!((stored.len(), stored["misses_by_orders_tag"]), (5, 3), "{stored:?}");
        assert_eq!(Counts::read(&stored), counts);
        assert_eq!(counts.times(Timing::Load).count(), 1);
    }
}
