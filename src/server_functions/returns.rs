use jiff::civil::Date;

use super::dashboard::{Asked, Dashboard, Freshness, load_dashboard};
use crate::{
    ApiError,
    domain::{
        clock::WallClock,
        period::{Comparison, DateRange},
        returns::{RefundedPage, Returns},
    },
};

/// All that the returns page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnsView {
    pub dashboard: Dashboard,
    /// With an unfinished last day, its comparison is cut at the same hour.
    pub returns: Returns,
    pub list: RefundedPage,
    /// Of all of it together.
    pub freshness: Freshness,
    /// Exact for every refund of the list.
    pub clock: WallClock,
}

/// Which refunds to list, as texts from the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundsAsked {
    pub reason: Option<String>,
    pub product: Option<String>,
    pub after: Option<String>,
}

/// `asked` is told which day it is at the vendor's.
pub async fn load_returns(
    refunds: RefundsAsked,
    asked: impl FnOnce(Date) -> Asked + Send,
) -> Result<ReturnsView, ApiError> {
    use crate::server::{
        cache_keys, context,
        services::{analytics::SnapshotQuery, returns::parse_query},
    };
    let dashboard = load_dashboard(None, asked).await?;
    let (state, current) = context::current_vendor().await?;
    let snapshot = &dashboard.snapshot;
    let query = SnapshotQuery {
        range: DateRange { from: snapshot.range.from, to: snapshot.range.to },
        comparison: snapshot.comparison.map_or(Comparison::None, |comparison| comparison.kind),
        interval: snapshot.range.interval,
    };
    let until_hour = dashboard.unfinished.map(|unfinished| unfinished.until_hour);
    let returns = state.analytics.returns(&current.vendor, &query, until_hour).await.map_err(context::api_error)?;
    let which =
        parse_query(query.range, refunds.reason.as_deref(), refunds.product.as_deref(), refunds.after.as_deref())
            .map_err(|invalid| context::api_error(invalid.into()))?;
    let list = state.orders.list_refunded(&current.vendor, &which).await.map_err(context::api_error)?;
    let freshness = dashboard.freshness.and(cache_keys::freshness(&returns)).and(cache_keys::freshness(&list));
    let (returns, list) = (returns.value, list.value);
    let clock = WallClock::covering(&dashboard.vendor.time_zone, list.refunds.iter().map(|refund| refund.refunded_at));
    Ok(ReturnsView { dashboard, returns, list, freshness, clock })
}
