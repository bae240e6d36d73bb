use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequestParts, State},
    http::request::Parts,
    routing::post,
};
use tower_http::limit::RequestBodyLimitLayer;

use super::{input::JsonBody, openapi::ProblemBody};
use crate::{
    domain::{
        field_error::FieldError,
        ingest::{Ingested, OrderBatch, ProductBatch, RefundBatch},
    },
    server::{AppError, AppState, identity::sessions::CurrentAdmin, services::ingest::Sender, web::middleware::MAX_INGEST_BODY},
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/orders", post(orders))
        .route("/refunds", post(refunds))
        .route("/products", post(products))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(MAX_INGEST_BODY))
}

/// The admin whose request this is, with its `Idempotency-Key`.
pub(super) struct CurrentSender(Sender);

impl FromRequestParts<AppState> for CurrentSender {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let admin = CurrentAdmin::from_request_parts(parts, state).await?;
        let mut keys = parts.headers.get_all("idempotency-key").iter();
        let key = keys.next().map(|key| key.to_str().unwrap_or_default());
        if keys.next().is_some() {
            return Err(FieldError::new("Idempotency-Key", "is given twice").into());
        }
        Ok(Self(Sender::new(&admin.user.email, key)?))
    }
}

#[utoipa::path(
    post,
    path = "/api/ingest/orders",
    operation_id = "ingest_orders",
    tag = "ingest",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Remembered for a day: the same request is answered with the same words")
    ),
    request_body = OrderBatch,
    responses((status = 200, description = "IngestResult, all of it", body = Ingested), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn orders(
    State(state): State<AppState>,
    CurrentSender(sender): CurrentSender,
    JsonBody(batch): JsonBody<OrderBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.orders(&sender, batch).await?))
}

#[utoipa::path(
    post,
    path = "/api/ingest/refunds",
    operation_id = "ingest_refunds",
    tag = "ingest",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Remembered for a day: the same request is answered with the same words")
    ),
    request_body = RefundBatch,
    responses((status = 200, description = "IngestResult, all of it", body = Ingested), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn refunds(
    State(state): State<AppState>,
    CurrentSender(sender): CurrentSender,
    JsonBody(batch): JsonBody<RefundBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.refunds(&sender, batch).await?))
}

#[utoipa::path(
    post,
    path = "/api/ingest/products",
    operation_id = "ingest_products",
    tag = "ingest",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Remembered for a day: the same request is answered with the same words")
    ),
    request_body = ProductBatch,
    responses((status = 200, description = "IngestResult, all of it", body = Ingested), (status = "default", description = "Refused or failed", body = ProblemBody, content_type = "application/problem+json")),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn products(
    State(state): State<AppState>,
    CurrentSender(sender): CurrentSender,
    JsonBody(batch): JsonBody<ProductBatch>,
) -> Result<Json<Ingested>, AppError> {
    Ok(Json(state.ingest.products(&sender, batch).await?))
}
