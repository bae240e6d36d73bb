//! Attempts at what could be guessed, and how often one may try.

use std::{net::IpAddr, time::Duration};

use axum::http::request::Parts;

use super::ClientAddress;
use crate::domain::accounts::User;
use crate::server::{
    AppError, AppState,
    identity::{accounts::Authenticated, sessions::request_session},
    rate_limit::{Admission, Purpose, account_key, address_key},
};

/// An attempt to prove a password, counted unless it succeeds. From a browser that somebody has logged in to the
/// account with since its sessions last ended it counts for that browser, and for all of them together; from any other,
/// for the account and for the address it comes from. So nobody who guesses elsewhere keeps the owner out.
pub struct Attempt {
    state: AppState,
    counted: Vec<(Purpose, String)>,
}

impl Attempt {
    /// Of logging in. `TooMany` where there have been as many as there may be.
    pub async fn begin(state: &AppState, parts: &Parts, email: &str) -> Result<Self, AppError> {
        let account = account_key(email);
        if let Some(browser) = state.sessions.devices().read(&parts.headers, &account) {
            // Counted before the database is asked whether it still is known.
            let together = format!("{account} {}", browser.epoch);
            let counted = vec![(Purpose::LoginDevice, browser.name), (Purpose::LoginDevices, together)];
            let attempt = Self::count(state, counted, client(parts.extensions.get())).await?;
            if state.accounts.epoch_of(email).await? == Some(browser.epoch) {
                return Ok(attempt);
            }
            attempt.succeeded().await;
        }
        let address = client(parts.extensions.get());
        let counted = vec![(Purpose::LoginAddress, address_key(address)), (Purpose::LoginAccount, account)];
        Self::count(state, counted, address).await
    }

    /// Of proving one's own password to do what asks for it again. Counted by the user, and apart from logins.
    pub async fn of_user(state: &AppState, user: &User) -> Result<Self, AppError> {
        Self::count(state, vec![(Purpose::OwnPassword, user.id.to_string())], None).await
    }

    /// Of sending a one-time code to log in with, after the password: likewise for the browser where it is known, so
    /// that whoever knows the password alone does not keep the owner out.
    pub async fn of_login_code(state: &AppState, parts: &Parts, who: &Authenticated) -> Result<Self, AppError> {
        let browser = state.sessions.devices().read(&parts.headers, &account_key(&who.user.email));
        let known = browser.filter(|browser| browser.epoch == who.epoch).map(|browser| browser.name);
        let counted = vec![(Purpose::Codes, known.unwrap_or_else(|| who.user.id.to_string()))];
        Self::count(state, counted, client(parts.extensions.get())).await
    }

    /// Of sending a one-time code by who is logged in already.
    pub async fn of_own_code(state: &AppState, user: &User) -> Result<Self, AppError> {
        Self::count(state, vec![(Purpose::Codes, format!("{} logged in", user.id))], None).await
    }

    /// Of what only an address can be told by.
    pub async fn from_address(state: &AppState, parts: &Parts) -> Result<Self, AppError> {
        let address = client(parts.extensions.get());
        Self::count(state, vec![(Purpose::LoginAddress, address_key(address))], address).await
    }

    /// `address`: where it comes from, where that is not known by who is logged in.
    async fn count(
        state: &AppState,
        counted: Vec<(Purpose, String)>,
        address: Option<IpAddr>,
    ) -> Result<Self, AppError> {
        for (purpose, who) in &counted {
            match state.limits.admit(*purpose, who).await {
                Some(admission) if !admission.decision.admitted => {
                    return Err(refused(*purpose, address, &admission));
                }
                _ => {}
            }
        }
        Ok(Self { state: state.clone(), counted })
    }

    /// What was right does not count, nor does what was refused for another reason than this field, and nothing was
    /// learned of it. Whatever else went wrong counts: it may have happened after a wrong guess was seen to be one.
    pub async fn unless_wrong<T>(self, done: &Result<T, AppError>, field: &str) {
        match done {
            Ok(_) | Err(AppError::Conflict(_)) => self.succeeded().await,
            Err(AppError::Invalid(errors)) if errors.iter().all(|error| error.field != field) => self.succeeded().await,
            Err(_) => {}
        }
    }

    /// What was right does not count.
    pub async fn succeeded(self) {
        for (purpose, who) in &self.counted {
            self.state.limits.give_back(*purpose, who).await;
        }
    }
}

/// Makes the browser that sent a request known to an account, while the user's epoch is this one: see `Attempt`.
pub fn remember_browser(state: &AppState, parts: &Parts, email: &str, epoch: i64) -> Result<(), AppError> {
    if let Some(cookie) = state.sessions.devices().set(&account_key(email), epoch) {
        request_session(parts)?.set_cookie(cookie);
    }
    Ok(())
}

/// One attempt of what only an address can be told by.
pub async fn attempt_from(state: &AppState, parts: &Parts) -> Result<(), AppError> {
    let address = client(parts.extensions.get());
    match state.limits.admit(Purpose::LoginAddress, &address_key(address)).await {
        Some(admission) if !admission.decision.admitted => Err(refused(Purpose::LoginAddress, address, &admission)),
        _ => Ok(()),
    }
}

/// Notes where an attempt came from that was one too many: programs that bar addresses read it (docs/operations.md).
fn refused(limit: Purpose, address: Option<IpAddr>, admission: &Admission) -> AppError {
    tracing::warn!(limit = limit.name(), address = address.map(display), "refused: too many attempts");
    too_many(admission)
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
