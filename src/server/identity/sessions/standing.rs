use std::{sync::Arc, time::Duration};

use moka::future::Cache;

use crate::{domain::accounts::User, server::AppError};

/// How long an answer counts: however many streams one credential has, and however often the vendor writes, it is
/// asked about once in this time.
const COUNTS_FOR: Duration = Duration::from_secs(1);
const MOST: u64 = 50_000;

/// Whether whoever sent a request would be let in again, for answers that take long. Asked once for all who want to
/// know the same at the same time; failures are told to all of them, and not kept.
#[derive(Debug, Clone)]
pub struct Standing(Cache<String, Option<User>>);

impl Default for Standing {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(COUNTS_FOR).build())
    }
}

impl Standing {
    /// Who is let in with this credential, by the answer of `ask` or one that is less than a second old.
    pub async fn of(
        &self,
        credential: String,
        ask: impl Future<Output = Result<Option<User>, AppError>>,
    ) -> Result<Option<User>, AppError> {
        // In a box: it would be a part of every open stream, several times over.
        let asked = self.0.try_get_with(credential, Box::pin(ask)).await;
        asked.map_err(|error: Arc<AppError>| AppError::Internal(format!("not known whether it is still good: {error}")))
    }
}
