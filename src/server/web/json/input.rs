use std::collections::BTreeMap;

use axum::{
    extract::{FromRequest, FromRequestParts, MatchedPath, OriginalUri, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{
        accounts::{User, id_of_segment},
        field_error::FieldError,
        text::shown,
    },
    server::{
        AppError, AppState,
        request::{
            client_address,
            problem::Problem,
            well_formed::{check_address, check_text},
        },
        services::Sender,
        web::middleware::{MAX_BODY, max_body, read_body},
    },
};

use super::{openapi, strict::Strict};

/// A JSON body. 415 for another type of body, 400 for what is no JSON, 413 for too much of it, 422 by field for what
/// does not fit.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            let detail = "The body must be JSON, with Content-Type: application/json.";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        let most = request.extensions().get::<OriginalUri>().map_or(MAX_BODY, |uri| max_body(uri.0.path()));
        parse(&read_body(request, state, most).await?).map(Self)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(Strict(&mut deserializer)).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, error.inner())
    })?;
    // Something after the value.
    deserializer.end().map_err(|error| refusal(".", &error))?;
    refuse_nul(body)?;
    Ok(value)
}

/// Refuses a NUL in any text of the body, by the field that it is in: PostgreSQL keeps none.
fn refuse_nul(body: &[u8]) -> Result<(), AppError> {
    // In JSON a NUL is written as an escape. Most bodies have none that looks like it.
    if !body.windows(6).any(|escape| escape == b"\\u0000") {
        return Ok(());
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| AppError::Internal(format!("JSON that was read before: {error}")))?;
    check_texts("", &value).map_err(AppError::from)
}

fn check_texts(path: &str, value: &Value) -> Result<(), FieldError> {
    let named = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::String(text) => check_text(if path.is_empty() { "body" } else { path }, text),
        Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(at, value)| check_texts(&format!("{path}[{at}]"), value))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| check_texts(&named(name), value)),
        _ => Ok(()),
    }
}

fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        let detail = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
        return Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    }
    let text = error.to_string();
    // serde says where in the text; whoever sent it wants to know which field.
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        // The path of an unknown field ends with it already.
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    Problem::from(AppError::from(FieldError::new(field, in_words(message))))
}

/// serde's words for what does not fit, without the names of Rust's types.
fn in_words(message: &str) -> String {
    let expected = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split_once(", expected ").map(|(_, expected)| expected));
    match expected {
        None => message.to_owned(),
        Some("i8" | "i16" | "i32" | "i64") => "must be a whole number".to_owned(),
        Some("u8" | "u16" | "u32" | "u64" | "usize") => "must be a whole number, 0 or more".to_owned(),
        Some("f32" | "f64") => "must be a number".to_owned(),
        Some("a string") => "must be a text".to_owned(),
        Some("a boolean") => "must be true or false".to_owned(),
        Some("a sequence") => "must be a list".to_owned(),
        Some(other) => format!("must be {other}"),
    }
}

/// The `Idempotency-Key` of a request that changes something; most have none. Refused where it is no key, whatever the
/// route makes of it.
pub struct RequestKey {
    key: Option<String>,
    /// Where the request comes from.
    address: Option<String>,
}

impl RequestKey {
    pub fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// The one who sends the request, with its key.
    pub fn of(&self, user: &User) -> Result<Sender, AppError> {
        Ok(Sender::new(&user.email, self.key.as_deref())?.from_address(self.address.clone()))
    }
}

impl FromRequestParts<AppState> for RequestKey {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, AppError> {
        Ok(Self { key: read_key(&parts.headers)?, address: client_address(parts) })
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, FieldError> {
    let mut keys = headers.get_all("idempotency-key").iter();
    // What is no ASCII is no key either.
    let key = keys.next().map(|key| key.to_str().unwrap_or_default().to_owned());
    if keys.next().is_some() {
        return Err(FieldError::new("Idempotency-Key", "is given twice"));
    }
    Sender::new("", key.as_deref())?;
    Ok(key)
}

/// Refuses parameters of an address on routes that have none (the others know theirs), and on every route that changes
/// something a key that is none: on those too that do the same however often they are asked.
pub async fn check_request(request: Request, next: Next) -> Response {
    let checked = refuse_parameters(&request).and_then(|()| match request.method().is_safe() {
        true => Ok(()),
        false => read_key(request.headers()).map(|_| ()),
    });
    match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => AppError::from(refused).into_response(),
    }
}

fn refuse_parameters(request: &Request) -> Result<(), FieldError> {
    let query = request.uri().query().unwrap_or_default();
    if !query.is_empty()
        && let Some(route) = request.extensions().get::<MatchedPath>()
        && !openapi::may_have_parameters(request.method(), route.as_str())
        && let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).next()
    {
        return Err(FieldError::new(shown(&name), "is not a parameter here: there are none"));
    }
    Ok(())
}

