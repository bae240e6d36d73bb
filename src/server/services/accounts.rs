use crate::{
    domain::accounts::{Role, Vendor},
    server::{AppError, VendorRef, cache::Cache, db::Db},
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
        let _ = (&self.db, &self.cache, vendor);
        todo!()
    }

    /// The vendor with this marketplace id, for an admin. `NotFound` where there is none.
    pub async fn find_vendor(&self, external_id: &str) -> Result<VendorRef, AppError> {
        let _ = external_id;
        todo!()
    }

    /// The user of this address and password; `WrongCredentials`, after the same time, for whatever is wrong with them.
    pub async fn authenticate(&self, email: &str, password: &str) -> Result<User, AppError> {
        let _ = (email, password);
        todo!()
    }

    /// Adds a user. `Conflict` where the address is taken, `Invalid` for an unknown vendor or a password that is too short.
    pub async fn add_user(&self, email: &str, password: &str, role: Role, vendor: Option<&str>) -> Result<User, AppError> {
        let _ = (email, password, role, vendor);
        todo!()
    }

    /// Notes who did what, when and from where.
    pub async fn audit(&self, actor: &str, action: &str, detail: &str, address: Option<&str>) -> Result<(), AppError> {
        let _ = (actor, action, detail, address);
        todo!()
    }
}
