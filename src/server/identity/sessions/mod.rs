//! Sessions: who is logged in, for 24 hours from the login and not a moment longer.
//!
//! `tower_sessions` says what a record and a store are; the cookie and the order of writes are ours (`request`),
//! because its own layer loses three promises of this product: it answers 500 where the store cannot be written, it
//! removes a `__Host-` cookie in a way that browsers refuse (without `Secure`), and it deletes the old session before
//! the new one is written.

use std::sync::{Arc, atomic::AtomicBool};

use axum::{extract::FromRequestParts, http::request::Parts};
use time::OffsetDateTime;
use tower_sessions::session::Id;
use vendorscope_redis::Router;

use crate::{
    domain::accounts::{Role, User, VendorRef, Viewer},
    server::{
        AppError, AppState,
        config::{Config, IdleLimits},
    },
};

/// Logins that go on at the marketplace's provider.
mod begun_login;
/// The signed cookie that carries a session's id.
mod cookie;
/// The signed cookie of a browser that was logged in with before.
mod device;
/// Logins that wait for a code.
mod half_login;
/// Who sends a request.
mod known_user;
/// What a session holds.
mod record;
/// Sessions that were read before.
mod remembered;
/// One request's session: read when asked for, changed by logging in and out.
mod request;
/// Whether all instances have the same secret.
mod secret;
/// Whether a credential is still good, found out once for all who ask at the same time.
mod standing;
/// Where sessions live: Redis, or this process.
mod store;
/// The signed cookie of a browser that sets a second factor up.
mod totp_setup;
/// What a session's idle time begins anew with.
mod touched;
/// Who may change anything.
mod writing;

use remembered::Remembered;
use standing::Standing;

pub use begun_login::{BegunLogin, BegunLogins};
pub use cookie::{SessionCookie, cookies};
pub use device::{DeviceCookie, KnownBrowser};
pub use half_login::HalfLogins;
pub use record::Browser;
pub use request::RequestSession;
pub use secret::{differ, said_of};
pub use store::{MAX_SESSIONS, Store};
pub use totp_setup::TotpSetups;
pub use writing::{IngestingAdmin, WritingAdmin, WritingVendor};

/// How long a session lives from its login, whatever happens in between.
pub const LIFETIME: time::Duration = time::Duration::hours(24);

/// The store and the cookie, decided at start. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Arc<Store>,
    cookie: SessionCookie,
    devices: DeviceCookie,
    half_logins: HalfLogins,
    totp_setups: TotpSetups,
    begun_logins: BegunLogins,
    standing: Standing,
    idle_limits: IdleLimits,
    /// Where the store is elsewhere.
    remembered: Option<Remembered>,
    /// What other instances are told of the secret that cookies are signed with.
    said_of_secrets: String,
    secrets_differ: Arc<AtomicBool>,
}

impl Sessions {
    /// Of the installation of this name. Redis where there is a URL, which then has to answer now; else memory, with a
    /// warning.
    pub async fn open(config: &Config, installation: &str) -> Result<Self, store::OpenError> {
        let store = match config.sessions.redis() {
            Some(url) => {
                let store = Store::redis(url, &config.redis_tls, installation).await?;
                tracing::info!("using redis session store");
                if let Ok(Some(policy)) = store.eviction().await {
                    tracing::warn!(
                        policy,
                        "this Redis may throw sessions and limits away when its memory is full, and whoever fills it \
                         logs people out and guesses at passwords without end: give them one with noeviction \
                         (SESSION_REDIS_URL)"
                    );
                }
                store
            }
            None => {
                tracing::warn!("no REDIS_URL: sessions live in this process, and end when it does");
                Store::memory()
            }
        };
        Ok(Self {
            store: Arc::new(store),
            cookie: SessionCookie::new(config),
            devices: DeviceCookie::new(config),
            half_logins: HalfLogins::new(config),
            totp_setups: TotpSetups::new(config),
            begun_logins: BegunLogins::new(config),
            standing: Standing::default(),
            idle_limits: config.sessions.idle_limits,
            remembered: None,
            said_of_secrets: secret::said_of(&config.sessions),
            secrets_differ: Arc::default(),
        })
    }

    /// Has sessions that were read once remembered, and asks over these connections, which lead to the same Redis,
    /// whether they live.
    #[must_use]
    pub fn remembering(self, router: Option<Arc<Router>>, installation: &str) -> Self {
        Self { remembered: router.map(|router| Remembered::new(router, installation)), ..self }
    }

    /// The cookie that says which session a browser has.
    pub fn cookie_name(&self) -> &str {
        self.cookie.name()
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Cookies of browsers that somebody has logged in with.
    pub fn devices(&self) -> &DeviceCookie {
        &self.devices
    }

    /// Cookies of logins that wait for a code.
    pub fn half_logins(&self) -> &HalfLogins {
        &self.half_logins
    }

    /// Cookies of browsers that set a second factor up.
    pub fn totp_setups(&self) -> &TotpSetups {
        &self.totp_setups
    }

    /// Cookies of logins that go on at the marketplace's provider.
    pub fn begun_logins(&self) -> &BegunLogins {
        &self.begun_logins
    }

    /// Ends every session of the user but `keep`, on every instance.
    pub async fn end_all(&self, user: &User, keep: Option<&Id>) -> Result<(), AppError> {
        self.store.end_all(user.id, keep).await.map_err(|e| request::unavailable(&e))
    }

    /// When a session of this role that is used now ends if it is not used again. `until`: when it ends whatever
    /// happens, in seconds since 1970.
    fn expiry(&self, role: Role, now: OffsetDateTime, until: i64) -> OffsetDateTime {
        let until = OffsetDateTime::from_unix_timestamp(until).unwrap_or(now);
        self.idle_limits.of(role).map_or(until, |limit| until.min(now + limit))
    }
}

/// Whoever is logged in, or uses a key.
#[derive(Debug, Clone)]
pub struct CurrentUser(pub User);

/// Whoever is logged in with a browser. Passwords, sessions and keys are no business of a key, which may have been
/// stolen.
#[derive(Debug, Clone)]
pub struct BrowserUser(pub User);

/// A logged-in user of a vendor. To have one is to be entitled to that vendor's data, and no other's; who may change it
/// is a `WritingVendor`.
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
        request_session(parts)?.user().await?.map(Self).ok_or(AppError::Unauthenticated)
    }

    pub fn viewer(&self) -> Viewer {
        viewer(&self.0)
    }
}

impl BrowserUser {
    /// As `CurrentUser::of`, and `Forbidden` for keys.
    pub async fn of(parts: &Parts) -> Result<Self, AppError> {
        let CurrentUser(user) = CurrentUser::of(parts).await?;
        match request_session(parts)?.logged_in_user().await? {
            Some(_) => Ok(Self(user)),
            None => Err(AppError::Forbidden),
        }
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
            (role, Some(vendor)) if role.is_of_a_vendor() => Ok(Self { user, vendor }),
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

impl FromRequestParts<AppState> for BrowserUser {
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

/// The session of a request; without one, a route was mounted in the wrong place.
pub fn request_session(parts: &Parts) -> Result<&RequestSession, AppError> {
    parts.extensions.get().ok_or_else(|| AppError::Internal("a route without sessions".to_owned()))
}

fn viewer(user: &User) -> Viewer {
    Viewer {
        email: user.email.clone(),
        role: user.role,
        vendor_id: user.vendor.as_ref().map(|vendor| vendor.external_id.clone()),
    }
}
