use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{delete, get, patch, post},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    input::{JsonBody, Parameters, PathId},
    openapi::Refused,
};
use crate::{
    domain::accounts::{Person, Role},
    server::{
        AppError, AppState,
        identity::{
            accounts::{PersonChange, PersonPage},
            sessions::CurrentAdmin,
        },
        request::people::{self, Link},
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(list).post(invite))
        .route("/{id}", patch(change))
        .route("/{id}/link", post(link))
        .route("/{id}/sessions", delete(end_sessions))
        .route("/{id}/second-factor", delete(reset_second_factor))
        .route("/{id}/marketplace-login", delete(unbind))
}

#[derive(Serialize, ToSchema)]
pub(super) struct People {
    users: Vec<Person>,
    /// `after` of the next page; `null` on the last.
    next: Option<String>,
}

#[utoipa::path(
    get,
    path = "/api/admin/users",
    operation_id = "admin_list_users",
    tag = "admin",
    params(("after" = Option<String>, Query, description = "`next` of the page before")),
    responses((status = 200, description = "A page of 100, by \
        address", body = People), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<People>, AppError> {
    let parameters = parameters.only(&["after"])?;
    let PersonPage { people: users, next } = state.accounts.list_people(parameters.get("after")).await?;
    Ok(Json(People { users, next }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewPerson {
    email: String,
    role: Role,
    /// The marketplace's id of the vendor; of admins left out.
    vendor_id: Option<String>,
    /// The admin's own.
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct LinkFor {
    user: Person,
    /// To be passed on; `null` where it was sent by mail.
    link: Option<String>,
}

impl From<Link> for LinkFor {
    fn from(Link { person, link }: Link) -> Self {
        Self { user: person, link }
    }
}

#[utoipa::path(
    post,
    path = "/api/admin/users",
    operation_id = "admin_invite_user",
    tag = "admin",
    request_body = NewPerson,
    responses((status = 201, description = "Invited: a password is chosen with the link, within three \
        days", body = LinkFor), Refused),
    security(("session" = []))
)]
pub(super) async fn invite(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parts: Parts,
    JsonBody(new): JsonBody<NewPerson>,
) -> Result<(StatusCode, Json<LinkFor>), AppError> {
    let NewPerson { email, role, vendor_id, password } = new;
    let link = people::invite(&state, &parts, &password, &email, role, vendor_id.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Change {
    /// What is left out stays.
    role: Option<Role>,
    vendor_id: Option<String>,
    disabled: Option<bool>,
    /// The admin's own.
    password: String,
}

#[utoipa::path(
    patch,
    path = "/api/admin/users/{id}",
    operation_id = "admin_change_user",
    tag = "admin",
    params(("id" = String, Path, description = "The user, as the list names it")),
    request_body = Change,
    responses((status = 200, description = "Changed; every session of the user has \
        ended", body = Person), Refused),
    security(("session" = []))
)]
pub(super) async fn change(
    State(state): State<AppState>,
    _: CurrentAdmin,
    PathId(id): PathId,
    parts: Parts,
    JsonBody(wanted): JsonBody<Change>,
) -> Result<Json<Person>, AppError> {
    let Change { role, vendor_id, disabled, password } = wanted;
    let change = PersonChange { role, vendor_id, disabled };
    Ok(Json(people::change(&state, &parts, &password, &id, change).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdminPassword {
    /// The admin's own.
    password: String,
}

#[utoipa::path(
    post,
    path = "/api/admin/users/{id}/link",
    operation_id = "admin_make_link",
    tag = "admin",
    params(("id" = String, Path, description = "The user, as the list names it")),
    request_body = AdminPassword,
    responses((status = 201, description = "A link with which the user chooses a password, \
        once", body = LinkFor), Refused),
    security(("session" = []))
)]
pub(super) async fn link(
    State(state): State<AppState>,
    _: CurrentAdmin,
    PathId(id): PathId,
    parts: Parts,
    JsonBody(AdminPassword { password }): JsonBody<AdminPassword>,
) -> Result<(StatusCode, Json<LinkFor>), AppError> {
    Ok((StatusCode::CREATED, Json(people::link(&state, &parts, &password, &id).await?.into())))
}

#[utoipa::path(
    delete,
    path = "/api/admin/users/{id}/sessions",
    operation_id = "admin_end_sessions",
    tag = "admin",
    params(("id" = String, Path, description = "The user, as the list names it")),
    responses((status = 204, description = "Every session has ended, every key is \
        revoked"), Refused),
    security(("session" = []))
)]
pub(super) async fn end_sessions(
    State(state): State<AppState>,
    _: CurrentAdmin,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    people::end_sessions(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/admin/users/{id}/second-factor",
    operation_id = "admin_reset_second_factor",
    tag = "admin",
    params(("id" = String, Path, description = "The user, as the list names it")),
    request_body = AdminPassword,
    responses((status = 204, description = "The password alone logs in; every session has \
        ended"), Refused),
    security(("session" = []))
)]
pub(super) async fn reset_second_factor(
    State(state): State<AppState>,
    _: CurrentAdmin,
    PathId(id): PathId,
    parts: Parts,
    JsonBody(AdminPassword { password }): JsonBody<AdminPassword>,
) -> Result<StatusCode, AppError> {
    people::reset_second_factor(&state, &parts, &password, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/admin/users/{id}/marketplace-login",
    operation_id = "admin_unbind",
    tag = "admin",
    params(("id" = String, Path, description = "The user, as the list names it")),
    request_body = AdminPassword,
    responses((status = 204, description = "The next login through the marketplace with the user's address, verified, \
        is bound; every session has \
        ended"), Refused),
    security(("session" = []))
)]
pub(super) async fn unbind(
    State(state): State<AppState>,
    _: CurrentAdmin,
    PathId(id): PathId,
    parts: Parts,
    JsonBody(AdminPassword { password }): JsonBody<AdminPassword>,
) -> Result<StatusCode, AppError> {
    people::unbind(&state, &parts, &password, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
