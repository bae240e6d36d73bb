//! The pages, their server functions, and the files beside them.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
};
use leptos::{
    context::{provide_context, use_context},
    nonce::Nonce,
};
use leptos_axum::{ErrorHandler, LeptosRoutes, generate_route_list};
use tower::ServiceExt;

use super::{
    files, left_out, limits,
    middleware::{MAX_BODY, read_body},
    refusals,
    rendered::RenderedPages,
    session_ended,
};
use crate::{
    app::{App, shell},
    domain::{
        accounts::{Role, User},
        field_error::FieldError,
    },
    server::{
        AppError, AppState, context,
        identity::sessions::RequestSession,
        request::{
            ScriptNonce,
            addresses::{home, login_after_end, login_page},
            is_under, one_time,
            problem::Problem,
            wants_html,
            well_formed::{check_address, check_form},
        },
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
        .route_layer(from_fn_with_state((state.clone(), RenderedPages::new()), guard))
}

/// Files, and the page that says there is no such page.
pub async fn fallback(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    if let Err(error) = check_address(request.uri()) {
        return error.into_response();
    }
    if is_under(path, "/_fn") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    if let Some(address) = without_empty_segments(request.uri()) {
        return Redirect::permanent(&address).into_response();
    }
    let (parts, body) = request.into_parts();
    if let Some(file) = files::find(&state, &parts).await {
        return file;
    }
    if !wants_html(&parts.headers) {
        return Problem::not_found().into_response();
    }
    if let Err(error) = limits::count_page(&state, &parts.extensions).await {
        return error.into_response();
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

/// The address that one with a slash too many was meant to be: `/orders/` is `/orders`. Pages have one address each. It
/// begins with one slash; where a browser would read another one, a backslash, there is none.
fn without_empty_segments(uri: &Uri) -> Option<String> {
    let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let path = format!("/{}", segments.join("/"));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    (path != uri.path()).then(|| path + &query).filter(|address| !address.contains('\\'))
}

/// Has Leptos mark its scripts with the nonce that the answer's Content-Security-Policy names, in place of one of its
/// own.
fn provide_nonce() {
    if let Some(ScriptNonce(nonce)) =
        use_context::<Parts>().and_then(|parts| parts.extensions.get::<ScriptNonce>().cloned())
    {
        provide_context(Nonce::from_value(nonce));
    }
}

/// Lets people see the pages that are theirs, and call the functions of these: everyone else goes to log in, or to
/// where they belong.
async fn guard(State((state, rendered)): State<(AppState, RenderedPages)>, request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    if let Err(error) = check_address(&uri) {
        return error.into_response();
    }
    let Some(session) = request.extensions().get::<RequestSession>() else {
        return AppError::Internal("a page without sessions".to_owned()).into_response();
    };
    if let Some(function) = uri.path().strip_prefix("/_fn/") {
        let user = session.user().await.and_then(|user| may_call(function, user.as_ref()).map(|()| user));
        return match user {
            Ok(user) => call(&state, user, request, next).await.unwrap_or_else(IntoResponse::into_response),
            // A form without scripts, sent after the session had ended.
            Err(AppError::Unauthenticated) if wants_html(request.headers()) => {
                session_ended::answer(&state, function, request).await
            }
            Err(error) => error.into_response(),
        };
    }
    if refusals::tells_of_one(&uri) {
        let user = match session.user().await {
            Ok(user) => user.map(|user| user.id),
            Err(error) => return error.into_response(),
        };
        if let Some(address) = refusals::without_foreign(&state.refusals, user, &uri) {
            return Redirect::to(&address).into_response();
        }
    }
    let (is_login, is_admin_page) = (is_under(uri.path(), "/login"), is_under(uri.path(), "/admin"));
    if matches!(uri.path(), "/forgot" | "/letters/stop") {
        return next.run(request).await;
    }
    if uri.path() == "/reset" {
        // A token stays in an address, which is kept and told on, for no longer than this.
        return match one_time::in_address(&uri) {
            Some(token) => {
                session.set_cookie(one_time::keep(state.config.production, &token));
                Redirect::to("/reset").into_response()
            }
            None => next.run(request).await,
        };
    }
    let (user, had_cookie) = (session.user().await, session.had_cookie());
    let (request, is_told) = left_out::understood(request);
    match user {
        Err(error) => error.into_response(),
        Ok(None) if is_login => next.run(request).await,
        Ok(None) if had_cookie => Redirect::to(&login_after_end(Some(&uri))).into_response(),
        Ok(None) => Redirect::to(&login_page(None, Some(&uri))).into_response(),
        Ok(Some(user)) if is_login => Redirect::to(home(&user)).into_response(),
        Ok(Some(_)) if uri.path() == "/account" => next.run(request).await,
        // What it says of its address belongs to this one answer.
        Ok(Some(user)) if user.role == Role::Vendor && uri.path() == "/" && !is_told => {
            rendered.serve(&state, &user, request, next).await
        }
        Ok(Some(user)) => match (user.role, is_admin_page) {
            // A form for what one may not do is of no use.
            (Role::Accountant, false) if uri.path() == "/products/new" => AppError::Forbidden.into_response(),
            (Role::Vendor | Role::Accountant, false) | (Role::Admin, true) => next.run(request).await,
            (Role::Admin, false) => Redirect::to(home(&user)).into_response(),
            (Role::Vendor | Role::Accountant, true) => AppError::Forbidden.into_response(),
        },
    }
}

/// Who may call a server function, before anything of what was sent is read; the functions themselves ask again. What
/// is not named here is a vendor's.
fn may_call(function: &str, user: Option<&User>) -> Result<(), AppError> {
    if matches!(function, "login" | "login/code" | "logout" | "reset" | "forgot" | "letters/stop") {
        return Ok(());
    }
    let user = user.ok_or(AppError::Unauthenticated)?;
    let is_allowed = match function {
        "account/time-zone" => user.role == Role::Vendor,
        function if is_under(function, "account") => true,
        function if is_under(function, "admin") => user.role == Role::Admin,
        _ => user.role == Role::Vendor,
    };
    if is_allowed { Ok(()) } else { Err(AppError::Forbidden) }
}

/// Calls a server function, if what is sent to it is a form.
async fn call(state: &AppState, user: Option<User>, request: Request, next: Next) -> Result<Response, Problem> {
    let id = user.as_ref().map(|user| user.id);
    match *request.method() {
        // Their router takes it for a GET, and the functions know of none.
        Method::HEAD => {
            let mut refused = super::method_not_allowed().await.into_response();
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            return Ok(refused);
        }
        Method::GET => {
            check_form(request.uri().query().unwrap_or_default()).map_err(Problem::from)?;
            return Ok(refusals::sent_back(&state.refusals, id, next.run(request).await, None));
        }
        _ => {}
    }
    let is_form =
        |content_type: &HeaderValue| content_type.as_bytes().starts_with(b"application/x-www-form-urlencoded");
    if !request.headers().get(header::CONTENT_TYPE).is_none_or(is_form) {
        let detail = "The body must be a form, with Content-Type: application/x-www-form-urlencoded.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let (mut parts, body) = request.into_parts();
    let body = read_body(Request::from_parts(parts.clone(), body), state, MAX_BODY).await?;
    let form =
        std::str::from_utf8(&body).map_err(|_| AppError::from(FieldError::new("form", "must be percent-encoded")))?;
    check_form(form).map_err(Problem::from)?;
    let body = match session_ended::unmarked(&mut parts, &body, user.as_ref())? {
        Some(form) => {
            parts.headers.insert(header::CONTENT_LENGTH, form.len().into());
            form.into()
        }
        None => body,
    };
    let typed = wants_html(&parts.headers).then(|| refusals::typed(&body)).flatten();
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    Ok(refusals::sent_back(&state.refusals, id, response, typed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_too_many_leads_to_the_page_and_nowhere_else() {
        for (odd, meant) in [
            ("/orders/", Some("/orders")),
            ("//orders?status=shipped", Some("/orders?status=shipped")),
            ("/products//a%2Fb/", Some("/products/a%2Fb")),
            ("//evil.example/", Some("/evil.example")),
            ("/\\evil.example/", None),
            ("/orders", None),
            ("/", None),
        ] {
            assert_eq!(without_empty_segments(&odd.parse().unwrap()).as_deref(), meant, "{odd}");
        }
    }
}
