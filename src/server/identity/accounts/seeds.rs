//! What one-time codes are worked out of, as the database has it: sealed, so that who reads it works none out.

use std::time::Duration;

use super::Accounts;
use crate::server::{
    AppError,
    config::SessionConfig,
    db::second_factors,
    identity::sealing::{Opened, Sealing},
};

/// What a sealed seed begins with, before the name of its key. Base32 has no such letters.
const SEALED: &str = "sealed";
const BATCH: i64 = 500;

/// Seals seeds, and opens them: each for its user alone.
#[derive(Debug)]
pub(super) struct Seeds {
    sealing: Sealing,
    /// The secret is forgotten when this process ends: nothing may depend on it.
    leaves_plain: bool,
    looked_at_every: Duration,
}

/// How all seeds stand in the database, in numbers of users.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedsFound {
    pub by_current: u64,
    pub by_previous: u64,
    /// From before seeds were sealed, or from development without a secret.
    pub plain: u64,
    /// Sealed with a secret that is neither: their users' codes cannot be checked.
    pub unreadable: u64,
}

enum Stored {
    Plain,
    Sealed(Opened),
    Unreadable,
}

impl Seeds {
    pub fn new(config: &SessionConfig) -> Self {
        Self {
            sealing: Sealing::new("seed of codes", config),
            leaves_plain: config.secret_is_temporary,
            looked_at_every: config.seeds_looked_at_every,
        }
    }

    /// As it is stored.
    pub fn close(&self, user: i64, seed: &str) -> Result<String, AppError> {
        if self.leaves_plain {
            return Ok(seed.to_owned());
        }
        let sealed = self.sealing.seal(seed.as_bytes(), &user.to_be_bytes())?;
        Ok(format!("{SEALED}:{}:{sealed}", self.sealing.name()))
    }

    /// The seed; `None` where it was sealed with a secret that is not there any more, or for somebody else.
    pub fn open(&self, user: i64, stored: &str) -> Option<String> {
        match self.read(user, stored) {
            Stored::Plain => Some(stored.to_owned()),
            Stored::Sealed(opened) => String::from_utf8(opened.text).ok(),
            Stored::Unreadable => None,
        }
    }

    fn read(&self, user: i64, stored: &str) -> Stored {
        let Some((_, sealed)) = stored.strip_prefix(SEALED).and_then(|rest| rest.strip_prefix(':')?.split_once(':'))
        else {
            return Stored::Plain;
        };
        self.sealing.open(sealed, &user.to_be_bytes()).map_or(Stored::Unreadable, Stored::Sealed)
    }
}

impl Accounts {
    /// How seeds stand in the database. Changes nothing.
    pub async fn look_at_seeds(&self) -> Result<SeedsFound, AppError> {
        self.go_through_seeds(false).await
    }

    /// Seals with the present secret what another has sealed, or none. How they stood before.
    pub async fn seal_seeds(&self) -> Result<SeedsFound, AppError> {
        self.go_through_seeds(!self.seeds.leaves_plain).await
    }

    /// The same, again and again: a secret that was replaced is not needed for long.
    pub async fn keep_seeds_sealed(&self) {
        loop {
            tokio::time::sleep(self.seeds.looked_at_every).await;
            match self.seal_seeds().await {
                Ok(SeedsFound { by_previous: 0, plain: 0, unreadable: 0, .. }) => {}
                Ok(SeedsFound { by_previous, plain, unreadable, .. }) => {
                    if !self.seeds.leaves_plain && by_previous + plain > 0 {
                        tracing::info!(by_previous, plain, "seeds of one-time codes were sealed with SESSION_SECRET");
                    }
                    if unreadable > 0 {
                        tracing::warn!(
                            users = unreadable,
                            "seeds of one-time codes are sealed with a secret that is neither SESSION_SECRET nor \
                             SESSION_SECRET_PREVIOUS: these users log in with recovery codes, or after a reset"
                        );
                    }
                }
                Err(error) => tracing::warn!(%error, "seeds of one-time codes were not looked at"),
            }
        }
    }

    async fn go_through_seeds(&self, seal: bool) -> Result<SeedsFound, AppError> {
        let (mut found, mut after) = (SeedsFound::default(), i64::MIN);
        loop {
            let mut tx = self.db.read().await?;
            let batch = second_factors::list(&mut tx, after, BATCH).await?;
            drop(tx);
            let Some((last, _)) = batch.last() else { return Ok(found) };
            after = *last;
            let mut anew = Vec::new();
            for (user, stored) in &batch {
                let seed = match self.seeds.read(*user, stored) {
                    Stored::Plain => {
                        found.plain += 1;
                        Some(stored.clone())
                    }
                    Stored::Sealed(opened) if opened.by_previous => {
                        found.by_previous += 1;
                        String::from_utf8(opened.text).ok()
                    }
                    Stored::Sealed(_) => {
                        found.by_current += 1;
                        None
                    }
                    Stored::Unreadable => {
                        found.unreadable += 1;
                        None
                    }
                };
                if let Some(seed) = seed.filter(|_| seal) {
                    anew.push((*user, stored, self.seeds.close(*user, &seed)?));
                }
            }
            if anew.is_empty() {
                continue;
            }
            let mut tx = self.db.write().await?;
            for (user, was, sealed) in anew {
                // What has changed meanwhile was sealed by whoever changed it.
                second_factors::replace(&mut tx, user, was, &sealed).await?;
            }
            tx.commit().await?;
        }
    }
}
