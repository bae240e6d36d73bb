//! Asking for what is there, and judging it: the one place that decides whether an entry may be served.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    Cache, Outcome, Payload, Served,
    clock::micros,
    entry::{Corrupt, Entry},
    generations::{Generation, epoch_mask},
    key::{Key, Tag},
    millis, seen_through,
    single_flight::{Joined, WorkName, result_of},
    stats::{Counter, Stats},
    store::{Reading, StoreError},
    times::Timing,
    trust::Distrust,
};

/// What is known of a key after reading.
#[derive(Debug, Clone)]
pub enum Found {
    /// Neither expired nor invalidated; `l1` if it was in this process.
    Current { entry: Entry, l1: bool, mask: u64 },
    Missing {
        reason: MissReason,
        /// Each tag's generation at the time of reading, which is before any loader begins.
        generations: Vec<Option<Generation>>,
        /// Expired, but not invalidated.
        expired: Option<Entry>,
        /// What the generations were seen through: see [`epoch_mask`](crate::generations::epoch_mask).
        mask: u64,
    },
    /// The store could not be asked or is not trusted.
    Unknown {
        why: String,
        /// Known to be invalidated by nobody who could be asked: for the case that the source fails as well.
        fallback: Option<Entry>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MissReason {
    Absent,
    Expired,
    /// By these tags.
    Invalidated(Vec<Tag>),
    Corrupt,
    /// Stored by a release that writes the payload, or the entry, differently.
    Undecodable,
}

impl MissReason {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::Invalidated(_) => "invalidated",
            Self::Corrupt => "corrupt",
            Self::Undecodable => "undecodable",
        }
    }

    fn counter(&self) -> Counter {
        match self {
            Self::Absent => Counter::MissesAbsent,
            Self::Expired => Counter::MissesExpired,
            Self::Invalidated(_) => Counter::MissesInvalidated,
            Self::Corrupt => Counter::MissesCorrupt,
            Self::Undecodable => Counter::MissesUndecodable,
        }
    }

    /// The tags that made the entry unusable, for the log.
    pub fn tags(&self) -> String {
        let Self::Invalidated(tags) = self else { return String::new() };
        tags.iter().map(Tag::name).collect::<Vec<_>>().join(" ")
    }

    pub fn count(&self, stats: &Stats) {
        stats.add(self.counter());
        if let Self::Invalidated(tags) = self {
            tags.iter().for_each(|tag| stats.missed_by(tag));
        }
    }
}

