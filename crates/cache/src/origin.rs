//! Whether something that was made of entries may be used again.
//!
//! A page, for example, is made of several entries and of what is no entry at all. Who keeps it keeps an [`Origin`] for
//! each entry, and may use it as long as a lookup of each would serve that same entry: not one with the same bytes, but
//! that one. So it lives exactly as long as they do, under the same judgement.

use std::{
    sync::{Mutex, Weak},
    time::{Duration, Instant},
};

use crate::{
    Cache, Foresight, Outcome, Served,
    derived::Slots,
    entry::Entry,
    key::{Key, Tag},
    lookup::{self, Found},
};

/// An entry that was served.
#[derive(Clone)]
pub struct Origin {
    key: Key,
    tags: Vec<Tag>,
    /// Which one it was: what belongs to an entry is made with it, and is nobody else's.
    slots: Weak<Mutex<Slots>>,
    age: Duration,
}

impl Origin {
    /// `None` where what was served is no current entry, or had only just been loaded.
    pub fn of<T>(key: &Key, tags: &[Tag], served: &Served<T>) -> Option<Self> {
        let slots = (served.outcome == Outcome::Hit).then(|| served.derived.downgrade())?;
        Some(Self { key: key.clone(), tags: lookup::normal(tags), slots, age: served.age })
    }

    /// How old the entry was when it was served.
    pub fn age(&self) -> Duration {
        self.age
    }
}

impl Cache {
    /// How old each of these entries is, if every one is what a lookup would serve now, from this process, and
    /// `may_be` so old. It counts as a hit of each by so many as ask together. An entry near its end counts as none:
    /// looking it up starts its reload.
    pub async fn still_serves(
        &self,
        origins: &[Origin],
        many: u64,
        may_be: impl Fn(&Origin, Duration) -> bool + Send,
    ) -> Option<Vec<Duration>> {
        let started = Instant::now();
        let found = match self.foreseen(origins).await {
            Some(found) => found,
            None => {
                let tags: Vec<Tag> = origins.iter().flat_map(|origin| origin.tags.iter().cloned()).collect();
                let foresight = self.foresee(&tags).await?;
                Foresight::scope(Some(foresight), self.foreseen(origins)).await?
            }
        };
        let entries = self.judge_origins(origins, found, may_be)?;
        self.flush_counts_soon();
        let serve = |(origin, entry): (&Origin, _)| {
            self.0.stats.read(&origin.key, many);
            self.serve_hit(&origin.key, entry, true, started, many).age
        };
        Some(origins.iter().zip(entries).map(serve).collect())
    }

    /// What the foresight in force finds current for each. `None` where it does not for one.
    async fn foreseen(&self, origins: &[Origin]) -> Option<Vec<Found>> {
        let mut found = Vec::with_capacity(origins.len());
        for origin in origins {
            found.push(self.find_foreseen(&origin.key, &origin.tags).await?);
        }
        Some(found)
    }

    fn judge_origins(
        &self,
        origins: &[Origin],
        found: Vec<Found>,
        may_be: impl Fn(&Origin, Duration) -> bool,
    ) -> Option<Vec<Entry>> {
        let now = self.0.clock.now_micros();
        let mut entries = Vec::with_capacity(found.len());
        for (origin, found) in origins.iter().zip(found) {
            let Found::Current { entry, .. } = found else { return None };
            if !Weak::ptr_eq(&origin.slots, &entry.derived.downgrade()) || self.is_due_for_refresh(&entry) {
                return None;
            }
            if !may_be(origin, Duration::from_micros(entry.age_micros(now))) {
                return None;
            }
            entries.push(entry);
        }
        Some(entries)
    }
}
