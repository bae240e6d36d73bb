//! What a refused or failed request is answered with. `AppError` becomes a status and a code here and nowhere else.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::RequestId;
use crate::{ApiError, domain::field_error::FieldError, server::AppError, words};

/// After how many seconds to try again what was not available.
const RETRY_AFTER: u64 = 2;
/// The same for one stream more than a user may have: streams end after ten minutes, or when a page is closed.
const STREAM_RETRY_AFTER: u64 = 30;

/// A refusal or failure, before it is known who is told. As a response it has no body yet: `render_problems` writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable: clients may rely on it.
    pub code: &'static str,
    /// For the one who asked.
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// When to try again, for what may work then.
    pub retry_after_seconds: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), retry_after_seconds: None }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", words::NOT_FOUND)
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
    }

    pub fn unavailable() -> Self {
        let detail = words::UNAVAILABLE;
        Self {
            retry_after_seconds: Some(RETRY_AFTER),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    fn too_many(retry_after_seconds: u64) -> Self {
        let detail = words::too_many(retry_after_seconds);
        Self {
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail)
        }
    }

    /// The value of `Retry-After`, for what may work again soon.
    pub fn retry_after(&self) -> Option<HeaderValue> {
        self.retry_after_seconds.map(HeaderValue::from)
    }

    fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some of what was sent is not accepted.")
        }
    }
}

impl From<&AppError> for Problem {
    fn from(error: &AppError) -> Self {
        match error {
            AppError::Unauthenticated => Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Please log in."),
            AppError::WrongCredentials => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_credentials", "The address or the password is wrong.")
            }
            AppError::CodeMissing => {
                Self::new(StatusCode::UNAUTHORIZED, "code_missing", "Send a one-time code too: `code`.")
            }
            AppError::WrongCode => {
                Self::new(StatusCode::UNAUTHORIZED, "wrong_code", "The code is not right, or was used already.")
            }
            AppError::CodesUnreadable => Self::new(StatusCode::CONFLICT, "codes_unreadable", words::CODES_UNREADABLE),
            AppError::SecondFactorRequired => {
                Self::new(StatusCode::FORBIDDEN, "second_factor_required", words::SECOND_FACTOR_REQUIRED)
            }
            AppError::OutOfScope(scope) => Self::new(
                StatusCode::FORBIDDEN,
                "out_of_scope",
                format!("This key is made for something else: its scope is `{}`.", scope.as_str()),
            ),
            AppError::Forbidden => Self::new(StatusCode::FORBIDDEN, "forbidden", words::NO_ACCESS),
            AppError::NotFound => Self::not_found(),
            AppError::Invalid(errors) => Self::invalid(errors.clone()),
            AppError::Conflict(why) => Self::new(StatusCode::CONFLICT, "conflict", why.clone()),
            AppError::Db(error) if error.is_unavailable() => {
                Self { detail: words::DATABASE_DOWN.to_owned(), ..Self::unavailable() }
            }
            AppError::Sessions(_) => Self { detail: words::SESSIONS_DOWN.to_owned(), ..Self::unavailable() },
            AppError::Busy => Self::unavailable(),
            AppError::TooManyStreams(most) => Self {
                retry_after_seconds: Some(STREAM_RETRY_AFTER),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "too_many_streams",
                    format!("{most} event streams of this user are open already: close one before you open another."),
                )
            },
            AppError::TooMany { retry_after_seconds } => Self::too_many(*retry_after_seconds),
            AppError::DoneInPart(what) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "done_in_part", what.clone()),
            AppError::Db(_) | AppError::Internal(_) => Self::internal(),
        }
    }
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

/// As the pages' scripts understand it.
pub fn api_error(problem: &Problem, id: &RequestId) -> ApiError {
    match problem.status {
        StatusCode::UNAUTHORIZED => ApiError::Unauthenticated,
        StatusCode::FORBIDDEN => ApiError::Forbidden,
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::CONFLICT => ApiError::Conflict(problem.detail.clone()),
        StatusCode::SERVICE_UNAVAILABLE => ApiError::Unavailable,
        StatusCode::TOO_MANY_REQUESTS => ApiError::TooMany(problem.retry_after_seconds.unwrap_or_default()),
        status if status.is_server_error() => ApiError::Internal(id.as_str().to_owned()),
        _ if problem.errors.is_empty() => ApiError::Invalid(vec![FieldError::new("request", problem.detail.clone())]),
        _ => ApiError::Invalid(problem.errors.clone()),
    }
}
