/// What a key that is made for one vendor is told.
mod own_keys;
/// Refunds of orders as a whole, beside those of lines.
mod whole_refunds;

use reqwest::{Method, Response};
use serde_json::{Value, json};
use vendorscope::server::db::rollups;

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, contents, databases};

const WIDE: &str = "dateFrom=2026-01-01&dateTo=2026-12-31&compare=none";

async fn apps() -> Vec<(TestApp, Client)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let admin = app.log_in_as_admin().await;
        apps.push((app, admin));
    }
    apps
}

async fn send(admin: &Client, what: &str, rows: Value) -> Response {
    admin.post(&format!("/api/ingest/{what}"), &json!({ what: rows })).await
}

async fn snapshot(client: &Client) -> (String, Value) {
    let response = client.get(&format!("/api/vendor/analytics/snapshot?{WIDE}")).await;
    let outcome = response.headers()["x-cache"].to_str().expect("ASCII").to_owned();
    (outcome, response.json().await.expect("JSON"))
}

/// Of `eur` and `nyc`, with a discount of 1.00 on 25.00 and 10.00.
fn shared_order() -> Value {
    json!({
        "orderId": "x1",
        "customer": { "customerId": "c9", "name": "Ida", "country": "Denmark" },
        "placedAt": "2026-04-01T10:00:00Z",
        "status": "processing",
        "discount": 100,
        "lines": [{ "productId": "e1", "quantity": 2, "unitPrice": 1_250 },
            { "line": 5, "productId": "n1", "quantity": 1, "unitPrice": 1_000 }],
    })
}

fn counts(created: u64, updated: u64, unchanged: u64) -> Value {
    json!({ "created": created, "updated": updated, "unchanged": unchanged })
}

