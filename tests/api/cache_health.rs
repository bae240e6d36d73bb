//! The health of the cache on a load that is known: page, API and /metrics say what was driven, and nothing else.

use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};

use super::{VENDOR, refused_fields};
use crate::harness::until;

/// Instances that are there, and that are missed.
mod instances;
/// The instances that are driven.
mod pair;

use pair::{Pair, event, gauge, in_all, verdict};

const PRODUCTS: &str = "/api/vendor/products";
/// Where an entry's expiry and the number of its payload's schema stand: see `crates/cache/src/entry.rs`.
const EXPIRES: std::ops::Range<usize> = 16..24;
const SCHEMA: std::ops::Range<usize> = 49..53;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn page_api_and_metrics_say_what_was_driven() {
    let pair = Pair::start().await;
    let (one, other) = (&pair.one, &pair.other);

    // Nothing there, then from the instance's own memory, then from Redis, then from that one's own memory.
    assert_eq!(pair.list(one, "a").await, "MISS");
    for _ in 0..3 {
        assert_eq!(pair.list(one, "a").await, "HIT");
    }
    for _ in 0..2 {
        assert_eq!(pair.list(other, "a").await, "HIT");
    }
    // Invalidated: loaded by one, in Redis for the other.
    let tags = json!({ "tags": [format!("products:{VENDOR}")] });
    assert_eq!(pair.admin.post("/api/admin/cache/invalidate", &tags).await.status(), 200);
    assert_eq!(pair.list(one, "a").await, "MISS");
    assert_eq!(pair.list(other, "a").await, "HIT");
    // Expired, of another release, and garbage: each where the instance has it not in its own memory.
    let known = pair.keys().await;
    assert_eq!(pair.list(one, "b").await, "MISS");
    let expired: Vec<String> = pair.keys().await.into_iter().filter(|key| !known.contains(key)).collect();
    // Expired more than an hour ago is as good as not there; a moment ago it is expired.
    let just_now = u64::try_from(jiff::Timestamp::now().as_microsecond()).expect("after 1970") - 1;
    pair.rewrite(&expired, EXPIRES, &just_now.to_le_bytes()).await;
    let how = pair.list(other, "b").await;
    assert!(how == "MISS" || how == "STALE", "{how}");
    let known = pair.keys().await;
    assert_eq!(pair.list(one, "c").await, "MISS");
    let foreign: Vec<String> = pair.keys().await.into_iter().filter(|key| !known.contains(key)).collect();
    pair.rewrite(&foreign, SCHEMA, &99_u32.to_le_bytes()).await;
    assert_eq!(pair.list(other, "c").await, "MISS");
    let known = pair.keys().await;
    assert_eq!(pair.list(one, "d").await, "MISS");
    let garbage: Vec<String> = pair.keys().await.into_iter().filter(|key| !known.contains(key)).collect();
    let mut connection = pair.redis.connection().await;
    let _: () = connection.set(&garbage[0], "garbage").await.expect("OK");
    assert_eq!(pair.list(other, "d").await, "MISS");

    let driven = [
        ("hits", "Hits", 6),
        ("l1_hits", "… from the instance&#x27;s own memory", 4),
        ("misses_absent", "… no entry", 4),
        ("misses_expired", "… expired", 1),
        ("misses_invalidated", "… invalidated", 1),
        ("misses_by_products_tag", "… … by its products&#x27; tag", 1),
        ("misses_by_vendor_tag", "… … by a vendor&#x27;s tag", 0),
        ("misses_undecodable", "… of another release", 1),
        ("misses_corrupt", "… unreadable", 1),
        ("bypasses", "Bypassed: Redis not asked, or not believed", 0),
        ("loads", "Loads from the database", 8),
        ("load_failures", "… failed", 0),
        ("invalidated_tags", "Tags invalidated", 1),
        ("write_failures", "Values that Redis did not take", 0),
    ];
    let stats = pair.stats().await;
    let (page, metrics) = (pair.page().await, pair.one.client().get("/metrics").await.text().await.expect("a text"));
    let page = page.replace("<!>", "");
    for (name, row, count) in driven {
        assert_eq!(event(&metrics, name), count, "/metrics: {name}");
        let row = row.replace("&#x27;", "'");
        assert_eq!(in_all(&page, &row), count.to_string(), "page: {row}");
    }
    for (path, count) in [
        ("/hits", 6),
        ("/l1Hits", 4),
        ("/storeHits", 2),
        ("/misses", 8),
        ("/lookups", 14),
        ("/missesByReason/absent", 4),
        ("/missesByReason/expired", 1),
        ("/missesByReason/invalidated", 1),
        ("/missesByReason/corrupt", 1),
        ("/missesByReason/undecodable", 1),
        ("/missesByTag/products", 1),
        ("/loads", 8),
        ("/savings/loads", 6),
        // Everything happened a moment ago.
        ("/health/windows/now/hits", 6),
        ("/health/windows/hour/misses", 8),
        ("/health/windows/day/lookups", 14),
        ("/health/windows/week/loads", 8),
        ("/health/windows/hour/invalidatedTags", 1),
    ] {
        assert_eq!(stats.pointer(path), Some(&json!(count)), "{path}: {stats}");
    }
    // A page of products is six statements: the vendor's zone, the products, what they sold lately, how their prices
    // changed, and what all of them come to and sold.
    assert_eq!(stats["savings"]["statementsPerLoad"], json!(6.0), "{stats}");
    assert_eq!((&stats["savings"]["statements"], &stats["savings"]["percent"]), (&json!(36), &json!(42.9)));
    assert_eq!(stats["hitRate"], json!(42.86));
    assert_eq!(verdict(&stats["health"])["rule"], "well", "{stats}");

    let health = &stats["health"];
    let invalidation = &health["invalidations"][0];
    assert_eq!(
        (&invalidation["who"], &invalidation["why"], &invalidation["tags"], &invalidation["times"]),
        (&json!("admin@example.com"), &json!("asked for by an admin"), &json!(["products:7"]), &json!(1))
    );
    let running = health["instances"].as_array().expect("a list").iter().filter(|one| one["presence"] == "running");
    assert_eq!(running.count(), 2, "{health}");
    let namespaces = health["namespaces"]["list"].as_array().expect("a list");
    let products = namespaces.iter().find(|one| one["name"] == "products").expect("products");
    assert_eq!((&products["keys"], &products["sampled"]), (&json!(4), &json!(4)), "{namespaces:?}");
    assert!(products["memory"].as_u64().is_some_and(|bytes| bytes > 1_000), "{namespaces:?}");
    assert_eq!(health["redis"][0]["policy"], "noeviction");

    // What was read and what made it miss, at both together, whichever is asked; what one has counted it writes down
    // when it is asked itself.
    let stats = pair.admin.at(other).get_json("/api/admin/cache/stats").await;
    for stats in [stats, pair.stats().await] {
        let read = stats["health"]["mostRead"].as_array().expect("a list");
        let reads: Vec<_> = read.iter().map(|read| (read["reads"].as_u64(), read["isEstimate"].as_bool())).collect();
        assert_eq!(
            reads,
            [(Some(8), Some(false)), (Some(2), Some(false)), (Some(2), Some(false)), (Some(2), Some(false))]
        );
        assert!(read[0]["key"].as_str().is_some_and(|key| key.starts_with("products:{7}:list:")), "{read:?}");
        let cause = json!({ "who": "admin@example.com", "why": "asked for by an admin", "times": 1 });
        let missed = json!([{ "tag": "products:7", "misses": 1, "isEstimate": false, "cause": cause }]);
        assert_eq!(stats["health"]["missedTags"], missed);
    }
    let page = pair.page().await.replace("<!>", "");
    let (_, tags) = page.split_once("Tags that made lookups miss</h2>").expect("the section");
    let tags = tags.split("</section>").next().unwrap_or_default();
    assert!(tags.contains("products:7") && tags.contains("admin@example.com"), "{tags}");
    let (_, read) = page.split_once("Most-read entries</h2>").expect("the section");
    assert!(read.split("</section>").next().is_some_and(|read| read.contains(">8</td>")), "{read}");

    // The course ends with the same.
    let course = pair.admin.get_json("/api/admin/cache/history?range=1h").await;
    let points = course["points"].as_array().expect("a list");
    let sum = |name: &str| points.iter().filter_map(|point| point[name].as_u64()).sum::<u64>();
    assert_eq!((points.len(), sum("l1Hits"), sum("storeHits"), sum("misses"), sum("loads")), (60, 4, 2, 8, 8));
    for (range, count) in [("24h", 144), ("7d", 168)] {
        let course = pair.admin.get_json(&format!("/api/admin/cache/history?range={range}")).await;
        let points = course["points"].as_array().expect("a list");
        let sum = points.iter().filter_map(|point| point["misses"].as_u64()).sum::<u64>();
        assert_eq!((points.len(), sum), (count, 8), "{range}");
    }
    let starts = course["events"].as_array().expect("a list").iter().filter(|event| event["kind"] == "started").count();
    assert_eq!(starts, 2, "{course}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outage_is_the_verdict_while_it_lasts_and_is_told_afterwards() {
    let pair = Pair::start().await;
    assert_eq!(pair.list(&pair.one, "a").await, "MISS");
    assert_eq!(pair.list(&pair.one, "a").await, "HIT");
    let before = pair.stats().await;
    assert_eq!((&before["hits"], &before["bypasses"]), (&json!(1), &json!(0)));

    pair.redis.freeze();
    for _ in 0..5 {
        assert_eq!(pair.list(&pair.one, "a").await, "BYPASS");
    }
    // The API, the page and /metrics answer, and say the same.
    let during = pair.admin.get_json("/api/admin/cache/stats").await;
    assert_eq!((&during["hits"], &during["bypasses"]), (&json!(1), &json!(5)), "{during}");
    let health = &during["health"];
    assert_eq!((&health["verdict"]["rule"], &health["verdict"]["level"]), (&json!("redis_away"), &json!("bad")));
    assert_eq!(health["isWhole"], json!(false));
    assert_eq!(health["windows"]["now"]["bypasses"], json!(5));
    let here = health["instances"].as_array().expect("a list").iter().find(|one| one["isHere"] == true).expect("here");
    assert!(here["state"]["breakerOpenSince"].is_string() && here["level"] == "bad", "{here}");
    let page = pair.page().await.replace("<!>", "");
    assert!(page.contains("data-rule=\"redis_away\"") && page.contains("Bring Redis back"), "{page}");
    assert_eq!(in_all(&page, "Bypassed: Redis not asked, or not believed"), "5");
    let metrics = pair.one.client().get("/metrics").await.text().await.expect("a text");
    assert_eq!((event(&metrics, "bypasses"), event(&metrics, "hits")), (5, 1));
    assert_eq!((gauge(&metrics, "breakers_open"), gauge(&metrics, "outbox_pending")), (1.0, 0.0));
    assert!(gauge(&metrics, "breaker_openings_total") >= 1.0);
    // A write has to wait in the outbox until Redis is back.
    let mut product = pair.vendor.get_json(PRODUCTS).await["products"][0].clone();
    product["stock"] = json!(3);
    let path = format!("{PRODUCTS}/{}", product["productId"].as_str().expect("an id"));
    assert_eq!(pair.vendor.put(&path, &product).await.status(), 200);
    let waits = until("the write waits", async || {
        let metrics = pair.one.client().get("/metrics").await.text().await.expect("a text");
        (gauge(&metrics, "outbox_pending") > 0.0 && gauge(&metrics, "outbox_pending_seconds") > 0.0).then_some(metrics)
    })
    .await;
    assert!(gauge(&waits, "outbox_look_age_seconds") < 5.0, "{waits}");

    pair.redis.thaw();
    until("the cache is used again", async || (pair.list(&pair.one, "a").await == "HIT").then_some(())).await;
    let after = until("it is told that Redis was away", async || {
        let stats = pair.stats().await;
        let kinds: Vec<String> = stats["health"]["events"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|event| event["kind"].as_str().expect("a word").to_owned())
            .collect();
        (kinds.contains(&"redis_back".to_owned()) && kinds.contains(&"redis_away".to_owned())).then_some(stats)
    })
    .await;
    assert_eq!(after["health"]["isWhole"], json!(true));
    let metrics = pair.one.client().get("/metrics").await.text().await.expect("a text");
    assert_eq!((gauge(&metrics, "breakers_open"), gauge(&metrics, "outbox_pending")), (0.0, 0.0));
    assert!(gauge(&metrics, "breaker_openings_total") >= 1.0 && gauge(&metrics, "store_epoch") >= 1.0, "{metrics}");
    assert!(after["bypasses"].as_u64() >= Some(5), "what was counted during the outage is not lost: {after}");
    assert_eq!(verdict(&after["health"])["rule"], "redis_was_away", "{after}");
    let course = pair.admin.get_json("/api/admin/cache/history").await;
    let bypassed: u64 =
        course["points"].as_array().expect("a list").iter().filter_map(|p| p["bypasses"].as_u64()).sum();
    assert_eq!(Some(bypassed), after["bypasses"].as_u64());
    assert!(course["events"].as_array().expect("a list").iter().any(|event| event["kind"] == "redis_away"), "{course}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn evictions_are_told_and_what_they_mean() {
    let pair = Pair::start().await;
    // Twice: how many were evicted is known from two looks.
    pair.stats().await;
    let mut connection = pair.redis.connection().await;
    let info: String = redis::cmd("INFO").arg("memory").query_async(&mut connection).await.expect("INFO");
    let used: u64 = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"))
        .expect("a line")
        .trim()
        .parse()
        .expect("a number");
    // What lives shortest is evicted first: nothing of the cache.
    for (name, value) in
        [("maxmemory-policy", "volatile-ttl".to_owned()), ("maxmemory", (used + 2_000_000).to_string())]
    {
        let _: () =
            redis::cmd("CONFIG").arg("SET").arg(name).arg(value).query_async(&mut connection).await.expect("OK");
    }
    for number in 0..40 {
        let _: () = redis::cmd("SET")
            .arg(format!("junk:{number}"))
            .arg(vec![0_u8; 100_000])
            .arg("EX")
            .arg(30)
            .query_async(&mut connection)
            .await
            .expect("OK");
    }
    let stats = until("evictions are seen", async || {
        let stats = pair.stats().await;
        (stats["health"]["redis"][0]["evictedLastHour"].as_u64() > Some(0)).then_some(stats)
    })
    .await;
    let info: String = redis::cmd("INFO").arg("stats").query_async(&mut connection).await.expect("INFO");
    let evicted = info.lines().find_map(|line| line.strip_prefix("evicted_keys:")).expect("a line").trim();
    assert_eq!(stats["health"]["redis"][0]["evictedKeys"].to_string(), evicted);
    let verdict = &stats["health"]["verdict"];
    assert_eq!((&verdict["rule"], &verdict["level"]), (&json!("redis_evicts"), &json!("warning")), "{verdict}");
    assert!(pair.page().await.contains("data-rule=\"redis_evicts\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_entry_says_why_it_is_served_or_not_and_never_what_is_in_it() {
    let pair = Pair::start().await;
    let look = async |key: &str| {
        let response = pair
            .admin
            .request(Method::GET, "/api/admin/cache/entry")
            .query(&[("key", key)])
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.expect("JSON")
    };
    assert_eq!(pair.list(&pair.one, "a").await, "MISS");
    let key = pair.keys().await.remove(0);
    let found = look(&key).await;
    assert_eq!((&found["standing"], &found["header"]["isNear"]), (&json!("served"), &json!(true)), "{found}");
    let header = &found["header"];
    assert!(header["leftSeconds"].as_u64().is_some_and(|left| (60..=132).contains(&left)), "{found}");
    // Compressed, from 1 KB on.
    let size = |name: &str| header[name].as_u64().expect("bytes");
    assert!(size("payloadSize") > 1024 && size("storedSize") < size("payloadSize"), "{found}");
    let tags: Vec<_> = header["tags"].as_array().expect("a list").iter().map(|tag| tag["tag"].clone()).collect();
    assert_eq!(tags, ["products:7", "vendor:7"]);
    assert!(!found.to_string().contains("unitPrice"), "{found}");

    let mut product = pair.vendor.get_json(PRODUCTS).await["products"][0].clone();
    product["stock"] = json!(3);
    let path = format!("{PRODUCTS}/{}", product["productId"].as_str().expect("an id"));
    assert_eq!(pair.vendor.put(&path, &product).await.status(), 200);
    let found = look(&key).await;
    assert_eq!(found["standing"], "invalidated", "{found}");
    let tag = &found["header"]["tags"][1];
    assert_eq!((&tag["isCurrent"], &tag["invalidatedBy"]["who"]), (&json!(false), &json!("vendor 7")), "{found}");
    assert_ne!(tag["stamped"], tag["current"]);
    assert_eq!(look("products:{7}:list:0").await["standing"], "absent");

    let response = pair.admin.get("/api/admin/cache/entry?key=sess:abc").await;
    assert_eq!(refused_fields(response).await, ["key"], "no session is looked at");
    let page =
        pair.admin.request(Method::GET, "/admin/cache/entry").query(&[("key", &key)]).header("accept", "text/html");
    let page = page.send().await.expect("an answer").text().await.expect("a text");
    assert!(page.contains("data-standing=\"invalidated\"") && page.contains("vendor 7"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn actions_say_what_they_cost_before_they_are_done() {
    let pair = Pair::start().await;
    for search in ["a", "b", "c"] {
        pair.list(&pair.one, search).await;
    }
    let preview = async |query: &str| pair.admin.get_json(&format!("/api/admin/cache/preview?{query}")).await;
    let cost = preview(&format!("action=invalidate&tags=products:{VENDOR}")).await;
    assert_eq!(
        (&cost["entries"], &cost["vendors"], &cost["vendorCount"], &cost["isEstimate"]),
        (&json!(3), &json!([VENDOR]), &json!(1), &json!(false)),
        "{cost}"
    );
    assert!(cost["databaseSeconds"].as_f64().is_some_and(|seconds| seconds > 0.0 && seconds < 10.0), "{cost}");
    assert_eq!(preview("action=invalidate&tags=orders:7,analytics").await["entries"], 0);
    assert_eq!(pair.list(&pair.one, "a").await, "HIT", "a preview changes nothing");
    let cost = preview("action=warm&vendorIds=7,8").await;
    assert_eq!((&cost["entries"], &cost["vendors"]), (&json!(2), &json!(["7", "8"])), "{cost}");
    for (query, field) in
        [("action=nothing", "action"), ("action=invalidate", "tags"), ("action=warm&vendorIds=none", "vendorIds")]
    {
        let response = pair.admin.get(&format!("/api/admin/cache/preview?{query}")).await;
        assert_eq!(refused_fields(response).await, [field], "{query}");
    }
    // Those, and the vendor's profile, which says what its day is.
    let asked = pair.admin.request(Method::GET, "/admin/cache").query(&[("tags", format!("vendor:{VENDOR}"))]);
    let page = asked.header("accept", "text/html").send().await.expect("an answer").text().await.expect("a text");
    assert!(page.replace("<!>", "").contains("4 entries of vendor 7 are loaded again"), "{page}");

    assert!(pair.stats().await["hits"].as_u64() > Some(0));
    let response = pair.admin.post("/api/admin/cache/reset", &json!({})).await;
    assert_eq!(response.json::<Value>().await.expect("JSON"), json!({ "reset": true }));
    let stats = pair.stats().await;
    assert_eq!((&stats["hits"], &stats["misses"], &stats["hitRate"]), (&json!(0), &json!(0), &Value::Null));
    assert!(stats["health"]["countedSince"].is_string(), "{stats}");
    // Three lists, and the profiles of the two vendors whose dashboards a preview was asked of.
    assert_eq!(stats["health"]["windows"]["hour"]["misses"], 5, "what was counted by minute stays");
    let mut tx = pair.one.state().db.read().await.expect("a transaction");
    let rows = tx.rows(vendorscope::server::db::sql("SELECT actor FROM audit_log WHERE action = 'cache_reset'")).await;
    assert_eq!(rows.expect("rows").len(), 1);
}
