use std::time::Instant;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    analytics::freshness,
    input::{JsonBody, Parameters},
    openapi::ProblemBody,
};
use crate::{
    domain::{market::MarketMetrics, period::DateRange},
    server::{AppError, AppState, identity::sessions::CurrentAdmin, request, services::cache_stats::cache_stats},
    server_functions::admin::CacheStats,
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/cache/stats", get(stats))
        .route("/cache/invalidate", post(invalidate))
        .route("/cache/warm", post(warm))
        .route("/metrics", get(metrics))
}

/// The bytes that the cache holds, as they are.
#[utoipa::path(
    get,
    path = "/api/admin/metrics",
    operation_id = "admin_metrics",
    tag = "admin",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by each vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first")
    ),
    responses((status = 200, description = "Figures by currency", body = MarketMetrics), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn metrics(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo"])?;
    let range = DateRange::read(parameters.get("dateFrom"), parameters.get("dateTo"), None)?;
    let served = state.marketplace.metrics_json(range).await?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (headers, served.value.clone()).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

#[utoipa::path(
    get,
    path = "/api/admin/cache/stats",
    operation_id = "admin_stats",
    tag = "admin",
    responses((status = 200, description = "Counters of the cache", body = CacheStats), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn stats(State(state): State<AppState>, _: CurrentAdmin) -> Json<CacheStats> {
    Json(cache_stats(&state.cache).await)
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tags {
    tags: Vec<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Invalidated {
    invalidated: usize,
}

#[utoipa::path(
    post,
    path = "/api/admin/cache/invalidate",
    operation_id = "admin_invalidate",
    tag = "admin",
    request_body = Tags,
    responses((status = 200, description = "Invalidated", body = Invalidated), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn invalidate(
    State(state): State<AppState>,
    admin: CurrentAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<Tags>,
) -> Result<Json<Invalidated>, AppError> {
    let names: Vec<&str> = body.tags.iter().map(String::as_str).collect();
    let address = request::client_address(&parts);
    let invalidated = request::cache_actions::invalidate_tags(&state, &admin, &names, address.as_deref()).await?;
    Ok(Json(Invalidated { invalidated }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ToWarm {
    /// Whose dashboard, as it opens. Left out: whatever this instance is asked for most.
    vendor_ids: Option<Vec<String>>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Warmed {
    /// Snapshots that were not in the cache before.
    warmed: usize,
}

#[utoipa::path(
    post,
    path = "/api/admin/cache/warm",
    operation_id = "admin_warm",
    tag = "admin",
    request_body = ToWarm,
    responses((status = 200, description = "How many snapshots were not in the cache before", body = Warmed), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn warm(
    State(state): State<AppState>,
    admin: CurrentAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<ToWarm>,
) -> Result<Json<Warmed>, AppError> {
    let address = request::client_address(&parts);
    let warmed = request::cache_actions::warm(&state, &admin, body.vendor_ids.as_deref(), address.as_deref()).await?;
    Ok(Json(Warmed { warmed }))
}
