use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use super::cookie::{cookies, http_only};
use crate::server::{
    config::Config,
    identity::{accounts::Authenticated, signing::Signing},
};

/// How long a right password waits for its code, in seconds.
const WAITS: i64 = 300;

/// The cookie of a browser in which a password was right and a code is still to come. It names the user, is signed, and
/// logs nobody in.
#[derive(Debug, Clone)]
pub struct HalfLogins {
    name: &'static str,
    signing: Signing,
    secure: bool,
}

impl HalfLogins {
    pub fn new(config: &Config) -> Self {
        let name = if config.production { "__Host-vendorscope-half" } else { "vendorscope-half" };
        Self { name, signing: Signing::new("half login", &config.sessions), secure: config.production }
    }

    /// `Set-Cookie` for whoever has to send a code next.
    pub fn set(&self, authenticated: &Authenticated) -> Option<HeaderValue> {
        let until = Timestamp::now().as_second() + WAITS;
        self.cookie(&self.signing.sign(&format!("{} {} {until}", authenticated.user.id, authenticated.epoch)), WAITS)
    }

    /// `Set-Cookie` that takes it away.
    pub fn clear(&self) -> Option<HeaderValue> {
        self.cookie("", 0)
    }

    /// The user whose password was right not long ago, and the epoch of then.
    pub fn read(&self, headers: &HeaderMap) -> Option<(i64, i64)> {
        cookies(headers, self.name).find_map(|cookie| {
            let text = self.signing.verify(cookie.value())?;
            let mut numbers = text.split(' ').map(str::parse::<i64>);
            let (user, epoch, until) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
            (until > Timestamp::now().as_second()).then_some((user, epoch))
        })
    }

    fn cookie(&self, value: &str, seconds: i64) -> Option<HeaderValue> {
        let max_age = time::Duration::seconds(seconds);
        let cookie = http_only(self.name.to_owned(), value.to_owned(), self.secure, max_age);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}
