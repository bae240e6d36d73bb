use super::{Accounts, Actor, Authenticated, comparable, digest, now_us, random_token};
use crate::domain::accounts::User;
use crate::{
    domain::{accounts::normalise_email, field_error::FieldError},
    server::{
        AppError,
        db::{self, accounts::UserCredentials, password_resets::NewLink},
        identity::passwords,
    },
};

/// How long a link to choose another password works, in microseconds.
const RESET_LASTS_US: i64 = 60 * 60 * 1_000_000;

impl Accounts {
    /// Gives a user another password. Every session of the user has ended then, every key is revoked, and the answer is
    /// what the next one
    /// begins with. `Invalid` where `current` is not the password, or the new one is no good.
    pub async fn change_password(
        &self,
        user: &User,
        current: &str,
        new: &str,
        actor: Actor<'_>,
    ) -> Result<Authenticated, AppError> {
        let login = db::accounts::find_login_by_id(&self.db, user.id).await?.filter(|login| !login.disabled);
        let login = login.ok_or(AppError::Unauthenticated)?;
        if !passwords::verify(comparable(current), Some(login.password_hash.clone())).await? {
            self.audit(actor.name, "password_change_failed", "", actor.address).await?;
            return Err(FieldError::new("current", "is not your password").into());
        }
        if new == current {
            return Err(FieldError::new("password", "must be another one than before").into());
        }
        passwords::check_new(new, &[&login.user.email]).await?;
        let hash = passwords::hash(new).await?;
        let mut tx = self.db.write().await?;
        let epoch = db::accounts::set_password(&mut tx, user.id, Some(&login.password_hash), &hash).await?;
        let epoch = epoch.ok_or_else(|| AppError::Conflict("the password was changed at the same time".to_owned()))?;
        db::password_resets::delete_all(&mut tx, user.id).await?;
        db::api_keys::revoke_all(&mut tx, user.id, now_us()).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("password_change", "")).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(Authenticated { user: login.user, epoch, second_factor: login.second_factor })
    }

    /// Ends all sessions of a user, as far as the database is concerned, and revokes all keys. The epoch from now on.
    pub async fn end_sessions(&self, user: &User, actor: Actor<'_>) -> Result<i64, AppError> {
        let mut tx = self.db.write().await?;
        let epoch = db::accounts::end_sessions(&mut tx, user.id).await?.ok_or(AppError::Unauthenticated)?;
        db::api_keys::revoke_all(&mut tx, user.id, now_us()).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("logout_everywhere", "")).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(epoch)
    }

    /// Shuts a user out: no login, no session, no key, no link works any more. Keys do not come back when the user
    /// does.
    pub async fn disable(&self, email: &str, actor: Actor<'_>) -> Result<User, AppError> {
        let user = self.find_user(email).await?.user;
        let mut tx = self.db.write().await?;
        db::accounts::set_disabled(&mut tx, user.id, Some(now_us())).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::api_keys::revoke_all(&mut tx, user.id, now_us()).await?;
        db::password_resets::delete_all(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("user_disable", &user.email)).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// Lets a user in again, with the password that was.
    pub async fn enable(&self, email: &str, actor: Actor<'_>) -> Result<User, AppError> {
        let user = self.find_user(email).await?.user;
        let mut tx = self.db.write().await?;
        db::accounts::set_disabled(&mut tx, user.id, None).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("user_enable", &user.email)).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// A token with which the user can choose another password, once, within an hour. Earlier ones are worth nothing
    /// from now on.
    pub async fn create_reset(&self, email: &str, actor: Actor<'_>) -> Result<String, AppError> {
        let login = self.find_user(email).await?;
        if login.disabled {
            return Err(AppError::Conflict(format!("`{}` is disabled: enable it first", login.user.email)));
        }
        let token = random_token();
        let mut tx = self.db.write().await?;
        let link = NewLink {
            user: login.user.id,
            token_hash: &digest(&token),
            made_by: actor.name,
            expires_us: now_us() + RESET_LASTS_US,
        };
        db::password_resets::insert(&mut tx, &link, now_us()).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("password_reset_link", &login.user.email)).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Gives the user that the token was made for another password, and uses the token up. All sessions of the user
    /// have ended then, and all keys are revoked. The user, and the epoch from now on. `Invalid` where the token is
    /// worth nothing (any more), or the password is no good, which leaves the token as it was.
    pub async fn reset_password(&self, token: &str, new: &str, address: Option<&str>) -> Result<(User, i64), AppError> {
        let worthless = || {
            AppError::from(FieldError::new(
                "token",
                "This link was used already, or is older than an hour. Ask for another one.",
            ))
        };
        let token = digest(token);
        let mut tx = self.db.read().await?;
        let found = db::password_resets::find_user(&mut tx, &token, now_us()).await?.ok_or_else(worthless)?;
        drop(tx);
        let login = db::accounts::find_login_by_id(&self.db, found)
            .await?
            .filter(|login| !login.disabled)
            .ok_or_else(worthless)?;
        passwords::check_new(new, &[&login.user.email]).await?;
        let hash = passwords::hash(new).await?;
        let mut tx = self.db.write().await?;
        let made_by = db::password_resets::take(&mut tx, &token, now_us()).await?.ok_or_else(worthless)?;
        let epoch = db::accounts::set_password(&mut tx, found, None, &hash).await?.ok_or_else(worthless)?;
        db::api_keys::revoke_all(&mut tx, found, now_us()).await?;
        Self::note_all_ended(&mut tx, found).await?;
        let actor = Actor { name: &login.user.email, address };
        // Whoever makes a link for somebody else may have used it too.
        let detail = made_by.filter(|maker| *maker != login.user.email);
        let detail = detail.map(|maker| format!("with a link that {maker} has made")).unwrap_or_default();
        db::accounts::insert_audit(&mut tx, &actor.entry("password_reset", &detail)).await?;
        tx.commit().await?;
        self.statuses.forget(found).await;
        Ok((login.user, epoch))
    }

    /// The user of this address; `NotFound` where there is none.
    pub(super) async fn find_user(&self, email: &str) -> Result<UserCredentials, AppError> {
        db::accounts::find_login(&self.db, &normalise_email(email)?).await?.ok_or(AppError::NotFound)
    }
}
