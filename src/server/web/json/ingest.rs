use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::post,
};

use super::{
    input::{JsonBody, RequestKey},
    openapi::Refused,
};
use crate::{
    domain::ingest::{Ingested, OrderBatch, ProductBatch, RefundBatch},
    server::{AppError, AppState, identity::sessions::IngestingAdmin, services::Sender},
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/orders", post(orders))
        .route("/refunds", post(refunds))
        .route("/products", post(products))
        .layer(DefaultBodyLimit::disable())
}

#[utoipa::path(
    post,
    path = "/api/ingest/orders",
    operation_id = "ingest_orders",
    tag = "ingest",
    request_body = OrderBatch,
    responses((status = 200, description = "IngestResult, all of \
        it", body = Ingested), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn orders(
    State(state): State<AppState>,
    admin: IngestingAdmin,
    key: RequestKey,
    JsonBody(batch): JsonBody<OrderBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.orders(&sender(&admin, &key)?, batch).await?))
}

#[utoipa::path(
    post,
    path = "/api/ingest/refunds",
    operation_id = "ingest_refunds",
    tag = "ingest",
    request_body = RefundBatch,
    responses((status = 200, description = "IngestResult, all of \
        it", body = Ingested), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn refunds(
    State(state): State<AppState>,
    admin: IngestingAdmin,
    key: RequestKey,
    JsonBody(batch): JsonBody<RefundBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.refunds(&sender(&admin, &key)?, batch).await?))
}

#[utoipa::path(
    post,
    path = "/api/ingest/products",
    operation_id = "ingest_products",
    tag = "ingest",
    request_body = ProductBatch,
    responses((status = 200, description = "IngestResult, all of \
        it", body = Ingested), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn products(
    State(state): State<AppState>,
    admin: IngestingAdmin,
    key: RequestKey,
    JsonBody(batch): JsonBody<ProductBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.products(&sender(&admin, &key)?, batch).await?))
}

/// Who sends it, for all vendors or for the one that its key is made for.
fn sender(admin: &IngestingAdmin, key: &RequestKey) -> Result<Sender, AppError> {
    Ok(key.of(&admin.user)?.only_for(admin.only_vendor.clone()))
}
