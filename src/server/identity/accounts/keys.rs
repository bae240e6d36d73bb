use serde::Serialize;
use tracing::Instrument;

use super::{Accounts, Actor, digest, now_us, random_token, second_factor::still_proven};
use crate::{
    domain::{
        accounts::{
            ApiKey, KeyOfUser, KeyScope, MAX_KEY_DAYS, MAX_KEYS, Person, Role, USUAL_KEY_DAYS, User, read_key_name,
        },
        field_error::Checks,
    },
    server::{
        AppError,
        db::{self, Tx},
        services::Sender,
    },
};

/// What every key begins with, so that one that has leaked into a log or a repository is found by searching for it.
const MARK: &str = "vsk_";
/// Characters of a key that may be shown.
const SHOWN: usize = MARK.len() + 8;
/// How often the last use of a key is written, in microseconds.
const NOTED_EVERY_US: i64 = 60 * 1_000_000;

const DAY_US: i64 = 86_400_000_000;
/// The most keys of an overview.
const MOST_LISTED: i64 = 2_000;

/// A key as it is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub key: ApiKey,
    /// The key itself. Nobody can find it out again.
    pub secret: String,
}

/// What a key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyOrder {
    pub name: String,
    pub scope: KeyScope,
    /// The marketplace's id of the one vendor that a key ingests for.
    pub vendor_id: Option<String>,
    /// `None`: as long as is usual.
    pub days: Option<i64>,
}

/// What the key of a request may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    pub scope: KeyScope,
    /// The marketplace's id of the one vendor that it ingests for.
    pub vendor: Option<String>,
}

/// Whose key it is, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyUser {
    pub user: User,
    pub grant: KeyGrant,
}

impl Accounts {
    /// Makes a key that lets programs use the API as this user, who proves to be it by the password. `Conflict` where
    /// the user has as many as one may have, `Invalid` by field. What the sender has sent before is answered as then,
    /// to whoever proves it again.
    pub async fn create_key(
        &self,
        user: &User,
        password: &str,
        order: &KeyOrder,
        sender: &Sender,
        actor: Actor<'_>,
    ) -> Result<NewKey, AppError> {
        let once = sender.once("key created", order)?;
        let mut checks = Checks::default();
        let name = checks.accept(read_key_name(&order.name));
        let days = order.days.unwrap_or(USUAL_KEY_DAYS);
        checks.require((1..=MAX_KEY_DAYS).contains(&days), "expiresInDays", || format!("must be 1 to {MAX_KEY_DAYS}"));
        checks.require(order.scope != KeyScope::Ingest || user.role == Role::Admin, "scope", || {
            "`ingest` is for admins: their keys send what the marketplace's backend knows".to_owned()
        });
        checks.require(order.vendor_id.is_none() || order.scope == KeyScope::Ingest, "vendorId", || {
            "belongs to keys that ingest only".to_owned()
        });
        let vendor = match order.vendor_id.as_deref().filter(|_| user.role == Role::Admin) {
            Some(id) => {
                let found = db::vendors::find(&self.db, id).await?;
                checks.require(found.is_some(), "vendorId", || format!("there is no vendor `{id}`"));
                found
            }
            None => None,
        };
        checks.finish()?;
        let proven = self.check_own_password(user, password, actor).await?;
        let name = name.unwrap_or_default();
        let secret = format!("{MARK}{}", random_token());
        let prefix = secret.chars().take(SHOWN).collect::<String>();
        let mut tx = self.db.write().await?;
        still_proven(&mut tx, &proven).await?;
        if let Some(once) = &once
            && let Some((id, sealed)) = once.answered::<(i64, String)>(&mut tx).await?
        {
            return self.key_made_before(&mut tx, user, id, &sealed).await;
        }
        let keys = db::api_keys::list(&mut tx, user.id).await?;
        if keys.len() >= MAX_KEYS {
            return Err(AppError::Conflict(format!(
                "there are {MAX_KEYS} keys already: revoke one that is not used any more"
            )));
        }
        let now = now_us();
        let row = db::api_keys::KeyRow {
            name: &name,
            prefix: &prefix,
            key_hash: &digest(&secret),
            scope: order.scope,
            vendor: vendor.as_ref().map(|vendor| vendor.id),
            created_us: now,
            expires_us: now + days * DAY_US,
        };
        let id = db::api_keys::insert(&mut tx, user.id, &row).await?;
        let of = vendor.map(|vendor| format!(" of vendor {}", vendor.external_id)).unwrap_or_default();
        let detail = format!("{id} {name}: {}{of}, {days} days", order.scope.as_str());
        db::accounts::insert_audit(&mut tx, &actor.entry("key_create", &detail)).await?;
        let key = find_key(&mut tx, user, id).await?;
        if let Some(once) = &once {
            let sealed = self.remembered.seal(secret.as_bytes(), &id.to_be_bytes())?;
            once.remember(&mut tx, &(id, sealed)).await?;
        }
        tx.commit().await?;
        let key = key.ok_or_else(|| AppError::Internal("a new key that is not there".to_owned()))?;
        Ok(NewKey { key, secret })
    }

