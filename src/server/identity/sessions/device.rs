use axum::http::{HeaderMap, HeaderValue};
use tower_sessions::cookie::{Cookie, SameSite};

use super::cookie::cookies;
use crate::server::{config::Config, identity::signing::Signing};

/// How long a browser stays known without a login.
const KNOWN_FOR: time::Duration = time::Duration::days(365);
/// Characters of an account's digest in the name of its cookie: a browser keeps one for each account.
const NAMED: usize = 8;

/// The cookie of a browser that somebody has logged in to an account with (OWASP, device cookies). Guesses from such a
/// browser are counted by themselves, so that nobody who guesses elsewhere locks its owner out. It logs nobody in.
#[derive(Debug, Clone)]
pub struct DeviceCookie {
    prefix: &'static str,
    signing: Signing,
    secure: bool,
}

impl DeviceCookie {
    pub fn new(config: &Config) -> Self {
        let prefix = if config.production { "__Host-vendorscope-device" } else { "vendorscope-device" };
        Self { prefix, signing: Signing::new("device cookie", &config.sessions), secure: config.production }
    }

    /// What this browser is known by to the account of this digest, if it is.
    pub fn read(&self, headers: &HeaderMap, account: &str) -> Option<String> {
        cookies(headers, &self.name(account)).find_map(|cookie| {
            let device = self.signing.verify(cookie.value())?;
            device.ends_with(account).then_some(device)
        })
    }

    /// `Set-Cookie` that makes a browser known to an account, under a name that it has not had before.
    pub fn set(&self, account: &str) -> Option<HeaderValue> {
        let device = format!("{:032x}.{account}", rand::random::<u128>());
        let cookie = Cookie::build((self.name(account), self.signing.sign(&device)))
            .http_only(true)
            .same_site(SameSite::Lax)
            .path("/")
            .secure(self.secure)
            .max_age(KNOWN_FOR)
            .build();
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    fn name(&self, account: &str) -> String {
        format!("{}-{}", self.prefix, account.get(..NAMED).unwrap_or(account))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn a_browser_is_known_to_the_account_that_somebody_logged_in_to_and_to_no_other() {
        let devices = DeviceCookie::new(&Config::for_tests());
        let (mine, alike) = ("00112233445566778899aabbccddeeff", "00112233ffffffffffffffffffffffff");
        let set = devices.set(mine).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pair).unwrap())]);
        assert!(devices.read(&headers, mine).is_some_and(|device| device.ends_with(mine)));
        assert_eq!(devices.read(&headers, alike), None, "of the same name");
        let forged = pair.replace("device-00112233=", "device-00112233=x");
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&forged).unwrap())]);
        assert_eq!(devices.read(&headers, mine), None);
    }
}
