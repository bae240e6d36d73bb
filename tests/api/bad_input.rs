use serde_json::{Value, json};

use super::{OTHER_VENDOR, VENDOR, problem};
use crate::harness::{Client, Market, TestApp, contents};

/// What is sent, and the status, code and fields of the answer. Nothing may change.
struct Bad(&'static str, &'static str, Value, u16, &'static [&'static str]);

fn order(change: impl FnOnce(&mut Value)) -> Value {
    let mut order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }] });
    change(&mut order);
    order
}

fn product(change: impl FnOnce(&mut Value)) -> Value {
    let mut product = json!({ "name": "Cup", "category": "Mugs", "unitPrice": 100, "stock": 1 });
    change(&mut product);
    product
}

const ORDERS: &str = "/api/vendor/orders";
const PRODUCTS: &str = "/api/vendor/products";
const REFUNDS: &str = "/api/vendor/orders/o1/refunds";
const TOO_MUCH: i64 = 90_000_000_001;

fn bad_inputs() -> Vec<Bad> {
    let line = |name: &'static str, value: Value| order(|order| order["lines"][0][name] = value);
    let many: Vec<Value> = (0..101).map(|number| json!({ "productId": format!("e{number}"), "quantity": 1 })).collect();
    vec![
        // New orders.
        Bad("POST", ORDERS, json!({}), 422, &["customer"]),
        Bad("POST", ORDERS, json!([]), 422, &["body"]),
        // A list is no object, whatever its order; a text is a text.
        Bad("POST", PRODUCTS, json!([null, "Cup", "", "Mugs", 100, 1, null, "active"]), 422, &["body"]),
        Bad("POST", ORDERS, order(|o| o["customer"] = json!(["c1"])), 422, &["customer"]),
        Bad("POST", ORDERS, order(|o| o["lines"] = json!([["e1", 1]])), 422, &["lines[0]"]),
        Bad("POST", ORDERS, order(|o| o["status"] = json!(1)), 422, &["status"]),
        Bad("PATCH", "/api/vendor/orders/o1", json!({ "status": { "shipped": null } }), 422, &["status"]),
        Bad("PATCH", "/api/vendor/orders/o1", json!({ "status": null }), 422, &["status"]),
        Bad("POST", PRODUCTS, product(|p| p["status"] = json!(null)), 422, &["status"]),
        Bad("POST", PRODUCTS, product(|p| p["status"] = json!({ "active": null })), 422, &["status"]),
        Bad(
            "PATCH",
            "/api/vendor/products/bulk",
            json!({ "productIds": ["e1"], "changes": { "stock": 7, "lowStockThreshold": null } }),
            422,
            &["changes.lowStockThreshold"],
        ),
        // Whose it is comes from the session, and there is nothing else to say in the address of a write.
        Bad("POST", "/api/vendor/products?vendorId=v", product(|_| ()), 422, &["vendorId"]),
        Bad("DELETE", "/api/vendor/products/e1?vendorId=v", json!({}), 422, &["vendorId"]),
        Bad("PATCH", "/api/vendor/orders/o1?dry=1", json!({ "status": "shipped" }), 422, &["dry"]),
        Bad("POST", ORDERS, order(|o| o["lines"] = json!([])), 422, &["lines"]),
        Bad("POST", ORDERS, order(|o| o["lines"] = json!(many)), 422, &["lines"]),
        Bad(
            "POST",
            ORDERS,
            order(|o| o["lines"] = json!([{ "productId": "e1", "quantity": 1 }, { "productId": "e1", "quantity": 2 }])),
            422,
            &["lines[1].productId"],
        ),
        Bad("POST", ORDERS, line("quantity", json!(0)), 422, &["lines[0].quantity"]),
        Bad("POST", ORDERS, line("quantity", json!(-1)), 422, &["lines[0].quantity"]),
        Bad("POST", ORDERS, line("quantity", json!(1.5)), 422, &["lines[0].quantity"]),
        Bad("POST", ORDERS, line("quantity", json!(i64::MAX)), 422, &["lines[0].quantity"]),
        Bad("POST", ORDERS, line("unitPrice", json!(-1)), 422, &["lines[0].unitPrice"]),
        Bad("POST", ORDERS, line("unitPrice", json!(TOO_MUCH)), 422, &["lines[0].unitPrice"]),
        Bad("POST", ORDERS, line("discount", json!(-1)), 422, &["lines[0].discount"]),
        Bad("POST", ORDERS, line("discount", json!(1_251)), 422, &["lines[0].discount"]),
        Bad("POST", ORDERS, line("productId", json!("nope")), 422, &["lines[0].productId"]),
        Bad("POST", ORDERS, line("productId", json!("n1")), 422, &["lines[0].productId"]),
        Bad("POST", ORDERS, line("colour", json!("red")), 422, &["lines[0].colour"]),
        Bad("POST", ORDERS, order(|o| o["discount"] = json!(1_251)), 422, &["discount"]),
        Bad("POST", ORDERS, order(|o| o["discount"] = json!(-1)), 422, &["discount"]),
        Bad("POST", ORDERS, order(|o| o["status"] = json!("lost")), 422, &["status"]),
        Bad("POST", ORDERS, order(|o| o["placedAt"] = json!("yesterday")), 422, &["placedAt"]),
        Bad("POST", ORDERS, order(|o| o["placedAt"] = json!("2199-01-01T00:00:00Z")), 422, &["placedAt"]),
        Bad("POST", ORDERS, order(|o| o["placedAt"] = json!("1969-12-31T00:00:00Z")), 422, &["placedAt"]),
        Bad(
            "POST",
            ORDERS,
            order(|o| o["customer"] = json!({ "customerId": "nobody" })),
            422,
            &["customer.customerId"],
        ),
        Bad("POST", ORDERS, order(|o| o["customer"] = json!({ "name": "Mira" })), 422, &["customer"]),
        Bad(
            "POST",
            ORDERS,
            order(|o| o["customer"] = json!({ "name": "a\u{0}b", "country": "X" })),
            422,
            &["customer.name"],
        ),
        Bad("POST", ORDERS, order(|o| o["orderId"] = json!("mine")), 422, &["orderId"]),
        Bad("POST", ORDERS, line("quantity", json!(101)), 409, &[]),
        // Changes to orders.
        Bad("PATCH", "/api/vendor/orders/o1", json!({}), 422, &["status"]),
        Bad("PATCH", "/api/vendor/orders/o1", json!({ "status": "pending" }), 409, &[]),
        Bad(
            "PATCH",
            "/api/vendor/orders/o1",
            json!({ "status": "pending", "placedAt": "2026-01-01T00:00:00Z" }),
            409,
            &[],
        ),
        Bad("PATCH", "/api/vendor/orders/o1", json!({ "placedAt": "2199-01-01T00:00:00Z" }), 422, &["placedAt"]),
        Bad("PATCH", "/api/vendor/orders/o1", json!({ "status": "delivered", "total": 0 }), 422, &["total"]),
        Bad("PATCH", "/api/vendor/orders/nope", json!({ "status": "delivered" }), 404, &[]),
        // Refunds.
        Bad("POST", REFUNDS, json!({}), 422, &["lines"]),
        Bad("POST", REFUNDS, json!({ "lines": [], "amount": 1 }), 422, &["lines"]),
        Bad("POST", REFUNDS, json!({ "lines": [] }), 422, &["lines"]),
        Bad("POST", REFUNDS, json!({ "amount": 0 }), 422, &["amount"]),
        Bad("POST", REFUNDS, json!({ "amount": -5 }), 422, &["amount"]),
        Bad("POST", REFUNDS, json!({ "amount": 2_251 }), 422, &["amount"]),
        Bad("POST", REFUNDS, json!({ "lines": [{ "line": 1, "quantity": 0 }] }), 422, &["lines[0].amount"]),
        Bad("POST", REFUNDS, json!({ "lines": [{ "line": 1, "quantity": 3 }] }), 422, &["lines[0].quantity"]),
        Bad(
            "POST",
            REFUNDS,
            json!({ "lines": [{ "line": 1, "quantity": 1, "amount": 2_251 }] }),
            422,
            &["lines[0].amount"],
        ),
        Bad("POST", REFUNDS, json!({ "lines": [{ "line": 2, "quantity": 1 }] }), 422, &["lines[0].line"]),
        Bad(
            "POST",
            REFUNDS,
            json!({ "lines": [{ "line": 1, "quantity": 1 }, { "line": 1, "quantity": 1 }] }),
            422,
            &["lines[1].line"],
        ),
        Bad("POST", REFUNDS, json!({ "amount": 1, "refundedAt": "2199-01-01T00:00:00Z" }), 422, &["refundedAt"]),
        Bad("POST", REFUNDS, json!({ "amount": 1, "reason": "because" }), 422, &["reason"]),
        Bad("POST", REFUNDS, json!({ "amount": 1, "why": "late" }), 422, &["why"]),
        // Products.
        Bad("POST", PRODUCTS, product(|p| p["unitPrice"] = json!(-1)), 422, &["unitPrice"]),
        Bad("POST", PRODUCTS, product(|p| p["unitPrice"] = json!(TOO_MUCH)), 422, &["unitPrice"]),
        Bad("POST", PRODUCTS, product(|p| p["stock"] = json!(-1)), 422, &["stock"]),
        Bad("POST", PRODUCTS, product(|p| p["name"] = json!("")), 422, &["name"]),
        Bad("POST", PRODUCTS, product(|p| p["status"] = json!("sold")), 422, &["status"]),
        Bad("POST", PRODUCTS, product(|p| p["vendorId"] = json!("nyc")), 422, &["vendorId"]),
        Bad("PUT", "/api/vendor/products/n1", product(|_| ()), 404, &[]),
        Bad("DELETE", "/api/vendor/products/n1", json!({}), 404, &[]),
        Bad(
            "PATCH",
            "/api/vendor/products/bulk",
            json!({ "productIds": ["e1", "n1"], "changes": { "stock": 1 } }),
            404,
            &[],
        ),
        Bad(
            "PATCH",
            "/api/vendor/products/bulk",
            json!({ "productIds": ["e1", "e1"], "changes": { "stock": 1 } }),
            422,
            &["productIds"],
        ),
        // Reading.
        Bad(
            "GET",
            "/api/vendor/analytics/snapshot?dateFrom=2026-03-02&dateTo=2026-03-01",
            Value::Null,
            422,
            &["dateTo"],
        ),
        Bad(
            "GET",
            "/api/vendor/analytics/snapshot?dateFrom=2026-02-30&dateTo=2026-03-01",
            Value::Null,
            422,
            &["dateFrom"],
        ),
        Bad(
            "GET",
            "/api/vendor/analytics/snapshot?dateFrom=2010-01-01&dateTo=2026-03-01",
            Value::Null,
            422,
            &["dateTo"],
        ),
        Bad(
            "GET",
            "/api/vendor/analytics/snapshot?dateFrom=2026-01-01&dateTo=2026-03-01&compare=never",
            Value::Null,
            422,
            &["compare"],
        ),
        Bad("GET", "/api/vendor/orders?status=lost", Value::Null, 422, &["status"]),
        Bad("GET", "/api/vendor/products?sort=colour", Value::Null, 422, &["sort"]),
    ]
}

