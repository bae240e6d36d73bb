use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::input::JsonBody;
use crate::{
    domain::accounts::Viewer,
    server::{AppError, AppState, sessions::CurrentUser, web::account},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/login", post(log_in)).route("/logout", post(log_out)).route("/me", get(me))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    email: String,
    password: String,
}

#[derive(Serialize)]
struct Me {
    user: Viewer,
}

async fn log_in(State(state): State<AppState>, parts: Parts, JsonBody(credentials): JsonBody<Credentials>) -> Result<Json<Me>, AppError> {
    let user = account::log_in(&state, &parts, &credentials.email, &credentials.password).await?;
    Ok(Json(Me { user: CurrentUser(user).viewer() }))
}

async fn log_out(State(state): State<AppState>, parts: Parts) -> Result<StatusCode, AppError> {
    account::log_out(&state, &parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn me(user: CurrentUser) -> Json<Me> {
    Json(Me { user: user.viewer() })
}
