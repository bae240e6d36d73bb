//! What handlers and server functions alike need of the request they answer: who asks from where, under which name it
//! is logged, how it is refused. Knows no route and no page.

use std::{net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, HeaderName, Method, header, request::Parts};

/// Logging in and out, passwords, sessions and keys.
pub mod account;
/// Where a request is sent on to.
pub mod addresses;
/// Attempts at what could be guessed.
pub mod attempts;
/// What admins do to the cache.
pub mod cache_actions;
/// Tokens of links that work once.
pub mod one_time;
/// What admins do to other people's accounts.
pub mod people;
/// How a request is refused.
pub mod problem;
/// Logging in through the marketplace.
pub mod provider;
/// What a page is made of.
mod rendering;
/// What no address and no form may hold.
pub mod well_formed;
/// Wrong one-time codes.
mod wrong_codes;

pub use rendering::Rendering;

/// The header that names a request.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in logs and in answers: the caller's `X-Request-Id`, or one made here.
#[derive(Debug, Clone, Default)]
pub struct RequestId {
    name: Arc<str>,
    trace: Option<Arc<str>>,
}

impl RequestId {
    /// The caller's name for it, if that can be one; else that of the trace that it is a part of, if it is.
    pub fn of(headers: &HeaderMap, trace: Option<String>) -> Self {
        let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let accepted = |id: &&str| {
            (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let trace: Option<Arc<str>> = trace.map(Into::into);
        let name = match (given.filter(accepted), &trace) {
            (Some(given), _) => given.into(),
            (None, Some(trace)) => trace.clone(),
            (None, None) => random_hex().into(),
        };
        Self { name, trace }
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// For whoever asks about it: `Request …`, and the trace that it is a part of, where that has another name.
    pub fn told(&self) -> String {
        let trace = self.trace().filter(|trace| *trace != self.as_str());
        crate::words::request_name(self.as_str(), trace)
    }

    /// The trace that the request is a part of, where requests are traced.
    pub fn trace(&self) -> Option<&str> {
        self.trace.as_deref()
    }
}

/// What was left out of a page's address because the page does not understand it: sentences for whoever opened it.
#[derive(Debug, Clone)]
pub struct LeftOut(pub Arc<[String]>);

/// The network address of whoever asks; `None` only where the server was not told.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

impl ClientAddress {
    pub fn text(&self) -> Option<String> {
        self.0.map(|address| address.to_string())
    }
}

/// The network address of whoever sent a request, as a text.
pub fn client_address(parts: &Parts) -> Option<String> {
    parts.extensions.get::<ClientAddress>()?.text()
}

/// What the scripts of this one answer are marked with; no other script runs in it.
#[derive(Debug, Clone)]
pub struct ScriptNonce(pub Arc<str>);

impl ScriptNonce {
    /// One that nobody can guess.
    pub fn random() -> Self {
        Self(random_hex().into())
    }
}

/// 32 digits that nobody can guess.
fn random_hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Whether a method only reads (RFC 9110, 9.2.1).
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// Whether a path is `folder` or lies in it.
pub fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the one who asks reads pages: a browser that opens an address or sends a form.
pub fn wants_html(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}
