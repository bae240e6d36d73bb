//! Reading a list page after page while it changes: a page begins behind the place where the one before ended, on both
//! databases.

use serde_json::{Value, json};
use vendorscope::server::{
    cache_keys::marketplace_tag,
    db::{Db, sql},
    services::{marketplace::today, standings::StandingParameters},
};
use vendorscope_cache::Cause;

use crate::harness::{Client, Market, TestApp, databases};

async fn run(db: &Db, text: String) {
    let mut tx = db.write().await.expect("a transaction");
    tx.execute(sql(text.clone())).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    tx.commit().await.expect("committed");
}

/// The vendor `kwd` with 120 products: `q001` to `q120`, of stock and price 1 to 120, named in the same order.
async fn apps() -> Vec<(TestApp, Market)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        run(&app.state().db, "UPDATE products SET status = 'deleted' WHERE external_id = 'k1'".to_owned()).await;
        let rows: Vec<String> = (1..=120)
            .map(|at| {
                format!(
                    "('q{at:03}', (SELECT id FROM vendors WHERE external_id = 'kwd'), 'Thing {at:03}', 'Things', \
                    {at}, {at}, 'active')"
                )
            })
            .collect();
        let columns = "external_id, vendor_id, name, category, unit_price, stock, status";
        run(&app.state().db, format!("INSERT INTO products ({columns}) VALUES {}", rows.join(", "))).await;
        apps.push((app, market));
    }
    apps
}

fn ids(page: &Value, list: &str, id: &str) -> Vec<String> {
    page[list].as_array().expect("a list").iter().map(|row| row[id].as_str().expect("an id").to_owned()).collect()
}

fn products(range: impl Iterator<Item = usize>) -> Vec<String> {
    range.map(|at| format!("q{at:03}")).collect()
}

