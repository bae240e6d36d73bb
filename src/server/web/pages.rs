//! The pages, their server functions, and the files beside them.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{
    context::{provide_context, use_context},
    nonce::Nonce,
};
use leptos_axum::{ErrorHandler, LeptosRoutes, generate_route_list};
use tower::ServiceExt;

use crate::{
    app::{App, shell},
    domain::accounts::{Role, encode_segment},
    server::{
        AppError, AppState, context,
        identity::sessions::RequestSession,
        request::{
            ScriptNonce,
            addresses::{home, login_page},
            is_under,
            problem::Problem,
            wants_html,
        },
        web::middleware::{MAX_BODY, too_large},
    },
};

/// Every page of the app and every server function, each with the state in its context.
pub fn router(state: &AppState) -> Router<AppState> {
    let options = state.leptos.clone();
    super::errors::set_style(crate::components::scripts::address(&options, "css"));
    // Worked out once: the app runs for it.
    let routes = generate_route_list(App);
    Router::new()
        .leptos_routes_with_context(state, routes, provide_nonce, move || shell(options.clone(), context::theme()))
        .route_layer(from_fn(guard))
}

/// Files, and the page that says there is no such page.
pub async fn fallback(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if is_under(path, "/_fn") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    let is_build_output = is_under(path, "/pkg");
    let (parts, body) = request.into_parts();
    let Ok(file) = leptos_axum::site_pkg_dir_service(&state.leptos).oneshot(Request::from_parts(parts.clone(), ())).await;
    if file.status() != StatusCode::NOT_FOUND {
        let mut file = file.into_response();
        // scripts/build lays each file there compressed as well, and which one is sent depends on who asks.
        file.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        return file;
    }
    if is_build_output || !wants_html(&parts.headers) {
        return Problem::not_found().into_response();
    }
    let (context, options) = (state.clone(), state.leptos.clone());
    let provide = move || {
        provide_context(context.clone());
        provide_nonce();
    };
    let page = ErrorHandler::new_with_context(provide, |options| shell(options, context::theme()), options);
    let Ok(page) = page.oneshot(Request::from_parts(parts, body)).await;
    page
}

/// Has Leptos mark its scripts with the nonce that the answer's Content-Security-Policy names, in place of one of its own.
fn provide_nonce() {
    if let Some(ScriptNonce(nonce)) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<ScriptNonce>().cloned()) {
        provide_context(Nonce::from_value(nonce));
    }
}

/// The most that is sent back of what was typed into a refused form, in bytes as an address writes it: proxies take addresses of 8 KB.
const MOST_TYPED: usize = 6_000;

/// A server function. A form that is refused goes back to its page with why, in the address (Leptos writes `__path` and `__err`); what
/// was typed goes with it, so that nobody types it again. Passwords do not.
async fn submit(request: Request, next: Next) -> Response {
    let is_form = wants_html(request.headers()) && *request.method() == Method::POST;
    if !is_form {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else { return too_large(MAX_BODY).into_response() };
    let mut response = next.run(Request::from_parts(parts, body.clone().into())).await;
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    if let Some(location) = location.filter(|location| location.contains("__err=")) {
        let is_secret = |name: &str| matches!(name, "password" | "current" | "token");
        let typed: Vec<_> = form_urlencoded::parse(&body).filter(|(name, _)| !is_secret(name)).collect();
        let typed = serde_json::to_string(&typed).map(|typed| encode_segment(&typed)).unwrap_or_default();
        // Not what was typed the time before as well.
        let (page, query) = location.split_once('?').unwrap_or((location, ""));
        let mut query: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("__typed=")).map(str::to_owned).collect();
        if typed.len() <= MOST_TYPED {
            query.push(format!("__typed={typed}"));
        }
        if let Ok(location) = HeaderValue::from_str(&format!("{page}?{}", query.join("&"))) {
            response.headers_mut().insert(header::LOCATION, location);
        }
    }
    response
}

/// Lets people see the pages that are theirs: everyone else goes to log in, or to where they belong. (Server functions answer for
/// themselves.)
async fn guard(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    if is_under(uri.path(), "/_fn") {
        return submit(request, next).await;
    }
    let Some(session) = request.extensions().get::<RequestSession>() else {
        return AppError::Internal("a page without sessions".to_owned()).into_response();
    };
    let (is_login, is_admin_page) = (uri.path() == "/login", is_under(uri.path(), "/admin"));
    if uri.path() == "/reset" {
        return next.run(request).await;
    }
    match session.user().await {
        Err(error) => error.into_response(),
        Ok(None) if is_login => next.run(request).await,
        Ok(None) => Redirect::to(&login_page(None, Some(&uri))).into_response(),
        Ok(Some(user)) if is_login => Redirect::to(home(&user)).into_response(),
        Ok(Some(_)) if uri.path() == "/account" => next.run(request).await,
        Ok(Some(user)) => match (user.role, is_admin_page) {
            (Role::Vendor, false) | (Role::Admin, true) => next.run(request).await,
            (Role::Admin, false) => Redirect::to(home(&user)).into_response(),
            (Role::Vendor, true) => AppError::Forbidden.into_response(),
        },
    }
}
