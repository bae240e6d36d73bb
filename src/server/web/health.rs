use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde::Serialize;

use crate::server::AppState;

pub fn router() -> Router<AppState> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// The process answers.
async fn alive() -> &'static str {
    "alive\n"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    database: &'static str,
    /// `memory` where this installation has no Redis.
    redis: &'static str,
}

/// Whether what this instance works with answers: 503 where something does not, and what.
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let (database, sessions) = tokio::join!(state.db.ping(), state.sessions.store().ping());
    for error in [database.as_ref().err().map(ToString::to_string), sessions.as_ref().err().map(ToString::to_string)].into_iter().flatten()
    {
        tracing::warn!(error, "not ready");
    }
    let ready = database.is_ok() && sessions.is_ok();
    let redis = match sessions {
        Err(_) => "unavailable",
        Ok(()) if state.sessions.store().name() == "redis" => "ok",
        Ok(()) => "memory",
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, database: if database.is_ok() { "ok" } else { "unavailable" }, redis }))
}
