//! The range from the first day on that there is anything of.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::open;
use crate::harness::{Client, Market, TestApp, databases};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text").replace("<!>", "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_time_begins_with_the_first_order_and_is_compared_with_nothing() {
    for database in databases().await {
        let market = Market::new();
        let app = TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("eur").await;
        let page = text(&client, "/?range=all&compare=previous_year").await;
        let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").expect("a zone")).date().to_string();
        let path = format!("/api/vendor/analytics/snapshot?dateFrom=2026-03-10&dateTo={today}&compare=none");
        let totals: Value = client.get_json(&path).await["totals"].take();
        assert_eq!(totals["netSales"], json!(6_000), "{dialect}");
        assert!(page.contains(">€60.00<") && page.contains("<span>All time</span>"), "{dialect}: {page}");
        assert!(page.contains("<p class=\"lead\">10 Mar – "), "{dialect}: {page}");
        assert!(!page.contains("compared with"), "{dialect}: {page}");
        // As every range that has a name it is kept, and can be saved.
        assert!(text(&client, "/").await.contains("<span>All time</span>"), "{dialect}");
        assert!(page.contains("name=\"query\" value=\"range=all&amp;compare=previous_year\""), "{dialect}: {page}");

        // What is written shows at once: an order that does not even count, long before.
        let order = json!({
            "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
            "placedAt": "2024-02-29T12:00:00Z", "status": "cancelled",
        });
        assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201);
        for path in ["/?range=all", "/returns?range=all", "/products/e1?range=all"] {
            let page = text(&client, path).await;
            assert!(page.contains("29 Feb 2024 – ") && page.contains("<span>All time</span>"), "{path}: {page}");
        }
        // Others begin with their own.
        let other = app.log_in_as_vendor("nyc").await;
        assert!(text(&other, "/?range=all").await.contains("10 Mar – "), "{dialect}");
        // Who has sold nothing sees today, and that there is nothing.
        let idle = app.log_in_as_vendor("kwd").await;
        assert!(text(&idle, "/?range=all").await.contains("No sales in this period"), "{dialect}");

        // The marketplace's begins with the first of any vendor.
        let admin = app.log_in_as_admin().await;
        let page = text(&admin, "/admin?range=all").await;
        assert!(page.contains("29 Feb 2024 – "), "{dialect}: {page}");
        let link = page.split("<a ").find(|link| link.contains("data-key=\"a\"")).expect("a link");
        assert!(link.contains("aria-current=\"true\"") && link.contains("range=all"), "{dialect}: {link}");
        let theirs = text(&admin, "/admin/vendors/eur/dashboard?range=all").await;
        assert!(theirs.contains("29 Feb 2024 – "), "{dialect}: {theirs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_more_than_ten_years_the_last_ten_are_shown_and_called_so() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let order = json!({
            "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
            "placedAt": "1999-12-31T12:00:00Z",
        });
        assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201);
        let page = text(&client, "/?range=all").await;
        assert!(page.contains("<span>Last 10 years</span>") && !page.contains("1999"), "{page}");
    }
}
