use serde_json::Value;

use super::{OTHER_VENDOR, VENDOR, problem, refused_fields};
use crate::harness::TestApp;

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot";
const YEAR: &str = "dateFrom=1997-01-01&dateTo=1997-12-31";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_says_where_it_came_from_and_who_may_keep_it() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let mut bodies = Vec::new();
    for outcome in ["MISS", "HIT"] {
        let response = client.get(&format!("{SNAPSHOT}?{YEAR}")).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers();
        assert_eq!(headers["x-cache"], outcome);
        assert_eq!(headers["cache-control"], "private, no-store");
        assert_eq!(headers["content-type"], "application/json");
        assert!(headers["age"].to_str().expect("ASCII").parse::<u64>().is_ok_and(|age| age < 60));
        let timing = headers["server-timing"].to_str().expect("ASCII");
        assert!(timing.starts_with("total;dur=") && timing.contains(&format!("cache;desc={outcome};dur=")), "{timing}");
        bodies.push(response.bytes().await.expect("a body"));
    }
    assert_eq!(bodies[0], bodies[1], "the cached bytes, as they are");
    let snapshot: Value = serde_json::from_slice(&bodies[0]).expect("JSON");
    assert_eq!(snapshot["vendorId"], VENDOR);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked_before_anything_is_looked_up() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    for (query, field) in [
        ("", "dateFrom"),
        ("dateFrom=1997-01-01", "dateTo"),
        ("dateFrom=1997-12-31&dateTo=1997-01-01", "dateTo"),
        ("dateFrom=1997-02-30&dateTo=1997-03-01", "dateFrom"),
        ("dateFrom=1985-01-01&dateTo=1997-01-01", "dateTo"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&compare=last_week", "compare"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&interval=minute", "interval"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&interval=hour", "interval"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&colour=red", "colour"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&dateTo=1997-12-30", "dateTo"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&vendorId=8", "vendorId"),
        ("dateFrom=1997-01-01&dateTo=1997-12-31&vendorId=7", "vendorId"),
    ] {
        let before = app.queries();
        let fields = refused_fields(client.get(&format!("{SNAPSHOT}?{query}")).await).await;
        assert!(fields.contains(&field.to_owned()), "{query}: {fields:?}");
        assert_eq!(app.queries(), before, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_names_the_vendor_and_a_vendor_is_its_session() {
    let app = TestApp::builder().northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    for vendor in [VENDOR, OTHER_VENDOR] {
        assert_eq!(admin.get_json(&format!("{SNAPSHOT}?{YEAR}&vendorId={vendor}")).await["vendorId"], vendor);
        let own = app.log_in_as_vendor(vendor).await;
        assert_eq!(own.get_json(&format!("{SNAPSHOT}?{YEAR}")).await["vendorId"], vendor);
    }
    assert_eq!(refused_fields(admin.get(&format!("{SNAPSHOT}?{YEAR}")).await).await, ["vendorId"]);
    problem(admin.get(&format!("{SNAPSHOT}?{YEAR}&vendorId=nobody")).await, 404, "not_found").await;
}
