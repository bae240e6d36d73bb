//! Judging what was read: the one place that decides whether an entry may be served.

use std::time::Duration;

use crate::{
    clock::micros,
    entry::{Corrupt, Entry},
    generations::Generation,
    key::{Key, Tag},
    stats::{Counter, Stats},
    store::Reading,
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
