use jiff::tz::TimeZone;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::{
    domain::period::day_number,
    server::db::{Db, rollups, sql},
};

use super::{answered, problem, refused_fields};
use crate::harness::{Client, Market, TestApp, contents, databases};

const PATH: &str = "/api/account/time-zone";
const JUNE: &str = "/api/vendor/analytics/snapshot?dateFrom=2026-06-01&dateTo=2026-06-30&interval=day";

async fn change(client: &Client, zone: &str) -> Response {
    client.put(PATH, &json!({ "timeZone": zone })).await
}

/// Half an hour past midnight in Berlin, and still the day before in New York; refunded on the next day in both.
async fn sell(client: &Client) {
    let order = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 1 }],
        "placedAt": "2026-06-14T22:30:00Z" });
    let order = answered(client.post("/api/vendor/orders", &order).await, 201).await;
    let path = format!("/api/vendor/orders/{}/refunds", order["orderId"].as_str().expect("an id"));
    answered(client.post(&path, &json!({ "amount": 10, "refundedAt": "2026-06-15T22:30:00Z" })).await, 201).await;
}

/// The days with orders, those with returns, and how the answer was come by.
async fn days(client: &Client, path: &str) -> (Vec<String>, Vec<String>, String) {
    let response = client.get(path).await;
    let outcome = response.headers()["x-cache"].to_str().expect("ASCII").to_owned();
    let shown = answered(response, 200).await;
    let of = |figure: &str| {
        let points = shown["series"].as_array().expect("a series").iter();
        points
            .filter(|point| point[figure] != json!(0))
            .map(|point| point["start"].as_str().expect("a day").to_owned())
            .collect()
    };
    (of("orders"), of("returns"), outcome)
}

async fn audited(db: &Db) -> Vec<String> {
    let mut tx = db.read().await.expect("a transaction");
    let rows = tx
        .rows(sql("SELECT actor, detail, address FROM audit_log WHERE action = 'time_zone_change' ORDER BY id"))
        .await;
    let text = |row: &sqlx::any::AnyRow, column| row.get::<String, _>(column);
    rows.expect("rows")
        .iter()
        .map(|row| format!("{} {} {}", text(row, "actor"), text(row, "detail"), text(row, "address")))
        .collect()
}

