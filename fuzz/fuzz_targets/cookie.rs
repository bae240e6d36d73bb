#![no_main]
//! The Cookie header: no value that was not signed here is a session's id.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use vendorscope::server::{config::Config, sessions::SessionCookie};

static COOKIE: LazyLock<SessionCookie> = LazyLock::new(|| SessionCookie::new(&Config::for_tests()));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        assert!(COOKIE.read(&HeaderMap::from_iter([(header::COOKIE, value)])).is_none());
    }
});
