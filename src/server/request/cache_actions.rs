//! What admins ask of the cache, and do to it: for the pages and for the API.

use vendorscope_cache::Cause;

use crate::{
    domain::{accounts::VendorRef, field_error::FieldError},
    server::{
        AppError, AppState, cache_keys,
        identity::sessions::WritingAdmin,
        services::{analytics::SnapshotQuery, cache_stats, health::find_carriers, tags::known_tags, warming},
    },
    server_functions::{
        admin::CacheStats,
        cache_health::{ActionCost, CacheEntry, InvalidatedTags},
    },
};

/// The most tags of one request.
const MAX_TAGS: usize = 100;
/// The most vendors of one request.
const MAX_WARMED: usize = 100;

/// All figures: the counters, and how the cache fares.
pub async fn stats(state: &AppState) -> CacheStats {
    let mut stats = cache_stats::cache_stats(&state.cache).await;
    // Where it cannot be asked, `/readyz` says so.
    let session_eviction = state.sessions.store().eviction().await.unwrap_or_default();
    stats.health = Some(Box::new(Box::pin(state.health.report(session_eviction)).await));
    stats
}

/// One entry, by its key.
pub async fn look_at(state: &AppState, key: &str) -> Result<CacheEntry, AppError> {
    Ok(state.health.entry_with_causes(&cache_keys::parse_key(key)?).await)
}

/// What invalidating these would cost. Changes nothing.
pub async fn cost_of_invalidating(state: &AppState, names: &[&str]) -> Result<ActionCost, AppError> {
    let tags = known_tags(&state.accounts, bounded(names)?).await?;
    Ok(state.health.cost_of_invalidating(&tags).await)
}

/// What warming these vendors' dashboards would cost, or what this instance is asked for most. Changes nothing.
pub async fn cost_of_warming(state: &AppState, vendors: Option<&[String]>) -> Result<ActionCost, AppError> {
    let snapshots = to_warm(state, vendors).await?;
    Ok(state.health.cost_of_loading(&state.analytics.keys(&snapshots)).await)
}

/// Invalidates tags by their names, audited. Returns what it came to.
pub async fn invalidate_tags(
    state: &AppState,
    admin: &WritingAdmin,
    names: &[&str],
    address: Option<&str>,
) -> Result<InvalidatedTags, AppError> {
    let tags = known_tags(&state.accounts, bounded(names)?).await?;
    // Before: what is loaded again from now on carries them as well.
    let carriers = find_carriers(&state.cache, &tags).await;
    let detail = tags.iter().map(cache_keys::written_tag).collect::<Vec<_>>().join(" ");
    state.accounts.audit(&admin.user.email, "cache_invalidate", &detail, address).await?;
    let cause = Cause { who: admin.user.email.clone(), why: "asked for by an admin" };
    state.cache.invalidate(&tags, &cause).await.map_err(AppError::Internal)?;
    Ok(InvalidatedTags {
        invalidated: tags.len() as u64,
        entries: carriers.as_ref().map(|carriers| carriers.entries),
        is_estimate: carriers.is_none_or(|carriers| carriers.is_estimate),
    })
}

/// Has snapshots in the cache, audited: the dashboards of these vendors as they open, or whatever this instance is
/// asked for most. Returns how many were not there before.
pub async fn warm(
    state: &AppState,
    admin: &WritingAdmin,
    vendors: Option<&[String]>,
    address: Option<&str>,
) -> Result<usize, AppError> {
    let snapshots = to_warm(state, vendors).await?;
    let detail = vendors.map_or_else(|| "most asked for".to_owned(), |ids| ids.join(" "));
    state.accounts.audit(&admin.user.email, "cache_warm", &detail, address).await?;
    Ok(match vendors {
        Some(_) => warming::warm_dashboards(&state.analytics, &snapshots).await,
        None => warming::warm(&state.analytics, &snapshots).await,
    })
}

/// Has the counters of all instances begin anew, audited. What was counted by minute and hour stays.
pub async fn reset(state: &AppState, admin: &WritingAdmin, address: Option<&str>) -> Result<(), AppError> {
    state.accounts.audit(&admin.user.email, "cache_reset", "", address).await?;
    state.cache.reset_counts().await.map_err(|error| {
        AppError::Conflict(format!("The counters cannot be reset while Redis does not answer: {error}"))
    })?;
    state.health.note_reset(&admin.user.email).await
}

fn bounded<'n>(names: &'n [&'n str]) -> Result<&'n [&'n str], FieldError> {
    if (1..=MAX_TAGS).contains(&names.len()) {
        Ok(names)
    } else {
        Err(FieldError::new("tags", format!("must name 1 to {MAX_TAGS} tags, such as vendor:42")))
    }
}

async fn to_warm(state: &AppState, vendors: Option<&[String]>) -> Result<Vec<(VendorRef, SnapshotQuery)>, AppError> {
    let Some(ids) = vendors else { return Ok(state.analytics.popularity().ranking()) };
    if !(1..=MAX_WARMED).contains(&ids.len()) {
        return Err(FieldError::new("vendorIds", format!("must name 1 to {MAX_WARMED} vendors")).into());
    }
    let mut snapshots = Vec::with_capacity(ids.len());
    for id in ids {
        snapshots.push(warming::opening_snapshot(&state.accounts, id).await?);
    }
    Ok(snapshots)
}
