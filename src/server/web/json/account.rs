use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, request::Parts},
    routing::{delete, get, put},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    input::{JsonBody, PathId},
    openapi::Refused,
};
use crate::{
    domain::accounts::{ApiKey, KeyScope, LetterWishes, OwnSession, SecondFactorStatus},
    server::{
        AppError, AppState,
        identity::accounts::{KeyOrder, NewKey, TotpSetup},
        identity::sessions::{BrowserUser, request_session},
        request::account,
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/password", put(change_password))
        .route(
            "/second-factor",
            get(second_factor).post(begin_second_factor).put(confirm_second_factor).delete(remove_second_factor),
        )
        .route("/letters", get(letters).put(set_letters))
        .route("/time-zone", put(change_time_zone))
        .route("/sessions", get(list_sessions).delete(log_out_everywhere))
        .route("/sessions/{id}", delete(end_session))
        .route("/keys", get(list_keys).post(create_key))
        .route("/keys/{id}", delete(revoke_key))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordChange {
    current: String,
    password: String,
}

#[utoipa::path(
    put,
    path = "/api/account/password",
    operation_id = "account_change_password",
    tag = "account",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed; every other session of the user has \
        ended"), Refused),
    security(("session" = []))
)]
pub(super) async fn change_password(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<StatusCode, AppError> {
    account::change_password(&state, &parts, change.current, change.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/api/account/second-factor",
    operation_id = "account_second_factor",
    tag = "account",
    responses((status = 200, description = "How it stands with the second \
        factor", body = SecondFactorStatus), Refused),
    security(("session" = []))
)]
pub(super) async fn second_factor(
    State(state): State<AppState>,
    BrowserUser(user): BrowserUser,
) -> Result<Json<SecondFactorStatus>, AppError> {
    Ok(Json(state.accounts.second_factor(&user).await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OwnPassword {
    password: String,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Setup {
    /// Base32, to be typed into an app.
    secret: String,
    /// The same for an app on this device, or to be drawn.
    #[schema(example = "otpauth://totp/Vendorscope:name%40example.com?secret=…&issuer=Vendorscope")]
    url: String,
}

#[utoipa::path(
    post,
    path = "/api/account/second-factor",
    operation_id = "account_begin_second_factor",
    tag = "account",
    request_body = OwnPassword,
    responses((status = 201, description = "A secret to set an app up with, within 15 \
        minutes", body = Setup), Refused),
    security(("session" = []))
)]
pub(super) async fn begin_second_factor(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(OwnPassword { password }): JsonBody<OwnPassword>,
) -> Result<(StatusCode, Json<Setup>), AppError> {
    let TotpSetup { secret, url, .. } = account::begin_totp(&state, &parts, &password).await?;
    Ok((StatusCode::CREATED, Json(Setup { secret, url })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    code: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoveryCodes {
    /// Told this once; each works once.
    recovery_codes: Vec<String>,
}

#[utoipa::path(
    put,
    path = "/api/account/second-factor",
    operation_id = "account_confirm_second_factor",
    tag = "account",
    request_body = Code,
    responses((status = 200, description = "Logins ask for codes from now on; every other session of the user has \
        ended", body = RecoveryCodes), Refused),
    security(("session" = []))
)]
pub(super) async fn confirm_second_factor(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(Code { code }): JsonBody<Code>,
) -> Result<Json<RecoveryCodes>, AppError> {
    Ok(Json(RecoveryCodes { recovery_codes: account::confirm_totp(&state, &parts, code).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PasswordAndCode {
    password: String,
    /// A one-time code or a recovery code.
    code: String,
}

#[utoipa::path(
    delete,
    path = "/api/account/second-factor",
    operation_id = "account_remove_second_factor",
    tag = "account",
    request_body = PasswordAndCode,
    responses((status = 204, description = "Logins ask for the password \
        alone"), Refused),
    security(("session" = []))
)]
pub(super) async fn remove_second_factor(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(PasswordAndCode { password, code }): JsonBody<PasswordAndCode>,
) -> Result<StatusCode, AppError> {
    account::remove_totp(&state, &parts, &password, &code).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    get,
    path = "/api/account/letters",
    operation_id = "account_letters",
    tag = "account",
    responses((status = 200, description = "The letters that the user wishes to get; they are sent where there is a \
        server for \
        mail", body = LetterWishes), Refused),
    security(("session" = []))
)]
pub(super) async fn letters(
    State(state): State<AppState>,
    BrowserUser(user): BrowserUser,
) -> Result<Json<LetterWishes>, AppError> {
    Ok(Json(state.accounts.letter_wishes(&user).await?))
}

#[utoipa::path(
    put,
    path = "/api/account/letters",
    operation_id = "account_set_letters",
    tag = "account",
    request_body = LetterWishes,
    responses((status = 204, description = "These, and no \
        others"), Refused),
    security(("session" = []))
)]
pub(super) async fn set_letters(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(wishes): JsonBody<LetterWishes>,
) -> Result<StatusCode, AppError> {
    account::set_letter_wishes(&state, &parts, wishes).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TimeZoneChange {
    /// IANA name.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

#[utoipa::path(
    put,
    path = "/api/account/time-zone",
    operation_id = "account_change_time_zone",
    tag = "account",
    request_body = TimeZoneChange,
    responses((status = 204, description = "The vendor's days have this clock: its orders and refunds, past ones too, \
        have moved to the days they fall on \
        there. The zone that it has already changes nothing and is not counted"), Refused),
    security(("session" = []))
)]
pub(super) async fn change_time_zone(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(change): JsonBody<TimeZoneChange>,
) -> Result<StatusCode, AppError> {
    account::change_time_zone(&state, &parts, &change.time_zone).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
pub(super) struct OwnSessions {
    sessions: Vec<OwnSession>,
}

#[utoipa::path(
    get,
    path = "/api/account/sessions",
    operation_id = "account_list_sessions",
    tag = "account",
    responses((status = 200, description = "Where the user is logged \
        in", body = OwnSessions), Refused),
    security(("session" = []))
)]
pub(super) async fn list_sessions(BrowserUser(user): BrowserUser, parts: Parts) -> Result<Json<OwnSessions>, AppError> {
    Ok(Json(OwnSessions { sessions: request_session(&parts)?.list(&user).await? }))
}

#[utoipa::path(
    delete,
    path = "/api/account/sessions",
    operation_id = "account_log_out_everywhere",
    tag = "account",
    responses((status = 204, description = "Every session of the user has ended, on every \
        instance"), Refused),
    security(("session" = []))
)]
pub(super) async fn log_out_everywhere(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::log_out_everywhere(&state, &parts).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[utoipa::path(
    delete,
    path = "/api/account/sessions/{id}",
    operation_id = "account_end_session",
    tag = "account",
    params(("id" = String, Path, description = "The session, as the list names it")),
    responses((status = 204, description = "Ended"),
        Refused),
    security(("session" = []))
)]
pub(super) async fn end_session(
    State(state): State<AppState>,
    _: BrowserUser,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::end_session(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    keys: Vec<ApiKey>,
}

#[utoipa::path(
    get,
    path = "/api/account/keys",
    operation_id = "account_list_keys",
    tag = "account",
    responses((status = 200, description = "The user's API \
        keys", body = Keys), Refused),
    security(("session" = []))
)]
pub(super) async fn list_keys(
    State(state): State<AppState>,
    BrowserUser(user): BrowserUser,
) -> Result<Json<Keys>, AppError> {
    Ok(Json(Keys { keys: state.accounts.list_keys(&user).await? }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyRequest {
    name: String,
    /// The user's own.
    password: String,
    scope: KeyScope,
    /// Of a key that ingests: the one vendor that it may write for.
    vendor_id: Option<String>,
    /// 1 to 3650; 365 if it is left out.
    expires_in_days: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Created {
    key: ApiKey,
    /// Told this once.
    secret: String,
}

#[utoipa::path(
    post,
    path = "/api/account/keys",
    operation_id = "account_create_key",
    tag = "account",
    request_body = KeyRequest,
    responses((status = 201, description = "Made; the key itself is told here and never \
        again", body = Created), Refused),
    security(("session" = []))
)]
pub(super) async fn create_key(
    State(state): State<AppState>,
    _: BrowserUser,
    parts: Parts,
    JsonBody(wanted): JsonBody<KeyRequest>,
) -> Result<(StatusCode, Json<Created>), AppError> {
    let KeyRequest { name, password, scope, vendor_id, expires_in_days: days } = wanted;
    let order = KeyOrder { name, scope, vendor_id, days };
    let NewKey { key, secret } = account::create_key(&state, &parts, &password, &order).await?;
    Ok((StatusCode::CREATED, Json(Created { key, secret })))
}

#[utoipa::path(
    delete,
    path = "/api/account/keys/{id}",
    operation_id = "account_revoke_key",
    tag = "account",
    params(("id" = String, Path, description = "The key, as the list names it")),
    responses((status = 204, description = "Revoked, at once"),
        Refused),
    security(("session" = []))
)]
pub(super) async fn revoke_key(
    State(state): State<AppState>,
    _: BrowserUser,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    account::revoke_key(&state, &parts, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
