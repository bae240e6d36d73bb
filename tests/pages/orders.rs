use super::{location, open, submit};
use crate::harness::{Market, TestApp};

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
        ("form[restock]", "yes"),
    ];
    let response = submit(&client, "/_fn/order/refund", &of_line).await;
    let made = location(&response).to_owned();
    assert!(response.status() == 302 && made.starts_with("/orders/o1?refunded=1125&refundedAt=20"), "{made}");
    let page = text(&client, &made).await;
    assert!(page.contains("Refunded €11.25.") && page.contains("−€11.25 (1 unit)"), "{page}");

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
    assert_eq!(
        page.matches("Show as a table").count(),
        1,
        "a chart of the currency that is open, and its values: {page}"
    );
    let page = text(&admin, "/admin?dateFrom=2026-03-01&dateTo=2026-03-31&currency=KWD").await;
    assert!(page.contains("Net sales in KWD over time"), "{page}");
    assert_eq!(open(&app.log_in_as_vendor("eur").await, "/admin").await.status(), 403);
}
