//! What a server function needs of the request it runs in. Leptos keeps that in its context: the state, put there by the router, and
//! the request's head, in whose extensions the session is.

use axum::http::{HeaderValue, header, request::Parts};
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
use tower_sessions::cookie::{Cookie, SameSite};

use super::{
    ClientAddress, RequestId, account,
    errors::{self, Problem},
    pages, wants_html,
    well_formed::field,
};
use crate::{
    api::ApiError,
    domain::{
        accounts::{OwnSession, Theme, Viewer},
        invalid::Invalid,
    },
    server::{
        AppError, AppState, VendorRef,
        cache::{Cause, Tag},
        services::warming,
        sessions::{self, CurrentAdmin, CurrentHolder, CurrentVendor, request_session},
    },
};

/// The vendor user whose session this request carries.
pub async fn current_vendor() -> Result<(AppState, CurrentVendor), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = CurrentVendor::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
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

/// Logs in; says where to go next. Wrong credentials are no error but a way back to the form, so that it works without scripts.
pub async fn log_in(email: &str, password: &str, next: Option<&str>) -> Result<String, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let next = next.and_then(pages::local_path);
    match account::log_in(&state, &parts, email, password).await {
        Ok(user) => Ok(next.unwrap_or_else(|| pages::home(&user)).to_owned()),
        Err(AppError::WrongCredentials) => Ok(pages::login_address(Some("credentials"), next)),
        Err(AppError::TooMany { .. }) => Ok(pages::login_address(Some("limited"), next)),
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Ends the session, if there is one.
pub async fn log_out() -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::log_out(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
}

/// Whoever is logged in and looks after the account.
pub async fn current_holder() -> Result<(AppState, CurrentHolder), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = CurrentHolder::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
}

/// The sessions of whoever is logged in.
pub async fn list_sessions(current: &CurrentHolder) -> Result<Vec<OwnSession>, ApiError> {
    let (_, parts) = request().map_err(api_error)?;
    let listed = async { request_session(&parts)?.list(&current.0).await };
    listed.await.map_err(|error| api_error_for(&parts, error))
}

/// Ends every session of whoever is logged in.
pub async fn log_out_everywhere() -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::log_out_everywhere(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
}

