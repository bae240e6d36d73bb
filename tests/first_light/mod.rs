//! The thinnest slice, from the address bar to the database and back: computed once, served from the cache until
//! something changes, right on every instance, and whole under load.

use futures::{StreamExt, stream};
use reqwest::Response;
use serde_json::{Value, json};

use crate::harness::{Client, RedisServer, TestApp, TestDatabase, databases, sockets};

/// Pavlova, Ltd., of Northwind, in the months that Northwind covers.
const VENDOR: &str = "7";
const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1996-07-01&dateTo=1998-05-31";
const DASHBOARD: &str = "/?dateFrom=1996-07-01&dateTo=1998-05-31";
/// The seed's figure for one snapshot.
const MOST_QUERIES: u64 = 7;
/// What the page's movers (two of products, one of statuses), notes, those of one's own, unusual refunds and saved views take, which no snapshot has:
/// entries of their own.
const EXPLAINING: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_snapshot_takes_at_most_seven_queries_and_the_second_none() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let client = app.log_in_as_vendor(VENDOR).await;

        let before = app.queries();
        let (outcome, first) = snapshot(&client).await;
        let cold = app.queries() - before;
        assert_eq!(outcome, "MISS", "{}", database.url());
        assert!((1..=MOST_QUERIES).contains(&cold), "{cold} queries on {}", database.url());

        let before = app.queries();
        let (outcome, second) = snapshot(&client).await;
        assert_eq!((outcome.as_str(), app.queries() - before), ("HIT", 0), "{}", database.url());
        assert_eq!(first, second);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_and_the_api_share_one_entry() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    snapshot(&client).await;
    // The vendor's profile, which every page needs and the API does not.
    assert_eq!(client.get("/products").await.status(), 200);

    let before = app.queries();
    let page = client.get(DASHBOARD).await;
    assert_eq!(page.status(), 200);
    assert_eq!(
        app.queries() - before,
        EXPLAINING,
        "the page asked the database for what the API had just put into the cache"
    );
    let before = app.queries();
    assert_eq!(client.get(DASHBOARD).await.status(), 200);
    assert_eq!(app.queries() - before, 0, "and for nothing the second time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_changed_product_is_seen_by_the_next_request() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let client = app.log_in_as_vendor(VENDOR).await;
        let (_, before) = snapshot(&client).await;
        assert_eq!(snapshot(&client).await.0, "HIT");

        let product_id = best_seller(&before);
        rename(&client, &product_id, "Renamed & found").await;

        let (outcome, after) = snapshot(&client).await;
        assert_eq!(outcome, "MISS", "{}", database.url());
        assert_eq!(after["topProducts"][0]["name"], "Renamed & found", "{}", database.url());
        assert_eq!(after["totals"], before["totals"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_share_sessions_entries_and_invalidations() {
    let redis = RedisServer::start();
    let database = TestDatabase::postgres().await;
    let a = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    let b = TestApp::builder().database(&database).redis(&redis).spawn().await;

    // Logged in on one instance, and everywhere: each instance in turn, in either order.
    for (here, there) in [(&a, &b), (&b, &a)] {
        let client = here.log_in_as_vendor(VENDOR).await;
        for instance in [here, there, here, there] {
            let me = client.at(instance).get_json("/api/auth/me").await;
            assert_eq!(me["user"]["vendorId"], json!(VENDOR), "{me}");
        }
    }

    // What one has computed, the other has; what one has changed, neither serves again.
    let client = a.log_in_as_vendor(VENDOR).await;
    for (turn, (writer, reader)) in [(&a, &b), (&b, &a), (&a, &a), (&b, &b)].into_iter().enumerate() {
        let name = format!("Name number {turn}");
        let (_, shown) = snapshot(&client.at(reader)).await;
        assert_eq!(snapshot(&client.at(writer)).await.0, "HIT", "turn {turn}: the entry is shared");
        assert_eq!(snapshot(&client.at(reader)).await.0, "HIT", "turn {turn}: the entry is kept");

        rename(&client.at(writer), &best_seller(&shown), &name).await;

        let before = reader.queries();
        let (outcome, after) = snapshot(&client.at(reader)).await;
        assert_eq!(outcome, "MISS", "turn {turn}");
        assert_eq!(after["topProducts"][0]["name"], json!(name), "turn {turn}");
        assert!(reader.queries() - before <= MOST_QUERIES);
        let other = if std::ptr::eq(reader, &a) { &b } else { &a };
        let (outcome, elsewhere) = snapshot(&client.at(other)).await;
        assert_eq!((outcome.as_str(), &elsewhere), ("HIT", &after), "turn {turn}: both instances show the same");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_survives_the_restart_of_the_instance_that_made_it() {
    let redis = RedisServer::start();
    let database = TestDatabase::sqlite();
    let first = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    let client = first.log_in_as_vendor(VENDOR).await;
    drop(first);

    let second = TestApp::builder().database(&database).redis(&redis).spawn().await;
    assert_eq!(client.at(&second).get(SNAPSHOT).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_concurrent_page_loads_all_end_whole() {
    const LOADS: usize = 1_000;
    let app = TestApp::builder().database(&TestDatabase::postgres().await).northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let in_flight = LOADS.min(sockets() / 2);
    let before = app.queries();
    // Nobody has asked for it yet, so the first of them computes it while the others wait.
    let bodies: Vec<String> = stream::iter(0..LOADS)
        .map(|_| async {
            let response = client.get(DASHBOARD).await;
            assert_eq!(response.status(), 200);
            response.text().await.expect("a whole body")
        })
        .buffer_unordered(in_flight)
        .collect()
        .await;

    let page_queries = app.queries() - before;
    assert!(page_queries <= MOST_QUERIES + EXPLAINING, "{page_queries} queries for one page");
    let expected = figures(&client.get(DASHBOARD).await.text().await.expect("a body"));
    assert!(!expected.is_empty(), "the page has figures");
    assert_eq!(bodies.len(), LOADS);
    for body in &bodies {
        // Leptos ends the document with a script of its own; what the page shows has then all been written.
        assert!(
            body.contains("</html>") && body.trim_end().ends_with("__INCOMPLETE_CHUNKS=[];</script>"),
            "cut short after {} bytes: …{}",
            body.len(),
            body.chars().rev().take(80).collect::<String>()
        );
        assert_eq!(figures(body), expected);
    }
}

/// The outcome that an answer names, and its body.
async fn snapshot(client: &Client) -> (String, Value) {
    let response = client.get(SNAPSHOT).await;
    let outcome = header(&response, "x-cache");
    assert_eq!(response.status(), 200);
    (outcome, response.json().await.expect("a snapshot"))
}

fn header(response: &Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn best_seller(snapshot: &Value) -> String {
    snapshot["topProducts"][0]["productId"].as_str().expect("a top product").to_owned()
}

/// Reads a product and writes it back under another name.
async fn rename(client: &Client, product_id: &str, name: &str) {
    let path = format!("/api/vendor/products/{product_id}");
    let mut product = client.get_json(&path).await;
    product["name"] = json!(name);
    let response = client.put(&path, &product).await;
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap_or_default());
}

/// Amounts of a page as it shows them, in order: what stands behind a currency sign. Pages differ in ages and nonces,
/// never here.
fn figures(page: &str) -> Vec<String> {
    page.split('$')
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, ',' | '.')).collect())
        .collect()
}
