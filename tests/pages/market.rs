//! The marketplace's page: what it compares with what, and whom it points at.

use jiff::Timestamp;
use serde_json::json;
use vendorscope::domain::{market_comparison::PreviousPoint, period::DateRange};

use super::{open, without_tags};
use crate::harness::{Client, Market, TestApp, databases};

async fn sell(app: &TestApp, vendor: &str, product: &str, quantity: i64, at: &str) {
    let order = json!({ "customer": { "name": "Mira", "country": "Austria" }, "placedAt": at,
        "lines": [{ "productId": product, "quantity": quantity }] });
    let client = app.log_in_as_vendor(vendor).await;
    assert_eq!(client.post("/api/vendor/orders", &order).await.status(), 201, "{vendor} {at}");
}

/// The page's text from one heading to another, without its tags.
async fn between(admin: &Client, query: &str, first: &str, then: &str) -> String {
    let page = open(admin, &format!("/admin?{query}")).await;
    assert_eq!(page.status(), 200, "{query}");
    let page = page.text().await.expect("a text");
    let (_, part) = page.split_once(first).unwrap_or_else(|| panic!("{first}: {page}"));
    without_tags(part.split(then).next().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_marketplace_says_who_rises_who_falls_and_who_sold_nothing() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let admin = app.log_in_as_admin().await;
        // In the bundle: 60.00 of Ton and 10.00 of Hudson from 8 to 14 March. The week before: 12.50 and 40.00.
        sell(&app, "eur", "e1", 1, "2026-03-03T12:00:00Z").await;
        sell(&app, "nyc", "n1", 4, "2026-03-04T12:00:00Z").await;
        let week = "dateFrom=2026-03-08&dateTo=2026-03-14";
        let lead = between(&admin, week, "<h1>", "<form").await;
        assert!(lead.contains("2 of 4 vendors had sales") && lead.contains("Compared with 1–7 Mar 2026."), "{lead}");
        assert!(lead.contains("Updated"), "how old it is: {lead}");
        let overview = between(&admin, week, "By currency", "JPY").await;
        assert!(overview.contains("€70.00") && overview.contains("+33.3%"), "{overview}");
        let chart = between(&admin, week, "<figure", "</figure>").await;
        for text in ["8–14 Mar 2026: €70.00", "1–7 Mar 2026: €52.50", "Grey bars: 1–7 Mar 2026, aligned by day."]
        {
            assert!(chart.contains(text), "{text}: {chart}");
        }
        let top = between(&admin, week, "Top vendors", "Biggest movers").await;
        assert!(top.find("Ton") < top.find("Hudson"), "{top}");
        assert!(top.contains("+380.0%") && top.contains("−75.0%"), "{top}");
        let movers = between(&admin, week, "Biggest movers in EUR", "Sold nothing").await;
        assert!(movers.contains("+€47.50") && movers.contains("−€30.00"), "{movers}");
        assert!(movers.find("Ton") < movers.find("Falling") && movers.find("Falling") < movers.find("Hudson"));
        let silent = between(&admin, week, "Sold nothing", "Returns rising").await;
        assert!(silent.contains("Dar0 orders before") && silent.contains("Kaze"), "{silent}");
        // A write shows at once.
        sell(&app, "kwd", "k1", 1, "2026-03-09T12:00:00Z").await;
        let silent = between(&admin, week, "Sold nothing", "Returns rising").await;
        assert!(!silent.contains("Dar") && silent.contains("Kaze"), "{silent}");
        let of_kwd = between(&admin, &format!("{week}&currency=KWD"), "Biggest movers in KWD", "Sold nothing").await;
        assert!(
            of_kwd.contains("Dar")
                && of_kwd.contains("+KWD")
                && of_kwd.contains("7.250")
                && !of_kwd.contains("Falling"),
            "{of_kwd}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_day_that_is_not_over_is_compared_up_to_each_vendors_own_hour() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        // Of the bundle: 37.50 in Berlin, 12 March at 13:00 there.
        for (vendor, product, quantity, at) in [
            // The week before that, and the day before.
            ("eur", "e1", 1, "2026-03-05T10:00:00Z"),
            ("eur", "e1", 2, "2026-03-05T16:00:00Z"),
            ("eur", "e1", 1, "2026-03-11T00:30:00Z"),
            ("nyc", "n1", 1, "2026-03-11T14:30:00Z"),
            ("eur", "e1", 2, "2026-03-11T18:00:00Z"),
            ("nyc", "n1", 3, "2026-03-11T20:00:00Z"),
            ("nyc", "n1", 2, "2026-03-12T14:10:00Z"),
        ] {
            sell(&app, vendor, product, quantity, at).await;
        }
        let range = |from: &str, to: &str| DateRange::parse(from, to).expect("a range");
        let euros = async |range, previous, now: &str| {
            let now: Timestamp = now.parse().expect("an instant");
            let served = app.state().marketplace.comparison(range, previous, now).await.expect("figures");
            let eur = served.value.currencies.iter().find(|of| of.currency.code() == "EUR").expect("EUR").clone();
            (eur, served.value.is_unfinished)
        };
        let (today, yesterday) = (range("2026-03-12", "2026-03-12"), range("2026-03-11", "2026-03-11"));
        // 16:00 in Berlin, 11:00 in New York.
        let (eur, is_unfinished) = euros(today, yesterday, "2026-03-12T15:00:00Z").await;
        assert!(is_unfinished);
        assert_eq!((eur.net_sales, eur.previous_net_sales), (5_750, 2_250));
        assert_eq!((eur.hours.len(), eur.hours[13], eur.hours[10]), (17, 3_750, 2_000));
        assert_eq!(eur.hours.iter().sum::<i64>(), 5_750);
        let point = |net_sales, whole| PreviousPoint { net_sales, whole };
        assert_eq!(
            [1, 10, 16, 19].map(|hour| eur.previous[hour]),
            [point(1_250, 1_250), point(1_000, 1_000), point(0, 3_000), point(0, 2_500)]
        );
        assert_eq!(eur.previous.iter().map(|point| point.net_sales).sum::<i64>(), 2_250);
        let hudson = eur.top_vendors.iter().find(|vendor| vendor.vendor_id == "nyc").expect("Hudson");
        assert_eq!((hudson.net_sales, hudson.previous_net_sales), (2_000, 1_000));
        // 3:00 in Berlin; in New York it is the day before, of which nothing is compared.
        let (eur, _) = euros(today, yesterday, "2026-03-12T02:00:00Z").await;
        assert_eq!((eur.previous_net_sales, eur.hours.len()), (1_250, 4));
        // Over everywhere.
        let (eur, is_unfinished) = euros(today, yesterday, "2026-03-14T00:00:00Z").await;
        assert_eq!((eur.previous_net_sales, eur.hours.len(), is_unfinished), (7_750, 24, false));
        // Of more days, the last one of the comparison counts up to the hour.
        let (week, before) = (range("2026-03-06", "2026-03-12"), range("2026-02-27", "2026-03-05"));
        let (eur, _) = euros(week, before, "2026-03-12T15:00:00Z").await;
        assert_eq!((eur.previous_net_sales, eur.previous[6]), (1_250, point(1_250, 3_750)));
        let (eur, _) = euros(week, before, "2026-03-20T15:00:00Z").await;
        assert_eq!((eur.previous_net_sales, eur.previous[6]), (3_750, point(3_750, 3_750)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_marketplace_of_today_has_hours_and_that_of_tomorrow_is_refused() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let admin = app.log_in_as_admin().await;
    let lead = between(&admin, "range=today", "<h1>", "<form").await;
    assert!(lead.contains("up to the same hour by each vendor's clock"), "{lead}");
    let chart = between(&admin, "range=today", "<figure", "</figure>").await;
    assert!(chart.contains(", 00:00") && chart.contains("aligned by hour"), "{chart}");
    let page = open(&admin, "/admin?dateFrom=2099-01-01&dateTo=2099-01-31").await;
    assert_eq!(page.status(), 422);
    let page = page.text().await.expect("a text");
    assert!(page.contains("This period hasn't started yet.") && page.contains("value=\"2099-01-31\""), "{page}");
    // What is to come of a range is left out.
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let ends_later = today.saturating_add(jiff::Span::new().days(40));
    let lead = between(&admin, &format!("dateFrom={today}&dateTo={ends_later}"), "<h1>", ":").await;
    assert!(lead.contains(&format!("{} ", today.day())) && !lead.contains('–'), "of one day: {lead}");
}
