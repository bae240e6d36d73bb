//! Addresses of this site that a request is sent on to.

use axum::http::Uri;

use super::is_under;
use crate::domain::accounts::{Role, User, encode_segment};

/// Where a user begins.
pub fn home(user: &User) -> &'static str {
    match user.role {
        Role::Vendor | Role::Accountant => "/",
        Role::Admin => "/admin",
    }
}

/// The address of the login page, which then goes on to `next`.
pub fn login_page(error: Option<&str>, next: Option<&Uri>) -> String {
    let next = next.and_then(|uri| uri.path_and_query()).map(|next| next.as_str()).filter(|next| *next != "/");
    login_address(error, next)
}

/// As `login_page`, with `next` as a text that has been checked.
pub fn login_address(error: Option<&str>, next: Option<&str>) -> String {
    let parameters: Vec<String> = [("error", error), ("next", next)]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode_segment(value?))))
        .collect();
    if parameters.is_empty() { "/login".to_owned() } else { format!("/login?{}", parameters.join("&")) }
}

/// The same for whoever was logged in until now.
pub fn login_after_end(next: Option<&Uri>) -> String {
    let address = login_page(None, next);
    format!("{address}{}ended=1", if address.contains('?') { '&' } else { '?' })
}

/// The address of the page that asks for a one-time code, which then goes on to `next`.
pub fn code_address(error: Option<&str>, next: Option<&str>) -> String {
    login_address(error, next).replacen("/login", "/login/code", 1)
}

/// The longest address that a login goes on to.
const MAX_NEXT: usize = 2_000;

/// `next` if a login goes on to it: an address of this site other than the login's.
pub fn local_path(next: &str) -> Option<&str> {
    own_path(next)
        .filter(|next| next.len() <= MAX_NEXT)
        .filter(|next| !is_under(next.split(['?', '#']).next().unwrap_or_default(), "/login"))
}

/// The text if it is an address of this site: a path that begins with one slash, in visible ASCII, without the
/// backslash that browsers read as a slash. Anything else could lead away from here.
pub fn own_path(text: &str) -> Option<&str> {
    let own =
        text.starts_with('/') && !text.starts_with("//") && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    own.then_some(text)
}

/// The same address on this site, whatever site it names: its path and query. The start page where it has none.
pub fn brought_home(address: &str) -> String {
    if let Some(own) = own_path(address) {
        return own.to_owned();
    }
    let uri: Option<Uri> = address.parse().ok();
    let path = uri.as_ref().and_then(Uri::path_and_query).map(|path| path.as_str());
    path.and_then(own_path).unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_gone_on_to() {
        for local in ["/", "/orders?status=shipped&after=1", "/products/a%2Fb", "/a//b"] {
            assert_eq!(local_path(local), Some(local));
        }
        for foreign in [
            "",
            "orders",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/é",
            "/login?next=/",
            "javascript:alert(1)",
        ] {
            assert_eq!(local_path(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn every_address_is_brought_home() {
        for (address, home) in [
            ("/account?done=key#two-step", "/account?done=key#two-step"),
            ("http://127.0.0.1/account", "/account"),
            ("https://evil.example/products?a=b", "/products?a=b"),
            ("https://evil.example//other.example/", "/"),
            ("//evil.example/x", "/"),
            ("https://evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("", "/"),
        ] {
            assert_eq!(brought_home(address), home, "{address}");
        }
    }
}
