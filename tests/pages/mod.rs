/// The account page and the page for lost passwords.
mod account;
/// Figures and the rows behind them.
mod adding_up;
/// Everything there is.
mod all_time;
/// The table beside the chart.
mod compared;
/// What may run in a page.
mod content_policy;
/// Files, headers, and who may keep what.
mod delivery;
/// Forms and addresses that no page has made.
mod forms;
/// Who sees which page.
mod guard;
/// What happened, and many at once.
mod happened;
/// Texts that would be markup.
mod hostile;
/// Addresses that say what no page understands.
mod left_out;
/// Logging in and out without scripts.
mod login;
/// What the marketplace's page compares, and whom it points at.
mod market;
/// Orders, refunds and the marketplace's page.
mod orders;
/// What a vendor notes down of a day.
mod own_notes;
/// Why a page is not there, and where to go.
mod problems;
/// Logging in through the marketplace.
mod provider;
/// Pages that are sent again.
mod rendered;
/// Forms that are sent after their session has ended.
mod session_ended;
/// What is new since the last visit, refunds out of the ordinary, last logins.
mod since;
/// Figures from before.
mod stale;
/// An admin's view of vendors.
mod vendors;
/// Views that were saved.
mod views;

use reqwest::{Method, Response};

use crate::harness::Client;

/// A page's text without its tags.
fn without_tags(html: &str) -> String {
    let (mut text, mut inside) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text
}

/// Opens an address as a browser does.
async fn open(client: &Client, path: &str) -> Response {
    let request = client.request(Method::GET, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    request.header("sec-fetch-site", "none").send().await.expect("an answer")
}

/// Sends a form as a browser without scripts does.
async fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> Response {
    let request = client.request(Method::POST, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    request.header("sec-fetch-site", "same-origin").form(fields).send().await.expect("an answer")
}

/// Where an answer leads.
fn location(response: &Response) -> &str {
    response.headers().get("location").map_or("", |value| value.to_str().expect("ASCII"))
}
