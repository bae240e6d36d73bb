//! Where figures like these are got wrong elsewhere: one test for each, over HTTP, on both databases. (`analytics.md`
//! numbers them.)

use std::time::Duration;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use vendorscope::domain::accounts::VendorRef;
use vendorscope_cache::{Cache, Clock, Outcome, store::memory::MemoryStore};

use vendorscope::server::{
    db::rollups,
    import::ImportOptions,
    services::analytics::{Analytics, SnapshotQuery},
    services::import::import_bundle,
};

use crate::harness::{Client, Market, TestApp, Unwatched, databases};

async fn apps() -> Vec<(TestApp, Market)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        apps.push((TestApp::builder().database(&database).bundle(market.path()).spawn().await, market));
    }
    apps
}

async fn snapshot(client: &Client, from: &str, to: &str, more: &str) -> Value {
    client.get_json(&format!("/api/vendor/analytics/snapshot?dateFrom={from}&dateTo={to}{more}")).await
}

async fn post(client: &Client, path: &str, body: Value) -> Value {
    let response = client.post(path, &body).await;
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert!(status.is_success(), "{path} {body}: {text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Notes an order of one unit and returns its path.
async fn order(client: &Client, product: &str, placed_at: &str) -> String {
    let body = json!({ "customer": { "name": "Mira", "country": "Austria" },
        "lines": [{ "productId": product, "quantity": 1 }], "placedAt": placed_at });
    format!("/api/vendor/orders/{}", post(client, "/api/vendor/orders", body).await["orderId"].as_str().expect("an id"))
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is no integer"))
}

/// Of the starts that have orders.
fn starts(snapshot: &Value) -> Vec<&str> {
    let points = snapshot["series"].as_array().expect("a series").iter();
    points.filter(|point| int(&point["orders"]) > 0).map(|point| point["start"].as_str().expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_1_days_are_the_vendors_own_whatever_its_clocks_do() {
    for (app, _) in apps().await {
        let (eur, jpy) = (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("jpy").await);
        // The last minute of 29 June in Berlin and the first of the 30th; both are the 30th in Tokyo.
        for at in ["2026-06-29T21:59:00Z", "2026-06-29T22:00:00Z"] {
            order(&eur, "e1", at).await;
            order(&jpy, "j1", at).await;
        }
        assert_eq!(
            starts(&snapshot(&eur, "2026-06-28", "2026-07-01", "&interval=day").await),
            ["2026-06-29", "2026-06-30"]
        );
        assert_eq!(starts(&snapshot(&jpy, "2026-06-28", "2026-07-01", "&interval=day").await), ["2026-06-30"]);
        // Clocks go forward and back: days of 23 and of 25 hours.
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-30", 24)] {
            let shown = snapshot(&eur, day, day, "&interval=hour").await;
            assert_eq!(shown["series"].as_array().expect("a series").len(), hours, "{day}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_2_the_last_day_of_a_range_is_whole_and_the_next_one_is_not_in_it() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        for at in [
            "2026-05-01T21:59:59.999999Z",
            "2026-05-01T22:00:00Z",
            "2026-04-30T21:59:59.999999Z",
            "2026-04-30T22:00:00Z",
        ] {
            order(&eur, "e1", at).await;
        }
        assert_eq!(snapshot(&eur, "2026-05-01", "2026-05-01", "").await["totals"]["orders"], 2);
        // Each on its day: one too many at the one end would make up for one too few at the other.
        let days = snapshot(&eur, "2026-04-30", "2026-05-02", "&interval=day").await;
        let orders: Vec<_> =
            days["series"].as_array().expect("a series").iter().map(|day| int(&day["orders"])).collect();
        assert_eq!(orders, [1, 2, 1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_3_whole_months_compare_with_whole_months_and_both_ranges_are_stated() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        order(&eur, "e1", "2026-02-01T12:00:00Z").await;
        let march = snapshot(&eur, "2026-03-01", "2026-03-31", "").await;
        assert_eq!(
            march["comparison"],
            json!({ "kind": "previous_period", "from": "2026-02-01", "to": "2026-02-28", "days": 28 })
        );
        assert_eq!((&march["range"]["days"], &march["previousTotals"]["orders"]), (&json!(31), &json!(1)));
        let days = snapshot(&eur, "2026-03-10", "2026-03-16", "").await;
        assert_eq!(
            (&days["comparison"]["from"], &days["comparison"]["to"]),
            (&json!("2026-03-03"), &json!("2026-03-09"))
        );
        let leap = snapshot(&eur, "2024-02-29", "2024-02-29", "&compare=previous_year").await;
        assert_eq!((&leap["comparison"]["from"], &leap["comparison"]["days"]), (&json!("2023-02-28"), &json!(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_4_a_partial_and_then_a_full_refund_count_once() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        let path = "/api/vendor/orders/o1/refunds";
        // 22.50 for two: 10.00 on the order as a whole, then a unit of the line, then whatever is left.
        post(&eur, path, json!({ "amount": 1_000, "refundedAt": "2026-03-15T10:00:00Z" })).await;
        post(&eur, path, json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-03-16T10:00:00Z" }))
            .await;
        post(&eur, path, json!({ "lines": [{ "line": 1, "quantity": 1 }], "refundedAt": "2026-03-17T10:00:00Z" }))
            .await;
        let totals = &snapshot(&eur, "2026-03-01", "2026-03-31", "").await["totals"];
        // o2 remains: three at 12.50.
        assert_eq!(
            [&totals["returns"], &totals["netSales"], &totals["units"], &totals["commission"], &totals["orders"]]
                .map(int),
            [2_250, 3_750, 3, 375, 2]
        );
        assert_eq!(eur.post(path, &json!({ "amount": 1 })).await.status(), 422, "nothing is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_5_of_an_order_of_two_vendors_each_sees_its_own_part() {
    for (app, _) in apps().await {
        let admin = app.log_in_as_admin().await;
        let sent = json!({
            "orderId": "both", "customer": { "customerId": "c2" }, "placedAt": "2026-07-01T10:00:00Z",
                "status": "shipped", "discount": 700,
            "lines": [
                { "productId": "e1", "quantity": 2, "unitPrice": 1_250 },
                { "productId": "n1", "quantity": 1, "unitPrice": 1_000 },
            ],
        });
        post(&admin, "/api/ingest/orders", json!({ "orders": [sent] })).await;
        for (vendor, gross, discount) in [("eur", 2_500, 500), ("nyc", 1_000, 200)] {
            let client = app.log_in_as_vendor(vendor).await;
            let totals = &snapshot(&client, "2026-07-01", "2026-07-01", "").await["totals"];
            assert_eq!(
                [&totals["grossSales"], &totals["discounts"], &totals["orders"], &totals["customers"]].map(int),
                [gross, discount, 1, 1]
            );
            let lines = client.get_json("/api/vendor/orders/both").await["lines"].clone();
            assert_eq!(lines.as_array().expect("lines").len(), 1);
        }
        // A cancellation by one vendor leaves the other's part alone.
        let (eur, nyc) = (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await);
        assert_eq!(eur.patch("/api/vendor/orders/both", &json!({ "status": "cancelled" })).await.status(), 200);
        assert_eq!(snapshot(&eur, "2026-07-01", "2026-07-01", "").await["totals"]["orders"], 0);
        assert_eq!(snapshot(&nyc, "2026-07-01", "2026-07-01", "").await["totals"]["orders"], 1);
        assert_eq!(nyc.get_json("/api/vendor/orders/both").await["status"], "shipped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_6_lines_and_refunds_do_not_multiply_each_other() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        let body = json!({
            "customer": { "customerId": "c1" },
            "lines": [{ "productId": "e1", "quantity": 3, "discount": 50 }, { "productId": "e2", "quantity": 3 }],
            "placedAt": "2026-07-02T10:00:00Z",
        });
        let placed = post(&eur, "/api/vendor/orders", body).await;
        let path = format!("/api/vendor/orders/{}/refunds", placed["orderId"].as_str().expect("an id"));
        for hour in 10..13 {
            let refund = json!({ "lines": [{ "line": 1, "quantity": 1, "amount": 10 },
                { "line": 2, "quantity": 1, "amount": 20 }], "refundedAt": format!("2026-07-03T{hour}:00:00Z") });
            post(&eur, &path, refund).await;
        }
        let shown = snapshot(&eur, "2026-07-01", "2026-07-04", "&interval=hour").await;
        let totals = &shown["totals"];
        assert_eq!(
            [&totals["grossSales"], &totals["discounts"], &totals["returns"], &totals["units"], &totals["orders"]]
                .map(int),
            [3_750 + 2_100, 50, 90, 0, 1]
        );
        let products: Vec<_> =
            shown["topProducts"].as_array().expect("a list").iter().map(|one| int(&one["netSales"])).collect();
        assert_eq!(products, [3_700 - 30, 2_100 - 60]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_7_a_series_has_no_gaps_and_sums_to_the_totals_and_customers_are_not_summed() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        for at in ["2026-03-20T10:00:00Z", "2026-03-25T10:00:00Z"] {
            let body = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
                "placedAt": at });
            post(&eur, "/api/vendor/orders", body).await;
        }
        for (interval, points) in [("day", 31), ("week", 6), ("month", 1), ("hour", 31 * 24 - 1)] {
            let shown = snapshot(&eur, "2026-03-01", "2026-03-31", &format!("&interval={interval}")).await;
            let series = shown["series"].as_array().expect("a series");
            assert_eq!(series.len(), points, "{interval}");
            for figure in ["grossSales", "discounts", "returns", "netSales", "orders", "units"] {
                let sum: i64 = series.iter().map(|point| int(&point[figure])).sum();
                assert_eq!(sum, int(&shown["totals"][figure]), "{figure} by {interval}");
            }
            // Anna has ordered on three days.
            assert_eq!((&shown["totals"]["customers"], &shown["totals"]["orders"]), (&json!(2), &json!(4)));
        }
        // Not a whole month, which has its customers counted already.
        let cut = snapshot(&eur, "2026-03-02", "2026-03-30", "").await;
        assert_eq!((&cut["totals"]["customers"], &cut["totals"]["orders"]), (&json!(2), &json!(4)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_8_currencies_have_their_own_decimals_and_are_never_added_up() {
    for (app, _) in apps().await {
        for (vendor, product) in [("jpy", "j1"), ("kwd", "k1")] {
            order(&app.log_in_as_vendor(vendor).await, product, "2026-07-05T10:00:00Z").await;
        }
        let admin = app.log_in_as_admin().await;
        let metrics = admin.get_json("/api/admin/metrics?dateFrom=2026-07-01&dateTo=2026-07-31").await;
        let mut sales: Vec<_> = metrics["currencies"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| (one["currency"].as_str().expect("a code").to_owned(), int(&one["netSales"])))
            .collect();
        sales.sort();
        assert_eq!(sales, [("EUR".to_owned(), 0), ("JPY".to_owned(), 1_200), ("KWD".to_owned(), 7_250)]);
        assert!(
            metrics.get("netSales").is_none() && metrics.get("totals").is_none(),
            "no sum over currencies: {metrics}"
        );
        for (vendor, shown) in [("jpy", "1200"), ("kwd", "7.250")] {
            let export = format!(
                "/api/vendor/analytics/export.csv?dateFrom=2026-07-05&dateTo=2026-07-05&interval=day&vendorId={vendor}"
            );
            let csv = admin.get(&export).await.text().await.expect("a text");
            assert_eq!(csv.lines().nth(1).expect("a row").split(',').nth(5), Some(shown));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_9_a_backdated_order_changes_old_ranges_at_once_and_who_was_new_when() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        let path = order(&eur, "e1", "2026-06-10T10:00:00Z").await;
        let figures = |shown: &Value| [&shown["totals"]["orders"], &shown["totals"]["newCustomers"]].map(int);
        for (from, to, expected) in [("2026-06-01", "2026-06-30", [1, 1]), ("2025-06-01", "2025-06-30", [0, 0])] {
            assert_eq!(figures(&snapshot(&eur, from, to, "").await), expected);
            let path = format!("/api/vendor/analytics/snapshot?dateFrom={from}&dateTo={to}");
            assert_eq!(eur.get(&path).await.headers()["x-cache"], "HIT");
        }
        assert_eq!(eur.patch(&path, &json!({ "placedAt": "2025-06-10T10:00:00Z" })).await.status(), 200);
        assert_eq!(figures(&snapshot(&eur, "2025-06-01", "2025-06-30", "").await), [1, 1]);
        assert_eq!(figures(&snapshot(&eur, "2026-06-01", "2026-06-30", "").await), [0, 0]);
        // A later order of the same customer is no new customer's, until the first one is cancelled.
        let customer = eur.get_json(&path).await["customerId"].clone();
        let again = json!({ "customer": { "customerId": customer }, "lines": [{ "productId": "e1", "quantity": 1 }],
            "placedAt": "2026-06-20T10:00:00Z" });
        post(&eur, "/api/vendor/orders", again).await;
        assert_eq!(figures(&snapshot(&eur, "2026-06-01", "2026-06-30", "").await), [1, 0]);
        assert_eq!(eur.patch(&path, &json!({ "status": "cancelled" })).await.status(), 200);
        assert_eq!(figures(&snapshot(&eur, "2025-06-01", "2025-06-30", "").await), [0, 0]);
        assert_eq!(figures(&snapshot(&eur, "2026-06-01", "2026-06-30", "").await), [1, 1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_a_range_that_includes_today_is_kept_a_shorter_time_and_named_by_its_days() {
    for database in databases().await {
        let db = database.open().await;
        let market = Market::new();
        import_bundle(&db, &market.path(), ImportOptions::default(), &Unwatched).await.expect("an import");
        let clock = Clock::manual();
        let analytics =
            Analytics::new(db.clone(), Cache::over(std::sync::Arc::new(MemoryStore::default()), clock.clone()));
        let vendor = VendorRef { id: 1, external_id: "eur".to_owned() };
        let now = Timestamp::from_microsecond(clock.now_micros().cast_signed()).expect("an instant");
        let today = now.to_zoned(TimeZone::get("Europe/Berlin").expect("a zone")).date();
        let query = |from: jiff::civil::Date, to: jiff::civil::Date| {
            SnapshotQuery::parse(Some(&from.to_string()), Some(&to.to_string()), None, None, None).expect("a query")
        };
        let (with_today, past) = (
            query(today.saturating_sub(6.days()), today.saturating_add(1.day())),
            query(today.saturating_sub(36.days()), today.saturating_sub(7.days())),
        );
        for query in [&with_today, &past] {
            assert_eq!(analytics.snapshot(&vendor, query).await.expect("figures").outcome, Outcome::Miss);
        }
        // 60 s and 300 s, each give or take a tenth.
        clock.advance(Duration::from_secs(67));
        assert_eq!(analytics.snapshot(&vendor, &with_today).await.expect("figures").outcome, Outcome::Miss);
        assert_eq!(analytics.snapshot(&vendor, &past).await.expect("figures").outcome, Outcome::Hit);
        // `last 28 days` of a page is the same entry as those days by their dates.
        let preset = SnapshotQuery::parse(None, None, None, None, Some(today)).expect("a query");
        assert_eq!(preset, query(today.saturating_sub(27.days()), today));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_11_a_vendor_that_moves_gets_its_days_anew_and_its_currency_is_fixed() {
    for (app, market) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        order(&eur, "e1", "2026-06-29T22:30:00Z").await;
        post(&eur, "/api/vendor/orders/o2/refunds", json!({ "amount": 10, "refundedAt": "2026-06-29T23:00:00Z" }))
            .await;
        let vendors = |zone: &str, currency: &str| {
            format!("vendor_id,name,country,time_zone,currency\neur,Ton,Germany,{zone},{currency}\n")
        };
        market.write("vendors", &vendors("America/New_York", "EUR"));
        let db = &app.state().db;
        let report = import_bundle(db, &market.path(), ImportOptions::default(), &Unwatched).await.expect("an import");
        assert_eq!(report.vendors_changed, ["eur"]);
        assert_eq!(rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"), []);
        let shown = snapshot(&eur, "2026-06-29", "2026-06-29", "").await;
        assert_eq!(
            (&shown["totals"]["orders"], &shown["totals"]["returns"], &shown["timeZone"]),
            (&json!(1), &json!(10), &json!("America/New_York"))
        );

        market.write("vendors", &vendors("America/New_York", "USD"));
        let error = import_bundle(db, &market.path(), ImportOptions::default(), &Unwatched)
            .await
            .expect_err("a currency is fixed");
        assert!(error.to_string().contains("currency: vendor `eur` has orders in EUR already"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_12_no_cell_of_a_csv_is_a_formula_and_its_totals_are_those_of_the_screen() {
    for (app, _) in apps().await {
        let eur = app.log_in_as_vendor("eur").await;
        let mut product = eur.get_json("/api/vendor/products/e1").await;
        product["name"] = json!("=cmd|' /C calc'!A0");
        assert_eq!(eur.put("/api/vendor/products/e1", &product).await.status(), 200);
        let refund = json!({ "amount": 2_250, "refundedAt": "2026-03-20T10:00:00Z" });
        post(&eur, "/api/vendor/orders/o1/refunds", refund).await;
        let range = "dateFrom=2026-03-20&dateTo=2026-03-31";
        let csv = eur
            .get(&format!("/api/vendor/analytics/export.csv?{range}&table=products"))
            .await
            .text()
            .await
            .expect("a text");
        assert_eq!(csv, "productId,name,currency,units,netSales\ne1,'=cmd|' /C calc'!A0,EUR,0,-22.50\n");
        assert_eq!(snapshot(&eur, "2026-03-20", "2026-03-31", "").await["totals"]["netSales"], -2_250);
    }
}
