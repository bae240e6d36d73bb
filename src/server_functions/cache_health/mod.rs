//! What the page of the cache's health shows, and the API gives: the same types for both.

use jiff::Timestamp;
use leptos::prelude::*;

use super::admin::CacheStats;
use crate::{ApiError, domain::accounts::Viewer};

/// Figures over time, one entry, what an action costs.
mod details;
/// How the cache fares.
mod report;

pub use details::*;
pub use report::*;

/// What the address of the page asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheQuery {
    pub range: CourseRange,
    pub asked: Option<AskedAction>,
}

/// What somebody is about to do, and has not said yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedAction {
    /// These tags, as they were typed.
    Invalidate(String),
    /// The dashboards of these vendors, as they were typed; empty for what this instance is asked for most.
    Warm(String),
    Reset,
}

/// All that the cache page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheHealth {
    pub viewer: Viewer,
    pub stats: CacheStats,
    pub report: CacheReport,
    pub course: CacheCourse,
    pub asked: Option<(AskedAction, Result<Option<ActionCost>, ApiError>)>,
}

/// Texts that spaces or commas stand between.
#[cfg(feature = "ssr")]
fn listed(text: &str) -> Vec<&str> {
    text.split([' ', ',']).filter(|one| !one.is_empty()).collect()
}

pub async fn load_cache_health(query: CacheQuery) -> Result<CacheHealth, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let mut stats = context::cache_stats(&state).await;
    let report = *stats.health.take().ok_or(ApiError::Unavailable)?;
    let course = state.health.course(query.range).await;
    let asked = match query.asked {
        None => None,
        Some(asked) => {
            let cost = match &asked {
                AskedAction::Invalidate(tags) => context::cost_of_invalidating(&state, &listed(tags)).await.map(Some),
                AskedAction::Warm(vendors) => context::cost_of_warming(&state, &listed(vendors)).await.map(Some),
                AskedAction::Reset => Ok(None),
            };
            Some((asked, cost))
        }
    };
    Ok(CacheHealth { viewer: current.viewer(), stats, report, course, asked })
}

/// One entry, for its page.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryLook {
    pub viewer: Viewer,
    /// As it was typed.
    pub key: String,
    /// `None` where no key was typed.
    pub found: Option<Result<CacheEntry, ApiError>>,
    pub now: Timestamp,
}

pub async fn load_cache_entry(key: String) -> Result<EntryLook, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let found = if key.trim().is_empty() { None } else { Some(context::cache_entry(&state, &key).await) };
    Ok(EntryLook { viewer: current.viewer(), key, found, now: Timestamp::now() })
}

/// Invalidates the tags (separated by spaces or commas) and goes to `/admin/cache?invalidated=N&entries=N`.
#[server(prefix = "/_fn", endpoint = "admin/cache/invalidate")]
pub async fn invalidate_tags(tags: String) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_admin().await?;
    let done = context::invalidate_named(&state, &current, &listed(&tags)).await?;
    let entries = done.entries.map_or_else(String::new, |entries| {
        let estimate = if done.is_estimate { "&estimate=true" } else { "" };
        format!("&entries={entries}{estimate}")
    });
    leptos_axum::redirect(&format!("/admin/cache?invalidated={}{entries}", done.invalidated));
    Ok(())
}

/// Loads the dashboards of these vendors (separated by spaces or commas), or what is asked for most, and goes to
/// `/admin/cache?warmed=N`.
#[server(prefix = "/_fn", endpoint = "admin/cache/warm")]
pub async fn warm_cache(vendors: String) -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_admin().await?;
    let count = context::warm_named(&state, &current, &listed(&vendors)).await?;
    leptos_axum::redirect(&format!("/admin/cache?warmed={count}"));
    Ok(())
}

/// Has all counters begin anew and goes to `/admin/cache?reset=done`.
#[server(prefix = "/_fn", endpoint = "admin/cache/reset")]
pub async fn reset_counters() -> Result<(), ApiError> {
    use crate::server::context;
    let (state, current) = context::writing_admin().await?;
    context::reset_counters(&state, &current).await?;
    leptos_axum::redirect("/admin/cache?reset=done");
    Ok(())
}
