use jiff::{SignedDuration, Timestamp};
use vendorscope_cache::{
    Key,
    inspect::{Inspected, InspectedTag, Standing},
};

use super::{Health, report::invalidation, rows};
use crate::{
    format,
    server::cache_keys::written_tag,
    server_functions::cache_health::{CacheEntry, EntryHeader, EntryTag, InvalidationShown},
};

/// Invalidations that are looked through for who has invalidated an entry.
const LOOKED_THROUGH: i64 = 5_000;

impl Health {
    /// What lies under the key, without its payload, and whether a lookup would be served from it.
    pub async fn entry(&self, key: &Key) -> CacheEntry {
        let found = self.cache.inspect(key).await;
        let now = Timestamp::now();
        let (standing, why) = told(&found.standing, found.entry.as_ref(), now);
        let header = found.entry.map(|entry| header(entry, found.is_near, now));
        CacheEntry { key: key.as_str().to_owned(), standing: standing.to_owned(), why, header }
    }

    /// The same, with who invalidated each of its tags last.
    pub async fn entry_with_causes(&self, key: &Key) -> CacheEntry {
        let _ = tokio::time::timeout(super::ASK_WITHIN, self.note()).await;
        let mut entry = self.entry(key).await;
        let since = Timestamp::now() - SignedDuration::from_hours(24);
        let rows = self.ask(rows::list_invalidations(&self.db, since.as_second() / 60, LOOKED_THROUGH)).await;
        let done: Vec<InvalidationShown> = rows.unwrap_or_default().iter().map(invalidation).collect();
        for tag in entry.header.iter_mut().flat_map(|header| &mut header.tags) {
            tag.invalidated_by = done.iter().find(|done| done.tags.contains(&tag.tag)).cloned();
        }
        entry
    }
}

fn told(standing: &Standing, entry: Option<&Inspected>, now: Timestamp) -> (&'static str, String) {
    match standing {
        Standing::Served => {
            let left = entry.map_or(0, |entry| seconds_between(now, entry.expires_at));
            ("served", format!("It is served: no tag was invalidated, and it has {} left.", format::seconds(left)))
        }
        Standing::Absent => ("absent", "There is nothing under this key. The next lookup loads it.".to_owned()),
        Standing::Expired => {
            let over = entry.map_or(0, |entry| seconds_between(entry.expires_at, now));
            (
                "expired",
                format!(
                    "It expired {} ago. The next lookup loads it; until that has succeeded it may be served as STALE.",
                    format::seconds(over)
                ),
            )
        }
        Standing::Invalidated(tags) => {
            let names: Vec<_> = tags.iter().map(written_tag).collect();
            let were = if names.len() == 1 { "was" } else { "were" };
            (
                "invalidated",
                format!(
                    "It is not served: {} {were} invalidated after it was loaded. The next lookup loads it.",
                    names.join(" and ")
                ),
            )
        }
        Standing::Corrupt(why) => {
            ("corrupt", format!("It is not served: it cannot be read ({why}). The next lookup loads it."))
        }
        Standing::Undecodable => {
            ("undecodable", "It is not served: another release has written it. The next lookup loads it.".to_owned())
        }
        Standing::Bypassed(why) => {
            ("bypassed", format!("The store is not asked, or not believed: {why}. Lookups go to the database."))
        }
    }
}

fn header(entry: Inspected, is_near: bool, now: Timestamp) -> EntryHeader {
    EntryHeader {
        loaded_at: entry.loaded_at,
        expires_at: entry.expires_at,
        age_seconds: seconds_between(entry.loaded_at, now),
        left_seconds: seconds_between(now, entry.expires_at),
        load_ms: (entry.load_time.as_secs_f64() * 1e6).round() / 1e3,
        schema: entry.schema,
        payload_size: entry.payload_bytes as u64,
        stored_size: entry.stored_bytes as u64,
        is_near,
        tags: entry.tags.into_iter().map(tag).collect(),
    }
}

fn tag(tag: InspectedTag) -> EntryTag {
    EntryTag {
        is_current: tag.is_current(),
        tag: written_tag(&tag.tag),
        stamped: tag.stamped.to_string(),
        current: tag.current.map(|generation| generation.to_string()),
        invalidated_by: None,
    }
}

fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}
