//! Counting together with the other instances, and what all of them counted.

use std::{sync::atomic::Ordering, time::Duration};

use crate::{Cache, Span, stats::Counts, store::Usage};

/// How long counts stay in this process before the others can see them.
const FLUSH_COUNTS_AFTER: Duration = Duration::from_secs(2);

impl Cache {
    /// What the store says of its size; nothing where it does not answer.
    pub async fn usage(&self) -> Usage {
        self.0.store.usage().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store says nothing of its size");
            Usage::default()
        })
    }

    /// What all instances counted: hits by level, misses by reason, loads and who was spared one. While the store does
    /// not answer, what this process counted since it last did.
    pub async fn counts(&self) -> Counts {
        match self.flush_counts().await {
            Some(counts) => counts,
            None => self.0.stats.peek(),
        }
    }

    /// What all instances counted in each of the last minutes or hours, up to the present one; the oldest first.
    /// Minutes are kept for a day, hours for a week. `None` while the store does not answer.
    pub async fn history(&self, span: Span, spans: usize) -> Option<Vec<Counts>> {
        self.flush_counts().await?;
        self.0
            .store
            .history(span, spans, self.0.clock.now_micros())
            .await
            .inspect_err(|error| tracing::warn!(%error, "no history"))
            .ok()
    }

    /// Has the counts handed to the store in a moment, if they are shared and nobody is about to already.
    pub(crate) fn flush_counts_soon(&self) {
        if self.0.store.is_shared() && !self.0.flushing.swap(true, Ordering::AcqRel) {
            let cache = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(FLUSH_COUNTS_AFTER).await;
                cache.0.flushing.store(false, Ordering::Release);
                cache.flush_counts().await;
            });
        }
    }

    /// The sum over all instances, after adding what this one counted. `None` if the store does not say.
    async fn flush_counts(&self) -> Option<Counts> {
        let counts = self.0.stats.take();
        match self.0.store.add_counts(&counts, self.0.clock.now_micros()).await {
            Ok(sum) => Some(sum),
            Err(error) => {
                // After a timeout they may be counted twice; statistics can bear that better than losing an outage.
                self.0.stats.give_back(&counts);
                tracing::debug!(%error, "counts kept for later");
                None
            }
        }
    }
}
