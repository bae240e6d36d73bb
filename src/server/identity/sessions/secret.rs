//! Whether all instances sign cookies with the same secret. One with another secret takes everybody who logs in
//! elsewhere for nobody, and says nothing by itself.

use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Sessions;

/// How often an instance says which secret it has.
const SAID_EVERY: Duration = Duration::from_secs(20);

/// What can be shown of a secret: who has the secret gets the same, and nobody gets the secret out of it. 16 digits.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(&Sha256::new_with_prefix("vendorscope session secret\0").chain_update(secret).finalize()[..8])
}

impl Sessions {
    /// Says in the session store which secret this instance has, and in the log where another one says otherwise.
    pub async fn compare_secrets(&self) {
        let others = match self.store.compare_secrets(&self.fingerprint).await {
            Ok(others) => others,
            // The store is away: `/readyz` says so.
            Err(error) => return tracing::debug!(%error, "secrets were not compared"),
        };
        let differ = !others.is_empty();
        if self.secrets_differ.swap(differ, std::sync::atomic::Ordering::Relaxed) == differ {
            return;
        }
        if differ {
            tracing::warn!(
                ours = self.fingerprint,
                theirs = others.join(" "),
                "another instance has another SESSION_SECRET: whoever logs in there is logged out here; give all the same"
            );
        } else {
            tracing::info!("all instances have the same SESSION_SECRET again");
        }
    }

    /// The same, again and again.
    pub async fn keep_comparing_secrets(&self) {
        loop {
            tokio::time::sleep(SAID_EVERY).await;
            self.compare_secrets().await;
        }
    }

    /// Whether another instance had another secret when they were last compared.
    pub fn secrets_differ(&self) -> bool {
        self.secrets_differ.load(std::sync::atomic::Ordering::Relaxed)
    }
}
