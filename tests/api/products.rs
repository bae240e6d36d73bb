use reqwest::Method;
use serde_json::{Value, json};

use super::{OTHER_VENDOR, VENDOR, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, databases};

const PRODUCTS: &str = "/api/vendor/products";

async fn first_product(client: &Client) -> Value {
    client.get_json(PRODUCTS).await["products"][0].clone()
}

fn path(product: &Value) -> String {
    format!("{PRODUCTS}/{}", product["productId"].as_str().expect("an id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_made_read_changed_and_deleted() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let input = json!({ "name": "Lamington", "category": "Confections", "unitPrice": 450, "stock": 12 });
    let response = client.post(PRODUCTS, &input).await;
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().expect("ASCII").to_owned();
    let made: Value = response.json().await.expect("JSON");
    assert_eq!(location, path(&made));
    assert_eq!(
        (&made["name"], &made["unitPrice"], &made["status"]),
        (&json!("Lamington"), &json!(450), &json!("active"))
    );
    assert_eq!(client.get_json(&location).await, made);
    assert!(
        client.get_json(&format!("{PRODUCTS}?search=lamington")).await["products"]
            .as_array()
            .is_some_and(|list| list.len() == 1)
    );

    let mut changed = made.clone();
    changed["unitPrice"] = json!(500);
    let response = client.put(&location, &changed).await;
    assert_eq!(
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON")),
        (200, changed.clone()),
        "what was read can be sent back"
    );
    assert_eq!(client.get_json(&location).await, changed);

    assert_eq!(client.request(Method::DELETE, &location).send().await.expect("an answer").status(), 204);
    problem(client.get(&location).await, 404, "not_found").await;
    problem(client.get(&format!("{PRODUCTS}/%ff")).await, 404, "not_found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_shows_a_change_at_once_and_says_where_it_came_from() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    assert_eq!(client.get(PRODUCTS).await.headers()["x-cache"], "MISS");
    assert_eq!(client.get(PRODUCTS).await.headers()["x-cache"], "HIT");
    let mut product = first_product(&client).await;
    product["name"] = json!("AAA first of all");
    assert_eq!(client.put(&path(&product), &product).await.status(), 200);
    assert_eq!(first_product(&client).await["name"], "AAA first of all");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_products_are_refused_by_field_and_change_nothing() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let product = first_product(&client).await;
    for (field, value) in [
        ("unitPrice", json!(-1)),
        ("unitPrice", json!(1.5)),
        ("stock", json!(-1)),
        ("name", json!("")),
        ("name", json!("two\nlines")),
        ("status", json!("deleted")),
        ("productId", json!("another")),
        ("colour", json!("red")),
    ] {
        let mut bad = product.clone();
        bad[field] = value.clone();
        assert_eq!(refused_fields(client.put(&path(&product), &bad).await).await, [field], "{field}: {value}");
    }
    assert_eq!(client.get_json(&path(&product)).await, product);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_products_change_together_or_not_at_all() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let listed = client.get_json(PRODUCTS).await;
    let ids: Vec<&str> = listed["products"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|product| product["productId"].as_str().expect("an id"))
        .collect();
    let bulk = format!("{PRODUCTS}/bulk");
    let patch = |body: Value| client.request(Method::PATCH, &bulk).json(&body).send();

    let response = patch(json!({ "productIds": ids, "changes": { "stock": 3 } })).await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), response.json::<Value>().await.expect("JSON")),
        (200, json!({ "changed": ids.len() }))
    );
    let stocks: Vec<Value> = client.get_json(PRODUCTS).await["products"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|product| product["stock"].clone())
        .collect();
    assert!(stocks.iter().all(|stock| *stock == 3), "{stocks:?}");

    let other = first_product(&app.log_in_as_vendor(OTHER_VENDOR).await).await;
    let mixed = json!({ "productIds": [ids[0], other["productId"]], "changes": { "stock": 4 } });
    problem(patch(mixed).await.expect("an answer"), 404, "not_found").await;
    assert_eq!(client.get_json(&format!("{PRODUCTS}/{}", ids[0])).await["stock"], 3);
    for (body, field) in [
        (json!({ "productIds": [], "changes": { "stock": 4 } }), "productIds"),
        (json!({ "productIds": [ids[0], ids[0]], "changes": { "stock": 4 } }), "productIds"),
        (json!({ "productIds": [ids[0]], "changes": {} }), "changes"),
        (json!({ "productIds": [ids[0]], "changes": { "name": "x" } }), "changes.name"),
    ] {
        assert_eq!(refused_fields(patch(body.clone()).await.expect("an answer")).await, [field], "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_by_category_and_by_what_sold_lately() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let ids = async |query: &str| -> Vec<String> {
            let page = client.get_json(&format!("{PRODUCTS}{query}")).await;
            let products = page["products"].as_array().expect("a list");
            products.iter().map(|product| product["productId"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(ids("?category=Mugs").await, ["e1"]);
        assert!(ids("?category=mugs").await.is_empty() && ids("?category=Pens").await.is_empty());
        // Two mugs a while ago, three bowls lately: days that are over in every zone.
        for (product, quantity, days) in [("e1", 5, 40), ("e1", 2, 3), ("e2", 3, 3)] {
            let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)).to_string();
            let order = json!({ "customer": { "customerId": "c1" },
                "lines": [{ "productId": product, "quantity": quantity }], "placedAt": at });
            assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201);
        }
        assert_eq!(ids("?sort=sold").await, ["e2", "e1"]);
        assert_eq!(ids("?sort=rising").await, ["e2", "e1"]);
        assert_eq!(ids("?sort=falling").await, ["e1", "e2"]);
        let page = client.get_json(&format!("{PRODUCTS}?sort=falling")).await;
        assert_eq!(page["recent"], json!([{ "units": 2, "previousUnits": 5 }, { "units": 3, "previousUnits": 0 }]));
    }
}
