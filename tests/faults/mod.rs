//! Instances that share a database and a Redis, over HTTP: no read is older than the last acknowledged write, whatever
//! Redis does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Client, RedisServer, TestApp, TestDatabase};

/// One winner, however many processes ask, and what becomes of them when it dies.
mod processes;
/// Redis in every state that it can get into.
mod redis_states;
/// Redis as services offer it.
mod services;
/// Stores that are changed, come back to, or shared with strangers.
mod stores;
/// Random clients and random faults, as long as one likes.
mod trial;
/// Half a minute of writers and readers.
mod under_load;

/// Of Northwind; none of the tests' figures depend on what it sold.
const VENDORS: [&str; 2] = ["7", "12"];
const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=1996-07-01&dateTo=1998-05-31";

/// A product that only its test writes to: the number it counts up is the threshold of its stock, which the snapshot
/// shows.
#[derive(Clone)]
struct Counter {
    product: Value,
    /// The highest number that was sent, and the highest that was acknowledged.
    sent: Arc<AtomicI64>,
    acknowledged: Arc<AtomicI64>,
}

impl Counter {
    /// A new product of the vendor that this browser belongs to.
    async fn create(client: &Client) -> Self {
        let body = json!({ "name": "Counter", "category": "Tests", "unitPrice": 100, "stock": 0,
            "lowStockThreshold": 1, "status": "active" });
        let response = client.post("/api/vendor/products", &body).await;
        let (status, text) = (response.status(), response.text().await.unwrap_or_default());
        assert_eq!(status, 201, "{text}");
        let product = serde_json::from_str(&text).expect("a product");
        Self { product, sent: Arc::new(AtomicI64::new(1)), acknowledged: Arc::new(AtomicI64::new(1)) }
    }

    fn id(&self) -> &str {
        self.product["productId"].as_str().expect("an id")
    }

    /// Counts one further. To be called by one writer at a time.
    async fn write(&self, client: &Client) {
        let number = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let mut body = self.product.clone();
        body["lowStockThreshold"] = json!(number);
        let response = client.put(&format!("/api/vendor/products/{}", self.id()), &body).await;
        let status = response.status();
        assert_eq!(status, 200, "{}", response.text().await.unwrap_or_default());
        self.acknowledged.store(number, Ordering::SeqCst);
    }

    /// Reads the snapshot: at least as new as what was acknowledged before it was asked for. Returns where it came
    /// from.
    async fn read(&self, client: &Client) -> String {
        let at_least = self.acknowledged.load(Ordering::SeqCst);
        let response = client.get(SNAPSHOT).await;
        let outcome =
            response.headers().get("x-cache").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let (status, body) = (response.status(), response.text().await.unwrap_or_default());
        assert_eq!(status, 200, "a read failed: {body}");
        let snapshot: Value = serde_json::from_str(&body).expect("a whole snapshot");
        let shown = snapshot["lowStock"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|row| row["productId"] == self.product["productId"]);
        let number = shown.and_then(|row| row["threshold"].as_i64()).expect("the product is low on stock");
        assert!(number >= at_least, "read {number} ({outcome}) after {at_least} had been acknowledged");
        outcome
    }

    /// Reads until the cache serves again. Every read on the way is checked as well.
    async fn until_hit(&self, client: &Client) {
        let began = Instant::now();
        while self.read(client).await != "HIT" {
            assert!(began.elapsed() < Duration::from_secs(60), "the cache does not come back");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Waits until nothing is pending for the cache any more.
async fn until_nothing_is_pending(database: &TestDatabase) {
    let (db, began) = (database.open().await, Instant::now());
    while !vendorscope::server::db::outbox::look(&db, 1).await.expect("the outbox").pending.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "invalidations stay undelivered");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
