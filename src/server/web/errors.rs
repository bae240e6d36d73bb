//! What a refused or failed request is answered with: `application/problem+json` (RFC 9457) on the JSON API, an
//! `ApiError` to the pages' own calls, a page to a browser. `AppError` becomes a status and a code here and nowhere
//! else.

use std::sync::OnceLock;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, Uri, header},
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
    /// Of what can be asked for again by opening its address.
    address: Option<Uri>,
}

impl Asked {
    pub fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
        let can_be_opened =
            matches!(*request.method(), Method::GET | Method::HEAD) && !is_under(request.uri().path(), "/_fn");
        let address = can_be_opened.then(|| request.uri().clone());
        Self { audience: Audience::of(request), id, address }
    }

    /// Writes the body where the answer is a `Problem`, for whoever asked.
    pub fn render(&self, mut response: Response) -> Response {
        let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
        let (parts, _) = response.into_parts();
        let mut rendered = match self.audience {
            Audience::Api => problem_json(&problem, &self.id),
            Audience::ServerFunction => Json(api_error(&problem, &self.id)).into_response(),
            Audience::Browser => Html(page(&problem, &self.id, self.address.as_ref())).into_response(),
        };
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

/// A page that needs nothing else to work: no script, no session, no database. `address`: of what may be opened again.
fn page(problem: &Problem, id: &RequestId, address: Option<&Uri>) -> String {
    let title = words::problem_title(problem.status.as_u16());
    let mut detail = escape(&problem.detail);
    for error in &problem.errors {
        detail.push_str(&format!("</p><p>{}", escape(&error.to_string())));
    }
    let is_down = problem.status == StatusCode::SERVICE_UNAVAILABLE;
    let status = if is_down { "<p><a href=\"/status\">See what is affected</a></p>" } else { "" };
    // What may be there by the next time.
    let passes = problem.status == StatusCode::TOO_MANY_REQUESTS || problem.status.is_server_error();
    let again =
        address.filter(|_| passes).and_then(|address| Some((address.path_and_query()?.as_str(), words::TRY_AGAIN)));
    let login = (problem.status == StatusCode::UNAUTHORIZED).then_some(("/login", words::LOG_IN));
    let dashboard = Some(("/", words::GO_TO_DASHBOARD)).filter(|_| login.is_none());
    let places = again.into_iter().chain(login).chain(dashboard).enumerate().map(|(at, (href, text))| {
        let class = if at == 0 { "button" } else { "button quiet" };
        format!("<a class=\"{class}\" href=\"{}\">{text}</a> ", escape(href))
    });
    let body = format!(
        "<section class=\"problem\" role=\"alert\"><h1>{title}</h1><p>{detail}</p>{status}\
         <p class=\"actions\">{}</p><p class=\"hint\">{}</p></section>",
        places.collect::<String>(),
        escape(&id.told())
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
