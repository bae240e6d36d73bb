use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::accounts::{ApiKey, OwnSession, Theme, Vendor, Viewer};

/// All that the account page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccountView {
    pub viewer: Viewer,
    /// Whose user it is; `None` for an admin.
    pub vendor: Option<Vendor>,
    /// IANA names that the vendor's time zone is chosen from, in order.
    pub time_zones: Vec<String>,
    pub theme: Theme,
    pub sessions: Vec<OwnSession>,
    pub keys: Vec<ApiKey>,
    /// The key that was just made in this browser. The next time it is not there.
    pub new_key: Option<String>,
}

/// Who is looking at a page that is for everyone; `None` for nobody.
pub async fn viewer() -> Option<Viewer> {
    crate::server::context::viewer().await
}

pub async fn load_account() -> Result<AccountView, ApiError> {
    use crate::server::context;
    let (state, current) = context::browser_user().await?;
    let sessions = context::list_sessions(&current).await?;
    let keys = state.accounts.list_keys(&current.0).await.map_err(context::api_error)?;
    let vendor = match &current.0.vendor {
        Some(vendor) => Some(state.accounts.vendor(vendor).await.map_err(context::api_error)?),
        None => None,
    };
    let time_zones = if vendor.is_some() { crate::domain::clock::time_zone_names() } else { Vec::new() };
    let new_key = context::take_new_key();
    Ok(AccountView { viewer: current.viewer(), vendor, time_zones, theme: context::theme(), sessions, keys, new_key })
}

/// Changes the password, ends all other sessions and goes to `/account?done=password`.
#[server(prefix = "/_fn", endpoint = "account/password")]
pub async fn change_password(current: String, password: String) -> Result<(), ApiError> {
    leptos_axum::redirect(crate::server::context::change_password(current, password).await?);
    Ok(())
}

/// Ends every session, this one too, and goes to `/login?done=everywhere`.
#[server(prefix = "/_fn", endpoint = "account/logout-everywhere")]
pub async fn log_out_everywhere() -> Result<(), ApiError> {
    crate::server::context::log_out_everywhere().await?;
    leptos_axum::redirect("/login?done=everywhere");
    Ok(())
}

/// Ends one session and goes to `/account?done=session`.
#[server(prefix = "/_fn", endpoint = "account/session/end")]
pub async fn end_session(session_id: String) -> Result<(), ApiError> {
    crate::server::context::end_session(&session_id).await?;
    leptos_axum::redirect("/account?done=session");
    Ok(())
}

/// Makes a key and goes to `/account`, which shows it, once.
#[server(prefix = "/_fn", endpoint = "account/key/create")]
pub async fn create_key(name: String) -> Result<(), ApiError> {
    crate::server::context::create_key(&name).await?;
    leptos_axum::redirect("/account");
    Ok(())
}

/// Revokes a key and goes to `/account?done=key`.
#[server(prefix = "/_fn", endpoint = "account/key/revoke")]
pub async fn revoke_key(key_id: String) -> Result<(), ApiError> {
    crate::server::context::revoke_key(&key_id).await?;
    leptos_axum::redirect("/account?done=key");
    Ok(())
}

/// Gives the vendor's days another clock and goes to `/account?done=zone`.
#[server(prefix = "/_fn", endpoint = "account/time-zone")]
pub async fn set_time_zone(time_zone: String) -> Result<(), ApiError> {
    crate::server::context::change_time_zone(&time_zone).await?;
    leptos_axum::redirect("/account?done=zone");
    Ok(())
}

/// Chooses how this browser shows the pages and goes to `/account?done=theme`.
#[server(prefix = "/_fn", endpoint = "account/theme")]
pub async fn set_theme(theme: String) -> Result<(), ApiError> {
    use crate::server::context;
    context::browser_user().await?;
    let theme = theme.parse::<Theme>().map_err(|invalid| context::api_error(invalid.into()))?;
    context::set_theme(theme)?;
    leptos_axum::redirect("/account?done=theme");
    Ok(())
}

/// Chooses another password with the link that this browser has opened, ends all sessions and goes to
/// `/login?done=password`.
#[server(prefix = "/_fn", endpoint = "reset")]
pub async fn reset_password(password: String) -> Result<(), ApiError> {
    crate::server::context::reset_password(password).await?;
    leptos_axum::redirect("/login?done=password");
    Ok(())
}
