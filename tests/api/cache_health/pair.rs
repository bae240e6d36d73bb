use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};

use super::PRODUCTS;
use crate::{
    api::VENDOR,
    harness::{Client, RedisServer, TestApp, TestDatabase},
};

/// Two instances that share a database and a Redis for the cache; sessions are elsewhere, so that the page can be
/// opened while that Redis is away.
pub struct Pair {
    pub redis: RedisServer,
    pub one: TestApp,
    pub other: TestApp,
    pub admin: Client,
    pub vendor: Client,
    _sessions: RedisServer,
}

impl Pair {
    pub async fn start() -> Self {
        let (redis, sessions) = (RedisServer::start(), RedisServer::start());
        let database = TestDatabase::sqlite();
        let builder =
            || TestApp::builder().unlimited().database(&database).cache_at(&redis.url()).sessions_in(&sessions);
        let one = builder().northwind().spawn().await;
        let other = builder().spawn().await;
        let (admin, vendor) = (one.log_in_as_admin().await, one.log_in_as_vendor(VENDOR).await);
        Self { redis, one, other, admin, vendor, _sessions: sessions }
    }

    /// A page of the products that were searched for, which is one lookup; says how it went.
    pub async fn list(&self, at: &TestApp, search: &str) -> String {
        let response = self.vendor.at(at).get(&format!("{PRODUCTS}?search={search}")).await;
        assert_eq!(response.status(), 200);
        response.headers()["x-cache"].to_str().expect("a word").to_owned()
    }

    pub async fn stats(&self) -> Value {
        // What the other one has counted, too.
        self.other.state().cache.counts().await;
        self.admin.get_json("/api/admin/cache/stats").await
    }

    /// Changes a part of every entry of products in Redis, and makes the checksum fit.
    pub async fn rewrite(&self, keys: &[String], place: std::ops::Range<usize>, with: &[u8]) {
        let mut connection = self.redis.connection().await;
        for key in keys {
            let mut bytes: Vec<u8> = connection.get(key).await.expect("an entry");
            bytes[place.clone()].copy_from_slice(with);
            let checksum = crc32fast::hash(&bytes[8..]);
            bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
            let _: () = connection
                .set_options(key, bytes, redis::SetOptions::default().with_expiration(redis::SetExpiry::KEEPTTL))
                .await
                .expect("OK");
        }
    }

    /// The keys of lists of products in Redis.
    pub async fn keys(&self) -> Vec<String> {
        let mut connection = self.redis.connection().await;
        connection.keys::<_, Vec<String>>("products:*").await.expect("keys")
    }

    pub async fn page(&self) -> String {
        let request = self.admin.request(Method::GET, "/admin/cache").header("accept", "text/html");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        response.text().await.expect("a text")
    }
}

/// The last cell of the row of this name in the table of counts.
pub fn in_all(page: &str, name: &str) -> String {
    let (_, row) =
        page.split_once(&format!("scope=\"row\" class=\"\">{name}</th>")).unwrap_or_else(|| panic!("no row {name}"));
    let (row, _) = row.split_once("</tr>").expect("an end");
    let cell = row.rsplit("<td").next().expect("a cell");
    let (_, text) = cell.split_once('>').expect("a tag");
    text.split('<').next().unwrap_or_default().to_owned()
}

/// What /metrics says of one event.
pub fn event(metrics: &str, name: &str) -> u64 {
    let line = format!("vendorscope_cache_events_total{{event=\"{name}\"}} ");
    let found =
        metrics.lines().find_map(|found| found.strip_prefix(&line)).map(|value| value.parse().expect("a number"));
    found.unwrap_or(0)
}

/// What /metrics says of this instance's cache.
pub fn gauge(metrics: &str, name: &str) -> f64 {
    let line = format!("vendorscope_cache_{name} ");
    let found = metrics.lines().find_map(|found| found.strip_prefix(&line));
    found.unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().expect("a number")
}

/// What stands first among the findings, but for a Redis that is slow: that is the machine's doing, and has to be found
/// exactly where the latency that is shown says so.
pub fn verdict(health: &Value) -> Value {
    let servers = health["redis"].as_array().expect("a list");
    let is_slow = servers.iter().any(|server| server["latencyMs"].as_f64() >= Some(10.0));
    let also = health["also"].as_array().expect("a list");
    let (slow, others): (Vec<_>, Vec<_>) =
        std::iter::once(&health["verdict"]).chain(also).partition(|found| found["rule"] == "redis_slow");
    assert_eq!(!slow.is_empty(), is_slow, "{health}");
    others.first().map_or_else(|| json!({ "rule": "well" }), |found| (*found).clone())
}
