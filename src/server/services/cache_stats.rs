//! The cache's counters as the API and the page of the cache's health show them.

use vendorscope_cache::Cache;

use super::health::window;
use crate::server_functions::{admin::CacheStats, cache_health::CountsWindow};

/// What all instances counted, and what the store says of itself. While the store does not answer, what it said last
/// and what this process counted since.
pub async fn cache_stats(cache: &Cache) -> CacheStats {
    let (counts, usage) = (cache.counts().await, cache.usage().await);
    let CountsWindow {
        lookups,
        hits,
        l1_hits,
        store_hits,
        misses,
        misses_by_reason,
        misses_by_tag,
        bypasses,
        stale,
        hit_rate,
        loads,
        load_failures,
        coalesced,
        lease_waits,
        refreshes,
        warmed,
        invalidated_tags,
        write_failures,
        load_time,
        hit_time,
        savings,
    } = window(&counts);
    CacheStats {
        hits,
        misses,
        hit_rate,
        total_keys: usage.entries,
        memory_usage: usage.memory_bytes,
        loads,
        l1_hits,
        stale,
        bypasses,
        misses_by_reason,
        misses_by_tag,
        load_time,
        hit_time,
        load_failures,
        coalesced,
        lease_waits,
        refreshes,
        warmed,
        invalidated_tags,
        write_failures,
        lookups,
        store_hits,
        savings,
        health: None,
    }
}
