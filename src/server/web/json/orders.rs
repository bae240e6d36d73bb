use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::input::{JsonBody, Parameters, PathId};
use crate::{
    domain::{
        accounts::encode_segment,
        order_writes::{NewOrder, NewRefund, OrderChange},
        orders::{Order, OrderPage},
    },
    server::{
        AppError, AppState,
        services::orders::{OrderParameters, parse_query},
        sessions::CurrentVendor,
    },
};

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(list).post(create)).route("/{id}", get(find).patch(change)).route("/{id}/refunds", post(refund))
}

async fn list(State(state): State<AppState>, current: CurrentVendor, parameters: Parameters) -> Result<Json<OrderPage>, AppError> {
    let parameters = parameters.only(&["status", "dateFrom", "dateTo", "search", "after"])?;
    let query = parse_query(&OrderParameters {
        status: parameters.get("status"),
        date_from: parameters.get("dateFrom"),
        date_to: parameters.get("dateTo"),
        search: parameters.get("search"),
        after: parameters.get("after"),
    })?;
    Ok(Json(state.orders.list(&current.vendor, &query).await?))
}

async fn create(State(state): State<AppState>, current: CurrentVendor, JsonBody(new): JsonBody<NewOrder>) -> Result<Response, AppError> {
    let order = state.orders.create(&current.vendor, new).await?;
    let location = format!("/api/vendor/orders/{}", encode_segment(&order.order_id));
    // Percent-encoded: always a header value.
    let location = HeaderValue::try_from(location).map_err(|e| AppError::Internal(e.to_string()))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)).into_response())
}

async fn find(State(state): State<AppState>, current: CurrentVendor, PathId(id): PathId) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.find(&current.vendor, &id).await?))
}

async fn change(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
    JsonBody(change): JsonBody<OrderChange>,
) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.change(&current.vendor, &id, change).await?))
}

/// 201 with the order as it is after the refund.
async fn refund(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
    JsonBody(refund): JsonBody<NewRefund>,
) -> Result<Response, AppError> {
    Ok((StatusCode::CREATED, Json(state.orders.refund(&current.vendor, &id, refund).await?)).into_response())
}
