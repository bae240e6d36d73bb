//! What holds for whatever is sent: nothing panics, nothing that is none is taken for something, and what is refused
//! changes nothing. The inputs are decided by seeds, so that a failure is found again. `fuzz/` sends more to the same
//! places.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tower_sessions::session::Id;
use vendorscope_cache::{Derived, Payload, entry::Entry, generations::Generation};

use vendorscope::server::{
    cache_keys,
    config::Config,
    db::{Db, sql},
    identity::sessions::SessionCookie,
};

use crate::harness::{TestApp, TestDatabase};

/// What the fuzz targets check.
#[path = "../../fuzz/src/lib.rs"]
mod targets;

use targets::BUNDLE;

fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// The bytes with a few of them changed, removed, repeated or put elsewhere.
fn mutated(random: &mut StdRng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..5) {
        if bytes.is_empty() {
            bytes.push(random.random());
            continue;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..20)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes[at] ^= 1 << random.random_range(0..8),
            1 => bytes[at] = random.random(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => bytes.truncate(at),
            _ => bytes.insert(at, *b"\0\r\n,\"';=&%+-9\xff\xc3".get(random.random_range(0..16)).unwrap_or(&b'x')),
        }
    }
    bytes
}

#[test]
fn an_entry_that_is_not_the_one_that_was_written_is_refused() {
    let key = cache_keys::profile_key("7");
    let text = br#"{"name":"payload"}"#;
    // As it is, and compressed.
    for payload in [text.to_vec(), text.repeat(100)] {
        let entry = Entry {
            created_micros: 1,
            expires_micros: 2,
            load_micros: 3,
            digest: 4,
            schema: 0,
            base_ttl_micros: 5,
            stamp: vec![
                (cache_keys::vendor_tag("7"), Generation::from_raw(11)),
                (cache_keys::orders_tag("7"), Generation::from_raw(12)),
            ],
            payload: Payload::new(&payload),
            derived: Derived::default(),
        };
        let written = entry.encode(&key);
        assert_eq!(Entry::decode(&key, &written), Ok(entry));
        assert!(Entry::decode(&cache_keys::profile_key("8"), &written).is_err());
        for seed in 0..20_000 {
            let changed = Bytes::from(mutated(&mut random(seed), &written));
            targets::cache_entry(&changed);
            if changed != written {
                assert!(Entry::decode(&key, &changed).is_err(), "seed {seed}");
            }
        }
    }
}

#[test]
fn a_cookie_that_was_not_signed_here_is_none() {
    let cookie = SessionCookie::new(&Config::for_tests());
    let id = Id::default();
    let set = cookie.set(id).expect("a cookie");
    let signed = set.to_str().expect("ASCII").split(';').next().expect("a pair").as_bytes().to_vec();
    let read = |value: &[u8]| {
        let value = HeaderValue::from_bytes(value);
        value.map_or_else(|_| Vec::new(), |value| cookie.read(&HeaderMap::from_iter([(header::COOKIE, value)])))
    };
    assert_eq!(read(&signed), [id]);
    for seed in 0..20_000 {
        let mut random = random(seed);
        let changed = mutated(&mut random, &signed);
        // Another cookie beside it, or blanks around it, leave the signed one as it was.
        assert!(read(&changed).iter().all(|read| *read == id), "seed {seed}");
        let noise: Vec<u8> = (0..random.random_range(0..80)).map(|_| random.random()).collect();
        targets::cookie(&noise);
    }
}

#[test]
fn a_range_is_read_or_refused_by_field_and_what_is_read_is_a_range() {
    let texts = [
        "",
        "2025-01-01",
        "2025-12-31",
        "2024-02-29",
        "2025-02-29",
        "previous_period",
        "none",
        "auto",
        "hour",
        "9999-12-31",
        "é",
    ];
    for seed in 0..20_000 {
        let mut random = random(seed);
        let mut line = || match random.random_range(0..3) {
            0 => String::from_utf8_lossy(&mutated(&mut random, b"2025-06-15")).into_owned(),
            _ => texts[random.random_range(0..texts.len())].to_owned(),
        };
        targets::query(&[line(), line(), line(), line()].join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_query_and_no_body_makes_the_server_fail() {
    let app = TestApp::builder().northwind().config(|config| config.limits.reads = None).spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let queries: [&[u8]; 4] = [
        b"dateFrom=2025-01-01&dateTo=2025-01-31&compare=none&interval=day",
        b"search=caf%C3%A9&status=active&sort=price&after=1",
        b"status=shipped&after=17%3A4",
        b"__path=/_fn/product/save&__err=eyJJbnZhbGlkIjpbXX0",
    ];
    for seed in 0..150 {
        let mut random = random(seed);
        for path in [
            "/api/vendor/analytics/snapshot",
            "/api/vendor/products",
            "/api/vendor/orders",
            "/",
            "/products",
            "/_fn/dashboard",
            "/login",
        ] {
            let query = queries[random.random_range(0..queries.len())];
            let query: String = mutated(&mut random, query)
                .iter()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'&' | b'=' | b'%' | b'+' | b'-' | b'_' => {
                        char::from(*byte).to_string()
                    }
                    byte => format!("%{byte:02X}"),
                })
                .collect();
            let request = client.request(reqwest::Method::GET, &format!("{path}?{query}"));
            let request = if path.starts_with("/api") { request } else { request.header("accept", "text/html") };
            let response = request.send().await.expect("an answer");
            assert!(response.status().as_u16() < 500, "seed {seed}: {path}?{query}: {}", response.status());
        }
    }
}

/// Rows of every table that an import writes.
async fn rows(db: &Db) -> BTreeMap<&'static str, i64> {
    let mut tx = db.read().await.expect("a transaction");
    let mut counts = BTreeMap::new();
    for table in ["vendors", "products", "customers", "orders", "order_lines", "refunds"] {
        let row = tx.row(sql(format!("SELECT COUNT(*) AS rows FROM {table}"))).await.expect("a query").expect("a row");
        counts.insert(table, sqlx::Row::get::<i64, _>(&row, "rows"));
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bundle_is_imported_as_a_whole_or_not_at_all_whatever_is_in_it() {
    let (_, vendors) = BUNDLE[0];
    assert!(
        targets::csv_import(&TestDatabase::sqlite().open().await, 0, vendors.as_bytes()).await,
        "the bundle as it is"
    );
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..300 {
        let mut random = random(seed);
        let file = random.random_range(0..BUNDLE.len());
        let bytes = mutated(&mut random, BUNDLE[file].1.as_bytes());
        let before = rows(&db).await;
        if targets::csv_import(&db, file, &bytes).await {
            taken += 1;
        } else {
            assert_eq!(rows(&db).await, before, "seed {seed}");
            refused += 1;
        }
    }
    assert!(taken > 0 && refused > 100, "{taken} taken, {refused} refused");
}
