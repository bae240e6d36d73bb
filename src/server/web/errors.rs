//! What a refused or failed request is answered with: `application/problem+json` (RFC 9457) on the JSON API, an `ApiError` to the
//! pages' own calls, a page to a browser. `AppError` becomes a status and a code here and nowhere else.

use axum::{
    Json,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use super::middleware::RequestId;
use crate::{
    api::ApiError,
    domain::invalid::Invalid,
    server::{AppError, db::DbError},
};

/// After how many seconds to try again what was not available.
const RETRY_AFTER: u64 = 2;

/// A refusal or failure, before it is known who is told. As a response it has no body yet: `render_problems` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable: clients may rely on it.
    pub code: &'static str,
    /// For the one who asked.
    pub detail: String,
    pub errors: Vec<Invalid>,
    /// When to try again, for what may work then.
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after_seconds: None }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
    }

    pub fn unavailable() -> Self {
        let detail = "The service is not available at the moment. Please try again shortly.";
        Self { retry_after_seconds: Some(RETRY_AFTER), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail) }
    }

    fn too_many(retry_after_seconds: u64) -> Self {
        let detail = format!("This was asked for too often. Please try again in {retry_after_seconds} s.");
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail) }
    }

    /// The value of `Retry-After`, for what may work again soon.
    pub fn retry_after(&self) -> Option<HeaderValue> {
        self.retry_after_seconds.map(HeaderValue::from)
    }

    fn invalid(errors: Vec<Invalid>) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some of what was sent is not accepted.") }
    }
}

impl From<&AppError> for Problem {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Unauthenticated => Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Please log in."),
            AppError::WrongCredentials => Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "The address or the password is wrong."),
            AppError::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", "This is not for your account."),
            AppError::NotFound => Self::not_found(),
            AppError::Invalid(errors) => Self::invalid(errors.clone()),
            AppError::Conflict(why) => Self::new(StatusCode::CONFLICT, "conflict", why.clone()),
            AppError::Db(error) if is_unavailable(error) => Self::unavailable(),
            AppError::Sessions(_) | AppError::Busy => Self::unavailable(),
            AppError::TooMany { retry_after_seconds } => Self::too_many(*retry_after_seconds),
            AppError::DoneInPart(what) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "done_in_part", what.clone()),
            AppError::Db(_) | AppError::Internal(_) => Self::internal(),
        }
    }
}

fn is_unavailable(error: &DbError) -> bool {
    use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls, WorkerCrashed};
    matches!(error, DbError::Unavailable(_) | DbError::Query(Io(_) | PoolClosed | PoolTimedOut | Tls(_) | WorkerCrashed))
}

impl From<AppError> for Problem {
    /// Logs what is ours to mend; the text of such an error goes nowhere else.
    fn from(error: AppError) -> Self {
        let problem = Self::from(&error);
        log(&error, problem.status);
        problem
    }
}

pub(super) fn log(error: &AppError, status: StatusCode) {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        tracing::warn!(%error, "not available");
    } else if status.is_server_error() {
        tracing::error!(%error, "failed");
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        if let Some(retry_after) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Writes the body of every `Problem`, for whoever asked.
pub async fn render_problems(request: Request, next: Next) -> Response {
    let audience = Audience::of(&request);
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            let (parts, _) = response.into_parts();
            let mut rendered = audience.render(&problem, &id);
            *rendered.status_mut() = parts.status;
            // Retry-After, Allow, and the like.
            rendered.headers_mut().extend(parts.headers.into_iter().filter(|(name, _)| name.as_ref() != Some(&header::CONTENT_LENGTH)));
            rendered
        }
        None => response,
    }
}

/// Who is told of a problem.
enum Audience {
    Api,
    /// The pages' scripts.
    ServerFunction,
    Browser,
}

impl Audience {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        if is_under(path, "/_fn") {
            // A form sent without scripts is answered with a page.
            if super::wants_html(request.headers()) { Self::Browser } else { Self::ServerFunction }
        } else if is_under(path, "/api") || !super::wants_html(request.headers()) {
            Self::Api
        } else {
            Self::Browser
        }
    }

    fn render(&self, problem: &Problem, id: &RequestId) -> Response {
        match self {
            Self::Api => problem_json(problem, id),
            Self::ServerFunction => Json(api_error(problem, id)).into_response(),
            Self::Browser => Html(page(problem, id)).into_response(),
        }
    }
}

/// Whether a path is `folder` or lies in it.
pub(super) fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: String,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[Invalid]>::is_empty")]
    errors: &'a [Invalid],
}

fn problem_json(problem: &Problem, id: &RequestId) -> Response {
    let body = ProblemJson {
        r#type: format!("urn:vendorscope:problem:{}", problem.code),
        title: problem.status.canonical_reason().unwrap_or_default(),
        status: problem.status.as_u16(),
        detail: &problem.detail,
        instance: format!("urn:vendorscope:request:{}", id.as_str()),
        code: problem.code,
        request_id: id.as_str(),
        errors: &problem.errors,
    };
    let mut response = Json(body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if problem.status == StatusCode::UNAUTHORIZED {
        // RFC 9110, 11.6.1: says how one may.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// As the pages' scripts understand it.
pub(super) fn api_error(problem: &Problem, id: &RequestId) -> ApiError {
    match problem.status {
        StatusCode::UNAUTHORIZED => ApiError::Unauthenticated,
        StatusCode::FORBIDDEN => ApiError::Forbidden,
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::CONFLICT => ApiError::Conflict(problem.detail.clone()),
        StatusCode::SERVICE_UNAVAILABLE => ApiError::Unavailable,
        StatusCode::TOO_MANY_REQUESTS => ApiError::TooMany(problem.retry_after_seconds.unwrap_or_default()),
        status if status.is_server_error() => ApiError::Internal(id.as_str().to_owned()),
        _ if problem.errors.is_empty() => ApiError::Invalid(vec![Invalid::new("request", problem.detail.clone())]),
        _ => ApiError::Invalid(problem.errors.clone()),
    }
}

/// A page that needs nothing else to work: no script, no style, no database.
fn page(problem: &Problem, id: &RequestId) -> String {
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let mut detail = escape(&problem.detail);
    for error in &problem.errors {
        detail.push_str(&format!("</p><p>{}", escape(&error.to_string())));
    }
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Vendorscope</title></head>\
         <body><main><h1>{title}</h1><p>{detail}</p><p><a href=\"/\">Back to Vendorscope</a></p><p><small>Request {}</small></p></main></body></html>",
        escape(id.as_str())
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
