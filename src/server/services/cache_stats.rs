//! The cache's counters as the API and the page of the cache's health show them.

use vendorscope_cache::{
    Cache,
    stats::Counter,
    times::{Times, Timing},
};

use crate::server_functions::admin::{CacheStats, MissesByReason, MissesByTag, Percentiles};

/// What all instances counted, and what the store says of itself. While the store does not answer, what this process
/// counted since.
pub async fn cache_stats(cache: &Cache) -> CacheStats {
    let (counts, usage) = (cache.counts().await, cache.usage().await);
    CacheStats {
        hits: counts.get(Counter::Hits),
        misses: counts.misses(),
        hit_rate: counts.hit_rate_percent(),
        total_keys: usage.entries,
        memory_usage: usage.memory_bytes,
        loads: counts.get(Counter::Loads),
        l1_hits: counts.get(Counter::L1Hits),
        stale: counts.get(Counter::Stale),
        bypasses: counts.get(Counter::Bypasses),
        misses_by_reason: MissesByReason {
            absent: counts.get(Counter::MissesAbsent),
            expired: counts.get(Counter::MissesExpired),
            invalidated: counts.get(Counter::MissesInvalidated),
            corrupt: counts.get(Counter::MissesCorrupt),
            undecodable: counts.get(Counter::MissesUndecodable),
        },
        misses_by_tag: MissesByTag {
            vendor: counts.misses_by_family("vendor"),
            products: counts.misses_by_family("products"),
            orders: counts.misses_by_family("orders"),
            analytics: counts.misses_by_family("analytics"),
            marketplace: counts.misses_by_family("marketplace"),
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

fn percentiles(times: Times) -> Option<Percentiles> {
    let at = |share| times.percentile(share).map(|time| (time.as_secs_f64() * 1e6).round() / 1e3);
    Some(Percentiles { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
}
