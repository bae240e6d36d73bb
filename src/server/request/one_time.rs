//! The token of a link that works once, to choose a password with. It comes in an address, which browsers keep and pass
//! on; it is taken out of there at once, into a cookie that goes to this site alone and that no script sees.

use axum::http::{HeaderMap, HeaderValue, Uri};
use tower_sessions::cookie::{Cookie, SameSite, time::Duration};

use crate::server::identity::sessions::cookies;

/// As long as a link works at most.
const KEPT_FOR: Duration = Duration::hours(72);

/// The token that an address carries.
pub fn in_address(uri: &Uri) -> Option<String> {
    let (_, token) = form_urlencoded::parse(uri.query()?.as_bytes()).find(|(name, _)| name == "token")?;
    // What is none of ours is kept as nothing, which no link has: the page says that it has expired.
    Some(token.chars().filter(char::is_ascii_alphanumeric).take(128).collect())
}

/// `Set-Cookie` that keeps a token in the browser that opened its link.
pub fn keep(production: bool, token: &str) -> HeaderValue {
    set(production, token, KEPT_FOR)
}

/// `Set-Cookie` that takes it away again.
pub fn forget(production: bool) -> HeaderValue {
    set(production, "", Duration::ZERO)
}

/// The token that a browser keeps.
pub fn kept(production: bool, headers: &HeaderMap) -> Option<String> {
    cookies(headers, name(production)).map(|cookie| cookie.value().to_owned()).find(|token| !token.is_empty())
}

fn set(production: bool, token: &str, max_age: Duration) -> HeaderValue {
    let cookie = Cookie::build((name(production), token.to_owned()))
        .http_only(true)
        // Not strict: the link is followed from a mail, and what it leads to is asked for on the way.
        .same_site(SameSite::Lax)
        .path("/")
        .secure(production)
        .max_age(max_age)
        .build();
    // Letters and digits alone: always a value.
    HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn name(production: bool) -> &'static str {
    if production { "__Host-vendorscope-link" } else { "vendorscope-link" }
}
