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
/// Addresses that hold percent signs, blanks and `&`.
mod encoded;
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
/// Many products or orders changed at once, from a list and back to it.
mod many;
/// What the marketplace's page compares, and whom it points at.
mod market;
/// Orders, refunds and the marketplace's page.
mod orders;
/// What a vendor notes down of a day.
mod own_notes;
/// Why a page is not there, and where to go.
mod problems;
/// Products that change while their form is open.
mod product_form;
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
/// Forms that are sent twice, because the answer was slow.
mod twice;
/// An admin's view of vendors.
mod vendors;
/// Views that were saved.
mod views;

use reqwest::{Method, Response};

use crate::harness::{Client, Market, TestApp, databases};

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

/// A page without the keys of its forms, which are others each time it is rendered.
fn without_keys(page: &str) -> String {
    let mut parts = page.split("name=\"once\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + part.split_once('"').map_or("", |(_, rest)| rest))
}

/// One of the test marketplace on each database.
async fn apps() -> Vec<TestApp> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        apps.push(TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await);
    }
    apps
}

/// The text of a page, without what Leptos marks its places with.
async fn page(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text").replace("<!>", "")
}

/// Fields of a form: names and values.
type Fields = Vec<(String, String)>;

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

/// The same, with fields that a page has given.
async fn send(client: &Client, path: &str, fields: &[(String, String)]) -> Response {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    submit(client, path, &fields).await
}

/// The same from a page at `from`, to which what is refused leads back.
async fn send_from(client: &Client, from: &str, path: &str, fields: &[(String, String)]) -> Response {
    let request = client.request(Method::POST, path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let request = request.header("sec-fetch-site", "same-origin").header("referer", format!("http://localhost{from}"));
    request.form(fields).send().await.expect("an answer")
}

/// The fields of a page's form that is sent to `function`, as a browser sends them while nothing is typed.
fn fields(page: &str, function: &str) -> Vec<(String, String)> {
    let form = page.split(&format!("action=\"{function}\"")).nth(1).unwrap_or_else(|| panic!("no {function}: {page}"));
    let form = form.split("</form>").next().unwrap_or_default();
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
        value.map(unescaped)
    };
    let mut fields = Vec::new();
    for part in form.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let value = || attribute(tag, "value").unwrap_or_default();
        let name = attribute(tag, "name");
        match (tag.split(' ').next().unwrap_or_default(), name) {
            ("input", Some(name)) if !tag.contains("type=\"checkbox\"") || tag.contains(" checked") => {
                fields.push((name, value()));
            }
            ("textarea", Some(name)) => fields.push((name, unescaped(text))),
            ("select", Some(name)) => fields.push((name, String::new())),
            ("option", _) if tag.contains(" selected") => {
                fields.last_mut().expect("a select").1 = value();
            }
            _ => {}
        }
    }
    fields
}

/// The same fields with something else typed into some of them.
fn typed(fields: &[(String, String)], typed: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields = fields.to_vec();
    for (name, value) in typed {
        let field = fields.iter_mut().find(|(of, _)| of == name).unwrap_or_else(|| panic!("no field {name}"));
        field.1 = (*value).to_owned();
    }
    fields
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&")
}
