//! The table beside the chart, as a browser without scripts gets it.

use serde_json::json;

use super::{open, without_tags};
use crate::harness::{Client, Market, TestApp, databases};

/// The cells of the table's rows, as texts.
async fn rows(client: &Client, query: &str) -> Vec<Vec<String>> {
    let page = open(client, &format!("/?{query}")).await.text().await.expect("a text");
    let table = page.split("Show as a table").nth(1).expect("the table").split("<tfoot").next().expect("its end");
    let cells = |row: &str| {
        let starts = row.replace("<th", "\u{1}<t").replace("<td", "\u{1}<t");
        starts.split('\u{1}').skip(1).map(without_tags).collect::<Vec<_>>()
    };
    table.split("<tr").skip(2).map(cells).collect()
}

fn euros<'a>(cells: impl Iterator<Item = &'a String>) -> i64 {
    cells
        .filter(|cell| *cell != "—")
        .map(|cell| cell.replace(['€', ',', '.'], "").replace('−', "-").parse::<i64>().expect(cell))
        .sum()
}

async fn order(client: &Client, placed_at: &str) {
    let body = json!({ "customer": { "name": "Mira", "country": "Austria" },
        "lines": [{ "productId": "e1", "quantity": 1, "unitPrice": 1000 }], "placedAt": placed_at });
    assert_eq!(client.post("/api/vendor/orders", &body).await.status(), 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_compared_day_is_named_and_the_column_comes_to_its_card() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    order(&client, "2026-01-30T12:00:00Z").await;
    // January is longer than February: its last days have rows of their own.
    let rows_of_february = rows(&client, "dateFrom=2026-02-01&dateTo=2026-02-28").await;
    assert_eq!(rows_of_february.len(), 31);
    assert_eq!(euros(rows_of_february.iter().map(|row| &row[8])), 1_000);
    assert!(
        rows_of_february[29][7].contains("30 Jan 2026") && rows_of_february[29][0] == "—",
        "{:?}",
        rows_of_february[29]
    );
    assert!(
        rows_of_february[0][0].contains("1 Feb 2026") && rows_of_february[0][7].contains("1 Jan 2026"),
        "{:?}",
        rows_of_february[0]
    );
    // A leap day has 1 March beside it, and says so.
    let leap = rows(&client, "dateFrom=2024-02-01&dateTo=2024-03-31&compare=previous_year").await;
    assert!(leap[28][0].contains("29 Feb 2024") && leap[28][7].contains("1 Mar 2023"), "{:?}", leap[28]);
    // Without a comparison there is no column.
    assert_eq!(rows(&client, "dateFrom=2026-02-01&dateTo=2026-02-28&compare=none").await[0].len(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn weeks_and_parts_of_months_stand_beside_as_many_days_and_say_which() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        for day in ["2026-02-20", "2026-02-26", "2026-03-04"] {
            order(&client, &format!("{day}T12:00:00Z")).await;
        }
        // 9 to 26 March is compared with 19 February to 8 March: each week with seven days, from a Thursday on.
        let days = "dateFrom=2026-03-09&dateTo=2026-03-26";
        for narrowed in ["", "&product=e1"] {
            let weeks = rows(&client, &format!("{days}&interval=week{narrowed}")).await;
            let labels: Vec<_> = weeks.iter().map(|row| (row[0].as_str(), row[7].as_str(), row[8].as_str())).collect();
            let expected = [
                ("Week of 9 Mar 2026", "19–25 Feb 2026", "€10.00"),
                ("Week of 16 Mar 2026", "26 Feb – 4 Mar 2026", "€20.00"),
                ("23–26 Mar 2026", "5–8 Mar 2026", "€0.00"),
            ];
            assert_eq!(labels, expected, "{narrowed}");
        }
        let snapshot = client.get_json(&format!("/api/vendor/analytics/snapshot?{days}&interval=week")).await;
        let before = snapshot["previousSeries"].as_array().expect("a list").iter();
        let before: Vec<_> = before.map(|point| (point["start"].as_str(), point["customers"].as_i64())).collect();
        assert_eq!(before[..2], [(Some("2026-02-19"), Some(1)), (Some("2026-02-26"), Some(2))]);
        for (interval, said) in [
            ("day", "aligned by day."),
            ("week", "each point beside one of as many days."),
            ("month", "each point beside one of as many days."),
            ("month&compare=previous_year", "aligned by month."),
        ] {
            let page = open(&client, &format!("/?{days}&interval={interval}")).await.text().await.expect("a text");
            assert!(page.contains(said), "{interval}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_hours_of_an_autumn_night_say_which_they_are() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let night = rows(&client, "dateFrom=2025-10-26&dateTo=2025-10-26&interval=hour").await;
    let labels: Vec<&str> = night.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(labels.len(), 25);
    assert!(labels[2].contains("02:00 (UTC+02") && labels[3].contains("02:00 (UTC+01"), "{labels:?}");
    assert!(!labels[1].contains("UTC") && !labels[4].contains("UTC"), "{labels:?}");
    // A day of 24 hours after it: the 25th of the day before has a row of its own.
    let after = rows(&client, "dateFrom=2025-10-27&dateTo=2025-10-27&interval=hour").await;
    assert_eq!((after.len(), after[24][0].as_str()), (25, "—"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_payable_has_a_course_of_its_own_and_a_column_beside_it() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    // A tenth of what is sold is the marketplace's; of what came back it gives its tenth back.
    let refund = json!({ "amount": 1_000, "refundedAt": "2026-03-11T12:00:00Z" });
    assert_eq!(client.post("/api/vendor/orders/o1/refunds", &refund).await.status(), 201);
    let days = "dateFrom=2026-03-10&dateTo=2026-03-12&compare=none";
    let payable: Vec<_> = rows(&client, &format!("{days}&metric=payable")).await;
    let last = |rows: &[Vec<String>]| rows.iter().map(|row| row.last().expect("a cell").clone()).collect::<Vec<_>>();
    assert_eq!(last(&payable), ["€20.25", "−€9.00", "€33.75"]);
    assert_eq!(last(&rows(&client, days).await), ["€22.50", "−€10.00", "€37.50"], "net sales: no column of its own");
    let page = open(&client, &format!("/?{days}&metric=payable")).await.text().await.expect("a text");
    let marks = page.split("data-marks=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a chart");
    let read = ["Tue 10 Mar 2026: €20.25", "Wed 11 Mar 2026: −€9.00", "Thu 12 Mar 2026: €33.75"];
    assert!(marks.lines().zip(read).all(|(line, said)| line.contains(said)), "{marks}");
    assert!(page.contains("Payable over time"), "{page}");
}

/// What a part of the dashboard says, row by row, without what only listeners hear.
async fn panel(client: &Client, query: &str, heading: &str) -> String {
    let page = open(client, &format!("/?{query}")).await.text().await.expect("a text").replace("<!>", "");
    let part =
        page.split(&format!("<h2>{heading}</h2>")).nth(1).unwrap_or_else(|| panic!("{query}: {heading}: {page}"));
    let part = part.split("<tbody>").nth(1).expect("a table").split("</table>").next().expect("its end");
    let mut text = String::new();
    for piece in part.replace("<span class=\"unseen\">", "\u{1}").split('<') {
        let seen = piece.split_once('>').map_or("", |(_, seen)| seen);
        text.push_str(seen.split('\u{1}').next().unwrap_or_default());
        text.push(if piece.starts_with("/tr") { '\n' } else { ' ' });
    }
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lists_of_a_part_and_of_statuses_say_what_they_did_before() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let client = app.log_in_as_vendor("eur").await;
        // Three mugs, after two at a discount on the days before; the first order is delivered, the second one is not.
        let days = "dateFrom=2026-03-12&dateTo=2026-03-13";
        for (part, mug) in [
            ("", "Mug 3 €37.50 ↑ +66.7%"),
            ("&category=Mugs", "Mug 3 €37.50 ↑ +66.7%"),
            ("&product=e1", "Mug 3 €37.50 ↑ +66.7%"),
            ("&status=processing", "Mug 3 €37.50 ↑ new"),
        ] {
            let products = panel(&client, &format!("{days}{part}"), "Top products").await;
            assert_eq!(products.lines().next(), Some(mug), "{part}: {products}");
            let categories = panel(&client, &format!("{days}{part}"), "Top categories").await;
            let change = mug.strip_prefix("Mug ").expect("a change");
            assert_eq!(categories.lines().next(), Some(format!("Mugs {change}").as_str()), "{part}: {categories}");
        }
        for (query, orders) in [
            (days.to_owned(), "Processing 1 100.0% ↑ new"),
            (format!("{days}&category=Mugs"), "Processing 1 100.0% ↑ new"),
            ("dateFrom=2026-03-10&dateTo=2026-03-11&category=Mugs".to_owned(), "Delivered 1 100.0% ↑ new"),
            ("dateFrom=2026-03-12&dateTo=2026-03-14&category=Bowls".to_owned(), "Pending 1 100.0% ↑ new"),
        ] {
            let statuses = panel(&client, &query, "Orders by status").await;
            assert_eq!(statuses.lines().next(), Some(orders), "{query}: {statuses}");
        }
        // Without a comparison there is nothing to say.
        let products = panel(&client, &format!("{days}&category=Mugs&compare=none"), "Top products").await;
        assert_eq!(products.lines().next(), Some("Mug 3 €37.50"), "{products}");
        // Of a category there is not, nothing is kept: nobody fills the cache with names.
        assert_eq!(open(&client, &format!("/?{days}&category=Nothing")).await.status(), 200);
    }
}
