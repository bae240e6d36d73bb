use axum::{Json, Router, extract::State, routing::get};
use serde::Deserialize;

use super::input::{JsonBody, Parameters, PathId};
use crate::{
    domain::orders::{Order, OrderPage, OrderStatus},
    server::{AppError, AppState, services::orders::parse_query, sessions::CurrentVendor},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(list)).route("/{id}", get(find).patch(change))
}

async fn list(State(state): State<AppState>, current: CurrentVendor, parameters: Parameters) -> Result<Json<OrderPage>, AppError> {
    let parameters = parameters.only(&["status", "after"])?;
    let query = parse_query(parameters.get("status"), parameters.owned("after"))?;
    Ok(Json(state.orders.list(&current.vendor, &query).await?))
}

async fn find(State(state): State<AppState>, current: CurrentVendor, PathId(id): PathId) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.find(&current.vendor, &id).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderChange {
    status: OrderStatus,
}

async fn change(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
    JsonBody(change): JsonBody<OrderChange>,
) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.set_status(&current.vendor, &id, change.status).await?))
}
