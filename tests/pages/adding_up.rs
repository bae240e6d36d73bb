//! Every figure of the dashboard leads to the rows that it is made of, and they come to it.

use serde_json::json;

use super::open;
use crate::harness::{Client, Market, TestApp, databases};

async fn text(client: &Client, path: &str) -> String {
    let response = open(client, path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.expect("a text")
}

/// What a piece of a page says, without its tags.
fn said(html: &str) -> String {
    let mut words = String::new();
    for piece in html.split('<') {
        let text = piece.split_once('>').map_or(piece, |(_, text)| text);
        words.push_str(text);
    }
    words.trim().to_owned()
}

/// A figure that leads somewhere: the heading it stands below, what it says and where it leads.
struct Figure {
    heading: String,
    value: String,
    href: String,
}

fn figures(page: &str) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (at, _) in page.match_indices("<a ") {
        let link = &page[at..];
        let (tag, rest) = link.split_once('>').expect("a tag");
        if !tag.contains("class=\"rows\"") {
            continue;
        }
        let href = tag.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
        let value = rest.split("</a>").next().and_then(|text| text.split("<span").next()).expect("a text");
        let heading = page[..at].rsplit("<h2>").next().and_then(|rest| rest.split("</h2>").next()).expect("a heading");
        figures.push(Figure { heading: said(heading), value: said(value), href: href.replace("&amp;", "&") });
    }
    figures
}

/// The rows of a table's foot, or of its body, as texts.
fn rows(page: &str, part: &str) -> Vec<Vec<String>> {
    let start = format!("<{part}>");
    let Some(table) = page.split(&start).nth(1).and_then(|rest| rest.split(&format!("</{part}>")).next()) else {
        return Vec::new();
    };
    // What a column is called is told again where rows are stacked.
    let cell = |cell: &str| match cell.split_once("class=\"told\">").and_then(|(_, rest)| rest.split_once("</span>")) {
        Some((_, rest)) => said(rest),
        None => said(cell),
    };
    let cells = |row: &str| {
        let row = row.replace("<th ", "\u{1}<th ").replace("<td ", "\u{1}<td ");
        row.split('\u{1}').skip(1).map(cell).collect::<Vec<_>>()
    };
    table.split("<tr").skip(1).map(cells).collect()
}

fn cents(text: &str) -> i64 {
    text.replace(['€', ',', '.'], "").replace('−', "-").parse().expect(text)
}

async fn order(client: &Client, placed_at: &str, status: &str, lines: &[(&str, i64, i64)]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|(id, quantity, price)| json!({ "productId": id, "quantity": quantity, "unitPrice": price }))
        .collect();
    let body = json!({ "customer": { "name": "Mira", "country": "Austria" }, "lines": lines, "placedAt": placed_at,
        "status": status });
    let response = client.post("/api/vendor/orders", &body).await;
    assert_eq!(response.status(), 201);
    let order: serde_json::Value = response.json().await.expect("an order");
    order["orderId"].as_str().expect("an id").to_owned()
}

