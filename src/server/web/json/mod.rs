//! The JSON API, under `/api`: plain handlers over the services that the pages use too.

use axum::Router;

use super::errors::Problem;
use crate::server::AppState;

mod account;
mod admin;
mod analytics;
mod auth;
/// Bodies and parameters, read strictly.
mod input;
mod orders;
mod products;

pub fn router() -> Router<AppState> {
    Router::new()
        .nest("/auth", auth::router())
        .nest("/account", account::router())
        .nest("/vendor/analytics", analytics::router())
        .nest("/vendor/products", products::router())
        .nest("/vendor/orders", orders::router())
        .nest("/admin", admin::router())
        .fallback(|| async { Problem::not_found() })
}
