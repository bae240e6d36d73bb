//! What a server function needs of the request it runs in. Leptos keeps that in its context: the state, put there by the router, and
//! the request's head, in whose extensions the session is.

use axum::http::request::Parts;
use leptos::context::use_context;
use leptos_axum::ResponseOptions;

use super::{
    ClientAddress, RequestId,
    errors::{self, Problem},
    pages, wants_html,
};
use crate::{
    api::ApiError,
    domain::invalid::Invalid,
    server::{
        AppError, AppState,
        cache::{Cause, Tag},
        services::{accounts::User, warming},
        sessions::{CurrentAdmin, CurrentVendor, RequestSession},
    },
};

/// The vendor user whose session this request carries.
pub async fn current_vendor() -> Result<(AppState, CurrentVendor), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    let current = CurrentVendor::of(&parts).await.map_err(|error| api_error_for(&parts, error))?;
    Ok((state, current))
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
    match open_session(&state, &parts, email, password).await {
        Ok(user) => Ok(next.unwrap_or_else(|| pages::home(&user)).to_owned()),
        Err(AppError::WrongCredentials) => Ok(pages::login_address(Some("credentials"), next)),
        Err(error) => Err(api_error_for(&parts, error)),
    }
}

/// Ends the session, if there is one.
pub async fn log_out() -> Result<(), ApiError> {
    let (state, parts) = request().map_err(api_error)?;
    close_session(&state, &parts).await.map_err(|error| api_error_for(&parts, error))
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
            response.insert_header(axum::http::header::RETRY_AFTER, retry_after);
        }
    }
    errors::api_error(&problem, &id)
}

fn request() -> Result<(AppState, Parts), AppError> {
    let missing = |what| AppError::Internal(format!("a server function without {what} in its context"));
    Ok((use_context::<AppState>().ok_or_else(|| missing("the state"))?, use_context::<Parts>().ok_or_else(|| missing("its request"))?))
}

/// Logs in, for a form or for the API: checks the password, begins the session, and notes both outcomes.
pub(super) async fn open_session(state: &AppState, parts: &Parts, email: &str, password: &str) -> Result<User, AppError> {
    let address = client_address(parts);
    match state.accounts.authenticate(email, password).await {
        Ok(user) => {
            session(parts)?.log_in(&user).await?;
            state.accounts.audit(&user.email, "login", "", address.as_deref()).await?;
            Ok(user)
        }
        Err(AppError::WrongCredentials) => {
            let actor: String = email.trim().chars().filter(|c| !c.is_control()).take(254).collect();
            state.accounts.audit(&actor, "login_failed", "", address.as_deref()).await?;
            Err(AppError::WrongCredentials)
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn close_session(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let session = session(parts)?;
    let user = session.user().await?;
    session.log_out().await?;
    if let Some(user) = user {
        state.accounts.audit(&user.email, "logout", "", client_address(parts).as_deref()).await?;
    }
    Ok(())
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
    let detail = tags.iter().map(Tag::name).collect::<Vec<_>>().join(" ");
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

fn session(parts: &Parts) -> Result<&RequestSession, AppError> {
    parts.extensions.get().ok_or_else(|| AppError::Internal("a route without sessions".to_owned()))
}

pub(super) fn client_address(parts: &Parts) -> Option<String> {
    parts.extensions.get::<ClientAddress>()?.text()
}
