//! The API's own description, from the code that serves it: OpenAPI 3.1, and a page to read it.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Json,
    http::Method,
    response::{Html, IntoResponse},
};
use serde_json::Value;
use utoipa::{
    IntoResponses, Modify, OpenApi, ToSchema,
    openapi::{
        RefOr, Required,
        path::{ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{account, admin, analytics, auth, cache, events, ingest, letters, notes, orders, people, products};
use crate::{
    domain::{
        catalog::ProductStatus,
        field_error::FieldError,
        market::VendorSort,
        orders::{OrderSort, OrderStatus},
        period::Comparison,
        product_lists::{ProductSort, StockLevel},
    },
    server::{services::export::ExportTable, web::errors::escape},
    server_functions::cache_health::CourseRange,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vendorscope",
        description = "Vendor analytics for marketplaces. Money is an integer in minor units of the vendor's \
            currency; days are the \
                       vendor's own; instants are RFC 3339 in UTC; ids are the marketplace's own."
    ),
    paths(
        auth::log_in,
        auth::log_out,
        auth::me,
        account::change_password,
        account::change_time_zone,
        account::letters,
        account::set_letters,
        account::second_factor,
        account::begin_second_factor,
        account::confirm_second_factor,
        account::remove_second_factor,
        account::list_sessions,
        account::log_out_everywhere,
        account::end_session,
        account::list_keys,
        account::create_key,
        account::revoke_key,
        analytics::snapshot,
        analytics::returns,
        analytics::movers,
        analytics::export,
        products::list,
        products::file,
        products::create,
        products::find,
        products::update,
        products::delete,
        products::change_many,
        notes::list,
        notes::create,
        notes::update,
        notes::delete,
        orders::list,
        orders::file,
        orders::create,
        orders::find,
        orders::change,
        orders::refund,
        orders::undo_refund,
        events::events,
        ingest::orders,
        ingest::refunds,
        ingest::products,
        admin::metrics,
        admin::compared,
        admin::vendors,
        letters::ask,
        letters::stop,
        people::list,
        people::invite,
        people::change,
        people::link,
        people::end_sessions,
        people::reset_second_factor,
        people::unbind,
        admin::audit,
        admin::audit_csv,
        admin::keys,
        admin::revoke_key,
        cache::stats,
        cache::history,
        cache::entry,
        cache::preview,
        cache::invalidate,
        cache::warm,
        cache::reset,
    ),
    // Those that parameters alone are of; the others are found by themselves.
    components(schemas(
        Comparison, CourseRange, ExportTable, OrderSort, OrderStatus, ProblemBody, ProductSort, ProductStatus,
        StockLevel, VendorSort
    )),
    modifiers(&Credentials, &IdempotencyKey)
)]
struct ApiDoc;

/// How a client says who it is.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            "vendorscope",
            "The cookie that logging in sets; `__Host-vendorscope` in production, unless COOKIE_DOMAIN shares it.",
        )));
        let key = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("A key of the user's own, made on the account page."))
                .build(),
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("session", cookie);
        components.add_security_scheme("key", key);
    }
}

/// Every request that changes something takes one.
struct IdempotencyKey;

impl Modify for IdempotencyKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let text = "Names this request. What is sent again with the same key within a day is done once, and answered \
            with \
                    the same words; the same key with another content is refused.";
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(text))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some(200))
                    .pattern(Some("^[!-~]+$")),
            ))
            .build();
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten() {
                operation.parameters.get_or_insert_default().push(RefOr::T(key.clone()));
            }
        }
    }
}

/// What any operation may answer in place of what it is for.
#[derive(IntoResponses)]
#[response(status = "default", description = "Refused or failed", content_type = "application/problem+json")]
#[allow(dead_code, reason = "only described here")]
pub(super) struct Refused(ProblemBody);

