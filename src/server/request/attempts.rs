//! Attempts at what could be guessed, and how often one may try.

use std::{net::IpAddr, time::Duration};

use axum::http::request::Parts;

use super::ClientAddress;
use crate::domain::accounts::User;
use crate::server::{
    AppError, AppState,
    identity::sessions::request_session,
    rate_limit::{Admission, Purpose, account_key, address_key},
};

/// An attempt to prove a password, counted unless it succeeds. From a browser that somebody has logged in to the
/// account with before it counts for that browser alone; from any other, for the account and for the address it comes
/// from. So nobody who guesses elsewhere keeps the owner out.
pub struct Attempt {
    state: AppState,
    counted: Vec<(Purpose, String)>,
}

impl Attempt {
    /// Of logging in. `TooMany` where there have been as many as there may be.
    pub async fn begin(state: &AppState, parts: &Parts, email: &str) -> Result<Self, AppError> {
        let account = account_key(email);
        let counted = match state.sessions.devices().read(&parts.headers, &account) {
            Some(device) => vec![(Purpose::LoginDevice, device)],
            None => vec![
                (Purpose::LoginAddress, address_key(client(parts.extensions.get()))),
                (Purpose::LoginAccount, account),
            ],
        };
        Self::count(state, counted).await
    }

    /// Of proving one's own password to do what asks for it again. Counted by the user, and apart from logins.
    pub async fn of_user(state: &AppState, user: &User) -> Result<Self, AppError> {
        Self::count(state, vec![(Purpose::OwnPassword, user.id.to_string())]).await
    }

    /// Of sending a one-time code of this user's.
    pub async fn of_code(state: &AppState, user: i64) -> Result<Self, AppError> {
        Self::count(state, vec![(Purpose::Codes, user.to_string())]).await
    }

    /// Of what only an address can be told by.
    pub async fn from_address(state: &AppState, parts: &Parts) -> Result<Self, AppError> {
        Self::count(state, vec![(Purpose::LoginAddress, address_key(client(parts.extensions.get())))]).await
    }

    async fn count(state: &AppState, counted: Vec<(Purpose, String)>) -> Result<Self, AppError> {
        for (purpose, who) in &counted {
            match state.limits.admit(*purpose, who).await {
                Some(admission) if !admission.decision.admitted => {
                    tracing::warn!(limit = purpose.name(), "refused: too many attempts");
                    return Err(too_many(&admission));
                }
                _ => {}
            }
        }
        Ok(Self { state: state.clone(), counted })
    }

    /// What was right does not count.
    pub async fn succeeded(self) {
        for (purpose, who) in &self.counted {
            self.state.limits.give_back(*purpose, who).await;
        }
    }
}

/// Makes the browser that sent a request known to an account: see `Attempt`.
pub fn remember_browser(state: &AppState, parts: &Parts, email: &str) -> Result<(), AppError> {
    if let Some(cookie) = state.sessions.devices().set(&account_key(email)) {
        request_session(parts)?.set_cookie(cookie);
    }
    Ok(())
}

/// One attempt of what only an address can be told by.
pub async fn attempt_from(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    match state.limits.admit(Purpose::LoginAddress, &address_key(client(parts.extensions.get()))).await {
        Some(admission) if !admission.decision.admitted => Err(too_many(&admission)),
        _ => Ok(()),
    }
}

/// What was asked for too often.
pub fn too_many(admission: &Admission) -> AppError {
    AppError::TooMany { retry_after_seconds: seconds(admission.decision.retry_after()).max(1) }
}

/// The address that a request's extensions name.
pub fn client(address: Option<&ClientAddress>) -> Option<IpAddr> {
    address.and_then(|address| address.0)
}

/// Whole seconds, of which none is too early.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
