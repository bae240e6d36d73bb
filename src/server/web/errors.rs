//! What a refused or failed request is answered with: `application/problem+json` (RFC 9457) on the JSON API, an
//! `ApiError` to the pages' own calls, a page to a browser. `AppError` becomes a status and a code here and nowhere
//! else.

use std::sync::OnceLock;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    domain::field_error::FieldError,
    server::request::{
        RequestId, is_under,
        problem::{Problem, api_error},
        wants_html,
    },
    words,
};

/// Who asked, and under which name that is logged.
pub struct Asked {
    audience: Audience,
    id: RequestId,
}

impl Asked {
    pub fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
        Self { audience: Audience::of(request), id }
    }

    /// Writes the body where the answer is a `Problem`, for whoever asked.
    pub fn render(&self, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        let (parts, _) = response.into_parts();
        let mut rendered = self.audience.render(&problem, &self.id);
        *rendered.status_mut() = parts.status;
        // Retry-After, Allow, and the like.
        rendered
            .headers_mut()
            .extend(parts.headers.into_iter().filter(|(name, _)| name.as_ref() != Some(&header::CONTENT_LENGTH)));
        rendered
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
            if wants_html(request.headers()) { Self::Browser } else { Self::ServerFunction }
        } else if is_under(path, "/api") || !wants_html(request.headers()) {
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
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
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

/// Where the style sheet is: the pages know once they are made.
static STYLE: OnceLock<String> = OnceLock::new();

/// Names the style sheet, for pages that are made without Leptos.
pub fn set_style(address: String) {
    // Set twice to the same where tests start several servers.
    let _ = STYLE.set(address);
}

/// A page that needs nothing else to work: no script, no session, no database.
fn page(problem: &Problem, id: &RequestId) -> String {
    let title = words::problem_title(problem.status.as_u16());
    let mut detail = escape(&problem.detail);
    for error in &problem.errors {
        detail.push_str(&format!("</p><p>{}", escape(&error.to_string())));
    }
    let other_trace = id.trace().filter(|trace| *trace != id.as_str());
    let trace = other_trace.map(|trace| format!(" · Trace {}", escape(trace))).unwrap_or_default();
    let is_down = problem.status == StatusCode::SERVICE_UNAVAILABLE;
    let status = if is_down { "<p><a href=\"/status\">See what is affected</a></p>" } else { "" };
    let body = format!(
        "<section class=\"problem\" role=\"alert\"><h1>{title}</h1><p>{detail}</p>{status}\
         <p><a class=\"button\" href=\"/\">{}</a></p><p class=\"hint\">Request {}{trace}</p></section>",
        words::GO_TO_DASHBOARD,
        escape(id.as_str())
    );
    plain_page(title, &body)
}

/// A page around `body`, which is markup: without a session, and so without navigation.
pub fn plain_page(title: &str, body: &str) -> String {
    let style =
        STYLE.get().map(|style| format!("<link rel=\"stylesheet\" href=\"{}\">", escape(style))).unwrap_or_default();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"/favicon.svg\" \
         type=\"image/svg+xml\">{style}\
         <title>{title} · Vendorscope</title></head><body><header class=\"top\"><a class=\"brand\" \
         href=\"/\">Vendorscope</a></header>\
         <main id=\"main\">{body}</main></body></html>"
    )
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
