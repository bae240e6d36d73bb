use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::{Accounts, now_us};
use crate::server::{
    AppError,
    db::{self, DbError, Tx},
};

/// How long a session lives at most, in microseconds.
const LIFETIME_US: i64 = 24 * 3600 * 1_000_000;
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks overlap by this: clocks of instances differ, and what began first need not commit first. In microseconds.
const OVERLAP_US: i64 = 30 * 1_000_000;

/// What this instance knows to have ended, and when each would have run out. The session store knows the same, unless
/// it has gone back in time: restored from a snapshot, failed over without the last writes.
#[derive(Default)]
pub(super) struct EndedSessions(Mutex<HashMap<String, i64>>);

impl EndedSessions {
    fn learn(&self, ended: impl IntoIterator<Item = (String, i64)>) {
        let (mut known, now) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), now_us());
        known.retain(|_, until| *until > now);
        known.extend(ended);
    }

    fn contains(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }
}

/// All sessions of a user.
fn all_of(user: i64) -> String {
    format!("user:{user}")
}

impl Accounts {
    /// Notes in the database that the session of this name has ended. To be called before the session store is told.
    pub async fn end_session(&self, name: &str) -> Result<(), AppError> {
        let (now, until) = (now_us(), now_us() + LIFETIME_US);
        let mut tx = self.db.write().await?;
        db::ended_sessions::insert(&mut tx, name, now, until).await?;
        tx.commit().await?;
        self.ended.learn([(name.to_owned(), until)]);
        Ok(())
    }

    /// Whether the database says that the session of this name has ended, whatever the session store says.
    pub fn session_has_ended(&self, name: &str) -> bool {
        self.ended.contains(name)
    }

    /// Tells the other instances, with the transaction that ends all sessions of a user: they ask about the user anew.
    pub(super) async fn note_all_ended(tx: &mut Tx, user: i64) -> Result<(), DbError> {
        db::ended_sessions::insert(tx, &all_of(user), now_us(), now_us() + LIFETIME_US).await
    }

    /// Learns what has ended, on every instance, in the time that sessions live.
    pub async fn learn_ended_sessions(&self) -> Result<(), AppError> {
        Ok(self.learn_since(now_us() - LIFETIME_US).await?)
    }

    /// Goes on learning it.
    pub async fn follow_ended_sessions(&self) {
        let mut since = now_us();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = now_us();
            match self.learn_since(since - OVERLAP_US).await {
                Ok(()) => since = now,
                Err(error) => tracing::debug!(%error, "not known which sessions have ended: what is known counts"),
            }
        }
    }

    async fn learn_since(&self, since_us: i64) -> Result<(), DbError> {
        let ended = db::ended_sessions::list_since(&self.db, since_us).await?;
        for user in ended.iter().filter_map(|(name, _)| name.strip_prefix("user:")?.parse().ok()) {
            // Whether this user's sessions are good is a question of their epoch.
            self.statuses.forget(user).await;
        }
        self.ended.learn(ended.into_iter().filter(|(name, _)| !name.starts_with("user:")));
        Ok(())
    }
}
