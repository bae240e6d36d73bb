use serde_json::json;

use super::{location, open, submit};
use crate::harness::{Market, TestApp, contents, databases};

async fn text(client: &crate::harness::Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_and_amounts_are_refunded_without_scripts() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let page = text(&client, "/orders/o1").await;
    assert!(page.contains("name=\"form[lines][0][quantity]\"") && page.contains("name=\"form[amount]\""), "{page}");

    let of_line = [
        ("form[order_id]", "o1"),
        ("form[lines][0][line]", "1"),
        ("form[lines][0][quantity]", "1"),
        ("form[lines][0][amount]", ""),
        ("form[amount]", ""),
        ("form[lines][0][restock]", "yes"),
    ];
    let response = submit(&client, "/_fn/order/refund", &of_line).await;
    let made = location(&response).to_owned();
    assert!(response.status() == 302 && made.starts_with("/orders/o1?refunded=1125&refundedAt=20"), "{made}");
    let page = text(&client, &made).await;
    assert!(page.contains("Refunded €11.25.") && page.contains("−€11.25 (1 unit)"), "{page}");
    // Of a refund that is not there, nothing is said.
    let at = made.split("refundedAt=").nth(1).expect("an instant");
    for other in ["refunded=1125".to_owned(), "refunded=1125&refundedAt=2026-03-10T12:00:00Z".to_owned()] {
        assert!(!text(&client, &format!("/orders/o1?{other}")).await.contains("Refunded €"), "{other}");
    }
    let page = text(&client, &format!("/orders/o1?refunded=999999&refundedAt={at}")).await;
    assert!(page.contains("Refunded €11.25."), "as much as was refunded: {page}");

    let of_order = [
        ("form[order_id]", "o1"),
        ("form[lines][0][line]", "1"),
        ("form[lines][0][quantity]", ""),
        ("form[amount]", "1.25"),
    ];
    let second = submit(&client, "/_fn/order/refund", &of_order).await;
    assert!(location(&second).starts_with("/orders/o1?refunded=125&refundedAt="), "{second:?}");
    assert!(text(&client, "/orders/o1").await.contains("−€12.50 (1 unit)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_that_cannot_be_is_refused_on_the_page_and_changes_nothing() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    for (quantity, amount, reason) in [
        ("3", "", "units can be returned."),
        ("1", "1.00", "Enter either units to return or a fixed amount, not both."),
        ("", "", "Enter units to return or an amount to refund."),
        ("1.5", "", "units can be returned."),
    ] {
        let fields = [
            ("form[order_id]", "o1"),
            ("form[lines][0][line]", "1"),
            ("form[lines][0][quantity]", quantity),
            ("form[amount]", amount),
        ];
        let request = client
            .request(reqwest::Method::POST, "/_fn/order/refund")
            .header("accept", "text/html")
            .header("sec-fetch-site", "same-origin");
        let response =
            request.header("referer", "http://localhost/orders/o1").form(&fields).send().await.expect("an answer");
        let back = location(&response).strip_prefix("http://localhost").unwrap_or(location(&response)).to_owned();
        let page = text(&client, &back).await;
        assert!(page.contains("Changes not saved.") && page.contains(reason), "{quantity:?} {amount:?}: {page}");
    }
    assert!(!text(&client, "/orders/o1").await.contains("(1 unit)</td>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_order_that_counts_as_no_sale_has_no_refund_form() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    assert!(!text(&client, "/orders/o3").await.contains("form[amount]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_are_searched_and_filtered_by_their_address() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let page = text(&client, "/orders?search=ren&dateFrom=2026-03-13").await;
    assert!(page.contains("href=\"/orders/o3\"") && !page.contains("href=\"/orders/o2\""), "{page}");
    assert!(page.contains("value=\"ren\"") && page.contains("value=\"2026-03-13\""), "{page}");
    let refused = open(&client, "/orders?dateFrom=2026-13-01").await;
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.expect("a text").contains("Start date: "));
}

/// The ids of the orders of a page, in its order.
fn listed(page: &str) -> Vec<&str> {
    page.split("id=\"row-").skip(1).filter_map(|row| row.split('"').next()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_heading_of_the_orders_sorts_them_and_the_other_way_round_when_it_has() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let page = text(&client, "/orders").await;
    assert_eq!(listed(&page), ["o3", "o2", "o1"]);
    assert!(
        page.contains("Newest first · times in Europe/Berlin") && page.contains("aria-sort=\"descending\""),
        "{page}"
    );
    // What is sorted by stays with the filters, and the filters with it.
    for (heading, first, way, second) in [
        ("total_desc", ["o2", "o1", "o3"], "descending", "total_asc"),
        ("customer_asc", ["o1", "o2", "o3"], "ascending", "customer_desc"),
        ("order_asc", ["o1", "o2", "o3"], "ascending", "order_desc"),
        ("status_asc", ["o3", "o2", "o1"], "ascending", "status_desc"),
        ("units_desc", ["o2", "o1", "o3"], "descending", "units_asc"),
        ("payable_desc", ["o2", "o1", "o3"], "descending", "payable_asc"),
    ] {
        assert!(page.contains(&format!("href=\"/orders?sort={heading}\"")), "{heading}: {page}");
        let sorted = text(&client, &format!("/orders?dateFrom=2026-03-01&sort={heading}")).await;
        assert_eq!(listed(&sorted), first, "{heading}");
        assert_eq!(sorted.matches("aria-sort=").count(), 1, "{heading}: {sorted}");
        assert!(sorted.contains(&format!("aria-sort=\"{way}\"")), "{heading}: {sorted}");
        let other = format!("href=\"/orders?dateFrom=2026-03-01&amp;sort={second}\"");
        assert!(sorted.contains(&other), "{heading}: {sorted}");
        let file = format!("href=\"/api/vendor/orders.csv?dateFrom=2026-03-01&amp;sort={heading}\"");
        assert!(sorted.contains(&file), "{heading}: {sorted}");
    }
    let refunded = text(&client, "/orders?sort=refunded_desc").await;
    assert!(refunded.contains("Most refunded · times in") && !refunded.contains("aria-sort="), "{refunded}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_marketplaces_page_shows_each_currency_by_itself() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let admin = app.log_in_as_admin().await;
    let page = text(&admin, "/admin?dateFrom=2026-03-01&dateTo=2026-03-31").await;
    assert!(
        page.contains("€70.00") && page.contains("Ton") && page.contains("KWD\u{a0}0.000") && page.contains("¥0"),
        "{page}"
    );
    assert!(page.contains("2 of 4 vendors had sales"), "{page}");
    assert!(page.contains("New; it was €0.00"), "February had no sales: {page}");
    assert_eq!(
        page.matches("Show as a table").count(),
        1,
        "a chart of the currency that is open, and its values: {page}"
    );
    let page = text(&admin, "/admin?dateFrom=2026-03-01&dateTo=2026-03-31&currency=KWD").await;
    assert!(page.contains("Net sales in KWD over time"), "{page}");
    assert_eq!(open(&app.log_in_as_vendor("eur").await, "/admin").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_can_be_undone_at_once_and_leaves_no_trace() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let before = contents(&app.state().db).await;
        let refund = |quantity: &'static str| {
            [
                ("form[order_id]", "o1"),
                ("form[lines][0][line]", "1"),
                ("form[lines][0][quantity]", quantity),
                ("form[lines][0][restock]", "yes"),
                ("form[reason]", "damaged"),
            ]
        };
        let made = location(&submit(&client, "/_fn/order/refund", &refund("1")).await).to_owned();
        let page = text(&client, &made).await;
        assert!(
            page.contains("Refunded €11.25.") && page.contains("Damaged or faulty") && page.contains(">Undo<"),
            "{page}"
        );
        let at = made.rsplit("refundedAt=").next().expect("an instant").to_owned();
        // Sums may keep rows that are all zero.
        let some = |rows: Vec<String>| {
            let is_sum = |row: &String| {
                row.contains("entries=Some(0)") || row.starts_with("sales_") && row.contains("gross=Some(0)")
            };
            rows.into_iter().filter(|row| !is_sum(row)).collect::<Vec<_>>()
        };
        assert_ne!(some(contents(&app.state().db).await), some(before.clone()));
        let undo = [("order_id", "o1"), ("refunded_at", at.as_str())];
        assert_eq!(location(&submit(&client, "/_fn/order/refund/undo", &undo).await), "/orders/o1?undone=1");
        assert!(text(&client, "/orders/o1?undone=1").await.contains("Refund undone."));
        assert_eq!(some(contents(&app.state().db).await), some(before), "{}", app.state().db.dialect.name());

        // Not twice, not another's, not one that was made a while ago, not what the marketplace noted.
        let send = |client: &crate::harness::Client, at: &str| {
            client
                .request(reqwest::Method::POST, "/_fn/order/refund/undo")
                .form(&[("order_id", "o1"), ("refunded_at", at)])
                .send()
        };
        assert_eq!(send(&client, &at).await.expect("an answer").status(), 409);
        let old = json!({ "amount": 5, "refundedAt": "2026-03-20T08:00:00Z" });
        assert_eq!(client.post("/api/vendor/orders/o1/refunds", &old).await.status(), 201);
        assert_eq!(send(&client, "2026-03-20T08:00:00Z").await.expect("an answer").status(), 409);
        let now = jiff::Timestamp::now().to_string();
        let noted = json!({ "refunds": [{ "orderId": "o1", "line": 1, "amount": 5, "refundedAt": now }] });
        assert_eq!(app.log_in_as_admin().await.post("/api/ingest/refunds", &noted).await.status(), 200);
        let micros =
            jiff::Timestamp::from_microsecond(now.parse::<jiff::Timestamp>().expect("an instant").as_microsecond());
        let refused = send(&client, &micros.expect("an instant").to_string()).await.expect("an answer");
        assert_eq!(refused.status(), 409);
        assert!(refused.text().await.expect("a text").contains("The marketplace made this refund"));
        assert_eq!(send(&app.log_in_as_vendor("jpy").await, &at).await.expect("an answer").status(), 404);
        assert_eq!(
            vendorscope::server::db::rollups::verify(&mut app.state().db.write().await.expect("a transaction"))
                .await
                .expect("sums"),
            []
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_came_back_and_was_sold_again_is_not_taken_back() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let refund = [
        ("form[order_id]", "o2"),
        ("form[lines][0][line]", "1"),
        ("form[lines][0][quantity]", "3"),
        ("form[lines][0][restock]", "yes"),
    ];
    let made = location(&submit(&client, "/_fn/order/refund", &refund).await).to_owned();
    let sold = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 102 }] });
    assert_eq!(client.post("/api/vendor/orders", &sold).await.status(), 201);
    let at = made.rsplit("refundedAt=").next().expect("an instant");
    let before = contents(&app.state().db).await;
    let undo = client
        .request(reqwest::Method::POST, "/_fn/order/refund/undo")
        .form(&[("order_id", "o2"), ("refunded_at", at)]);
    let refused = undo.send().await.expect("an answer");
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.expect("a text").contains("has been sold again"));
    assert_eq!(contents(&app.state().db).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_page_of_returns_answers_what_came_back_and_why() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    for (order, reason, at) in [("o1", "damaged", "2026-03-20T08:00:00Z"), ("o2", "late", "2026-03-21T08:00:00Z")] {
        let body = json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": at, "reason": reason });
        assert_eq!(client.post(&format!("/api/vendor/orders/{order}/refunds"), &body).await.status(), 201);
    }
    let march = "dateFrom=2026-03-01&dateTo=2026-03-31";
    let page = text(&client, &format!("/returns?{march}")).await;
    for shown in [
        "€23.75",
        "Damaged or faulty",
        "Arrived too late",
        "2 of 5",
        "40.0%",
        "href=\"/orders/o1\"",
        "href=\"/orders/o2\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // A reason narrows the list, and the range stays.
    let narrowed = text(&client, &format!("/returns?{march}&reason=late")).await;
    assert!(!narrowed.contains("href=\"/orders/o1\"") && narrowed.contains("href=\"/orders/o2\""), "{narrowed}");
    assert!(narrowed.contains("Remove filter: Reason Arrived too late"), "{narrowed}");
    assert!(
        text(&client, "/returns?dateFrom=2026-01-01&dateTo=2026-01-31")
            .await
            .contains("Nothing came back in this period")
    );
    let list = text(&client, "/orders?refunded=true").await;
    assert!(
        list.contains("Refunded €11.25") && list.contains("Refunded €12.50") && !list.contains("href=\"/orders/o3\""),
        "{list}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_product_has_its_own_course_and_a_category_narrows_the_dashboard() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let march = "dateFrom=2026-03-01&dateTo=2026-03-31";
    let page = text(&client, &format!("/products/e1?{march}")).await;
    assert!(
        page.contains("€60.00")
            && page.contains(": show orders")
            && page.contains("Net sales over time")
            && page.contains("form[name]"),
        "{page}"
    );
    let rows = format!("href=\"/orders?{march}&counted=true&product=e1\"").replace('&', "&amp;");
    assert!(page.contains(&rows), "{page}");
    let dashboard = text(&client, &format!("/?{march}&category=Mugs")).await;
    assert!(dashboard.contains("Remove filter: Category Mugs") && dashboard.contains("€60.00"), "{dashboard}");
    assert!(!dashboard.contains("Low stock"), "stock is of no part: {dashboard}");
    let none = text(&client, &format!("/?{march}&category=Bowls")).await;
    assert!(none.contains("No sales in this period"), "{none}");
    let statuses = text(&client, &format!("/?{march}")).await;
    assert!(statuses.contains("status=pending"), "{statuses}");
    assert_eq!(open(&client, &format!("/?{march}&product=n1")).await.status(), 404, "another's product");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_narrowed_list_of_refunds_is_exported_as_it_is_narrowed() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let refund = json!({ "amount": 500, "refundedAt": "2026-03-16T12:00:00Z" });
    assert_eq!(client.post("/api/vendor/orders/o1/refunds", &refund).await.status(), 201);
    let days = "dateFrom=2026-03-01&dateTo=2026-03-31";
    let file = |query: &str| {
        format!("href=\"/api/vendor/analytics/export.csv?{days}{query}&table=refunds\"").replace('&', "&amp;")
    };
    for (narrowed, query, name) in [
        ("", "", ">Export refunds<"),
        ("&product=e1", "&product=e1", ">Export refunds<"),
        ("&product=e1&reason=none", "&product=e1", ">Export refunds for every reason<"),
    ] {
        let page = text(&client, &format!("/returns?{days}{narrowed}")).await;
        assert!(page.contains(&file(query)) && page.contains(name), "{narrowed}: {page}");
    }
}
