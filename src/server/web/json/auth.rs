use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{input::JsonBody, openapi::Refused};
use crate::{
    domain::accounts::Viewer,
    server::{AppError, AppState, identity::sessions::CurrentUser, request::account},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/login", post(log_in)).route("/logout", post(log_out)).route("/me", get(me))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    email: String,
    password: String,
    /// A one-time code or a recovery code, for those who have a second factor.
    code: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Me {
    user: Viewer,
}

#[utoipa::path(
    post,
    path = "/api/auth/login",
    operation_id = "auth_log_in",
    tag = "auth",
    request_body = Credentials,
    responses((status = 200, description = "Logged in; the cookie says so from now \
        on", body = Me), Refused)
)]
pub(super) async fn log_in(
    State(state): State<AppState>,
    parts: Parts,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<Json<Me>, AppError> {
    let Credentials { email, password, code } = credentials;
    let user = account::log_in(&state, &parts, &email, &password, code.as_deref()).await?;
    Ok(Json(Me { user: CurrentUser(user).viewer() }))
}

#[utoipa::path(
    post,
    path = "/api/auth/logout",
    operation_id = "auth_log_out",
    tag = "auth",
    responses((status = 204, description = "The session has ended, if there was \
        one"), Refused)
)]
pub(super) async fn log_out(State(state): State<AppState>, parts: Parts) -> Result<StatusCode, AppError> {
    account::log_out(&state, &parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/api/auth/me",
    operation_id = "auth_me",
    tag = "auth",
    responses((status = 200, description = "Who is logged \
        in", body = Me), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn me(user: CurrentUser) -> Json<Me> {
    Json(Me { user: user.viewer() })
}
