//! The read-through cache: a read that is never wrong, almost always free.
//!
//! [`Cache::get_or_load`] serves an entry only if every tag stamped on it still has the [generation](generations) it had before the
//! entry's loader began. [`Cache::invalidate`] gives tags new generations. A caller that changes data commits, then invalidates, then
//! answers: whoever asks after that answer never sees figures from before the change, on any instance.
//!
//! The store may fail in any way: a read then goes to its loader. See `docs/cache.md`.

use std::{
    fmt::Display,
    future::Future,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::api::{admin::CacheStats, dashboard::Source};

/// Time of day, which tests can hold still.
pub mod clock;
/// What is kept under a key.
pub mod entry;
/// Why a cache could not be set up.
pub mod error;
/// What makes an entry current.
pub mod generations;
/// Every key and every lifetime.
pub mod keys;
/// Judging what was read.
mod lookup;
/// Messages about invalidations.
mod message;
/// What is counted.
pub mod stats;
/// Where entries and generations are kept: this process or Redis.
pub mod store;
/// Invalidations the store has not taken yet.
mod undelivered;

pub use clock::Clock;
pub use error::CacheError;
pub use keys::{CacheKey, Tag};
pub use message::Invalidation;

use clock::micros;
use entry::Entry;
use generations::{Generation, Stamp};
use lookup::{Found, MissReason};
use stats::{Counter, Stats};
use store::{Store, memory::MemoryStore, redis::RedisStore};
use undelivered::Undelivered;

/// How long [`Cache::invalidate`] keeps its caller waiting for a store that does not take the invalidation.
const INVALIDATE_PATIENCE: Duration = Duration::from_secs(1);
/// Tags of one attempt to deliver late.
const DELIVER_TAGS: usize = 256;
const LONGEST_DELIVERY_PAUSE: Duration = Duration::from_millis(500);
/// How long counts stay in this process before the others can see them.
const FLUSH_COUNTS_AFTER: Duration = Duration::from_secs(2);
/// Invalidations that a slow subscriber may fall behind before it loses the oldest.
const MESSAGES: usize = 1024;

/// How a lookup went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Hit,
    Miss,
    Stale,
    Bypass,
}

impl From<Outcome> for Source {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Hit => Self::Hit,
            Outcome::Miss => Self::Miss,
            Outcome::Stale => Self::Stale,
            Outcome::Bypass => Self::Bypass,
        }
    }
}

impl Outcome {
    /// As the `X-Cache` header says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "HIT",
            Self::Miss => "MISS",
            Self::Stale => "STALE",
            Self::Bypass => "BYPASS",
        }
    }
}

/// What a loader gives the cache to keep: the bytes as they are served, and for how long.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub bytes: Bytes,
    pub ttl: Duration,
}

/// A value from the cache or the loader, and where it came from.
#[derive(Debug, Clone)]
pub struct Served<T> {
    pub value: T,
    pub outcome: Outcome,
    /// Since the value was loaded.
    pub age: Duration,
    /// What finding and, if need be, loading it took.
    pub elapsed: Duration,
}

impl<T> Served<T> {
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Served<U> {
        Served { value: change(self.value), outcome: self.outcome, age: self.age, elapsed: self.elapsed }
    }
}

/// Who invalidates, and why; for the log.
#[derive(Debug, Clone)]
pub struct Cause {
    pub who: String,
    pub why: &'static str,
}

/// The cache's facade. A call site says key, tags and loader (which says the TTL), and nothing else. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    clock: Clock,
    stats: Stats,
    flushing: AtomicBool,
    undelivered: Undelivered,
    messages: broadcast::Sender<Invalidation>,
}

impl Cache {
    /// In this process: for one instance, and for tests.
    pub fn memory() -> Self {
        Self::over(Arc::new(MemoryStore::default()), Clock::default())
    }

