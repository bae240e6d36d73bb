//! Sessions: who is logged in, for 24 hours from the login and not a moment longer.
//!
//! `tower_sessions` holds a session's record; the cookie and the order of writes are ours (`request`), because its own layer loses
//! three promises of this product: it answers 500 where the store cannot be written, it removes a `__Host-` cookie in a way that
//! browsers refuse (without `Secure`), and it deletes the old session before the new one is written.

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    domain::accounts::{Role, Viewer},
    server::{AppError, AppState, VendorRef, config::Config, services::accounts::User},
};

/// The signed cookie that carries a session's id.
mod cookie;
/// One request's session: read when asked for, changed by logging in and out.
mod request;
/// Where sessions live: Redis, or this process.
mod store;

pub use cookie::SessionCookie;
pub use request::{RequestSession, carry_session};
pub use store::Store;

/// How long a session lives from its login, whatever happens in between.
pub const LIFETIME: time::Duration = time::Duration::hours(24);

/// The store and the cookie, decided at start. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: std::sync::Arc<Store>,
    cookie: SessionCookie,
}

impl Sessions {
    /// Redis where there is a URL, which then has to answer now; else memory, with a warning.
    pub async fn open(config: &Config) -> Result<Self, store::OpenError> {
        let store = match &config.sessions.redis_url {
            Some(url) => {
                let store = Store::redis(url).await?;
                tracing::info!("using redis session store");
                store
            }
            None => {
                tracing::warn!("no REDIS_URL: sessions live in this process, and end when it does");
                Store::memory()
            }
        };
        Ok(Self { store: std::sync::Arc::new(store), cookie: SessionCookie::new(config) })
    }

    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Whoever is logged in.
#[derive(Debug, Clone)]
pub struct CurrentUser(pub User);

/// A logged-in vendor user. To have one is to be entitled to that vendor's data, and no other's.
#[derive(Debug, Clone)]
pub struct CurrentVendor {
    pub user: User,
    pub vendor: VendorRef,
}

/// A logged-in admin.
#[derive(Debug, Clone)]
pub struct CurrentAdmin {
    pub user: User,
}

impl CurrentUser {
    /// `Unauthenticated` where nobody is logged in, `Sessions` where that cannot be found out.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let session = parts.extensions.get::<RequestSession>().ok_or_else(|| AppError::Internal("a route without sessions".to_owned()))?;
        session.user().await?.map(Self).ok_or(AppError::Unauthenticated)
    }

    pub fn viewer(&self) -> Viewer {
        viewer(&self.0)
    }
}

impl CurrentVendor {
    /// As `CurrentUser::of`, and `Forbidden` for everyone but vendor users.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentUser(user) = CurrentUser::of(parts).await?;
        match (user.role, user.vendor.clone()) {
            (Role::Vendor, Some(vendor)) => Ok(Self { user, vendor }),
            _ => Err(AppError::Forbidden),
        }
    }

    pub fn viewer(&self) -> Viewer {
        viewer(&self.user)
    }
}

impl CurrentAdmin {
    /// As `CurrentUser::of`, and `Forbidden` for everyone but admins.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentUser(user) = CurrentUser::of(parts).await?;
        if user.role == Role::Admin { Ok(Self { user }) } else { Err(AppError::Forbidden) }
    }

    pub fn viewer(&self) -> Viewer {
        viewer(&self.user)
    }
}

impl FromRequestParts<AppState> for CurrentUser {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}

impl FromRequestParts<AppState> for CurrentVendor {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}

impl FromRequestParts<AppState> for CurrentAdmin {
    type Rejection = AppError;
    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Self::of(parts).await
    }
}

fn viewer(user: &User) -> Viewer {
    Viewer { email: user.email.clone(), role: user.role, vendor_id: user.vendor.as_ref().map(|vendor| vendor.external_id.clone()) }
}