/// Ends one of the sessions of whoever is logged in.
pub async fn end_session(session_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::end_session(&state, &parts, session_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Changes the password; says where to go next. Where the sessions could not be dealt with, that is the login.
pub async fn change_password(current: String, new: String) -> Result<&'static str, ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    match account::change_password(&state, &parts, current, new).await {
        Ok(()) => Ok("/account?done=password"),
        Err(AppError::DoneInPart(_)) => Ok("/login?done=password"),
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Chooses another password with the token of a link.
pub async fn reset_password(token: String, new: String) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    match account::reset_password(&state, &parts, token, new).await {
        Ok(()) | Err(AppError::DoneInPart(_)) => Ok(()),
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Makes a key, and gives the browser that asked what to show once: see `take_new_key`.
pub async fn create_key(name: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let made = account::create_key(&state, &parts, name).await.map_err(|error| api_error_for(&parts, error))?;
    // The browser is sent on to the page that shows it. An address would be kept and told on; a cookie that no script sees, that goes
    // to that page alone and that the page takes away is not.
    set_cookie(&state, NEW_KEY, &made.secret, "/account", 300);
    Ok(())
}

/// The key that was just made in this browser. The second time there is none.
pub fn take_new_key() -> Option<String> {
    let (state, parts) = request().ok()?;
    let secret = cookie(&parts, NEW_KEY, |secret| (!secret.is_empty()).then(|| secret.to_owned()))?;
    set_cookie(&state, NEW_KEY, "", "/account", 0);
    Some(secret)
}

/// Revokes a key.
pub async fn revoke_key(key_id: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::revoke_key(&state, &parts, key_id).await.map_err(|error| api_error_for(&parts, error))
}

/// Gives the vendor of whoever is logged in another time zone.
pub async fn change_time_zone(name: &str) -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    account::change_time_zone(&state, &parts, name).await.map_err(|error| api_error_for(&parts, error))
}

/// The theme of this browser.
pub fn theme() -> Theme {
    use_context::<Parts>().and_then(|parts| cookie(&parts, THEME, |theme| theme.parse().ok())).unwrap_or_default()
}

/// Keeps the theme in this browser, for a year.
pub fn set_theme(theme: Theme) -> Result<(), ApiError> {
    let (state, _) = request().map_err(api_error)?;
    set_cookie(&state, THEME, theme.as_str(), "/", 365 * 24 * 60 * 60);
    Ok(())
}

const THEME: &str = "vendorscope-theme";
const NEW_KEY: &str = "vendorscope-new-key";

/// The first cookie of this name that is something.
fn cookie<T>(parts: &Parts, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    sessions::cookies(&parts.headers, name).find_map(|cookie| read(cookie.value()))
}

fn set_cookie(state: &AppState, name: &'static str, value: &str, path: &'static str, seconds: i64) {
    let cookie = Cookie::build((name, value.to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path(path)
        .secure(state.config.production)
        .max_age(time::Duration::seconds(seconds))
        .build();
    if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie.to_string())) {
        response.append_header(header::SET_COOKIE, value);
    }
}

/// Invalidates tags by their names, audited. Returns how many.
pub async fn invalidate_named(state: &AppState, admin: &CurrentAdmin, names: &[&str]) -> Result<usize, ApiError> {
    let address = use_context::<Parts>().and_then(|parts| client_address(&parts));
    invalidate_tags(state, admin, names, address.as_deref()).await.map_err(api_error)
}

/// What the page is told of a service's error; sets the status of the answer, and logs what is ours to mend.
pub fn api_error(error: AppError) -> ApiError {
    match use_context::<Parts>() {
        Some(parts) => api_error_for(&parts, error),
        None => errors::api_error(&Problem::from(error), &RequestId::default()),
    }
}

/// What a form is answered with whose fields are not those of the server function; `message` is the decoder's.
pub fn form_error(message: &str) -> ApiError {
    let named = message.split_once("missing field `").and_then(|(_, rest)| rest.split('`').next());
    let invalid = match named {
        Some(name) => Invalid::new(field(name), "is missing"),
        None => Invalid::new("form", "does not have the fields that are sent from the page"),
    };
    api_error(invalid.into())
}

fn api_error_for(parts: &Parts, error: AppError) -> ApiError {
    let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_default();
    // A page is rendered in tasks of its own, outside of the request's span.
    let span = tracing::info_span!("page", id = id.as_str(), path = parts.uri.path());
    let problem = span.in_scope(|| Problem::from(error));
    // A form without scripts is answered with a redirect that carries the error: another status would keep browsers from following.
    let is_plain_form = errors::is_under(parts.uri.path(), "/_fn") && wants_html(&parts.headers);
    if let Some(response) = use_context::<ResponseOptions>().filter(|_| !is_plain_form) {
        response.set_status(problem.status);
        if let Some(retry_after) = problem.retry_after() {
            response.insert_header(header::RETRY_AFTER, retry_after);
        }
    }
    errors::api_error(&problem, &id)
}

fn request() -> Result<(AppState, Parts), AppError> {
    let missing = |what| AppError::Internal(format!("a server function without {what} in its context"));
    Ok((use_context::<AppState>().ok_or_else(|| missing("the state"))?, use_context::<Parts>().ok_or_else(|| missing("its request"))?))
}

/// The most tags of one request.
const MAX_TAGS: usize = 100;

pub(super) async fn invalidate_tags(
    state: &AppState,
    admin: &CurrentAdmin,
    names: &[&str],
    address: Option<&str>,
) -> Result<usize, AppError> {
    if !(1..=MAX_TAGS).contains(&names.len()) {
        return Err(Invalid::new("tags", format!("must name 1 to {MAX_TAGS} tags, such as vendor:42")).into());
    }
    let mut tags = names.iter().map(|name| Tag::parse(name)).collect::<Result<Vec<_>, _>>()?;
    tags.sort();
    tags.dedup();
    let detail = tags.iter().map(Tag::written).collect::<Vec<_>>().join(" ");
    state.accounts.audit(&admin.user.email, "cache_invalidate", &detail, address).await?;
    state.cache.invalidate(&tags, &Cause { who: admin.user.email.clone(), why: "asked for by an admin" }).await;
    Ok(tags.len())
}

/// The most vendors of one request.
const MAX_WARMED: usize = 100;

/// Has snapshots in the cache, audited: the dashboards of these vendors as they open, or whatever this instance is asked for most.
/// Returns how many were not there before.
pub(super) async fn warm(
    state: &AppState,
    admin: &CurrentAdmin,
    vendors: Option<&[String]>,
    address: Option<&str>,
) -> Result<usize, AppError> {
    let snapshots = match vendors {
        None => state.analytics.popularity().ranking(),
        Some(ids) => {
            if !(1..=MAX_WARMED).contains(&ids.len()) {
                return Err(Invalid::new("vendorIds", format!("must name 1 to {MAX_WARMED} vendors")).into());
            }
            let mut snapshots = Vec::with_capacity(ids.len());
            for id in ids {
                snapshots.push(warming::opening_snapshot(&state.accounts, id).await?);
            }
            snapshots
        }
    };
    let detail = vendors.map_or_else(|| "most asked for".to_owned(), |ids| ids.join(" "));
    state.accounts.audit(&admin.user.email, "cache_warm", &detail, address).await?;
    Ok(warming::warm(&state.analytics, &snapshots).await)
}

pub(super) fn client_address(parts: &Parts) -> Option<String> {
    parts.extensions.get::<ClientAddress>()?.text()
}
