use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::server::db::sql;

use super::{VENDOR, problem, refused_fields};
use crate::harness::TestApp;

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1997-01-01&dateTo=1997-12-31";

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_lookups_under_the_seeds_names() {
    let app = TestApp::builder().northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    let before = admin.get_json("/api/admin/cache/stats").await;
    assert_eq!((&before["hits"], &before["misses"], &before["hitRate"]), (&json!(0), &json!(0), &Value::Null));

    let vendor = app.log_in_as_vendor(VENDOR).await;
    for _ in 0..4 {
        assert_eq!(vendor.get(SNAPSHOT).await.status(), 200);
    }
    let after = admin.get_json("/api/admin/cache/stats").await;
    let count = |name: &str| after[name].as_u64().unwrap_or_else(|| panic!("{name}: {after}"));
    assert_eq!(count("hits"), 3);
    let rate = (count("hits") as f64 / (count("hits") + count("misses")) as f64 * 10_000.0).round() / 100.0;
    assert_eq!(after["hitRate"], json!(rate));
    assert!(count("loads") >= 1 && count("totalKeys") >= 1 && count("memoryUsage") > 0, "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidated_tag_makes_the_next_lookup_a_miss_and_is_noted() {
    let app = TestApp::builder().northwind().spawn().await;
    let (admin, vendor) = (app.log_in_as_admin().await, app.log_in_as_vendor(VENDOR).await);
    vendor.get(SNAPSHOT).await;
    assert_eq!(vendor.get(SNAPSHOT).await.headers()["x-cache"], "HIT");

    let tag = format!("vendor:{VENDOR}");
    let response = admin.post("/api/admin/cache/invalidate", &json!({ "tags": [tag, tag, "analytics"] })).await;
    let done = json!({ "invalidated": 2, "entries": 1, "isEstimate": false });
    assert_eq!(response.json::<Value>().await.expect("JSON"), done);
    assert_eq!(vendor.get(SNAPSHOT).await.headers()["x-cache"], "MISS");

    let mut tx = app.state().db.read().await.expect("a transaction");
    let row = tx
        .row(sql("SELECT actor, detail FROM audit_log WHERE action = 'cache_invalidate'"))
        .await
        .expect("a query")
        .expect("a row");
    assert_eq!(
        (row.get::<String, _>("actor"), row.get::<String, _>("detail")),
        ("admin@example.com".to_owned(), "analytics vendor:7".to_owned())
    );
}

/// Nothing is said to be done that was not: neither for a tag that nothing carries, nor for a vendor that there is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_invalidation_came_to_is_said() {
    const INVALIDATE: &str = "/api/admin/cache/invalidate";
    let app = TestApp::builder().northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    let nothing = admin.post(INVALIDATE, &json!({ "tags": [format!("orders:{VENDOR}")] })).await;
    let done = json!({ "invalidated": 1, "entries": 0, "isEstimate": false });
    assert_eq!(nothing.json::<Value>().await.expect("JSON"), done);
    let page = admin.get("/admin/cache?invalidated=1&entries=0").await.text().await.expect("a page");
    assert!(page.contains("1 tag was invalidated. Nothing was in the cache under it."), "{page}");

    for tag in ["vendor:no-such", "products:no-such", "orders:no-such", "tag:vendor:{no-such}"] {
        let tags = json!({ "tags": ["analytics", tag] });
        let refused = problem(admin.post(INVALIDATE, &tags).await, 422, "invalid").await;
        let error = &refused["errors"][0];
        let message = error["message"].as_str().expect("a text");
        let named = tag.trim_start_matches("tag:").replace(['{', '}'], "");
        assert_eq!((refused["errors"].as_array().map(Vec::len), &error["field"]), (Some(1), &json!("tags")));
        assert!(message.contains(&format!("`{named}`")) && message.contains("no vendor `no-such`"), "{tag}: {message}");
        let preview = format!("/api/admin/cache/preview?action=invalidate&tags={tag}");
        assert_eq!(refused_fields(admin.get(&preview).await).await, ["tags"], "{tag}");
    }
    let page = admin.get("/admin/cache?tags=vendor%3Ano-such").await.text().await.expect("a page");
    assert!(page.contains("there is no vendor") && !page.contains("id=\"asked\""), "{page}");
    let mut tx = app.state().db.read().await.expect("a transaction");
    let noted = tx.rows(sql("SELECT detail FROM audit_log WHERE action = 'cache_invalidate'")).await.expect("a query");
    assert_eq!(noted.len(), 1, "what was refused was not done");
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_are_none_are_refused() {
    let app = TestApp::builder().spawn().await;
    let admin = app.log_in_as_admin().await;
    for tags in [json!([]), json!(["everything"]), json!(["vendor:"]), json!(["analytics", "sess:abc"])] {
        let response = admin.post("/api/admin/cache/invalidate", &json!({ "tags": tags })).await;
        assert_eq!(refused_fields(response).await, ["tags"], "{tags}");
    }
}
