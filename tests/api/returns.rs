//! What comes back, and why.

use serde_json::{Value, json};

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, databases};

const RETURNS: &str = "/api/vendor/analytics/returns";
const ORDERS: &str = "/api/vendor/orders";

async fn apps() -> Vec<(TestApp, Client)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        apps.push((app, client));
    }
    apps
}

async fn refund(client: &Client, order: &str, body: Value) {
    answered(client.post(&format!("{ORDERS}/{order}/refunds"), &body).await, 201).await;
}

/// Of the orders `o1` and `o2`, both of them mugs: one for a flaw, one because it was unwanted, and money alone.
async fn give_back(client: &Client) {
    let one = |reason: Option<&str>, at: &str| {
        let mut body = json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": at });
        if let Some(reason) = reason {
            body["reason"] = json!(reason);
        }
        body
    };
    refund(client, "o1", one(Some("damaged"), "2026-03-20T08:00:00Z")).await;
    refund(client, "o2", one(Some("unwanted"), "2026-04-02T08:00:00Z")).await;
    refund(client, "o2", one(None, "2026-04-03T08:00:00Z")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_told_by_product_and_reason_and_comes_to_the_snapshots_returns() {
    for (_app, client) in apps().await {
        give_back(&client).await;
        let april = "dateFrom=2026-04-01&dateTo=2026-04-30";
        let returns = client.get_json(&format!("{RETURNS}?{april}")).await;
        let snapshot = client.get_json(&format!("/api/vendor/analytics/snapshot?{april}")).await;
        for (returns, totals) in [("totals", "totals"), ("previousTotals", "previousTotals")]
            .map(|(name, of)| (returns[name].clone(), snapshot[of].clone()))
        {
            assert_eq!(returns["amount"], totals["returns"]);
            let sold = totals["units"].as_i64().zip(returns["units"].as_i64()).map(|(net, back)| net + back);
            assert_eq!(returns["unitsSold"].as_i64(), sold, "units are sold before they come back");
        }
        assert_eq!(returns["totals"], json!({ "amount": 2_500, "units": 2, "unitsSold": 0, "orders": 1 }));
        assert_eq!(
            returns["products"],
            json!([{ "productId": "e1", "name": "Mug", "amount": 2_500, "units": 2, "unitsSold": 0,
                "previousAmount": 1_125 }])
        );
        assert_eq!(
            returns["reasons"],
            json!([
                { "reason": null, "amount": 1_250, "units": 1, "refunds": 1, "previousAmount": 0 },
                { "reason": "unwanted", "amount": 1_250, "units": 1, "refunds": 1, "previousAmount": 0 },
                { "reason": "damaged", "amount": 0, "units": 0, "refunds": 0, "previousAmount": 1_125 },
            ])
        );
        // What comes back of an order that counts no more came back of nothing.
        answered(client.patch(&format!("{ORDERS}/o2"), &json!({ "status": "cancelled" })).await, 200).await;
        assert_eq!(client.get_json(&format!("{RETURNS}?{april}")).await["totals"]["amount"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_is_kept_with_the_refund_and_no_other_word_is_taken_for_one() {
    for (app, client) in apps().await {
        give_back(&client).await;
        let order = client.get_json(&format!("{ORDERS}/o2")).await;
        let reasons: Vec<_> =
            order["refunds"].as_array().expect("a list").iter().map(|refund| refund["reason"].clone()).collect();
        assert_eq!(reasons, [json!("unwanted"), Value::Null]);
        let ugly = json!({ "amount": 1, "reason": "ugly" });
        assert_eq!(refused_fields(client.post(&format!("{ORDERS}/o2/refunds"), &ugly).await).await, ["reason"]);

        // The marketplace may say it later; said once, it stays until it is said otherwise.
        let admin = app.log_in_as_admin().await;
        let sent = |reason: Value| {
            let mut refund = json!({ "orderId": "o2", "line": 1, "quantity": 1, "amount": 1_250,
                "refundedAt": "2026-04-03T08:00:00Z" });
            if !reason.is_null() {
                refund["reason"] = reason;
            }
            json!({ "refunds": [refund] })
        };
        for (reason, updated) in [(json!("late"), 1), (Value::Null, 0), (json!("late"), 0), (json!("wrong_item"), 1)] {
            let taken = answered(admin.post("/api/ingest/refunds", &sent(reason.clone())).await, 200).await;
            assert_eq!(taken["updated"], updated, "{reason}: {taken}");
        }
        let order = client.get_json(&format!("{ORDERS}/o2")).await;
        assert_eq!(order["refunds"][1]["reason"], "wrong_item");
        // Another's are another's.
        let nyc = app.log_in_as_vendor("nyc").await;
        assert_eq!(client.get_json(&format!("{ORDERS}/o1")).await["refunds"].as_array().map(Vec::len), Some(1));
        assert_eq!(nyc.get_json(&format!("{ORDERS}/o1")).await["refunds"], json!([]));
        problem(
            app.client().get(&format!("{RETURNS}?dateFrom=2026-04-01&dateTo=2026-04-30")).await,
            401,
            "unauthenticated",
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_found_by_what_came_back_and_by_what_is_in_them() {
    for (_app, client) in apps().await {
        give_back(&client).await;
        for (query, found) in [
            ("?refunded=true", vec!["o2", "o1"]),
            ("?refunded=false", vec!["o3"]),
            ("?refunded=true&status=delivered", vec!["o1"]),
            ("?product=e2", vec!["o3"]),
            ("?product=n1", vec![]),
            ("?category=Mugs&dateFrom=2026-03-12", vec!["o2"]),
        ] {
            let page = client.get_json(&format!("{ORDERS}{query}")).await;
            let ids: Vec<_> = page["orders"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|order| order["orderId"].as_str().expect("an id").to_owned())
                .collect();
            assert_eq!(ids, found, "{query}");
        }
        let page = client.get_json(&format!("{ORDERS}?search=o2")).await;
        assert_eq!((&page["orders"][0]["total"], &page["orders"][0]["refundedAmount"]), (&json!(3_750), &json!(2_500)));
        assert_eq!(refused_fields(client.get(&format!("{ORDERS}?refunded=yes")).await).await, ["refunded"]);
    }
}
