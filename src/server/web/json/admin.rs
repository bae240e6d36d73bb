use std::time::Instant;

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{analytics::freshness, cache, input::Parameters, openapi::ProblemBody};
use crate::{
    domain::{market::MarketMetrics, period::DateRange},
    server::{AppError, AppState, identity::sessions::CurrentAdmin},
};

pub fn router() -> Router<AppState> {
    Router::new().nest("/cache", cache::router()).route("/metrics", get(metrics))
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
