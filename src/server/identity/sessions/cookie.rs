use axum::http::{HeaderMap, HeaderValue, header};
use tower_sessions::{
    cookie::{Cookie, SameSite},
    session::Id,
};

use super::LIFETIME;
use crate::server::{config::Config, identity::signing::Signing};

/// The cookie that carries a session's id: HttpOnly, SameSite=Lax, Path=/, signed. In production Secure and, unless it
/// is shared between the hosts of a domain, under a name that browsers hold to this one host (`__Host-`, RFC 6265bis
/// 4.1.3.2).
#[derive(Clone)]
pub struct SessionCookie {
    name: &'static str,
    signing: Signing,
    secure: bool,
    domain: Option<String>,
}

impl SessionCookie {
    pub fn name(&self) -> &str {
        self.name
    }

    pub fn new(config: &Config) -> Self {
        let domain = config.sessions.cookie_domain.clone();
        let name = if config.production && domain.is_none() { "__Host-vendorscope" } else { "vendorscope" };
        Self { name, signing: Signing::new("session cookie", &config.sessions), secure: config.production, domain }
    }

    /// The ids in this request's cookies that this installation signed, each once, in the order they came in. A browser
    /// may hold several cookies of the name, of this host and of its domain or from before a change of `COOKIE_DOMAIN`,
    /// and which comes first is not for us to say.
    pub fn read(&self, headers: &HeaderMap) -> Vec<Id> {
        let mut ids = Vec::new();
        for cookie in cookies(headers, self.name) {
            let id = self.signing.verify(cookie.value()).and_then(|id| id.parse().ok());
            if let Some(id) = id.filter(|id| !ids.contains(id)) {
                ids.push(id);
            }
            if ids.len() == MAX_IDS {
                break;
            }
        }
        ids
    }

    /// `Set-Cookie` for a session that begins now.
    pub fn set(&self, id: Id) -> Option<HeaderValue> {
        let cookie = self.build(self.signing.sign(&id.to_string()), LIFETIME);
        HeaderValue::from_str(&cookie.to_string()).ok()
    }

    /// `Set-Cookie` that makes the browser forget it. With the same attributes: a `__Host-` cookie is not touched
    /// otherwise.
    pub fn clear(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.build(String::new(), time::Duration::ZERO).to_string()).ok()
    }

    fn build(&self, value: String, max_age: time::Duration) -> Cookie<'static> {
        let mut cookie = http_only(self.name.to_owned(), value, self.secure, max_age);
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie
    }
}

/// The cookies of this name, whatever they hold.
pub fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = Cookie<'a>> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(Cookie::split_parse).flatten().filter(move |cookie| cookie.name() == name)
}

/// The most sessions that one request is tried with: a cookie of this host, one of each domain above it, and some left
/// over.
const MAX_IDS: usize = 8;

impl std::fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionCookie")
            .field("name", &self.name)
            .field("secure", &self.secure)
            .field("domain", &self.domain)
            .finish()
    }
}

/// A cookie of the whole site that no script reads and no other site's form brings along. Lax, not strict: whoever
/// comes by a link from elsewhere is still logged in.
pub(super) fn http_only(name: String, value: String, secure: bool, max_age: time::Duration) -> Cookie<'static> {
    Cookie::build((name, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path("/")
        .secure(secure)
        .max_age(max_age)
        .build()
}

/// What follows `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(change: impl FnOnce(&mut Config)) -> SessionCookie {
        let mut config = Config::for_tests();
        change(&mut config);
        SessionCookie::new(&config)
    }

    fn sent_back(set_cookie: &HeaderValue) -> HeaderMap {
        let pair = set_cookie.to_str().unwrap().split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&format!("theme=dark; {pair}")).unwrap())])
    }

    #[test]
    fn production_cookies_are_held_to_this_host_or_shared_by_a_domain() {
        let id = Id::default();
        let host = cookie(|c| c.production = true).set(id).unwrap();
        let host = host.to_str().unwrap();
        assert!(
            host.starts_with("__Host-vendorscope=") && host.contains("; Secure") && !host.contains("Domain"),
            "{host}"
        );
        let shared = cookie(|c| {
            c.production = true;
            c.sessions.cookie_domain = Some("example.com".to_owned());
        });
        let shared = shared.set(id).unwrap();
        let shared = shared.to_str().unwrap();
        assert!(
            shared.starts_with("vendorscope=") && shared.contains("; Secure") && shared.contains("Domain=example.com"),
            "{shared}"
        );
    }

    #[test]
    fn clearing_keeps_the_attributes_without_which_browsers_ignore_it() {
        let cleared = cookie(|c| c.production = true).clear().unwrap();
        let cleared = cleared.to_str().unwrap();
        assert!(
            cleared.starts_with("__Host-vendorscope=;")
                && cleared.contains("; Secure")
                && cleared.contains("Max-Age=0")
                && cleared.contains("Path=/"),
            "{cleared}"
        );
    }

    #[test]
    fn an_id_reads_back_and_one_that_another_secret_signed_does_not() {
        let ours = cookie(|_| ());
        let id = Id::default();
        assert_eq!(ours.read(&sent_back(&ours.set(id).unwrap())), [id]);
        let theirs = cookie(|c| c.sessions.secret = "another secret, also long enough".into());
        assert_eq!(ours.read(&sent_back(&theirs.set(id).unwrap())), []);
        let changed = cookie(|c| {
            c.sessions.previous_secret = Some(c.sessions.secret.clone());
            c.sessions.secret = "another secret, also long enough".into();
        });
        assert_eq!(changed.read(&sent_back(&ours.set(id).unwrap())), [id], "a change of the secret logs nobody out");
        assert_eq!(theirs.read(&sent_back(&changed.set(id).unwrap())), [id], "and the new one signs");
    }

    #[test]
    fn of_many_cookies_each_id_is_read_once_and_not_without_end() {
        let ours = cookie(|_| ());
        let ids: Vec<Id> = (0..20).map(Id).collect();
        let pair = |id: &Id| ours.set(*id).unwrap().to_str().unwrap().split(';').next().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        for id in [&ids[0], &ids[0], &ids[1]] {
            headers.append(header::COOKIE, HeaderValue::from_str(&pair(id)).unwrap());
        }
        assert_eq!(ours.read(&headers), ids[..2]);
        let all = ids.iter().map(pair).collect::<Vec<_>>().join("; ");
        let headers = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&all).unwrap())]);
        assert_eq!(ours.read(&headers), ids[..MAX_IDS]);
    }

    #[test]
    fn a_forged_cookie_before_the_real_one_does_not_hide_it() {
        let ours = cookie(|_| ());
        let id = Id::default();
        let real = ours.set(id).unwrap();
        let real = real.to_str().unwrap().split(';').next().unwrap();
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_str(&format!("vendorscope=forged; {real}")).unwrap(),
        )]);
        assert_eq!(ours.read(&headers), [id]);
    }
}
