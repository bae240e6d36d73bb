use tracing::Instrument;

use super::{Accounts, Actor, digest, now_us, random_token};
use crate::{
    domain::accounts::{ApiKey, MAX_KEYS, User, read_key_name},
    server::{AppError, db},
};

/// What every key begins with, so that one that has leaked into a log or a repository is found by searching for it.
const MARK: &str = "vsk_";
/// Characters of a key that may be shown.
const SHOWN: usize = MARK.len() + 8;
/// How often the last use of a key is written, in microseconds.
const NOTED_EVERY_US: i64 = 60 * 1_000_000;

/// A key as it is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    pub key: ApiKey,
    /// The key itself. Nobody can find it out again.
    pub secret: String,
}

impl Accounts {
    /// Makes a key that lets programs use the API as this user. `Conflict` where the user has as many as one may have.
    pub async fn create_key(&self, user: &User, name: &str, actor: Actor<'_>) -> Result<NewKey, AppError> {
        let name = read_key_name(name)?;
        let secret = format!("{MARK}{}", random_token());
        let prefix = secret.chars().take(SHOWN).collect::<String>();
        let mut tx = self.db.write().await?;
        let keys = db::api_keys::list(&mut tx, user.id).await?;
        if keys.len() >= MAX_KEYS {
            return Err(AppError::Conflict(format!(
                "there are {MAX_KEYS} keys already: revoke one that is not used any more"
            )));
        }
        let id = db::api_keys::insert(&mut tx, user.id, &name, &prefix, &digest(&secret), now_us()).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("key_create", &format!("{id} {name}"))).await?;
        let key = db::api_keys::list(&mut tx, user.id).await?.into_iter().find(|key| key.key_id == id.to_string());
        tx.commit().await?;
        let key = key.ok_or_else(|| AppError::Internal("a new key that is not there".to_owned()))?;
        Ok(NewKey { key, secret })
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

    /// The user that a key belongs to. Asks the database every time, so that a revoked key is worth nothing from that
    /// moment on.
    pub async fn find_key_user(&self, secret: &str) -> Result<Option<User>, AppError> {
        let is_key = secret
            .strip_prefix(MARK)
            .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_key {
            return Ok(None);
        }
        let hash = digest(secret);
        let Some(key) = db::api_keys::find_in_use(&self.db, &hash).await? else {
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
        Ok(Some(key.user))
    }
}
