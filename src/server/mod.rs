//! The server: everything that never reaches the browser.

use std::sync::{Arc, atomic::AtomicBool};

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use vendorscope_cache::Cache;

/// Why a service did not do what it was asked.
mod app_error;
/// The program as it runs: everything connected, listening, until it is told to stop.
mod application;
/// The files that browsers are sent.
mod browser_half;
/// Keys, tags and lifetimes of what is cached.
pub mod cache_keys;
/// Configuration: one struct a concern, read from the environment.
pub mod config;
/// What server functions need of the request they run in.
pub mod context;
/// Positions in lists, as callers carry them.
pub mod cursor;
/// SQL. Knows nothing of the cache.
pub mod db;
/// The demo marketplace.
pub mod demo;
/// What is wrong with an installation.
pub mod doctor;
/// Users, passwords, keys and sessions.
pub mod identity;
/// Marketplace bundles into the database.
pub mod import;
/// What the marketplace's backend sends, into the database.
pub mod ingest;
/// Letters that users wish to get.
pub mod letters;
/// Telling open dashboards that something has changed.
pub mod live;
/// Letters, one by one.
pub mod mail;
/// What is counted for Prometheus.
pub mod metrics;
/// How often one may ask.
pub mod rate_limit;
/// What handlers and server functions need of the request they answer.
pub mod request;
/// Reads that may be cached, and writes with what they invalidate.
pub mod services;
/// Connections, bounded.
mod serving;
/// Why the program did not start.
mod start_error;
/// Logs.
pub mod telemetry;
/// The cryptography of TLS.
pub mod tls;
/// Traces.
pub mod traces;
/// HTTP: router, middleware, JSON API, errors.
pub mod web;

pub use app_error::AppError;
pub use application::{Application, open_cache, open_database};
pub use browser_half::check_browser_half;
pub use start_error::StartError;

/// What every handler and server function has at hand. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Services>);

/// What `AppState` points to.
pub struct Services {
    pub config: config::Config,
    pub db: db::Db,
    pub cache: Cache,
    pub sessions: identity::sessions::Sessions,
    pub limits: rate_limit::Limiter,
    pub metrics: metrics::Metrics,
    pub accounts: identity::accounts::Accounts,
    pub analytics: services::analytics::Analytics,
    pub catalog: services::catalog::Catalog,
    pub health: services::health::Health,
    pub ingest: services::ingest::Ingest,
    pub marketplace: services::marketplace::Marketplace,
    pub orders: services::orders::Orders,
    pub live: live::Live,
    /// This instance was told to stop, and balancers shall look elsewhere.
    pub is_stopping: AtomicBool,
    /// `None`: links are shown to the admin who makes them.
    pub mail: Option<mail::Mailer>,
    /// `None`: nobody logs in through the marketplace.
    pub provider: Option<identity::provider::Provider>,
    /// Signs what a refused form is told through its address: nobody else makes a page say anything.
    pub refusals: identity::signing::Signing,
    pub leptos: LeptosOptions,
}

impl AppState {
    pub fn new(
        config: config::Config,
        db: db::Db,
        cache: Cache,
        sessions: identity::sessions::Sessions,
        limits: rate_limit::Limiter,
        provider: Option<identity::provider::Provider>,
    ) -> Self {
        Self(Arc::new(Services {
            accounts: identity::accounts::Accounts::new(db.clone(), cache.clone(), &config.sessions),
            analytics: services::analytics::Analytics::new(db.clone(), cache.clone()),
            catalog: services::catalog::Catalog::new(db.clone(), cache.clone()),
            health: services::health::Health::new(db.clone(), cache.clone()),
            ingest: services::ingest::Ingest::new(db.clone(), cache.clone()),
            marketplace: services::marketplace::Marketplace::new(db.clone(), cache.clone()),
            orders: services::orders::Orders::new(db.clone(), cache.clone()),
            live: live::Live::default(),
            is_stopping: AtomicBool::new(false),
            mail: config.mail.as_ref().and_then(mail::Mailer::new),
            provider,
            refusals: identity::signing::Signing::new("refusal", &config.sessions),
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
    type Target = Services;
    fn deref(&self) -> &Services {
        &self.0
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
