//! What happens to every request, piece by piece; `for_all` and `for_people` say in which order.

use std::{
    any::Any,
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequest, MatchedPath, Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use ipnet::IpNet;
use tracing::Instrument;

use super::rendered::ScriptHashes;
use crate::server::{
    AppState,
    request::{RequestId, ScriptNonce, X_REQUEST_ID, is_safe, is_under, problem::Problem},
    traces,
};

/// The largest body accepted, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// The same where the marketplace's backend sends thousands of rows at a time.
pub const MAX_INGEST_BODY: usize = 8 * 1024 * 1024;

/// Names the request, and opens the span that everything logged for it stands in. Queries stay out of it: people type
/// into them. Where requests are traced, that is one more span, and the id of the trace stands in every line.
pub async fn traced(request: Request, next: impl AsyncFnOnce(Request) -> Response) -> Response {
    let span = traces::request_span(&request);
    let response = log(request, next, traces::trace_id(&span)).instrument(span.clone()).await;
    traces::note_status(&span, response.status());
    response
}

async fn log(mut request: Request, next: impl AsyncFnOnce(Request) -> Response, trace: Option<String>) -> Response {
    let id = RequestId::of(request.headers(), trace);
    let (method, path, trace_id) = (request.method(), request.uri().path(), id.trace());
    let span = tracing::info_span!("request", id = id.as_str(), %method, path, trace_id);
    let quiet = is_probe(path) || is_under(path, "/pkg");
    let started = Instant::now();
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(Began(started));
    async move {
        let mut response = next(request).await;
        let (status, elapsed_ms) = (response.status().as_u16(), started.elapsed().as_secs_f64() * 1000.0);
        if quiet {
            tracing::debug!(status, elapsed_ms, "answered");
        } else {
            tracing::info!(status, elapsed_ms, "answered");
        }
        if let Ok(value) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, value);
        }
        response
    }
    .instrument(span)
    .await
}

/// When a request began.
#[derive(Clone)]
struct Began(Instant);

/// One request that is to be counted.
pub struct Measure {
    started: Instant,
    method: Method,
    route: Option<MatchedPath>,
}

impl Measure {
    pub fn begin(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let started = request.extensions().get::<Began>().map_or_else(Instant::now, |began| began.0);
        Self { started, method: request.method().clone(), route }
    }

    /// Counts it, by the route that it was for.
    pub fn end(self, state: &AppState, status: StatusCode) {
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        state.metrics.observe(self.method.as_str(), route, status.as_u16(), self.started.elapsed());
    }
}

fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// Who asks: the peer, or behind trusted proxies the rightmost address of `X-Forwarded-For` that is not one of them.
/// Never the leftmost, which anybody can write.
pub fn client_address(state: &AppState, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    peer.map(|peer| forwarded_for(peer, request.headers(), &state.config.http.trusted_proxies))
}

fn forwarded_for(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    // Lossily: a proxy may put its own entry behind whatever somebody sent, on one line.
    let lines: Vec<_> =
        headers.get_all("x-forwarded-for").iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(|hop| parse_hop(hop.trim()));
    let mut address = peer;
    while is_trusted(address) {
        match hops.next() {
            Some(Some(hop)) => address = hop,
            // The end, or nonsense that no trusted proxy wrote: the last address known is the answer.
            Some(None) | None => break,
        }
    }
    address
}

