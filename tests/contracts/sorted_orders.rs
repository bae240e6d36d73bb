//! Lists of orders sorted by each column, both ways: the same on both databases, page after page, and never at the cost
//! of a list that is too long for it.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use vendorscope::{
    domain::orders::{OrderColumn, OrderSort, OrderStatus},
    server::db::{Db, search::fold, sql},
};

use crate::harness::{Client, Market, TestApp, databases};

const ORDERS: &str = "/api/vendor/orders";

/// Every order of a list, and on how many pages it stands.
async fn all_of(client: &Client, query: &str) -> (Vec<Value>, usize) {
    let (mut seen, mut after) = (Vec::new(), String::new());
    for pages in 1.. {
        let page = client.get_json(&format!("{ORDERS}?{query}&after={after}")).await;
        seen.extend(page["orders"].as_array().expect("a list").iter().cloned());
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return (seen, pages),
        }
    }
    unreachable!()
}

/// Where an order stands in a list that is sorted by the column: a number or a text.
fn value(order: &Value, column: OrderColumn) -> (i64, String) {
    let text = |field: &str| order[field].as_str().expect("a text").to_owned();
    let number = |field: &str| (order[field].as_i64().expect("a number"), String::new());
    match column {
        OrderColumn::Placed => (0, text("placedAt")),
        OrderColumn::Order => (0, text("orderId")),
        OrderColumn::Customer => (0, fold(&text("customerName"))),
        OrderColumn::Status => {
            let status: OrderStatus = text("status").parse().expect("a status");
            (OrderStatus::ALL.iter().position(|one| *one == status).expect("one of all") as i64, String::new())
        }
        OrderColumn::Units => number("units"),
        OrderColumn::Total => number("total"),
        OrderColumn::Refunded => number("refundedAmount"),
        OrderColumn::Payable => number("payable"),
    }
}

