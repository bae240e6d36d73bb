//! Whether all instances sign cookies with the same secret. One with another secret takes everybody who logs in
//! elsewhere for nobody, and says nothing by itself.

use std::time::Duration;

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::Sessions;
use crate::server::config::SessionConfig;

/// How often an instance says which secret it has.
const SAID_EVERY: Duration = Duration::from_secs(20);

/// What can be shown of a secret: who has the secret gets the same, and nobody gets the secret out of it. 16 digits.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(&Sha256::new_with_prefix("vendorscope session secret\0").chain_update(secret).finalize()[..8])
}

/// What an instance says of its secrets: the fingerprint of the one that it signs with, and while that takes another's
/// place, of the other.
pub fn said_of(secrets: &SessionConfig) -> String {
    let ours = fingerprint(secrets.secret.expose_secret());
    match &secrets.previous_secret {
        Some(previous) => format!("{ours}<{}", fingerprint(previous.expose_secret())),
        None => ours,
    }
}

/// Whether two instances, by what they say, have secrets that differ and are not meant to: neither is what the other
/// had before.
pub fn differ(one: &str, other: &str) -> bool {
    let parts = |said: &str| match said.split_once('<') {
        Some((secret, previous)) => (secret.to_owned(), Some(previous.to_owned())),
        None => (said.to_owned(), None),
    };
    let ((one, before_one), (other, before_other)) = (parts(one), parts(other));
    one != other && before_one.as_ref() != Some(&other) && before_other.as_ref() != Some(&one)
}

impl Sessions {
    /// Says in the session store which secret this instance has, and in the log where another one says otherwise. While
    /// secrets are being changed it says nothing.
    pub async fn compare_secrets(&self) {
        let others = match self.store.compare_secrets(&self.said_of_secrets).await {
            Ok(others) => others.into_iter().filter(|theirs| differ(&self.said_of_secrets, theirs)).collect::<Vec<_>>(),
            // The store is away: `/readyz` says so.
            Err(error) => return tracing::debug!(%error, "secrets were not compared"),
        };
        let is_warned = !others.is_empty();
        if self.secrets_differ.swap(is_warned, std::sync::atomic::Ordering::Relaxed) == is_warned {
            return;
        }
        if is_warned {
            tracing::warn!(
                ours = self.said_of_secrets,
                theirs = others.join(" "),
                "another instance has another SESSION_SECRET: whoever logs in there is logged out here; give all the \
                 same"
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
            tracing::debug!("secrets were compared");
        }
    }

    /// Whether another instance had another secret when they were last compared.
    pub fn secrets_differ(&self) -> bool {
        self.secrets_differ.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_being_changed_do_not_differ() {
        for (one, other, expected) in [
            ("a", "a", false),
            ("a", "b", true),
            ("b<a", "a", false),
            ("a", "b<a", false),
            ("b<a", "b", false),
            ("a<b", "b<a", false),
            ("c<b", "a", true),
            ("c<b", "d<b", true),
            ("c<b", "b<a", false),
        ] {
            assert_eq!((differ(one, other), differ(other, one)), (expected, expected), "{one} and {other}");
        }
    }
}
