use axum::http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use tower_sessions::cookie::Cookie;

use super::cookie::{cookies, http_only};
use crate::server::{config::Config, identity::signing::Signing};

/// How long a browser stays known without a login.
const KNOWN_FOR: time::Duration = time::Duration::days(365);
/// Characters of an account's digest in the name of its cookie: a browser keeps one for each account.
const NAMED: usize = 8;

/// The cookie of a browser that somebody has logged in to an account with (OWASP, device cookies). Guesses from such a
/// browser are counted by themselves, so that nobody who guesses elsewhere locks its owner out. It logs nobody in, and
/// is worth nothing once the user's sessions have ended: with another password, whoever has a copy is a stranger again.
#[derive(Debug, Clone)]
pub struct DeviceCookie {
    prefix: &'static str,
    signing: Signing,
    secure: bool,
}

/// A browser that is known to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBrowser {
    /// Names it, and the account.
    pub name: String,
    /// The user's epoch when it was last logged in with.
    pub epoch: i64,
}

impl DeviceCookie {
    pub fn new(config: &Config) -> Self {
        let prefix = if config.production { "__Host-vendorscope-device" } else { "vendorscope-device" };
        Self { prefix, signing: Signing::new("device cookie", &config.sessions), secure: config.production }
    }

    /// What this browser is, or was, known by to the account of this digest.
    pub fn read(&self, headers: &HeaderMap, account: &str) -> Option<KnownBrowser> {
        cookies(headers, &self.name(account)).find_map(|cookie| {
            let text = self.signing.verify(cookie.value())?;
            let (device, epoch) = text.split_once(' ')?;
            let epoch = epoch.parse().ok()?;
            device.ends_with(account).then(|| KnownBrowser { name: device.to_owned(), epoch })
        })
    }

    /// The digest of the account that somebody logged in to last with this browser.
    pub fn last_account(&self, headers: &HeaderMap) -> Option<String> {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let devices = lines.flat_map(Cookie::split_parse).flatten().filter_map(|cookie| {
            let text = cookie.name().starts_with(self.prefix).then(|| self.signing.verify(cookie.value()))??;
            let (device, _) = text.split_once(' ')?;
            let (drawn, account) = device.rsplit_once('.')?;
            // Cookies of before do not say when.
            let seconds: i64 = drawn.split_once('.').and_then(|(_, seconds)| seconds.parse().ok()).unwrap_or(0);
            Some((seconds, account.to_owned()))
        });
        devices.max().map(|(_, account)| account)
    }

    /// `Set-Cookie` that makes a browser known to an account while its user's epoch is this one, under a name that it
    /// has not had before.
    pub fn set(&self, account: &str, epoch: i64) -> Option<HeaderValue> {
        let (drawn, now) = (rand::random::<u128>(), Timestamp::now().as_second());
        let device = format!("{drawn:032x}.{now}.{account} {epoch}");
        let cookie = http_only(self.name(account), self.signing.sign(&device), self.secure, KNOWN_FOR);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    fn name(&self, account: &str) -> String {
        format!("{}-{}", self.prefix, account.get(..NAMED).unwrap_or(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_to_the_account_that_somebody_logged_in_to_and_to_no_other() {
        let devices = DeviceCookie::new(&Config::for_tests());
        let (mine, alike) = ("00112233445566778899aabbccddeeff", "00112233ffffffffffffffffffffffff");
        let set = devices.set(mine, 3).unwrap();
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pair).unwrap())]);
        let known = devices.read(&headers, mine).unwrap();
        assert!(known.name.ends_with(mine) && known.epoch == 3, "{known:?}");
        assert_eq!(devices.read(&headers, alike), None, "of the same name");
        assert_eq!(devices.last_account(&headers).as_deref(), Some(mine));
        let forged = pair.replace("device-00112233=", "device-00112233=x");
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&forged).unwrap())]);
        assert_eq!(devices.read(&headers, mine), None);
        assert_eq!(devices.last_account(&headers), None);
    }

    #[test]
    fn of_several_accounts_the_one_that_was_logged_in_to_last_is_named() {
        let devices = DeviceCookie::new(&Config::for_tests());
        let cookie = |text: &str, account: &str| {
            let name = devices.name(account);
            format!("{name}={}", devices.signing.sign(&format!("{text}.{account} 1")))
        };
        let (first, last, old) = ("1111111111111111", "0000000000000000", "2222222222222222");
        let pairs = [cookie("aa.100", first), cookie("bb.200", last), cookie("cc", old)].join("; ");
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pairs).unwrap())]);
        assert_eq!(devices.last_account(&headers).as_deref(), Some(last));
    }
}
