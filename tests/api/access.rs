use std::{collections::HashSet, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::server::db::sql;

use super::{VENDOR, answered, problem};
use crate::harness::{PASSWORD, RedisServer, TestApp, TestDatabase};

/// Look-ups of a key before a handler asks whose it is: as many as there are that ask, each of which might fail.
const BEFORE_THE_HANDLER: usize = 4;

/// Sends a request of a key while the first look-ups of it, so many, are cut off, as a failover does; the next one
/// succeeds.
async fn send_cut_off(database: &TestDatabase, look_ups: usize, request: RequestBuilder) -> Response {
    let db = database.open().await;
    let mut lock = db.write().await.expect("a transaction");
    lock.execute(sql("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")).await.expect("locked");
    let request = tokio::spawn(request.send());
    let mut cut_off: HashSet<i64> = HashSet::new();
    while cut_off.len() < look_ups && !request.is_finished() {
        let mut look = db.read().await.expect("a transaction");
        let waiting = "SELECT CAST(pid AS BIGINT) AS pid, CAST(pg_terminate_backend(pid) AS INTEGER) AS ended \
                       FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
                       AND query LIKE '%api_keys k%'";
        let rows = look.rows(sql(waiting)).await.expect("rows");
        cut_off.extend(rows.iter().map(|row| row.get::<i64, _>("pid")));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lock.commit().await.expect("committed");
    request.await.expect("no panic").expect("an answer")
}

/// Whichever of the look-ups fails: a reader's write has a service to refuse it once more, what is read has none.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_sends_reads_nothing_while_it_cannot_be_found_out_what_it_may() {
    let database = TestDatabase::postgres().await;
    let app = TestApp::builder().database(&database).northwind().spawn().await;
    let admin = app.log_in_as_admin().await;
    let order = json!({ "name": "sends", "password": PASSWORD, "scope": "ingest" });
    let made = answered(admin.post("/api/account/keys", &order).await, 201).await;
    let key = made["secret"].as_str().expect("a secret");
    let read = || app.client().request(Method::GET, "/api/admin/cache/stats").bearer_auth(key);
    assert_eq!(read().send().await.expect("an answer").status(), 403, "it may send, and nothing else");
    let mut unknown = 0;
    for look_ups in 1..=BEFORE_THE_HANDLER {
        let status = send_cut_off(&database, look_ups, read()).await.status().as_u16();
        assert!(status == 403 || status == 503, "{status} after {look_ups} look-ups that failed");
        unknown += usize::from(status == 503);
    }
    assert!(unknown > 0, "nothing was cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_reads_changes_nothing_while_it_cannot_be_found_out_what_it_may() {
    let database = TestDatabase::postgres().await;
    let app = TestApp::builder().database(&database).northwind().spawn().await;
    let vendor = app.log_in_as_vendor(VENDOR).await;
    let order = json!({ "name": "reads", "password": PASSWORD, "scope": "read" });
    let made = answered(vendor.post("/api/account/keys", &order).await, 201).await;
    let key = made["secret"].as_str().expect("a secret").to_owned();

    let product = json!({ "name": "Not to be", "category": "Tests", "unitPrice": 100, "stock": 3, "status": "active" });
    let request = app.client().request(Method::POST, "/api/vendor/products").bearer_auth(&key).json(&product);
    let response = send_cut_off(&database, BEFORE_THE_HANDLER, request).await;
    problem(response, 503, "unavailable").await;
    let listed: Value = vendor.get_json("/api/vendor/products?search=Not+to+be").await;
    assert_eq!(listed["products"], json!([]));
    let read = app.client().request(Method::GET, "/api/vendor/products").bearer_auth(&key).send().await;
    assert_eq!(read.expect("an answer").status(), 200, "it is a good key all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_whom_nobody_can_find_out_are_counted_for_their_address() {
    let redis = RedisServer::start();
    let app = TestApp::builder()
        .sessions_at(redis.url())
        .config(|config| {
            config.limits.reads = vendorscope::server::config::Limit::new(30, Duration::from_secs(3600));
            config.limits.instances = 3.try_into().expect("not zero");
        })
        .spawn()
        .await;
    let client = app.log_in_as_admin().await;
    redis.freeze();
    let mut statuses = Vec::new();
    for _ in 0..15 {
        statuses.push(client.get("/api/admin/cache/stats").await.status().as_u16());
    }
    redis.thaw();
    assert_eq!(statuses, [vec![503; 10], vec![429; 5]].concat(), "this instance's share");
}
