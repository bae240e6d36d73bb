//! What the cache promises, over each of its stores.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;
use vendorscope_cache::{
    Cache, Cause, Clock, Event, Key, Loaded, Look, Namespace, Origin, Outbox, Outcome, Payload, PendingInvalidation,
    Served, Settings, Span, StoreClaim, Tag,
    inspect::Standing,
    stats::Counter,
    store::{Store, memory::MemoryStore, redis::RedisStore},
    times::Timing,
};

use crate::redis_server::RedisServer;

/// The same test over each store.
macro_rules! over_each_store {
    ($($(#[$doc:meta])* async fn $name:ident($bench:ident: Bench) $body:block)*) => {
        $(mod $name {
            use super::*;

            $(#[$doc])*
            async fn case($bench: Bench) $body

            #[tokio::test]
            async fn memory() {
                case(Bench::memory()).await;
            }

            #[tokio::test]
            async fn redis() {
                case(Bench::redis().await).await;
            }
        })*
    };
}

/// A TCP proxy that can be told to misbehave.
#[allow(dead_code)]
mod proxy;
/// Redis on a free port.
#[allow(dead_code)]
mod redis_server;

/// Random histories: no read is older than the last acknowledged write.
mod histories;
/// What an instance does while it cannot know what others have changed.
mod outbox;
/// What each store promises.
mod promises;
/// Clusters and sentinels: servers that take over from one another.
mod redis_failover;
/// What Redis does and memory cannot: be away, be slow, forget, hold garbage.
mod redis_faults;
/// What a user of Redis has to be allowed.
mod redis_rights;
/// Many callers, one load.
mod stampede;
/// What many ask of one server at once.
mod together;
/// What the cache says of itself and of its entries.
mod told;

const TTL: Duration = Duration::from_secs(60);

/// A store, two caches over it as two instances would have them, and a clock that both go by.
struct Bench {
    one: Cache,
    other: Cache,
    clock: Clock,
    _server: Option<RedisServer>,
}

impl Bench {
    fn memory() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let clock = Clock::manual();
        Self {
            one: Cache::over(store.clone(), clock.clone()),
            other: Cache::over(store, clock.clone()),
            clock,
            _server: None,
        }
    }

    async fn redis() -> Self {
        let server = RedisServer::start();
        let clock = Clock::manual();
        let one = over_redis(&server, &clock).await;
        let other = over_redis(&server, &clock).await;
        Self { one, other, clock, _server: Some(server) }
    }
}

async fn over_redis(server: &RedisServer, clock: &Clock) -> Cache {
    over_redis_with(server, clock, Settings::default()).await
}

async fn over_redis_with(server: &RedisServer, clock: &Clock, settings: Settings) -> Cache {
    let store = RedisStore::connect(&server.url(), names()).await.expect("a Redis that is there");
    Cache::with(Arc::new(store), clock.clone(), settings)
}

/// A source of truth: one number, and how often it was read.
#[derive(Clone, Default)]
struct Source(Arc<(AtomicU64, AtomicU64)>);

impl Source {
    fn set(&self, value: u64) {
        self.0.0.store(value, Ordering::SeqCst);
    }

    fn loads(&self) -> u64 {
        self.0.1.load(Ordering::SeqCst)
    }

    fn value(&self) -> u64 {
        self.0.0.load(Ordering::SeqCst)
    }

    fn load(&self) -> Loaded {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        Loaded::new(self.value().to_string(), TTL)
    }
}

/// As an application would name its entries, and tags.
fn names() -> Namespace {
    Namespace::new(["analytics"])
}

fn snapshot_key(vendor: &str, detail: &str) -> Key {
    Key::new(format!("analytics:{{{vendor}}}:snapshot:{detail}")).owned_by(vendor)
}

fn vendor_tag(vendor: &str) -> Tag {
    Tag::new(format!("vendor:{{{vendor}}}"))
}

fn key() -> Key {
    snapshot_key("42", "2026-11-01:2026-11-23:none:day")
}

fn tags() -> [Tag; 2] {
    [vendor_tag("42"), Tag::new("analytics")]
}

fn cause() -> Cause {
    Cause { who: "test".to_owned(), why: "product updated" }
}

async fn read(cache: &Cache, source: &Source) -> Served<u64> {
    let source = source.clone();
    let served = cache.get_or_load(&key(), &tags(), move || async move { Ok::<_, String>(source.load()) }).await;
    number(served.expect("the source does not fail"))
}

async fn read_from_broken_source(cache: &Cache) -> Result<Served<u64>, String> {
    cache.get_or_load(&key(), &tags(), || async { Err("the database is down".to_owned()) }).await.map(number)
}

fn number(served: Served<Payload>) -> Served<u64> {
    served.map(|payload| {
        std::str::from_utf8(&payload.bytes()).ok().and_then(|text| text.parse().ok()).expect("what the source gave")
    })
}
