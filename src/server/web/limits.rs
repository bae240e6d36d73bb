use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{ClientAddress, errors::is_under, middleware::is_safe};
use crate::server::{
    AppError, AppState,
    rate_limit::{Purpose, Verdict, account, address},
    sessions::RequestSession,
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Lets in what a user may ask of the API (the pages' own calls included), or where nobody is logged in, what an address may. Says how
/// much is left.
pub async fn limit_requests(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !is_under(path, "/api") && !is_under(path, "/_fn") {
        return next.run(request).await;
    }
    let purpose = if is_safe(request.method()) { Purpose::Reads } else { Purpose::Writes };
    let user = match request.extensions().get::<RequestSession>() {
        Some(session) => session.clone().user().await,
        None => Ok(None),
    };
    let who = match user {
        Ok(Some(user)) => format!("user:{}", user.id),
        Ok(None) => address(client(request.extensions().get())),
        // Not known who it is: whatever answers this request will find out why.
        Err(_) => return next.run(request).await,
    };
    let Some(verdict) = state.limits.admit(purpose, &who).await else { return next.run(request).await };
    let mut response = if verdict.decision.admitted { next.run(request).await } else { too_many(&verdict).into_response() };
    tell(response.headers_mut(), &verdict);
    response
}

fn client(address: Option<&ClientAddress>) -> Option<std::net::IpAddr> {
    address.and_then(|address| address.0)
}

/// An attempt to prove a password: counted against the account and against the address it comes from, unless it succeeds.
pub struct Attempt {
    state: AppState,
    account: String,
    address: String,
}

impl Attempt {
    /// `TooMany` where there have been as many as there may be.
    pub async fn begin(state: &AppState, parts: &Parts, email: &str) -> Result<Self, AppError> {
        let attempt = Self { state: state.clone(), account: account(email), address: address(client(parts.extensions.get())) };
        for (purpose, who) in attempt.counted() {
            match state.limits.admit(purpose, who).await {
                Some(verdict) if !verdict.decision.admitted => {
                    tracing::warn!(limit = purpose.name(), "login refused: too many attempts");
                    return Err(too_many(&verdict));
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
    match state.limits.admit(Purpose::LoginAddress, &address(client(parts.extensions.get()))).await {
        Some(verdict) if !verdict.decision.admitted => Err(too_many(&verdict)),
        _ => Ok(()),
    }
}

fn too_many(verdict: &Verdict) -> AppError {
    AppError::TooMany { retry_after_seconds: seconds(verdict.decision.retry_after()).max(1) }
}

/// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 writes them: what is allowed (q requests in w seconds),
/// what is left of it (r), and in how many seconds all of it is there again (t).
fn tell(headers: &mut HeaderMap, verdict: &Verdict) {
    let (name, limit, decision) = (verdict.purpose.name(), verdict.limit, verdict.decision);
    let policy = format!("\"{name}\";q={};w={}", limit.count, limit.period.as_secs());
    let state = format!("\"{name}\";r={};t={}", decision.remaining, seconds(decision.reset()));
    for (header, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}

/// Whole seconds, of which none is too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
