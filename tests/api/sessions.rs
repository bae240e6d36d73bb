use redis::AsyncCommands;
use serde_json::json;

use super::{cookie, problem};
use crate::harness::{RedisServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_a_session_under_the_seeds_name_for_24_hours_and_no_id_in_it() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;
    let mut connection = redis.connection().await;

    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    let [key] = &keys[..] else { panic!("one session: {keys:?}") };
    let seconds: i64 = connection.ttl(key).await.expect("a time to live");
    assert!((86_300..=86_400).contains(&seconds), "{seconds}");
    let value: String = connection.get(key).await.expect("a value");
    assert!(value.contains("admin@example.com") && !value.contains(key.trim_start_matches("sess:")), "{value}");

    // Absolute: neither reading nor time moves its end.
    let before: i64 = redis::cmd("EXPIRETIME").arg(key).query_async(&mut connection).await.expect("an instant");
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    let after: i64 = redis::cmd("EXPIRETIME").arg(key).query_async(&mut connection).await.expect("an instant");
    assert_eq!(before, after);

    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    assert_eq!(keys, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_does_not_answer_nobody_is_logged_out() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;

    redis.freeze();
    for response in [client.get("/api/auth/me").await, client.post("/api/auth/logout", &json!({})).await] {
        assert!(!response.headers().contains_key("set-cookie"), "the cookie stays");
        assert!(response.headers().contains_key("retry-after"));
        problem(response, 503, "unavailable").await;
    }
    let ready = client.get("/readyz").await;
    assert_eq!(ready.status(), 503);
    let page = client.request(reqwest::Method::GET, "/admin/cache").header("accept", "text/html").send().await.expect("an answer");
    assert_eq!((page.status().as_u16(), page.headers().contains_key("retry-after")), (503, true));
    assert!(page.text().await.expect("a text").contains("(Redis) isn't responding"));
    redis.thaw();

    assert_eq!(client.get("/api/auth/me").await.status(), 200, "the same cookie works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_redis_cannot_take_is_no_login() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    app.log_in_as_admin().await;

    redis.freeze();
    let credentials = json!({ "email": "admin@example.com", "password": "correct horse battery staple" });
    let response = app.client().post("/api/auth/login", &credentials).await;
    assert_eq!(cookie(&response), None);
    problem(response, 503, "unavailable").await;
    redis.thaw();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_can_read_is_as_good_as_none() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;
    let mut connection = redis.connection().await;
    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    let () = connection.set(&keys[0], "\u{1}garbage").await.expect("written");

    let response = client.get("/api/auth/me").await;
    assert!(!response.headers().contains_key("set-cookie"), "an answer that comes late must not take a newer cookie away");
    problem(response, 401, "unauthenticated").await;
}
