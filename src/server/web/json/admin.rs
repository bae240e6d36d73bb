use std::time::Instant;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    analytics::{freshness, whole},
    cache,
    input::{Parameters, PathId},
    openapi::Refused,
};
use crate::{
    domain::{
        accounts::{AuditPage, KeyOfUser},
        field_error::FieldError,
        market::{MarketMetrics, VendorPage, VendorSort},
        market_comparison::MarketComparison,
        period::{Comparison, DateRange},
    },
    server::{
        AppError, AppState,
        identity::{
            accounts::{Actor, AuditParameters},
            sessions::{BrowserUser, CurrentAdmin, WritingAdmin},
        },
        request,
        services::{marketplace::today, standings::StandingParameters},
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .nest("/cache", cache::router())
        .route("/metrics", get(metrics))
        .route("/metrics/compared", get(compared))
        .route("/vendors", get(vendors))
        .route("/audit", get(audit))
        .route("/audit.csv", get(audit_csv))
        .route("/keys", get(keys))
        .route("/keys/{id}", delete(revoke_key))
}

#[utoipa::path(
    get,
    path = "/api/admin/audit",
    operation_id = "admin_audit",
    tag = "admin",
    params(
        ("actor" = Option<String>, Query, description = "A user's address, `cli` or `unknown`"),
        ("action" = Option<String>, Query, description = "Such as `login`"),
        ("dateFrom" = Option<jiff::civil::Date>, Query, description = "First day, included, in UTC"),
        ("dateTo" = Option<jiff::civil::Date>, Query, description = "Last day, included"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses((status = 200, description = "A page of 100, the newest \
        first", body = AuditPage), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn audit(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<AuditPage>, AppError> {
    let parameters = parameters.only(&["actor", "action", "dateFrom", "dateTo", "after"])?;
    Ok(Json(state.accounts.list_audit(&audit_parameters(&parameters)).await?))
}

#[utoipa::path(
    get,
    path = "/api/admin/audit.csv",
    operation_id = "admin_audit_csv",
    tag = "admin",
    params(
        ("actor" = Option<String>, Query, description = "A user's address, `cli` or `unknown`"),
        ("action" = Option<String>, Query, description = "Such as `login`"),
        ("dateFrom" = Option<jiff::civil::Date>, Query, description = "First day, included, in UTC"),
        ("dateTo" = Option<jiff::civil::Date>, Query, description = "Last day, included")
    ),
    responses((status = 200, description = "All that is asked for, the newest \
        first", content_type = "text/csv", body = String), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn audit_csv(
    State(state): State<AppState>,
    admin: CurrentAdmin,
    parts: Parts,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let parameters = parameters.only(&["actor", "action", "dateFrom", "dateTo"])?;
    let (query, _) = audit_parameters(&parameters).read()?;
    let address = request::client_address(&parts);
    state.accounts.audit(&admin.user.email, "audit_export", "", address.as_deref()).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"vendorscope-audit.csv\"")),
    ];
    Ok((headers, Body::from_stream(state.accounts.export_audit(query))).into_response())
}

fn audit_parameters(parameters: &Parameters) -> AuditParameters<'_> {
    AuditParameters {
        actor: parameters.get("actor"),
        action: parameters.get("action"),
        date_from: parameters.get("dateFrom"),
        date_to: parameters.get("dateTo"),
        after: parameters.get("after"),
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct AllKeys {
    keys: Vec<KeyOfUser>,
}

#[utoipa::path(
    get,
    path = "/api/admin/keys",
    operation_id = "admin_list_keys",
    tag = "admin",
    responses((status = 200, description = "Everybody's keys that are not revoked, by \
        address", body = AllKeys), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn keys(State(state): State<AppState>, _: CurrentAdmin) -> Result<Json<AllKeys>, AppError> {
    Ok(Json(AllKeys { keys: state.accounts.list_all_keys().await? }))
}

#[utoipa::path(
    delete,
    path = "/api/admin/keys/{id}",
    operation_id = "admin_revoke_key",
    tag = "admin",
    params(("id" = String, Path, description = "The key, as the list names it")),
    responses((status = 204, description = "Revoked, at once"),
        Refused),
    security(("session" = []))
)]
pub(super) async fn revoke_key(
    State(state): State<AppState>,
    admin: WritingAdmin,
    _: BrowserUser,
    PathId(id): PathId,
    parts: Parts,
) -> Result<StatusCode, AppError> {
    let address = request::client_address(&parts);
    let actor = Actor { name: &admin.user.email, address: address.as_deref() };
    state.accounts.revoke_any_key(&id, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The bytes that the cache holds.
#[utoipa::path(
    get,
    path = "/api/admin/metrics",
    operation_id = "admin_metrics",
    tag = "admin",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by each vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first")
    ),
    responses((status = 200, description = "Figures by currency", body = MarketMetrics),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn metrics(
    State(state): State<AppState>,
    _: CurrentAdmin,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo"])?;
    let range = DateRange::read(parameters.get("dateFrom"), parameters.get("dateTo"), None)?;
    let served = state.marketplace.metrics_json(range).await?;
    let mut response = whole(&served, &headers);
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// The same against the days just before, or the months before whole months.
#[utoipa::path(
    get,
    path = "/api/admin/metrics/compared",
    operation_id = "admin_metrics_compared",
    tag = "admin",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by each vendor's calendar; at the \
            latest today, in UTC"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; what is to come is left out")
    ),
    responses((status = 200, description = "Figures by currency, and vendors that stand out", body = MarketComparison),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn compared(
    State(state): State<AppState>,
    _: CurrentAdmin,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo"])?;
    let range = DateRange::read(parameters.get("dateFrom"), parameters.get("dateTo"), None)?;
    let today = today();
    let range = range
        .begun(today)
        .ok_or_else(|| FieldError::new("dateFrom", format!("`{}` has not begun: {today} or earlier", range.from)))?;
    let previous = range.compared(Comparison::PreviousPeriod).ok_or_else(|| {
        FieldError::new("dateFrom", format!("`{}` is too early: as many days as the range has come before", range.from))
    })?;
    let served = state.marketplace.comparison_json(range, previous, jiff::Timestamp::now()).await?;
    let mut response = whole(&served, &headers);
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

#[utoipa::path(
    get,
    path = "/api/admin/vendors",
    operation_id = "admin_list_vendors",
    tag = "admin",
    params(
        ("search" = Option<String>, Query, description = "A part of the name or the id"),
        ("sort" = Option<VendorSort>, Query, description = "`net_sales_desc` if left out"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses((status = 200, description = "A page of 50, each beside the 28 days before", body = VendorPage),
        Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn vendors(
    State(state): State<AppState>,
    _: CurrentAdmin,
    parameters: Parameters,
) -> Result<Json<VendorPage>, AppError> {
    let parameters = parameters.only(&["search", "sort", "after"])?;
    let asked = StandingParameters {
        search: parameters.get("search"),
        sort: parameters.get("sort"),
        after: parameters.get("after"),
    };
    let standings = state.marketplace.standings(today(), &asked).await?;
    Ok(Json(VendorPage {
        date_from: standings.range.from,
        date_to: standings.range.to,
        vendors: standings.vendors.into_iter().map(Into::into).collect(),
        next: standings.next,
    }))
}
