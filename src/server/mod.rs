//! The server: everything that never reaches the browser.

use std::sync::Arc;

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use vendorscope_cache::Cache;

/// The program as it runs: everything connected, listening, until it is told to stop.
mod application;
/// Keys, tags and lifetimes of what is cached.
pub mod cache_keys;
/// Configuration: one struct a concern, read from the environment.
pub mod config;
/// SQL. Knows nothing of the cache.
pub mod db;
/// Why a service did not do what it was asked.
pub mod errors;
/// Marketplace bundles into the database, and the demo marketplace.
pub mod import;
/// Telling open dashboards that something has changed.
pub mod live;
/// What is counted for Prometheus.
pub mod metrics;
/// Password hashing.
pub mod passwords;
/// How often one may ask.
pub mod rate_limit;
/// The only place where cache meets database.
pub mod services;
/// Sessions: store, cookie, who is logged in.
pub mod sessions;
/// Logs.
pub mod telemetry;
/// HTTP: router, middleware, JSON API, errors.
pub mod web;

pub use application::{Application, StartError, open_cache, open_database};
pub use errors::AppError;

/// What every handler and server function has at hand. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What `AppState` points to.
pub struct Shared {
    pub config: config::Config,
    pub db: db::Db,
    pub cache: Cache,
    pub sessions: sessions::Sessions,
    pub limits: rate_limit::Limiter,
    pub metrics: metrics::Metrics,
    pub accounts: services::accounts::Accounts,
    pub analytics: services::analytics::Analytics,
    pub catalog: services::catalog::Catalog,
    pub ingest: services::ingest::Ingest,
    pub marketplace: services::marketplace::Marketplace,
    pub orders: services::orders::Orders,
    pub live: live::Live,
    pub leptos: LeptosOptions,
}

impl AppState {
    pub fn new(config: config::Config, db: db::Db, cache: Cache, sessions: sessions::Sessions, limits: rate_limit::Limiter) -> Self {
        Self(Arc::new(Shared {
            accounts: services::accounts::Accounts::new(db.clone(), cache.clone()),
            analytics: services::analytics::Analytics::new(db.clone(), cache.clone()),
            catalog: services::catalog::Catalog::new(db.clone(), cache.clone()),
            ingest: services::ingest::Ingest::new(db.clone(), cache.clone()),
            marketplace: services::marketplace::Marketplace::new(db.clone(), cache.clone()),
            orders: services::orders::Orders::new(db.clone(), cache.clone()),
            live: live::Live::default(),
            leptos: config.http.leptos.clone(),
            config,
            db,
            cache,
            sessions,
            limits,
            metrics: metrics::Metrics::default(),
        }))
    }
}

impl std::ops::Deref for AppState {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// A vendor that someone was found to be entitled to: the database's id and the marketplace's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct VendorRef {
    pub id: i64,
    pub external_id: String,
}

/// A user that a login found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub role: crate::domain::accounts::Role,
    /// Some for every vendor user, none for an admin.
    pub vendor: Option<VendorRef>,
}
