//! Attempts at what could be guessed, and how often one may try.

use std::{net::IpAddr, time::Duration};

use axum::http::request::Parts;

use super::ClientAddress;
use crate::server::{
    AppError, AppState,
    rate_limit::{Admission, Purpose, account_key, address_key},
};

/// An attempt to prove a password: counted against the account and against the address it comes from, unless it
/// succeeds.
pub struct Attempt {
    state: AppState,
    account: String,
    address: String,
}

impl Attempt {
    /// `TooMany` where there have been as many as there may be.
    pub async fn begin(state: &AppState, parts: &Parts, email: &str) -> Result<Self, AppError> {
        let attempt = Self {
            state: state.clone(),
            account: account_key(email),
            address: address_key(client(parts.extensions.get())),
        };
        for (purpose, who) in attempt.counted() {
            match state.limits.admit(purpose, who).await {
                Some(admission) if !admission.decision.admitted => {
                    tracing::warn!(limit = purpose.name(), "login refused: too many attempts");
                    return Err(too_many(&admission));
                }
                _ => {}
            }
        }
        Ok(attempt)
    }

    /// What was right does not count.
    pub async fn succeeded(self) {
        for (purpose, who) in self.counted() {
            self.state.limits.give_back(purpose, who).await;
        }
    }

    fn counted(&self) -> [(Purpose, &str); 2] {
        [(Purpose::LoginAddress, &self.address), (Purpose::LoginAccount, &self.account)]
    }
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
