use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::ApiError;
use crate::domain::accounts::{ApiKey, LetterWishes, OwnSession, SecondFactorStatus, Theme, Vendor, Viewer};

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
    pub second_factor: SecondFactorView,
    /// `None` where no letters are sent, or there is no vendor that they would be about.
    pub letters: Option<LetterWishes>,
}

/// How it stands with the second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecondFactorView {
    pub status: SecondFactorStatus,
    /// Whether this installation requires one of whoever is logged in.
    pub required: bool,
    /// A secret that waits for its first code: as base32, as an address for an app, and as an SVG element.
    pub setup: Option<(String, String, String)>,
    /// Those that were just made in this browser. The next time there are none.
    pub recovery_codes: Vec<String>,
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
    let setup = context::unconfirmed_totp().await?;
    let second_factor = SecondFactorView {
        status: state.accounts.second_factor(&current.0).await.map_err(context::api_error)?,
        required: state.config.sessions.require_totp.is_for(current.0.role),
        setup: setup.map(|setup| (setup.secret, setup.url, setup.picture)),
        recovery_codes: context::take_recovery_codes(),
    };
    let letters = match vendor.is_some() && context::has_mail() {
        true => Some(state.accounts.letter_wishes(&current.0).await.map_err(context::api_error)?),
        false => None,
    };
    let (viewer, theme) = (current.viewer(), context::theme());
    Ok(AccountView { viewer, vendor, time_zones, theme, sessions, keys, new_key, second_factor, letters })
}

/// Changes the password, ends all other sessions and goes to `/account?done=password`.
#[server(prefix = "/_fn", endpoint = "account/password")]
pub async fn change_password(current: String, password: String) -> Result<(), ApiError> {
    leptos_axum::redirect(crate::server::context::change_password(current, password).await?);
    Ok(())
}

/// Chooses letters (each is there where it is wished for) and goes to `/account?done=letters`.
#[server(prefix = "/_fn", endpoint = "account/letters")]
pub async fn set_letters(weekly_report: Option<String>, low_stock: Option<String>) -> Result<(), ApiError> {
    let wishes = LetterWishes { weekly_report: weekly_report.is_some(), low_stock: low_stock.is_some() };
    crate::server::context::set_letter_wishes(wishes).await?;
    leptos_axum::redirect("/account?done=letters");
    Ok(())
}

/// Stops all letters of whoever was sent this address, and goes to `/letters/stop?done=1`.
#[server(prefix = "/_fn", endpoint = "letters/stop")]
pub async fn stop_letters(reader: String) -> Result<(), ApiError> {
    crate::server::context::stop_letters(&reader).await?;
    leptos_axum::redirect("/letters/stop?done=1");
    Ok(())
}

/// Begins to set up one-time codes, with the password, and goes to `/account`, which shows the secret.
#[server(prefix = "/_fn", endpoint = "account/totp/begin")]
pub async fn begin_totp(password: String) -> Result<(), ApiError> {
    crate::server::context::begin_totp(&password).await?;
    leptos_axum::redirect("/account#two-step");
    Ok(())
}

/// Confirms them with the first one, ends all other sessions and goes to `/account?done=totp`, which shows the recovery
/// codes, once.
#[server(prefix = "/_fn", endpoint = "account/totp/confirm")]
pub async fn confirm_totp(code: String) -> Result<(), ApiError> {
    crate::server::context::confirm_totp(code).await?;
    leptos_axum::redirect("/account?done=totp");
    Ok(())
}

/// Asks for no codes any more, and goes to `/account?done=totp-off`.
#[server(prefix = "/_fn", endpoint = "account/totp/remove")]
pub async fn remove_totp(password: String, code: String) -> Result<(), ApiError> {
    crate::server::context::remove_totp(&password, &code).await?;
    leptos_axum::redirect("/account?done=totp-off");
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

/// The form that a key is made with; everything as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    pub name: String,
    pub scope: String,
    /// Of admins.
    pub vendor_id: Option<String>,
    pub days: String,
    pub password: String,
}

/// Makes a key and goes to `/account`, which shows it, once.
#[server(prefix = "/_fn", endpoint = "account/key/create")]
pub async fn create_key(form: KeyForm, #[server(default)] once: Option<String>) -> Result<(), ApiError> {
    crate::server::context::create_key(&form, once.as_deref()).await?;
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

/// Gives the vendor's days another clock and goes to `/account?done=zone`, or `?done=same-zone` where it was that one
/// already.
#[server(prefix = "/_fn", endpoint = "account/time-zone")]
pub async fn set_time_zone(time_zone: String) -> Result<(), ApiError> {
    let has_changed = crate::server::context::change_time_zone(&time_zone).await?;
    leptos_axum::redirect(if has_changed { "/account?done=zone" } else { "/account?done=same-zone" });
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