/// Every order and refund of the vendor stands on the day that its instant falls on in `zone`, and every sum is that of
/// the orders.
async fn check(db: &Db, vendor: &str, zone: &str) {
    let zone = TimeZone::get(zone).expect("a zone");
    let mut tx = db.read().await.expect("a transaction");
    for (table, instant) in [("vendor_orders", "placed_us"), ("refunds", "refunded_us")] {
        let query = format!(
            "SELECT {instant} AS us, day FROM {table} WHERE vendor_id = (SELECT id FROM vendors \
             WHERE external_id = '{vendor}')"
        );
        for row in tx.rows(sql(query)).await.expect("rows") {
            let instant = jiff::Timestamp::from_microsecond(row.get("us")).expect("an instant");
            assert_eq!(
                row.get::<i64, _>("day"),
                day_number(instant.to_zoned(zone.clone()).date()),
                "{table}: {instant}"
            );
        }
    }
    drop(tx);
    assert_eq!(rollups::verify(&mut db.write().await.expect("a transaction")).await.expect("sums"), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vendor_that_moves_finds_past_orders_and_refunds_on_their_days_there_at_once() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let (eur, nyc, admin) =
            (app.log_in_as_vendor("eur").await, app.log_in_as_vendor("nyc").await, app.log_in_as_admin().await);
        sell(&eur).await;
        let others = nyc.get_json("/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=2026-03-31").await;
        let market = "/api/admin/metrics?dateFrom=2026-06-14&dateTo=2026-06-14";
        assert_eq!(admin.get_json(market).await["currencies"][0]["orders"], 0);
        let in_berlin = (vec!["2026-06-15".to_owned()], vec!["2026-06-16".to_owned()]);
        for outcome in ["MISS", "HIT"] {
            assert_eq!(days(&eur, JUNE).await, (in_berlin.0.clone(), in_berlin.1.clone(), outcome.to_owned()));
        }

        assert_eq!(change(&eur, " america/new_york").await.status(), 204);
        let (sold, returned, _) = days(&eur, JUNE).await;
        assert_eq!((sold, returned), (vec!["2026-06-14".to_owned()], vec!["2026-06-15".to_owned()]));
        assert_eq!(eur.get_json(JUNE).await["timeZone"], "America/New_York");
        assert_eq!(admin.get_json(market).await["currencies"][0]["orders"], 1, "the marketplace's figures too");
        check(&app.state().db, "eur", "America/New_York").await;
        check(&app.state().db, "nyc", "America/New_York").await;
        check(&app.state().db, "jpy", "Asia/Tokyo").await;
        assert_eq!(nyc.get_json("/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=2026-03-31").await, others);

        // Hours that begin on the half hour; and back.
        for zone in ["Asia/Kolkata", "Europe/Berlin"] {
            assert_eq!(change(&eur, zone).await.status(), 204);
            check(&app.state().db, "eur", zone).await;
        }
        let (sold, returned, _) = days(&eur, JUNE).await;
        assert_eq!((sold, returned), in_berlin);
        assert_eq!(
            audited(&app.state().db).await,
            [
                "vendor-eur@example.com vendor eur: Europe/Berlin to America/New_York 127.0.0.1",
                "vendor-eur@example.com vendor eur: America/New_York to Asia/Kolkata 127.0.0.1",
                "vendor-eur@example.com vendor eur: Asia/Kolkata to Europe/Berlin 127.0.0.1",
            ]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_zone_that_is_none_is_refused_by_name_and_the_present_one_changes_nothing() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).spawn().await;
        let eur = app.log_in_as_vendor("eur").await;
        sell(&eur).await;
        let before = contents(&app.state().db).await;
        days(&eur, JUNE).await;
        for zone in ["", "Europe/Atlantis", "CEST+2", "Etc/Unknown"] {
            let body = problem(change(&eur, zone).await, 422, "invalid").await;
            let refused = &body["errors"][0];
            let message = refused["message"].as_str().expect("a text");
            assert_eq!(refused["field"], "timeZone");
            assert!(
                message.contains(&format!("`{zone}`")) && message.contains("IANA") && message.contains("Europe/Berlin"),
                "{message}"
            );
        }
        assert_eq!(
            refused_fields(eur.put(PATH, &json!({ "timeZone": "UTC", "vendorId": "nyc" })).await).await,
            ["vendorId"]
        );
        assert_eq!(change(&eur, "Europe/Berlin").await.status(), 204, "it is that already");
        assert_eq!(contents(&app.state().db).await, before);
        assert_eq!(days(&eur, JUNE).await.2, "HIT", "and nothing was invalidated");
        assert_eq!(audited(&app.state().db).await, [""; 0]);
        assert_eq!(eur.request(Method::GET, PATH).send().await.expect("an answer").status(), 405);
    }
}

/// Orders that arrive while the vendor moves, back and forth, stand on the days of the zone it ends up in.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_that_come_while_a_vendor_moves_are_dated_in_one_zone_or_the_other_and_never_stay_behind() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).bundle(Market::new().path()).unlimited().spawn().await;
        let eur = app.log_in_as_vendor("eur").await;
        let selling = async {
            for _ in 0..8 {
                sell(&eur).await;
            }
        };
        let moving = async {
            for zone in ["America/New_York", "Asia/Kathmandu", "Europe/Berlin", "Pacific/Kiritimati"] {
                assert_eq!(change(&eur, zone).await.status(), 204);
            }
        };
        tokio::join!(selling, moving);
        check(&app.state().db, "eur", "Pacific/Kiritimati").await;
        let shown: Value = eur.get_json(JUNE).await;
        assert_eq!((&shown["totals"]["orders"], &shown["totals"]["returns"]), (&json!(8), &json!(80)));
    }
}
