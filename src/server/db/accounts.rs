use sqlx::Row;

use super::{Db, DbError, sql};
use crate::{
    domain::accounts::Role,
    server::{VendorRef, services::accounts::User},
};

/// A user as the login needs it.
pub struct Login {
    pub user: User,
    /// argon2id, PHC format.
    pub password_hash: String,
    pub disabled: bool,
}

/// A user as the command line lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserListing {
    pub email: String,
    pub role: Role,
    /// The marketplace's id of the vendor.
    pub vendor: Option<String>,
    pub disabled: bool,
}

/// The user of this address, which is in its normal form.
pub async fn find_login(db: &Db, email: &str) -> Result<Option<Login>, DbError> {
    let mut tx = db.read().await?;
    let query = sql("SELECT u.id, u.email, u.role, u.password_hash, u.disabled_us, u.vendor_id, v.external_id \
                     FROM users u LEFT JOIN vendors v ON v.id = u.vendor_id WHERE u.email = $1")
    .bind(email.to_owned());
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    let vendor = match (row.try_get::<Option<i64>, _>("vendor_id")?, row.try_get::<Option<String>, _>("external_id")?) {
        (Some(id), Some(external_id)) => Some(VendorRef { id, external_id }),
        _ => None,
    };
    let user = User { id: row.try_get("id")?, email: row.try_get("email")?, role: role(row.try_get("role")?)?, vendor };
    Ok(Some(Login {
        user,
        password_hash: row.try_get("password_hash")?,
        disabled: row.try_get::<Option<i64>, _>("disabled_us")?.is_some(),
    }))
}

/// Adds a user; `None` where the address is taken.
pub async fn insert_user(
    db: &Db,
    email: &str,
    password_hash: &str,
    role: Role,
    vendor: Option<VendorRef>,
    now_us: i64,
) -> Result<Option<User>, DbError> {
    let mut tx = db.write().await?;
    let query = sql("INSERT INTO users (email, password_hash, role, vendor_id, created_us) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (email) DO NOTHING RETURNING id")
    .bind(email.to_owned())
    .bind(password_hash.to_owned())
    .bind(role.as_str())
    .bind(vendor.as_ref().map(|vendor| vendor.id))
    .bind(now_us);
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    let id = row.try_get("id")?;
    tx.commit().await?;
    Ok(Some(User { id, email: email.to_owned(), role, vendor }))
}

/// Every user, by address.
pub async fn list_users(db: &Db) -> Result<Vec<UserListing>, DbError> {
    let mut tx = db.read().await?;
    let query =
        sql("SELECT u.email, u.role, u.disabled_us, v.external_id FROM users u LEFT JOIN vendors v ON v.id = u.vendor_id ORDER BY u.email");
    let rows = tx.rows(query).await?;
    rows.iter()
        .map(|row| {
            Ok(UserListing {
                email: row.try_get("email")?,
                role: role(row.try_get("role")?)?,
                vendor: row.try_get("external_id")?,
                disabled: row.try_get::<Option<i64>, _>("disabled_us")?.is_some(),
            })
        })
        .collect()
}

pub async fn insert_audit(db: &Db, at_us: i64, actor: &str, action: &str, detail: &str, address: Option<&str>) -> Result<(), DbError> {
    let mut tx = db.write().await?;
    let query = sql("INSERT INTO audit_log (at_us, actor, action, detail, address) VALUES ($1, $2, $3, $4, $5)")
        .bind(at_us)
        .bind(actor.to_owned())
        .bind(action.to_owned())
        .bind(detail.to_owned())
        .bind(address.map(str::to_owned));
    tx.execute(query).await?;
    tx.commit().await
}

fn role(text: String) -> Result<Role, DbError> {
    text.parse().map_err(|_| DbError::Corrupt(format!("role `{text}` of a user")))
}
