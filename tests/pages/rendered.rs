//! Pages that are sent again as they were rendered: to the same question only, and never older than a lookup would be.

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};
use vendorscope::domain::accounts::Role;

use super::{open, without_keys};
use crate::harness::{Client, Market, RedisServer, TestApp, databases, decoded};

const PAGE: &str = "/?dateFrom=2026-03-01&dateTo=2026-03-31";

/// A page, and the digests of scripts that its policy names: none where it was rendered for this answer.
async fn page(client: &Client, path: &str) -> (String, Vec<String>) {
    let answer = open(client, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let policy = answer.headers()["content-security-policy"].to_str().expect("ASCII").to_owned();
    let digests = policy.split('\'').filter_map(|word| word.strip_prefix("sha256-")).map(str::to_owned).collect();
    (answer.text().await.expect("a text"), digests)
}

/// Asks until the page is sent again: the first time its figures are loaded, the second time it is rendered from the
/// cache, and a minute may begin in between.
async fn again(client: &Client, path: &str) -> (String, Vec<String>) {
    for _ in 0..10 {
        let (text, digests) = page(client, path).await;
        if !digests.is_empty() {
            return (text, digests);
        }
    }
    panic!("{path} is rendered for every request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_sent_again_whole_and_runs_nothing_but_its_own_scripts() {
    let (redis, market) = (RedisServer::start(), Market::new());
    for app in [
        TestApp::builder().bundle(market.path()).unlimited().spawn().await,
        TestApp::builder().bundle(market.path()).redis(&redis).unlimited().spawn().await,
    ] {
        let client = app.log_in_as_vendor("eur").await;
        let (text, digests) = again(&client, PAGE).await;
        assert!(text.contains("Mug") && text.contains("</html>"), "{text}");
        let scripts: Vec<String> = text
            .split("<script")
            .skip(1)
            .filter_map(|script| Some(script.split_once('>')?.1.split_once("</script")?.0))
            .filter(|code| !code.is_empty())
            .map(|code| BASE64_STANDARD.encode(Sha256::digest(code)))
            .collect();
        assert_eq!(scripts, digests, "each script, and nothing else");
        // In every form.
        let (mut sent, mut forms) = (0, Vec::new());
        while sent < 20 && forms.len() < 3 {
            let request = client.request(Method::GET, PAGE).header("accept", "text/html");
            let wanted = ["br", "zstd", "gzip"][forms.len()];
            let answer = request.header("accept-encoding", wanted).send().await.expect("an answer");
            let is_again = answer.headers()["content-security-policy"].to_str().expect("ASCII").contains("'sha256-");
            assert_eq!(answer.headers()["content-encoding"], wanted);
            assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
            assert_eq!(answer.headers()["cache-control"], "private, no-store");
            let text = decoded(wanted, &answer.bytes().await.expect("bytes"));
            assert!(text.contains("Mug") && text.contains("</html>"));
            sent += 1;
            if is_again {
                forms.push(wanted);
            }
        }
        assert_eq!(forms.len(), 3, "in each form it was sent again");
        let before = app.queries();
        again(&client, PAGE).await;
        assert_eq!(app.queries(), before, "no query");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_sent_again_shows_every_write_at_once() {
    for database in databases().await {
        let (redis, market) = (RedisServer::start(), Market::new());
        let one = TestApp::builder().database(&database).bundle(market.path()).redis(&redis).unlimited().spawn().await;
        let other = TestApp::builder().database(&database).redis(&redis).unlimited().spawn().await;
        let client = one.log_in_as_vendor("eur").await;
        // Some are written here, some on the other instance.
        let elsewhere = client.at(&other);
        let order = |quantity: i64| {
            json!({
                "customer": { "customerId": "c1" }, "placedAt": "2026-03-20T12:00:00Z",
                "lines": [{ "productId": "e1", "quantity": quantity }],
            })
        };
        for (round, zone) in [(0, "Asia/Tokyo"), (1, "America/Lima"), (2, "Europe/Berlin")] {
            for (writer, method, path, body) in [
                (&elsewhere, Method::POST, "/api/vendor/orders", order(1 + round)),
                (
                    &client,
                    Method::POST,
                    "/api/vendor/orders/o2/refunds",
                    json!({ "amount": 100, "refundedAt": format!("2026-03-2{round}T18:00:00Z") }),
                ),
                (
                    &elsewhere,
                    Method::PUT,
                    "/api/vendor/products/e1",
                    json!({ "name": format!("Mug {round}"), "category": "Mugs", "unitPrice": 1250,
                        "stock": 90 - round }),
                ),
                (&client, Method::PUT, "/api/account/time-zone", json!({ "timeZone": zone })),
            ] {
                let (before, _) = again(&client, PAGE).await;
                let written = writer.request(method, path).json(&body).send().await.expect("an answer");
                assert!(written.status().is_success(), "{path}: {}", written.text().await.expect("a text"));
                let (now, _) = page(&client, PAGE).await;
                assert_ne!(figures(&now), figures(&before), "{path} is seen at once");
                // What is sent again from then on says the same.
                let (later, _) = again(&client, PAGE).await;
                assert_eq!(figures(&later), figures(&now), "{path}");
            }
        }
    }
}

/// The page without what differs each time it is rendered: its nonce, the keys of its forms, and how old its figures
/// are.
fn figures(page: &str) -> String {
    let nonce = page.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a nonce");
    let page = without_keys(&page.replace(nonce, ""));
    let (before, rest) = page.split_once("<span data-age=").expect("an age");
    let (_, after) = rest.split_once("</span>").expect("an end");
    format!("{before}{after}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_sent_again_to_nobody_else_and_to_nobody_who_has_left() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let colleague = app.log_in("colleague@example.com", Role::Vendor, Some("eur")).await;
    let (own, _) = again(&client, PAGE).await;
    let (theirs, _) = again(&colleague, PAGE).await;
    assert!(theirs.contains("colleague@example.com") && !own.contains("colleague@example.com"));
    let other = app.log_in_as_vendor("jpy").await;
    assert!(!page(&other, PAGE).await.0.contains("Mug"));
    // A choice that a cookie holds.
    for theme in ["dark", "light"] {
        let chosen = super::submit(&client, "/_fn/account/theme", &[("theme", theme)]).await;
        assert_eq!(chosen.status(), 302, "{theme}");
        let (page, _) = page(&client, PAGE).await;
        assert!(page.contains(&format!("data-theme=\"{theme}\"")), "{theme}");
        again(&client, PAGE).await;
    }
    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    assert_eq!(open(&client, PAGE).await.status(), 303, "logged out");
    assert!(page(&colleague, PAGE).await.0.contains("colleague@example.com"));
}
