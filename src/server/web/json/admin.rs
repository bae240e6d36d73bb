use axum::{
    Json, Router,
    extract::State,
    http::request::Parts,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::input::JsonBody;
use crate::{
    api::admin::CacheStats,
    server::{AppError, AppState, sessions::CurrentAdmin, web::context},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/cache/stats", get(stats)).route("/cache/invalidate", post(invalidate))
}

async fn stats(State(state): State<AppState>, _: CurrentAdmin) -> Json<CacheStats> {
    Json(state.cache.stats().await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tags {
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Invalidated {
    invalidated: usize,
}

async fn invalidate(
    State(state): State<AppState>,
    admin: CurrentAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<Tags>,
) -> Result<Json<Invalidated>, AppError> {
    let names: Vec<&str> = body.tags.iter().map(String::as_str).collect();
    let address = context::client_address(&parts);
    let invalidated = context::invalidate_tags(&state, &admin, &names, address.as_deref()).await?;
    Ok(Json(Invalidated { invalidated }))
}
