//! The way to the marketplace's provider, and the way back. No page: browsers are sent on.

use axum::{
    Router,
    extract::{RawQuery, State},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use super::middleware::is_same_origin;
use crate::server::{
    AppError, AppState,
    identity::sessions::request_session,
    request::{
        addresses::{code_address, home, local_path, login_address},
        problem::Problem,
        provider::{self, Answer, NotLoggedIn, Outcome, Refusal},
    },
};

pub fn router() -> Router<AppState> {
    Router::new().route("/login/marketplace", get(begin)).route("/login/marketplace/callback", get(come_back))
}

/// To the provider, from the button of the login page alone: where another site leads here, the page is shown, so that
/// nobody is logged in without having asked for it.
async fn begin(State(state): State<AppState>, RawQuery(query): RawQuery, parts: Parts) -> Result<Response, AppError> {
    let provider = state.provider.as_ref().ok_or(AppError::NotFound)?;
    let next = parameter(query.as_deref(), "next");
    let next = next.as_deref().and_then(local_path);
    if let Some(user) = request_session(&parts)?.logged_in_user().await? {
        return Ok(Redirect::to(home(&user)).into_response());
    }
    if !is_same_origin(&parts.headers, &parts.uri) {
        return Ok(Redirect::to(&login_address(None, next)).into_response());
    }
    match provider::begin(&state, &parts, provider, next).await {
        Ok(address) => Ok(Redirect::to(&address).into_response()),
        Err(why) => Ok(not_logged_in(NotLoggedIn { why, next: next.map(str::to_owned) })),
    }
}

/// From the provider.
async fn come_back(
    State(state): State<AppState>,
    RawQuery(query): RawQuery,
    parts: Parts,
) -> Result<Response, AppError> {
    let provider = state.provider.as_ref().ok_or(AppError::NotFound)?;
    let said = |name| parameter(query.as_deref(), name);
    let answer = Answer {
        state: said("state").unwrap_or_default(),
        code: said("code"),
        error: said("error"),
        issuer: said("iss"),
    };
    Ok(match provider::finish(&state, &parts, provider, answer).await {
        Ok((Outcome::LoggedIn(user), next)) => {
            let next = next.as_deref().and_then(local_path).unwrap_or_else(|| home(&user));
            Redirect::to(next).into_response()
        }
        Ok((Outcome::CodeMissing, next)) => Redirect::to(&code_address(None, next.as_deref())).into_response(),
        Err(refused) => not_logged_in(refused),
    })
}

/// Back to the login page, with a code that it has the words for.
fn not_logged_in(NotLoggedIn { why, next }: NotLoggedIn) -> Response {
    let code = match why {
        Refusal::Late => "late",
        Refusal::Cancelled => "cancelled",
        Refusal::Away => "away",
        Refusal::Unproven => "failed",
        Refusal::Unverified => "unverified",
        Refusal::Stranger => "stranger",
        Refusal::InvitationEnded => "invitation",
        Refusal::Other(AppError::TooMany { .. }) => "limited",
        // Said in the log, as any failure is.
        Refusal::Other(error) => match Problem::from(error).status.as_u16() {
            503 => "unavailable",
            _ => "failed",
        },
    };
    Redirect::to(&login_address(Some(code), next.as_deref())).into_response()
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
