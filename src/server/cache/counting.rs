//! Counting together with the other instances, and what all of them counted.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    Cache, Span,
    stats::{Counter, Counts},
    store,
    times::{Times, Timing},
};
use crate::server_functions::admin::{CacheStats, MissesByReason, MissesByTag, Percentiles};

/// How long counts stay in this process before the others can see them.
const FLUSH_COUNTS_AFTER: Duration = Duration::from_secs(2);

impl Cache {
    /// What all instances counted, and what the store says of itself. While the store does not answer, what this process counted since.
    pub async fn stats(&self) -> CacheStats {
        let counts = self.counts().await;
        let usage = self.0.store.usage().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store says nothing of its size");
            store::Usage::default()
        });
        CacheStats {
            hits: counts.get(Counter::Hits),
            misses: counts.misses(),
            hit_rate: counts.hit_rate_percent(),
            total_keys: usage.entries,
            memory_usage: usage.memory_bytes,
            loads: counts.get(Counter::Loads),
            near_hits: counts.get(Counter::NearHits),
            stale: counts.get(Counter::Stale),
            bypasses: counts.get(Counter::Bypasses),
            misses_by_reason: MissesByReason {
                absent: counts.get(Counter::MissesAbsent),
                expired: counts.get(Counter::MissesExpired),
                invalidated: counts.get(Counter::MissesInvalidated),
                corrupt: counts.get(Counter::MissesCorrupt),
            },
            misses_by_tag: MissesByTag {
                vendor: counts.get(Counter::MissesByVendorTag),
                products: counts.get(Counter::MissesByProductsTag),
                orders: counts.get(Counter::MissesByOrdersTag),
                analytics: counts.get(Counter::MissesByAnalyticsTag),
                marketplace: counts.get(Counter::MissesByMarketplaceTag),
            },
            load_time: percentiles(counts.times(Timing::Load)),
            hit_time: percentiles(counts.times(Timing::Hit)),
            load_failures: counts.get(Counter::LoadFailures),
            coalesced: counts.get(Counter::Coalesced),
            lease_waits: counts.get(Counter::LeaseWaits),
            refreshes: counts.get(Counter::Refreshes),
            warmed: counts.get(Counter::Warmed),
            invalidated_tags: counts.get(Counter::InvalidatedTags),
            write_failures: counts.get(Counter::WriteFailures),
        }
    }

    /// The same in full: hits by level, misses by reason, loads and who was spared one.
    pub async fn counts(&self) -> Counts {
        match self.flush_counts().await {
            Some(counts) => counts,
            None => self.0.stats.peek(),
        }
    }

    /// What all instances counted in each of the last minutes or hours, up to the present one; the oldest first. Minutes are kept for a
    /// day, hours for a week. `None` while the store does not answer.
    pub async fn history(&self, span: Span, spans: usize) -> Option<Vec<Counts>> {
        self.flush_counts().await?;
        self.0.store.history(span, spans, self.0.clock.now_micros()).await.inspect_err(|error| tracing::warn!(%error, "no history")).ok()
    }

    /// Has the counts handed to the store in a moment, if they are shared and nobody is about to already.
    pub(super) fn flush_counts_soon(&self) {
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

fn percentiles(times: Times) -> Option<Percentiles> {
    let at = |share| times.percentile(share).map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
    Some(Percentiles { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
}
