use serde_json::{Value, json};
use vendorscope::server::{db::rollups, import::ImportOptions, services::import::import_bundle};

use super::{answered, problem};
use crate::harness::{Client, Market, TestApp, Unwatched, contents, databases};

const ORDERS: &str = "/api/vendor/orders";
const MARCH: &str = "dateFrom=2026-03-01&dateTo=2026-03-31&compare=none";

async fn apps() -> Vec<(TestApp, Client)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        apps.push((app, client));
    }
    apps
}

async fn totals(client: &Client, range: &str) -> Value {
    client.get_json(&format!("/api/vendor/analytics/snapshot?{range}")).await["totals"].clone()
}

async fn stock(client: &Client, product: &str) -> i64 {
    client.get_json(&format!("/api/vendor/products/{product}")).await["stock"].as_i64().expect("a number")
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
async fn a_new_order_is_in_the_figures_of_its_day_at_once() {
    for (app, client) in apps().await {
        let before = totals(&client, MARCH).await;
        let new = json!({
            "customer": { "name": "Mira", "country": "Austria" },
            "lines": [{ "productId": "e1", "quantity": 2, "discount": 100 },
                { "productId": "e2", "quantity": 1, "unitPrice": 600 }],
            "discount": 100,
            "placedAt": "2026-03-31T21:59:59.999999Z",
        });
        let response = client.post(ORDERS, &new).await;
        let address = response.headers()["location"].to_str().expect("ASCII").to_owned();
        let order = answered(response, 201).await;
        assert_eq!(client.get_json(&address).await, order);
        assert_eq!((&order["status"], &order["customerName"]), (&json!("processing"), &json!("Mira")));
        // 24.00 and 6.00 are left of the lines: the discount is shared 4 to 1.
        let amounts: Vec<_> =
            order["lines"].as_array().expect("lines").iter().map(|line| (&line["gross"], &line["discount"])).collect();
        assert_eq!(amounts, [(&json!(2_500), &json!(180)), (&json!(600), &json!(20))]);

        let after = totals(&client, MARCH).await;
        for (figure, more) in [
            ("grossSales", 3_100),
            ("discounts", 200),
            ("netSales", 2_900),
            ("orders", 1),
            ("units", 3),
            ("commission", 290),
            ("customers", 1),
            ("newCustomers", 1),
        ] {
            assert_eq!(after[figure].as_i64(), before[figure].as_i64().map(|was| was + more), "{figure}");
        }
        assert_eq!((stock(&client, "e1").await, stock(&client, "e2").await), (98, 2));
        // It was 23:59:59.999999 in Berlin.
        assert_eq!(totals(&client, "dateFrom=2026-03-31&dateTo=2026-03-31").await["orders"], 1);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_knows_only_the_customers_who_have_ordered_from_it() {
    for (app, client) in apps().await {
        let order =
            |id: &str| json!({ "customer": { "customerId": id }, "lines": [{ "productId": "e1", "quantity": 1 }] });
        assert_eq!(answered(client.post(ORDERS, &order("c2")).await, 201).await["customerName"], "Ren");
        let other = app.log_in_as_vendor("jpy").await;
        let theirs = json!({ "customer": { "customerId": "c2" }, "lines": [{ "productId": "j1", "quantity": 1 }] });
        assert_eq!(super::refused_fields(other.post(ORDERS, &theirs).await).await, ["customer.customerId"]);
        assert_eq!(super::refused_fields(other.post(ORDERS, &order("c2")).await).await, ["lines[0].productId"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stock_follows_orders_that_count_and_never_falls_below_zero() {
    for (app, client) in apps().await {
        let bowls = |quantity: i64, status: &str| {
            json!({ "customer": { "customerId": "c1" },
            "lines": [{ "productId": "e2", "quantity": quantity }], "status": status })
        };
        let waiting = answered(client.post(ORDERS, &bowls(3, "pending")).await, 201).await;
        assert_eq!(stock(&client, "e2").await, 3, "a pending order holds nothing");
        let sold = answered(client.post(ORDERS, &bowls(2, "shipped")).await, 201).await;
        assert_eq!(stock(&client, "e2").await, 1);

        let path = |order: &Value| format!("{ORDERS}/{}", order["orderId"].as_str().expect("an id"));
        let before = contents(&app.state().db).await;
        for response in [
            client.post(ORDERS, &bowls(2, "processing")).await,
            client.patch(&path(&waiting), &json!({ "status": "processing", "placedAt": "2026-01-01T00:00:00Z" })).await,
        ] {
            let refused = problem(response, 409, "conflict").await;
            let detail = refused["detail"].as_str().expect("a text");
            assert!(detail.contains("1 of `e2` (Bowl) are in stock"), "{detail}");
        }
        assert_eq!(contents(&app.state().db).await, before);

        // One unit comes back by a refund, the other with the cancellation.
        let refund = json!({ "lines": [{ "line": 1, "quantity": 1 }] });
        answered(client.post(&format!("{}/refunds", path(&sold)), &refund).await, 201).await;
        assert_eq!(stock(&client, "e2").await, 2);
        answered(client.patch(&path(&sold), &json!({ "status": "cancelled" })).await, 200).await;
        assert_eq!(stock(&client, "e2").await, 3);
        answered(client.patch(&path(&waiting), &json!({ "status": "processing" })).await, 200).await;
        assert_eq!(stock(&client, "e2").await, 0);
        let broken = json!({ "lines": [{ "line": 1, "quantity": 2 }], "restock": false });
        answered(client.post(&format!("{}/refunds", path(&waiting)), &broken).await, 201).await;
        assert_eq!(stock(&client, "e2").await, 0, "what is not put back is gone");
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_lines_and_of_the_order_never_come_to_more_than_was_sold() {
    for (app, client) in apps().await {
        // 25.00 less 2.50 of `eur`, 10 % commission; a line of `nyc` beside it.
        let path = format!("{ORDERS}/o1/refunds");
        let before = totals(&client, MARCH).await;
        let part = answered(
            client
                .post(&path, &json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-03-20T08:00:00Z" }))
                .await,
            201,
        )
        .await;
        assert_eq!(
            (&part["lines"][0]["refundedQuantity"], &part["lines"][0]["refundedAmount"]),
            (&json!(1), &json!(1_125))
        );
        answered(client.post(&path, &json!({ "amount": 125, "refundedAt": "2026-03-20T08:00:00Z" })).await, 422).await;
        answered(client.post(&path, &json!({ "amount": 125, "refundedAt": "2026-03-21T08:00:00Z" })).await, 201).await;
        for (body, field) in [
            (json!({ "lines": [{ "line": 1, "quantity": 2 }] }), "lines[0].quantity"),
            (json!({ "lines": [{ "line": 1, "quantity": 1, "amount": 1_001 }] }), "lines[0].amount"),
            (json!({ "lines": [{ "line": 2, "quantity": 1 }] }), "lines[0].line"),
            (json!({ "amount": 1_001 }), "amount"),
        ] {
            let unchanged = contents(&app.state().db).await;
            assert_eq!(super::refused_fields(client.post(&path, &body).await).await, [field], "{body}");
            assert_eq!(contents(&app.state().db).await, unchanged);
        }
        let whole = answered(
            client
                .post(&path, &json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-03-22T08:00:00Z" }))
                .await,
            201,
        )
        .await;
        assert_eq!(
            (&whole["lines"][0]["refundedQuantity"], &whole["lines"][0]["refundedAmount"]),
            (&json!(2), &json!(2_250))
        );

        let after = totals(&client, MARCH).await;
        for (figure, more) in [
            ("grossSales", 0),
            ("returns", 2_250),
            ("netSales", -2_250),
            ("units", -2),
            ("commission", -225),
            ("orders", 0),
        ] {
            assert_eq!(after[figure].as_i64(), before[figure].as_i64().map(|was| was + more), "{figure}");
        }
        // On the refund's own days.
        let day = totals(&client, "dateFrom=2026-03-21&dateTo=2026-03-21").await;
        assert_eq!((&day["returns"], &day["commission"], &day["units"]), (&json!(125), &json!(-12), &json!(0)));
        let nyc = app.log_in_as_vendor("nyc").await;
        assert_eq!(totals(&nyc, MARCH).await["returns"], 0);
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_sold_is_not_refunded() {
    for (app, client) in apps().await {
        let before = contents(&app.state().db).await;
        let refund = json!({ "amount": 1 });
        problem(client.post(&format!("{ORDERS}/o3/refunds"), &refund).await, 409, "conflict").await;
        problem(client.post(&format!("{ORDERS}/none/refunds"), &refund).await, 404, "not_found").await;
        let early = json!({ "amount": 1, "refundedAt": "2026-03-09T00:00:00Z" });
        assert_eq!(
            super::refused_fields(client.post(&format!("{ORDERS}/o1/refunds"), &early).await).await,
            ["refundedAt"]
        );
        let other = app.log_in_as_vendor("jpy").await;
        problem(other.post(&format!("{ORDERS}/o1/refunds"), &refund).await, 404, "not_found").await;
        assert_eq!(contents(&app.state().db).await, before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendors_own_date_survives_the_next_import_until_the_marketplaces_date_changes() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let folder = market.path();
        let import = || import_bundle(&app.state().db, &folder, ImportOptions::default(), &Unwatched);
        answered(client.patch(&format!("{ORDERS}/o1"), &json!({ "placedAt": "2026-01-02T03:04:05Z" })).await, 200)
            .await;
        market.write(
            "order_items",
            "order_id,line,product_id,quantity,gross,discount\n\
             o1,1,e1,3,37.50,2.50\no1,2,n1,1,10.00,0\no2,1,e1,3,37.50,0\no3,1,e2,2,14.00,0\n",
        );
        import().await.expect("an import");
        assert_eq!(client.get_json(&format!("{ORDERS}/o1")).await["placedAt"], "2026-01-02T03:04:05Z");
        market.write(
            "orders",
            "order_id,customer_id,placed_at,status\no1,c1,2026-03-11T12:00:00Z,delivered\n\
             o2,c2,2026-03-12T12:00:00Z,processing\no3,c2,2026-03-14T12:00:00Z,pending\n",
        );
        import().await.expect("an import");
        assert_eq!(client.get_json(&format!("{ORDERS}/o1")).await["placedAt"], "2026-03-11T12:00:00Z");
        sums_are_right(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_day_status_customer_and_id() {
    for (_app, client) in apps().await {
        for (query, found) in [
            ("", vec!["o3", "o2", "o1"]),
            ("?dateFrom=2026-03-12", vec!["o3", "o2"]),
            ("?dateTo=2026-03-12", vec!["o2", "o1"]),
            ("?dateFrom=2026-03-11&dateTo=2026-03-12", vec!["o2"]),
            ("?search=re", vec!["o3", "o2"]),
            ("?search=o1", vec!["o1"]),
            ("?search=%25", vec![]),
            ("?search=ren&status=pending&dateFrom=2026-03-01", vec!["o3"]),
            ("?search=R%C3%89N", vec!["o3", "o2"]),
        ] {
            let page = client.get_json(&format!("{ORDERS}{query}")).await;
            let ids: Vec<_> = page["orders"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|order| order["orderId"].as_str().expect("an id"))
                .collect();
            assert_eq!(ids, found, "{query}");
        }
        for (query, field) in [
            ("dateFrom=2026-02-30", "dateFrom"),
            ("dateFrom=2026-03-02&dateTo=2026-03-01", "dateTo"),
            ("after=o2", "after"),
            ("after=WzEsInByb2R1Y3RzLm5hbWUiLCJhIiwiYiJd", "after"),
            ("page=2", "page"),
        ] {
            assert_eq!(super::refused_fields(client.get(&format!("{ORDERS}?{query}")).await).await, [field]);
        }
    }
}