async fn run(db: &Db, text: &str) {
    let mut tx = db.write().await.expect("a transaction");
    tx.execute(sql(text.to_owned())).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    tx.commit().await.expect("committed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_are_sorted_by_each_column_both_ways_page_after_page() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().unlimited().spawn().await;
        let dialect = app.state().db.dialect.name();
        let client = app.log_in_as_vendor("7").await;
        let (all, pages) = all_of(&client, "").await;
        assert!(pages > 2, "{pages} pages");
        // Northwind knows neither refunds nor many statuses.
        for (at, status) in [(3, "cancelled"), (60, "delivered"), (61, "delivered"), (90, "cancelled")] {
            let path = format!("{ORDERS}/{}", all[at]["orderId"].as_str().expect("an id"));
            client.patch(&path, &json!({ "status": status })).await;
        }
        for (at, amount) in [(7, 100), (20, 250), (60, 100), (95, 1)] {
            let path = format!("{ORDERS}/{}/refunds", all[at]["orderId"].as_str().expect("an id"));
            client.post(&path, &json!({ "amount": amount })).await;
        }
        let (all, _) = all_of(&client, "").await;
        for column in [OrderColumn::Status, OrderColumn::Refunded, OrderColumn::Payable] {
            let mut values: Vec<_> = all.iter().map(|order| value(order, column)).collect();
            values.sort();
            values.dedup();
            assert!(values.len() > 1, "{column:?}: {values:?}");
        }
        for sort in OrderSort::ALL {
            let mut expected = all.clone();
            expected.sort_by(|one, other| {
                let (its, others) = (value(one, sort.column()), value(other, sort.column()));
                let by_value = if sort.is_descending() { others.cmp(&its) } else { its.cmp(&others) };
                by_value.then_with(|| one["orderId"].as_str().cmp(&other["orderId"].as_str()))
            });
            let (listed, _) = all_of(&client, &format!("sort={}", sort.as_str())).await;
            assert_eq!(listed, expected, "{dialect} {sort:?}");
        }
        let (found, _) = all_of(&client, "sort=total_asc&search=an").await;
        let totals: Vec<_> = found.iter().map(|order| order["total"].as_i64()).collect();
        assert!(found.len() > 1 && found.len() < all.len() && totals.is_sorted(), "{dialect}: {totals:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_is_too_long_is_sorted_by_date_alone_until_it_is_narrowed() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (db, client) = (&app.state().db, app.log_in_as_vendor("kwd").await);
        // One too many: 5,001 of 1, 2, … minor units, a minute apart.
        run(
            db,
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 5001) \
             INSERT INTO orders (external_id, customer_id, placed_us, status) \
             SELECT 'm' || i, (SELECT id FROM customers WHERE external_id = 'c1'), 1800000000000000 + i * 60000000, \
                    'delivered' FROM n",
        )
        .await;
        run(
            db,
            "INSERT INTO vendor_orders \
                 (vendor_id, order_id, customer_id, status, placed_us, hour_us, day, month, year) \
             SELECT (SELECT id FROM vendors WHERE external_id = 'kwd'), id, customer_id, status, placed_us, placed_us, \
                    20833 + (placed_us - 1800000000000000) / 86400000000, 20820, 20819 \
             FROM orders WHERE external_id LIKE 'm%'",
        )
        .await;
        run(
            db,
            "INSERT INTO order_lines (order_id, line, vendor_id, product_id, quantity, gross, discount, commission) \
             SELECT id, 1, (SELECT id FROM vendors WHERE external_id = 'kwd'), \
                    (SELECT id FROM products WHERE external_id = 'k1'), 1, (placed_us - 1800000000000000) / 60000000, \
                    0, 0 \
             FROM orders WHERE external_id LIKE 'm%'",
        )
        .await;
        let newest = client.get_json(ORDERS).await;
        assert_eq!((&newest["orders"][0]["orderId"], &newest["sums"]), (&json!("m5001"), &Value::Null));
        let oldest = client.get_json(&format!("{ORDERS}?sort=placed_asc")).await;
        assert_eq!(oldest["orders"][0]["orderId"], "m1");
        for sort in OrderSort::ALL.into_iter().filter(|sort| sort.column() != OrderColumn::Placed) {
            for path in [format!("{ORDERS}?sort={}", sort.as_str()), format!("{ORDERS}.csv?sort={}", sort.as_str())] {
                let answer = client.get(&path).await;
                assert_eq!(answer.status(), 422, "{path}");
                let problem: Value = answer.json().await.expect("JSON");
                let refused = &problem["errors"][0];
                assert_eq!(refused["field"], "sort", "{path}: {problem}");
                assert!(refused["message"].as_str().expect("a text").contains("at most 5000"), "{problem}");
            }
        }
        // One less is not too many, on a page and in a file.
        run(db, "DELETE FROM order_lines WHERE order_id = (SELECT id FROM orders WHERE external_id = 'm5000')").await;
        run(db, "DELETE FROM vendor_orders WHERE order_id = (SELECT id FROM orders WHERE external_id = 'm5000')").await;
        let largest = client.get_json(&format!("{ORDERS}?sort=total_desc&status=delivered")).await;
        assert_eq!(
            (&largest["orders"][1]["orderId"], &largest["sums"]["orders"]),
            (&json!("m4999"), &json!(5_000)),
            "{}",
            db.dialect.name()
        );
        let file = client.get(&format!("{ORDERS}.csv?sort=total_desc")).await.text().await.expect("a file");
        let ids: Vec<&str> = file.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        let expected = [5_001].into_iter().chain((1..5_000).rev()).map(|number| format!("m{number}"));
        assert!(ids.iter().copied().eq(expected), "{}: {} rows", db.dialect.name(), ids.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_order_of_a_page_may_come_to_another_amount() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        for _ in 0..60 {
            let body = json!({
                "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
                "placedAt": "2026-02-01T10:00:00Z", "status": "delivered",
            });
            assert_eq!(client.post(ORDERS, &body).await.status(), 201);
        }
        let list = format!("{ORDERS}?sort=refunded_asc&dateTo=2026-02-28");
        let first = client.get_json(&list).await;
        let last = first["orders"][49]["orderId"].as_str().expect("an id");
        assert_eq!(client.post(&format!("{ORDERS}/{last}/refunds"), &json!({ "amount": 5 })).await.status(), 201);
        let second = client.get_json(&format!("{list}&after={}", first["next"].as_str().expect("a cursor"))).await;
        let seen = |page: &Value| {
            let orders = page["orders"].as_array().expect("a list").clone();
            orders.into_iter().map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        };
        let (first_ids, second_ids) = (seen(&first), seen(&second));
        assert_eq!(second_ids.len(), 11, "the ten that follow, and the one that moved behind them");
        assert_eq!(second_ids.last().map(String::as_str), Some(last));
        assert!(second_ids[..10].iter().all(|id| !first_ids.contains(id)) && second_ids[..10].is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_orders_leave_to_their_vendor_comes_to_what_the_figures_have_as_payable() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let (client, dialect) = (app.log_in_as_vendor("eur").await, app.state().db.dialect.name());
        // All of a line, a part of an order that the commission does not go into evenly, and one that does not count.
        for (order, refund) in [
            ("o1", json!({ "lines": [{ "line": 1, "quantity": 1 }] })),
            ("o1", json!({ "amount": 333 })),
            ("o2", json!({ "amount": 101 })),
        ] {
            let answer = client.post(&format!("{ORDERS}/{order}/refunds"), &refund).await;
            assert_eq!(answer.status(), 201, "{order}: {}", answer.text().await.unwrap_or_default());
        }
        let page = client.get_json(ORDERS).await;
        let orders = page["orders"].as_array().expect("a list");
        let number = |value: &Value| value.as_i64().unwrap_or_else(|| panic!("a number: {page}"));
        for order in orders {
            let status: OrderStatus = order["status"].as_str().expect("a text").parse().expect("a status");
            let (net, payable) =
                (number(&order["total"]) - number(&order["refundedAmount"]), number(&order["payable"]));
            match status.is_counted() {
                true => assert!(0 < payable && payable < net, "{dialect}: less its commission: {order}"),
                false => assert_eq!(payable, 0, "{dialect}: {order}"),
            }
        }
        assert!(orders.iter().any(|order| order["payable"] == 0), "{dialect}: one does not count: {page}");
        // Refunds are of the day on which they were made.
        let today = Timestamp::now().to_zoned(TimeZone::get("Europe/Berlin").expect("a zone")).date();
        let snapshot = format!("/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo={today}");
        let figures = number(&client.get_json(&snapshot).await["totals"]["payable"]);
        assert_eq!(orders.iter().map(|order| number(&order["payable"])).sum::<i64>(), figures, "{dialect}");
        assert_eq!(number(&page["sums"]["payable"]), figures, "{dialect}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn how_long_ago_an_order_was_placed_is_counted_in_days_of_its_vendor() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("nyc").await;
        // At every hour it is another day than in UTC in one of these, and at these hours an order is placed on another.
        for hour in ["02", "22"] {
            let order = json!({ "customer": { "customerId": "c1" }, "placedAt": format!("2026-03-20T{hour}:00:00Z"),
                "lines": [{ "productId": "n1", "quantity": 1 }] });
            assert_eq!(client.post(ORDERS, &order).await.status(), 201);
        }
        let mut page = client.get_json(ORDERS).await;
        for name in ["America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati"] {
            let moved = client.put("/api/account/time-zone", &json!({ "timeZone": name })).await;
            assert_eq!(moved.status(), 204, "{name}");
            let zone = TimeZone::get(name).expect("a zone");
            let before = Timestamp::now().to_zoned(zone.clone()).date();
            page = client.get_json(ORDERS).await;
            let after = Timestamp::now().to_zoned(zone.clone()).date();
            assert_eq!(page["orders"].as_array().map(Vec::len), Some(3));
            for order in page["orders"].as_array().expect("a list") {
                let placed: Timestamp = order["placedAt"].as_str().expect("a text").parse().expect("an instant");
                let placed = placed.to_zoned(zone.clone()).date();
                let days = [before, after].map(|day| i64::from(placed.until(day).expect("days").get_days()));
                let said = order["daysSincePlaced"].as_i64().expect("a number");
                assert!(days.contains(&said), "{} {name}: {order}", app.state().db.dialect.name());
            }
        }
        let file = client.get(&format!("{ORDERS}.csv")).await.text().await.expect("a file");
        let said = page["orders"][0]["daysSincePlaced"].to_string();
        assert!(file.lines().nth(1).expect("a row").ends_with(&format!(",{said}")), "{file}");
    }
}
