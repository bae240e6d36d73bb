use serde_json::{Value, json};

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, databases};

const EXPORT: &str = "/api/vendor/analytics/export.csv";
const MARCH: &str = "dateFrom=2026-03-01&dateTo=2026-03-31";

async fn lines(client: &Client, query: &str) -> Vec<String> {
    let response = client.get(&format!("{EXPORT}?{query}")).await;
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().expect("ASCII").starts_with("text/csv; charset=utf-8"));
    response.text().await.expect("a text").lines().map(str::to_owned).collect()
}

/// An amount as it is written, in minor units.
fn minor(decimal: &str) -> i64 {
    decimal.replace('.', "").parse().unwrap_or_else(|error| panic!("{decimal}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_to_the_totals_that_the_dashboard_shows() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    for (vendor, order) in
        [("eur", json!({ "line": 1, "quantity": 1, "amount": 333 })), ("nyc", json!({ "line": 2, "quantity": 1 }))]
    {
        let client = app.log_in_as_vendor(vendor).await;
        let refund = json!({ "lines": [order], "refundedAt": "2026-03-20T10:00:00Z" });
        answered(client.post("/api/vendor/orders/o1/refunds", &refund).await, 201).await;
        let totals = client.get_json(&format!("/api/vendor/analytics/snapshot?{MARCH}")).await["totals"].clone();
        for interval in ["day", "week", "month"] {
            let file = lines(&client, &format!("{MARCH}&interval={interval}")).await;
            assert_eq!(file[0], "start,currency,grossSales,discounts,returns,netSales,orders,units");
            let sum = |column: usize| {
                file[1..].iter().map(|line| minor(line.split(',').nth(column).expect("a cell"))).sum::<i64>()
            };
            let sums = [2, 3, 4, 5, 6, 7].map(|column| json!(sum(column)));
            let shown = ["grossSales", "discounts", "returns", "netSales", "orders", "units"]
                .map(|figure| totals[figure].clone());
            assert_eq!(sums, shown, "{vendor} by {interval}");
        }
        let file = lines(&client, &format!("{MARCH}&table=products")).await;
        let sum = |column: usize| {
            file[1..].iter().map(|line| minor(line.split(',').nth(column).expect("a cell"))).sum::<i64>()
        };
        assert_eq!((json!(sum(3)), json!(sum(4))), (totals["units"].clone(), totals["netSales"].clone()), "{vendor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_for_the_books_come_to_the_totals_line_by_line() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let refund = json!({ "lines": [{ "line": 1, "quantity": 1, "amount": 333 }],
            "refundedAt": "2026-03-20T10:00:00Z", "reason": "late" });
        answered(client.post("/api/vendor/orders/o1/refunds", &refund).await, 201).await;
        let totals = client.get_json(&format!("/api/vendor/analytics/snapshot?{MARCH}")).await["totals"].clone();
        let total = |figure: &str| totals[figure].as_i64().expect("a number");
        let sum = |file: &[String], column: usize| {
            file[1..].iter().map(|line| minor(line.split(',').nth(column).expect("a cell"))).sum::<i64>()
        };
        let orders = lines(&client, &format!("{MARCH}&table=orders")).await;
        assert_eq!(
            orders[..2],
            [
                "date,placedAt,orderId,line,status,productId,product,category,quantity,currency,gross,discount,net,\
                 commission,payable",
                "2026-03-10,2026-03-10T12:00:00Z,o1,1,delivered,e1,Mug,Mugs,2,EUR,25.00,2.50,22.50,2.25,20.25",
            ]
        );
        let refunds = lines(&client, &format!("{MARCH}&table=refunds")).await;
        assert_eq!(
            refunds,
            [
                "date,refundedAt,orderId,line,productId,product,quantity,currency,amount,commission,payable,reason",
                "2026-03-20,2026-03-20T10:00:00Z,o1,1,e1,Mug,1,EUR,3.33,-0.33,-3.00,late",
            ]
        );
        assert_eq!((sum(&orders, 10), sum(&orders, 11)), (total("grossSales"), total("discounts")));
        assert_eq!(sum(&refunds, 8), total("returns"));
        assert_eq!(sum(&orders, 13) + sum(&refunds, 9), total("commission"));
        assert_eq!(sum(&orders, 14) + sum(&refunds, 10), total("payable"));

        let payable = lines(&client, &format!("{MARCH}&table=payable")).await;
        let (last, days) = payable.split_last().expect("a last row");
        let all: Vec<_> = last.split(',').collect();
        let figures = ["grossSales", "discounts", "returns", "netSales", "commission", "payable"];
        assert_eq!(all[0], "total");
        assert_eq!(all[2..8].iter().map(|cell| minor(cell)).collect::<Vec<_>>(), figures.map(total));
        for (column, cell) in all.iter().enumerate().skip(2) {
            assert_eq!(sum(days, column), minor(cell), "column {column}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_look_like_formulas_are_texts() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let mut product = client.get_json("/api/vendor/products/e1").await;
    for name in ["=HYPERLINK(\"http://evil.example\")", "+1", "-1", "@SUM(1)"] {
        product["name"] = json!(name);
        assert_eq!(client.put("/api/vendor/products/e1", &product).await.status(), 200);
        let file = lines(&client, &format!("{MARCH}&table=products")).await.join("\n");
        let cell = name.replace('"', "\"\"");
        assert!(file.contains(&format!("'{cell}")), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_for_whoever_may_see_the_figures() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
    let response = admin.get(&format!("{EXPORT}?{MARCH}&vendorId=eur&table=products")).await;
    assert_eq!(
        response.headers()["content-disposition"],
        "attachment; filename=\"vendorscope-eur-products-2026-03-01-2026-03-31.csv\""
    );
    assert_eq!(response.text().await.expect("a text").lines().count(), 2);
    problem(app.client().get(&format!("{EXPORT}?{MARCH}")).await, 401, "unauthenticated").await;
    for (query, fields) in [
        ("dateFrom=2026-03-01", vec!["dateTo"]),
        ("dateFrom=2026-03-01&dateTo=2026-03-31&table=taxes", vec!["table"]),
        ("dateFrom=2026-03-31&dateTo=2026-03-01&table=taxes", vec!["dateTo", "table"]),
        ("dateFrom=2026-03-01&dateTo=2026-03-31&vendorId=nyc", vec!["vendorId"]),
    ] {
        assert_eq!(refused_fields(vendor.get(&format!("{EXPORT}?{query}")).await).await, fields, "{query}");
    }
    let nothing: Value = vendor.get_json("/api/vendor/analytics/snapshot?dateFrom=2020-01-01&dateTo=2020-01-31").await;
    assert_eq!(nothing["totals"]["orders"], 0);
    assert_eq!(lines(&vendor, "dateFrom=2020-01-01&dateTo=2020-01-31&table=products").await.len(), 1);
}