/// The tags in the order in which they are stamped: sorted, each once.
pub fn normal(tags: &[Tag]) -> Vec<Tag> {
    let mut tags = tags.to_vec();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// `tags` are in [`normal`] order, and `reading` is of them. What is older than its life by `stale_for` counts as
/// absent.
pub fn judge(key: &Key, tags: &[Tag], reading: Reading, mask: u64, now_micros: u64, stale_for: Duration) -> Found {
    let generations = reading.generations;
    let missing = |reason, generations, expired| Found::Missing { reason, generations, expired, mask };
    let Some(stored) = reading.entry else { return missing(MissReason::Absent, generations, None) };
    match Entry::decode(key, &stored) {
        Err(Corrupt::Layout) => missing(MissReason::Undecodable, generations, None),
        Err(corrupt) => {
            tracing::warn!(key = key.as_str(), %corrupt, "entry cannot be read");
            missing(MissReason::Corrupt, generations, None)
        }
        Ok(entry) if !entry.is_stamped(tags, &generations) => {
            missing(MissReason::Invalidated(entry.outdated_by(tags, &generations)), generations, None)
        }
        Ok(entry) if entry.schema != key.schema() => missing(MissReason::Undecodable, generations, None),
        // A store may be late to forget.
        Ok(entry) if now_micros >= entry.expires_micros.saturating_add(micros(stale_for)) => {
            missing(MissReason::Absent, generations, None)
        }
        Ok(entry) if entry.is_expired(now_micros) => missing(MissReason::Expired, generations, Some(entry)),
        Ok(entry) => Found::Current { entry, l1: false, mask },
    }
}

impl Cache {
    /// What is known of the key now. Callers that ask at the same time share one question to the store, if it was not
    /// yet on its way when they came.
    pub(crate) async fn look_up(&self, key: &Key, tags: &[Tag]) -> Found {
        if let Some(found) = self.find_foreseen(key, tags).await {
            return found;
        }
        if !self.0.store.is_shared() {
            return self.ask_store(key, tags).await;
        }
        loop {
            match self.0.lookups.join(WorkName::Lookup(key.clone(), tags.to_vec())) {
                Joined::Leader(mut leader) => {
                    leader.wait_for_previous().await;
                    leader.close();
                    let found = self.ask_store(key, tags).await;
                    leader.complete::<Infallible>(&Ok(Arc::new(found.clone())));
                    return found;
                }
                Joined::Follower(follower) => {
                    // A leader that is lost is a caller that went away: the next one asks.
                    if let Some(Ok(found)) = result_of::<_, Infallible>(follower).await {
                        return Found::clone(&found);
                    }
                }
            }
        }
    }

    /// L1 entries first, then the store's; both only with generations that the store gives now.
    pub(crate) async fn ask_store(&self, key: &Key, tags: &[Tag]) -> Found {
        let mask = match self.trust(tags).await {
            Ok(mask) => mask,
            Err(distrust) => {
                let is_cut_off = distrust == Distrust::Overdue;
                let fallback = if is_cut_off { self.find_fallback(key, tags).await } else { None };
                return Found::Unknown { why: distrust.to_string(), fallback };
            }
        };
        if let Some(entry) = self.0.l1.find(key, tags, self.0.clock.now_micros()).await {
            match self.0.store.generations(tags).await.map(|current| seen_through(mask, current)) {
                Ok(current) if entry.is_stamped(tags, &current) => return Found::Current { entry, l1: true, mask },
                // Another instance may have loaded it again already.
                Ok(_) => {}
                Err(error) => return unknown(&error),
            }
        }
        match self.0.store.read(key, tags).await {
            Ok(reading) => {
                let found = self.judge(key, tags, reading, mask);
                if let Found::Current { entry, .. } = &found {
                    self.0.l1.keep(key, entry).await;
                }
                found
            }
            Err(error) => unknown(&error),
        }
    }

    /// What the store holds uninvalidated, whatever its age: its word is not enough to serve it while the source can be
    /// asked.
    async fn find_fallback(&self, key: &Key, tags: &[Tag]) -> Option<Entry> {
        let reading = self.0.store.read(key, tags).await.ok()?;
        let mask = epoch_mask(self.view().bound_claim()?.epoch);
        match self.judge(key, tags, reading, mask) {
            Found::Current { entry, .. } => Some(entry),
            Found::Missing { expired, .. } => expired,
            Found::Unknown { .. } => None,
        }
    }

    pub(crate) fn judge(&self, key: &Key, tags: &[Tag], reading: Reading, mask: u64) -> Found {
        let reading = Reading { generations: seen_through(mask, reading.generations), ..reading };
        judge(key, tags, reading, mask, self.0.clock.now_micros(), self.0.settings.stale_for)
    }

    /// A hit for so many who asked at the same time.
    pub(crate) fn serve_hit(&self, key: &Key, entry: Entry, l1: bool, started: Instant, many: u64) -> Served<Payload> {
        self.0.stats.add_many(Counter::Hits, many);
        self.0.stats.add_many(Counter::L1Hits, if l1 { many } else { 0 });
        let age = Duration::from_micros(entry.age_micros(self.0.clock.now_micros()));
        let elapsed = started.elapsed();
        self.0.stats.time_many(Timing::Hit, elapsed, many);
        // Hits are what nearly every request is: at `info` they would fill the log, and cost more than the lookup.
        tracing::debug!(
            key = key.as_str(),
            owner = key.owner(),
            age_ms = millis(age),
            elapsed_ms = millis(elapsed),
            "cache hit"
        );
        tracing::debug!(
            key = key.as_str(),
            owner = key.owner(),
            age_ms = millis(age),
            elapsed_ms = millis(elapsed),
            "serving from cache"
        );
        Served { value: entry.payload, outcome: Outcome::Hit, age, elapsed, derived: entry.derived }
    }
}

fn unknown(error: &StoreError) -> Found {
    Found::Unknown { why: error.to_string(), fallback: None }
}
