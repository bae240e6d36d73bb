use std::time::Instant;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};

use super::{
    analytics::{self, freshness},
    input::{JsonBody, Parameters, PathId, RequestKey},
    openapi::Refused,
};
use crate::{
    domain::{
        accounts::{encode_segment, id_of_segment, path_segment},
        clock::parse_instant,
        order_commands::{NewOrder, OrderChange},
        orders::{Order, OrderPage, OrderSort, OrderStatus},
        refund_commands::NewRefund,
    },
    server::{
        AppError, AppState,
        identity::sessions::{CurrentVendor, WritingVendor},
        services::order_lists::{OrderParameters, parse_query},
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/{id}", get(find).patch(change))
        .route("/{id}/refunds", post(refund))
        .route("/{id}/refunds/{refundedAt}", delete(undo_refund))
}

#[utoipa::path(
    get,
    path = "/api/vendor/orders",
    operation_id = "orders_list",
    tag = "orders",
    params(
        ("status" = Option<OrderStatus>, Query, description = "Any if left out"),
        ("dateFrom" = Option<jiff::civil::Date>, Query, description = "Placed on this day or later, by the vendor's \
            calendar"),
        ("dateTo" = Option<jiff::civil::Date>, Query, description = "Placed on this day or earlier"),
        ("search" = Option<String>, Query, description = "An order's id, or a part of its customer's name in any \
            case, with or without accents"),
        ("refunded" = Option<bool>, Query, description = "Those that something was given back of, or those that \
            nothing was"),
        ("counted" = Option<bool>, Query, description = "Those that count as sales, of which the figures are made, or \
            those that do not: pending, cancelled and failed ones"),
        ("product" = Option<String>, Query, description = "With a line of this product, by the marketplace's id"),
        ("category" = Option<String>, Query, description = "With a line of a product that is in this category now"),
        ("sort" = Option<OrderSort>, Query, description = "`placed_desc`, newest first, if left out; equals by their \
            ids. By anything but the date where at most 5,000 match, and 422 otherwise"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses((status = 200, description = "A page of 50", body = OrderPage), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    current: CurrentVendor,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&[&FILTERS[..], &["after"]].concat())?;
    let query = parse_query(&asked(&parameters))?;
    let served = state.orders.list(&current.vendor, &query).await?;
    let mut response = Json(&served.value).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// The parameters of a list and of the same as a file.
const FILTERS: [&str; 9] =
    ["status", "dateFrom", "dateTo", "search", "refunded", "counted", "product", "category", "sort"];

/// What a list, or the same as a file, is asked for.
fn asked(parameters: &Parameters) -> OrderParameters<'_> {
    OrderParameters {
        status: parameters.get("status"),
        date_from: parameters.get("dateFrom"),
        date_to: parameters.get("dateTo"),
        search: parameters.get("search"),
        refunded: parameters.get("refunded"),
        counted: parameters.get("counted"),
        product: parameters.get("product"),
        category: parameters.get("category"),
        sort: parameters.get("sort"),
        after: parameters.get("after"),
    }
}

#[utoipa::path(
    get,
    path = "/api/vendor/orders.csv",
    operation_id = "orders_file",
    tag = "orders",
    params(
        ("status" = Option<OrderStatus>, Query, description = "Any if left out"),
        ("dateFrom" = Option<jiff::civil::Date>, Query, description = "Placed on this day or later, by the vendor's \
            calendar"),
        ("dateTo" = Option<jiff::civil::Date>, Query, description = "Placed on this day or earlier"),
        ("search" = Option<String>, Query, description = "An order's id, or a part of its customer's name in any \
            case, with or without accents"),
        ("refunded" = Option<bool>, Query, description = "Those that something was given back of, or those that \
            nothing was"),
        ("counted" = Option<bool>, Query, description = "Those that count as sales, of which the figures are made, or \
            those that do not: pending, cancelled and failed ones"),
        ("product" = Option<String>, Query, description = "With a line of this product, by the marketplace's id"),
        ("category" = Option<String>, Query, description = "With a line of a product that is in this category now"),
        ("sort" = Option<OrderSort>, Query, description = "`placed_desc`, newest first, if left out; equals by their \
            ids. By anything but the date where at most 5,000 match, and 422 otherwise")
    ),
    responses((status = 200, description = "All that match, as CSV", body = String, content_type = "text/csv"),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn file(
    State(state): State<AppState>,
    current: CurrentVendor,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let parameters = parameters.only(&FILTERS)?;
    let query = parse_query(&asked(&parameters))?;
    let pieces = state.orders.file(&current.vendor, &query).await?;
    let id = encode_segment(&current.vendor.external_id);
    analytics::file(format!("attachment; filename=\"vendorscope-{id}-orders.csv\""), pieces)
}

#[utoipa::path(
    post,
    path = "/api/vendor/orders",
    operation_id = "orders_create",
    tag = "orders",
    request_body = NewOrder,
    responses((status = 201, description = "Created", body = Order),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn create(
    State(state): State<AppState>,
    current: WritingVendor,
    key: RequestKey,
    JsonBody(new): JsonBody<NewOrder>,
) -> Result<Response, AppError> {
    let order = state.orders.create(&current, new, &key.of(&current.user)?).await?;
    let location = format!("/api/vendor/orders/{}", path_segment(&order.order_id));
    // Percent-encoded: always a header value.
    let location = HeaderValue::try_from(location).map_err(|e| AppError::Internal(e.to_string()))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(order)).into_response())
}

#[utoipa::path(
    get,
    path = "/api/vendor/orders/{id}",
    operation_id = "orders_find",
    tag = "orders",
    params(
        ("id" = String, Path, description = "The marketplace's id of the order")
    ),
    responses((status = 200, description = "This vendor's part of the \
        order", body = Order), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn find(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.find(&current.vendor, &id).await?))
}

#[utoipa::path(
    patch,
    path = "/api/vendor/orders/{id}",
    operation_id = "orders_change",
    tag = "orders",
    params(
        ("id" = String, Path, description = "The marketplace's id of the order")
    ),
    request_body = OrderChange,
    responses((status = 200, description = "As it is now", body = Order),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn change(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
    JsonBody(change): JsonBody<OrderChange>,
) -> Result<Json<Order>, AppError> {
    Ok(Json(state.orders.change(&current, &id, change, None, &key.of(&current.user)?).await?))
}

/// 201 with the order as it is after the refund.
#[utoipa::path(
    post,
    path = "/api/vendor/orders/{id}/refunds",
    operation_id = "orders_refund",
    tag = "orders",
    params(
        ("id" = String, Path, description = "The marketplace's id of the order")
    ),
    request_body = NewRefund,
    responses((status = 201, description = "The order as it is after the \
        refund", body = Order), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn refund(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
    JsonBody(refund): JsonBody<NewRefund>,
) -> Result<Response, AppError> {
    let order = state.orders.refund(&current, &id, refund, &key.of(&current.user)?).await?;
    Ok((StatusCode::CREATED, Json(order)).into_response())
}

/// For a minute after it was made, and of this vendor's own refunds alone.
#[utoipa::path(
    delete,
    path = "/api/vendor/orders/{id}/refunds/{refundedAt}",
    operation_id = "orders_undo_refund",
    tag = "orders",
    params(
        ("id" = String, Path, description = "The marketplace's id of the order"),
        ("refundedAt" = jiff::Timestamp, Path, description = "`refundedAt` of the refund, as the order lists it")
    ),
    responses((status = 200, description = "The order as it was before the \
        refund", body = Order), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn undo_refund(
    State(state): State<AppState>,
    current: WritingVendor,
    Path((id, refunded_at)): Path<(String, String)>,
    key: RequestKey,
) -> Result<Json<Order>, AppError> {
    if id.contains('\0') {
        return Err(AppError::NotFound);
    }
    let at = parse_instant("refundedAt", &refunded_at)?;
    Ok(Json(state.orders.undo_refund(&current, id_of_segment(&id), at, &key.of(&current.user)?).await?))
}
