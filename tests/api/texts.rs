//! Names, ids and NUL, over every way in and on both databases.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::server::db::sql;

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, PASSWORD, TestApp, contents, databases};

/// What all of these are kept as.
const NAME: &str = "Café au lait";
const WAYS_TO_WRITE_IT: [&str; 5] = [
    " Café au lait\t",
    "\u{a0}Café\u{3000}au \u{2009} lait\u{feff}",
    "\u{200b}Cafe\u{301} au lait\u{200e}",
    "Ca\u{ad}fé au\u{200b} lait",
    "Café\u{2028}au lait",
];

async fn column(app: &TestApp, query: &str) -> Vec<String> {
    let mut tx = app.state().db.read().await.expect("a transaction");
    tx.rows(sql(query)).await.expect("rows").iter().map(|row| row.get(0)).collect()
}

async fn form(client: &Client, function: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    client.request(Method::POST, &format!("/_fn/{function}")).form(fields).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_is_the_same_whichever_way_it_came_in_and_however_it_was_written() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).unlimited().bundle(Market::new().path()).spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        let mut first = None;
        for (at, text) in WAYS_TO_WRITE_IT.into_iter().enumerate() {
            let product = json!({ "name": text, "category": text, "description": text, "unitPrice": 100, "stock": 1 });
            let made = answered(vendor.post("/api/vendor/products", &product).await, 201).await;
            assert_eq!((made["name"].as_str(), made["category"].as_str()), (Some(NAME), Some(NAME)), "{text:?}");
            first.get_or_insert(made);
            let fields = [
                ("form[name]", text),
                ("form[category]", text),
                ("form[unit_price]", "1.00"),
                ("form[stock]", "1"),
                ("form[status]", "active"),
            ];
            assert_eq!(form(&vendor, "product/save", &fields).await.status(), 200);
            let sent = json!({ "productId": format!("s{at}"), "vendorId": "eur", "name": text, "category": text,
                "unitPrice": 1, "stock": 1 });
            answered(admin.post("/api/ingest/products", &json!({ "products": [sent] })).await, 200).await;
            let order = json!({ "customer": { "name": text, "country": text },
                "lines": [{ "productId": "e1", "quantity": 1 }] });
            assert_eq!(answered(vendor.post("/api/vendor/orders", &order).await, 201).await["customerName"], NAME);
            let customer = json!({ "customerId": format!("x{at}"), "name": text, "country": text });
            let line = json!({ "productId": "e1", "quantity": 1, "unitPrice": 100 });
            let order = json!({ "orderId": format!("y{at}"), "customer": customer, "placedAt": "2026-03-01T00:00:00Z",
                "status": "shipped", "lines": [line] });
            answered(admin.post("/api/ingest/orders", &json!({ "orders": [order] })).await, 200).await;
            let bulk = json!({ "productIds": ["e1"], "changes": { "category": text } });
            answered(vendor.patch("/api/vendor/products/bulk", &bulk).await, 200).await;
            let key = answered(
                vendor
                    .post("/api/account/keys", &json!({ "name": text, "password": PASSWORD, "scope": "write" }))
                    .await,
                201,
            )
            .await;
            assert_eq!(key["key"]["name"], NAME);
            // Whoever looks for it finds it, however it is typed.
            let found = vendor
                .get_json(&format!(
                    "/api/vendor/products?search={}",
                    vendorscope::domain::accounts::encode_segment(text)
                ))
                .await;
            assert!(found["products"].as_array().is_some_and(|found| found.len() == (at + 1) * 3), "{text:?}: {found}");
        }
        for query in [
            "SELECT DISTINCT name FROM products WHERE external_id NOT IN ('e1', 'e2', 'n1', 'j1', 'k1')",
            "SELECT DISTINCT category FROM products WHERE name LIKE 'Caf%' OR external_id = 'e1'",
            "SELECT DISTINCT name FROM customers WHERE external_id NOT IN ('c1', 'c2')",
            "SELECT DISTINCT country FROM customers WHERE external_id NOT IN ('c1', 'c2')",
        ] {
            assert_eq!(column(&app, query).await, [NAME], "{query}");
        }
        // Equal names are listed by their ids, and those are anybody's guess.
        assert_eq!(first.expect("one was made")["description"], NAME);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn names_of_nothing_to_be_seen_turned_ones_and_ids_in_another_form_are_refused_on_every_way_in() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).unlimited().bundle(Market::new().path()).spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        let before = contents(&app.state().db).await;
        for name in ["\u{200b}\u{200d}", "\u{3164}", "\u{202e}gum", "Mug\u{2066}", "Mug\0", "M\u{1b}[31mug", "M\tug"] {
            let product = json!({ "name": name, "category": "Mugs", "unitPrice": 100, "stock": 1 });
            assert_eq!(refused_fields(vendor.post("/api/vendor/products", &product).await).await, ["name"], "{name:?}");
            let sent = json!({ "productId": "s", "vendorId": "eur", "name": "S", "category": name, "unitPrice": 1,
                "stock": 1 });
            assert_eq!(
                refused_fields(admin.post("/api/ingest/products", &json!({ "products": [sent] })).await).await,
                ["products[0].category"]
            );
            let order = json!({ "customer": { "name": "Mira", "country": name },
                "lines": [{ "productId": "e1", "quantity": 1 }] });
            assert_eq!(refused_fields(vendor.post("/api/vendor/orders", &order).await).await, ["customer.country"]);
            assert_eq!(
                refused_fields(
                    vendor
                        .post("/api/account/keys", &json!({ "name": name, "password": PASSWORD, "scope": "write" }))
                        .await
                )
                .await,
                ["name"]
            );
            let fields = [
                ("form[name]", name),
                ("form[category]", "Mugs"),
                ("form[unit_price]", "1"),
                ("form[stock]", "1"),
                ("form[status]", "active"),
            ];
            let refused = form(&vendor, "product/save", &fields).await;
            assert_eq!(refused.status(), 422, "{name:?}");
            let refused: Value = refused.json().await.expect("JSON");
            assert_eq!(refused["invalid"][0]["field"], "name", "{name:?}");
        }
        for id in [" s", "s ", "s\u{a0}", "\u{200b}s", "e\u{301}", "s  s", "\u{202e}s", "s\0", ".", ".."] {
            let sent =
                json!({ "productId": id, "vendorId": "eur", "name": "S", "category": "S", "unitPrice": 1, "stock": 1 });
            assert_eq!(
                refused_fields(admin.post("/api/ingest/products", &json!({ "products": [sent] })).await).await,
                ["products[0].productId"],
                "{id:?}"
            );
            let line = json!({ "productId": "e1", "quantity": 1, "unitPrice": 100 });
            let order = |order: &str, customer: &str| {
                json!({ "orders": [{ "orderId": order,
                    "customer": { "customerId": customer, "name": "M", "country": "X" },
                                     "placedAt": "2026-03-01T00:00:00Z", "status": "shipped", "lines": [line] }] })
            };
            assert_eq!(
                refused_fields(admin.post("/api/ingest/orders", &order(id, "c9")).await).await,
                ["orders[0].orderId"]
            );
            assert_eq!(
                refused_fields(admin.post("/api/ingest/orders", &order("o9", id)).await).await,
                ["orders[0].customer.customerId"]
            );
        }
        for (at, accepted) in
            [("2016-12-31T23:59:60Z", false), ("2026-03-01T00:00:00+25:00", false), ("2026-03-01T00:00:00+23:59", true)]
        {
            let order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
                "placedAt": at });
            if accepted {
                assert_eq!(contents(&app.state().db).await, before);
                answered(vendor.post("/api/vendor/orders", &order).await, 201).await;
            } else {
                assert_eq!(refused_fields(vendor.post("/api/vendor/orders", &order).await).await, ["placedAt"], "{at}");
                let refund = json!({ "amount": 1, "refundedAt": at });
                assert_eq!(
                    refused_fields(vendor.post("/api/vendor/orders/o1/refunds", &refund).await).await,
                    ["refundedAt"]
                );
            }
        }
    }
}

