//! Days and hours where clocks were set oddly, and vendors that move: over HTTP, on both databases. Whatever the clock
//! did, an order is in one day, in one hour of it, and in that day's list.

use serde_json::{Value, json};
use vendorscope::server::db::{rollups, sql};

use crate::harness::{Client, Market, TestApp, databases};

async fn apps() -> Vec<(TestApp, Market)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        apps.push((TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await, market));
    }
    apps
}

async fn move_to(client: &Client, zone: &str) {
    assert_eq!(client.put("/api/account/time-zone", &json!({ "timeZone": zone })).await.status(), 204, "{zone}");
}

async fn order(client: &Client, placed_at: &str) -> String {
    let body = json!({ "customer": { "name": "Mira", "country": "Austria" },
        "lines": [{ "productId": "k1", "quantity": 1 }], "placedAt": placed_at });
    let answer = client.post("/api/vendor/orders", &body).await;
    assert_eq!(answer.status(), 201, "{placed_at}");
    answer.json::<Value>().await.expect("JSON")["orderId"].as_str().expect("an id").to_owned()
}

async fn snapshot(client: &Client, from: &str, to: &str, interval: &str) -> Value {
    client.get_json(&format!("/api/vendor/analytics/snapshot?dateFrom={from}&dateTo={to}&interval={interval}")).await
}

/// Total, and sum of the series, of one day.
async fn orders_of(client: &Client, day: &str, interval: &str) -> (i64, i64) {
    let shown = snapshot(client, day, day, interval).await;
    let sum = shown["series"]
        .as_array()
        .expect("a series")
        .iter()
        .map(|point| point["orders"].as_i64().expect("a number"))
        .sum();
    (shown["totals"]["orders"].as_i64().expect("a number"), sum)
}

async fn listed(client: &Client, day: &str) -> Vec<String> {
    let page = client.get_json(&format!("/api/vendor/orders?dateFrom={day}&dateTo={day}")).await;
    page["orders"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|order| order["orderId"].as_str().expect("an id").to_owned())
        .collect()
}

