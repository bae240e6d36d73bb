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
    analytics::{self, freshness},
    input::{JsonBody, Parameters, PathId, RequestKey},
    openapi::Refused,
};
use crate::{
    domain::{
        accounts::{encode_segment, path_segment},
        catalog::{BulkChange, Product, ProductInput, ProductStatus},
        field_error::FieldError,
        product_lists::{ProductPage, ProductSort, StockLevel},
    },
    server::{
        AppError, AppState,
        identity::sessions::{CurrentVendor, WritingVendor},
        services::product_lists::{ProductParameters, parse_query},
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/bulk", patch(change_many))
        .route("/{id}", get(find).put(update).delete(delete))
}

#[utoipa::path(
    get,
    path = "/api/vendor/products",
    operation_id = "products_list",
    tag = "products",
    params(
        ("search" = Option<String>, Query, description = "A part of the name, in any case, with or without accents"),
        ("status" = Option<ProductStatus>, Query, description = "Any if left out"),
        ("category" = Option<String>, Query, description = "Any if left out"),
        ("stock" = Option<StockLevel>, Query, description = "`low`: at or below its threshold, or sold out within a \
            week"),
        ("sort" = Option<ProductSort>, Query, description = "`name_asc` if left out, and with `stock=low` \
            `cover_asc`, what runs out first; equals by their ids. `at_risk_…` with `stock=low` alone. \
            `price_changed_…` where at most 5,000 match, and 422 otherwise"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses((status = 200, description = "A page of 50", body = ProductPage),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    current: CurrentVendor,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["search", "status", "category", "stock", "sort", "after"])?;
    let query = parse_query(&asked(&parameters))?;
    let served = state.catalog.list(&current.vendor, &query).await?;
    let mut response = Json(&served.value).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// What a list, or the same as a file, is asked for.
fn asked(parameters: &Parameters) -> ProductParameters<'_> {
    ProductParameters {
        search: parameters.get("search"),
        status: parameters.get("status"),
        category: parameters.get("category"),
        stock: parameters.get("stock"),
        sort: parameters.get("sort"),
        after: parameters.get("after"),
    }
}

#[utoipa::path(
    get,
    path = "/api/vendor/products.csv",
    operation_id = "products_file",
    tag = "products",
    params(
        ("search" = Option<String>, Query, description = "A part of the name, in any case, with or without accents"),
        ("status" = Option<ProductStatus>, Query, description = "Any if left out"),
        ("category" = Option<String>, Query, description = "Any if left out"),
        ("stock" = Option<StockLevel>, Query, description = "`low`: at or below its threshold, or sold out within a \
            week; the file then says of each what sales are at risk"),
        ("sort" = Option<ProductSort>, Query, description = "`name_asc` if left out, and with `stock=low` \
            `cover_asc`, what runs out first; equals by their ids. `at_risk_…` with `stock=low` alone. \
            `price_changed_…` where at most 5,000 match, and 422 otherwise")
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
    let parameters = parameters.only(&["search", "status", "category", "stock", "sort"])?;
    let query = parse_query(&asked(&parameters))?;
    let pieces = state.catalog.file(&current.vendor, &query).await?;
    let id = encode_segment(&current.vendor.external_id);
    analytics::file(format!("attachment; filename=\"vendorscope-{id}-products.csv\""), pieces)
}

#[utoipa::path(
    post,
    path = "/api/vendor/products",
    operation_id = "products_create",
    tag = "products",
    request_body = ProductInput,
    responses((status = 201, description = "Created", body = Product),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn create(
    State(state): State<AppState>,
    current: WritingVendor,
    key: RequestKey,
    JsonBody(input): JsonBody<ProductInput>,
) -> Result<Response, AppError> {
    let product = state.catalog.create(&current, &input, &key.of(&current.user)?).await?;
    let location = format!("/api/vendor/products/{}", path_segment(&product.product_id));
    // Percent-encoded: always a header value.
    let location = HeaderValue::try_from(location).map_err(|e| AppError::Internal(e.to_string()))?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(product)).into_response())
}

#[utoipa::path(
    get,
    path = "/api/vendor/products/{id}",
    operation_id = "products_find",
    tag = "products",
    params(
        ("id" = String, Path, description = "The marketplace's id of the product")
    ),
    responses((status = 200, description = "The product", body = Product),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn find(
    State(state): State<AppState>,
    current: CurrentVendor,
    PathId(id): PathId,
) -> Result<Json<Product>, AppError> {
    Ok(Json(state.catalog.find(&current.vendor, &id).await?))
}

#[utoipa::path(
    put,
    path = "/api/vendor/products/{id}",
    operation_id = "products_update",
    tag = "products",
    params(
        ("id" = String, Path, description = "The marketplace's id of the product")
    ),
    request_body = ProductInput,
    responses((status = 200, description = "As it is now", body = Product),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn update(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
    JsonBody(input): JsonBody<ProductInput>,
) -> Result<Json<Product>, AppError> {
    if input.product_id.as_ref().is_some_and(|given| *given != id) {
        return Err(FieldError::new("productId", format!("cannot change: leave it out, or send `{id}`")).into());
    }
    Ok(Json(state.catalog.update(&current, &id, &input, &key.of(&current.user)?).await?))
}

#[utoipa::path(
    delete,
    path = "/api/vendor/products/{id}",
    operation_id = "products_delete",
    tag = "products",
    params(
        ("id" = String, Path, description = "The marketplace's id of the product")
    ),
    responses((status = 204, description = "Gone from every list; its sales \
        remain"), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
) -> Result<StatusCode, AppError> {
    state.catalog.delete(&current, &id, &key.of(&current.user)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Changed {
    changed: u64,
}

#[utoipa::path(
    patch,
    path = "/api/vendor/products/bulk",
    operation_id = "products_change_many",
    tag = "products",
    request_body = BulkChange,
    responses((status = 200, description = "All of them were \
        changed", body = Changed), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn change_many(
    State(state): State<AppState>,
    current: WritingVendor,
    key: RequestKey,
    JsonBody(change): JsonBody<BulkChange>,
) -> Result<Json<Changed>, AppError> {
    let changed = state.catalog.change_many(&current, &change, None, &key.of(&current.user)?).await?;
    Ok(Json(Changed { changed }))
}
