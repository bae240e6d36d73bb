//! Pages that are sent again as they were rendered.
//!
//! A page is made of what it was asked for (user, address, cookies), the minute it is, and cache entries. It is sent
//! again only to the same question within the same minute, and only while a lookup of each of its entries would serve
//! that same entry ([`Cache::still_serves`]): so it outlives none of them, and shows a write as soon as they do. Its
//! encodings are worked out once as well. Of those who ask when it has just become old one renders it, and the others
//! wait for that one.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use moka::future::Cache as Moka;
use sha2::{Digest, Sha256};
use vendorscope_cache::{Cache, Derived, Origin};

use super::{
    encodings,
    repeats::{MadeOf, Repeatable},
};
use crate::{
    domain::accounts::User,
    server::{
        AppError, AppState,
        identity::sessions::RequestSession,
        request::{Rendering, ScriptNonce},
    },
    words,
};

/// Memory for rendered pages, in bytes.
const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// The largest page that is kept, in bytes.
const LARGEST: usize = 1024 * 1024;
/// How long a page is waited for that somebody else is rendering. Whoever has waited so long renders it too.
const RENDERED_WITHIN: Duration = Duration::from_millis(100);

/// The pages that this instance has rendered lately.
#[derive(Clone)]
pub struct RenderedPages(Moka<String, Arc<Page>>);

/// The digests of a page's own scripts, as Content-Security-Policy names them. A page that is sent again cannot bear a
/// nonce of the answer: it is compressed already.
#[derive(Clone)]
pub struct ScriptHashes(pub Arc<str>);

/// A page as it was rendered.
pub struct Page {
    html: Bytes,
    headers: HeaderMap,
    scripts: ScriptHashes,
    /// When it was rendered, in minutes since 1970.
    minute: i64,
    origins: Vec<Origin>,
    encodings: Derived,
    /// Held by whoever renders what comes after it.
    successor: Arc<tokio::sync::Mutex<()>>,
}

impl RenderedPages {
    pub fn new() -> Self {
        let weigh = |name: &String, page: &Arc<Page>| {
            // Its encodings are made room for at once.
            u32::try_from(name.len() + page.html.len() * 3 / 2).unwrap_or(u32::MAX)
        };
        Self(Moka::builder().max_capacity(MOST_BYTES).weigher(weigh).time_to_live(Duration::from_secs(60)).build())
    }

    /// The page as it was rendered before, where it may be sent again; else as it is rendered now.
    pub async fn serve(&self, state: &AppState, user: &User, mut request: Request, next: Next) -> Response {
        if request.method() != Method::GET {
            return next.run(request).await;
        }
        let name = name(state, user, &request);
        let again = |page: Arc<Page>, request: &Request| {
            let mut response = page.response(request.headers());
            if let Some(session) = request.extensions().get::<RequestSession>() {
                Repeatable::mark(&mut response, session, user.clone(), MadeOf::Page(Arc::downgrade(&page)));
            }
            response
        };
        let old = match self.0.get(&name).await {
            Some(page) if page.is_current(&state.cache, 1).await => return again(page, &request),
            old => old,
        };
        // Nobody waits for the first: it may turn out to be one that cannot be sent again.
        let successor = old.map(|page| page.successor.clone());
        let turn = match successor.clone() {
            Some(successor) => tokio::time::timeout(RENDERED_WITHIN, successor.lock_owned()).await.ok(),
            None => None,
        };
        if turn.is_some()
            && let Some(page) = self.0.get(&name).await
            && page.is_current(&state.cache, 1).await
        {
            return again(page, &request);
        }
        let (rendering, minute) = (Rendering::default(), this_minute());
        request.extensions_mut().insert(rendering.clone());
        let nonce = request.extensions().get::<ScriptNonce>().cloned();
        let response = next.run(request).await;
        let (StatusCode::OK, Some(origins), Some(nonce)) = (response.status(), rendering.origins(), nonce) else {
            self.0.invalidate(&name).await;
            return response;
        };
        let (parts, body) = response.into_parts();
        let html = match to_bytes(body, usize::MAX).await {
            Ok(html) => html,
            Err(error) => return AppError::Internal(format!("a page that cannot be read: {error}")).into_response(),
        };
        if html.len() <= LARGEST {
            let scripts = ScriptHashes(script_hashes(&html, &nonce).into());
            let (html, headers, encodings) = (html.clone(), parts.headers.clone(), Derived::default());
            let successor = successor.unwrap_or_default();
            let page = Page { html, headers, scripts, minute, origins, encodings, successor };
            self.0.insert(name, Arc::new(page)).await;
        } else {
            self.0.invalidate(&name).await;
        }
        Response::from_parts(parts, Body::from(html))
    }
}

/// The number of the minute it is, since 1970.
fn this_minute() -> i64 {
    Timestamp::now().as_second() / 60
}

/// All that a page is made of but the minute and cache entries.
fn name(state: &AppState, user: &User, request: &Request) -> String {
    let mut name = format!("{user:?}\n{}", request.uri());
    let session = state.sessions.cookie_name();
    for line in request.headers().get_all(header::COOKIE) {
        for cookie in line.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii) {
            if !cookie.strip_prefix(session.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")) {
                name.push('\n');
                name.push_str(&String::from_utf8_lossy(cookie));
            }
        }
    }
    name
}

impl Page {
    /// Whether all it is made of is current, and as old as it says, for so many who ask together.
    pub async fn is_current(&self, cache: &Cache, many: u64) -> bool {
        if self.minute != this_minute() {
            return false;
        }
        let says = |age: Duration| words::age(age.as_secs());
        cache.still_serves(&self.origins, many, |origin, age| says(age) == says(origin.age())).await.is_some()
    }

    /// What it has the browser keep.
    pub fn cookies(&self) -> impl Iterator<Item = &HeaderValue> {
        self.headers.get_all(header::SET_COOKIE).iter()
    }

    fn response(&self, asked: &HeaderMap) -> Response {
        let mut response = encodings::respond(&self.html, &self.encodings, asked);
        for (name, value) in &self.headers {
            if name != header::CONTENT_LENGTH {
                response.headers_mut().append(name, value.clone());
            }
        }
        response.extensions_mut().insert(self.scripts.clone());
        response
    }
}

/// `'sha256-…'` of each script that stands in the page and bears its nonce, in their order.
fn script_hashes(html: &[u8], ScriptNonce(nonce): &ScriptNonce) -> String {
    let html = String::from_utf8_lossy(html);
    let marked = format!("nonce=\"{nonce}\"");
    let mut hashes = Vec::new();
    for script in html.split("<script").skip(1) {
        let Some((attributes, rest)) = script.split_once('>') else { continue };
        let Some((code, _)) = rest.split_once("</script") else { continue };
        if attributes.contains(&marked) && !code.is_empty() {
            hashes.push(format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(code))));
        }
    }
    hashes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_with_the_nonce_are_named_by_their_digest_and_no_others() {
        let nonce = ScriptNonce("n1".into());
        let page = b"<script type=\"module\" nonce=\"n1\">a()</script><script>b()</script><script nonce=\"n1\" \
            src=\"/x.js\"></script>";
        let expected = format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest("a()")));
        assert_eq!(script_hashes(page, &nonce), expected);
        assert_eq!(script_hashes(page, &ScriptNonce("n2".into())), "");
    }
}
