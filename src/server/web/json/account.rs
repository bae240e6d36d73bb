use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{delete, get, put},
};
use serde::{Deserialize, Serialize};

use super::input::{JsonBody, PathId};
use crate::{
    domain::accounts::{ApiKey, OwnSession},
    server::{
        AppError, AppState,
        services::accounts::NewKey,
        sessions::{CurrentHolder, request_session},
        web::account,
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/password", put(change_password))
        .route("/sessions", get(list_sessions).delete(log_out_everywhere))
        .route("/sessions/{id}", delete(end_session))
        .route("/keys", get(list_keys).post(create_key))
        .route("/keys/{id}", delete(revoke_key))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    current: String,
    password: String,
}

async fn change_password(
    State(state): State<AppState>,
    _: CurrentHolder,
    parts: Parts,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<StatusCode, AppError> {
    account::change_password(&state, &parts, change.current, change.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct OwnSessions {
    sessions: Vec<OwnSession>,
}

async fn list_sessions(CurrentHolder(user): CurrentHolder, parts: Parts) -> Result<Json<OwnSessions>, AppError> {
    Ok(Json(OwnSessions { sessions: request_session(&parts)?.list(&user).await? }))
}

async fn log_out_everywhere(State(state): State<AppState>, _: CurrentHolder, parts: Parts) -> Result<StatusCode, AppError> {
    account::log_out_everywhere(&state, &parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end_session(State(state): State<AppState>, _: CurrentHolder, PathId(id): PathId, parts: Parts) -> Result<StatusCode, AppError> {
    account::end_session(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<ApiKey>,
}

async fn list_keys(State(state): State<AppState>, CurrentHolder(user): CurrentHolder) -> Result<Json<Keys>, AppError> {
    Ok(Json(Keys { keys: state.accounts.list_keys(&user).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyName {
    name: String,
}

#[derive(Serialize)]
struct Created {
    key: ApiKey,
    /// Told this once.
    secret: String,
}

async fn create_key(
    State(state): State<AppState>,
    _: CurrentHolder,
    parts: Parts,
    JsonBody(KeyName { name }): JsonBody<KeyName>,
) -> Result<(StatusCode, Json<Created>), AppError> {
    let NewKey { key, secret } = account::create_key(&state, &parts, &name).await?;
    Ok((StatusCode::CREATED, Json(Created { key, secret })))
}

async fn revoke_key(State(state): State<AppState>, _: CurrentHolder, PathId(id): PathId, parts: Parts) -> Result<StatusCode, AppError> {
    account::revoke_key(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
