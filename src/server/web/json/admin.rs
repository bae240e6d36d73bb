use std::time::Instant;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use super::{
    analytics::freshness,
    input::{JsonBody, Parameters},
};
use crate::{
    api::admin::CacheStats,
    server::{AppError, AppState, services::marketplace::parse_range, sessions::CurrentAdmin, web::context},
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/cache/stats", get(stats))
        .route("/cache/invalidate", post(invalidate))
        .route("/cache/warm", post(warm))
        .route("/metrics", get(metrics))
}

/// The bytes that the cache holds, as they are.
async fn metrics(State(state): State<AppState>, _: CurrentAdmin, parameters: Parameters) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo"])?;
    let range = parse_range(parameters.get("dateFrom"), parameters.get("dateTo"), None)?;
    let served = state.marketplace.metrics_json(range).await?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (headers, served.value.clone()).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ToWarm {
    /// Whose dashboard, as it opens. Left out: whatever this instance is asked for most.
    vendor_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Warmed {
    /// Snapshots that were not in the cache before.
    warmed: usize,
}

async fn warm(
    State(state): State<AppState>,
    admin: CurrentAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<ToWarm>,
) -> Result<Json<Warmed>, AppError> {
    let address = context::client_address(&parts);
    let warmed = context::warm(&state, &admin, body.vendor_ids.as_deref(), address.as_deref()).await?;
    Ok(Json(Warmed { warmed }))
}