/// Beside what the market has: an order of two products, one that was cancelled, and one from before the range, part of
/// which came back within it.
async fn stocked(client: &Client) {
    order(client, "2026-03-11T12:00:00Z", "shipped", &[("e1", 1, 1_000), ("e2", 1, 700)]).await;
    let cancelled = order(client, "2026-03-12T12:00:00Z", "processing", &[("e1", 4, 1_250)]).await;
    let path = format!("/api/vendor/orders/{cancelled}");
    assert_eq!(client.patch(&path, &json!({ "status": "cancelled" })).await.status(), 200);
    let early = order(client, "2026-03-01T12:00:00Z", "delivered", &[("e1", 2, 1_250)]).await;
    for (order, refund) in [
        (early.as_str(), json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-03-15T12:00:00Z" })),
        ("o1", json!({ "amount": 500, "refundedAt": "2026-03-16T12:00:00Z" })),
        // Of what was sold in the range, but after it.
        ("o2", json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-04-02T12:00:00Z" })),
    ] {
        assert_eq!(client.post(&format!("/api/vendor/orders/{order}/refunds"), &refund).await.status(), 201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_figure_leads_to_rows_that_come_to_it() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        stocked(&client).await;
        let days = "dateFrom=2026-03-10&dateTo=2026-03-31";
        for narrowed in ["", "&product=e1", "&category=Bowls", "&status=processing", "&status=cancelled"] {
            let dashboard = text(&client, &format!("/?{days}{narrowed}")).await;
            let figures = figures(&dashboard);
            assert!(figures.len() > 8, "{narrowed}: {}", figures.len());
            for Figure { heading, value, href } in figures {
                let page = text(&client, &href).await;
                let case = format!("{narrowed} {heading} {value} {href}");
                if href.starts_with("/returns") {
                    assert!(page.contains(&format!("<span>{value}<")), "{case}");
                    continue;
                }
                let foot = rows(&page, "tfoot");
                let of = |name: &str| {
                    let row = foot.iter().find(|row| row[0].starts_with(name));
                    row.unwrap_or_else(|| panic!("{case}: no {name} in {foot:?}"))
                };
                let shown = match heading.as_str() {
                    "Net sales" | "Top products" | "Top categories" => of("Net sales")[5].clone(),
                    "Payable" => of("Payable")[5].clone(),
                    "Units" => of("Net sales")[4].clone(),
                    "Customers" => foot[0][2].split(' ').next().expect("a number").to_owned(),
                    "Orders" | "Orders by status" => foot[0][0].split(' ').next().expect("a number").to_owned(),
                    "Returns" => match foot.iter().find(|row| row[0].starts_with("Returned")) {
                        Some(row) => row[5].trim_start_matches('−').to_owned(),
                        None => "€0.00".to_owned(),
                    },
                    "Average order value" => {
                        let orders: i64 = foot[0][0].split(' ').next().expect("a number").parse().expect("a number");
                        let average = (cents(&of("Net sales")[5]) as f64 / orders as f64).round();
                        format!("€{:.2}", average / 100.0)
                    }
                    other => panic!("{case}: what of {other}?"),
                };
                assert_eq!(shown, value, "{case}: {foot:?}");
                // The rows come to the first line, and that less what came back to the last.
                let body = rows(&page, "tbody");
                assert_eq!(body.iter().map(|row| cents(&row[5])).sum::<i64>(), cents(&foot[0][5]), "{case}: {foot:?}");
                let sold = foot.iter().find(|row| row[0].starts_with("Only this")).unwrap_or(&foot[0]);
                let returned = foot.iter().find(|row| row[0].starts_with("Returned"));
                let sums = |column: usize, read: fn(&str) -> i64| {
                    read(&sold[column]) + returned.map_or(0, |row| read(&row[column]))
                };
                assert_eq!(sums(5, cents), cents(&of("Net sales")[5]), "{case}: {foot:?}");
                assert_eq!(sums(4, cents), cents(&of("Net sales")[4]), "{case}: {foot:?}");
            }
        }
        // 22.50 + 37.50 + 17.00 were sold; 12.50 and 5.00 came back.
        let foot = rows(&text(&client, &format!("/orders?{days}&counted=true")).await, "tfoot");
        assert_eq!(foot[0][..1].concat() + &foot[0][5], "3 orders€77.00", "{foot:?}");
        assert_eq!(foot[1][5], "−€17.50", "{foot:?}");
        // On days on which nothing was sold, too.
        let returned = text(&client, "/orders?dateFrom=2026-03-15&dateTo=2026-03-16&counted=true").await;
        let foot = rows(&returned, "tfoot");
        assert_eq!((foot[0][5].as_str(), foot[2][5].as_str()), ("€0.00", "−€17.50"), "{foot:?}");
    }
}

/// The table below a heading.
fn below<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(&format!("<h2>{heading}<")).unwrap_or_else(|| panic!("no {heading}: {page}"));
    &page[start..]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_list_leaves_out_is_in_it_as_others_and_all_come_to_the_card() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    for number in 1..=12 {
        let product = json!({ "name": format!("Plate {number}"), "category": format!("Plates {number}"),
            "unitPrice": 100 * number, "stock": 9 });
        let response = client.post("/api/vendor/products", &product).await;
        assert_eq!(response.status(), 201);
        let product: serde_json::Value = response.json().await.expect("a product");
        let id = product["productId"].as_str().expect("an id");
        let sold = order(&client, "2026-03-11T12:00:00Z", "shipped", &[(id, 1, 100 * number)]).await;
        let refund = json!({ "amount": number, "refundedAt": "2026-03-12T12:00:00Z" });
        assert_eq!(client.post(&format!("/api/vendor/orders/{sold}/refunds"), &refund).await.status(), 201);
    }
    let page = text(&client, "/?dateFrom=2026-03-10&dateTo=2026-03-31").await;
    for (heading, others) in [("Top products", "€5.94"), ("Top categories", "€5.94")] {
        let foot = rows(below(&page, heading), "tfoot");
        // Mugs of 60 and plates of 1 to 12 less their cents: 137.22; the three least are of 0.99, 1.98 and 2.97.
        assert_eq!(foot[0], ["Others", "3", others], "{heading}: {foot:?}");
        assert_eq!(foot[1], ["Total", "17", "€137.22"], "{heading}: {foot:?}");
    }
    let returns = text(&client, "/returns?dateFrom=2026-03-10&dateTo=2026-03-31").await;
    let foot = rows(below(&returns, "By product"), "tfoot");
    assert_eq!((foot[0][0].as_str(), foot[0][3].as_str()), ("Total", "€0.78"), "{foot:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_period_in_which_nothing_counted_says_what_there_was() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let page = text(&client, "/?dateFrom=2026-03-14&dateTo=2026-03-14").await;
    assert!(page.contains("No order counted as a sale: 1 is pending, cancelled or failed."), "{page}");
    let href = "/orders?dateFrom=2026-03-14&amp;dateTo=2026-03-14&amp;counted=false";
    assert!(page.contains(&format!("href=\"{href}\"")), "{page}");
    assert!(text(&client, &href.replace("&amp;", "&")).await.contains(">o3<"));
    let page = text(&client, "/?dateFrom=2026-03-15&dateTo=2026-03-15").await;
    assert!(page.contains("There were no orders or returns."), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_products_page_says_how_long_it_lasts_and_what_happened_to_it() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let page = text(&client, "/products/e1").await;
    assert!(page.contains("100 units in stock, not selling"), "{page}");
    let today = jiff::Timestamp::now();
    order(&client, &today.to_string(), "processing", &[("e1", 8, 1_250)]).await;
    for (product, price) in [("e1", 1_300), ("e2", 800)] {
        let change = json!({ "productIds": [product], "changes": { "unitPrice": price } });
        assert_eq!(client.patch("/api/vendor/products/bulk", &change).await.status(), 200);
    }
    let page = text(&client, "/products/e1").await;
    // 8 in 28 days: 92 left last 322.
    assert!(page.contains("92 units in stock, lasts 322 days"), "{page}");
    assert!(page.contains("What happened") && page.contains("€13.00") && !page.contains("€8.00"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_that_count_are_told_from_those_that_do_not() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        let cancelled = order(&client, "2026-03-12T12:00:00Z", "processing", &[("e1", 4, 1_250)]).await;
        let path = format!("/api/vendor/orders/{cancelled}");
        assert_eq!(client.patch(&path, &json!({ "status": "cancelled" })).await.status(), 200);
        let listed = async |query: &str| {
            let page = client.get_json(&format!("/api/vendor/orders?{query}")).await;
            let ids = page["orders"].as_array().expect("a list").iter().map(|order| order["orderId"].clone());
            ids.collect::<Vec<_>>()
        };
        assert_eq!(listed("counted=true").await, [json!("o2"), json!("o1")]);
        assert_eq!(listed("counted=false").await, [json!("o3"), json!(cancelled)]);
        let refused = client.get("/api/vendor/orders?counted=yes").await;
        assert_eq!(refused.status(), 422);
        assert!(refused.text().await.expect("a text").contains("counted"));
        let days = "dateFrom=2026-03-01&dateTo=2026-03-31&counted=true";
        let page = client.get_json(&format!("/api/vendor/orders?{days}&category=Mugs")).await;
        assert_eq!((&page["lines"]["total"], &page["figures"]["netSales"]), (&json!(6_000), &json!(6_000)));
        assert_eq!(client.get_json("/api/vendor/orders?counted=true").await.get("figures"), None, "of no days");
        // A page says that it is narrowed, and how to see the others too.
        let page = text(&client, &format!("/orders?{days}")).await;
        assert!(page.contains("aria-label=\"Remove filter: Sales Counted as sales\""), "{page}");
        assert!(page.contains("href=\"/orders?dateFrom=2026-03-01&amp;dateTo=2026-03-31\""), "{page}");
        // So does the form, among the statuses.
        let page = text(&client, "/orders?status=uncounted").await;
        assert!(page.contains(">o3<") && !page.contains(">o1<"), "{page}");
        assert!(page.contains("href=\"/orders?counted=false&amp;sort="), "{page}");
        let file = client.get("/api/vendor/orders.csv?counted=false").await.text().await.expect("a text");
        assert!(file.contains("o3,") && !file.contains("o1,"), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_does_not_count_is_shown_as_not_paid() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    stocked(&client).await;
    let days = "dateFrom=2026-03-10&dateTo=2026-03-31&status=cancelled";
    let foot = rows(&text(&client, &format!("/orders?{days}")).await, "tfoot");
    let of = |name: &str| foot.iter().find(|row| row[0] == name).map(|row| row[5].as_str());
    assert_eq!([of("Net sales"), of("Not paid"), of("Payable")], [Some("€50.00"), Some("−€50.00"), Some("€0.00")]);
    assert_eq!(of("Commission"), None, "{foot:?}");
    let dashboard = super::without_tags(&text(&client, &format!("/?{days}&compare=previous_period")).await);
    assert!(
        dashboard.contains("Not paid") && dashboard.contains("€50.00 net, of which nothing is paid"),
        "{dashboard}"
    );
}
