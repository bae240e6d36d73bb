use reqwest::Method;
use serde_json::{Value, json};

use super::{OTHER_VENDOR, VENDOR, problem};
use crate::harness::{Client, TestApp};

/// Every route of the JSON API that needs a login, with what nobody, a vendor and an admin get. Ids are of the vendor's own.
pub(super) const ROUTES: &[(&str, &str, u16, u16)] = &[
    ("GET", "/api/auth/me", 200, 200),
    ("GET", "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-01-31", 200, 422),
    ("GET", "/api/vendor/products", 200, 403),
    ("POST", "/api/vendor/products", 422, 403),
    ("PATCH", "/api/vendor/products/bulk", 422, 403),
    ("GET", "/api/vendor/products/{product}", 200, 403),
    ("PUT", "/api/vendor/products/{product}", 422, 403),
    ("DELETE", "/api/vendor/products/{product}", 204, 403),
    ("GET", "/api/vendor/orders", 200, 403),
    ("GET", "/api/vendor/orders/{order}", 200, 403),
    ("PATCH", "/api/vendor/orders/{order}", 422, 403),
    ("POST", "/api/vendor/orders", 422, 403),
    ("POST", "/api/vendor/orders/{order}/refunds", 422, 403),
    ("GET", "/api/vendor/analytics/export.csv?dateFrom=1997-01-01&dateTo=1997-01-31", 200, 422),
    ("POST", "/api/ingest/orders", 403, 422),
    ("POST", "/api/ingest/refunds", 403, 422),
    ("POST", "/api/ingest/products", 403, 422),
    ("GET", "/api/admin/metrics?dateFrom=1997-01-01&dateTo=1997-01-31", 403, 200),
    ("GET", "/api/admin/cache/stats", 403, 200),
    ("POST", "/api/admin/cache/invalidate", 403, 422),
];

/// Sends an empty JSON object where there is to be a body: who is let in is told by what happens before it is read.
async fn status(client: &Client, method: &str, path: &str) -> u16 {
    let request = client.request(method.parse().expect("a method"), path);
    let request = if matches!(method, "POST" | "PUT" | "PATCH") { request.json(&json!({})) } else { request };
    request.send().await.expect("an answer").status().as_u16()
}

/// A product and an order that are the vendor's and nobody else's.
async fn own(client: &Client) -> (String, String) {
    let id = |page: &Value, list: &str, name: &str| page[list][0][name].as_str().expect("an id").to_owned();
    let products = client.get_json("/api/vendor/products").await;
    let orders = client.get_json("/api/vendor/orders").await;
    (id(&products, "products", "productId"), id(&orders, "orders", "orderId"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_it_is_for() {
    let app = TestApp::builder().northwind().spawn().await;
    let (nobody, vendor, admin) = (app.client(), app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
    let (product, order) = own(&vendor).await;
    for (method, path, as_vendor, as_admin) in ROUTES {
        let path = path.replace("{product}", &product).replace("{order}", &order);
        assert_eq!(status(&nobody, method, &path).await, 401, "{method} {path} as nobody");
        assert_eq!(status(&admin, method, &path).await, *as_admin, "{method} {path} as an admin");
        assert_eq!(status(&vendor, method, &path).await, *as_vendor, "{method} {path} as a vendor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_vendor_is_as_good_as_absent() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, other) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_vendor(OTHER_VENDOR).await);
    let product = other.get_json("/api/vendor/products").await["products"][0].clone();
    let theirs = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));

    problem(vendor.get(&theirs).await, 404, "not_found").await;
    problem(vendor.put(&theirs, &product).await, 404, "not_found").await;
    problem(vendor.request(Method::DELETE, &theirs).send().await.expect("an answer"), 404, "not_found").await;
    assert_eq!(other.get_json(&theirs).await, product);

    // An order that only the other vendor has a part in.
    let orders = |page: Value| -> Vec<String> {
        page["orders"].as_array().expect("a list").iter().map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect()
    };
    let mut only_theirs = None;
    for id in orders(other.get_json("/api/vendor/orders").await) {
        if vendor.get(&format!("/api/vendor/orders/{id}")).await.status() == 404 {
            only_theirs = Some(format!("/api/vendor/orders/{id}"));
            break;
        }
    }
    let order = only_theirs.expect("vendors do not share every order");
    assert_eq!(other.get(&order).await.status(), 200);
    let change = vendor.request(Method::PATCH, &order).json(&json!({ "status": "delivered" })).send().await.expect("an answer");
    problem(change, 404, "not_found").await;
}
