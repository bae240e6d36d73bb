//! The files of the site: those of scripts/build under `/pkg`, and those of public/.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use tower::ServiceExt;

use super::{
    encodings::Encoding,
    middleware::{has_hash, set_headers},
};
use crate::server::{
    AppState,
    request::{RequestId, ScriptNonce, X_REQUEST_ID, is_under, problem::Problem, well_formed::check_address},
    traces,
};

/// The forms that scripts/build lays a file there in, beside the file itself.
const COMPRESSED: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

/// Files whose names hold the hash of their content, as they were read the first time, by name and encoding. Their
/// content never changes, and there are as many as scripts/build has made.
#[derive(Clone, Default)]
pub struct ReadFiles(Arc<RwLock<HashMap<String, HashMap<&'static str, File>>>>);

#[derive(Clone)]
struct File {
    headers: HeaderMap,
    content: Bytes,
}

/// As the router has it.
const ROUTE: &str = "/pkg/{*path}";

/// What scripts/build has made. It is the same for everybody, so that nobody is asked who they are.
pub fn router(read: ReadFiles) -> Router<AppState> {
    Router::new().route(ROUTE, any(move |State(state): State<AppState>, request| answer(state, read.clone(), request)))
}

async fn answer(state: AppState, read: ReadFiles, request: Request) -> Response {
    if let Err(error) = check_address(request.uri()) {
        return error.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    let (mut parts, _) = request.into_parts();
    let Some(name) = name_of_unchanging(&parts.uri, &parts.headers).map(str::to_owned) else {
        return find(&state, &parts).await.unwrap_or_else(|| Problem::not_found().into_response());
    };
    let encoding = Encoding::preferred_of(&COMPRESSED, &parts.headers).name();
    if let Some(file) = read.get(&name, encoding) {
        return file.into_response();
    }
    parts.method = Method::GET;
    parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(encoding));
    let Some(mut found) = find(&state, &parts).await else { return Problem::not_found().into_response() };
    if found.status() != StatusCode::OK {
        return found;
    }
    set_headers(&state, parts.uri.path(), &ScriptNonce::random(), &mut found);
    let (parts, body) = found.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(content) => read.insert(name, encoding, File { headers: parts.headers, content }).into_response(),
        Err(error) => {
            tracing::error!(%error, name, "a file of the site cannot be read");
            Problem::internal().into_response()
        }
    }
}

/// The name of a file that never changes, where all of it is asked for; `None` where it is asked for in any other way
/// than pages do, so that no file is kept under two names.
fn name_of_unchanging<'a>(uri: &'a Uri, headers: &HeaderMap) -> Option<&'a str> {
    let name = uri.path().strip_prefix("/pkg/")?;
    let is_plain = has_hash(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let asks_for_part = [
        header::RANGE,
        header::IF_MODIFIED_SINCE,
        header::IF_UNMODIFIED_SINCE,
        header::IF_NONE_MATCH,
        header::IF_MATCH,
    ]
    .iter()
    .any(|name| headers.contains_key(name));
    (is_plain && !asks_for_part).then_some(name)
}

/// The file at this address, from the disk; `None` where there is none.
pub async fn find(state: &AppState, parts: &Parts) -> Option<Response> {
    let request = Request::from_parts(parts.clone(), ());
    let Ok(file) = leptos_axum::site_pkg_dir_service(&state.leptos).oneshot(request).await;
    if file.status() == StatusCode::NOT_FOUND {
        return None;
    }
    let mut file = file.into_response();
    // scripts/build lays each file there compressed as well, and which one is sent depends on who asks.
    file.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Some(file)
}

impl ReadFiles {
    /// A file that has been read, for whoever asks as browsers do: the whole answer, so that nothing of what happens to
    /// other requests has to. `None` for any other request, and where its steps are to be logged or traced.
    pub fn find<B>(&self, state: &AppState, request: &Request<B>) -> Option<Response> {
        // A query may be one that is refused.
        let is_plain = request.method() == Method::GET && request.uri().query().is_none();
        if !is_plain || !is_under(request.uri().path(), "/pkg") || traces::is_followed() {
            return None;
        }
        let started = Instant::now();
        let name = name_of_unchanging(request.uri(), request.headers())?;
        let encoding = Encoding::preferred_of(&COMPRESSED, request.headers());
        // What is not kept as it is wanted is compressed on its way.
        let file = self.get(name, encoding.name()).filter(|_| encoding != Encoding::Identity)?;
        let mut response = file.into_response();
        if let Ok(id) = HeaderValue::from_str(RequestId::of(request.headers(), None).as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        state.metrics.observe("GET", ROUTE, StatusCode::OK.as_u16(), started.elapsed());
        Some(response)
    }

    fn get(&self, name: &str, encoding: &'static str) -> Option<File> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name)?.get(encoding).cloned()
    }

    fn insert(&self, name: String, encoding: &'static str, file: File) -> File {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        files.entry(name).or_default().insert(encoding, file.clone());
        file
    }
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.content));
        *response.headers_mut() = self.headers;
        response
    }
}
