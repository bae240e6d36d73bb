use axum::http::{HeaderMap, HeaderValue};

use super::cookie::{cookies, http_only};
use crate::server::{config::Config, identity::signing::Signing};

/// As long as a secret waits for its first code.
const KEPT_FOR: time::Duration = time::Duration::minutes(15);

/// The cookie of a browser that was shown a secret to set one-time codes up with. Nobody else is shown it again, or
/// confirms it: not another session of the user, nor whoever had a copy of this one before. It logs nobody in.
#[derive(Debug, Clone)]
pub struct TotpSetups {
    name: &'static str,
    signing: Signing,
    secure: bool,
}

impl TotpSetups {
    pub fn new(config: &Config) -> Self {
        let name = if config.production { "__Host-vendorscope-totp" } else { "vendorscope-totp" };
        Self { name, signing: Signing::new("second factor setup", &config.sessions), secure: config.production }
    }

    /// `Set-Cookie` for who is shown the secret of this digest.
    pub fn set(&self, digest: &str) -> Option<HeaderValue> {
        self.cookie(&self.signing.sign(digest), KEPT_FOR)
    }

    /// `Set-Cookie` that takes it away.
    pub fn clear(&self) -> Option<HeaderValue> {
        self.cookie("", time::Duration::ZERO)
    }

    /// The digest of the secret that this browser was shown.
    pub fn read(&self, headers: &HeaderMap) -> Option<String> {
        cookies(headers, self.name).find_map(|cookie| self.signing.verify(cookie.value()))
    }

    fn cookie(&self, value: &str, max_age: time::Duration) -> Option<HeaderValue> {
        let cookie = http_only(self.name.to_owned(), value.to_owned(), self.secure, max_age);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}
