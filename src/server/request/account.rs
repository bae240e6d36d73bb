//! What people do with their account. Each of these asks who it is by itself, counts what could be guessed at, and is
//! carried to its end even if whoever asked goes away in the middle.

use axum::http::{header, request::Parts};

use super::{
    attempts::{Attempt, attempt_from, remember_browser, too_many},
    client_address,
};
use crate::domain::{accounts::User, text::is_visible};
use crate::server::{
    AppError, AppState,
    identity::accounts::{Actor, NewKey},
    identity::sessions::{Browser, BrowserUser, CurrentVendor, request_session},
    rate_limit::Purpose,
    services::to_the_end,
};

/// Logs in, for a form or for the API: checks the password, begins the session, and notes both outcomes.
pub async fn log_in(state: &AppState, parts: &Parts, email: &str, password: &str) -> Result<User, AppError> {
    let attempt = Attempt::begin(state, parts, email).await?;
    let address = client_address(parts);
    match state.accounts.authenticate(email, password).await {
        Ok(authenticated) => {
            request_session(parts)?.log_in(&authenticated, browser(parts)).await?;
            attempt.succeeded().await;
            remember_browser(state, parts, &authenticated.user.email)?;
            state.accounts.audit(&authenticated.user.email, "login", "", address.as_deref()).await?;
            Ok(authenticated.user)
        }
        Err(AppError::WrongCredentials) => {
            let actor: String = email.chars().filter(|c| is_visible(*c)).take(254).collect();
            state.accounts.audit(&actor, "login_failed", "", address.as_deref()).await?;
            Err(AppError::WrongCredentials)
        }
        Err(error) => Err(error),
    }
}

/// Ends the session, if there is one.
pub async fn log_out(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let session = request_session(parts)?;
    let user = session.logged_in_user().await?;
    session.log_out().await?;
    if let Some(user) = user {
        state.accounts.audit(&user.email, "logout", "", client_address(parts).as_deref()).await?;
    }
    Ok(())
}

/// Ends every session of whoever asks, on every instance.
pub async fn log_out_everywhere(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        let BrowserUser(user) = BrowserUser::of(&parts).await?;
        state.accounts.end_sessions(&user, actor(&user, client_address(&parts).as_deref())).await?;
        request_session(&parts)?.log_out_everywhere(&user).await
    })
    .await
}

/// Ends one of the sessions of whoever asks.
pub async fn end_session(state: &AppState, parts: &Parts, session_id: &str) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    request_session(parts)?.end_one(&user, session_id).await?;
    state.accounts.audit(&user.email, "session_end", session_id, client_address(parts).as_deref()).await
}

/// Changes the password of whoever asks. All sessions end, and this browser gets a new one. `DoneInPart` where the
/// password has been changed and the sessions could not be.
pub async fn change_password(state: &AppState, parts: &Parts, current: String, new: String) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        let BrowserUser(user) = BrowserUser::of(&parts).await?;
        let attempt = Attempt::of_user(&state, &user).await?;
        let address = client_address(&parts);
        let changed = state.accounts.change_password(&user, &current, &new, actor(&user, address.as_deref())).await;
        // Only a wrong guess at the present one counts.
        if !matches!(&changed, Err(AppError::Invalid(errors)) if errors.iter().any(|error| error.field == "current")) {
            attempt.succeeded().await;
        }
        request_session(&parts)?.log_in_alone(&changed?, browser(&parts)).await.map_err(|error| {
            tracing::error!(%error, "a password was changed, and its sessions were not");
            AppError::DoneInPart(
                "The password was changed. Not every session could be ended at once; please log in again.".to_owned(),
            )
        })
    })
    .await
}

/// Chooses another password with a link's token. All sessions of the user end.
pub async fn reset_password(state: &AppState, parts: &Parts, token: String, new: String) -> Result<(), AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    to_the_end(async move {
        attempt_from(&state, &parts).await?;
        let user = state.accounts.reset_password(&token, &new, client_address(&parts).as_deref()).await?;
        // Whoever had the link is the account's owner: others' guesses do not keep them out from now on.
        remember_browser(&state, &parts, &user.email)?;
        state.sessions.end_all(&user, None).await.map_err(|error| {
            tracing::error!(%error, "a password was changed, and its sessions were not");
            AppError::DoneInPart("The password was changed. Not every session could be ended at once.".to_owned())
        })
    })
    .await
}

/// Makes a key for whoever asks.
pub async fn create_key(state: &AppState, parts: &Parts, name: &str) -> Result<NewKey, AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    state.accounts.create_key(&user, name, actor(&user, client_address(parts).as_deref())).await
}

/// Revokes a key of whoever asks.
pub async fn revoke_key(state: &AppState, parts: &Parts, key_id: &str) -> Result<(), AppError> {
    let BrowserUser(user) = BrowserUser::of(parts).await?;
    state.accounts.revoke_key(&user, key_id, actor(&user, client_address(parts).as_deref())).await
}

/// Gives the vendor of whoever asks another time zone.
pub async fn change_time_zone(state: &AppState, parts: &Parts, name: &str) -> Result<(), AppError> {
    let CurrentVendor { user, vendor } = CurrentVendor::of(parts).await?;
    let counted = vendor.id.to_string();
    if let Some(admission) = state.limits.admit(Purpose::ZoneChanges, &counted).await
        && !admission.decision.admitted
    {
        return Err(too_many(&admission));
    }
    let changed = state.accounts.change_time_zone(&vendor, name, actor(&user, client_address(parts).as_deref())).await;
    // What was refused has moved nothing.
    if changed.is_err() {
        state.limits.give_back(Purpose::ZoneChanges, &counted).await;
    }
    changed
}

fn actor<'a>(user: &'a User, address: Option<&'a str>) -> Actor<'a> {
    Actor { name: &user.email, address }
}

fn browser(parts: &Parts) -> Browser {
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Browser::new(client_address(parts), user_agent)
}