/// A request with a NUL in it, and the field that the answer names; none for a path that names nothing.
struct Nul(&'static str, &'static str, Value, Option<&'static str>);

fn nuls_of_a_vendor() -> Vec<Nul> {
    let get = |path, field| Nul("GET", path, Value::Null, field);
    let order = |change: fn(&mut Value)| {
        let mut order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }] });
        change(&mut order);
        order
    };
    vec![
        get("/api/vendor/products/%00", None),
        get("/api/vendor/products/e1%00", None),
        Nul("DELETE", "/api/vendor/products/e1%00", Value::Null, None),
        Nul(
            "PUT",
            "/api/vendor/products/e1%00",
            json!({ "name": "A", "category": "B", "unitPrice": 1, "stock": 1 }),
            None,
        ),
        get("/api/vendor/orders/o1%00", None),
        Nul("PATCH", "/api/vendor/orders/o1%00", json!({ "status": "delivered" }), None),
        Nul("POST", "/api/vendor/orders/o1%00/refunds", json!({ "amount": 1 }), None),
        Nul("DELETE", "/api/account/keys/1%00", Value::Null, None),
        Nul("DELETE", "/api/account/sessions/1%00", Value::Null, None),
        get("/api/vendor/products?after=%00", Some("after")),
        get("/api/vendor/products?search=a%00", Some("search")),
        get("/api/vendor/products?%00=a", Some("query")),
        get("/api/vendor/orders?after=%00", Some("after")),
        get("/api/vendor/orders?search=%00", Some("search")),
        get("/api/vendor/orders?status=%00", Some("status")),
        get("/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=2026-03-02&compare=%00", Some("compare")),
        Nul(
            "POST",
            "/api/vendor/orders",
            order(|o| o["lines"][0]["productId"] = json!("e1\0")),
            Some("lines[0].productId"),
        ),
        Nul(
            "POST",
            "/api/vendor/orders",
            order(|o| o["customer"]["customerId"] = json!("\0")),
            Some("customer.customerId"),
        ),
        Nul(
            "PATCH",
            "/api/vendor/products/bulk",
            json!({ "productIds": ["e1", "e\0"], "changes": { "stock": 1 } }),
            Some("productIds[1]"),
        ),
        Nul(
            "PUT",
            "/api/account/password",
            json!({ "current": "\0", "password": "a long one, and a good one" }),
            Some("current"),
        ),
        Nul("PUT", "/api/account/time-zone", json!({ "timeZone": "Asia/Tokyo\0" }), Some("timeZone")),
        Nul("POST", "/api/account/keys", json!({ "name": "a\0", "password": "x", "scope": "write" }), Some("name")),
        Nul("POST", "/api/auth/login", json!({ "email": "a\0@b", "password": "x" }), Some("email")),
    ]
}

