//! Lists of products sorted by each column, both ways: the same on both databases, page after page, with equal values
//! and without any, and never at the cost of a list that is too long for it.

use std::collections::HashMap;

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use vendorscope::{
    domain::product_lists::{ProductColumn, ProductQuery, ProductSort, StockLevel},
    server::db::{Db, search::fold, sql},
};

use crate::harness::{Client, Market, TestApp, databases};

const PRODUCTS: &str = "/api/vendor/products";

async fn run(db: &Db, text: &str) {
    let mut tx = db.write().await.expect("a transaction");
    tx.execute(sql(text.to_owned())).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    tx.commit().await.expect("committed");
}

/// Every product of a list, each with what the page knows of it beside, and on how many pages they stand.
async fn all_of(client: &Client, query: &str) -> (Vec<Value>, usize) {
    let (mut seen, mut after) = (Vec::new(), String::new());
    for pages in 1.. {
        let page = client.get_json(&format!("{PRODUCTS}?{query}&after={after}")).await;
        let list = |name: &str| page[name].as_array().unwrap_or_else(|| panic!("{query}: {name}: {page}")).clone();
        let beside = list("recent").into_iter().zip(list("covers")).zip(list("priceChanges"));
        assert_eq!(list("products").len(), beside.len(), "{query}");
        seen.extend(list("products").into_iter().zip(beside).map(|(mut product, ((recent, cover), changed))| {
            product["recent"] = recent;
            product["cover"] = cover;
            product["priceChange"] = changed;
            product
        }));
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return (seen, pages),
        }
    }
    unreachable!()
}

/// What a product is sorted by, a number or a text; `None` where it has no such value. `moved`: by how much its net
/// sales rose.
fn value(product: &Value, column: ProductColumn, moved: i64) -> Option<(i64, String)> {
    let number = |value: &Value| Some((value.as_i64().expect("a number"), String::new()));
    let text = |value: &Value| Some((0, value.as_str().expect("a text").to_owned()));
    let recent = &product["recent"];
    match column {
        ProductColumn::Name => Some((0, fold(product["name"].as_str().expect("a text")))),
        ProductColumn::Category => text(&product["category"]),
        ProductColumn::Status => Some((i64::from(product["status"] == "archived"), String::new())),
        ProductColumn::Stock => number(&product["stock"]),
        ProductColumn::Price => number(&product["unitPrice"]),
        // As a text, an instant that ends with a zero would stand elsewhere: it is written without it.
        ProductColumn::PriceChanged => {
            let at: Timestamp = product["priceChange"]["changedAt"].as_str()?.parse().expect("an instant");
            Some((at.as_microsecond(), String::new()))
        }
        ProductColumn::Sold => number(&recent["units"]),
        ProductColumn::Change => {
            let (now, before) = (recent["units"].as_i64()?, recent["previousUnits"].as_i64()?);
            let change = match before {
                _ if now == before => 0,
                0 => i64::MAX,
                before => (now - before) * 100_000 / before.abs(),
            };
            Some((change, String::new()))
        }
        ProductColumn::Moved => Some((moved, String::new())),
        ProductColumn::Cover => {
            product["cover"]["daysOfCover"].as_f64().map(|days| ((days * 10.0).round() as i64, String::new()))
        }
        ProductColumn::AtRisk => number(&product["cover"]["salesAtRisk"]),
    }
}

fn id(product: &Value) -> &str {
    product["productId"].as_str().expect("an id")
}

