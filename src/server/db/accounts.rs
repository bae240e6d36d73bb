use sqlx::{Row, any::AnyRow};

use super::{Db, DbError, Tx, rows, sql};
use crate::domain::accounts::{Person, Role, User, VendorRef};

/// A user as the login needs it.
pub struct UserCredentials {
    pub user: User,
    /// argon2id, PHC format.
    pub password_hash: String,
    pub disabled: bool,
    /// Sessions that began under an earlier number have ended.
    pub epoch: i64,
    /// Whether the login asks for a one-time code too.
    pub second_factor: bool,
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

const LOGIN: &str = "SELECT u.id, u.email, u.role, u.read_only, u.password_hash, u.disabled_us, u.session_epoch, \
    u.vendor_id, v.external_id, \
                     f.confirmed_us FROM users u LEFT JOIN vendors v ON v.id = u.vendor_id \
                     LEFT JOIN second_factors f ON f.user_id = u.id";

/// The user of this address, which is in its normal form.
pub async fn find_login(db: &Db, email: &str) -> Result<Option<UserCredentials>, DbError> {
    let mut tx = db.read().await?;
    tx.row(sql(format!("{LOGIN} WHERE u.email = $1")).bind(email.to_owned())).await?.map(|row| login(&row)).transpose()
}

/// The user of this id.
pub async fn find_login_by_id(db: &Db, id: i64) -> Result<Option<UserCredentials>, DbError> {
    let mut tx = db.read().await?;
    tx.row(sql(format!("{LOGIN} WHERE u.id = $1")).bind(id)).await?.map(|row| login(&row)).transpose()
}

/// The user of this id, as nobody else changes it until the transaction ends.
pub async fn lock_login(tx: &mut Tx, id: i64) -> Result<Option<UserCredentials>, DbError> {
    let lock = format!("SELECT id FROM users WHERE id = $1{}", tx.dialect.for_update());
    tx.row(sql(lock).bind(id)).await?;
    tx.row(sql(format!("{LOGIN} WHERE u.id = $1")).bind(id)).await?.map(|row| login(&row)).transpose()
}

fn login(row: &AnyRow) -> Result<UserCredentials, DbError> {
    Ok(UserCredentials {
        user: user(row)?,
        password_hash: row.try_get("password_hash")?,
        disabled: row.try_get::<Option<i64>, _>("disabled_us")?.is_some(),
        epoch: row.try_get("session_epoch")?,
        second_factor: row.try_get::<Option<i64>, _>("confirmed_us")?.is_some(),
    })
}

/// Columns id, email, role and read_only of a user, vendor_id and external_id of its vendor.
pub(super) fn user(row: &AnyRow) -> Result<User, DbError> {
    let vendor = match (row.try_get::<Option<i64>, _>("vendor_id")?, row.try_get::<Option<String>, _>("external_id")?) {
        (Some(id), Some(external_id)) => Some(VendorRef { id, external_id }),
        _ => None,
    };
    Ok(User { id: row.try_get("id")?, email: row.try_get("email")?, role: role(row)?, vendor })
}

/// Gives a user another password and ends all sessions, in the transaction. The new epoch; `None` where the password is
/// no longer the one that was hashed to `expected` (`None`: whatever it is).
pub async fn set_password(tx: &mut Tx, user: i64, expected: Option<&str>, hash: &str) -> Result<Option<i64>, DbError> {
    let unchanged = if expected.is_some() { " AND password_hash = $3" } else { "" };
    let text = format!(
        "UPDATE users SET password_hash = $1, session_epoch = session_epoch + 1, invited_us = NULL \
         WHERE id = $2{unchanged} RETURNING session_epoch"
    );
    let query = sql(text).bind(hash.to_owned()).bind(user);
    let query = match expected {
        Some(expected) => query.bind(expected.to_owned()),
        None => query,
    };
    tx.row(query).await?.map(|row| Ok(row.try_get("session_epoch")?)).transpose()
}

/// Ends all sessions of a user. The new epoch; `None` where there is no such user.
pub async fn end_sessions(tx: &mut Tx, user: i64) -> Result<Option<i64>, DbError> {
    let query =
        sql("UPDATE users SET session_epoch = session_epoch + 1 WHERE id = $1 RETURNING session_epoch").bind(user);
    tx.row(query).await?.map(|row| Ok(row.try_get("session_epoch")?)).transpose()
}

/// Shuts a user out from `at_us` on, or lets one in again (`None`). Either way all sessions have ended.
pub async fn set_disabled(tx: &mut Tx, user: i64, at_us: Option<i64>) -> Result<(), DbError> {
    let query = sql("UPDATE users SET disabled_us = $1, session_epoch = session_epoch + 1 WHERE id = $2")
        .bind(at_us)
        .bind(user);
    tx.execute(query).await.map(|_| ())
}

/// Adds a user; `None` where the address is taken. `invited`: who has still to choose a password.
pub async fn insert_user(
    tx: &mut Tx,
    email: &str,
    password_hash: &str,
    role: Role,
    vendor: Option<VendorRef>,
    now_us: i64,
    invited: bool,
) -> Result<Option<User>, DbError> {
    let (stored, read_only) = columns(role);
    let query = sql("INSERT INTO users (email, password_hash, role, read_only, vendor_id, created_us, invited_us) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email) DO NOTHING RETURNING id")
    .bind(email.to_owned())
    .bind(password_hash.to_owned())
    .bind(stored)
    .bind(read_only)
    .bind(vendor.as_ref().map(|vendor| vendor.id))
    .bind(now_us)
    .bind(invited.then_some(now_us));
    let Some(row) = tx.row(query).await? else { return Ok(None) };
    Ok(Some(User { id: row.try_get("id")?, email: email.to_owned(), role, vendor }))
}

/// An invitation that somebody has followed without choosing a password.
pub async fn accept_invitation(tx: &mut Tx, user: i64) -> Result<(), DbError> {
    tx.execute(sql("UPDATE users SET invited_us = NULL WHERE id = $1").bind(user)).await.map(|_| ())
}

/// Gives a user another role, and ends all sessions.
pub async fn set_role(tx: &mut Tx, user: i64, role: Role, vendor: Option<&VendorRef>) -> Result<(), DbError> {
    let (stored, read_only) = columns(role);
    let query = sql(
        "UPDATE users SET role = $1, read_only = $2, vendor_id = $3, session_epoch = session_epoch + 1 WHERE id = $4",
    )
    .bind(stored)
    .bind(read_only)
    .bind(vendor.map(|vendor| vendor.id))
    .bind(user);
    tx.execute(query).await.map(|_| ())
}

/// Admins who may log in, as nobody else changes them until the transaction ends.
pub async fn lock_admins(tx: &mut Tx) -> Result<Vec<i64>, DbError> {
    let query = format!(
        "SELECT id FROM users WHERE role = 'admin' AND disabled_us IS NULL AND invited_us IS NULL ORDER BY id{}",
        tx.dialect.for_update()
    );
    tx.rows(sql(query)).await?.iter().map(|row| rows::int(row, "id")).collect()
}

const PERSON: &str = "SELECT u.id, u.email, u.role, u.read_only, u.disabled_us, u.invited_us, u.created_us, \
                      v.external_id, f.confirmed_us, \
                      (SELECT COUNT(*) FROM provider_logins p WHERE p.user_id = u.id) AS bound \
                      FROM users u LEFT JOIN vendors v ON v.id = u.vendor_id \
                      LEFT JOIN second_factors f ON f.user_id = u.id";

/// Users whose address is behind `after`, by address, `limit` at most.
pub async fn list_people(db: &Db, after: &str, limit: i64) -> Result<Vec<Person>, DbError> {
    let query =
        sql(format!("{PERSON} WHERE u.email > $1 ORDER BY u.email LIMIT $2")).bind(after.to_owned()).bind(limit);
    let mut tx = db.read().await?;
    tx.rows(query).await?.iter().map(person).collect()
}

/// The user of this id.
pub async fn find_person(db: &Db, id: i64) -> Result<Option<Person>, DbError> {
    let mut tx = db.read().await?;
    tx.row(sql(format!("{PERSON} WHERE u.id = $1")).bind(id)).await?.map(|row| person(&row)).transpose()
}

fn person(row: &AnyRow) -> Result<Person, DbError> {
    let is_set = |column: &str| Ok::<bool, DbError>(row.try_get::<Option<i64>, _>(column)?.is_some());
    Ok(Person {
        user_id: row.try_get::<i64, _>("id")?.to_string(),
        email: row.try_get("email")?,
        role: role(row)?,
        vendor_id: row.try_get("external_id")?,
        invited: is_set("invited_us")?,
        disabled: is_set("disabled_us")?,
        second_factor: is_set("confirmed_us")?,
        marketplace_login: row.try_get::<i64, _>("bound")? > 0,
        created_at: rows::instant(row, "created_us")?,
    })
}

/// Every user, by address.
pub async fn list_users(db: &Db) -> Result<Vec<UserListing>, DbError> {
    let mut tx = db.read().await?;
    let query = sql("SELECT u.email, u.role, u.read_only, u.disabled_us, v.external_id FROM users u \
         LEFT JOIN vendors v ON v.id = u.vendor_id ORDER BY u.email");
    let rows = tx.rows(query).await?;
    rows.iter()
        .map(|row| {
            Ok(UserListing {
                email: row.try_get("email")?,
                role: role(row)?,
                vendor: row.try_get("external_id")?,
                disabled: row.try_get::<Option<i64>, _>("disabled_us")?.is_some(),
            })
        })
        .collect()
}

/// One line of the audit log.
pub struct AuditEntry<'a> {
    pub at_us: i64,
    /// The user's address, or `cli`.
    pub actor: &'a str,
    pub action: &'a str,
    pub detail: &'a str,
    /// The client's network address.
    pub address: Option<&'a str>,
    /// What it was before and after, JSON.
    pub was: Option<String>,
    pub became: Option<String>,
}