fn nuls_of_an_admin() -> Vec<Nul> {
    vec![
        Nul(
            "GET",
            "/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=2026-03-02&vendorId=%00",
            Value::Null,
            Some("vendorId"),
        ),
        Nul(
            "GET",
            "/api/vendor/analytics/export.csv?dateFrom=2026-03-01&dateTo=2026-03-02&vendorId=e%00",
            Value::Null,
            Some("vendorId"),
        ),
        Nul("GET", "/api/admin/metrics?dateFrom=%00&dateTo=2026-03-02", Value::Null, Some("dateFrom")),
        Nul("POST", "/api/admin/cache/warm", json!({ "vendorIds": ["eur", "\0"] }), Some("vendorIds[1]")),
        Nul("POST", "/api/admin/cache/invalidate", json!({ "tags": ["vendor:\0"] }), Some("tags[0]")),
        Nul(
            "POST",
            "/api/ingest/refunds",
            json!({ "refunds": [{ "orderId": "o\0", "amount": 1, "refundedAt": "2026-03-11T00:00:00Z" }] }),
            Some("refunds[0].orderId"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nul_is_refused_by_field_or_names_nothing_and_never_reaches_a_database() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).unlimited().bundle(Market::new().path()).spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        let before = contents(&app.state().db).await;
        for (client, nuls) in [(&vendor, nuls_of_a_vendor()), (&admin, nuls_of_an_admin())] {
            for Nul(method, path, body, field) in nuls {
                let request = client.request(method.parse().expect("a method"), path);
                let request = if body.is_null() { request } else { request.json(&body) };
                let response = request.send().await.expect("an answer");
                match field {
                    Some(field) => assert_eq!(refused_fields(response).await, [field], "{method} {path} {body}"),
                    None => _ = problem(response, 404, "not_found").await,
                }
            }
        }
        for (client, path, status) in [
            (&vendor, "/products/%00", 404),
            (&vendor, "/products/e1%00", 404),
            (&vendor, "/orders/o1%00", 404),
            (&vendor, "/orders?after=%00", 422),
            (&vendor, "/orders?search=%00", 422),
            (&vendor, "/products?after=%00", 422),
            (&vendor, "/?dateFrom=%00", 422),
            (&vendor, "/nothing%00", 404),
            (&vendor, "/nothing/?after=%00", 422),
            (&admin, "/admin/vendors/%00", 404),
            (&admin, "/admin/vendors/eur%00/dashboard", 404),
            (&admin, "/admin/vendors?after=%00", 422),
            (&admin, "/admin/vendors?search=%00", 422),
        ] {
            let page = client.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer");
            assert_eq!(page.status(), status, "{path}");
        }
        for (client, function, fields, field) in [
            (&vendor, "product/delete", [("product_id", "e1\0")], "productId"),
            (&vendor, "order/refund", [("form[order_id]", "\0")], "orderId"),
            (&vendor, "account/key/create", [("name", "\0")], "name"),
            (&vendor, "account/session/end", [("session_id", "\0")], "sessionId"),
            (&admin, "admin/cache/invalidate", [("tags", "vendor:\0")], "tags"),
            (&vendor, "login", [("email", "\0")], "email"),
        ] {
            let refused = form(client, function, &fields).await;
            assert_eq!(refused.status(), 422, "{function}");
            assert_eq!(refused.json::<Value>().await.expect("JSON")["invalid"][0]["field"], field, "{function}");
        }
        assert_eq!(contents(&app.state().db).await, before);
    }
}
