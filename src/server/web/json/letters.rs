use axum::{
    Router,
    extract::State,
    http::{StatusCode, request::Parts},
    response::Redirect,
    routing::get,
};

use super::{input::Parameters, openapi::Refused};
use crate::{
    domain::accounts::encode_segment,
    server::{AppError, AppState, request::account},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/stop", get(ask).post(stop))
}

/// What mail programs send where somebody clicks on "unsubscribe" (RFC 8058); what they send with it says nothing.
#[utoipa::path(
    post,
    path = "/api/letters/stop",
    operation_id = "letters_stop",
    tag = "letters",
    params(("reader" = String, Query, description = "As the letter has it")),
    responses((status = 204, description = "No letters are sent to that user any \
        more"), Refused)
)]
pub(super) async fn stop(
    State(state): State<AppState>,
    parameters: Parameters,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    let parameters = parameters.only(&["reader"])?;
    account::stop_letters(&state, &parts, parameters.get("reader").unwrap_or_default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mail programs that only open addresses: nothing is changed by that, and a page asks.
#[utoipa::path(
    get,
    path = "/api/letters/stop",
    operation_id = "letters_ask",
    tag = "letters",
    params(("reader" = String, Query, description = "As the letter has it")),
    responses((status = 303, description = "To the page that \
        asks"), Refused)
)]
pub(super) async fn ask(parameters: Parameters) -> Result<Redirect, AppError> {
    let parameters = parameters.only(&["reader"])?;
    let reader = encode_segment(parameters.get("reader").unwrap_or_default());
    Ok(Redirect::to(&format!("/letters/stop?reader={reader}")))
}
