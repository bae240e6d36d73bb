use serde_json::{Value, json};

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, databases};

const METRICS: &str = "/api/admin/metrics";
const MARCH: &str = "dateFrom=2026-03-01&dateTo=2026-03-31";

async fn metrics(admin: &Client) -> (String, Value) {
    let response = admin.get(&format!("{METRICS}?{MARCH}")).await;
    let outcome = response.headers()["x-cache"].to_str().expect("ASCII").to_owned();
    (outcome, answered(response, 200).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_marketplace_stand_by_currency_and_follow_every_sale() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let admin = app.log_in_as_admin().await;
        let (_, before) = metrics(&admin).await;
        assert_eq!(
            (&before["vendors"], &before["activeVendors"], &before["range"]["interval"]),
            (&json!(4), &json!(2), &json!("day"))
        );
        let codes: Vec<_> = before["currencies"].as_array().unwrap().iter().map(|one| &one["currency"]).collect();
        assert_eq!(codes, ["EUR", "JPY", "KWD"], "the most orders first");
        let eur = &before["currencies"][0];
        for (figure, value) in [
            ("grossSales", 7_250),
            ("discounts", 250),
            ("netSales", 7_000),
            ("commission", 650),
            ("orders", 3),
            ("units", 6),
            ("averageOrderValue", 2_333),
            ("activeVendors", 2),
        ] {
            assert_eq!(eur[figure], value, "{figure}");
        }
        assert_eq!(
            eur["topVendors"],
            json!([
                { "vendorId": "eur", "name": "Ton", "orders": 2, "netSales": 6_000 },
                { "vendorId": "nyc", "name": "Hudson", "orders": 1, "netSales": 1_000 },
            ])
        );
        let series = eur["series"].as_array().unwrap();
        assert_eq!(series.len(), 31);
        assert_eq!(series.iter().map(|point| point["netSales"].as_i64().unwrap()).sum::<i64>(), 7_000);
        assert_eq!(before["currencies"][1]["averageOrderValue"], Value::Null);
        assert_eq!(metrics(&admin).await.0, "HIT");

        let vendor = app.log_in_as_vendor("kwd").await;
        let order = json!({
            "customer": { "name": "Dalal", "country": "Kuwait" },
            "lines": [{ "productId": "k1", "quantity": 1 }],
            "placedAt": "2026-03-15T10:00:00Z",
        });
        answered(vendor.post("/api/vendor/orders", &order).await, 201).await;
        let (outcome, after) = metrics(&admin).await;
        assert_eq!((outcome.as_str(), &after["activeVendors"]), ("MISS", &json!(3)));
        let kwd = after["currencies"].as_array().unwrap().iter().find(|one| one["currency"] == "KWD").unwrap();
        assert_eq!(kwd["netSales"], 7_250);
        assert_eq!(after["currencies"][0], before["currencies"][0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_the_marketplace_are_for_admins_and_need_a_range() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    problem(vendor.get(&format!("{METRICS}?{MARCH}")).await, 403, "forbidden").await;
    for (query, fields) in [
        ("", vec!["dateFrom", "dateTo"]),
        ("dateFrom=2026-03-02&dateTo=2026-03-01", vec!["dateTo"]),
        ("from=1", vec!["from"]),
    ] {
        assert_eq!(refused_fields(admin.get(&format!("{METRICS}?{query}")).await).await, fields);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_marketplace_beside_the_days_before_follows_every_sale() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let (admin, vendor) = (app.log_in_as_admin().await, app.log_in_as_vendor("eur").await);
        let path = format!("{METRICS}/compared?dateFrom=2026-03-08&dateTo=2026-03-14");
        let euros = async || {
            let response = admin.get(&path).await;
            let outcome = response.headers()["x-cache"].to_str().expect("ASCII").to_owned();
            let body = answered(response, 200).await;
            let eur = body["currencies"].as_array().unwrap().iter().find(|one| one["currency"] == "EUR").unwrap();
            (outcome, eur["netSales"].clone(), eur["previousNetSales"].clone(), body["silentTotal"].clone())
        };
        assert_eq!(euros().await, ("MISS".to_owned(), json!(7_000), json!(0), json!(2)));
        assert_eq!(euros().await.0, "HIT");
        let order = json!({
            "customer": { "name": "Dalal", "country": "Kuwait" },
            "lines": [{ "productId": "e1", "quantity": 1 }],
            "placedAt": "2026-03-04T10:00:00Z",
        });
        answered(vendor.post("/api/vendor/orders", &order).await, 201).await;
        assert_eq!(euros().await, ("MISS".to_owned(), json!(7_000), json!(1_250), json!(2)));
        problem(vendor.get(&path).await, 403, "forbidden").await;
        for (query, fields) in [
            ("", vec!["dateFrom", "dateTo"]),
            ("dateFrom=2099-03-01&dateTo=2099-03-02", vec!["dateFrom"]),
            ("dateFrom=1970-01-02&dateTo=1970-01-03", vec!["dateFrom"]),
        ] {
            assert_eq!(
                refused_fields(admin.get(&format!("{METRICS}/compared?{query}")).await).await,
                fields,
                "{query}"
            );
        }
    }
}
