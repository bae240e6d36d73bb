//! What nobody may forget to ask, asked of every route that there is, before any of them answers.

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    domain::accounts::KeyScope,
    server::{
        AppError, AppState,
        identity::sessions::RequestSession,
        request::{is_safe, is_under, wants_html},
    },
};

/// Who only looks changes nothing but the account. Whoever has to have a second factor, and was let in without one, gets to set it up, and nowhere else. A key does what
/// its scope says, and nothing else.
pub async fn check_access(State(_): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_routed = request.extensions().get::<MatchedPath>().is_some();
    let session = request.extensions().get::<RequestSession>().cloned().filter(|_| is_routed);
    let Some(session) = session else { return next.run(request).await };
    // Where it is not known who it is, whatever answers this request will find out why.
    if let Ok(Some(grant)) = session.grant().await
        && !is_granted(grant.scope, request.method(), path)
    {
        return AppError::OutOfScope(grant.scope).into_response();
    }
    let is_about_access = is_about_access(path);
    if !is_about_access
        && let Ok(Some(user)) = session.user().await
        && !user.role.may_write()
        && !is_safe(request.method())
    {
        return AppError::Forbidden.into_response();
    }
    // A key would get around it.
    if is_about_access && !is_under(path, "/api/account/keys") && !is_under(path, "/_fn/account/key") {
        return next.run(request).await;
    }
    match session.lacks_second_factor().await {
        Ok(true) if wants_html(request.headers()) => Redirect::to("/account?required=totp").into_response(),
        Ok(true) => AppError::SecondFactorRequired.into_response(),
        Ok(false) | Err(_) => next.run(request).await,
    }
}

fn is_granted(scope: KeyScope, method: &Method, path: &str) -> bool {
    match scope {
        KeyScope::Read => is_safe(method),
        KeyScope::Write => true,
        KeyScope::Ingest => is_under(path, "/api/ingest") || path == "/api/auth/me",
    }
}

/// Routes by which people get in, out, and look after their account; and the API's description.
fn is_about_access(path: &str) -> bool {
    const OPEN: [&str; 16] = [
        "/letters",
        "/_fn/letters",
        "/api/letters",
        "/login",
        "/forgot",
        "/reset",
        "/account",
        "/_fn/login",
        "/_fn/logout",
        "/_fn/reset",
        "/_fn/forgot",
        "/_fn/account",
        "/api/auth",
        "/api/account",
        "/api/openapi.json",
        "/api/docs",
    ];
    // A vendor's time zone is no matter of one account.
    OPEN.iter().any(|folder| is_under(path, folder)) && !path.ends_with("/time-zone")
}
