use std::sync::atomic::Ordering;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    middleware::from_fn_with_state,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{errors, limits};
use crate::server::request::problem::Problem;
use crate::server::{AppError, AppState};

pub fn router(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/readyz", get(ready))
        .route("/status", get(status))
        // Both ask the database and Redis.
        .route_layer(from_fn_with_state(state.clone(), limits::limit_probes))
        .route("/healthz", get(alive))
        .route("/metrics", get(metrics))
}

/// The process answers.
async fn alive() -> &'static str {
    "alive\n"
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// It was told to stop, and answers a moment longer; left out before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stopping: bool,
    database: &'static str,
    /// `memory` where this installation has no Redis.
    redis: &'static str,
    /// The policy by which Redis may throw sessions away when its memory is full; left out where it never does.
    #[serde(rename = "sessionEviction", skip_serializing_if = "Option::is_none")]
    session_eviction: Option<String>,
    /// What the cache's Redis does not let this program do; left out where it refuses nothing. Requests are answered
    /// without the cache.
    #[serde(rename = "cacheRefused", skip_serializing_if = "Option::is_none")]
    cache_refused: Option<String>,
    /// Another instance signs cookies with another `SESSION_SECRET`: whoever logs in there is nobody here. Left out
    /// where all have the same.
    #[serde(rename = "secretsDiffer", skip_serializing_if = "std::ops::Not::not")]
    secrets_differ: bool,
}

/// The same as `/readyz`, for people. Without a session: those may be what is down.
async fn status(State(state): State<AppState>) -> (StatusCode, Html<String>) {
    let (status, Json(readiness)) = ready(State(state)).await;
    let row = |name: &str, answer: &str, without: &str| {
        let (class, text, note) = match answer {
            "ok" | "memory" => ("done", "Working", ""),
            _ => ("failed", "Not responding", without),
        };
        format!(
            "<tr><th scope=\"row\">{name}</th><td><span class=\"status {class}\">{text}</span></td><td>{note}</td></tr>"
        )
    };
    let redis = if readiness.redis == "memory" { "Sessions (in memory)" } else { "Sessions (Redis)" };
    let title = if readiness.ready { "Everything is working" } else { "Vendorscope isn't working as it should" };
    let body = format!(
        "<h1>{title}</h1><section class=\"card checks\"><table class=\"plain\"><tbody>{}{}</tbody></table></section>\
         <p class=\"actions\"><a class=\"button\" href=\"/status\">Check again</a> <a class=\"button quiet\" \
         href=\"/\">Go to dashboard</a></p>",
        row("Database", readiness.database, "Figures that are cached are still shown; nothing can be saved."),
        row(redis, readiness.redis, "Nobody can log in until it is back."),
    );
    (status, Html(errors::plain_page("Status", &body)))
}

/// Whether what this instance works with answers, and can be written to, and it was not told to stop: 503 where not,
/// and what.
async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let store = state.sessions.store();
    let (database, sessions, eviction) = tokio::join!(state.db.ready(), store.ping(), store.eviction());
    for error in
        [database.as_ref().err().cloned(), sessions.as_ref().err().map(ToString::to_string)].into_iter().flatten()
    {
        tracing::warn!(error, "not ready");
    }
    let stopping = state.is_stopping.load(Ordering::Relaxed);
    let ready = database.is_ok() && sessions.is_ok() && !stopping;
    let redis = match sessions {
        Err(_) => "unavailable",
        Ok(()) if store.name() == "redis" => "ok",
        Ok(()) => "memory",
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let database = if database.is_ok() { "ok" } else { "unavailable" };
    (
        status,
        Json(Readiness {
            ready,
            stopping,
            database,
            redis,
            session_eviction: eviction.ok().flatten(),
            cache_refused: state.cache.refusal(),
            secrets_differ: state.sessions.secrets_differ(),
        }),
    )
}

/// What Prometheus reads. In production only with `METRICS_TOKEN`; without one there, as if it were not here.
async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match &state.config.http.metrics_token {
        None if state.config.production => return Err(Problem::not_found()),
        None => {}
        // As digests, so that the time it takes to compare them says nothing of the token.
        Some(token) if shown.is_some_and(|shown| Sha256::digest(shown) == Sha256::digest(token.expose_secret())) => {}
        Some(_) => return Err(AppError::Unauthenticated.into()),
    }
    let text = state.metrics.render(&state.cache.counts().await, &state.cache.condition(), state.db.queries());
    let text = text.map_err(|error| AppError::Internal(format!("metrics: {error}")))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
