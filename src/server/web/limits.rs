use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::server::{
    AppState,
    identity::sessions::RequestSession,
    rate_limit::{Purpose, Admission, address_key},
    request::{
        attempts::{client, seconds, too_many},
        is_safe, is_under,
    },
};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Lets in what a user may ask of the API (the pages' own calls included), or where nobody is logged in, what an address may. Says how
/// much is left.
pub async fn limit_requests(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !is_under(path, "/api") && !is_under(path, "/_fn") {
        return next.run(request).await;
    }
    let purpose = if is_safe(request.method()) { Purpose::Reads } else { Purpose::Writes };
    let user = match request.extensions().get::<RequestSession>() {
        Some(session) => session.clone().user().await,
        None => Ok(None),
    };
    let who = match user {
        Ok(Some(user)) => format!("user:{}", user.id),
        Ok(None) => address_key(client(request.extensions().get())),
        // Not known who it is: whatever answers this request will find out why.
        Err(_) => return next.run(request).await,
    };
    let Some(admission) = state.limits.admit(purpose, &who).await else { return next.run(request).await };
    let mut response = if admission.decision.admitted { next.run(request).await } else { too_many(&admission).into_response() };
    tell(response.headers_mut(), &admission);
    response
}

/// `RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers-10 writes them: what is allowed (q requests in w seconds),
/// what is left of it (r), and in how many seconds all of it is there again (t).
fn tell(headers: &mut HeaderMap, admission: &Admission) {
    let (name, limit, decision) = (admission.purpose.name(), admission.limit, admission.decision);
    let policy = format!("\"{name}\";q={};w={}", limit.count, limit.period.as_secs());
    let state = format!("\"{name}\";r={};t={}", decision.remaining, seconds(decision.reset()));
    for (header, value) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
}