/// `kwd` with 120 products, which sold unlike one another, and some of whose prices have changed. With the products: by
/// how much net sales of each rose.
async fn stocked(app: &TestApp) -> (Client, HashMap<String, i64>) {
    let (admin, client) = (app.log_in_as_admin().await, app.log_in_as_vendor("kwd").await);
    let categories = ["Bowls", "Mugs", "Étagères"];
    let products: Vec<Value> = (0..120)
        .map(|at| {
            json!({ "productId": format!("s{:03}", at * 77 % 120), "vendorId": "kwd",
                "name": format!("{} {:02}", ["thing", "Thing", "THÎNG", "Zebra", "apple"][at % 5], at * 37 % 60),
                "category": categories[at % 3],
                "unitPrice": at * 5 % 17 + 1, "stock": at * 7 % 9,
                "status": if at % 11 == 0 { "archived" } else { "active" } })
        })
        .collect();
    let answer = admin.post("/api/ingest/products", &json!({ "products": products })).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
    let (mut orders, mut moved) = (Vec::new(), HashMap::new());
    for (at, product) in products.iter().enumerate() {
        let units = |step: i64, of: usize| if at.is_multiple_of(of) { 0 } else { at as i64 * step % 9 + 1 };
        for (days, units, sign) in [(10, units(1, 4), 1), (40, units(3, 3), -1)] {
            let at = Timestamp::now().checked_sub((24 * days).hours()).expect("an instant").to_string();
            *moved.entry(id(product).to_owned()).or_default() += sign * units * 7;
            if units > 0 {
                let line = json!({ "productId": id(product), "quantity": units, "unitPrice": 7 });
                orders.push(json!({ "orderId": format!("{}-{days}", id(product)), "customer": { "customerId": "c1" },
                    "placedAt": at, "status": "delivered", "lines": [line] }));
            }
        }
    }
    let answer = admin.post("/api/ingest/orders", &json!({ "orders": orders })).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
    for turn in 1..=3 {
        let ids: Vec<&str> = products.iter().skip(turn).step_by(10).map(id).collect();
        let change = json!({ "productIds": ids, "changes": { "unitPriceChangeBps": 10_000 } });
        assert_eq!(client.patch(&format!("{PRODUCTS}/bulk"), &change).await.status(), 200);
    }
    (client, moved)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn products_are_sorted_by_each_column_both_ways_page_after_page() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let (client, moved) = stocked(&app).await;
        for (query, sorts) in [("", &ProductSort::ALL[..20]), ("stock=low&", &ProductSort::ALL[..])] {
            let (all, pages) = all_of(&client, query).await;
            assert!(pages > 1, "{dialect} {query}: {pages} pages");
            for &sort in sorts {
                let of = |product: &Value| value(product, sort.column(), moved.get(id(product)).copied().unwrap_or(0));
                let mut expected = all.clone();
                expected.sort_by(|one, other| {
                    let by_value = match (of(one), of(other)) {
                        (Some(its), Some(others)) if sort.is_descending() => others.cmp(&its),
                        (Some(its), Some(others)) => its.cmp(&others),
                        // Those without a value stand last, whichever way.
                        (its, others) => its.is_none().cmp(&others.is_none()),
                    };
                    by_value.then_with(|| id(one).cmp(id(other)))
                });
                let (listed, _) = all_of(&client, &format!("{query}sort={}", sort.as_str())).await;
                let ids = |list: &[Value]| list.iter().map(|one| id(one).to_owned()).collect::<Vec<_>>();
                assert_eq!(ids(&listed), ids(&expected), "{dialect} {query} {sort:?}");
                assert_eq!(listed, expected, "{dialect} {query} {sort:?}");
                let (first, last) = (of(&listed[0]), of(&listed[listed.len() - 1]));
                // All that are low are active.
                let is_one = sort.column() == ProductColumn::Status && !query.is_empty();
                assert_eq!(first == last, is_one, "{dialect} {query} {sort:?}: nothing to sort");
                let file = client.get(&format!("{PRODUCTS}.csv?{query}sort={}", sort.as_str())).await;
                let file = file.text().await.expect("a file");
                let in_file = file.lines().skip(1).filter_map(|line| line.split(',').next());
                assert!(in_file.eq(expected.iter().map(id)), "{dialect} {query} {sort:?}: {file}");
            }
        }
        let (found, _) = all_of(&client, "search=thing%201&category=Mugs&sort=stock_desc").await;
        let stocks: Vec<_> = found.iter().map(|product| product["stock"].as_i64()).collect();
        assert!(found.len() > 1 && stocks.is_sorted_by(|one, other| one >= other), "{dialect}: {stocks:?}");
        assert!(found.iter().all(|product| product["category"] == "Mugs"), "{dialect}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn how_long_a_product_lasts_is_said_of_every_one() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (client, _) = stocked(&app).await;
        let (all, _) = all_of(&client, "").await;
        for product in &all {
            let (stock, sold) = (product["stock"].as_f64().expect("a number"), product["recent"]["units"].as_f64());
            // All of it was sold on days that are over.
            let sold = sold.expect("a number");
            let expected = (sold > 0.0).then(|| (stock * 280.0 / sold).round() / 10.0);
            let cover = &product["cover"];
            assert_eq!(cover["daysOfCover"].as_f64(), expected, "{}: {product}", app.state().db.dialect.name());
            assert_eq!(cover["threshold"], 5, "the vendor's");
        }
        let (low, _) = all_of(&client, "stock=low").await;
        assert!(low.len() > 10 && low.len() < all.len());
        for product in &low {
            let same = all.iter().find(|one| id(one) == id(product)).expect("one of all");
            assert_eq!(same["cover"], product["cover"], "the same in every list");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_is_too_long_is_sorted_by_what_is_kept_sorted_until_it_is_narrowed() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (db, client) = (&app.state().db, app.log_in_as_vendor("kwd").await);
        let dialect = db.dialect.name();
        run(
            db,
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 5001) \
             INSERT INTO products (external_id, vendor_id, name, category, unit_price, stock, status) \
             SELECT 'm' || i, (SELECT id FROM vendors WHERE external_id = 'kwd'), 'Thing ' || i, 'Things', i, 2, \
                    'active' FROM n",
        )
        .await;
        for (stock, query) in [(None, ""), (Some(StockLevel::Low), "stock=low&")] {
            for sort in ProductSort::ALL.into_iter().filter(|sort| stock.is_some() || !sort.is_of_low_stock()) {
                let query = format!("{query}sort={}", sort.as_str());
                let reads_all = ProductQuery { stock, sort, ..Default::default() }.reads_all();
                for path in [format!("{PRODUCTS}?{query}"), format!("{PRODUCTS}.csv?{query}")] {
                    let answer = client.get(&path).await;
                    assert_eq!(answer.status(), if reads_all { 422 } else { 200 }, "{dialect} {path}");
                    if reads_all {
                        let problem: Value = answer.json().await.expect("JSON");
                        let refused = &problem["errors"][0];
                        assert_eq!(refused["field"], "sort", "{path}: {problem}");
                        assert!(refused["message"].as_str().expect("a text").contains("at most 5000"), "{problem}");
                    }
                }
            }
        }
        // Not too many are 5,000, on a page and in a file.
        run(db, "UPDATE products SET category = 'Others' WHERE external_id IN ('m1', 'k1')").await;
        let last = client.get_json(&format!("{PRODUCTS}?category=Things&sort=category_desc")).await;
        assert_eq!(
            (&last["products"][0]["productId"], &last["sums"]["products"]),
            (&json!("m10"), &json!(5_000)),
            "{dialect}"
        );
        let file = client.get(&format!("{PRODUCTS}.csv?category=Things&sort=change_desc")).await;
        assert_eq!(file.text().await.expect("a file").lines().count(), 5_001, "{dialect}");
    }
}
