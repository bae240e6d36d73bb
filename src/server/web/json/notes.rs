use std::time::Instant;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, put},
};

use super::{
    analytics::{freshness, query, vendor_asked_for, whole},
    input::{JsonBody, Parameters, PathId, RequestKey},
    openapi::Refused,
};
use crate::{
    domain::{
        movers::Notes,
        own_notes::{OwnNote, OwnNoteInput},
    },
    server::{
        AppError, AppState,
        identity::sessions::{CurrentUser, WritingVendor},
    },
};

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(list).post(create)).route("/{id}", put(update).delete(delete))
}

/// What happened on these days, and what the vendor has noted down of them.
#[utoipa::path(
    get,
    path = "/api/vendor/notes",
    operation_id = "notes_list",
    tag = "notes",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by the vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first"),
        ("vendorId" = Option<String>, Query, description = "Admins only, and required of them")
    ),
    responses((status = 200, description = "Of both kinds the latest 50", body = Notes), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo", "vendorId"])?;
    let vendor = vendor_asked_for(&state, user, &parameters).await?;
    let served = state.analytics.notes_json(&vendor, query(&parameters)?.range).await?;
    let mut response = whole(&served, &headers);
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// 409 where the vendor has 1,000 already.
#[utoipa::path(
    post,
    path = "/api/vendor/notes",
    operation_id = "notes_create",
    tag = "notes",
    request_body = OwnNoteInput,
    responses((status = 201, description = "Noted down", body = OwnNote), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn create(
    State(state): State<AppState>,
    current: WritingVendor,
    key: RequestKey,
    JsonBody(input): JsonBody<OwnNoteInput>,
) -> Result<Response, AppError> {
    let note = state.analytics.save_note(&current, None, input, &key.of(&current.user)?).await?;
    Ok((StatusCode::CREATED, Json(note)).into_response())
}

#[utoipa::path(
    put,
    path = "/api/vendor/notes/{id}",
    operation_id = "notes_update",
    tag = "notes",
    params(
        ("id" = String, Path, description = "`noteId` of the note")
    ),
    request_body = OwnNoteInput,
    responses((status = 200, description = "As it is now", body = OwnNote), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn update(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
    JsonBody(input): JsonBody<OwnNoteInput>,
) -> Result<Json<OwnNote>, AppError> {
    Ok(Json(state.analytics.save_note(&current, Some(&id), input, &key.of(&current.user)?).await?))
}

#[utoipa::path(
    delete,
    path = "/api/vendor/notes/{id}",
    operation_id = "notes_delete",
    tag = "notes",
    params(
        ("id" = String, Path, description = "`noteId` of the note")
    ),
    responses((status = 204, description = "Gone"), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn delete(
    State(state): State<AppState>,
    current: WritingVendor,
    PathId(id): PathId,
    key: RequestKey,
) -> Result<StatusCode, AppError> {
    state.analytics.delete_note(&current, &id, &key.of(&current.user)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
