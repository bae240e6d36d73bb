//! What nobody may forget to ask, asked of every route that there is, before any of them answers.

use axum::{
    extract::MatchedPath,
    http::{Method, request::Parts},
    response::{IntoResponse, Redirect, Response},
};

use crate::{
    domain::accounts::KeyScope,
    server::{
        AppError,
        identity::sessions::RequestSession,
        request::{is_safe, is_under, wants_html},
    },
};

/// Who only looks changes nothing but the account. Whoever has to have a second factor, and was let in without one,
/// gets to set it up, and nowhere else. A key does what its scope says, and nothing else. Where it cannot be found out
/// who it is, nothing is done but what lets people in, out, and look after their account: those handlers ask by
/// themselves.
pub async fn check_access(session: &RequestSession, asked: &Parts) -> Result<(), Response> {
    if asked.extensions.get::<MatchedPath>().is_none() {
        return Ok(());
    }
    check(session, &asked.method, asked.uri.path()).await.map_err(|refused| match refused {
        AppError::SecondFactorRequired if wants_html(&asked.headers) => {
            Redirect::to("/account?required=totp").into_response()
        }
        refused => refused.into_response(),
    })
}

/// The same of a request to a route of this path.
pub async fn check(session: &RequestSession, method: &Method, path: &str) -> Result<(), AppError> {
    let is_about_access = is_about_access(path);
    match session.grant().await {
        Ok(Some(grant)) if !is_granted(grant.scope, method, path) => return Err(AppError::OutOfScope(grant.scope)),
        Ok(_) => {}
        Err(_) if is_about_access => {}
        Err(error) => return Err(error),
    }
    if !is_about_access && !is_safe(method) {
        let only_looks = session.user().await?.is_some_and(|user| !user.role.may_write());
        if only_looks {
            return Err(AppError::Forbidden);
        }
    }
    // A key would get around the second factor.
    let makes_keys = is_under(path, "/api/account/keys") || is_under(path, "/_fn/account/key");
    if (!is_about_access || makes_keys) && session.lacks_second_factor().await? {
        return Err(AppError::SecondFactorRequired);
    }
    Ok(())
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
