//! A look at one entry, without its payload: for people who want to know why it is served, or is not.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    Cache,
    entry::{Corrupt, Entry},
    generations::{Generation, epoch_mask},
    key::{Key, Tag},
    seen_through,
};

/// What is known of one entry.
#[derive(Debug, Clone)]
pub struct Inspection {
    pub standing: Standing,
    /// `None` where nothing that can be read lies under the key.
    pub entry: Option<Inspected>,
    /// Whether this instance holds it in its own memory as well.
    pub is_near: bool,
}

/// What stands in an entry's header.
#[derive(Debug, Clone)]
pub struct Inspected {
    pub loaded_at: Timestamp,
    pub expires_at: Timestamp,
    /// What loading it took.
    pub load_time: Duration,
    pub schema: u32,
    /// Bytes of the payload, and as the store has it: header, and compressed where that is smaller.
    pub payload_bytes: usize,
    pub stored_bytes: usize,
    pub tags: Vec<InspectedTag>,
}

/// A tag of an entry, with the generation that the entry is stamped with and the one that counts now.
#[derive(Debug, Clone)]
pub struct InspectedTag {
    pub tag: Tag,
    pub stamped: Generation,
    /// `None` where the store has forgotten it: the next lookup gives it a new one.
    pub current: Option<Generation>,
}

impl InspectedTag {
    pub fn is_current(&self) -> bool {
        self.current == Some(self.stamped)
    }
}

/// What a lookup of the key would find now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is served.
    Served,
    Absent,
    Expired,
    /// By these tags.
    Invalidated(Vec<Tag>),
    /// It cannot be read, and why.
    Corrupt(String),
    /// Another release has written it, and reads it differently.
    Undecodable,
    /// The store is not asked, or not believed, and why.
    Bypassed(String),
}

impl Cache {
    /// Looks at what lies under the key, as a lookup would find it. Counts as none, and changes nothing.
    pub async fn inspect(&self, key: &Key) -> Inspection {
        let nothing = |standing| Inspection { standing, entry: None, is_near: false };
        let stored = match self.0.store.read(key, &[]).await {
            Ok(reading) => reading.entry,
            Err(error) => return nothing(Standing::Bypassed(error.to_string())),
        };
        let Some(stored) = stored else { return nothing(Standing::Absent) };
        let entry = match Entry::decode(key, &stored) {
            Ok(entry) => entry,
            Err(Corrupt::Layout) => return nothing(Standing::Undecodable),
            Err(corrupt) => return nothing(Standing::Corrupt(corrupt.to_string())),
        };
        let tags: Vec<Tag> = entry.stamp.iter().map(|(tag, _)| tag.clone()).collect();
        let (mask, distrust) = match self.trust(&tags).await {
            Ok(mask) => (mask, None),
            Err(distrust) => (epoch_mask(self.view().claim.epoch), Some(distrust)),
        };
        let current = match self.0.store.generations(&tags).await {
            Ok(current) => seen_through(mask, current),
            Err(error) => return nothing(Standing::Bypassed(error.to_string())),
        };
        let now = self.0.clock.now_micros();
        let standing = match distrust {
            Some(why) => Standing::Bypassed(why.to_string()),
            None if !entry.is_stamped(&tags, &current) => Standing::Invalidated(entry.outdated_by(&tags, &current)),
            None if entry.schema != key.schema() => Standing::Undecodable,
            None if entry.is_expired(now) => Standing::Expired,
            None => Standing::Served,
        };
        let is_near = self.0.l1.find(key, &tags, now).await.is_some();
        let stamped = entry.stamp.iter().zip(current);
        let tags =
            stamped.map(|((tag, stamped), current)| InspectedTag { tag: tag.clone(), stamped: *stamped, current });
        Inspection {
            standing,
            is_near,
            entry: Some(Inspected {
                loaded_at: at(entry.created_micros),
                expires_at: at(entry.expires_micros),
                load_time: Duration::from_micros(entry.load_micros),
                schema: entry.schema,
                payload_bytes: entry.payload.size(),
                stored_bytes: stored.len(),
                tags: tags.collect(),
            }),
        }
    }
}

fn at(micros: u64) -> Timestamp {
    i64::try_from(micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).unwrap_or(Timestamp::MAX)
}
