//! What a lookup costs: `cargo bench --bench cache`. Starts a Redis of its own on this machine; the source answers at once, so that what is
//! measured is the cache's own part. Prints the table of `docs/cache.md`.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;
use vendorscope::server::cache::{
    Cache, CacheKey, Cause, Clock, Loaded, Outcome, Settings, Tag,
    store::{memory::MemoryStore, redis::RedisStore},
};

#[allow(dead_code)]
#[path = "../tests/harness/redis.rs"]
mod redis_server;

/// About a month's snapshot, as JSON.
const PAYLOAD_BYTES: usize = 8 * 1024;
const LOOKUPS: usize = 5_000;
const STAMPEDES: usize = 20;
const CALLERS: usize = 1_000;

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let server = redis_server::RedisServer::start();
    let over_redis = async |near_bytes| {
        let store = RedisStore::connect(&server.url()).await.expect("a Redis that is there");
        Cache::with(Arc::new(store), Clock::default(), Settings { near_bytes, ..Settings::default() })
    };
    let (near, far, memory) =
        (over_redis(32 << 20).await, over_redis(0).await, Cache::over(Arc::new(MemoryStore::default()), Clock::default()));

    println!("| | p50 | p99 |\n| --- | ---: | ---: |");
    for (name, cache) in [("hit, near cache (generations from Redis)", &near), ("hit, Redis", &far), ("hit, memory store", &memory)] {
        look_up(cache).await;
        report(name, measure(LOOKUPS, || async { assert_eq!(look_up(cache).await, Outcome::Hit) }).await);
    }
    for (name, cache) in [("miss after an invalidation, Redis", &far), ("miss after an invalidation, memory store", &memory)] {
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
        invalidate(&near).await;
        times.extend(measure(1, || stampede(&near)).await);
    }
    report("1,000 callers at once on a cold key, until the last is answered", times);
}

async fn look_up(cache: &Cache) -> Outcome {
    let load = || async { Ok::<_, String>(Loaded::new(vec![b'x'; PAYLOAD_BYTES], Duration::from_secs(300))) };
    cache.get_or_load(&CacheKey::snapshot("42", "bench"), &tags(), load).await.expect("the source does not fail").outcome
}

async fn invalidate(cache: &Cache) {
    cache.invalidate(&tags(), &Cause { who: "bench".to_owned(), why: "measuring" }).await;
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
    [Tag::vendor("42"), Tag::analytics()]
}

async fn measure<Fut: Future<Output = ()>>(times: usize, mut work: impl FnMut() -> Fut) -> Vec<Duration> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        work().await;
        taken.push(began.elapsed());
    }
    taken
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("| {name} | {:.0} µs | {:.0} µs |", at(0.5), at(0.99));
}
