use jiff::civil::Date;
use leptos::{prelude::*, server_fn::codec::GetUrl};
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::{
    accounts::{Vendor, Viewer},
    clock::WallClock,
    snapshot::Snapshot,
};

/// All that the dashboard page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    pub viewer: Viewer,
    pub vendor: Vendor,
    /// Today in the vendor's time zone.
    pub today: Date,
    pub snapshot: Snapshot,
    pub freshness: Freshness,
    /// Exact for the hours of the series, where it is cut into hours.
    pub clock: WallClock,
}

/// Where the figures came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    pub source: Source,
    /// Seconds since the figures were computed.
    pub age_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    Hit,
    Miss,
    Stale,
    Bypass,
}

/// The parameters are those of the snapshot API, as texts from the address. Without dates: the last 28 days, today among them.
/// `vendor_id` is required of admins, and refused to vendors: a vendor is who is logged in.
#[server(prefix = "/_fn", endpoint = "dashboard", input = GetUrl)]
pub async fn load_dashboard(
    date_from: Option<String>,
    date_to: Option<String>,
    compare: Option<String>,
    interval: Option<String>,
    vendor_id: Option<String>,
) -> Result<Dashboard, ApiError> {
    use crate::server::{cache_keys, context};
    let (state, viewer, of) = context::vendor_to_show(vendor_id.as_deref()).await?;
    let vendor = state.accounts.vendor(&of).await.map_err(context::api_error)?;
    let today = crate::server::services::analytics::today(&vendor);
    let query = crate::server::services::analytics::SnapshotQuery::parse(
        date_from.as_deref(),
        date_to.as_deref(),
        compare.as_deref(),
        interval.as_deref(),
        Some(today),
    )
    .map_err(|invalid| context::api_error(invalid.into()))?;
    let served = state.analytics.snapshot(&of, &query).await.map_err(context::api_error)?;
    let freshness = Freshness { source: cache_keys::source(served.outcome), age_seconds: served.age.as_secs() };
    let points = served.value.series.iter().chain(served.value.previous_series.iter().flatten());
    let clock = WallClock::covering(&vendor.time_zone, points.filter_map(|point| point.start.parse().ok()));
    Ok(Dashboard { viewer, vendor, today, snapshot: served.value, freshness, clock })
}
