use jiff::Timestamp;

use crate::{
    domain::{
        accounts::{MAX_PASSWORD, Role, Vendor, check_password, normalise_email},
        invalid::Invalid,
    },
    server::{
        AppError, VendorRef,
        cache::{Cache, CacheKey, Loaded, Tag, keys::PROFILE_TTL},
        db::{self, Db, accounts::UserListing},
        passwords,
    },
};

/// Users, and the vendors they belong to.
pub struct Accounts {
    db: Db,
    cache: Cache,
}

/// A user that a login found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct User {
    pub id: i64,
    pub email: String,
    pub role: Role,
    /// Some for every vendor user, none for an admin.
    pub vendor: Option<VendorRef>,
}

impl Accounts {
    pub fn new(db: Db, cache: Cache) -> Self {
        Self { db, cache }
    }

    /// The vendor's profile, through the cache.
    pub async fn vendor(&self, vendor: &VendorRef) -> Result<Vendor, AppError> {
        let (db, id) = (self.db.clone(), vendor.id);
        let load = move || async move {
            let profile = db::vendors::find_profile(&db, id).await?.ok_or(AppError::NotFound)?;
            let json = serde_json::to_vec(&profile).map_err(|e| AppError::Internal(format!("vendor as JSON: {e}")))?;
            Ok::<_, AppError>(Loaded::new(json, PROFILE_TTL))
        };
        let served = self.cache.get_or_load(&CacheKey::profile(&vendor.external_id), &[Tag::vendor(&vendor.external_id)], load).await?;
        serde_json::from_slice(&served.value).map_err(|e| AppError::Internal(format!("cached vendor: {e}")))
    }

    /// The vendor with this marketplace id, for an admin. `NotFound` where there is none.
    pub async fn find_vendor(&self, external_id: &str) -> Result<VendorRef, AppError> {
        db::vendors::find(&self.db, external_id).await?.ok_or(AppError::NotFound)
    }

    /// The user of this address and password; `WrongCredentials`, after the same time, for whatever is wrong with them.
    pub async fn authenticate(&self, email: &str, password: &str) -> Result<User, AppError> {
        let login = match normalise_email(email) {
            Ok(email) => db::accounts::find_login(&self.db, &email).await?,
            Err(_) => None,
        };
        // No stored password is longer: there is nothing to compare, and hashing it would cost what its sender likes.
        let password = if password.chars().count() > MAX_PASSWORD { "" } else { password };
        let is_right = passwords::verify(password, login.as_ref().map(|login| login.password_hash.clone())).await?;
        match login {
            Some(login) if is_right && !login.disabled => Ok(login.user),
            _ => Err(AppError::WrongCredentials),
        }
    }

    /// Adds a user. `Conflict` where the address is taken, `Invalid` for an unknown vendor, an address that is none, or a password
    /// that is too short.
    pub async fn add_user(&self, email: &str, password: &str, role: Role, vendor: Option<&str>) -> Result<User, AppError> {
        let (email, vendor) = match (normalise_email(email), check_password(password), self.vendor_of(role, vendor).await?) {
            (Ok(email), Ok(()), Ok(vendor)) => (email, vendor),
            (email, password, vendor) => {
                return Err([email.err(), password.err(), vendor.err()].into_iter().flatten().collect::<Vec<_>>().into());
            }
        };
        let hash = passwords::hash(password).await?;
        let user = db::accounts::insert_user(&self.db, &email, &hash, role, vendor, now_us()).await?;
        user.ok_or_else(|| AppError::Conflict(format!("there is a user `{email}` already")))
    }

    /// The vendor that a user of this role belongs to.
    async fn vendor_of(&self, role: Role, vendor: Option<&str>) -> Result<Result<Option<VendorRef>, Invalid>, AppError> {
        Ok(match (role, vendor) {
            (Role::Admin, None) => Ok(None),
            (Role::Admin, Some(_)) => Err(Invalid::new("vendor", "belongs to users of role vendor only")),
            (Role::Vendor, None) => Err(Invalid::new("vendor", "is required for users of role vendor")),
            (Role::Vendor, Some(id)) => match db::vendors::find(&self.db, id).await? {
                Some(vendor) => Ok(Some(vendor)),
                None => Err(Invalid::new("vendor", format!("there is no vendor `{id}`"))),
            },
        })
    }

    /// Every user, by address.
    pub async fn list_users(&self) -> Result<Vec<UserListing>, AppError> {
        Ok(db::accounts::list_users(&self.db).await?)
    }

    /// Notes who did what, when and from where.
    pub async fn audit(&self, actor: &str, action: &str, detail: &str, address: Option<&str>) -> Result<(), AppError> {
        Ok(db::accounts::insert_audit(&self.db, now_us(), actor, action, detail, address).await?)
    }
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}
