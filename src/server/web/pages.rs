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
    domain::accounts::Role,
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
    },
};

/// Every page of the app and every server function, each with the state in its context.
pub fn router(state: &AppState) -> Router<AppState> {
    let options = state.leptos.clone();
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

/// Lets people see the pages that are theirs: everyone else goes to log in, or to where they belong. (Server functions answer for
/// themselves.)
async fn guard(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    if is_under(uri.path(), "/_fn") {
        return next.run(request).await;
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
