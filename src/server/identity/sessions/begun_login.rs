use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use super::cookie::{cookies, http_only};
use crate::{
    domain::accounts::encode_segment,
    server::{config::Config, identity::signing::Signing},
};

/// How long somebody may take at the provider, in seconds.
const WAITS: i64 = 600;
/// Characters of its state in the name of a login's cookie: a browser may have begun several.
const NAMED: usize = 8;
/// The longest page to go on to that is kept, in bytes as the cookie has it: browsers drop what is larger than 4 KB.
const MOST_NEXT: usize = 2_000;
/// In place of a page to go on to: every page's address begins with a slash. Not an empty text, since browsers and
/// servers cut blanks off the end of a cookie.
const NOWHERE: &str = "-";
/// The cookie goes to where it is needed, and is no weight to any other page.
const PATH: &str = "/login/marketplace";

/// A login that goes on at the provider: what has to come back from there, and what only this browser may prove. All
/// of it is made anew for each, and nobody can guess it.
#[derive(Clone, PartialEq, Eq)]
pub struct BegunLogin {
    /// Comes back in the address.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// What the code can be exchanged with (PKCE).
    pub verifier: String,
    /// A page of this site to go on to.
    pub next: Option<String>,
}

/// Cookies of logins that were begun, one for each. They are signed, go to the pages of this login alone, and log
/// nobody in: whichever instance the browser comes back to can go on.
#[derive(Debug, Clone)]
pub struct BegunLogins {
    prefix: &'static str,
    signing: Signing,
    secure: bool,
}

impl BegunLogins {
    pub fn new(config: &Config) -> Self {
        let prefix = if config.production { "__Secure-vendorscope-login" } else { "vendorscope-login" };
        Self { prefix, signing: Signing::new("begun login", &config.sessions), secure: config.production }
    }

    /// `Set-Cookie` for a login that begins now.
    pub fn set(&self, login: &BegunLogin) -> Option<HeaderValue> {
        self.set_until(login, Timestamp::now().as_second() + WAITS)
    }

    fn set_until(&self, login: &BegunLogin, until: i64) -> Option<HeaderValue> {
        let BegunLogin { state, nonce, verifier, next } = login;
        let next = next.as_deref().map(encode_segment).filter(|next| next.len() <= MOST_NEXT);
        let next = next.as_deref().unwrap_or(NOWHERE);
        self.cookie(state, &self.signing.sign(&format!("{state} {nonce} {verifier} {until} {next}")), WAITS)
    }

    /// `Set-Cookie` that takes it away.
    pub fn clear(&self, login: &BegunLogin) -> Option<HeaderValue> {
        self.cookie(&login.state, "", 0)
    }

    /// The login of this state that this browser has begun not long ago.
    pub fn read(&self, headers: &HeaderMap, state: &str) -> Option<BegunLogin> {
        cookies(headers, &self.name(state)).find_map(|cookie| {
            let text = self.signing.verify(cookie.value())?;
            let mut parts = text.split(' ').map(str::to_owned);
            let (of, nonce, verifier) = (parts.next()?, parts.next()?, parts.next()?);
            let (until, next) = (parts.next()?.parse::<i64>().ok()?, parts.next()?);
            let next = percent_encoding::percent_decode_str(&next).decode_utf8().ok()?.into_owned();
            let next = Some(next).filter(|next| next != NOWHERE);
            (of == state && until > Timestamp::now().as_second()).then_some(BegunLogin {
                state: of,
                nonce,
                verifier,
                next,
            })
        })
    }

    fn name(&self, state: &str) -> String {
        format!("{}-{}", self.prefix, state.get(..NAMED).unwrap_or(state))
    }

    fn cookie(&self, state: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
        let max_age = time::Duration::seconds(seconds);
        let mut cookie = http_only(self.name(state), value.to_owned(), self.secure, max_age);
        cookie.set_path(PATH);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn login(state: &str) -> BegunLogin {
        BegunLogin {
            state: state.to_owned(),
            nonce: "nonce".to_owned(),
            verifier: "verifier".to_owned(),
            next: Some("/orders?status=shipped; a b".to_owned()),
        }
    }

    fn sent_back(cookies: &[HeaderValue]) -> HeaderMap {
        let pairs = cookies.iter().map(|cookie| {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            (header::COOKIE, HeaderValue::from_str(pair).unwrap())
        });
        let mut headers = HeaderMap::new();
        for (name, pair) in pairs {
            headers.append(name, pair);
        }
        headers
    }

    #[test]
    fn a_login_goes_on_in_its_browser_for_ten_minutes_beside_others() {
        let logins = BegunLogins::new(&Config::for_tests());
        let (one, other) = (login("abcdefghijkl"), login("mnopqrstuvwx"));
        let headers = sent_back(&[logins.set(&one).unwrap(), logins.set(&other).unwrap()]);
        assert!(logins.read(&headers, "abcdefghijkl") == Some(one.clone()));
        assert!(logins.read(&headers, "mnopqrstuvwx") == Some(other));
        for state in ["abcdefghXXXX", "abcdefgh", "", "é"] {
            assert!(logins.read(&headers, state).is_none(), "{state}");
        }
        let late = logins.set_until(&one, Timestamp::now().as_second()).unwrap();
        assert!(logins.read(&sent_back(&[late]), "abcdefghijkl").is_none(), "too late");
        let forged = logins.set(&one).unwrap().to_str().unwrap().replace("nonce", "other");
        assert!(logins.read(&sent_back(&[HeaderValue::from_str(&forged).unwrap()]), "abcdefghijkl").is_none());
        let long = BegunLogin { next: Some("/".repeat(3_000)), ..one.clone() };
        let kept = logins.set(&long).unwrap();
        assert!(kept.len() < 4_000 && logins.read(&sent_back(&[kept]), "abcdefghijkl").unwrap().next.is_none());
    }

    #[test]
    fn in_production_the_cookie_is_held_to_tls_and_to_its_own_pages() {
        let mut config = Config::for_tests();
        config.production = true;
        let set = BegunLogins::new(&config).set(&login("abcdefghijkl")).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.starts_with("__Secure-vendorscope-login-abcdefgh="), "{set}");
        for part in ["; HttpOnly", "; SameSite=Lax", "; Secure", "; Path=/login/marketplace", "; Max-Age=600"] {
            assert!(set.contains(part), "{part}: {set}");
        }
    }
}
