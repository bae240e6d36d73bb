use serde_json::json;

use super::{Accounts, Actor, Authenticated, now_us};
use crate::{
    domain::accounts::{User, normalise_email},
    server::{
        AppError,
        db::{self, provider_logins},
    },
};

/// How the audit log names this way in.
pub const WAY: &str = "marketplace";

/// What has become of a subject that is to be a user from now on.
pub enum ProviderBinding {
    Bound(Authenticated),
    /// The user was invited, and too long ago: only an admin invites anew, however well somebody proves who it is.
    InvitationEnded,
}

impl Accounts {
    /// The user whom a subject of an issuer belongs to, whatever address it has by now; `None` where it belongs to
    /// nobody yet. `WrongCredentials` where that user is shut out.
    pub async fn find_provider_login(
        &self,
        issuer: &str,
        subject: &str,
        address: Option<&str>,
    ) -> Result<Option<Authenticated>, AppError> {
        let mut tx = self.db.read().await?;
        let found = provider_logins::find_user(&mut tx, issuer, subject).await?;
        drop(tx);
        let Some(user) = found else { return Ok(None) };
        let login = db::accounts::find_login_by_id(&self.db, user).await?;
        match login {
            Some(login) if !login.disabled => Ok(Some(self.statuses.remember(&login).await)),
            login => {
                let email = login.map(|login| login.user.email).unwrap_or_default();
                self.note_provider_failure(&email, "disabled", address).await?;
                Err(AppError::WrongCredentials)
            }
        }
    }

    /// Has a subject of an issuer be the user of this address from now on, and no other ever. Nobody is added.
    /// `WrongCredentials` where there is no such user, where it is shut out, or where it belongs to another subject.
    /// Whoever was invited has come then.
    pub async fn bind_provider_login(
        &self,
        issuer: &str,
        subject: &str,
        email: &str,
        address: Option<&str>,
    ) -> Result<ProviderBinding, AppError> {
        let login = match normalise_email(email) {
            Ok(email) => db::accounts::find_login(&self.db, &email).await?,
            Err(_) => None,
        };
        let refused = match &login {
            None => Some("no such account"),
            Some(login) if login.disabled => Some("disabled"),
            Some(_) => None,
        };
        let (Some(login), None) = (login, refused) else {
            self.note_provider_failure(email, refused.unwrap_or_default(), address).await?;
            return Err(AppError::WrongCredentials);
        };
        let user = &login.user;
        let mut tx = self.db.write().await?;
        if db::password_resets::invitation_has_ended(&mut tx, user.id, now_us()).await? {
            drop(tx);
            self.note_provider_failure(&user.email, "the invitation has ended", address).await?;
            return Ok(ProviderBinding::InvitationEnded);
        }
        if !provider_logins::bind(&mut tx, issuer, subject, user.id, now_us()).await? {
            // Twice at the same time, maybe; else somebody else's.
            let is_the_same = provider_logins::find_user(&mut tx, issuer, subject).await? == Some(user.id);
            drop(tx);
            if !is_the_same {
                self.note_provider_failure(&user.email, "bound to another subject", address).await?;
                return Err(AppError::WrongCredentials);
            }
            return Ok(ProviderBinding::Bound(self.statuses.remember(&login).await));
        }
        db::accounts::accept_invitation(&mut tx, user.id).await?;
        let entry = Actor { name: &user.email, address };
        let entry = entry.entry("login_bind", WAY).became(&json!({ "issuer": issuer, "subject": subject }));
        db::accounts::insert_audit(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(ProviderBinding::Bound(self.statuses.remember(&login).await))
    }

    /// Has no subject be this user any more, and ends all sessions: the next one that comes with the address is.
    /// `NotFound` where there is no such user, `Conflict` where no subject is bound.
    pub async fn unbind_provider_login(&self, email: &str, actor: Actor<'_>) -> Result<User, AppError> {
        let user = self.find_user(email).await?.user;
        let mut tx = self.db.write().await?;
        if !provider_logins::unbind(&mut tx, user.id).await? {
            return Err(AppError::Conflict(format!("`{}` is bound to no login of the marketplace", user.email)));
        }
        db::accounts::end_sessions(&mut tx, user.id).await?;
        Self::note_all_ended(&mut tx, user.id).await?;
        db::accounts::insert_audit(&mut tx, &actor.entry("login_unbind", &user.email)).await?;
        tx.commit().await?;
        self.statuses.forget(user.id).await;
        Ok(user)
    }

    /// Notes a login through the marketplace that was refused, under the address that was claimed.
    pub async fn note_provider_failure(&self, email: &str, why: &str, address: Option<&str>) -> Result<(), AppError> {
        self.note_failed_login(email, &format!("{WAY}: {why}"), address).await
    }
}