fn parse_hop(text: &str) -> Option<IpAddr> {
    let address = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// Headers that belong on every answer: what browsers may do with it, and who may keep it.
pub fn set_headers(state: &AppState, path: &str, nonce: &ScriptNonce, response: &mut Response) {
    let cache_control = cache_control(path, response);
    let is_page = content_type(response).starts_with("text/html");
    let policy = is_page.then(|| {
        let scripts = match response.extensions().get::<ScriptHashes>() {
            Some(ScriptHashes(hashes)) => hashes.to_string(),
            None => format!("'nonce-{}'", nonce.0),
        };
        content_security_policy(&scripts, state.config.http.reloads_pages)
    });
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CACHE_CONTROL, cache_control);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not no-referrer: forms that are sent without scripts come back by it.
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    if state.config.production {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    let policy = policy.and_then(|policy| HeaderValue::try_from(policy).ok());
    let policy = policy.unwrap_or(HeaderValue::from_static(POLICY_OF_WHAT_IS_NO_PAGE));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
}

/// What browsers could do for a page, and these pages never ask for.
const PERMISSIONS: &str = "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), geolocation=(), \
                           gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
                           publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// What is no page loads nothing.
const POLICY_OF_WHAT_IS_NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Nothing but what this site serves, no script in the page but those that `scripts` names, no style in the page at
/// all. WebAssembly may be compiled; text may not. (`reloads_pages`: cargo-leptos tells an open page over a WebSocket
/// of its own when to load anew.)
fn content_security_policy(scripts: &str, reloads_pages: bool) -> String {
    let reload = if reloads_pages { " ws: wss:" } else { "" };
    format!(
        "default-src 'none'; script-src 'self' {scripts} 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         font-src 'self'; \
         connect-src 'self'{reload}; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Whatever is not plainly a file that is the same for everybody stays private.
fn cache_control(path: &str, response: &Response) -> &'static str {
    let is_file = matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED | StatusCode::PARTIAL_CONTENT)
        && !content_type(response).starts_with("text/html")
        && !is_under(path, "/api")
        && !is_under(path, "/_fn")
        && !is_probe(path);
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.contains('.') {
        true if is_file && is_under(path, "/pkg") && has_hash(name) => "public, max-age=31536000, immutable",
        true if is_file && is_under(path, "/pkg") => "no-cache",
        true if is_file => "public, max-age=3600",
        _ => "private, no-store",
    }
}

fn content_type(response: &Response) -> &str {
    response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a file's name holds the hash of its content, as scripts/build writes it: `vendorscope.kL3…22 letters….css`.
pub fn has_hash(name: &str) -> bool {
    name.split('.')
        .skip(1)
        .any(|part| part.len() >= 16 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)))
}

/// A panic is a defect: the log has it, the answer does not.
pub fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("of another type"), "panicked");
    Problem::internal().into_response()
}

/// Nobody waits for ever.
pub async fn limit_duration(state: &AppState, answering: impl Future<Output = Response>) -> Response {
    let timeout = state.config.http.timeout;
    tokio::time::timeout(timeout, answering).await.unwrap_or_else(|_| {
        tracing::error!(?timeout, "gave up");
        Problem::unavailable().into_response()
    })
}

/// A body of at most `most` bytes. 413 for one that is larger, 400 for one that ends too early.
pub async fn read_body(request: Request, state: &AppState, most: usize) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => too_large(most),
        _ => Problem::new(StatusCode::BAD_REQUEST, "malformed_body", "The body could not be read to its end."),
    })
}

/// The largest body that this path accepts, in bytes.
pub fn max_body(path: &str) -> usize {
    if is_under(path, "/api/ingest") { MAX_INGEST_BODY } else { MAX_BODY }
}

pub fn too_large(most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_large",
        format!("The body is larger than {most} bytes, the most that is accepted."),
    )
}

/// Refuses writes that another site makes a browser send, and whatever it sends to the functions of pages, which belong
/// to this site's pages alone. Browsers say where a request comes from (Fetch Metadata, or
/// at least Origin); what says neither is no browser, and has no cookie that it did not mean to send.
pub fn refuse_cross_site(asked: &Parts) -> Result<(), Problem> {
    let is_open = is_safe(&asked.method) && !is_under(asked.uri.path(), "/_fn");
    if is_open || is_same_origin(&asked.headers, &asked.uri) {
        return Ok(());
    }
    tracing::warn!("cross-site request refused");
    Err(Problem::new(StatusCode::FORBIDDEN, "cross_site", "This request comes from another site."))
}

/// Whether a request comes from a page of this site, or from whoever typed its address.
pub fn is_same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    origin_host.is_some() && origin_host.map(str::to_ascii_lowercase) == host.map(str::to_ascii_lowercase)
}
