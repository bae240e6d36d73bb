use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::domain::accounts::Viewer;

/// All that the cache page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheHealth {
    pub viewer: Viewer,
    pub stats: CacheStats,
    /// `redis` or `memory`.
    pub store: String,
}

/// The cache's counters: what this installation counted since they were reset, and what the store says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheStats {
    pub hits: u64,
    pub misses: u64,
    /// Percent with two decimals; `null` before the first lookup.
    pub hit_rate: Option<f64>,
    /// Entries of this cache in the store.
    pub total_keys: u64,
    /// Bytes the store uses; on Redis the whole server's (INFO).
    pub memory_usage: u64,
    /// Times a loader ran.
    pub loads: u64,
}

#[server(prefix = "/_fn", endpoint = "admin/cache", input = GetUrl)]
pub async fn load_cache_health() -> Result<CacheHealth, ApiError> {
    use crate::server::web::context;
    let (state, current) = context::current_admin().await?;
    let stats = state.cache.stats().await;
    Ok(CacheHealth { viewer: current.viewer(), stats, store: state.cache.store_name().to_owned() })
}

/// Invalidates the tags (separated by spaces or commas) and goes to `/admin/cache?invalidated=N`.
#[server(prefix = "/_fn", endpoint = "admin/cache/invalidate")]
pub async fn invalidate_tags(tags: String) -> Result<(), ApiError> {
    use crate::server::web::context;
    let (state, current) = context::current_admin().await?;
    let names: Vec<&str> = tags.split([' ', ',']).filter(|name| !name.is_empty()).collect();
    let count = context::invalidate_named(&state, &current, &names).await?;
    leptos_axum::redirect(&format!("/admin/cache?invalidated={count}"));
    Ok(())
}