    /// In Redis, shared by every instance: `redis://` or `rediss://`. Fails if the address cannot be used or the server refuses this
    /// program. A server that is not there is waited for in the background; until it comes, everything is loaded from the source.
    pub async fn redis(url: &str) -> Result<Self, CacheError> {
        Ok(Self::over(Arc::new(RedisStore::connect(url).await?), Clock::default()))
    }

    /// Over any store and clock.
    pub fn over(store: Arc<dyn Store>, clock: Clock) -> Self {
        tracing::info!(store = store.name(), "cache ready");
        let (messages, _) = broadcast::channel(MESSAGES);
        Self(Arc::new(Shared {
            store,
            clock,
            stats: Stats::default(),
            flushing: AtomicBool::new(false),
            undelivered: Undelivered::default(),
            messages,
        }))
    }

    /// The fresh entry under `key`, or what `load` gives, stored under the generations its tags had before loading began.
    /// Fails only as `load` fails, and panics only as it panics.
    pub async fn get_or_load<E, F, Fut>(&self, key: &CacheKey, tags: &[Tag], load: F) -> Result<Served<Bytes>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        let started = Instant::now();
        let tags = lookup::normal(tags);
        self.flush_counts_soon();
        let (reason, generations, expired) = match self.look_up(key, &tags).await {
            Found::Current(entry) => return Ok(self.serve_hit(key, entry, started)),
            Found::Missing { reason, generations, expired } => (reason, generations, expired),
            Found::Unknown(why) => return self.bypass(key, &why, load, started).await,
        };
        self.count_miss(key, reason, started);
        let Some(stamp) = self.complete(&tags, generations).await else {
            return self.bypass(key, "generations cannot be minted", load, started).await;
        };
        let loading = self.clone().load_and_store(key.clone(), stamp, load, started);
        match join(tokio::spawn(loading)).await {
            Ok(served) => Ok(served),
            Err(error) => match expired {
                // Nobody invalidated it: it is what the source said last, only older than it should be.
                Some(entry) => Ok(self.serve_stale(key, entry, &error, started)),
                None => Err(error),
            },
        }
    }

    /// Gives each tag a new generation: no entry stamped with an older one is served again. Returns once the store has taken it, or
    /// once it can no longer be wrong that it has not: this process then trusts no entry of these tags until it is delivered, which
    /// goes on in the background. (What other instances must then know is the outbox's business, issue 3.)
    pub async fn invalidate(&self, tags: &[Tag], cause: &Cause) {
        let tags = lookup::normal(tags);
        if tags.is_empty() {
            return;
        }
        let started = Instant::now();
        let message = Invalidation::new(&tags, cause, self.0.clock.now_micros());
        let delivered = match self.0.store.invalidate(&tags, &message.to_json()).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "invalidation not delivered yet: these tags are not trusted");
                if self.0.undelivered.add(&tags) {
                    tokio::spawn(self.clone().deliver(message.clone()));
                }
                tokio::time::timeout(INVALIDATE_PATIENCE, self.0.undelivered.until_delivered(&tags)).await.is_ok()
            }
        };
        self.0.stats.add_many(Counter::InvalidatedTags, tags.len() as u64);
        self.flush_counts_soon();
        for tag in &tags {
            tracing::info!(
                tag = tag.name(),
                who = cause.who,
                why = cause.why,
                delivered,
                elapsed_ms = millis(started.elapsed()),
                "cache invalidated by tag"
            );
        }
        // Nobody listening is no error.
        let _ = self.0.messages.send(message);
    }

    /// Invalidations of this process, as they are published. One that is lost or repeated harms nothing.
    pub fn subscribe(&self) -> broadcast::Receiver<Invalidation> {
        self.0.messages.subscribe()
    }

    /// What all instances counted, and what the store says of itself. While the store does not answer, what this process counted since.
    pub async fn stats(&self) -> CacheStats {
        let counts = match self.flush_counts().await {
            Some(counts) => counts,
            None => self.0.stats.peek(),
        };
        let usage = self.0.store.usage().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store says nothing of its size");
            store::Usage::default()
        });
        CacheStats {
            hits: counts.get(Counter::Hits),
            misses: counts.misses(),
            hit_rate: counts.hit_rate_percent(),
            total_keys: usage.entries,
            memory_usage: usage.memory_bytes,
            loads: counts.get(Counter::Loads),
        }
    }

    /// `redis` or `memory`.
    pub fn store_name(&self) -> &'static str {
        self.0.store.name()
    }

    /// Invalidations that this process still has to deliver, in tags.
    pub fn undelivered_tags(&self) -> usize {
        self.0.undelivered.len()
    }

    async fn look_up(&self, key: &CacheKey, tags: &[Tag]) -> Found {
        if self.0.undelivered.contains_any(tags) {
            return Found::Unknown("an invalidation is not delivered yet".to_owned());
        }
        match self.0.store.read(key, tags).await {
            Ok(reading) => lookup::judge(key, tags, reading, self.0.clock.now_micros()),
            Err(error) => Found::Unknown(error.to_string()),
        }
    }

    /// A generation for every tag: those that were read, and new ones for those that had none. `None` if the store gives none.
    async fn complete(&self, tags: &[Tag], generations: Vec<Option<Generation>>) -> Option<Stamp> {
        let complete: Option<Vec<_>> = generations.into_iter().collect();
        let generations = match complete {
            Some(generations) => generations,
            None => self.0.store.mint(tags).await.inspect_err(|error| tracing::debug!(%error, "no generation")).ok()?,
        };
        (generations.len() == tags.len()).then(|| tags.iter().cloned().zip(generations).collect())
    }

    /// Runs in a task of its own: a caller that goes away does not stop it.
    async fn load_and_store<E, F, Fut>(self, key: CacheKey, stamp: Stamp, load: F, started: Instant) -> Result<Served<Bytes>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded, E>>,
    {
        let (created_micros, began) = (self.0.clock.now_micros(), Instant::now());
        let loaded = self.count_load(load).await?;
        let load_time = began.elapsed();
        let expires_micros = created_micros.saturating_add(micros(jittered(loaded.ttl)));
        let entry = Entry { created_micros, expires_micros, load_micros: micros(load_time), stamp, payload: loaded.bytes };
        let tags: Vec<Tag> = entry.stamp.iter().map(|(tag, _)| tag.clone()).collect();
        let keep = loaded.ttl.saturating_add(keys::STALE_FOR);
        match self.0.store.write(&key, entry.encode(&key), &tags, keep).await {
            Ok(()) => tracing::info!(
                key = key.as_str(),
                vendor = key.vendor(),
                bytes = entry.payload.len(),
                load_ms = millis(load_time),
                "cache set"
            ),
            Err(error) => {
                self.0.stats.add(Counter::WriteFailures);
                tracing::warn!(key = key.as_str(), %error, "value not cached");
            }
        }
        Ok(Served { value: entry.payload, outcome: Outcome::Miss, age: Duration::ZERO, elapsed: started.elapsed() })
    }

    /// Loads from the source without the store: nothing is known of generations, so nothing may be kept.
    async fn bypass<E, F, Fut>(&self, key: &CacheKey, why: &str, load: F, started: Instant) -> Result<Served<Bytes>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Send + 'static,
    {
        self.0.stats.add(Counter::Bypasses);
        tracing::info!(key = key.as_str(), vendor = key.vendor(), reason = why, "cache bypassed");
        let cache = self.clone();
        let loaded = join(tokio::spawn(async move { cache.count_load(load).await })).await?;
        Ok(Served { value: loaded.bytes, outcome: Outcome::Bypass, age: Duration::ZERO, elapsed: started.elapsed() })
    }

    async fn count_load<E, F, Fut>(&self, load: F) -> Result<Loaded, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded, E>>,
    {
        self.0.stats.add(Counter::Loads);
        load().await.inspect_err(|_| self.0.stats.add(Counter::LoadFailures))
    }

    fn serve_hit(&self, key: &CacheKey, entry: Entry, started: Instant) -> Served<Bytes> {
        self.0.stats.add(Counter::Hits);
        let age = Duration::from_micros(entry.age_micros(self.0.clock.now_micros()));
        let elapsed = started.elapsed();
        tracing::info!(key = key.as_str(), vendor = key.vendor(), age_ms = millis(age), elapsed_ms = millis(elapsed), "cache hit");
        tracing::info!(key = key.as_str(), vendor = key.vendor(), age_ms = millis(age), elapsed_ms = millis(elapsed), "serving from cache");
        Served { value: entry.payload, outcome: Outcome::Hit, age, elapsed }
    }

    fn serve_stale(&self, key: &CacheKey, entry: Entry, error: &impl Display, started: Instant) -> Served<Bytes> {
        self.0.stats.add(Counter::Stale);
        let age = Duration::from_micros(entry.age_micros(self.0.clock.now_micros()));
        tracing::warn!(key = key.as_str(), vendor = key.vendor(), age_ms = millis(age), %error, stale = true, "serving from cache");
        Served { value: entry.payload, outcome: Outcome::Stale, age, elapsed: started.elapsed() }
    }

    fn count_miss(&self, key: &CacheKey, reason: MissReason, started: Instant) {
        self.0.stats.add(reason.counter());
        tracing::info!(
            key = key.as_str(),
            vendor = key.vendor(),
            reason = reason.as_str(),
            elapsed_ms = millis(started.elapsed()),
            "cache miss"
        );
    }

    /// Delivers what waits, oldest or newest in no order, until nothing does.
    async fn deliver(self, message: Invalidation) {
        let mut pause = Duration::from_millis(25);
        while let Some((tags, moment)) = self.0.undelivered.next(DELIVER_TAGS) {
            let message = Invalidation { tags: tags.iter().map(|tag| tag.name().to_owned()).collect(), ..message.clone() };
            match self.0.store.invalidate(&tags, &message.to_json()).await {
                Ok(()) => {
                    tracing::info!(tags = tags.len(), "late invalidation delivered");
                    self.0.undelivered.delivered(&tags, moment);
                }
                Err(error) => {
                    tracing::debug!(%error, tags = tags.len(), "invalidation still not delivered");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_DELIVERY_PAUSE);
                }
            }
        }
    }

    /// Has the counts handed to the store in a moment, if they are shared and nobody is about to already.
    fn flush_counts_soon(&self) {
        if self.0.store.is_shared() && !self.0.flushing.swap(true, Ordering::AcqRel) {
            let cache = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(FLUSH_COUNTS_AFTER).await;
                cache.0.flushing.store(false, Ordering::Release);
                cache.flush_counts().await;
            });
        }
    }

    /// The sum over all instances, after adding what this one counted. `None` if the store does not say.
    async fn flush_counts(&self) -> Option<stats::Counts> {
        let counts = self.0.stats.take();
        match self.0.store.add_counts(&counts).await {
            Ok(sum) => Some(sum),
            Err(error) => {
                // After a timeout they may be counted twice; statistics can bear that better than losing an outage.
                self.0.stats.give_back(&counts);
                tracing::debug!(%error, "counts kept for later");
                None
            }
        }
    }
}

/// The result of a task; its panic goes on in the caller.
async fn join<T>(task: tokio::task::JoinHandle<T>) -> T {
    match task.await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody aborts these tasks but a runtime that is shutting down, and then this one is not polled again either.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The lifetime, up to 10 % shorter or longer.
fn jittered(ttl: Duration) -> Duration {
    ttl.mul_f64(rand::random_range(1.0 - keys::TTL_JITTER..=1.0 + keys::TTL_JITTER))
}

/// Milliseconds with three decimals, for the log.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
