use axum::http::{HeaderValue, header, request::Parts};
use jiff::Timestamp;
use leptos::context::use_context;
use leptos_axum::ResponseOptions;
use tower_sessions::cookie::{Cookie, SameSite};

use super::{api_error, request};
use crate::{
    ApiError,
    domain::accounts::{Theme, encode_segment},
    server::{AppState, identity::sessions::cookies, request::addresses::own_path},
};

/// The theme of this browser.
pub fn theme() -> Theme {
    let (state, parts) = (use_context::<AppState>(), use_context::<Parts>());
    let theme = state.zip(parts).and_then(|(state, parts)| cookie(&state, &parts, THEME, |theme| theme.parse().ok()));
    theme.unwrap_or_default()
}

/// Keeps the theme in this browser, for a year.
pub fn set_theme(theme: Theme) -> Result<(), ApiError> {
    let (state, _) = request().map_err(api_error)?;
    set_cookie(&state, THEME, theme.as_str(), "/", 365 * 24 * 60 * 60);
    Ok(())
}

/// The range that was last chosen by name in this browser.
pub fn remembered_range() -> Option<String> {
    let (state, parts) = request().ok()?;
    cookie(&state, &parts, RANGE, |name| Some(name.to_owned()))
}

/// Keeps the range's name in this browser, for a year.
pub fn remember_range(name: &str) {
    if remembered_range().as_deref() != Some(name)
        && let Ok((state, _)) = request()
    {
        set_cookie(&state, RANGE, name, "/", 365 * 24 * 60 * 60);
    }
}

/// Keeps the address of a list for the pages below it, for an hour.
pub fn note_list(list: &'static str, address: &str) {
    if address.len() <= MOST_OF_A_LIST
        && noted_list(list).as_deref() != Some(address)
        && let Ok((state, _)) = request()
    {
        set_cookie(&state, of_list(list), &encode_segment(address), list, 60 * 60);
    }
}

/// Where somebody was in a list.
pub fn noted_list(list: &'static str) -> Option<String> {
    let (state, parts) = request().ok()?;
    cookie(&state, &parts, of_list(list), |address| {
        let address = percent_encoding::percent_decode_str(address).decode_utf8().ok()?;
        is_of_list(list, &address).then(|| address.into_owned())
    })
}

/// Whether this is an address of the list, as it may stand in a link.
pub fn is_of_list(list: &'static str, address: &str) -> bool {
    let rest = own_path(address).and_then(|address| address.strip_prefix(list));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
}

fn of_list(list: &str) -> &'static str {
    if list == "/orders" { ORDERS } else { PRODUCTS }
}

/// When this vendor's dashboard was looked at last in this browser, before this visit; `None` for the first time, and
/// after two months. Notes that it is looked at now. A visit has ended after half an hour without a look.
pub fn last_look(vendor_id: i64, now: Timestamp) -> Option<Timestamp> {
    let (state, parts) = request().ok()?;
    let minute = now.as_second() / 60;
    // Whose; the end of the visit before this one (0: there was none); the last look.
    let read = |text: &str| {
        let mut numbers = text.split('.').map(|number| number.parse::<i64>().ok());
        let (vendor, before, last) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let is_recent = |at: i64| (minute - LOOKED_DAYS * 24 * 60..=minute).contains(&at);
        (vendor == vendor_id && is_recent(last)).then_some((if is_recent(before) { before } else { 0 }, last))
    };
    let known = cookie(&state, &parts, LOOKED, read);
    let (before, last) = known.unwrap_or((0, minute));
    let before = if minute - last > VISIT_MINUTES { last } else { before };
    // Not with every answer: a page that is asked for often is sent again as it was.
    if known.is_none() || minute - last >= NOTED_MINUTES {
        set_cookie(&state, LOOKED, &format!("{vendor_id}.{before}.{minute}"), "/", LOOKED_DAYS * 24 * 60 * 60);
    }
    (before > 0).then(|| Timestamp::from_second(before * 60).ok()).flatten()
}

