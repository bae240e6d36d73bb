use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    cache_health::{CacheReport, Savings},
    dashboard::Freshness,
};

use crate::ApiError;
use crate::domain::{
    accounts::Viewer,
    field_error::FieldError,
    market::MarketMetrics,
    market_comparison::MarketComparison,
    period::{Comparison, DateRange},
};
use crate::words;

/// The cache's counters: what this installation counted since they were reset, and what the store says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
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
    /// Of the hits, those whose entry was in the memory of the instance that was asked.
    pub l1_hits: u64,
    /// Answers that were older than they should be, because their loader failed or another instance was still loading.
    pub stale: u64,
    /// Lookups that the store could not answer, or was not trusted with. Neither hits nor misses.
    pub bypasses: u64,
    pub misses_by_reason: MissesByReason,
    pub misses_by_tag: MissesByTag,
    /// What loading a value took; `null` before the first.
    pub load_time: Option<Percentiles>,
    /// What a hit took; `null` before the first.
    pub hit_time: Option<Percentiles>,
    /// Loads that failed.
    pub load_failures: u64,
    /// Callers that were served by a load that somebody else in their instance had begun.
    pub coalesced: u64,
    /// Loads that waited for another instance's.
    pub lease_waits: u64,
    /// Values loaded again before they expired.
    pub refreshes: u64,
    /// Values loaded before anyone asked.
    pub warmed: u64,
    /// Tags that were invalidated.
    pub invalidated_tags: u64,
    /// Values that could not be stored.
    pub write_failures: u64,
    /// Hits, misses and bypasses together.
    pub lookups: u64,
    /// Of the hits, those whose entry came from the store.
    pub store_hits: u64,
    pub savings: Savings,
    /// How the cache fares, and why; left out by what only counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub health: Option<Box<CacheReport>>,
}

/// Why lookups missed. Together they are all misses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissesByReason {
    pub absent: u64,
    pub expired: u64,
    pub invalidated: u64,
    /// What was stored could not be read.
    pub corrupt: u64,
    /// What was stored is of another release, which writes it differently.
    pub undecodable: u64,
}

/// Which kind of tag made entries unusable. A write that invalidates several tags of an entry counts for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MissesByTag {
    pub vendor: u64,
    pub products: u64,
    pub orders: u64,
    pub analytics: u64,
    pub marketplace: u64,
}

/// What half, 95 % and 99 % of them did not exceed, in milliseconds, estimated from buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

/// All that the marketplace's page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    pub viewer: Viewer,
    pub metrics: MarketMetrics,
    /// Against the time before; `None` where there is nothing to compare with.
    pub comparison: Option<MarketComparison>,
    /// Of the metrics and the comparison together.
    pub freshness: Freshness,
    /// In UTC.
    pub today: Date,
}

/// `days` is told which day it is, and gives the first and the last day as texts from the address. Without: the 28 days
/// that end today. `all_time`: from the first day on that there is anything of, compared with nothing.
pub async fn load_market(
    all_time: bool,
    days: impl FnOnce(Date) -> (Option<String>, Option<String>) + Send,
) -> Result<Market, ApiError> {
    use crate::server::{cache_keys, context, services::marketplace};
    let (state, current) = context::current_admin().await?;
    let today = marketplace::today();
    let range = if all_time {
        let first = state.marketplace.first_day().await.map_err(context::api_error)?;
        DateRange::all_time(first.value, today)
    } else {
        let (date_from, date_to) = days(today);
        let range = DateRange::read(date_from.as_deref(), date_to.as_deref(), Some(today))
            .map_err(|e| context::api_error(e.into()))?;
        let future = || context::api_error(FieldError::new("dateFrom", words::IN_THE_FUTURE).into());
        range.begun(today).ok_or_else(future)?
    };
    let served = state.marketplace.metrics(range).await.map_err(context::api_error)?;
    let (mut freshness, metrics) = (cache_keys::freshness(&served), served.value);
    let kind = if all_time { Comparison::None } else { Comparison::PreviousPeriod };
    let comparison = match range.compared(kind) {
        Some(previous) => {
            let compared = state.marketplace.comparison(range, previous, Timestamp::now()).await;
            let served = compared.map_err(context::api_error)?;
            freshness = freshness.and(cache_keys::freshness(&served));
            Some(served.value)
        }
        None => None,
    };
    Ok(Market { viewer: current.viewer(), metrics, comparison, freshness, today })
}
