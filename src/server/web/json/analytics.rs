use std::time::{Duration, Instant};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::input::Parameters;
use crate::{
    domain::{accounts::Role, invalid::Invalid},
    server::{AppError, AppState, VendorRef, cache::Served, services::analytics::SnapshotQuery, sessions::CurrentUser},
};

pub fn router() -> Router<AppState> {
    Router::new().route("/snapshot", get(snapshot))
}

/// The bytes that the cache holds, as they are.
async fn snapshot(State(state): State<AppState>, CurrentUser(user): CurrentUser, parameters: Parameters) -> Result<Response, AppError> {
    let started = Instant::now();
    let parameters = parameters.only(&["dateFrom", "dateTo", "compare", "interval", "vendorId"])?;
    let vendor = match (user.role, user.vendor, parameters.get("vendorId")) {
        (Role::Vendor, Some(vendor), None) => vendor,
        (Role::Vendor, _, _) => return Err(Invalid::new("vendorId", "is accepted from admins only: a vendor sees its own figures").into()),
        (Role::Admin, _, Some(id)) => state.accounts.find_vendor(id).await?,
        (Role::Admin, _, None) => return Err(Invalid::new("vendorId", "is required: the id of the vendor whose figures to show").into()),
    };
    let get = |name| parameters.get(name);
    let query = SnapshotQuery::parse(get("dateFrom"), get("dateTo"), get("compare"), get("interval"), None)?;
    answer(&state, &vendor, &query, started).await
}

async fn answer(state: &AppState, vendor: &VendorRef, query: &SnapshotQuery, started: Instant) -> Result<Response, AppError> {
    let served = state.analytics.snapshot_json(vendor, query).await?;
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (headers, served.value.clone()).into_response();
    freshness(&mut response, &served, started.elapsed());
    Ok(response)
}

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Says where an answer came from, how old it is, and what it took.
pub(super) fn freshness<T>(response: &mut Response, served: &Served<T>, total: Duration) {
    let outcome = served.outcome.as_str();
    let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let timing = format!("total;dur={:.3}, cache;desc={outcome};dur={:.3}", millis(total), millis(served.elapsed));
    let headers = response.headers_mut();
    headers.insert(X_CACHE, HeaderValue::from_static(outcome));
    headers.insert(header::AGE, HeaderValue::from(served.age.as_secs()));
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        headers.insert(SERVER_TIMING, timing);
    }
}
