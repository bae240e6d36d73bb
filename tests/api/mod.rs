/// What is done while it cannot be found out who asks.
mod access;
/// Passwords, sessions and keys of one's own.
mod account;
/// Cache statistics and invalidation.
mod admin;
/// The audit log.
mod audit;
/// Logging in and out, and the cookie.
mod auth;
/// Every kind of input that is refused: what is answered, and that nothing changes.
mod bad_input;
/// How the cache fares, on a load that is known.
mod cache_health;
/// What is read from the environment.
mod configuration;
/// Connections that are held, and how many there may be.
mod connections;
/// The forms that figures travel in, and what a program need not be told twice.
mod encodings;
/// Live updates.
mod events;
/// Figures as CSV.
mod export;
/// Probes.
mod health;
/// Requests of whom an instance remembers.
mod hot;
/// What the marketplace's backend sends.
mod ingest;
/// What belongs to another vendor.
mod isolation;
/// What keys may do, and how long.
mod keys;
/// Browsers from which somebody has logged in before.
mod known_browsers;
/// Letters that users wish to get.
mod letters;
/// How often one may ask.
mod limits;
/// Lists as files.
mod list_files;
/// Figures of the whole marketplace.
mod marketplace;
/// What Prometheus reads.
mod metrics;
/// Figures of one product, category or status.
mod narrowed;
/// What happened, and what is noted down.
mod notes;
/// Requests that are sent twice, and refunds that are dated.
mod once;
/// The API's own description.
mod openapi;
/// Orders that vendors note themselves, and refunds.
mod order_commands;
/// Orders.
mod orders;
/// What admins do to other people's accounts.
mod people;
/// What bad requests are answered with.
mod problems;
/// Products.
mod products;
/// Refunds by line, sums of lists, prices by percent.
mod refund_lines;
/// Answers that are given again.
mod repeats;
/// What comes back.
mod returns;
/// Who gets what: every route there is, as everyone who may come.
mod routes;
/// One-time codes beside passwords.
mod second_factor;
/// What one-time codes are worked out of, as the database has it.
mod seeds;
/// Where sessions live.
mod sessions;
/// The analytics snapshot.
mod snapshot;
/// Names, ids and NUL, on every way in.
mod texts;
/// A vendor that moves.
mod time_zone;
/// Loading before anyone asks.
mod warming;

use reqwest::Response;
use serde_json::Value;

/// A vendor of Northwind (Pavlova, Ltd.), and another one.
const VENDOR: &str = "7";
const OTHER_VENDOR: &str = "8";

/// The `application/problem+json` of a refusal, after the parts that every one has were checked.
async fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{response:?}");
    let request_id = response.headers()["x-request-id"].to_str().expect("ASCII").to_owned();
    let actual = response.status().as_u16();
    let body: Value = response.json().await.expect("JSON");
    assert_eq!((actual, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(body["status"], status);
    assert_eq!(body["requestId"], request_id.as_str());
    assert_eq!(body["instance"], format!("urn:vendorscope:request:{request_id}"));
    assert!(
        body["type"].as_str().is_some_and(|text| text.ends_with(code))
            && body["title"].is_string()
            && body["detail"].is_string(),
        "{body}"
    );
    body
}

/// The fields that an invalid input was refused for.
async fn refused_fields(response: Response) -> Vec<String> {
    let body = problem(response, 422, "invalid").await;
    let errors = body["errors"].as_array().expect("a list");
    assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|text| !text.is_empty())), "{body}");
    errors.iter().map(|error| error["field"].as_str().expect("a text").to_owned()).collect()
}

/// The JSON of an answer that must have this status.
async fn answered(response: Response, status: u16) -> Value {
    let actual = response.status().as_u16();
    let body = response.text().await.expect("a body");
    assert_eq!(actual, status, "{body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The `name=value` of the cookie that an answer sets.
fn cookie(response: &Response) -> Option<String> {
    let header = response.headers().get("set-cookie")?.to_str().ok()?;
    Some(header.split(';').next().unwrap_or_default().to_owned())
}
