use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use moka::future::Cache;

use super::{Accounts, Authenticated};
use crate::domain::accounts::{User, normalise_email};
use crate::server::{
    AppError,
    db::{self, DbError, accounts::UserCredentials},
};

/// How long an instance goes without asking the database about a user who is at work. What ends sessions removes them
/// from the session store too, which every instance asks at every request: this is the second line, for a store that
/// has lost track of them and for whoever changes users in the database itself.
const ASKED_AGAIN: Duration = Duration::from_secs(60);
const USERS_KNOWN: u64 = 100_000;

/// What was last known of users. A session that began under a later epoch than the one known is no reason to end it,
/// but to ask.
pub(super) struct UserStatusCache {
    known: Cache<i64, UserStatus>,
    /// How long sessions are taken to be good still while the database does not answer.
    trusted_unasked: Duration,
    /// Since when it has not; `None` while it does.
    unasked_since: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct UserStatus {
    authenticated: Authenticated,
    disabled: bool,
}

impl UserStatusCache {
    pub fn new(trusted_unasked: Duration) -> Self {
        let known = Cache::builder().max_capacity(USERS_KNOWN).time_to_live(ASKED_AGAIN).build();
        Self { known, trusted_unasked, unasked_since: Mutex::default() }
    }

    /// Notes whether the database has answered. Whether sessions are still taken to be good without it.
    fn trusts_unasked(&self, answered: bool) -> bool {
        let mut since = self.unasked_since.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            *since = None;
            return true;
        }
        since.get_or_insert_with(Instant::now).elapsed() < self.trusted_unasked
    }

    /// Remembers what a login found out.
    pub async fn remember(&self, login: &UserCredentials) -> Authenticated {
        let authenticated =
            Authenticated { user: login.user.clone(), epoch: login.epoch, second_factor: login.second_factor };
        let standing = UserStatus { authenticated: authenticated.clone(), disabled: login.disabled };
        self.known.insert(login.user.id, standing).await;
        authenticated
    }

    pub async fn forget(&self, user: i64) {
        self.known.invalidate(&user).await;
    }
}

impl Accounts {
    /// Whether a session that `user` began under `epoch` is still good: the user is not shut out, has the same role and
    /// vendor, and has ended no sessions since. While the database does not answer it is taken to be, for
    /// `trusted_unasked` and no longer: then it is not known, which is an error.
    pub async fn session_is_valid(&self, user: &User, epoch: i64) -> Result<bool, AppError> {
        match self.statuses.known.get(&user.id).await {
            Some(known) if known.authenticated.epoch >= epoch => Ok(known.allows(user, epoch)),
            _ => match self.ask(user.id).await {
                Ok(standing) => {
                    self.statuses.trusts_unasked(true);
                    Ok(standing.is_some_and(|standing| standing.allows(user, epoch)))
                }
                Err(error) if self.statuses.trusts_unasked(false) => {
                    tracing::warn!(%error, "not known whether a session is still good: taken to be");
                    Ok(true)
                }
                // Whatever is wrong with the database: it is not the session's fault.
                Err(error) => Err(AppError::Sessions(format!("not known whether it is still good: {error}"))),
            },
        }
    }

    /// As `session_is_valid`, by what the database says now. For sessions that are about to begin.
    pub async fn session_is_valid_now(&self, authenticated: &Authenticated) -> Result<bool, AppError> {
        let standing = self.ask(authenticated.user.id).await?;
        Ok(standing.is_some_and(|standing| standing.allows(&authenticated.user, authenticated.epoch)))
    }

    /// The user of this id as the database has it now, where the sessions of `epoch` have not ended.
    pub async fn authenticated_before(&self, user: i64, epoch: i64) -> Result<Option<Authenticated>, AppError> {
        let status = self.ask(user).await?.filter(|status| !status.disabled);
        Ok(status.map(|status| status.authenticated).filter(|now| now.epoch == epoch))
    }

    /// The epoch of the user of this address; `None` where there is none.
    pub async fn epoch_of(&self, email: &str) -> Result<Option<i64>, AppError> {
        let Ok(email) = normalise_email(email) else { return Ok(None) };
        Ok(db::accounts::find_login(&self.db, &email).await?.map(|login| login.epoch))
    }

    async fn ask(&self, user: i64) -> Result<Option<UserStatus>, DbError> {
        let Some(login) = db::accounts::find_login_by_id(&self.db, user).await? else { return Ok(None) };
        let authenticated = self.statuses.remember(&login).await;
        Ok(Some(UserStatus { authenticated, disabled: login.disabled }))
    }
}

impl UserStatus {
    fn allows(&self, user: &User, epoch: i64) -> bool {
        let now = &self.authenticated;
        !self.disabled && now.epoch == epoch && now.user.role == user.role && now.user.vendor == user.vendor
    }
}
