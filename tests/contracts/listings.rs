//! Pages of orders through the cache: a hit asks the database nothing, and every write to the vendor's orders shows at
//! once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Market, TestApp, databases};

const ORDERS: &str = "/api/vendor/orders";

async fn apps() -> Vec<(TestApp, Market)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        apps.push((TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await, market));
    }
    apps
}

/// What the cache did, and the orders.
async fn look(client: &Client, path: &str) -> (String, Value) {
    let answer = client.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    let outcome = answer.headers()["x-cache"].to_str().expect("ASCII").to_owned();
    (outcome, answer.json::<Value>().await.expect("JSON")["orders"].clone())
}

/// Has the page in the cache, as it is now.
async fn warm(client: &Client, path: &str) -> Value {
    look(client, path).await;
    let (outcome, orders) = look(client, path).await;
    assert_eq!(outcome, "HIT", "{path}");
    orders
}

async fn send(client: &Client, method: Method, path: &str, body: Value) -> Value {
    let answer = client.request(method, path).json(&body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path} {body}: {}", answer.text().await.unwrap_or_default());
    answer.json().await.expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_page_costs_the_database_nothing_the_second_time() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        for filter in ["", "?status=delivered", "?search=anna", "?dateFrom=2026-03-11&dateTo=2026-03-13"] {
            let path = format!("{ORDERS}{filter}");
            let (outcome, first) = look(&client, &path).await;
            assert_eq!((outcome.as_str(), first.as_array().map(Vec::len) > Some(0)), ("MISS", true), "{path}: {first}");
            let before = app.queries();
            assert_eq!(look(&client, &path).await, ("HIT".to_owned(), first), "{path}");
            assert_eq!(app.queries(), before, "{path} was in the cache");
        }
        // The page asks the same service.
        let page =
            async || client.request(Method::GET, "/orders").header("accept", "text/html").send().await.expect("a page");
        assert_eq!(page().await.status(), 200);
        let before = app.queries();
        assert!(page().await.text().await.expect("a page").contains("Anna"));
        assert_eq!(app.queries(), before, "the page was in the cache");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_to_a_vendors_orders_shows_in_its_listing_at_once_and_in_nobody_elses() {
    for (app, _market) in apps().await {
        let (admin, eur, jpy) =
            (app.log_in_as_admin().await, app.log_in_as_vendor("eur").await, app.log_in_as_vendor("jpy").await);
        let sent = |status: &str, name: &str, quantity: i64| {
            json!({ "orders": [{
                "orderId": "sent", "customer": { "customerId": "c9", "name": name, "country": "Italy" },
                    "placedAt": "2026-04-01T10:00:00Z",
                "status": status, "lines": [{ "productId": "e1", "quantity": quantity, "unitPrice": 1_250 }],
            }] })
        };
        let noted = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 7 }],
            "placedAt": "2026-03-20T10:00:00Z" });
        warm(&jpy, ORDERS).await;
        for (what, method, path, body, at, field, expected) in [
            ("noted", Method::POST, ORDERS, noted, 0, "units", json!(7)),
            (
                "status",
                Method::PATCH,
                "/api/vendor/orders/o2",
                json!({ "status": "shipped" }),
                2,
                "status",
                json!("shipped"),
            ),
            (
                "date",
                Method::PATCH,
                "/api/vendor/orders/o3",
                json!({ "placedAt": "2026-03-21T09:00:00Z" }),
                0,
                "orderId",
                json!("o3"),
            ),
            ("sent", Method::POST, "/api/ingest/orders", sent("pending", "Gina", 1), 0, "orderId", json!("sent")),
            (
                "sent again",
                Method::POST,
                "/api/ingest/orders",
                sent("shipped", "Gina", 1),
                0,
                "status",
                json!("shipped"),
            ),
            ("edited", Method::POST, "/api/ingest/orders", sent("shipped", "Gina", 4), 0, "total", json!(5_000)),
            (
                "renamed",
                Method::POST,
                "/api/ingest/orders",
                sent("shipped", "Gianna", 4),
                0,
                "customerName",
                json!("Gianna"),
            ),
        ] {
            let before = warm(&eur, ORDERS).await;
            assert_ne!(before[at][field], expected, "{what}: {before}");
            let client = if path.starts_with("/api/ingest") { &admin } else { &eur };
            send(client, method, path, body).await;
            let (outcome, after) = look(&eur, ORDERS).await;
            assert_eq!((outcome.as_str(), &after[at][field]), ("MISS", &expected), "{what}: {after}");
            assert_eq!(look(&jpy, ORDERS).await.0, "HIT", "{what}: of another vendor");
        }
        // Beside what an order came to, the list shows what was given back of it.
        for (client, path, body, refunded, payable) in [
            (&eur, "/api/vendor/orders/o1/refunds", json!({ "amount": 100 }), 100, 1_935),
            (
                &admin,
                "/api/ingest/refunds",
                json!({ "refunds": [{ "orderId": "o1", "line": 1, "amount": 50,
                    "refundedAt": "2026-03-11T10:00:00Z" }] }),
                150,
                1_890,
            ),
        ] {
            let mut expected = warm(&eur, ORDERS).await;
            let of_o1 = expected.as_array_mut().expect("a list").iter_mut().find(|order| order["orderId"] == "o1");
            let of_o1 = of_o1.expect("an order");
            of_o1["refundedAmount"] = json!(refunded);
            of_o1["payable"] = json!(payable);
            send(client, Method::POST, path, body).await;
            assert_eq!(look(&eur, ORDERS).await, ("MISS".to_owned(), expected), "{path}");
            assert_eq!(look(&jpy, ORDERS).await.0, "HIT", "{path}: of another vendor");
        }
        // What was refused, and what was there already, makes nothing stale.
        warm(&eur, ORDERS).await;
        assert_eq!(eur.patch("/api/vendor/orders/o1", &json!({ "status": "pending" })).await.status(), 409);
        send(&admin, Method::POST, "/api/ingest/orders", sent("shipped", "Gianna", 4)).await;
        assert_eq!(look(&eur, ORDERS).await.0, "HIT");
    }
}
