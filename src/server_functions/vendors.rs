use jiff::{Timestamp, civil::Date};

use super::dashboard::{Asked, Dashboard, Freshness, load_dashboard};
use crate::ApiError;
use crate::domain::{
    accounts::{UserSummary, Viewer},
    market::{VendorSort, VendorStanding},
    period::DateRange,
};

/// All that the list of vendors shows.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorsView {
    pub viewer: Viewer,
    pub freshness: Freshness,
    /// The days that figures are of.
    pub range: DateRange,
    pub sort: VendorSort,
    pub vendors: Vec<VendorStanding>,
    pub next: Option<String>,
}

/// Which vendors, as texts from an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorsAsked {
    pub search: Option<String>,
    pub sort: Option<String>,
    pub after: Option<String>,
}

/// All that a vendor's page shows to an admin.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorView {
    /// Its figures, as its own dashboard has them.
    pub dashboard: Dashboard,
    /// Of these.
    pub freshness: Freshness,
    pub users: Vec<UserSummary>,
    /// Of its newest order ever, counted or not.
    pub last_order_at: Option<Timestamp>,
}

pub async fn load_vendors(asked: VendorsAsked) -> Result<VendorsView, ApiError> {
    use crate::server::{
        context,
        services::{marketplace::today, standings::StandingParameters},
    };
    let (state, current) = context::current_admin().await?;
    let parameters = StandingParameters {
        search: asked.search.as_deref(),
        sort: asked.sort.as_deref(),
        after: asked.after.as_deref(),
    };
    let standings = state.marketplace.standings(today(), &parameters).await.map_err(context::api_error)?;
    Ok(VendorsView {
        viewer: current.viewer(),
        freshness: standings.freshness,
        range: standings.range,
        sort: standings.sort,
        vendors: standings.vendors,
        next: standings.next,
    })
}

/// `asked` is told which day it is there.
pub async fn load_vendor(vendor_id: String, asked: impl FnOnce(Date) -> Asked + Send) -> Result<VendorView, ApiError> {
    use crate::server::context;
    let (state, _) = context::current_admin().await?;
    let found = state.accounts.find_vendor(&vendor_id).await.map_err(context::api_error)?;
    let dashboard = load_dashboard(Some(vendor_id), asked).await?;
    let users = state.accounts.list_vendor_users(&found).await.map_err(context::api_error)?;
    let last_order_at = state.marketplace.last_order(&found).await.map_err(context::api_error)?;
    Ok(VendorView { freshness: dashboard.freshness, dashboard, users, last_order_at })
}
