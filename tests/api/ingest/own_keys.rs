use super::*;
use crate::harness::PASSWORD;

async fn key_of_eur(admin: &Client) -> String {
    let wanted = json!({ "name": "k", "password": PASSWORD, "scope": "ingest", "vendorId": "eur" });
    let made = answered(admin.post("/api/account/keys", &wanted).await, 201).await;
    made["secret"].as_str().expect("a secret").to_owned()
}

async fn send_with(app: &TestApp, key: &str, what: &str, rows: Value) -> Response {
    let request = app.client().request(Method::POST, &format!("/api/ingest/{what}")).bearer_auth(key);
    request.json(&json!({ what: rows })).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_vendor_learns_nothing_of_what_is_anothers() {
    for (app, admin) in apps().await {
        // Of `nyc` alone; `o1` is of `eur` and `nyc`.
        let mut foreign = shared_order();
        foreign["orderId"] = json!("x7");
        foreign["discount"] = json!(0);
        foreign["lines"] = json!([{ "line": 1, "productId": "n1", "quantity": 1, "unitPrice": 1_000 }]);
        answered(send(&admin, "orders", json!([foreign])).await, 200).await;
        let key = key_of_eur(&admin).await;
        let ask = async |what: &str, row: Value| send_with(&app, &key, what, json!([row])).await;
        // What is said of a row, but for the id that it names.
        let told = async |what: &str, row: Value, id: &str| {
            let body = problem(ask(what, row).await, 422, "invalid").await;
            body["errors"].to_string().replace(&format!("`{id}`"), "`?`")
        };
        let refund = |order: &str, line: Value, quantity: i64, amount: i64| {
            json!({ "orderId": order, "line": line, "quantity": quantity, "amount": amount,
            "refundedAt": "2026-04-03T10:00:00Z" })
        };
        let product = |id: &str, vendor: &str| {
            json!({ "productId": id, "vendorId": vendor, "name": "N",
            "category": "C", "unitPrice": 100, "stock": 1 })
        };
        let with_product = |id: &str| {
            let mut order = shared_order();
            order["lines"] = json!([{ "line": 1, "productId": id, "quantity": 1, "unitPrice": 1_000 }]);
            order
        };
        let before = contents(&app.state().db).await;
        for (what, of, another, none) in [
            ("refunds", "order", "x7", "x8"),
            ("refunds", "whole order", "x7", "x8"),
            ("refunds", "line", "2", "3"),
            ("orders", "product", "n1", "n9"),
            ("products", "vendor", "nyc", "nobody"),
        ] {
            let row = |id: &str| match of {
                "order" => refund(id, json!(1), 9, 1),
                "whole order" => refund(id, Value::Null, 0, 1_000_000),
                "line" => refund("o1", json!(id.parse::<i64>().expect("a number")), 1, 1_000_000),
                "product" => with_product(id),
                _ => product("new", id),
            };
            assert_eq!(told(what, row(another), another).await, told(what, row(none), none).await, "{of}");
        }
        for (what, row, field) in [
            ("refunds", refund("o1", Value::Null, 0, 1), "refunds[0].line"),
            (
                "orders",
                {
                    let mut order = with_product("e1");
                    order["orderId"] = json!("x7");
                    order
                },
                "orders[0].orderId",
            ),
            ("products", product("n1", "eur"), "products[0].productId"),
        ] {
            let response = ask(what, row).await;
            assert_eq!(refused_fields(response).await, [field], "{what}");
        }
        assert_eq!(contents(&app.state().db).await, before);
        for (what, row) in [
            ("refunds", refund("o1", json!(1), 1, 100)),
            ("refunds", refund("o2", Value::Null, 0, 100)),
            ("orders", with_product("e1")),
            ("products", product("e1", "eur")),
        ] {
            answered(ask(what, row).await, 200).await;
        }
        sums_are_right(&app).await;
    }
}

/// An order of a mug, which is `eur`'s.
fn order_of(order_id: &str, customer: Value) -> Value {
    json!({
        "orderId": order_id,
        "customer": customer,
        "placedAt": "2026-04-01T10:00:00Z",
        "status": "processing",
        "lines": [{ "productId": "e1", "quantity": 1, "unitPrice": 1_250 }],
    })
}

fn whole(id: &str, name: &str) -> Value {
    json!({ "customerId": id, "name": name, "country": "Denmark" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_vendor_learns_nothing_of_other_vendors_customers() {
    for (app, admin) in apps().await {
        // Ida has ordered from `nyc` alone.
        let mut foreign = order_of("x7", whole("c9", "Ida"));
        foreign["lines"][0]["productId"] = json!("n1");
        answered(send(&admin, "orders", json!([foreign])).await, 200).await;
        let key = key_of_eur(&admin).await;
        let ask = async |customer: Value| send_with(&app, &key, "orders", json!([order_of("y1", customer)])).await;
        let told = async |customer: Value, id: &str| {
            let body = problem(ask(customer).await, 422, "invalid").await;
            assert_eq!(body["errors"][0]["field"], "orders[0].customer.customerId", "{body}");
            body["errors"].to_string().replace(&format!("`{id}`"), "`?`")
        };
        let before = contents(&app.state().db).await;
        let of_none = told(json!({ "customerId": "c10" }), "c10").await;
        assert!(of_none.contains("there is no such customer as `?`"), "{of_none}");
        assert_eq!(told(json!({ "customerId": "c9" }), "c9").await, of_none, "by the id alone");
        assert_eq!(told(whole("c9", "Anna"), "c9").await, of_none, "with a name that was guessed");
        assert_eq!(contents(&app.state().db).await, before);

        // Whoever knows the customer already is told nothing by being believed.
        answered(ask(whole("c9", "Ida")).await, 200).await;
        answered(ask(json!({ "customerId": "c9" })).await, 200).await;
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_one_vendor_brings_new_customers_and_renames_nobody() {
    for (app, admin) in apps().await {
        let key = key_of_eur(&admin).await;
        let ask = async |orders: Value| send_with(&app, &key, "orders", orders).await;
        let new = json!([order_of("y1", whole("c10", "Bo")), order_of("y2", json!({ "customerId": "c10" }))]);
        assert_eq!(answered(ask(new).await, 200).await, counts(2, 0, 0));
        // Anna (`c1`) has ordered from `nyc` too, Bo from `eur` alone: what is said does not tell which is which.
        let before = contents(&app.state().db).await;
        for (id, at) in [("c1", "y3"), ("c10", "y1")] {
            let response = ask(json!([order_of("y4", json!({ "customerId": "c2" })), order_of(at, whole(id, "Lea"))]));
            let body = problem(response.await, 422, "invalid").await;
            assert_eq!(
                body["errors"],
                json!([{ "field": "orders[1].customer", "message": format!(
                    "customer `{id}` has another name or country: send the id alone; this key writes for vendor `eur` \
                     alone, and renames nobody"
                ) }])
            );
        }
        assert_eq!(contents(&app.state().db).await, before);
        // A key for all vendors does.
        answered(send(&admin, "orders", json!([order_of("y3", whole("c1", "Lea"))])).await, 200).await;
        sums_are_right(&app).await;
    }
}
