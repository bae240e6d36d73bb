use axum::{
    Json, Router,
    extract::State,
    http::request::Parts,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    input::{JsonBody, Parameters},
    openapi::Refused,
};
use crate::{
    domain::field_error::FieldError,
    server::{
        AppError, AppState,
        identity::sessions::{CurrentAdmin, WritingAdmin},
        request::{self, cache_actions},
    },
    server_functions::{
        admin::CacheStats,
        cache_health::{ActionCost, CacheCourse, CacheEntry, CourseRange, InvalidatedTags},
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/stats", get(stats))
        .route("/history", get(history))
        .route("/entry", get(entry))
        .route("/preview", get(preview))
        .route("/invalidate", post(invalidate))
        .route("/warm", post(warm))
        .route("/reset", post(reset))
}

#[utoipa::path(
    get,
    path = "/api/admin/cache/stats",
    operation_id = "admin_stats",
    tag = "admin",
    responses((status = 200, description = "Counters of the cache, and how it \
        fares", body = CacheStats), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn stats(State(state): State<AppState>, _: CurrentAdmin) -> Json<CacheStats> {
    Json(cache_actions::stats(&state).await)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tags {
    tags: Vec<String>,
}

#[utoipa::path(
    post,
    path = "/api/admin/cache/invalidate",
    operation_id = "admin_invalidate",
    tag = "admin",
    request_body = Tags,
    responses((status = 200, description = "Invalidated, and how many entries that \
        concerns", body = InvalidatedTags), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn invalidate(
    State(state): State<AppState>,
    admin: WritingAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<Tags>,
) -> Result<Json<InvalidatedTags>, AppError> {
    let names: Vec<&str> = body.tags.iter().map(String::as_str).collect();
    let address = request::client_address(&parts);
    cache_actions::invalidate_tags(&state, &admin, &names, address.as_deref()).await.map(Json)
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
    responses((status = 200, description = "How many snapshots were not in the cache \
        before", body = Warmed), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn warm(
    State(state): State<AppState>,
    admin: WritingAdmin,
    parts: Parts,
    JsonBody(body): JsonBody<ToWarm>,
) -> Result<Json<Warmed>, AppError> {
    let address = request::client_address(&parts);
    let warmed = cache_actions::warm(&state, &admin, body.vendor_ids.as_deref(), address.as_deref()).await?;
    Ok(Json(Warmed { warmed }))
}

#[utoipa::path(
    get,
    path = "/api/admin/cache/history",
    operation_id = "admin_cache_history",
    tag = "admin",
    params(("range" = Option<CourseRange>, Query, description = "How far back: `1h` by minutes (where it is left \
        out), `24h` by ten minutes, `7d` by hours")),
    responses((status = 200, description = "Counts over time, and what happened \
        meanwhile", body = CacheCourse), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn history(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<CacheCourse>, AppError> {
    let parameters = parameters.only(&["range"])?;
    let range = match parameters.get("range") {
        None => CourseRange::default(),
        Some(text) => CourseRange::parse(text)
            .ok_or_else(|| FieldError::new("range", format!("`{text}` is not accepted: 1h, 24h or 7d")))?,
    };
    Ok(Json(state.health.course(range).await))
}

/// Never its payload.
#[utoipa::path(
    get,
    path = "/api/admin/cache/entry",
    operation_id = "admin_cache_entry",
    tag = "admin",
    params(("key" = String, Query, description = "As the log names it, such as `vendors:{42}:profile`")),
    responses((status = 200, description = "What lies under the key, and whether it is \
        served", body = CacheEntry), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn entry(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<CacheEntry>, AppError> {
    let parameters = parameters.only(&["key"])?;
    let key = parameters.get("key").ok_or_else(|| FieldError::new("key", "is missing: the key of an entry"))?;
    cache_actions::look_at(&state, key).await.map(Json)
}

/// Does nothing.
#[utoipa::path(
    get,
    path = "/api/admin/cache/preview",
    operation_id = "admin_cache_preview",
    tag = "admin",
    params(
        ("action" = String, Query, description = "`invalidate` or `warm`"),
        ("tags" = Option<String>, Query, description = "For `invalidate`: tags, with commas between"),
        ("vendorIds" = Option<String>, Query, description = "For `warm`: vendors, with commas between; left out: what \
            this instance is asked for most")
    ),
    responses((status = 200, description = "What the action would \
        cost", body = ActionCost), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn preview(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<ActionCost>, AppError> {
    let parameters = parameters.only(&["action", "tags", "vendorIds"])?;
    let list = |name: &str| {
        let named = parameters.get(name).map(|text| text.split(',').filter(|one| !one.is_empty()));
        named.map(|names| names.map(str::to_owned).collect::<Vec<_>>())
    };
    match parameters.get("action") {
        Some("invalidate") => {
            let tags = list("tags").unwrap_or_default();
            let names: Vec<&str> = tags.iter().map(String::as_str).collect();
            cache_actions::cost_of_invalidating(&state, &names).await.map(Json)
        }
        Some("warm") => cache_actions::cost_of_warming(&state, list("vendorIds").as_deref()).await.map(Json),
        _ => Err(FieldError::new("action", "must be invalidate or warm").into()),
    }
}

/// An empty object: nothing can be chosen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ToReset {}

#[derive(Serialize, ToSchema)]
pub(super) struct Reset {
    reset: bool,
}

/// What was counted by minute and hour stays.
#[utoipa::path(
    post,
    path = "/api/admin/cache/reset",
    operation_id = "admin_cache_reset",
    tag = "admin",
    request_body = ToReset,
    responses((status = 200, description = "The counters begin \
        anew", body = Reset), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn reset(
    State(state): State<AppState>,
    admin: WritingAdmin,
    parts: Parts,
    JsonBody(ToReset {}): JsonBody<ToReset>,
) -> Result<Json<Reset>, AppError> {
    cache_actions::reset(&state, &admin, request::client_address(&parts).as_deref()).await?;
    Ok(Json(Reset { reset: true }))
}