impl AuditEntry<'_> {
    /// The same, with what it was before.
    #[must_use]
    pub fn was(self, value: &serde_json::Value) -> Self {
        Self { was: Some(value.to_string()), ..self }
    }

    /// The same, with what it is after.
    #[must_use]
    pub fn became(self, value: &serde_json::Value) -> Self {
        Self { became: Some(value.to_string()), ..self }
    }
}

/// Notes something in the transaction in which it happens; with the currency of the vendor whose user did it, in which
/// any amounts are.
pub async fn insert_audit(tx: &mut Tx, entry: &AuditEntry<'_>) -> Result<(), DbError> {
    let AuditEntry { at_us, actor, action, detail, address, was, became } = entry;
    let query = sql("INSERT INTO audit_log (at_us, actor, action, detail, address, was, became, currency) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT v.currency FROM users u \
                     JOIN vendors v ON v.id = u.vendor_id WHERE u.email = $8))")
    .bind(*at_us)
    .bind((*actor).to_owned())
    .bind((*action).to_owned())
    .bind((*detail).to_owned())
    .bind(address.map(str::to_owned))
    .bind(was.clone())
    .bind(became.clone())
    .bind((*actor).to_owned());
    tx.execute(query).await.map(|_| ())
}

/// Of columns role and read_only.
fn role(row: &AnyRow) -> Result<Role, DbError> {
    let text: String = row.try_get("role")?;
    match text.parse() {
        Ok(Role::Vendor) if row.try_get::<i64, _>("read_only")? == 1 => Ok(Role::Accountant),
        Ok(role) => Ok(role),
        Err(_) => Err(DbError::Corrupt(format!("role `{text}` of a user"))),
    }
}

/// A role as columns role and read_only.
fn columns(role: Role) -> (&'static str, i64) {
    match role {
        Role::Accountant => (Role::Vendor.as_str(), 1),
        role => (role.as_str(), 0),
    }
}