fn starts(snapshot: &Value) -> Vec<&str> {
    snapshot["series"]
        .as_array()
        .expect("a series")
        .iter()
        .map(|point| point["start"].as_str().expect("a text"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_in_one_day_and_one_hour_of_it_and_in_that_days_list() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        for (zone, placed_at, day, others) in [
            // 23:15 on the 6th, for the second time: 00:01 on the 7th went back to 23:01.
            ("America/St_Johns", "2010-11-07T02:45:00Z", "2010-11-06", ["2010-11-05", "2010-11-07"]),
            // The one minute of the 7th before.
            ("America/St_Johns", "2010-11-07T02:30:30Z", "2010-11-07", ["2010-11-06", "2010-11-08"]),
            ("America/Goose_Bay", "2006-10-29T03:30:00Z", "2006-10-28", ["2006-10-27", "2006-10-29"]),
            ("Antarctica/Casey", "2010-03-04T16:00:00Z", "2010-03-05", ["2010-03-04", "2010-03-06"]),
            ("Pacific/Rarotonga", "1989-10-29T10:15:00Z", "1989-10-29", ["1989-10-28", "1989-10-30"]),
            ("Asia/Kathmandu", "1986-01-01T00:00:00Z", "1986-01-01", ["1985-12-31", "1986-01-02"]),
            ("Africa/Monrovia", "1972-01-07T00:44:30Z", "1972-01-07", ["1972-01-06", "1972-01-08"]),
            ("Australia/Lord_Howe", "2026-04-04T15:10:00Z", "2026-04-05", ["2026-04-04", "2026-04-06"]),
        ] {
            move_to(&client, zone).await;
            let id = order(&client, placed_at).await;
            let context = format!("{zone} {placed_at}");
            for interval in ["day", "hour"] {
                assert_eq!(orders_of(&client, day, interval).await, (1, 1), "{context} by {interval}");
                for other in others {
                    assert_eq!(orders_of(&client, other, interval).await, (0, 0), "{context} {other} by {interval}");
                }
            }
            assert_eq!(listed(&client, day).await, std::slice::from_ref(&id), "{context}");
            for other in others {
                assert!(listed(&client, other).await.is_empty(), "{context} {other}");
            }
            // As a bundle brings it, and the sums beside it.
            let db = &app.state().db;
            assert_eq!(
                rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"),
                [],
                "{context}"
            );
            let gone =
                client.patch(&format!("/api/vendor/orders/{id}"), &json!({ "placedAt": "2001-01-01T12:00:00Z" })).await;
            assert_eq!(gone.status(), 200, "{context}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_does_not_begin_before_the_offset_that_it_is_read_by() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        move_to(&client, "Australia/Lord_Howe").await;
        for (day, count, around) in [
            ("2026-10-04", 24, ["2026-10-03T14:30:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"]),
            ("2026-04-05", 25, ["2026-04-04T14:00:00Z", "2026-04-04T15:00:00Z", "2026-04-04T15:30:00Z"]),
        ] {
            let shown = snapshot(&client, day, day, "hour").await;
            assert_eq!((starts(&shown).len(), &starts(&shown)[1..4]), (count, &around[..]), "{day}");
        }
        for (zone, day) in [("America/Caracas", "2007-12-09"), ("Asia/Pyongyang", "2015-08-14")] {
            move_to(&client, zone).await;
            let shown = snapshot(&client, day, day, "hour").await;
            assert!(starts(&shown).is_sorted() && starts(&shown).len() == 25, "{zone}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_has_moved_there_and_back_has_the_hours_of_its_zone_alone() {
    for (app, market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let before = snapshot(&client, "2026-03-10", "2026-03-10", "hour").await;
        let same = |after: Value, context: &str| assert_eq!(after["series"], before["series"], "{context}");
        move_to(&client, "Asia/Kolkata").await;
        let there = snapshot(&client, "2026-03-10", "2026-03-10", "hour").await;
        assert_eq!((starts(&there).len(), starts(&there)[0]), (24, "2026-03-09T18:30:00Z"));
        assert_eq!(orders_of(&client, "2026-03-10", "hour").await, (1, 1));
        move_to(&client, "Europe/Berlin").await;
        same(snapshot(&client, "2026-03-10", "2026-03-10", "hour").await, "back by the vendor");
        let admin = app.log_in_as_admin().await;
        for zone in ["Asia/Kathmandu", "Europe/Berlin"] {
            market
                .write("vendors", &format!("vendor_id,name,country,time_zone,currency\neur,Ton,Germany,{zone},EUR\n"));
            let options = vendorscope::server::import::ImportOptions::default();
            vendorscope::server::services::import::import_bundle(
                &app.state().db,
                &market.path(),
                options,
                &crate::harness::Unwatched,
            )
            .await
            .expect("an import");
            assert_eq!(
                admin.post("/api/admin/cache/invalidate", &json!({ "tags": ["vendor:eur"] })).await.status(),
                200
            );
            assert_eq!(starts(&snapshot(&client, "2026-03-10", "2026-03-10", "hour").await).len(), 24, "{zone}");
        }
        same(snapshot(&client, "2026-03-10", "2026-03-10", "hour").await, "back by an import");
    }
}

/// What was dated by the rule of before, as an upgrade finds it.
#[tokio::test(flavor = "multi_thread")]
async fn hours_from_before_are_dated_anew_by_the_migration() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("kwd").await;
        move_to(&client, "America/St_Johns").await;
        order(&client, "2010-11-07T02:45:00Z").await;
        let shown = snapshot(&client, "2010-11-06", "2010-11-06", "hour").await;
        let db = &app.state().db;
        let mut tx = db.write().await.expect("a transaction");
        for text in [
            "UPDATE vendor_orders SET hour_us = placed_us / 3600000000 * 3600000000 - 1800000000 \
             WHERE placed_us % 3600000000 > 0",
            "DELETE FROM sales_hours",
            "INSERT INTO pending_work (name) VALUES ('hours')",
        ] {
            tx.execute(sql(text)).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        tx.commit().await.expect("committed");
        db.migrate().await.expect("the migrations run");
        assert_eq!(rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"), []);
        let admin = app.log_in_as_admin().await;
        assert_eq!(admin.post("/api/admin/cache/invalidate", &json!({ "tags": ["vendor:kwd"] })).await.status(), 200);
        assert_eq!(snapshot(&client, "2010-11-06", "2010-11-06", "hour").await["series"], shown["series"]);
    }
}
