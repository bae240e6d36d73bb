use reqwest::Method;
use serde_json::{Value, json};

use super::{VENDOR, problem, refused_fields};
use crate::harness::TestApp;

const ORDERS: &str = "/api/vendor/orders";

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_newest_first_page_after_page() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get_json(&format!("{ORDERS}{after}")).await;
        seen.extend(page["orders"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("?after={next}"),
            None => break,
        }
    }
    let placed: Vec<&str> = seen.iter().map(|order| order["placedAt"].as_str().expect("an instant")).collect();
    assert!(placed.len() > 50 && placed.is_sorted_by(|a, b| a >= b), "{} orders", placed.len());
    let mut ids: Vec<&str> = seen.iter().map(|order| order["orderId"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), placed.len(), "none twice");
    let shown = client.get_json(&format!("{ORDERS}/{}", ids[0])).await;
    assert_eq!(shown["orderId"], ids[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_moves_only_where_its_status_lets_it() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let shipped = client.get_json(&format!("{ORDERS}?status=shipped")).await["orders"][0]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("{ORDERS}/{shipped}");
    let patch = |body: Value| client.request(Method::PATCH, &path).json(&body).send();

    problem(patch(json!({ "status": "processing" })).await.expect("an answer"), 409, "conflict").await;
    for time in ["the first time", "the second time, which changes nothing"] {
        let answer = patch(json!({ "status": "delivered" })).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{time}");
    }
    problem(patch(json!({ "status": "pending" })).await.expect("an answer"), 409, "conflict").await;
    assert_eq!(client.get_json(&path).await["status"], "delivered");
    assert_eq!(refused_fields(patch(json!({ "status": "lost" })).await.expect("an answer")).await, ["status"]);
    assert_eq!(
        refused_fields(patch(json!({ "status": "delivered", "note": "" })).await.expect("an answer")).await,
        ["note"]
    );
    assert_eq!(refused_fields(client.get(&format!("{ORDERS}?status=lost")).await).await, ["status"]);
    assert_eq!(refused_fields(client.get(&format!("{ORDERS}?page=2")).await).await, ["page"]);
    problem(client.get(&format!("{ORDERS}/none")).await, 404, "not_found").await;
}
