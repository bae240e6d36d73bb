//! What a lookup costs: `cargo bench -p vendorscope-cache`. Starts a Redis of its own on this machine; the source
//! answers at once, so that what is measured is the cache's own part. Prints the table of `docs/cache.md`. Allocations
//! are those of the whole process during a lookup, the Redis client's among them.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    future::Future,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use vendorscope_cache::{
    Cache, Cause, Clock, Key, Loaded, Namespace, Outcome, Payload, Served, Settings, Tag,
    store::{memory::MemoryStore, redis::RedisStore},
};

#[allow(dead_code)]
#[path = "../tests/suite/redis_server.rs"]
mod redis_server;

/// Days of figures: about a month's snapshot, 8 KB of JSON.
const DAYS: u64 = 100;
const LOOKUPS: usize = 5_000;
const STAMPEDES: usize = 20;
const CALLERS: usize = 1_000;

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
    let over_redis = async |l1_bytes| {
        let store =
            RedisStore::connect(&server.url(), Namespace::new(["snapshot"])).await.expect("a Redis that is there");
        Cache::with(Arc::new(store), Clock::default(), Settings { l1_bytes, ..Settings::default() })
    };
    let (l1, far, memory) = (
        over_redis(32 << 20).await,
        over_redis(0).await,
        Cache::over(Arc::new(MemoryStore::default()), Clock::default()),
    );

    println!("| | p50 | p99 | allocations |\n| --- | ---: | ---: | ---: |");
    for (name, cache) in
        [("hit, L1 (generations from Redis)", &l1), ("hit, Redis", &far), ("hit, memory store", &memory)]
    {
        look_up(cache).await;
        report(name, measure(LOOKUPS, || async { assert_eq!(look_up(cache).await, Outcome::Hit) }).await);
        let decoded = measure(LOOKUPS, || async { assert_eq!(read(cache).await, figures().len()) }).await;
        report(&format!("{name}, decompressed"), decoded);
    }
    for (name, cache) in
        [("miss after an invalidation, Redis", &far), ("miss after an invalidation, memory store", &memory)]
    {
        let mut times = Vec::with_capacity(LOOKUPS);
        for _ in 0..LOOKUPS {
            invalidate(cache).await;
            times.extend(measure(1, || async { assert_eq!(look_up(cache).await, Outcome::Miss) }).await);
        }
        report(name, times);
    }
    report("invalidation of two tags, Redis", measure(LOOKUPS, || invalidate(&far)).await);
    let mut times = Vec::with_capacity(STAMPEDES);
    for _ in 0..STAMPEDES {
        invalidate(&l1).await;
        times.extend(measure(1, || stampede(&l1)).await);
    }
    report("1,000 callers at once on a cold key, until the last is answered", times);
}

async fn look_up(cache: &Cache) -> Outcome {
    find(cache).await.outcome
}

/// How long what it finds is before compression.
async fn read(cache: &Cache) -> usize {
    find(cache).await.value.bytes().len()
}

async fn find(cache: &Cache) -> Served<Payload> {
    let load = || async { Ok::<_, String>(Loaded::new(figures(), Duration::from_secs(300))) };
    cache.get_or_load(&Key::new("snapshot:{42}:bench"), &tags(), load).await.expect("the source does not fail")
}

fn figures() -> &'static [u8] {
    static FIGURES: LazyLock<String> = LazyLock::new(|| {
        let figure = |day: u64, of: u64| (day + 7).pow(3).wrapping_mul(of) % 1_000_000;
        let days = (0..DAYS).map(|day| {
            let (sold, returned) = (figure(day, 7_919), figure(day, 104_729) / 50);
            format!(
                r#"{{"start":"2026-{:02}-{:02}","grossSales":{sold},"refunds":{returned},"orders":{}}}"#,
                1 + day / 28,
                1 + day % 28,
                sold % 97
            )
        });
        format!("[{}]", days.collect::<Vec<_>>().join(","))
    });
    FIGURES.as_bytes()
}

async fn invalidate(cache: &Cache) {
    cache.invalidate(&tags(), &Cause { who: "bench".to_owned(), why: "measuring" }).await.expect("recorded");
}

async fn stampede(cache: &Cache) {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let cache = cache.clone();
        callers.spawn(async move { look_up(&cache).await });
    }
    callers.join_all().await;
}

fn tags() -> [Tag; 2] {
    [Tag::new("vendor:{42}"), Tag::new("analytics")]
}

/// What one call took, and how often it allocated.
type Taken = (Duration, u64);

async fn measure<Fut: Future<Output = ()>>(times: usize, mut work: impl FnMut() -> Fut) -> Vec<Taken> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let (before, began) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
        work().await;
        taken.push((began.elapsed(), ALLOCATIONS.load(Ordering::Relaxed) - before));
    }
    taken
}

fn report(name: &str, mut taken: Vec<Taken>) {
    taken.sort_unstable();
    let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize].0.as_secs_f64() * 1e6;
    let mut allocations: Vec<_> = taken.iter().map(|(_, allocations)| *allocations).collect();
    allocations.sort_unstable();
    println!("| {name} | {:.0} µs | {:.0} µs | {} |", at(0.5), at(0.99), allocations[allocations.len() / 2]);
}
