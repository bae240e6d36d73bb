use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::accounts::{UserSummary, Vendor, VendorPage, Viewer};

/// All that the list of vendors shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VendorsView {
    pub viewer: Viewer,
    pub page: VendorPage,
}

/// All that a vendor's page shows to an admin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VendorView {
    pub viewer: Viewer,
    pub vendor: Vendor,
    pub users: Vec<UserSummary>,
}

pub async fn load_vendors(search: Option<String>, after: Option<String>) -> Result<VendorsView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let page = state.accounts.list_vendors(search.as_deref(), after.as_deref()).await.map_err(context::api_error)?;
    Ok(VendorsView { viewer: current.viewer(), page })
}

pub async fn load_vendor(vendor_id: String) -> Result<VendorView, ApiError> {
    use crate::server::context;
    let (state, current) = context::current_admin().await?;
    let found = state.accounts.find_vendor(&vendor_id).await.map_err(context::api_error)?;
    let vendor = state.accounts.vendor(&found).await.map_err(context::api_error)?;
    let users = state.accounts.list_vendor_users(&found).await.map_err(context::api_error)?;
    Ok(VendorView { viewer: current.viewer(), vendor, users })
}