/// Without a look for longer, the next one begins another visit.
const VISIT_MINUTES: i64 = 30;
/// How exactly it is noted when somebody looked last.
const NOTED_MINUTES: i64 = 5;
const LOOKED_DAYS: i64 = 60;
const LOOKED: &str = "vendorscope-looked";
const RANGE: &str = "vendorscope-range";
const ORDERS: &str = "vendorscope-orders";
const PRODUCTS: &str = "vendorscope-products";
/// The longest address that is kept of a list, in bytes.
const MOST_OF_A_LIST: usize = 1_000;
const THEME: &str = "vendorscope-theme";
const NEW_KEY: &str = "vendorscope-new-key";
const RECOVERY_CODES: &str = "vendorscope-recovery-codes";
const NEW_LINK: &str = "vendorscope-new-link";

/// The first cookie of this name that is something.
fn cookie<T>(state: &AppState, parts: &Parts, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    cookies(&parts.headers, &prefixed(state, name)).find_map(|cookie| read(cookie.value()))
}

/// Under which name browsers hold it to this host and to TLS, in production (RFC 6265bis, 4.1.3): the one that is for
/// one page has a path of its own, and so the weaker prefix.
fn prefixed(state: &AppState, name: &str) -> String {
    match (state.config.production, name) {
        (false, _) => name.to_owned(),
        (true, NEW_KEY | RECOVERY_CODES | NEW_LINK | ORDERS | PRODUCTS) => format!("__Secure-{name}"),
        (true, _) => format!("__Host-{name}"),
    }
}

fn set_cookie(state: &AppState, name: &'static str, value: &str, path: &'static str, seconds: i64) {
    let cookie = Cookie::build((prefixed(state, name), value.to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path(path)
        .secure(state.config.production)
        .max_age(time::Duration::seconds(seconds))
        .build();
    if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(&cookie.to_string()))
    {
        response.append_header(header::SET_COOKIE, value);
    }
}

/// The key that was just made in this browser. The second time there is none.
pub fn take_new_key() -> Option<String> {
    let (state, parts) = request().ok()?;
    let secret = cookie(&state, &parts, NEW_KEY, |secret| (!secret.is_empty()).then(|| secret.to_owned()))?;
    set_cookie(&state, NEW_KEY, "", "/account", 0);
    Some(secret)
}

/// The link that was just made for somebody in this browser. The second time there is none.
pub fn take_new_link() -> Option<String> {
    let (state, parts) = request().ok()?;
    let link = cookie(&state, &parts, NEW_LINK, |link| (!link.is_empty()).then(|| link.to_owned()))?;
    set_cookie(&state, NEW_LINK, "", "/admin/users", 0);
    percent_encoding::percent_decode_str(&link).decode_utf8().ok().map(Into::into)
}

/// Gives the browser that asked a link to show once: see `take_new_link`.
pub(super) fn keep_new_link(state: &AppState, link: &str) {
    set_cookie(state, NEW_LINK, &encode_segment(link), "/admin/users", 60);
}

/// The recovery codes that were just made in this browser. The second time there are none.
pub fn take_recovery_codes() -> Vec<String> {
    let Ok((state, parts)) = request() else { return Vec::new() };
    let read = |codes: &str| (!codes.is_empty()).then(|| codes.split('.').map(str::to_owned).collect());
    let codes: Option<Vec<String>> = cookie(&state, &parts, RECOVERY_CODES, read);
    if codes.is_some() {
        set_cookie(&state, RECOVERY_CODES, "", "/account", 0);
    }
    codes.unwrap_or_default()
}

/// Gives the browser that asked recovery codes to show once: see `take_recovery_codes`.
pub(super) fn keep_recovery_codes(state: &AppState, codes: &[String]) {
    set_cookie(state, RECOVERY_CODES, &codes.join("."), "/account", 60);
}

/// Gives the browser that asked a key to show once: see `take_new_key`.
pub(super) fn keep_new_key(state: &AppState, secret: &str) {
    // The browser is sent on to the page that shows it. An address would be kept and told on; a cookie that no script
    // sees, that goes to that page alone and that the page takes away is not.
    set_cookie(state, NEW_KEY, secret, "/account", 60);
}
