use axum::http::request::Parts;
use leptos::context::use_context;

use super::{api_error, api_error_for, request};
use crate::{
    ApiError,
    domain::accounts::{VendorRef, Viewer},
    server::{
        AppState,
        identity::sessions::{BrowserUser, CurrentAdmin, CurrentVendor, WritingAdmin, WritingVendor},
        services::Sender,
    },
};

/// The vendor user whose session this request carries.
pub async fn current_vendor() -> Result<(AppState, CurrentVendor), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = CurrentVendor::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// The same, who may change what is the vendor's.
pub async fn writing_vendor() -> Result<(AppState, WritingVendor), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = WritingVendor::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// Whoever sends a form that changes what is a vendor's. `once`: what its field of that name says.
pub fn sender(current: &WritingVendor, once: Option<&str>) -> Sender {
    Sender::of_form(&current.user.email, client_address(), once)
}

/// Who looks at whose dashboard: a vendor at its own, an admin at any.
pub async fn vendor_to_show(vendor_id: Option<&str>) -> Result<(AppState, Viewer, VendorRef), ApiError> {
    let Some(id) = vendor_id else {
        let (state, current) = current_vendor().await?;
        return Ok((state, current.viewer(), current.vendor));
    };
    let (state, current) = current_admin().await?;
    let vendor = state.accounts.find_vendor(id).await.map_err(api_error)?;
    Ok((state, current.viewer(), vendor))
}

/// The admin whose session this request carries.
pub async fn current_admin() -> Result<(AppState, CurrentAdmin), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = CurrentAdmin::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// The same, who may change what is the marketplace's.
pub async fn writing_admin() -> Result<(AppState, WritingAdmin), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = WritingAdmin::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// Whoever is logged in and looks after the account.
pub async fn browser_user() -> Result<(AppState, BrowserUser), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = BrowserUser::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// Who asks, where that makes no difference to the answer's status.
pub async fn viewer() -> Option<Viewer> {
    let (_, parts) = request().ok()?;
    BrowserUser::of(&parts).await.ok().map(|current| current.viewer())
}

/// The network address of whoever asks.
pub fn client_address() -> Option<String> {
    use_context::<Parts>().and_then(|parts| crate::server::request::client_address(&parts))
}