/// The id in a path. One that is no text names nothing.
pub struct PathId(pub String);

impl FromRequestParts<AppState> for PathId {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| AppError::NotFound)?;
        if id.contains('\0') { Err(AppError::NotFound) } else { Ok(Self(id_of_segment(&id).to_owned())) }
    }
}

/// The parameters of an address, each at most once. `only` refuses those that the route does not have.
pub struct Parameters(BTreeMap<String, String>);

impl FromRequestParts<AppState> for Parameters {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, AppError> {
        check_address(&parts.uri)?;
        let Query(pairs) = Query::<Vec<(String, String)>>::from_request_parts(parts, state)
            .await
            .map_err(|_| FieldError::new("query", "must be name=value pairs in UTF-8, percent-encoded"))?;
        let mut parameters = BTreeMap::new();
        for (name, value) in pairs {
            if let Some(_before) = parameters.insert(name.clone(), value) {
                return Err(FieldError::new(name, "is given twice").into());
            }
        }
        Ok(Self(parameters))
    }
}

impl Parameters {
    /// These parameters, if all of them have one of `names`.
    pub fn only(self, names: &[&str]) -> Result<Self, AppError> {
        let unknown: Vec<FieldError> = self
            .0
            .keys()
            .filter(|name| !names.contains(&name.as_str()))
            .map(|name| FieldError::new(name.clone(), format!("is not a parameter here: one of {}", names.join(", "))))
            .collect();
        if unknown.is_empty() { Ok(self) } else { Err(unknown.into()) }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code)]
        unit_price: i64,
        #[allow(dead_code)]
        inner: Option<Inner>,
        #[allow(dead_code)]
        kind: Option<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        Good,
        Bad,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        status: bool,
    }

    #[test]
    fn what_does_not_fit_is_refused_by_the_field_it_is_in() {
        for (body, field) in [
            (r#"{"unitPrice": "12"}"#, "unitPrice"),
            (r#"{"unitPrice": 1.5}"#, "unitPrice"),
            (r#"{"unitPrice": 99999999999999999999}"#, "unitPrice"),
            (r#"{}"#, "unitPrice"),
            (r#"{"unitPrice": 1, "colour": "red"}"#, "colour"),
            (r#"{"unitPrice": 1, "inner": {}}"#, "inner.status"),
            (r#"{"unitPrice": 1, "inner": {"status": true, "x": 1}}"#, "inner.x"),
            (r#"[]"#, "body"),
            (r#"[1]"#, "body"),
            (r#"{"unitPrice": 1, "inner": [true]}"#, "inner"),
            (r#"{"unitPrice": 1, "kind": 1}"#, "kind"),
            (r#"{"unitPrice": 1, "kind": ["good"]}"#, "kind"),
            (r#"{"unitPrice": 1, "kind": {"good": null}}"#, "kind"),
            (r#"{"unitPrice": 1, "kind": "best"}"#, "kind"),
            (r#"{"unitPrice": 1, "unitPrice": 2}"#, "unitPrice"),
        ] {
            let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
            assert_eq!(problem.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
            assert_eq!(problem.errors[0].field, field, "{body}: {problem:?}");
            // What is accepted is said, and in no words of Rust.
            let message = &problem.errors[0].message;
            assert!(["i64", "struct", "Outer", "Inner"].iter().all(|word| !message.contains(word)), "{message}");
        }
        let refused = parse::<Outer>(br#"{"unitPrice": 1, "kind": 1}"#).unwrap_err();
        assert_eq!(refused.errors[0].message, "must be one of good, bad");
        assert!(parse::<Outer>(br#"{"unitPrice": 1, "inner": {"status": true}, "kind": "bad"}"#).is_ok());
    }

    #[test]
    fn a_nul_is_refused_by_the_field_it_is_in() {
        for (body, field) in [
            (r#"{"a": "x\u0000"}"#, "a"),
            (r#"{"a": [{"b": "x"}, {"b": "\u0000"}]}"#, "a[1].b"),
            (r#"["\u0000"]"#, "[0]"),
            (r#""\u0000""#, "body"),
        ] {
            let problem = parse::<Value>(body.as_bytes()).unwrap_err();
            assert_eq!(
                (problem.status, problem.errors[0].field.as_str()),
                (StatusCode::UNPROCESSABLE_ENTITY, field),
                "{body}"
            );
        }
        assert!(parse::<Value>(br#"{"a": "\\u0000 as it is written"}"#).is_ok());
        // Half a pair is no text at all.
        assert_eq!(parse::<Value>(br#"{"a": "\ud800"}"#).unwrap_err().code, "malformed_json");
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for body in ["", "{", "{'unitPrice': 1}", r#"{"unitPrice": 1} {}"#, "\u{feff}{}", r#"{"unitPrice": NaN}"#] {
            assert_eq!(parse::<Outer>(body.as_bytes()).unwrap_err().code, "malformed_json", "{body:?}");
        }
    }
}