/// `application/problem+json` (RFC 9457), with a stable `code`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[allow(dead_code, reason = "only described here: `errors` writes it")]
pub(super) struct ProblemBody {
    #[schema(example = "urn:vendorscope:problem:invalid")]
    r#type: String,
    title: String,
    status: u16,
    /// For the one who asked.
    detail: String,
    instance: String,
    #[schema(example = "invalid")]
    code: String,
    request_id: String,
    /// What was refused, field by field.
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// Worked out once.
/// Routes whose address may have parameters, as the document says, and methods.
static WITH_PARAMETERS: LazyLock<HashMap<String, bool>> = LazyLock::new(|| {
    let routes = DOCUMENT["paths"].as_object().into_iter().flatten();
    let operations = routes.flat_map(|(path, methods)| {
        methods.as_object().into_iter().flatten().map(move |(method, operation)| {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            (operation_name(method, path), parameters.into_iter().any(|parameter| parameter["in"] == "query"))
        })
    });
    operations.collect()
});

fn operation_name(method: &str, path: &str) -> String {
    format!("{} {path}", method.to_ascii_uppercase())
}

/// Whether the address of this route may have parameters. What the document does not describe may.
pub fn may_have_parameters(method: &Method, path: &str) -> bool {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    WITH_PARAMETERS.get(&operation_name(method, path)).copied().unwrap_or(true)
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(ApiDoc::openapi()).unwrap_or_default());
static PAGE: LazyLock<String> = LazyLock::new(|| render(&DOCUMENT));

pub async fn document() -> impl IntoResponse {
    Json(&*DOCUMENT)
}

pub async fn page() -> Html<&'static str> {
    Html(&PAGE)
}

/// Every operation and every type, as plain HTML: nothing is fetched from elsewhere.
fn render(document: &Value) -> String {
    let mut html = String::from(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\"><title>API · \
         Vendorscope</title></head><body><main><h1>API</h1>",
    );
    html.push_str(&format!(
        "<p>{}</p><p><a href=\"/api/openapi.json\">OpenAPI 3.1</a></p>",
        text(&document["info"]["description"])
    ));
    for (path, operations) in entries(&document["paths"]) {
        for (method, operation) in entries(operations) {
            html.push_str(&format!("<section><h2><code>{} {}</code></h2>", method.to_uppercase(), escape(path)));
            html.push_str(&described("", operation));
            html.push_str(&parameters(operation));
            for (name, schema) in entries(&operation["requestBody"]["content"]) {
                html.push_str(&format!("<p>Body, {}: {}</p>", escape(name), type_of(&schema["schema"])));
            }
            html.push_str("<ul>");
            for (status, response) in entries(&operation["responses"]) {
                let types: Vec<String> =
                    entries(&response["content"]).map(|(_, content)| type_of(&content["schema"])).collect();
                html.push_str(&format!(
                    "<li><strong>{}</strong> {} {}</li>",
                    escape(status),
                    text(&response["description"]),
                    types.join(", ")
                ));
            }
            html.push_str("</ul></section>");
        }
    }
    html.push_str("<h1>Types</h1>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        html.push_str(&format!(
            "<section><h2 id=\"{0}\"><code>{0}</code></h2>{1}",
            escape(name),
            described("", schema)
        ));
        if let Some(values) = schema["enum"].as_array() {
            let values: Vec<String> = values.iter().map(|value| format!("<code>{}</code>", text(value))).collect();
            html.push_str(&format!("<p>{}</p>", values.join(", ")));
        }
        html.push_str(&fields(schema));
        html.push_str("</section>");
    }
    html + "</main></body></html>"
}

fn parameters(operation: &Value) -> String {
    let rows = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        let required = if parameter["required"] == true { "required" } else { "" };
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        format!(
            "<tr><th scope=\"row\"><code>{name}</code></th><td>{place}</td><td>{required}</td><td>{}</td></tr>",
            described("", parameter)
        )
    });
    table(rows.collect())
}

fn fields(schema: &Value) -> String {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let rows = entries(&schema["properties"]).map(|(name, property)| {
        let needed = if required.contains(&name.as_str()) { "required" } else { "" };
        let (name, kind) = (escape(name), type_of(property));
        format!(
            "<tr><th scope=\"row\"><code>{name}</code></th><td>{kind}</td><td>{needed}</td><td>{}</td></tr>",
            described("", property)
        )
    });
    table(rows.collect())
}

fn table(rows: Vec<String>) -> String {
    if rows.is_empty() { String::new() } else { format!("<table><tbody>{}</tbody></table>", rows.concat()) }
}

fn described(before: &str, value: &Value) -> String {
    let parts = ["summary", "description"].map(|part| text(&value[part]));
    let words: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!("<p>{before}{}</p>", words.join(" ")) }
}

/// The name of a type, with a link where it has a section of its own.
fn type_of(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = escape(reference.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#{name}\"><code>{name}</code></a>");
    }
    if let Some(alternatives) = schema["oneOf"].as_array() {
        return alternatives.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        kind if kind == "array" => format!("list of {}", type_of(&schema["items"])),
        kind => [text(kind), text(&schema["format"])].join(" ").trim().to_owned(),
    }
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
