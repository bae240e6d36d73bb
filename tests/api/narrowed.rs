//! Figures of one product, one category or one status.

use serde_json::{Value, json};

use super::{answered, refused_fields};
use crate::harness::{Client, Market, RedisServer, TestApp, databases};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot";

async fn snapshot(client: &Client, query: &str) -> Value {
    client.get_json(&format!("{SNAPSHOT}?{query}")).await
}

/// What adds up over parts of which every line belongs to one.
const SUMS: [&str; 6] = ["grossSales", "discounts", "returns", "netSales", "commission", "units"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_come_to_the_whole() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().unlimited().spawn().await;
        let client = app.log_in_as_vendor("7").await;
        let products = client.get_json("/api/vendor/products").await["products"].clone();
        let products = products.as_array().expect("a list");
        let named = |field: &str| -> Vec<String> {
            let mut names: Vec<_> =
                products.iter().map(|product| product[field].as_str().expect("a text").to_owned()).collect();
            names.sort();
            names.dedup();
            names
        };
        // One thing sold has come back, in part.
        let order = client.get_json("/api/vendor/orders?status=shipped").await["orders"][0]["orderId"].clone();
        let path = format!("/api/vendor/orders/{}", order.as_str().expect("an id"));
        let line = client.get_json(&path).await["lines"][0]["line"].clone();
        let refund = json!({ "lines": [{ "line": line, "quantity": 1 }], "refundedAt": "1998-05-20T10:00:00Z" });
        answered(client.post(&format!("{path}/refunds"), &refund).await, 201).await;
        for range in [
            "dateFrom=1996-07-01&dateTo=1998-05-31&compare=previous_year&interval=month",
            "dateFrom=1997-03-01&dateTo=1997-03-31&interval=day",
            "dateFrom=1998-05-15&dateTo=1998-05-24&interval=hour",
        ] {
            let whole = snapshot(&client, range).await;
            for (filter, parts) in [("product", named("productId")), ("category", named("category"))] {
                let mut sums = [0; 6];
                let mut points = vec![0; whole["series"].as_array().expect("a list").len()];
                for part in &parts {
                    let part = snapshot(&client, &format!("{range}&{filter}={}", part.replace('&', "%26"))).await;
                    for (sum, name) in sums.iter_mut().zip(SUMS) {
                        *sum += part["totals"][name].as_i64().expect("a number");
                    }
                    for (point, of) in points.iter_mut().zip(part["series"].as_array().expect("a list")) {
                        *point += of["netSales"].as_i64().expect("a number");
                    }
                }
                assert_eq!(
                    sums.map(|sum| json!(sum)),
                    SUMS.map(|name| whole["totals"][name].clone()),
                    "{range} {filter}"
                );
                let expected: Vec<_> = whole["series"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|point| point["netSales"].as_i64().expect("a number"))
                    .collect();
                assert_eq!(points, expected, "{range} {filter}");
            }
            for (filter, parts) in [("product", named("productId")), ("category", named("category"))] {
                files_come_to_the_figures(&client, range, filter, &parts).await;
            }
            let best = &whole["topProducts"][0];
            let of_best =
                snapshot(&client, &format!("{range}&product={}", best["productId"].as_str().expect("an id"))).await;
            assert_eq!(of_best["topProducts"], json!([best]), "{range}");
            assert!(of_best["totals"]["customers"].as_i64() <= whole["totals"]["customers"].as_i64(), "{range}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_status_are_those_of_its_orders_and_a_change_shows_at_once() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let march = "dateFrom=2026-03-01&dateTo=2026-03-31&compare=none";
        let of = |snapshot: &Value| {
            (
                snapshot["totals"]["orders"].as_i64(),
                snapshot["totals"]["netSales"].as_i64(),
                snapshot["totals"]["customers"].as_i64(),
            )
        };
        assert_eq!(of(&snapshot(&client, &format!("{march}&status=delivered")).await), (Some(1), Some(2_250), Some(1)));
        let pending = snapshot(&client, &format!("{march}&status=pending")).await;
        assert_eq!(of(&pending), (Some(1), Some(1_400), Some(1)), "what counts in no other figure is counted here");
        assert_eq!(pending["ordersByStatus"], json!([{ "status": "pending", "orders": 1 }]));
        answered(client.patch("/api/vendor/orders/o3", &json!({ "status": "shipped" })).await, 200).await;
        assert_eq!(of(&snapshot(&client, &format!("{march}&status=pending")).await), (Some(0), Some(0), Some(0)));
        // The same as files: of one status, whether its orders count or not.
        let file = "/api/vendor/analytics/export.csv";
        let part = client.get(&format!("{file}?{march}&interval=month&status=delivered")).await.text().await;
        assert!(part.expect("a text").contains("22.50"));
        let lines = async |query: &str| {
            let text = client.get(&format!("{file}?{march}&{query}")).await.text().await.expect("a text");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let sold = lines("status=delivered&table=orders").await;
        assert!(matches!(&sold[1..], [one] if one.contains(",o1,1,delivered,e1,")), "{sold:?}");
        answered(client.patch("/api/vendor/orders/o3", &json!({ "status": "cancelled" })).await, 200).await;
        let cancelled = lines("status=cancelled&table=orders").await;
        assert!(matches!(&cancelled[1..], [one] if one.contains(",o3,1,cancelled,e2,")), "{cancelled:?}");
        // What is not counted as a sale is not paid, whatever it would have come to: in the figures, in the list, in files.
        let unpaid = snapshot(&client, &format!("{march}&status=cancelled")).await;
        let of_totals = |figure: &str| unpaid["totals"][figure].clone();
        assert_eq!(
            (of_totals("netSales"), of_totals("commission"), of_totals("payable")),
            (1_400.into(), 0.into(), 0.into())
        );
        assert!(unpaid["series"].as_array().expect("a list").iter().all(|point| point["payable"] == 0), "{unpaid}");
        let of_list = "/api/vendor/orders?dateFrom=2026-03-01&dateTo=2026-03-31&status=cancelled";
        let of_list = client.get_json(of_list).await;
        assert_eq!((&of_list["sums"]["payable"], &of_list["figures"]["payable"]), (&0.into(), &0.into()), "{of_list}");
        let paid = lines("status=cancelled&table=payable").await;
        assert!(paid[1..].concat().contains("total,EUR,14.00,0.00,0.00,14.00,0.00,0.00,1,2"), "{paid:?}");
        assert!(cancelled[1].ends_with(",14.00,0.00,14.00,0.00,0.00"), "{cancelled:?}");
        assert_eq!(lines("table=orders&product=e2").await.len(), 1, "what does not count stays out");
        // Another's product sells nothing here, and is none of this vendor's.
        assert_eq!(of(&snapshot(&client, &format!("{march}&product=n1")).await), (Some(0), Some(0), Some(0)));
        assert_eq!(refused_fields(client.get(&format!("{SNAPSHOT}?{march}&status=lost")).await).await, ["status"]);
    }
}

/// As many of them as anybody can think of would fill a Redis that all vendors share.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_asked_for_once_is_not_kept_for_long_and_what_there_is_not_is_not_kept() {
    let redis = RedisServer::start();
    let app = TestApp::builder().bundle(Market::new().path()).redis(&redis).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let mut connection = redis.connection().await;
    // How long each new entry is kept, in seconds.
    let mut known = Vec::<String>::new();
    let mut kept = async |path: String| {
        assert_eq!(client.get(&path).await.status(), 200, "{path}");
        let mut all = Vec::new();
        for family in ["analytics", "products", "orders"] {
            let names: Vec<String> =
                redis::cmd("KEYS").arg(format!("{family}:*")).query_async(&mut connection).await.expect("keys");
            all.extend(names);
        }
        let mut lives = Vec::new();
        for name in all.iter().filter(|name| !known.contains(name)) {
            let life: i64 = redis::cmd("TTL").arg(name).query_async(&mut connection).await.expect("a number");
            lives.push(life);
        }
        known = all;
        lives
    };
    let march = "dateFrom=2026-03-01&dateTo=2026-03-31";
    for (nothing, something) in [
        (format!("{SNAPSHOT}?{march}&product=none"), format!("{SNAPSHOT}?{march}&product=e1")),
        (format!("{SNAPSHOT}?{march}&category=none"), format!("{SNAPSHOT}?{march}&category=Mugs")),
        ("/api/vendor/products?search=none".to_owned(), "/api/vendor/products?search=mug".to_owned()),
        ("/api/vendor/products?category=none".to_owned(), "/api/vendor/products?category=Mugs".to_owned()),
        ("/api/vendor/orders?search=none".to_owned(), "/api/vendor/orders?search=anna".to_owned()),
        ("/api/vendor/orders?product=none".to_owned(), "/api/vendor/orders?product=e1".to_owned()),
    ] {
        assert_eq!(kept(nothing.clone()).await, [0; 0], "{nothing}");
        let lives = kept(something.clone()).await;
        assert!(matches!(lives[..], [life] if (0..=330).contains(&life)), "{something}: {lives:?}");
    }
    // The whole stands in for an hour longer.
    for whole in [format!("{SNAPSHOT}?{march}"), "/api/vendor/orders".to_owned()] {
        let lives = kept(whole.clone()).await;
        assert!(matches!(lives[..], [life] if life > 3_600), "{whole}: {lives:?}");
    }
}

/// Every table of every part comes to the figures of that part, and the parts' lines are those of the whole.
async fn files_come_to_the_figures(client: &Client, range: &str, filter: &str, parts: &[String]) {
    let rows = async |query: String| {
        let path = format!("/api/vendor/analytics/export.csv?{range}&{query}");
        let mut reader = csv::Reader::from_reader(std::io::Cursor::new(answered_text(client.get(&path).await).await));
        let header = reader.headers().expect("a header").clone();
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect();
        (header.iter().map(str::to_owned).collect::<Vec<_>>(), rows)
    };
    let sum = |(header, rows): &(Vec<String>, Vec<Vec<String>>), name: &str| -> i64 {
        let column = header.iter().position(|one| one == name).expect("a column");
        let rows = rows.iter().filter(|row| row[0] != "total");
        rows.map(|row| row[column].replace('.', "").parse::<i64>().expect("a number")).sum()
    };
    let mut lines: std::collections::BTreeMap<&str, Vec<Vec<String>>> = std::collections::BTreeMap::new();
    for part in parts {
        let part = part.replace('&', "%26");
        let totals = snapshot(client, &format!("{range}&{filter}={part}")).await["totals"].clone();
        let total = |figure: &str| totals[figure].as_i64().expect("a number");
        let context = format!("{range} {filter}={part}");
        for (table, figures) in [
            ("series", &["grossSales", "discounts", "returns", "netSales", "orders", "units"][..]),
            ("payable", &["grossSales", "discounts", "returns", "netSales", "commission", "payable", "units"]),
            ("products", &["units", "netSales"]),
        ] {
            let file = rows(format!("{filter}={part}&table={table}")).await;
            for figure in figures {
                assert_eq!(sum(&file, figure), total(figure), "{figure} of {table} of {context}");
            }
        }
        let sold = rows(format!("{filter}={part}&table=orders")).await;
        let refunded = rows(format!("{filter}={part}&table=refunds")).await;
        assert_eq!(
            (sum(&sold, "gross"), sum(&sold, "discount")),
            (total("grossSales"), total("discounts")),
            "{context}"
        );
        assert_eq!(sum(&refunded, "amount"), total("returns"), "{context}");
        assert_eq!(sum(&sold, "payable") + sum(&refunded, "payable"), total("payable"), "{context}");
        lines.entry("orders").or_default().extend(sold.1);
        lines.entry("refunds").or_default().extend(refunded.1);
    }
    for (table, mut lines) in lines {
        let mut whole = rows(format!("table={table}")).await.1;
        lines.sort();
        whole.sort();
        assert_eq!(lines, whole, "{table} of {range} by {filter}");
    }
}

async fn answered_text(response: reqwest::Response) -> String {
    assert_eq!(response.status(), 200);
    response.text().await.expect("a text")
}
