use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::server::db::sql;

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
async fn a_product_may_have_the_name_of_an_operation_for_its_id() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
    let sent = json!({ "productId": "bulk", "vendorId": VENDOR, "name": "Bulk tea", "category": "Tea", "unitPrice": 1,
        "stock": 1 });
    assert_eq!(admin.post("/api/ingest/products", &json!({ "products": [sent] })).await.status(), 200);
    assert_eq!(vendor.get_json("/api/vendor/products/bulk%20").await["name"], "Bulk tea");
    let list = vendor.get("/products?search=Bulk%20tea").await.text().await.expect("a text");
    assert!(list.contains("href=\"/products/bulk%20"), "{list}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_what_all_of_its_pages_come_to_at_once_after_every_write() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("eur").await;
        let sums = async |query: &str| client.get_json(&format!("{PRODUCTS}{query}")).await["sums"].clone();
        let come_to = |products: i64, stock: i64, value: Option<i64>, units: i64, before: i64| {
            let recent = json!({ "units": units, "previousUnits": before });
            json!({ "products": products, "stock": stock, "stockValue": value, "recent": recent })
        };
        // 100 mugs at 12.50 and 3 bowls at 7.00.
        assert_eq!(sums("").await, come_to(2, 103, Some(127_100), 0, 0), "{dialect}");
        let days_ago = |days: i64| (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)).to_string();
        for (product, quantity, days) in [("e1", 3, 2), ("e1", 1, 30), ("e2", 2, 5), ("e1", 9, 80)] {
            let order = json!({
                "customer": { "customerId": "c1" }, "lines": [{ "productId": product, "quantity": quantity }],
                "placedAt": days_ago(days),
            });
            assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201);
        }
        // What is sold has left the shelf, 13 mugs and 2 bowls.
        assert_eq!(sums("").await, come_to(2, 88, Some(87 * 1_250 + 700), 5, 1), "{dialect}");
        assert_eq!(sums("?search=mug&sort=rising").await, come_to(1, 87, Some(108_750), 3, 1), "{dialect}");
        assert_eq!(sums("?category=Bowls").await, come_to(1, 1, Some(700), 2, 0), "{dialect}");
        assert_eq!(sums("?status=archived").await, come_to(0, 0, Some(0), 0, 0), "{dialect}");
        // Of what is low, what that costs too: two bowls were sold in 28 days for 14.00, and one is left.
        let mut low = come_to(1, 1, Some(700), 2, 0);
        low["salesAtRisk"] = json!(700);
        assert_eq!(sums("?stock=low").await, low, "{dialect}");

        // On whichever page: of 120, the second page says the same as the first.
        for number in 0..118 {
            let product =
                json!({ "name": format!("Cup {number:03}"), "category": "Cups", "unitPrice": 100, "stock": 1 });
            assert_eq!(client.post(PRODUCTS, &product).await.status(), 201);
        }
        let expected = come_to(120, 206, Some(109_450 + 11_800), 5, 1);
        let first = client.get_json(PRODUCTS).await;
        let after = first["next"].as_str().expect("a next page");
        assert_eq!((&first["sums"], &sums(&format!("?after={after}")).await), (&expected, &expected), "{dialect}");

        // More than a number can hold is not said, rather than said wrongly.
        for name in ["Diamond", "Ruby"] {
            let product =
                json!({ "name": name, "category": "Gems", "unitPrice": 90_000_000_000_i64, "stock": 90_000_000 });
            assert_eq!(client.post(PRODUCTS, &product).await.status(), 201);
        }
        assert_eq!(sums("?search=ruby").await, come_to(1, 90_000_000, Some(8_100_000_000_000_000_000), 0, 0));
        assert_eq!(sums("?category=Gems").await, come_to(2, 180_000_000, None, 0, 0), "{dialect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_when_each_price_last_changed_and_from_what() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("eur").await;
        assert_eq!(client.get_json(PRODUCTS).await["priceChanges"], json!([null, null]), "{dialect}");
        let began = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
        for change in [
            json!({ "unitPrice": 1_300 }),
            json!({ "unitPriceChangeBps": 1_000 }),
            json!({ "unitPrice": 1_430, "stock": 2 }),
            json!({ "stock": 1 }),
        ] {
            let change = json!({ "productIds": ["e1"], "changes": change });
            assert_eq!(client.patch(&format!("{PRODUCTS}/bulk"), &change).await.status(), 200);
        }
        // The bowl stands first by its name and by its price, the mug is the one that is low by its stock.
        let (by_price, low) = (
            client.get_json(&format!("{PRODUCTS}?sort=price")).await,
            client.get_json(&format!("{PRODUCTS}?stock=low&search=mug")).await,
        );
        assert_eq!(by_price["priceChanges"][0], Value::Null, "{dialect}: {by_price}");
        for changed in [&by_price["priceChanges"][1], &low["priceChanges"][0]] {
            assert_eq!(changed["previousPrice"], 1_300, "{dialect}: {changed}");
            let at: jiff::Timestamp = changed["changedAt"].as_str().expect("an instant").parse().expect("an instant");
            assert!(at >= began && at <= jiff::Timestamp::now(), "{dialect}: {at}");
        }
        let page = client.request(reqwest::Method::GET, "/products").header("accept", "text/html").send().await;
        let page = page.expect("an answer").text().await.expect("a page");
        assert_eq!(page.matches("€13.00 until ").count(), 1, "{dialect}: {page}");
        let file = client.get("/api/vendor/products.csv?sort=price").await.text().await.expect("a file");
        let lines: Vec<Vec<&str>> = file.lines().map(|line| line.split(',').collect()).collect();
        let column = |name: &str| lines[0].iter().position(|one| *one == name).expect("a column");
        let (was, at) = (column("previousPrice"), column("priceChangedAt"));
        assert_eq!((lines[1][was], lines[1][at], lines[2][was]), ("", "", "13.00"), "{dialect}: {file}");
        assert_eq!(json!(lines[2][at]), by_price["priceChanges"][1]["changedAt"], "{dialect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_than_5_000_products_it_is_not_said_what_they_come_to() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (db, client) = (&app.state().db, app.log_in_as_vendor("kwd").await);
        let dialect = db.dialect.name();
        let mut tx = db.write().await.expect("a transaction");
        let many = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
                    INSERT INTO products (external_id, vendor_id, name, search_text, category, unit_price, stock, \
                                          status) \
                    SELECT 'm' || i, (SELECT id FROM vendors WHERE external_id = 'kwd'), 'Thing ' || i, 'thing ' || i, \
                           CASE WHEN i > 10 THEN 'Things' ELSE 'Others' END, 10, 2, 'active' FROM n";
        tx.execute(sql(many.to_owned())).await.expect("products");
        tx.commit().await.expect("committed");
        // 5,001 with the one that was there.
        let page = client.get_json(PRODUCTS).await;
        assert_eq!((&page["sums"], &page["products"][0]["productId"]), (&Value::Null, &json!("k1")), "{dialect}");
        let seen = client.request(reqwest::Method::GET, "/products").header("accept", "text/html").send().await;
        let seen = seen.expect("an answer").text().await.expect("a page");
        assert!(seen.contains("More than 5,000 products match"), "{dialect}: {seen}");
        for (query, products, stock, value) in
            [("?search=thing", 5_000, 10_000, 100_000), ("?category=Others&sort=sold", 10, 20, 200)]
        {
            let sums = client.get_json(&format!("{PRODUCTS}{query}")).await["sums"].clone();
            assert_eq!(
                [&sums["products"], &sums["stock"], &sums["stockValue"]],
                [&json!(products), &json!(stock), &json!(value)],
                "{dialect} {query}"
            );
        }
        // All but the first, of which there are 100, are low.
        assert_eq!(client.get_json(&format!("{PRODUCTS}?stock=low")).await["sums"]["products"], 5_000, "{dialect}");
        let mut tx = db.write().await.expect("a transaction");
        tx.execute(sql("UPDATE products SET stock = 1 WHERE external_id = 'k1'".to_owned())).await.expect("changed");
        tx.commit().await.expect("committed");
        let low = client.get_json(&format!("{PRODUCTS}?stock=low&status=active")).await;
        assert_eq!((&low["sums"], low["products"].as_array().map(Vec::len)), (&Value::Null, Some(50)), "{dialect}");
    }
}
