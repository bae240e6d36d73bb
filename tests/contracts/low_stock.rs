//! What runs out: by how long it lasts and what it costs to be without, on both databases.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::harness::{Client, Market, TestApp, databases};

/// Sells `units` of a product ten days ago at its price, as the marketplace tells it: stock stays.
async fn sell(admin: &Client, product: &str, units: i64, unit_price: i64) {
    let placed_at = Timestamp::now().checked_sub(240.hours()).expect("an instant").to_string();
    let order = json!({ "orders": [{
        "orderId": format!("sold-{product}"), "customer": { "customerId": "c1" }, "placedAt": placed_at,
            "status": "delivered",
        "lines": [{ "productId": product, "quantity": units, "unitPrice": unit_price }],
    }] });
    let answer = admin.post("/api/ingest/orders", &order).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
}

async fn stock(admin: &Client, products: &[(&str, i64, i64)]) {
    let products: Vec<Value> = products
        .iter()
        .map(|(id, stock, unit_price)| {
            json!({ "productId": id, "vendorId": "kwd", "name": format!("Thing {id}"), "category": "Things",
                "unitPrice": unit_price, "stock": stock })
        })
        .collect();
    assert_eq!(admin.post("/api/ingest/products", &json!({ "products": products })).await.status(), 200);
}

async fn snapshot(client: &Client) -> Value {
    client.get_json("/api/vendor/analytics/snapshot?dateFrom=2026-01-01&dateTo=2026-01-02").await
}

fn column<'a>(rows: &'a Value, name: &str) -> Vec<&'a Value> {
    rows.as_array().expect("a list").iter().map(|row| &row[name]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_out_first_stands_first_and_what_does_not_sell_stands_last() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        let (admin, kwd) = (app.log_in_as_admin().await, app.log_in_as_vendor("kwd").await);
        // k1, of the bundle, has 100 and does not sell: it is not low. The threshold is 5.
        stock(
            &admin,
            &[
                ("dead1", 0, 900),
                ("dead2", 1, 900),
                ("slow", 4, 900),
                ("fast", 40, 10),
                ("out", 0, 2_000),
                ("dear", 40, 5_000),
                ("fine", 400, 10),
            ],
        )
        .await;
        for (product, units, price) in
            [("slow", 1, 900), ("fast", 1_120, 10), ("out", 14, 2_000), ("dear", 1_120, 5_000), ("fine", 1_120, 10)]
        {
            sell(&admin, product, units, price).await;
        }
        let shown = snapshot(&kwd).await;
        assert_eq!(
            column(&shown["lowStock"], "productId"),
            ["out", "dear", "fast", "slow", "dead1", "dead2"],
            "{shown}"
        );
        let covers = json!([0.0, 1.0, 1.0, 112.0, null, null]);
        assert_eq!(column(&shown["lowStock"], "daysOfCover"), column_of(&covers));
        assert_eq!(shown["lowStockTotal"], 6);

        let listed = kwd.get_json("/api/vendor/products?stock=low").await;
        assert_eq!(column(&listed["products"], "productId"), ["out", "dear", "fast", "slow", "dead1", "dead2"]);
        assert_eq!(column(&listed["covers"], "daysOfCover"), column_of(&covers));
        // 1120 − 40 of 1120 at 50.00 are not there to be sold; 14 of 14 at 20.00; what suffices costs nothing.
        assert_eq!(column(&listed["covers"], "salesAtRisk"), column_of(&json!([28_000, 5_400_000, 10_800, 0, 0, 0])));
        let listed = kwd.get_json("/api/vendor/products?stock=low&sort=at_risk").await;
        assert_eq!(column(&listed["products"], "productId"), ["dear", "out", "fast", "dead1", "dead2", "slow"]);
        let listed = kwd.get_json("/api/vendor/products?stock=low&sort=name&search=THING%20D").await;
        assert_eq!(column(&listed["products"], "productId"), ["dead1", "dead2", "dear"]);
        for (query, field) in [
            ("sort=at_risk", "sort"),
            ("sort=at_risk_asc", "sort"),
            ("stock=high", "stock"),
            ("stock=low&sort=best", "sort"),
        ] {
            let problem: Value = kwd.get(&format!("/api/vendor/products?{query}")).await.json().await.expect("JSON");
            assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
        }
    }
}

fn column_of(values: &Value) -> Vec<&Value> {
    values.as_array().expect("a list").iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_carries_ten_and_says_how_many_there_are_and_the_list_has_them_all() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        let (admin, kwd) = (app.log_in_as_admin().await, app.log_in_as_vendor("kwd").await);
        let ids: Vec<String> = (0..120).map(|at| format!("l{at:03}")).collect();
        stock(&admin, &ids.iter().map(|id| (id.as_str(), 2, 100)).collect::<Vec<_>>()).await;
        let shown = snapshot(&kwd).await;
        assert_eq!(
            shown["lowStock"].as_array().expect("a list").iter().map(|one| &one["productId"]).collect::<Vec<_>>(),
            ids[..10].iter().collect::<Vec<_>>()
        );
        assert_eq!(shown["lowStockTotal"], 120);
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = kwd.get_json(&format!("/api/vendor/products?stock=low{after}")).await;
            seen.extend(
                column(&page["products"], "productId").into_iter().map(|id| id.as_str().expect("an id").to_owned()),
            );
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, ids);
        let page = kwd
            .request(reqwest::Method::GET, "/products?stock=low")
            .header("accept", "text/html")
            .send()
            .await
            .expect("a page");
        let page = page.text().await.expect("a text");
        assert!(page.contains("Sales at risk") && page.contains("Thing l000"), "the page shows them too");
    }
}
