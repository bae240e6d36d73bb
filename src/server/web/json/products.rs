use std::time::Instant;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use serde::Serialize;

use super::{
    analytics::freshness,
    input::{JsonBody, Parameters, PathId},
};
use crate::{
    domain::{
        accounts::encode_segment,
        catalog::{BulkChange, Product, ProductInput},
        invalid::Invalid,
    },
    server::{AppError, AppState, services::catalog::parse_query, sessions::CurrentVendor},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(list).post(create)).route("/bulk", patch(change_many)).route("/{id}", get(find).put(update).delete(delete))
}

async fn list(State(state): State<AppState>, current: CurrentVendor, parameters: Parameters) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["search", "status", "sort", "after"])?;
    let query = parse_query(parameters.owned("search"), parameters.get("status"), parameters.get("sort"), parameters.owned("after"))?;
    let served = state.catalog.list(&current.vendor, &query).await?;
    let mut response = Json(&served.value).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

async fn create(
    State(state): State<AppState>,
    current: CurrentVendor,
    JsonBody(input): JsonBody<ProductInput>,
) -> Result<Response, AppError> {
    let product = state.catalog.create(&current.vendor, &input).await?;
    let location = format!("/api/vendor/products/{}", encode_segment(&product.product_id));
    // Percent-encoded: always a header value.
    let location = HeaderValue::try_from(location).map_err(|e| AppError::Internal(e.to_string()))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(product)).into_response())
}

async fn find(State(state): State<AppState>, current: CurrentVendor, PathId(id): PathId) -> Result<Json<Product>, AppError> {
    Ok(Json(state.catalog.find(&current.vendor, &id).await?))
}

async fn update(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
    JsonBody(input): JsonBody<ProductInput>,
) -> Result<Json<Product>, AppError> {
    if input.product_id.as_ref().is_some_and(|given| *given != id) {
        return Err(Invalid::new("productId", format!("cannot change: leave it out, or send `{id}`")).into());
    }
    Ok(Json(state.catalog.update(&current.vendor, &id, &input).await?))
}

async fn delete(State(state): State<AppState>, current: CurrentVendor, PathId(id): PathId) -> Result<StatusCode, AppError> {
    state.catalog.delete(&current.vendor, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct Changed {
    changed: u64,
}

async fn change_many(
    State(state): State<AppState>,
    current: CurrentVendor,
    JsonBody(change): JsonBody<BulkChange>,
) -> Result<Json<Changed>, AppError> {
    Ok(Json(Changed { changed: state.catalog.change_many(&current.vendor, &change).await? }))
}
