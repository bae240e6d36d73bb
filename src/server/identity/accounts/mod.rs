use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use vendorscope_cache::{Cache, Key, Loaded, Origin, Served, Tag};

use crate::{
    domain::{
        accounts::{MAX_PASSWORD, Role, User, UserSummary, Vendor, VendorRef, normalise_email},
        field_error::FieldError,
    },
    server::{
        AppError,
        cache_keys::{self, PROFILE_TTL},
        config::SessionConfig,
        db::{
            self, Db,
            accounts::{AuditEntry, UserListing},
        },
        identity::{passwords, sealing::Sealing},
        services::{costed, from_json},
    },
};

/// Passwords changed, lost and found; users shut out.
mod access;
/// The audit log, as admins read it.
mod audit;
/// Sessions that have ended, whatever their store says.
mod ended_sessions;
/// Keys that programs use the API with.
mod keys;
/// Letters that users wish to get.
mod letters;
/// People whom an admin looks after.
mod people;
/// Logins through the marketplace's provider.
mod provider_login;
/// One-time codes beside the password.
mod second_factor;
/// What they are worked out of, as it is stored.
mod seeds;
/// Whether a session is still its user's.
mod user_status;
/// The clock of a vendor's days.
mod zone;

pub use audit::AuditParameters;
use ended_sessions::EndedSessions;
pub use keys::{KeyGrant, KeyOrder, KeyUser, NewKey};
pub use people::{Invitation, PersonChange, PersonPage};
pub use provider_login::{ProviderBinding, WAY as MARKETPLACE};
pub use second_factor::{Proof, TotpSetup};
use seeds::Seeds;
pub use seeds::SeedsFound;
use user_status::UserStatusCache;

/// Users, and the vendors they belong to.
pub struct Accounts {
    db: Db,
    cache: Cache,
    statuses: UserStatusCache,
    ended: EndedSessions,
    seeds: Seeds,
    /// Keys that are remembered for a while, for the form that has made them.
    remembered: Sealing,
    /// Digests of keys that were good when they were last sent to this instance.
    keys_seen: moka::future::Cache<String, ()>,
}

/// Whoever tried to log in with something that is no address.
const UNKNOWN_ACTOR: &str = "unknown";

/// Who does something, and from where: for the audit log.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The user's address, or `cli`.
    pub name: &'a str,
    /// The client's network address.
    pub address: Option<&'a str>,
}

impl Actor<'_> {
    /// Whoever has a shell on the server.
    pub const COMMAND_LINE: Actor<'static> = Actor { name: "cli", address: None };

    fn entry<'a>(&'a self, action: &'a str, detail: &'a str) -> AuditEntry<'a> {
        AuditEntry { at_us: now_us(), actor: self.name, action, detail, address: self.address, was: None, became: None }
    }
}

/// A user whose password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    pub user: User,
    /// What the sessions that begin now carry: see `session_is_valid`.
    pub epoch: i64,
    /// Whether there is a second factor, which has to be proved too.
    pub second_factor: bool,
}

/// Where a vendor's profile is kept, and what makes it stale.
fn profile_entry(vendor: &VendorRef) -> (Key, [Tag; 1]) {
    (cache_keys::profile_key(&vendor.external_id), [cache_keys::vendor_tag(&vendor.external_id)])
}

impl Accounts {
    pub fn new(db: Db, cache: Cache, config: &SessionConfig) -> Self {
        let keys_seen = moka::future::Cache::builder().max_capacity(KEYS_SEEN).time_to_idle(KEYS_SEEN_FOR).build();
        let statuses = UserStatusCache::new(config.trusted_unasked);
        let (seeds, remembered) = (Seeds::new(config), Sealing::new("remembered key", config));
        Self { db, cache, statuses, ended: EndedSessions::default(), seeds, remembered, keys_seen }
    }

    /// The vendor's profile, through the cache.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "accounts.vendor", skip_all)]
    pub async fn vendor(&self, vendor: &VendorRef) -> Result<Vendor, AppError> {
        Ok(self.profile(vendor).await?.value)
    }

    /// The same, and where it came from.
    pub async fn profile(&self, vendor: &VendorRef) -> Result<Served<Vendor>, AppError> {
        let (db, id) = (self.db.clone(), vendor.id);
        let load = move || {
            costed(async move {
                let profile = db::vendors::find_profile(&db, id).await?.ok_or(AppError::NotFound)?;
                let json =
                    serde_json::to_vec(&profile).map_err(|e| AppError::Internal(format!("vendor as JSON: {e}")))?;
                Ok(Loaded::new(json, PROFILE_TTL))
            })
        };
        let (key, tags) = profile_entry(vendor);
        self.cache.get_or_load_decoded(&key, &tags, load, from_json).await
    }

    /// The entry that this was served from.
    pub fn profile_origin(&self, vendor: &VendorRef, served: &Served<Vendor>) -> Option<Origin> {
        let (key, tags) = profile_entry(vendor);
        Origin::of(&key, &tags, served)
    }

