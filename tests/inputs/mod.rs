//! What holds for whatever is sent: nothing panics, nothing that is none is taken for something, and what is refused changes nothing.
//! The inputs are decided by seeds, so that a failure is found again. The same entry points are fuzzed by `fuzz/`.

use std::{collections::BTreeMap, path::Path};

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tower_sessions::session::Id;
use vendorscope::server::{
    cache::{CacheKey, Tag, entry::Entry, generations::Generation},
    config::Config,
    db::{Db, sql},
    import::{ImportOptions, import_bundle},
    services::analytics::SnapshotQuery,
    sessions::SessionCookie,
};

use crate::harness::{TestApp, TestDatabase, Unwatched};

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
    let key = CacheKey::profile("7");
    let entry = Entry {
        created_micros: 1,
        expires_micros: 2,
        load_micros: 3,
        digest: 4,
        earned_micros: 5,
        stamp: vec![(Tag::vendor("7"), Generation::from_raw(11)), (Tag::orders("7"), Generation::from_raw(12))],
        payload: Bytes::from_static(b"{\"name\":\"payload\"}"),
    };
    let written = entry.encode(&key);
    assert_eq!(Entry::decode(&key, &written), Ok(entry));
    assert!(Entry::decode(&CacheKey::profile("8"), &written).is_err());
    for seed in 0..20_000 {
        let changed = Bytes::from(mutated(&mut random(seed), &written));
        if changed != written {
            assert!(Entry::decode(&key, &changed).is_err(), "seed {seed}");
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
        let value = HeaderValue::from_bytes(value).ok()?;
        cookie.read(&HeaderMap::from_iter([(header::COOKIE, value)]))
    };
    assert_eq!(read(&signed), Some(id));
    for seed in 0..20_000 {
        let mut random = random(seed);
        let changed = mutated(&mut random, &signed);
        // Another cookie beside it, or blanks around it, leave the signed one as it was.
        assert!(read(&changed).is_none_or(|read| read == id), "seed {seed}");
        let noise: Vec<u8> = (0..random.random_range(0..80)).map(|_| random.random()).collect();
        assert_eq!(read(&noise), None, "seed {seed}");
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
        "0001-01-01",
        "9999-12-31",
        "-1",
        "é",
        "2025-1-1",
    ];
    let today = jiff::civil::date(2026, 3, 1);
    let mut read = 0;
    for seed in 0..20_000 {
        let mut random = random(seed);
        let mut text = || match random.random_range(0..4) {
            0 => None,
            1 => Some(String::from_utf8_lossy(&mutated(&mut random, b"2025-06-15")).into_owned()),
            _ => Some(texts[random.random_range(0..texts.len())].to_owned()),
        };
        let (from, to, compare, interval) = (text(), text(), text(), text());
        match SnapshotQuery::parse(from.as_deref(), to.as_deref(), compare.as_deref(), interval.as_deref(), Some(today)) {
            Ok(query) => {
                assert!(query.range.from <= query.range.to && query.range.days() <= 3_660, "seed {seed}: {query:?}");
                read += 1;
            }
            Err(errors) => {
                let errors: Vec<_> = errors.into_iter().collect();
                assert!(
                    !errors.is_empty() && errors.iter().all(|error| !error.field.is_empty() && !error.message.is_empty()),
                    "seed {seed}"
                );
            }
        }
    }
    assert!(read > 100, "some are ranges: {read}");
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
        for path in
            ["/api/vendor/analytics/snapshot", "/api/vendor/products", "/api/vendor/orders", "/", "/products", "/_fn/dashboard", "/login"]
        {
            let query = queries[random.random_range(0..queries.len())];
            let query: String = mutated(&mut random, query)
                .iter()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'&' | b'=' | b'%' | b'+' | b'-' | b'_' => char::from(*byte).to_string(),
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
    let files = [
        (
            "vendors.csv",
            "vendor_id,name,country,time_zone,currency\nv-1,\"One, and more\",DE,Europe/Berlin,EUR\nv-2,Zwei,JP,Asia/Tokyo,JPY\n",
        ),
        (
            "products.csv",
            "product_id,vendor_id,name,category,unit_price,stock,status\np-1,v-1,Tea,Drinks,2.50,10,active\np-2,v-2,Chai,Drinks,1200,0,archived\n",
        ),
        ("customers.csv", "customer_id,name,country\nc-1,Ann,DE\nc-2,Ren,JP\n"),
        (
            "orders.csv",
            "order_id,customer_id,placed_at,status\no-1,c-1,2026-03-01T09:30:00Z,delivered\no-2,c-2,2026-03-02T09:30:00Z,shipped\n",
        ),
        ("order_items.csv", "order_id,line,product_id,quantity,gross,discount\no-1,1,p-1,2,5.00,0.50\no-2,1,p-2,1,1200,0\n"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &Path, changed: Option<(&str, &[u8])>| {
        for (name, text) in files {
            let bytes = changed.filter(|(changed, _)| *changed == name).map_or(text.as_bytes(), |(_, bytes)| bytes);
            std::fs::write(path.join(name), bytes).expect("written");
        }
    };
    write(folder.path(), None);
    let intact = import_bundle(&TestDatabase::sqlite().open().await, folder.path(), ImportOptions::default(), &Unwatched).await;
    assert!(intact.is_ok(), "the bundle as it is: {intact:?}");
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    let (mut taken, mut refused) = (0, 0);
    for seed in 0..300 {
        let mut random = random(seed);
        let (name, text) = files[random.random_range(0..files.len())];
        write(folder.path(), Some((name, &mutated(&mut random, text.as_bytes()))));
        let before = rows(&db).await;
        match import_bundle(&db, folder.path(), ImportOptions::default(), &Unwatched).await {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(rows(&db).await, before, "seed {seed}: {error}");
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{taken} taken, {refused} refused");
}
