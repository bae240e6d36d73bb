use reqwest::Method;
use serde_json::{Value, json};

use super::{OTHER_VENDOR, VENDOR, problem};
use crate::harness::TestApp;

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
        page["orders"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|order| order["orderId"].as_str().expect("an id").to_owned())
            .collect()
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
    let change =
        vendor.request(Method::PATCH, &order).json(&json!({ "status": "delivered" })).send().await.expect("an answer");
    problem(change, 404, "not_found").await;
}
