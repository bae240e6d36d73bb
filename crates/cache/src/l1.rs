//! L1: entries in this process, before a store that is elsewhere.
//!
//! Nothing here is served on its own word: each use asks the store for the tags' generations (one small MGET) and
//! compares them with the entry's stamp. So nothing has to be told when something is invalidated, and no message that
//! is lost can do harm.

use foldhash::fast::RandomState;
use moka::future::Cache as Moka;

use crate::{
    entry::Entry,
    key::{Key, Tag},
};

/// What an entry costs beside its payload: header, key, tags, bookkeeping. An estimate.
const OVERHEAD_BYTES: usize = 600;

/// Bounded by bytes; keeps what is used often.
pub struct L1(Option<Moka<Key, Entry, RandomState>>);

impl L1 {
    /// 0 bytes: none.
    pub fn new(max_bytes: u64) -> Self {
        Self((max_bytes > 0).then(|| {
            Moka::builder()
                .max_capacity(max_bytes)
                .weigher(|key: &Key, entry: &Entry| {
                    // Three times: room is made at once for its other two forms, where it is compressed.
                    u32::try_from(key.as_str().len() + 3 * entry.payload.kept().len() + OVERHEAD_BYTES)
                        .unwrap_or(u32::MAX)
                })
                .build_with_hasher(RandomState::default())
        }))
    }

    /// An entry that would be fresh if its stamp were current.
    pub async fn find(&self, key: &Key, tags: &[Tag], now_micros: u64) -> Option<Entry> {
        let entry = self.0.as_ref()?.get(key).await?;
        (!entry.is_expired(now_micros) && entry.stamp.iter().map(|(tag, _)| tag).eq(tags)).then_some(entry)
    }

    /// How many entries there are, and about how many bytes they take.
    pub fn size(&self) -> (u64, u64) {
        self.0.as_ref().map_or((0, 0), |entries| (entries.entry_count(), entries.weighted_size()))
    }

    pub async fn keep(&self, key: &Key, entry: &Entry) {
        if let Some(entries) = &self.0 {
            entries.insert(key.clone(), entry.clone()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generations::Generation, payload::Payload};

    fn entry(bytes: usize) -> Entry {
        Entry {
            created_micros: 0,
            expires_micros: 10,
            load_micros: 0,
            schema: 0,
            digest: 0,
            base_ttl_micros: 0,
            stamp: vec![(Tag::new("analytics"), Generation::mint())],
            payload: Payload::plain(vec![0; bytes].into()),
            derived: crate::derived::Derived::default(),
        }
    }

    #[tokio::test]
    async fn only_what_is_fresh_and_has_these_tags_is_found() {
        let (l1, key, tags) = (L1::new(100_000), Key::new("profile:{42}"), [Tag::new("analytics")]);
        l1.keep(&key, &entry(3)).await;
        assert!(l1.find(&key, &tags, 9).await.is_some());
        assert!(l1.find(&key, &tags, 10).await.is_none());
        assert!(l1.find(&key, &[Tag::new("vendor:{42}")], 9).await.is_none());
        assert!(l1.find(&key, &[], 9).await.is_none());
    }

    #[tokio::test]
    async fn it_is_bounded_by_bytes() {
        let l1 = L1::new(100_000);
        for index in 0..200 {
            l1.keep(&Key::new(format!("snapshot:{index}")), &entry(10_000)).await;
        }
        let Some(entries) = &l1.0 else { return };
        entries.run_pending_tasks().await;
        assert!(entries.weighted_size() <= 100_000 && entries.entry_count() > 0);
    }
}
