use std::{collections::HashSet, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::server::db::sql;

use super::{VENDOR, answered, problem};
use crate::harness::{PASSWORD, RedisServer, TestApp, TestDatabase};

/// Look-ups of a key before a handler asks whose it is: as many as there are that ask, each of which might fail.
const BEFORE_THE_HANDLER: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_that_reads_changes_nothing_while_it_cannot_be_found_out_what_it_may() {
    let database = TestDatabase::postgres().await;
    let app = TestApp::builder().database(&database).northwind().spawn().await;
    let vendor = app.log_in_as_vendor(VENDOR).await;
    let order = json!({ "name": "reads", "password": PASSWORD, "scope": "read" });
    let made = answered(vendor.post("/api/account/keys", &order).await, 201).await;
    let key = made["secret"].as_str().expect("a secret").to_owned();

    // Every look-up of the key waits; the first few are cut off, as a failover does, and the next one succeeds.
    let db = database.open().await;
    let mut lock = db.write().await.expect("a transaction");
    lock.execute(sql("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")).await.expect("locked");
    let product = json!({ "name": "Not to be", "category": "Tests", "unitPrice": 100, "stock": 3, "status": "active" });
    let request = app.client().request(Method::POST, "/api/vendor/products").bearer_auth(&key).json(&product);
    let request = tokio::spawn(request.send());
    let mut cut_off: HashSet<i64> = HashSet::new();
    while cut_off.len() < BEFORE_THE_HANDLER && !request.is_finished() {
        let mut look = db.read().await.expect("a transaction");
        let waiting = "SELECT CAST(pid AS BIGINT) AS pid, CAST(pg_terminate_backend(pid) AS INTEGER) AS ended \
                       FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' \
                       AND query LIKE '%api_keys k%'";
        let rows = look.rows(sql(waiting)).await.expect("rows");
        cut_off.extend(rows.iter().map(|row| row.get::<i64, _>("pid")));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lock.commit().await.expect("committed");
    let response = request.await.expect("no panic").expect("an answer");
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