async fn sums_are_right(app: &TestApp) {
    let db = &app.state().db;
    assert_eq!(
        rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"),
        [],
        "{}",
        db.dialect.name()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_two_vendors_is_shared_out_and_sent_again_changes_nothing() {
    for (app, admin) in apps().await {
        let (eur, nyc, jpy) =
            (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await, app.log_in_as_vendor("jpy").await);
        let before = [snapshot(&eur).await.1, snapshot(&nyc).await.1, snapshot(&jpy).await.1];
        assert_eq!(
            answered(send(&admin, "orders", json!([shared_order(), shared_order()])).await, 200).await,
            counts(1, 0, 1)
        );

        for (client, before, gross, discount) in [(&eur, &before[0], 2_500, 72), (&nyc, &before[1], 1_000, 28)] {
            let (outcome, after) = snapshot(client).await;
            assert_eq!(outcome, "MISS", "stale at once");
            let more =
                |figure: &str| after["totals"][figure].as_i64().unwrap() - before["totals"][figure].as_i64().unwrap();
            assert_eq!(
                (more("grossSales"), more("discounts"), more("orders"), more("customers")),
                (gross, discount, 1, 1)
            );
            assert_eq!(
                client.get_json("/api/vendor/orders/x1").await["lines"].as_array().unwrap().len(),
                1,
                "its own lines only"
            );
        }
        assert_eq!(snapshot(&jpy).await.0, "HIT", "a vendor without a part is left alone");

        let unchanged = contents(&app.state().db).await;
        assert_eq!(answered(send(&admin, "orders", json!([shared_order()])).await, 200).await, counts(0, 0, 1));
        assert_eq!(contents(&app.state().db).await, unchanged);
        assert_eq!(snapshot(&eur).await.0, "HIT", "nothing changed, so nothing is stale");

        let mut changed = shared_order();
        changed["status"] = json!("cancelled");
        changed["lines"][0]["quantity"] = json!(3);
        assert_eq!(answered(send(&admin, "orders", json!([changed])).await, 200).await, counts(0, 1, 0));
        assert_eq!(snapshot(&eur).await.1["totals"], before[0]["totals"]);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_answered_once_and_belongs_to_one_request() {
    for (app, admin) in apps().await {
        let with_key = |body: Value| {
            admin.request(Method::POST, "/api/ingest/orders").header("idempotency-key", "batch-17").json(&body).send()
        };
        let first = json!({ "orders": [shared_order()] });
        assert_eq!(answered(with_key(first.clone()).await.expect("an answer"), 200).await, counts(1, 0, 0));
        let vendor = app.log_in_as_vendor("eur").await;
        answered(vendor.patch("/api/vendor/orders/x1", &json!({ "status": "shipped" })).await, 200).await;
        let between = contents(&app.state().db).await;
        // The same answer as before, not that of a second ingestion.
        assert_eq!(answered(with_key(first).await.expect("an answer"), 200).await, counts(1, 0, 0));
        let mut other = shared_order();
        other["orderId"] = json!("x2");
        assert_eq!(
            refused_fields(with_key(json!({ "orders": [other] })).await.expect("an answer")).await,
            ["Idempotency-Key"]
        );
        assert_eq!(contents(&app.state().db).await, between);
        let bad = admin
            .request(Method::POST, "/api/ingest/orders")
            .header("idempotency-key", "a b")
            .json(&json!({ "orders": [shared_order()] }));
        assert_eq!(refused_fields(bad.send().await.expect("an answer")).await, ["Idempotency-Key"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_at_once_is_taken_once() {
    for (app, admin) in apps().await {
        let requests = (0..6).map(|_| {
            let request = admin.request(Method::POST, "/api/ingest/orders").header("idempotency-key", "k");
            request.json(&json!({ "orders": [shared_order()] })).send()
        });
        for response in futures::future::join_all(requests).await {
            assert_eq!(answered(response.expect("an answer"), 200).await, counts(1, 0, 0));
        }
        // And without a key: once created, else unchanged.
        let orders: Vec<Value> = (0..50)
            .map(|number| {
                let mut order = shared_order();
                order["orderId"] = json!(format!("y{number}"));
                order
            })
            .collect();
        let requests = (0..4).map(|_| send(&admin, "orders", json!(orders)));
        let mut created = 0;
        for response in futures::future::join_all(requests).await {
            created += answered(response, 200).await["created"].as_i64().unwrap();
        }
        assert_eq!(created, 50);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_named_by_its_place_and_nothing_of_the_request_is_kept() {
    for (app, admin) in apps().await {
        answered(send(&admin, "orders", json!([shared_order()])).await, 200).await;
        let changed = |path: &str, value: Value| {
            let mut order = shared_order();
            order["orderId"] = json!("x2");
            *order.pointer_mut(path).expect("a field") = value;
            order
        };
        let mut mixed = changed("/discount", json!(100));
        mixed["lines"][1]["productId"] = json!("j1");
        let mut differing = shared_order();
        differing["discount"] = json!(0);
        let cases = [
            ("orders", json!([changed("/lines/0/productId", json!("nope"))]), "orders[1].lines[0].productId"),
            (
                "orders",
                json!([changed("/customer", json!({ "customerId": "nobody" }))]),
                "orders[1].customer.customerId",
            ),
            ("orders", json!([changed("/lines/1/quantity", json!(0))]), "orders[1].lines[1].quantity"),
            ("orders", json!([changed("/customer/name", json!("Another Ida"))]), "orders[1].customer"),
            ("orders", json!([mixed]), "orders[1].discount"),
            ("orders", json!([differing]), "orders[1].orderId"),
            ("orders", json!([changed("/status", json!("lost"))]), "orders[1].status"),
            ("orders", json!([changed("/orderId", json!("o1"))]), "orders[1].customer.customerId"),
        ];
        let before = contents(&app.state().db).await;
        for (what, mut rows, field) in cases {
            rows.as_array_mut().unwrap().insert(0, shared_order());
            assert_eq!(refused_fields(send(&admin, what, rows.clone()).await).await, [field], "{rows}");
        }
        let refund = |order: &str, line: Value, quantity: i64, amount: i64| {
            json!({ "orderId": order, "line": line, "quantity": quantity, "amount": amount,
            "refundedAt": "2026-04-03T10:00:00Z" })
        };
        for (row, field) in [
            (refund("none", json!(1), 1, 100), "refunds[1].orderId"),
            (refund("x1", json!(2), 1, 100), "refunds[1].line"),
            (refund("x1", json!(1), 3, 100), "refunds[1].quantity"),
            (refund("x1", json!(1), 1, 2_429), "refunds[1].amount"),
            (refund("x1", Value::Null, 0, 3_401), "refunds[1].amount"),
            (refund("x1", Value::Null, 1, 1), "refunds[1].quantity"),
            (refund("o1", json!(1), 0, 0), "refunds[1].amount"),
        ] {
            let rows = json!([refund("o1", json!(1), 1, 100), row]);
            assert_eq!(refused_fields(send(&admin, "refunds", rows.clone()).await).await, [field], "{rows}");
        }
        let product = |id: &str, vendor: &str, price: i64| {
            json!({ "productId": id, "vendorId": vendor, "name": "N", "category": "C", "unitPrice": price,
            "stock": 1 })
        };
        for (row, field) in [
            (product("e1", "nyc", 100), "products[1].vendorId"),
            (product("new", "nobody", 100), "products[1].vendorId"),
            (product("e1", "eur", -1), "products[1].unitPrice"),
        ] {
            let rows = json!([product("z1", "eur", 100), row]);
            assert_eq!(refused_fields(send(&admin, "products", rows.clone()).await).await, [field], "{rows}");
        }
        for (path, body, field) in [
            ("orders", json!({ "orders": [] }), "orders"),
            ("orders", json!({ "orders": [shared_order()], "dryRun": true }), "dryRun"),
            ("products", json!({}), "products"),
        ] {
            assert_eq!(refused_fields(admin.post(&format!("/api/ingest/{path}"), &body).await).await, [field]);
        }
        assert_eq!(contents(&app.state().db).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_a_line_and_of_an_order_are_taken_once() {
    for (app, admin) in apps().await {
        let (eur, nyc) = (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await);
        answered(send(&admin, "orders", json!([shared_order()])).await, 200).await;
        let refunds = json!([
            { "orderId": "x1", "line": 1, "quantity": 1, "amount": 1_214, "refundedAt": "2026-04-03T10:00:00Z" },
            { "orderId": "x1", "amount": 340, "refundedAt": "2026-04-04T10:00:00Z" },
        ]);
        assert_eq!(answered(send(&admin, "refunds", refunds.clone()).await, 200).await, counts(2, 0, 0));
        // 12.14 is left of one line and 9.72 of the other.
        let (of_eur, of_nyc) = (snapshot(&eur).await.1, snapshot(&nyc).await.1);
        assert_eq!((&of_eur["totals"]["returns"], &of_nyc["totals"]["returns"]), (&json!(1_214 + 189), &json!(151)));
        let later = json!([{ "orderId": "x1", "line": 1, "quantity": 1, "amount": 1_000,
            "refundedAt": "2026-04-05T10:00:00Z" }]);
        assert_eq!(answered(send(&admin, "refunds", later).await, 200).await, counts(1, 0, 0));
        let unchanged = contents(&app.state().db).await;
        assert_eq!(
            answered(send(&admin, "refunds", refunds.clone()).await, 200).await,
            counts(0, 0, 2),
            "whatever came after them"
        );
        assert_eq!(contents(&app.state().db).await, unchanged);

        let mut changed = refunds;
        changed[0]["amount"] = json!(1_200);
        assert_eq!(answered(send(&admin, "refunds", changed).await, 200).await, counts(0, 1, 1));
        assert_eq!(snapshot(&eur).await.1["totals"]["returns"], 1_200 + 189 + 1_000);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_created_and_brought_up_to_date() {
    for (app, admin) in apps().await {
        let (jpy, kwd) = (app.log_in_as_vendor("jpy").await, app.log_in_as_vendor("kwd").await);
        let rows = json!([
            { "productId": "j1", "vendorId": "jpy", "name": "Brush pen", "category": "Pens", "unitPrice": 1_500,
                "stock": 7 },
            { "productId": "j2", "vendorId": "jpy", "name": "Ink", "category": "Ink", "unitPrice": 900, "stock": 2,
                "status": "archived" },
            { "productId": "k1", "vendorId": "kwd", "name": "Attar", "category": "Perfume", "unitPrice": 7_250,
                "stock": 100 },
        ]);
        kwd.get("/api/vendor/products").await;
        assert_eq!(answered(send(&admin, "products", rows.clone()).await, 200).await, counts(1, 1, 1));
        let listed = jpy.get_json("/api/vendor/products").await;
        let names: Vec<_> = listed["products"]
            .as_array()
            .unwrap()
            .iter()
            .map(|product| (&product["name"], &product["unitPrice"]))
            .collect();
        assert_eq!(names, [(&json!("Brush pen"), &json!(1_500)), (&json!("Ink"), &json!(900))]);
        assert_eq!(
            kwd.get("/api/vendor/products").await.headers()["x-cache"],
            "HIT",
            "what did not change is not stale"
        );
        assert_eq!(answered(send(&admin, "products", rows).await, 200).await, counts(0, 0, 3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_rows_are_taken_at_once_and_more_than_ten_thousand_are_not() {
    for (app, admin) in apps().await {
        let orders = |count: usize| -> Vec<Value> {
            (0..count)
                .map(|number| {
                    let mut order = shared_order();
                    order["orderId"] = json!(format!("m{number}"));
                    order["placedAt"] = json!(format!("2026-05-{:02}T10:00:00Z", number % 28 + 1));
                    order
                })
                .collect()
        };
        assert_eq!(answered(send(&admin, "orders", json!(orders(3_000))).await, 200).await, counts(3_000, 0, 0));
        let month = app
            .log_in_as_vendor("nyc")
            .await
            .get_json("/api/vendor/analytics/snapshot?dateFrom=2026-05-01&dateTo=2026-05-31")
            .await;
        assert_eq!(month["totals"]["orders"], 3_000);
        assert_eq!(refused_fields(send(&admin, "orders", json!(orders(5_001))).await).await, ["orders"]);
        let padding = "x".repeat(8 * 1024 * 1024);
        let large = admin.post("/api/ingest/orders", &json!({ "orders": [], "padding": padding })).await;
        problem(large, 413, "too_large").await;
        sums_are_right(&app).await;
    }
}
