use serde::{Deserialize, Serialize};

use super::dashboard::Freshness;
use crate::ApiError;
use crate::domain::{
    accounts::{UserSummary, Vendor, Viewer},
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VendorView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub users: Vec<UserSummary>,
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

pub async fn load_vendor(vendor_id: String) -> Result<VendorView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let found = state.accounts.find_vendor(&vendor_id).await.map_err(context::api_error)?;
    let vendor = state.accounts.vendor(&found).await.map_err(context::api_error)?;
    let users = state.accounts.list_vendor_users(&found).await.map_err(context::api_error)?;
    Ok(VendorView { viewer: current.viewer(), vendor, users })
}
