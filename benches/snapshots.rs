//! What the cache spares the database, on a real snapshot: `cargo bench --bench snapshots`. Starts a Redis of its own
//! on this machine. Prints tables of `docs/cache.md`. Allocations are those of the whole process during a lookup, the
//! Redis client's among them.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use vendorscope::domain::accounts::VendorRef;
use vendorscope::{
    domain::period::{Comparison, DateRange, Interval},
    server::{
        cache_keys,
        db::{Db, vendors},
        demo::demo,
        import::Progress,
        services::analytics::{Analytics, SnapshotQuery},
    },
};
use vendorscope_cache::Cache;

#[allow(dead_code)]
#[path = "../crates/cache/tests/suite/redis_server.rs"]
mod redis_server;

const SNAPSHOTS: usize = 500;

/// Counts, and leaves the work to the system's.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code)]
// SAFETY: everything is handed on as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let server = redis_server::RedisServer::start();
    let cache = Cache::redis(&server.url(), cache_keys::namespace()).await.expect("a Redis that is there");
    println!("| | p50 | p99 | allocations |\n| --- | ---: | ---: | ---: |");
    snapshots(&cache).await;
}

/// A snapshot of a year of the demo's marketplace on SQLite: what a lookup spares the database.
async fn snapshots(cache: &Cache) {
    let folder = tempfile::tempdir().expect("a folder");
    let db =
        Db::connect(&format!("sqlite://{}", folder.path().join("bench.db").display()), 4).await.expect("a database");
    db.migrate().await.expect("tables");
    let now = Timestamp::now();
    let today = now.to_zoned(TimeZone::UTC).date();
    demo(&db, now, &Unwatched).await.expect("a marketplace");
    let vendors = vendors::list_ids(&db).await.expect("vendors");
    let vendor: VendorRef = vendors::find(&db, &vendors[0]).await.expect("an answer").expect("a vendor");
    let query = |days: i64| {
        let from = today.saturating_sub(jiff::Span::new().days(days - 1));
        let range = DateRange::parse(&from.to_string(), &today.to_string()).expect("a range");
        SnapshotQuery { range, comparison: Comparison::PreviousPeriod, interval: Interval::Day }
    };
    let (analytics, year) = (Analytics::new(db.clone(), cache.clone()), query(365));
    let cached =
        measure(SNAPSHOTS, || async { drop(analytics.snapshot_json(&vendor, &year).await.expect("a snapshot")) }).await;
    report("snapshot of a year by day, cached in Redis and L1", cached);
    let mut uncached = Vec::with_capacity(SNAPSHOTS);
    for _ in 0..SNAPSHOTS {
        let fresh = Analytics::new(db.clone(), Cache::memory());
        uncached.extend(
            measure(1, || async { drop(fresh.snapshot_json(&vendor, &year).await.expect("a snapshot")) }).await,
        );
    }
    report("the same without a cache, SQLite", uncached);

    println!("\n| snapshot | bytes | compressed | compress | decompress |\n| --- | ---: | ---: | ---: | ---: |");
    for days in [1, 7, 30, 60, 90, 180, 365] {
        let json = analytics.snapshot_json(&vendor, &query(days)).await.expect("a snapshot").value.bytes();
        let packed = zstd::bulk::compress(&json, 1).expect("memory");
        let pack = median(|| drop(zstd::bulk::compress(&json, 1).expect("memory")));
        let unpack = median(|| drop(zstd::bulk::decompress(&packed, 1 << 20).expect("what was packed")));
        println!("| {days} days | {} | {} | {pack:.0} µs | {unpack:.0} µs |", json.len(), packed.len());
    }
}

/// Of [`SNAPSHOTS`] runs, in µs.
fn median(mut work: impl FnMut()) -> f64 {
    let mut taken: Vec<_> = (0..SNAPSHOTS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    taken.sort_unstable();
    taken[SNAPSHOTS / 2].as_secs_f64() * 1e6
}

struct Unwatched;

impl Progress for Unwatched {
    fn phase(&self, _: &str, _: u64) {}
    fn done(&self, _: u64) {}
}

/// What one call took, and how often it allocated.
type IngestResult = (Duration, u64);

async fn measure<Fut: Future<Output = ()>>(times: usize, mut work: impl FnMut() -> Fut) -> Vec<IngestResult> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let (before, began) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
        work().await;
        taken.push((began.elapsed(), ALLOCATIONS.load(Ordering::Relaxed) - before));
    }
    taken
}

fn report(name: &str, mut taken: Vec<IngestResult>) {
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].0.as_secs_f64() * 1e6;
    let mut allocations: Vec<_> = taken.iter().map(|(_, allocations)| *allocations).collect();
    allocations.sort_unstable();
    println!("| {name} | {:.0} µs | {:.0} µs | {} |", at(0.5), at(0.99), allocations[allocations.len() / 2]);
}
