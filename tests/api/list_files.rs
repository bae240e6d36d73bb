//! Lists of products and orders as files: what the list shows on all of its pages, and what it comes to.

use std::io::Cursor;

use serde_json::{Value, json};

use super::refused_fields;
use crate::harness::{Client, Market, TestApp, databases};

/// The header and the rows of a file.
async fn file(client: &Client, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let answer = client.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert!(answer.headers()["content-type"].to_str().expect("ASCII").starts_with("text/csv; charset=utf-8"));
    let mut reader = csv::Reader::from_reader(Cursor::new(answer.text().await.expect("a text")));
    let texts = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = texts(reader.headers().expect("a header"));
    (header, reader.records().map(|row| texts(&row.expect("a row"))).collect())
}

/// What a column's numbers come to, without their decimal point.
fn sum((header, rows): &(Vec<String>, Vec<Vec<String>>), name: &str) -> i64 {
    let column = header.iter().position(|one| one == name).expect("a column");
    rows.iter().map(|row| row[column].replace('.', "").parse::<i64>().expect("a number")).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_holds_every_page_of_a_list_in_its_order_and_comes_to_its_sums() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("7").await;
        for (list, id, queries) in [
            (
                "products",
                "productId",
                &["", "?search=o", "?status=active&sort=price", "?stock=low", "?sort=rising", "?sort=cover_desc"][..],
            ),
            (
                "orders",
                "orderId",
                &[
                    "",
                    "?status=shipped",
                    "?dateFrom=1997-03-01&dateTo=1997-09-30",
                    "?search=an",
                    "?sort=total_desc",
                    "?status=shipped&sort=customer_asc",
                ],
            ),
        ] {
            for query in queries {
                let (mut shown, mut after) = (Vec::<Value>::new(), String::new());
                let sums = loop {
                    let separator = if query.is_empty() { "?" } else { "&" };
                    let page = client.get_json(&format!("/api/vendor/{list}{query}{separator}after={after}")).await;
                    shown.extend(page[list].as_array().expect("a list").iter().map(|one| one[id].clone()));
                    match page["next"].as_str() {
                        Some(next) => next.clone_into(&mut after),
                        None => break page["sums"].clone(),
                    }
                };
                let file = file(&client, &format!("/api/vendor/{list}.csv{query}")).await;
                let ids: Vec<_> = file.1.iter().map(|row| json!(row[0])).collect();
                assert_eq!(ids, shown, "{dialect} {list}{query}");
                assert!(!ids.is_empty() || *query == "?stock=low", "{list}{query}");
                for (column, sum_of) in match list {
                    "products" => vec![("stock", &sums["stock"]), ("units", &sums["recent"]["units"])],
                    _ => vec![
                        ("units", &sums["units"]),
                        ("total", &sums["total"]),
                        ("refundedAmount", &sums["refundedAmount"]),
                        ("payable", &sums["payable"]),
                    ],
                } {
                    assert_eq!(&json!(sum(&file, column)), sum_of, "{dialect} {column} of {list}{query}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_what_a_list_says_and_takes_what_a_list_takes() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let mut bowl = client.get_json("/api/vendor/products/e2").await;
        bowl["name"] = json!("=Bowl");
        assert_eq!(client.put("/api/vendor/products/e2", &bowl).await.status(), 200);
        let (header, rows) = file(&client, "/api/vendor/products.csv?stock=low").await;
        assert_eq!(header.last().map(String::as_str), Some("salesAtRisk"));
        assert_eq!(rows, [["e2", "'=Bowl", "Bowls", "active", "EUR", "7.00", "3", "", "0", "0", "", "", "", "0.00"]]);
        let (_, rows) = file(&client, "/api/vendor/orders.csv?status=delivered").await;
        let o1 = ["o1", "2026-03-10T12:00:00Z", "Anna", "delivered", "2", "EUR", "22.50", "0.00", "20.25"];
        assert_eq!((rows.len(), &rows[0][..9]), (1, &o1.map(str::to_owned)[..]));
        assert!(rows[0][9].parse::<i64>().is_ok_and(|days| days > 200), "days since it was placed: {rows:?}");
        for (path, field) in [
            ("/api/vendor/products.csv?sort=none", "sort"),
            ("/api/vendor/products.csv?after=x", "after"),
            ("/api/vendor/orders.csv?status=none", "status"),
            ("/api/vendor/orders.csv?sort=price", "sort"),
        ] {
            assert_eq!(refused_fields(client.get(path).await).await, [field], "{path}");
        }
    }
}