    /// The vendor with this marketplace id, for an admin. `NotFound` where there is none.
    pub async fn find_vendor(&self, external_id: &str) -> Result<VendorRef, AppError> {
        db::vendors::find(&self.db, external_id).await?.ok_or(AppError::NotFound)
    }

    /// The user of this address and password; `WrongCredentials`, after the same time, for whatever is wrong with them.
    #[tracing::instrument(target = "vendorscope::spans", level = "trace", name = "accounts.authenticate", skip_all)]
    pub async fn authenticate(&self, email: &str, password: &str) -> Result<Authenticated, AppError> {
        let login = match normalise_email(email) {
            Ok(email) => db::accounts::find_login(&self.db, &email).await?,
            Err(_) => None,
        };
        let is_right =
            passwords::verify(comparable(password), login.as_ref().map(|login| login.password_hash.clone())).await?;
        match login {
            Some(login) if is_right && !login.disabled => Ok(self.statuses.remember(&login).await),
            _ => Err(AppError::WrongCredentials),
        }
    }

    /// Adds a user. `Conflict` where the address is taken, `Invalid` for an unknown vendor, an address that is none, or
    /// a password that is too short or too easily guessed.
    pub async fn add_user(
        &self,
        email: &str,
        password: &str,
        role: Role,
        vendor: Option<&str>,
    ) -> Result<User, AppError> {
        let password_refused = match passwords::check_new(password, &[email]).await {
            Err(AppError::Invalid(errors)) => errors,
            checked => checked.map(|()| Vec::new())?,
        };
        let (email, vendor) = match (normalise_email(email), self.vendor_of(role, vendor).await?) {
            (Ok(email), Ok(vendor)) if password_refused.is_empty() => (email, vendor),
            (email, vendor) => {
                return Err([email.err(), vendor.err()]
                    .into_iter()
                    .flatten()
                    .chain(password_refused)
                    .collect::<Vec<_>>()
                    .into());
            }
        };
        let hash = passwords::hash(password).await?;
        let mut tx = self.db.write().await?;
        let user = db::accounts::insert_user(&mut tx, &email, &hash, role, vendor, now_us(), false).await?;
        let user = user.ok_or_else(|| AppError::Conflict(format!("there is a user `{email}` already")))?;
        tx.commit().await?;
        Ok(user)
    }

    /// The vendor that a user of this role belongs to.
    async fn vendor_of(
        &self,
        role: Role,
        vendor: Option<&str>,
    ) -> Result<Result<Option<VendorRef>, FieldError>, AppError> {
        Ok(match (role, vendor) {
            (Role::Admin, None) => Ok(None),
            (Role::Admin, Some(_)) => {
                Err(FieldError::new("vendor", "is given to users of role vendor or accountant only"))
            }
            (Role::Vendor | Role::Accountant, None) => {
                Err(FieldError::new("vendor", "is required for users of role vendor or accountant"))
            }
            (Role::Vendor | Role::Accountant, Some(id)) => match db::vendors::find(&self.db, id).await? {
                Some(vendor) => Ok(Some(vendor)),
                None => Err(FieldError::new("vendor", format!("there is no vendor `{id}`"))),
            },
        })
    }

    /// Every user, by address.
    pub async fn list_users(&self) -> Result<Vec<UserListing>, AppError> {
        Ok(db::accounts::list_users(&self.db).await?)
    }

    /// Notes who did what, when and from where.
    pub async fn audit(&self, actor: &str, action: &str, detail: &str, address: Option<&str>) -> Result<(), AppError> {
        let mut tx = self.db.write().await?;
        db::accounts::insert_audit(&mut tx, &Actor { name: actor, address }.entry(action, detail)).await?;
        Ok(tx.commit().await?)
    }

    /// Notes a login that was refused, under the address that was typed, as addresses are compared. What is none may be
    /// a password in the wrong field: it is noted nowhere, and nobody is noted as `cli` who only types that.
    pub async fn note_failed_login(&self, typed: &str, detail: &str, address: Option<&str>) -> Result<(), AppError> {
        let actor = normalise_email(typed).unwrap_or_else(|_| UNKNOWN_ACTOR.to_owned());
        self.audit(&actor, "login_failed", detail, address).await
    }

    /// The users that belong to a vendor, by address.
    pub async fn list_vendor_users(&self, vendor: &VendorRef) -> Result<Vec<UserSummary>, AppError> {
        Ok(db::vendors::list_users(&self.db, vendor.id).await?)
    }
}

/// How many keys are remembered to have been good, and for how long after their last use.
const KEYS_SEEN: u64 = 10_000;
const KEYS_SEEN_FOR: Duration = Duration::from_secs(3600);
/// No stored password is longer: there is nothing to compare, and hashing it would cost what its sender likes.
fn comparable(password: &str) -> &str {
    if password.chars().count() > MAX_PASSWORD { "" } else { password }
}

/// 256 random bits, in hexadecimal digits.
fn random_token() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// What is stored of a token: SHA-256, in hexadecimal digits.
fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}
