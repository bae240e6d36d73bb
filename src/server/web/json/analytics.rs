use std::time::{Duration, Instant};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use sha2::{Digest, Sha256};
use vendorscope_cache::{Outcome, Payload, Served};

use super::{input::Parameters, openapi::Refused};
use crate::{
    domain::{
        accounts::{Role, User, VendorRef, encode_segment},
        field_error::FieldError,
        movers::Movers,
        orders::OrderStatus,
        period::Comparison,
        returns::Returns,
        snapshot::Snapshot,
    },
    server::{
        AppError, AppState,
        identity::sessions::{CurrentUser, RequestSession},
        services::{
            analytics::SnapshotQuery,
            export::{ExportTable, Pieces},
            narrowed::parse_narrowed,
        },
        web::{
            encodings,
            repeats::{MadeOf, Repeatable},
        },
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/snapshot", get(snapshot))
        .route("/returns", get(returns))
        .route("/movers", get(movers))
        .route("/export.csv", get(export))
}

/// The bytes that the cache holds.
#[utoipa::path(
    get,
    path = "/api/vendor/analytics/snapshot",
    operation_id = "analytics_snapshot",
    tag = "analytics",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by the vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first"),
        ("compare" = Option<Comparison>, Query, description = "What to compare with; `previous_period` if left out"),
        ("interval" = Option<String>, Query, description = "`auto`, `hour` (up to 31 days), `day`, `week` or `month`"),
        ("product" = Option<String>, Query, description = "The figures of this product alone, by the marketplace's \
            id; `lowStock` is empty then, as it is for the two below"),
        ("category" = Option<String>, Query, description = "The figures of the products that are in this category now"),
        ("status" = Option<OrderStatus>, Query, description = "The figures of the orders that have this status now, \
            whether they count or not"),
        ("vendorId" = Option<String>, Query, description = "Admins only, and required of them")
    ),
    responses((status = 200, description = "The figures; asked for with a key, with an \
        `ETag`", body = Snapshot), (status = 304, description = "With a key: still what `If-None-Match` \
            names"), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn snapshot(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    Extension(session): Extension<RequestSession>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let known = ["dateFrom", "dateTo", "compare", "interval", "product", "category", "status", "vendorId"];
    let parameters = parameters.only(&known)?;
    let vendor = vendor_asked_for(&state, user.clone(), &parameters).await?;
    let get = |name| parameters.get(name);
    let (query, narrowed) = match (query(&parameters), parse_narrowed(get("product"), get("category"), get("status"))) {
        (Ok(query), Ok(narrowed)) => (query, narrowed),
        (query, narrowed) => {
            return Err(query.err().into_iter().chain(narrowed.err()).flatten().collect::<Vec<_>>().into());
        }
    };
    let served = state.analytics.narrowed_json(&vendor, &query, &narrowed).await?;
    let mut response = if session.is_by_key() { revalidated(&served, &headers) } else { whole(&served, &headers) };
    freshness(&mut response, &served, started.elapsed());
    // Of an admin, which vendor it is has to be looked up.
    if narrowed.is_whole()
        && user.vendor.as_ref() == Some(&vendor)
        && let Some(origin) = state.analytics.origin(&vendor, &query, &served)
    {
        Repeatable::mark(&mut response, &session, user, MadeOf::Snapshot { snapshot: (vendor, query), origin });
    }
    Ok(response)
}

/// What came back, by product and by reason.
#[utoipa::path(
    get,
    path = "/api/vendor/analytics/returns",
    operation_id = "analytics_returns",
    tag = "analytics",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by the vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first"),
        ("compare" = Option<Comparison>, Query, description = "What to compare with; `previous_period` if left out"),
        ("vendorId" = Option<String>, Query, description = "Admins only, and required of them")
    ),
    responses((status = 200, description = "What came back; amounts come to the snapshot's \
        `returns`", body = Returns), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn returns(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo", "compare", "vendorId"])?;
    let vendor = vendor_asked_for(&state, user, &parameters).await?;
    let served = state.analytics.returns_json(&vendor, &query(&parameters)?, None).await?;
    let mut response = whole(&served, &headers);
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// What sells better and what sells worse than before.
#[utoipa::path(
    get,
    path = "/api/vendor/analytics/movers",
    operation_id = "analytics_movers",
    tag = "analytics",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by the vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first"),
        ("compare" = Option<Comparison>, Query, description = "What to compare with, `none` is not accepted; \
            `previous_period` if left out"),
        ("vendorId" = Option<String>, Query, description = "Admins only, and required of them")
    ),
    responses((status = 200, description = "The products and categories of both ranges side by \
        side", body = Movers), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn movers(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo", "compare", "vendorId"])?;
    let vendor = vendor_asked_for(&state, user, &parameters).await?;
    let SnapshotQuery { range, comparison, .. } = query(&parameters)?;
    let previous = range
        .compared(comparison)
        .ok_or_else(|| FieldError::new("compare", "is required: there is nothing to compare these days with"))?;
    let served = state.analytics.movers_json(&vendor, range, previous).await?;
    let mut response = whole(&served, &headers);
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

/// The figures of a snapshot as a file that streams.
#[utoipa::path(
    get,
    path = "/api/vendor/analytics/export.csv",
    operation_id = "analytics_export",
    tag = "analytics",
    params(
        ("dateFrom" = jiff::civil::Date, Query, description = "First day, included, by the vendor's calendar"),
        ("dateTo" = jiff::civil::Date, Query, description = "Last day, included; at most ten years after the first"),
        ("compare" = Option<Comparison>, Query, description = "What to compare with; `previous_period` if left out"),
        ("interval" = Option<String>, Query, description = "`auto`, `hour` (up to 31 days), `day`, `week` or `month`"),
        ("vendorId" = Option<String>, Query, description = "Admins only, and required of them"),
        ("table" = Option<ExportTable>, Query, description = "`series` if left out"),
        ("product" = Option<String>, Query, description = "Of this product alone, by the marketplace's id"),
        ("category" = Option<String>, Query, description = "Of the products that are in this category now"),
        ("status" = Option<OrderStatus>, Query, description = "Of the orders that have this status now, whether they \
            count or not")
    ),
    responses((status = 200, description = "The figures as CSV; rows come to the snapshot's \
        totals", body = String, content_type = "text/csv"), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn export(
    State(state): State<AppState>,
    CurrentUser(user): CurrentUser,
    parameters: Parameters,
) -> Result<Response, AppError> {
    let known = ["dateFrom", "dateTo", "compare", "interval", "vendorId", "table", "product", "category", "status"];
    let parameters = parameters.only(&known)?;
    let vendor = vendor_asked_for(&state, user, &parameters).await?;
    let table = parameters.get("table").map(str::parse).transpose();
    let (query, table) = match (query(&parameters), table) {
        (Ok(query), Ok(table)) => (query, table.unwrap_or_default()),
        (query, table) => return Err(query.err().into_iter().flatten().chain(table.err()).collect::<Vec<_>>().into()),
    };
    let get = |name| parameters.get(name);
    let narrowed = parse_narrowed(get("product"), get("category"), get("status"))?;
    let pieces = match narrowed.is_whole() {
        true => state.analytics.export(&vendor, &query, table).await?,
        false => state.analytics.export_part(&vendor, &query, &narrowed, table).await?,
    };
    let (id, range) = (encode_segment(&vendor.external_id), query.range);
    let disposition =
        format!("attachment; filename=\"vendorscope-{id}-{}-{}-{}.csv\"", table.as_str(), range.from, range.to);
    file(disposition, pieces)
}

/// CSV to be kept under the name in `disposition`, whose parts are percent-encoded.
pub(super) fn file(disposition: String, pieces: Pieces) -> Result<Response, AppError> {
    let disposition = HeaderValue::try_from(disposition).map_err(|e| AppError::Internal(e.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

pub(super) async fn vendor_asked_for(
    state: &AppState,
    user: User,
    parameters: &Parameters,
) -> Result<VendorRef, AppError> {
    match (user.role, user.vendor, parameters.get("vendorId")) {
        (Role::Vendor | Role::Accountant, Some(vendor), None) => Ok(vendor),
        (Role::Vendor | Role::Accountant, _, _) => {
            Err(FieldError::new("vendorId", "is accepted from admins only: a vendor sees its own figures").into())
        }
        (Role::Admin, _, Some(id)) => state.accounts.find_vendor(id).await,
        (Role::Admin, _, None) => {
            Err(FieldError::new("vendorId", "is required: the id of the vendor whose figures to show").into())
        }
    }
}

pub(super) fn query(parameters: &Parameters) -> Result<SnapshotQuery, Vec<FieldError>> {
    let get = |name| parameters.get(name);
    SnapshotQuery::parse(get("dateFrom"), get("dateTo"), get("compare"), get("interval"), None)
}

/// The bytes that the cache holds: compressed as they are kept, for whoever takes that; else in the form that the
/// request prefers, which is worked out once for as long as they are held.
pub(super) fn whole(served: &Served<Payload>, asked: &HeaderMap) -> Response {
    let mut response = encodings::respond_from_cache(&served.value, &served.derived, asked);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The same for a program, which may keep what it is told and ask whether it still holds: 304, and nothing more, where
/// it does. (Browsers are to keep nothing: whoever uses one next is not to find it.)
fn revalidated(served: &Served<Payload>, asked: &HeaderMap) -> Response {
    let tag = served.derived.get_or_derive("etag", || Some(Bytes::from(entity_tag(&served.value.bytes()))));
    let Some(tag) = tag.and_then(|tag| HeaderValue::from_maybe_shared(tag).ok()) else { return whole(served, asked) };
    let mut response = if names(asked, &tag) { StatusCode::NOT_MODIFIED.into_response() } else { whole(served, asked) };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Weak, because it is the same whatever form the bytes travel in.
fn entity_tag(bytes: &[u8]) -> String {
    format!("W/\"{}\"", hex::encode(&Sha256::digest(bytes)[..16]))
}

/// Whether `If-None-Match` names this tag.
fn names(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let tag = opaque(tag.to_str().unwrap_or_default());
    let values = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|line| line.split(',')).any(|named| named.trim() == "*" || opaque(named) == tag)
}

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Says where an answer came from, how old it is, and what it took.
pub(super) fn freshness<T>(response: &mut Response, served: &Served<T>, total: Duration) {
    tell_freshness(response.headers_mut(), served.outcome, served.age, served.elapsed, total);
}

/// The same of what is no more than an entry's age, and how long it took to know it.
pub fn tell_freshness(headers: &mut HeaderMap, outcome: Outcome, age: Duration, elapsed: Duration, total: Duration) {
    let outcome = outcome.as_str();
    // Not `format!`, which was a tenth of the instructions of a hot request.
    let timing = ["total;dur=", &in_millis(total), ", cache;desc=", outcome, ";dur=", &in_millis(elapsed)].concat();
    headers.insert(X_CACHE, HeaderValue::from_static(outcome));
    headers.insert(header::AGE, HeaderValue::from(age.as_secs()));
    if let Ok(timing) = HeaderValue::try_from(timing) {
        headers.insert(SERVER_TIMING, timing);
    }
}

/// A duration in milliseconds, with three decimals.
fn in_millis(duration: Duration) -> String {
    let thousandths = (duration.subsec_micros() % 1000 + 1000).to_string();
    let whole = duration.as_secs() * 1000 + u64::from(duration.subsec_millis());
    [&whole.to_string(), ".", &thousandths[1..]].concat()
}
