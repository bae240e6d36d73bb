use super::{api_error, client_address};
use crate::{
    ApiError,
    server::{AppState, identity::sessions::WritingAdmin, request::cache_actions},
    server_functions::{
        admin::CacheStats,
        cache_health::{ActionCost, CacheEntry, InvalidatedTags},
    },
};

/// All figures of the cache.
pub async fn cache_stats(state: &AppState) -> CacheStats {
    cache_actions::stats(state).await
}

/// One entry, by its key.
pub async fn cache_entry(state: &AppState, key: &str) -> Result<CacheEntry, ApiError> {
    cache_actions::look_at(state, key).await.map_err(api_error)
}

pub async fn cost_of_invalidating(state: &AppState, names: &[&str]) -> Result<ActionCost, ApiError> {
    cache_actions::cost_of_invalidating(state, names).await.map_err(api_error)
}

/// Of no vendor: of what is asked for most.
pub async fn cost_of_warming(state: &AppState, vendors: &[&str]) -> Result<ActionCost, ApiError> {
    cache_actions::cost_of_warming(state, chosen(vendors).as_deref()).await.map_err(api_error)
}

/// Invalidates tags by their names, audited. Returns what it came to.
pub async fn invalidate_named(
    state: &AppState,
    admin: &WritingAdmin,
    names: &[&str],
) -> Result<InvalidatedTags, ApiError> {
    cache_actions::invalidate_tags(state, admin, names, client_address().as_deref()).await.map_err(api_error)
}

/// Loads dashboards, audited. Returns how many were not there. Of no vendor: what is asked for most.
pub async fn warm_named(state: &AppState, admin: &WritingAdmin, vendors: &[&str]) -> Result<usize, ApiError> {
    cache_actions::warm(state, admin, chosen(vendors).as_deref(), client_address().as_deref()).await.map_err(api_error)
}

pub async fn reset_counters(state: &AppState, admin: &WritingAdmin) -> Result<(), ApiError> {
    cache_actions::reset(state, admin, client_address().as_deref()).await.map_err(api_error)
}

fn chosen(vendors: &[&str]) -> Option<Vec<String>> {
    (!vendors.is_empty()).then(|| vendors.iter().map(|&id| id.to_owned()).collect())
}
