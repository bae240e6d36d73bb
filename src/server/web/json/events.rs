use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::State,
    http::request::Parts,
    response::sse::{Event, KeepAlive, Sse},
    routing::get,
};
use futures::{Stream, StreamExt, stream};
use serde_json::json;

use super::openapi::Refused;
use crate::server::{
    AppError, AppState,
    identity::sessions::{CurrentVendor, request_session},
};

/// Says something now and then, so that nobody in between takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What browsers wait before they connect again.
const RETRY: Duration = Duration::from_secs(2);

pub fn router() -> Router<AppState> {
    Router::new().route("/", get(events))
}

/// `changed`, with what changed: `{"changed":["products"]}`.
#[utoipa::path(
    get,
    path = "/api/vendor/events",
    operation_id = "vendor_events",
    tag = "events",
    responses((status = 200, description = "Server-Sent Events: `changed`, with `{\"changed\":[\"products\"]}` as \
        data; ends after ten minutes, and when the session or the key does: at the next message that is more than a \
        second later, or within 15 s. A user has ten open at an instance at most: 429 `too_many_streams` \
        beyond", content_type = "text/event-stream", body = String), Refused),
    security(("session" = []), ("key" = []))
)]
pub(super) async fn events(
    State(state): State<AppState>,
    current: CurrentVendor,
    parts: Parts,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, AppError> {
    let session = request_session(&parts)?.clone();
    let (user_id, vendor) = (current.user.id, current.vendor.external_id.clone());
    let may_listen = move || {
        let (session, user) = (session.clone(), current.user.clone());
        async move { session.is_still(&user).await }
    };
    let changes = state.live.changes(&state.cache, user_id, &vendor, may_listen)?;
    let changes =
        changes.map(|changed| Event::default().event("changed").data(json!({ "changed": changed }).to_string()));
    // Something at once, so that whoever waits for the answer to begin knows that from here on nothing is missed.
    let hello = stream::once(async { Event::default().retry(RETRY).comment("listening") });
    Ok(Sse::new(hello.chain(changes).map(Ok)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}
