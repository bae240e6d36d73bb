//! HTTP: the router, and all that happens to a request before and after its handler.

use axum::{
    Router,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
};
use tower::ServiceBuilder;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer};

use super::{AppState, identity::sessions::carry_session, request::problem::Problem};

/// Who may do anything at all.
mod access;
/// What the rest of a request will ask Redis, asked at once.
mod ahead;
/// The forms that a body may travel in.
mod encodings;
/// What a refused or failed request is answered with.
pub mod errors;
/// The files that scripts/build has made.
mod files;
/// Whether this instance is alive, and whether it can work.
mod health;
/// The JSON API, one file a resource.
mod json;
/// How often one may ask, and how that is told.
mod limits;
/// What happens to every request.
mod middleware;
/// The pages, and who may see them.
mod pages;
/// Logging in through the marketplace.
mod provider;
/// How a refused form comes back to its page.
mod refusals;
/// Bodies of requests that are refused.
mod refused_body;
/// Pages that are sent again.
mod rendered;
/// Forms that are sent after their session has ended.
mod session_ended;

/// Everything that is served. The layers read from the outside in.
pub fn router(state: AppState) -> Router {
    let for_people = ServiceBuilder::new()
        .layer(from_fn(middleware::refuse_cross_site))
        .layer(from_fn_with_state(state.clone(), carry_session))
        .layer(from_fn_with_state(state.clone(), ahead::ask_ahead))
        .layer(from_fn_with_state(state.clone(), limits::limit_requests))
        .layer(from_fn_with_state(state.clone(), access::check_access));
    let for_all = ServiceBuilder::new()
        .layer(from_fn(middleware::trace))
        .layer(from_fn_with_state(state.clone(), middleware::measure))
        .layer(from_fn_with_state(state.clone(), middleware::client_address))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), middleware::response_headers))
        .layer(from_fn(errors::render_problems))
        .layer(CatchPanicLayer::custom(middleware::answer_panic))
        .layer(from_fn_with_state(state.clone(), middleware::limit_duration))
        .layer(from_fn(refused_body::limit_body));
    Router::new()
        .merge(pages::router(&state).layer(RequestBodyLimitLayer::new(middleware::MAX_BODY)))
        .merge(provider::router())
        .nest("/api", json::router(&state))
        .fallback(pages::fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(for_people)
        .merge(health::router(&state))
        .merge(files::router())
        .layer(for_all)
        .with_state(state)
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This method is not accepted here; `Allow` names those that are.",
    )
}
