use std::time::{Duration, Instant};

use serde_json::json;
use vendorscope_cache::stats::Counter;

use crate::harness::{Client, Program, RedisServer, TestApp, TestDatabase};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1996-07-01&dateTo=1998-05-31";

async fn outcome(client: &Client) -> String {
    let response = client.get(SNAPSHOT).await;
    assert_eq!(response.status(), 200);
    response.headers()["x-cache"].to_str().expect("a word").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_popular_is_loaded_again_after_a_change_before_anyone_asks() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    for expected in ["MISS", "HIT", "HIT"] {
        assert_eq!(outcome(&client).await, expected);
    }
    let mut product = client.get_json("/api/vendor/products").await["products"][0].clone();
    product["stock"] = json!(3);
    let path = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
    assert_eq!(client.put(&path, &product).await.status(), 200);
    let began = Instant::now();
    while app.state().cache.counts().await.get(Counter::Warmed) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing is warmed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(outcome(&client).await, "HIT");
    let snapshot = client.get_json(SNAPSHOT).await;
    let low = snapshot["lowStock"].as_array().expect("a list");
    assert!(product["status"] != "active" || low.iter().any(|row| row["productId"] == product["productId"]), "{low:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_has_dashboards_warmed_and_it_is_audited() {
    let app = TestApp::builder().northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    let warm = async |body| {
        let response = admin.post("/api/admin/cache/warm", &body).await;
        (response.status().as_u16(), response.json::<serde_json::Value>().await.expect("JSON"))
    };
    assert_eq!(warm(json!({ "vendorIds": ["7", "12"] })).await, (200, json!({ "warmed": 2 })));
    assert_eq!(
        warm(json!({ "vendorIds": ["7", "12"] })).await,
        (200, json!({ "warmed": 0 })),
        "they are there already"
    );
    let vendor = app.log_in_as_vendor("7").await;
    let before = app.queries();
    assert_eq!(vendor.get("/").await.status(), 200);
    assert_eq!(app.queries() - before, 0, "the dashboard opens from the cache");
    assert_eq!(warm(json!({})).await.0, 200);

    for (body, field) in [
        (json!({ "vendorIds": ["no such"] }), "vendorIds"),
        (json!({ "vendorIds": [] }), "vendorIds"),
        (json!({ "x": 1 }), "x"),
    ] {
        let (status, problem) = warm(body).await;
        assert!((400..500).contains(&status) && problem.to_string().contains(field), "{problem}");
    }
    assert_eq!(vendor.post("/api/admin/cache/warm", &json!({})).await.status(), 403);
    let log = app.state().db.read().await.expect("a transaction");
    let mut log = log;
    let rows = log
        .rows(vendorscope::server::db::sql("SELECT detail FROM audit_log WHERE action = 'cache_warm'"))
        .await
        .expect("rows");
    assert_eq!(rows.len(), 3);
}

/// What the command line stores is stored under the store that counts, as the instances see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_command_line_warms_is_served() {
    let (redis, database) = (RedisServer::start(), TestDatabase::postgres().await);
    let app = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    let vendor = app.log_in_as_vendor("7").await;
    let mut command = Program::command(&database);
    command.env("REDIS_URL", redis.url()).args(["cache", "warm", "--vendor", "7"]);
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("no panic").expect("it starts");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(said.starts_with("1 of 1 dashboards"), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let before = app.queries();
    assert_eq!(vendor.get("/").await.status(), 200);
    assert_eq!(app.queries() - before, 0, "the dashboard opens from the cache");
}