async fn page(client: &Client, sort: &str, after: Option<&str>) -> Value {
    let after = after.map(|after| format!("&after={after}")).unwrap_or_default();
    client.get_json(&format!("/api/vendor/products?sort={sort}{after}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_product_of_a_page_may_go_anywhere_and_the_next_page_begins_where_this_one_ended() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        for (sort, change, back) in [
            ("stock", json!({ "stock": 0 }), json!({ "stock": 50 })),
            ("stock", json!({ "stock": 1000 }), json!({ "stock": 50 })),
            ("price", json!({ "unitPrice": 0 }), json!({ "unitPrice": 50 })),
            ("price", json!({ "unitPrice": 9000 }), json!({ "unitPrice": 50 })),
        ] {
            let first = page(&client, sort, None).await;
            assert_eq!(ids(&first, "products", "productId"), products(1..=50), "{sort}");
            let moved =
                client.patch("/api/vendor/products/bulk", &json!({ "productIds": ["q050"], "changes": change })).await;
            assert_eq!(moved.status(), 200, "{change}");
            let second = page(&client, sort, first["next"].as_str()).await;
            assert_eq!(ids(&second, "products", "productId"), products(51..=100), "{sort} {change}");
            let third = page(&client, sort, second["next"].as_str()).await;
            let mut rest = ids(&third, "products", "productId");
            rest.retain(|id| id != "q050");
            assert_eq!((rest, third["next"].is_null()), (products(101..=120), true), "{sort} {change}");
            client.patch("/api/vendor/products/bulk", &json!({ "productIds": ["q050"], "changes": back })).await;
        }
        for (name, gone) in [("A first thing", false), ("Zebra", false), ("", true)] {
            let first = page(&client, "name", None).await;
            let last = ids(&first, "products", "productId").pop().expect("a last one");
            let path = format!("/api/vendor/products/{last}");
            if gone {
                client.request(reqwest::Method::DELETE, &path).send().await.expect("an answer");
            } else {
                let mut product = client.get_json(&path).await;
                product["name"] = json!(name);
                assert_eq!(client.put(&path, &product).await.status(), 200);
            }
            let second = page(&client, "name", first["next"].as_str()).await;
            let names: Vec<_> =
                ids(&first, "products", "name").into_iter().chain(ids(&second, "products", "name")).collect();
            assert!(names.is_sorted() && names.len() == 100, "{name}: {names:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_values_are_listed_by_their_ids_and_none_is_left_out_or_listed_twice() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        run(
            &app.state().db,
            "UPDATE products SET stock = 7, unit_price = 7, name = 'Same' WHERE external_id LIKE 'q%'".to_owned(),
        )
        .await;
        client
            .patch("/api/vendor/products/bulk", &json!({ "productIds": ["q001"], "changes": { "category": "Things" } }))
            .await;
        for sort in ["name", "stock", "price"] {
            let (mut seen, mut after) = (Vec::new(), None::<String>);
            loop {
                let page = page(&client, sort, after.as_deref()).await;
                seen.extend(ids(&page, "products", "productId"));
                match page["next"].as_str() {
                    Some(next) => after = Some(next.to_owned()),
                    None => break,
                }
            }
            assert_eq!(seen, products(1..=120), "{sort}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_one_list_and_another_text_is_refused_by_name() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        let by_name = page(&client, "name", None).await["next"].as_str().expect("a cursor").to_owned();
        for path in [
            format!("/api/vendor/products?sort=stock&after={by_name}"),
            format!("/api/vendor/orders?after={by_name}"),
            "/api/vendor/products?after=q050".to_owned(),
            "/api/vendor/products?after=%00".to_owned(),
            "/api/vendor/products?stock=low&after=x".to_owned(),
        ] {
            let answer = client.get(&path).await;
            assert_eq!(answer.status(), 422, "{path}");
            let problem: Value = answer.json().await.expect("JSON");
            assert_eq!(problem["errors"][0]["field"], "after", "{path}: {problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_order_of_a_page_may_be_dated_anew() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let mut made = Vec::new();
        for hour in 0..60 {
            // Two and two of one instant: these are listed by their ids.
            let body = json!({
                "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
                "placedAt": format!("2026-02-{:02}T{:02}:00:00Z", 1 + hour / 24, hour / 2 % 12), "status": "pending",
            });
            let order: Value = client.post("/api/vendor/orders", &body).await.json().await.expect("JSON");
            made.push((
                order["placedAt"].as_str().expect("an instant").to_owned(),
                order["orderId"].as_str().expect("an id").to_owned(),
            ));
        }
        let list = "/api/vendor/orders?dateFrom=2026-02-01&dateTo=2026-02-20";
        for placed_at in ["2020-01-01T00:00:00Z", "2026-02-19T00:00:00Z"] {
            made.sort_by(|(at, id), (other, its)| other.cmp(at).then_with(|| id.cmp(its)));
            let expected: Vec<_> = made.iter().map(|(_, id)| id.clone()).collect();
            let first = client.get_json(list).await;
            assert_eq!(ids(&first, "orders", "orderId"), expected[..50]);
            let last = &expected[49];
            let answer = client.patch(&format!("/api/vendor/orders/{last}"), &json!({ "placedAt": placed_at })).await;
            assert_eq!(answer.status(), 200);
            let second = client.get_json(&format!("{list}&after={}", first["next"].as_str().expect("a cursor"))).await;
            assert_eq!(ids(&second, "orders", "orderId"), expected[50..], "{placed_at}");
            made.retain(|(_, id)| id != last);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_is_renamed_between_two_pages_moves_nobody_else() {
    for (app, _market) in apps().await {
        let db = &app.state().db;
        let columns = "external_id, name, country, time_zone, currency, minor_thousandths";
        let rows: Vec<String> =
            (1..=60).map(|at| format!("('w{at:02}', 'Stall {at:02}', 'Japan', 'Asia/Tokyo', 'JPY', 1000)")).collect();
        run(db, format!("INSERT INTO vendors ({columns}) VALUES {}", rows.join(", "))).await;
        let list = async |search: Option<&str>, sort: Option<&str>, after: Option<&str>| {
            // What is written behind its back the cache is told of as a command tells it.
            let cause = Cause { who: "test".to_owned(), why: "written behind its back" };
            app.state().cache.invalidate(&[marketplace_tag()], &cause).await.expect("told");
            let asked = StandingParameters { search, sort, after };
            app.state().marketplace.standings(today(), &asked).await
        };
        let rounds = [("Aardvark", None), ("Zebra", None), ("Beehive", Some("orders")), ("Yard", Some("falling"))];
        for (round, (name, sort)) in rounds.into_iter().enumerate() {
            let first = list(Some("stall"), sort, None).await.expect("a page");
            assert_eq!(first.vendors.len(), 50, "{name}");
            let (last, next) = (first.vendors.last().expect("one").vendor_id.clone(), first.next.expect("a cursor"));
            run(db, format!("UPDATE vendors SET name = '{name}' WHERE external_id = '{last}'")).await;
            let second = list(Some("stall"), sort, Some(&next)).await.expect("a page");
            let seen: Vec<_> =
                first.vendors.iter().chain(&second.vendors).map(|vendor| vendor.vendor_id.clone()).collect();
            assert!(seen.is_sorted() && second.vendors.len() < 50 && second.next.is_none(), "{name}: {seen:?}");
            assert_eq!(seen.len(), 60 - round, "{name}: nobody is left out");
            let refused = list(None, Some("rising"), Some(next.as_str())).await.err().expect("another list's");
            assert!(format!("{refused:?}").contains("after"), "{refused:?}");
        }
    }
}