async fn send(client: &Client, method: &str, path: &str, body: &Value) -> reqwest::Response {
    let request = client.request(method.parse().expect("a method"), path);
    let request = if body.is_null() { request } else { request.json(body) };
    request.send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_input_is_named_and_changes_nothing() {
    for database in crate::harness::databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let before = contents(&app.state().db).await;
        for Bad(method, path, body, status, fields) in bad_inputs() {
            let context = format!("{method} {path} {body}");
            let code = match status {
                404 => "not_found",
                409 => "conflict",
                _ => "invalid",
            };
            let answer = problem(send(&client, method, path, &body).await, status, code).await;
            let named: Vec<_> = answer["errors"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|error| error["field"].as_str().expect("a text"))
                .collect();
            assert_eq!(named, fields, "{context}: {answer}");
            assert_eq!(contents(&app.state().db).await, before, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_refunds_of_another_vendor_are_absent() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, other) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_vendor(OTHER_VENDOR).await);
    let theirs = other.get_json(ORDERS).await;
    let mut absent = 0;
    for id in theirs["orders"].as_array().expect("a list").iter().map(|order| order["orderId"].as_str().expect("an id"))
    {
        let path = format!("{ORDERS}/{id}");
        if vendor.get(&path).await.status() == 404 {
            problem(vendor.post(&format!("{path}/refunds"), &json!({ "amount": 1 })).await, 404, "not_found").await;
            absent += 1;
        }
    }
    assert!(absent > 0);
}
