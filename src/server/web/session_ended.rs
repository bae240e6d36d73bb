//! A form that is sent after its session has ended. It is answered with a page that holds what was typed, and sends it
//! again once somebody has logged in, in another tab: whoever typed it, and nobody else.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
};

use super::{
    errors::{escape, plain_page},
    refusals::is_secret,
};
use crate::{
    domain::accounts::User,
    server::{
        AppState,
        rate_limit::account_key,
        request::{
            addresses::{local_path, login_after_end},
            problem::Problem,
            well_formed::check_form,
        },
    },
    words,
};

/// The most that goes back of a form, in bytes.
const MOST: usize = 64 * 1024;
/// A field of the page: the account that was logged in when this was typed, by its digest.
const BY: &str = "__by";
/// A field of the page: the page that it was typed on.
const ON: &str = "__on";

/// The answer to a form that is sent to `function` where nobody is logged in: the page, or, where there is nothing to
/// keep, the way to log in and back to the page that the form was on.
pub async fn answer(state: &AppState, function: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let sent_from = referrer(&parts.headers);
    if parts.method == Method::POST
        && !is_one_click(function)
        && let Ok(body) = to_bytes(body, MOST).await
        && let Ok(form) = std::str::from_utf8(&body)
        && check_form(form).is_ok()
    {
        let fields: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
        let marked = |name: &str| fields.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone());
        // Whoever was logged in last with this browser has typed it, unless it is this page that sends it again.
        let by = marked(BY).or_else(|| state.sessions.devices().last_account(&parts.headers));
        let on = marked(ON).or_else(|| sent_from.as_ref().map(ToString::to_string)).unwrap_or_else(|| "/".to_owned());
        let is_typed = |(name, value): &(String, String)| !value.is_empty() && !is_mark(name) && !is_secret(name);
        if let Some(by) = by.filter(|_| fields.iter().any(is_typed)) {
            let page = page(function, &fields, &by, &on);
            return (StatusCode::UNAUTHORIZED, Html(page)).into_response();
        }
    }
    Redirect::to(&login_after_end(sent_from.as_ref())).into_response()
}

/// What is done by one click and without typing: doing it again is no work, and may not be meant any more.
fn is_one_click(function: &str) -> bool {
    let action = function.rsplit('/').next().unwrap_or_default();
    ["delete", "undo", "revoke", "end", "logout-everywhere", "invalidate", "warm", "reset", "unbind"].contains(&action)
}

fn is_mark(name: &str) -> bool {
    matches!(name, BY | ON)
}

/// What was typed, without what nobody may keep: a password is asked for again.
fn page(function: &str, fields: &[(String, String)], by: &str, on: &str) -> String {
    let hidden = |name: &str, value: &str| {
        format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
    };
    let secret = |name: &str| {
        let label = if name.contains("code") { "Code" } else { "Password" };
        format!(
            "<p><label>{label} <input type=\"password\" name=\"{}\" required autocomplete=\"off\"></label></p>",
            escape(name)
        )
    };
    let fields: String = fields
        .iter()
        .filter(|(name, _)| !is_mark(name))
        .map(|(name, value)| if is_secret(name) { secret(name) } else { hidden(name, value) })
        .chain([hidden(BY, by), hidden(ON, on)])
        .collect();
    let body = format!(
        "<section class=\"problem\" role=\"alert\"><h1>{}</h1><p>{}</p><form method=\"post\" action=\"/_fn/{}\">\
         {fields}<div class=\"actions\"><a class=\"button\" href=\"/login\" target=\"_blank\">{}</a>\
         <button class=\"quiet\" type=\"submit\">{}</button></div></form></section>",
        words::SESSION_HAS_ENDED,
        words::TYPED_IS_KEPT,
        escape(function),
        words::LOG_IN_IN_A_NEW_TAB,
        words::SAVE_AGAIN,
    );
    plain_page(words::SESSION_HAS_ENDED, &body)
}

/// The form itself of one that the page sends again, with its marks taken off; the request comes from the page that it
/// was typed on, as far as the function can tell. Refused where somebody else is logged in by now.
pub fn unmarked(parts: &mut Parts, form: &[u8], user: Option<&User>) -> Result<Option<Vec<u8>>, Problem> {
    let fields = || form_urlencoded::parse(form);
    let marked = |name: &str| fields().find(|(of, _)| of == name).map(|(_, value)| value.into_owned());
    let Some(by) = marked(BY) else { return Ok(None) };
    if user.is_none_or(|user| account_key(&user.email) != by) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "another_user", words::TYPED_BY_ANOTHER));
    }
    let on = marked(ON);
    // Only the path is ever used of it: see `refusals::sent_back`.
    let on = format!("http://localhost{}", on.as_deref().and_then(local_path).unwrap_or("/"));
    if let Ok(on) = HeaderValue::from_str(&on) {
        parts.headers.insert(header::REFERER, on);
    }
    let rest = fields().filter(|(name, _)| !is_mark(name));
    Ok(Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish().into_bytes()))
}

/// The page of this site that a form was on.
fn referrer(headers: &HeaderMap) -> Option<Uri> {
    let referrer: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    let path = referrer.path_and_query()?.as_str();
    local_path(path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_no_markup_and_a_password_is_asked_for_again() {
        let fields = [("form[name]", "\"><script>"), ("form[password]", "a secret"), (BY, "old"), (ON, "old")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let page = page("account/key/create", &fields, "by", "/account");
        assert!(page.contains("name=\"form[name]\" value=\"&quot;&gt;&lt;script&gt;\""), "{page}");
        assert!(page.contains("type=\"password\" name=\"form[password]\" required"), "{page}");
        assert!(!page.contains("a secret") && !page.contains("\"old\""), "{page}");
    }
}
