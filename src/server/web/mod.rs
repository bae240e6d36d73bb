//! HTTP: the router, and all that happens to a request before and after its handler.

use std::{net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{StatusCode, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use hyper::body::Incoming;
use tower::ServiceExt;
use vendorscope_cache::Foresight;

use self::{ahead::Ahead, encodings::Accepted};
use super::{
    AppState,
    identity::sessions::RequestSession,
    request::{ClientAddress, RequestId, ScriptNonce, is_safe, problem::Problem},
};

/// Who may do anything at all.
mod access;
/// What the rest of a request will ask Redis, asked at once.
mod ahead;
/// The forms that a body may travel in.
mod encodings;
/// What a refused or failed request is answered with.
pub mod errors;
/// The files that scripts/build has made.
mod files;
/// Whether this instance is alive, and whether it can work.
mod health;
/// The JSON API, one file a resource.
mod json;
/// What an address says that its page does not understand.
mod left_out;
/// How often one may ask, and how that is told.
mod limits;
/// What happens to every request.
mod middleware;
/// The pages, and who may see them.
mod pages;
/// Logging in through the marketplace.
mod provider;
/// How a refused form comes back to its page.
mod refusals;
/// Bodies of requests that are refused.
mod refused_body;
/// Pages that are sent again.
mod rendered;
/// Answers that are given again, before anything is routed.
mod repeats;
/// Forms that are sent after their session has ended.
mod session_ended;

/// Everything that is served.
pub struct Site {
    state: AppState,
    files: files::ReadFiles,
    repeats: repeats::Repeats,
    router: Router,
}

impl Site {
    pub fn new(state: AppState) -> Self {
        let files = files::ReadFiles::default();
        Self { router: router(state.clone(), files.clone()), files, repeats: repeats::Repeats::default(), state }
    }

    /// Answers one request of this peer.
    pub async fn answer(self: Arc<Self>, peer: SocketAddr, request: Request<Incoming>) -> Response {
        if let Some(file) = self.files.find(&self.state, &request) {
            return file;
        }
        let request = request.map(Body::new);
        let Some(question) = repeats::question(&request) else { return self.route(peer, request).await };
        match self.repeats.find(&question).await {
            Some(repeat) => {
                middleware::traced(request, async |mut request| {
                    match repeat.answer(&self.state).await {
                        Ok(response) => return response,
                        Err(ahead) => drop(request.extensions_mut().insert(ahead)),
                    }
                    // In a box: an answer that is given again needs no room for the whole way.
                    self.repeats.keep(question, Box::pin(self.route(peer, request)).await).await
                })
                .await
            }
            None => self.repeats.keep(question, self.route(peer, request).await).await,
        }
    }

    async fn route(&self, peer: SocketAddr, mut request: Request) -> Response {
        request.extensions_mut().insert(ConnectInfo(peer));
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }
}

fn router(state: AppState, files: files::ReadFiles) -> Router {
    Router::new()
        .merge(pages::router(&state))
        .merge(provider::router())
        .nest("/api", json::router(&state))
        .fallback(pages::fallback)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), for_people))
        .merge(health::router(&state))
        .merge(files::router(files))
        .layer(from_fn_with_state(state.clone(), for_all))
        .with_state(state)
}

/// What happens to every request that is routed. One function and not a layer for each step of it: a layer costs every
/// request a box, and a copy of all the layers within it.
async fn for_all(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match request.extensions().get::<RequestId>() {
        // It has a name, and is logged, already.
        Some(_) => answer(&state, request, next).await,
        None => middleware::traced(request, async |request| answer(&state, request, next).await).await,
    }
}

async fn answer(state: &AppState, mut request: Request, next: Next) -> Response {
    let measure = middleware::Measure::begin(&request);
    let address = middleware::client_address(state, &request);
    request.extensions_mut().insert(ClientAddress(address));
    let (path, nonce) = (request.uri().clone(), ScriptNonce::random());
    let accepted = Accepted::of(request.headers());
    request.extensions_mut().insert(nonce.clone());
    let asked = errors::Asked::of(&request);
    let answering = middleware::limit_duration(state, refused_body::limit_body(request, next));
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let response = asked.render(answered.unwrap_or_else(middleware::answer_panic));
    let mut response = accepted.encode(response).await;
    middleware::set_headers(state, path.path(), &nonce, &mut response);
    measure.end(state, response.status());
    response
}

/// What happens to every request that somebody may have to be logged in for.
async fn for_people(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (mut asked, body) = request.into_parts();
    if let Err(refused) = middleware::refuse_cross_site(&asked) {
        return refused.into_response();
    }
    let Ahead { session, counted, foresight } = match asked.extensions.remove::<Ahead>() {
        Some(ahead) => ahead,
        None => ask_ahead(&state, &asked).await,
    };
    asked.extensions.insert(session.clone());
    let answering = async {
        let let_in = match limits::admit(&state, &session, &asked, counted).await {
            Ok(let_in) => let_in,
            Err(refused) => return refused,
        };
        let mut response = match access::check_access(&session, &asked).await {
            Ok(()) => next.run(Request::from_parts(asked, body)).await,
            Err(refused) => refused,
        };
        if let Some(let_in) = let_in {
            let_in.tell(&mut response);
        }
        response
    };
    let mut response = Foresight::scope(foresight, answering).await;
    session.set_cookies(response.headers_mut());
    response
}

async fn ask_ahead(state: &AppState, asked: &Parts) -> Ahead {
    let session = RequestSession::new(state, asked.uri.path(), &asked.headers);
    match asked.extensions.get::<MatchedPath>() {
        // Files are everybody's: no route, and no question.
        None => Ahead::of(session),
        Some(_) => Ahead::ask(state, session, limits::purpose(asked), is_safe(&asked.method)).await,
    }
}

async fn method_not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This method is not accepted here; `Allow` names those that are.",
    )
}
