use serde_json::json;

use crate::harness::{RedisServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_has_all_it_needs_is_alive_and_ready() {
    let app = TestApp::builder().spawn().await;
    assert_eq!(app.client().get("/healthz").await.status(), 200);
    assert_eq!(app.client().get_json("/readyz").await, json!({ "ready": true, "database": "ok", "redis": "memory" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_an_instance_is_alive_but_not_ready_and_says_why() {
    let mut redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.client();
    assert_eq!(client.get_json("/readyz").await, json!({ "ready": true, "database": "ok", "redis": "ok" }));
    redis.kill();
    let response = client.get("/readyz").await;
    assert_eq!(response.status(), 503);
    let body: serde_json::Value = response.json().await.expect("JSON");
    assert_eq!(body, json!({ "ready": false, "database": "ok", "redis": "unavailable" }));
    assert_eq!(client.get("/healthz").await.status(), 200);
}
