//! Loading ahead of time: what is nearly over and still asked for is loaded again before anybody has to wait for it.

use std::{fmt::Display, future::Future};

use crate::{
    Cache, Loaded,
    entry::Entry,
    key::{Key, Tag},
    lease::Lease,
    lookup::Found,
    seen_through,
    single_flight::{Joined, WorkName},
    stats::Counter,
};

/// From this share of its life on, a hit also starts a reload.
const REFRESH_FROM: f64 = 0.8;

impl Cache {
    /// Past most of its life.
    pub(crate) fn is_due_for_refresh(&self, entry: &Entry) -> bool {
        entry.age_micros(self.0.clock.now_micros()) as f64 >= entry.life_micros() as f64 * REFRESH_FROM
    }

    /// Past most of its life, an entry that was just found current is loaded again in the background: once, by one
    /// instance.
    pub(crate) fn refresh_early<E, F, Fut>(&self, key: &Key, entry: &Entry, mask: u64, load: F)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        if !self.is_due_for_refresh(entry) {
            return;
        }
        // Whoever waits for a value goes first.
        let Ok(permit) = self.0.load_permits.clone().try_acquire_owned() else { return };
        let Joined::Leader(leader) = self.0.loads.join(WorkName::Refresh(key.clone())) else { return };
        let (cache, key, entry) = (self.clone(), key.clone(), entry.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let result = cache.refresh(&key, entry, mask, load).await;
            if let Err(error) = &result {
                tracing::warn!(key = key.as_str(), %error, "early reload failed");
            }
            drop(leader);
        });
    }

    async fn refresh<E, F, Fut>(&self, key: &Key, entry: Entry, mask: u64, load: F) -> Result<(), E>
    where
        F: FnOnce() -> Fut + Send,
        Fut: Future<Output = Result<Loaded, E>> + Send,
    {
        let lease = Lease::to_refresh(key, &entry.stamp, self.0.settings.lease_lasts);
        let tags: Vec<Tag> = entry.stamp.iter().map(|(tag, _)| tag.clone()).collect();
        let Ok((true, reading)) = self.0.store.try_acquire(key, &tags, &lease).await else { return Ok(()) };
        let generations = seen_through(mask, reading.generations.clone());
        let Some(generations) = generations.into_iter().collect::<Option<Vec<_>>>() else { return Ok(()) };
        match self.judge(key, &tags, reading, mask) {
            Found::Current { entry: found, .. } if found.created_micros > entry.created_micros => {}
            _ => {
                self.0.stats.add(Counter::Refreshes);
                let stamp = tags.into_iter().zip(generations).collect();
                self.load_and_keep(key, stamp, Some(&entry), load).await?;
            }
        }
        // Not given back where the load failed: until it runs out, nobody tries again.
        self.give_back(&lease).await;
        Ok(())
    }
}
