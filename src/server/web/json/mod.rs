//! The JSON API, under `/api`: plain handlers over the services that the pages use too.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::get,
};

use crate::server::AppState;
use crate::server::request::problem::Problem;

mod account;
mod admin;
mod analytics;
mod auth;
/// The cache, for admins.
mod cache;
/// What changes, as it does.
mod events;
/// For the marketplace's backend.
mod ingest;
/// Bodies and parameters, read strictly.
mod input;
/// Stopping letters.
mod letters;
/// What happened, and what vendors note down.
mod notes;
/// Requests that are sent again.
mod once;
/// The API's own description.
mod openapi;
mod orders;
/// People whom an admin looks after.
mod people;
mod products;
/// Objects are objects, and texts are texts.
mod strict;

pub use analytics::tell_freshness;

pub fn router(state: &AppState) -> Router<AppState> {
    let once = from_fn_with_state(state.clone(), once::answer_once);
    Router::new()
        .nest("/auth", auth::router())
        .nest("/account", account::router().layer(once.clone()))
        .nest("/vendor/events", events::router())
        .nest("/vendor/analytics", analytics::router())
        .route("/vendor/products.csv", get(products::file))
        .route("/vendor/orders.csv", get(orders::file))
        .nest("/vendor/products", products::router())
        .nest("/vendor/orders", orders::router())
        .nest("/vendor/notes", notes::router())
        .nest("/letters", letters::router())
        .nest("/admin/users", people::router().layer(once.clone()))
        .nest("/admin", admin::router().layer(once))
        .route("/openapi.json", get(openapi::document))
        .route("/docs", get(openapi::page))
        .nest("/ingest", ingest::router())
        .layer(from_fn(input::check_request))
        .fallback(|| async { Problem::not_found() })
}