    /// A key as it was told when it was made. `Conflict` where it was revoked since, or nobody can read it any more.
    async fn key_made_before(&self, tx: &mut Tx, user: &User, id: i64, sealed: &str) -> Result<NewKey, AppError> {
        let opened = self.remembered.open(sealed, &id.to_be_bytes());
        let secret = opened.and_then(|opened| String::from_utf8(opened.text).ok());
        let made = find_key(tx, user, id).await?.zip(secret);
        made.map(|(key, secret)| NewKey { key, secret }).ok_or_else(|| {
            AppError::Conflict("this key was made before, and cannot be shown again: make another one".to_owned())
        })
    }

    /// Everybody's keys, by address, for an admin.
    pub async fn list_all_keys(&self) -> Result<Vec<KeyOfUser>, AppError> {
        let mut tx = self.db.read().await?;
        let keys = db::api_keys::list_all(&mut tx, MOST_LISTED).await?;
        Ok(keys.into_iter().map(|listed| KeyOfUser { email: listed.email, key: listed.key }).collect())
    }

    /// Makes anybody's key worthless, for an admin. `NotFound` where there is none of this id.
    pub async fn revoke_any_key(&self, key_id: &str, actor: Actor<'_>) -> Result<(), AppError> {
        let id = key_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        let mut tx = self.db.write().await?;
        let (name, email) = db::api_keys::revoke_any(&mut tx, id, now_us()).await?.ok_or(AppError::NotFound)?;
        let detail = format!("{id} {name} of {email}");
        db::accounts::insert_audit(&mut tx, &actor.entry("key_revoke", &detail)).await?;
        Ok(tx.commit().await?)
    }

    /// One person's keys, oldest first, for an admin.
    pub async fn list_keys_of(&self, person: &Person) -> Result<Vec<ApiKey>, AppError> {
        let id = person.user_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        let mut tx = self.db.read().await?;
        Ok(db::api_keys::list(&mut tx, id).await?)
    }

    /// The user's keys, oldest first.
    pub async fn list_keys(&self, user: &User) -> Result<Vec<ApiKey>, AppError> {
        let mut tx = self.db.read().await?;
        Ok(db::api_keys::list(&mut tx, user.id).await?)
    }

    /// Makes one of the user's keys worthless, on every instance at once. `NotFound` where there is none of this id.
    pub async fn revoke_key(&self, user: &User, key_id: &str, actor: Actor<'_>) -> Result<(), AppError> {
        let id = key_id.parse::<i64>().map_err(|_| AppError::NotFound)?;
        let mut tx = self.db.write().await?;
        let name = db::api_keys::revoke(&mut tx, user.id, id, now_us()).await?.ok_or(AppError::NotFound)?;
        db::accounts::insert_audit(&mut tx, &actor.entry("key_revoke", &format!("{id} {name}"))).await?;
        Ok(tx.commit().await?)
    }

    /// Whether this was a key when it was last sent to this instance, not long ago.
    pub fn was_key(&self, secret: &str) -> bool {
        self.keys_seen.contains_key(&digest(secret))
    }

    /// The user that a key belongs to, and what it may do. Asks the database every time, so that a revoked key is worth
    /// nothing from that moment on.
    pub async fn find_key_user(&self, secret: &str) -> Result<Option<KeyUser>, AppError> {
        let is_key = secret
            .strip_prefix(MARK)
            .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_key {
            return Ok(None);
        }
        let hash = digest(secret);
        let Some(key) = db::api_keys::find_in_use(&self.db, &hash, now_us()).await? else {
            self.keys_seen.invalidate(&hash).await;
            return Ok(None);
        };
        self.keys_seen.insert(hash, ()).await;
        let (now, before) = (now_us(), now_us() - NOTED_EVERY_US);
        if key.last_used_us.is_none_or(|last| last <= before) {
            let (db, id) = (self.db.clone(), key.id);
            // Beside the request: it must not wait for a writer, nor fail because there is one.
            let note = async move {
                if let Err(error) = db::api_keys::note_use(&db, id, now, before).await {
                    tracing::warn!(%error, "the use of a key was not noted");
                }
            };
            tokio::spawn(note.in_current_span());
        }
        Ok(Some(KeyUser { user: key.user, grant: KeyGrant { scope: key.scope, vendor: key.vendor } }))
    }
}

/// One of the user's keys; `None` where it was revoked.
async fn find_key(tx: &mut Tx, user: &User, id: i64) -> Result<Option<ApiKey>, AppError> {
    Ok(db::api_keys::list(tx, user.id).await?.into_iter().find(|key| key.key_id == id.to_string()))
}
