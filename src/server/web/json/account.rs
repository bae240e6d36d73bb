use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{delete, get, put},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    input::{JsonBody, PathId},
    openapi::ProblemBody,
};
use crate::{
    domain::accounts::{ApiKey, OwnSession},
    server::{
        AppError, AppState,
        identity::accounts::NewKey,
        identity::sessions::{BrowserUser, request_session},
        request::account,
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/password", put(change_password))
        .route("/time-zone", put(change_time_zone))
        .route("/sessions", get(list_sessions).delete(log_out_everywhere))
        .route("/sessions/{id}", delete(end_session))
        .route("/keys", get(list_keys).post(create_key))
        .route("/keys/{id}", delete(revoke_key))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    current: String,
    password: String,
}

#[utoipa::path(
    put,
    path = "/api/account/password",
    operation_id = "account_change_password",
    tag = "account",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed; every other session of the user has ended"), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<StatusCode, AppError> {
    account::change_password(&state, &parts, change.current, change.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TimeZoneChange {
    /// IANA name.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

#[utoipa::path(
    put,
    path = "/api/account/time-zone",
    operation_id = "account_change_time_zone",
    tag = "account",
    request_body = TimeZoneChange,
    responses((status = 204, description = "The vendor's days have this clock: its orders and refunds, past ones too, have moved to the days they fall on there"), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn change_time_zone(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(change): JsonBody<TimeZoneChange>,
) -> Result<StatusCode, AppError> {
    account::change_time_zone(&state, &parts, &change.time_zone).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
pub(super) struct OwnSessions {
    sessions: Vec<OwnSession>,
}

#[utoipa::path(
    get,
    path = "/api/account/sessions",
    operation_id = "account_list_sessions",
    tag = "account",
    responses((status = 200, description = "Where the user is logged in", body = OwnSessions), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn list_sessions(BrowserUser(user): BrowserUser, parts: Parts) -> Result<Json<OwnSessions>, AppError> {
    Ok(Json(OwnSessions { sessions: request_session(&parts)?.list(&user).await? }))
}

#[utoipa::path(
    delete,
    path = "/api/account/sessions",
    operation_id = "account_log_out_everywhere",
    tag = "account",
    responses((status = 204, description = "Every session of the user has ended, on every instance"), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn log_out_everywhere(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::log_out_everywhere(&state, &parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/account/sessions/{id}",
    operation_id = "account_end_session",
    tag = "account",
    params(("id" = String, Path, description = "The session, as the list names it")),
    responses((status = 204, description = "Ended"), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn end_session(
    State(state): State<AppState>,
    _: BrowserUser,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::end_session(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<ApiKey>,
}

#[utoipa::path(
    get,
    path = "/api/account/keys",
    operation_id = "account_list_keys",
    tag = "account",
    responses((status = 200, description = "The user's API keys", body = Keys), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn list_keys(
    State(state): State<AppState>,
    BrowserUser(user): BrowserUser,
) -> Result<Json<Keys>, AppError> {
    Ok(Json(Keys { keys: state.accounts.list_keys(&user).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyName {
    name: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Created {
    key: ApiKey,
    /// Told this once.
    secret: String,
}

#[utoipa::path(
    post,
    path = "/api/account/keys",
    operation_id = "account_create_key",
    tag = "account",
    request_body = KeyName,
    responses((status = 201, description = "Made; the key itself is told here and never again", body = Created), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn create_key(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(KeyName { name }): JsonBody<KeyName>,
) -> Result<(StatusCode, Json<Created>), AppError> {
    let NewKey { key, secret } = account::create_key(&state, &parts, &name).await?;
    Ok((StatusCode::CREATED, Json(Created { key, secret })))
}

#[utoipa::path(
    delete,
    path = "/api/account/keys/{id}",
    operation_id = "account_revoke_key",
    tag = "account",
    params(("id" = String, Path, description = "The key, as the list names it")),
    responses((status = 204, description = "Revoked, at once"), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []))
)]
pub(super) async fn revoke_key(
    State(state): State<AppState>,
    _: BrowserUser,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::revoke_key(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
