//! The read-through cache: a read that is never wrong, almost always free.
//!
//! [`Cache::get_or_load`] serves an entry only if every tag stamped on it still has the [generation](generations) it
//! had before the entry's loader began. [`Cache::invalidate`] gives tags new generations. A caller that changes data
//! commits, then invalidates, then answers: whoever asks after that answer never sees figures from before the change,
//! on any instance.
//!
//! The store may fail in any way: a read then goes to its loader. See `docs/cache.md`.
#![warn(clippy::large_futures)]

use std::{
    fmt::Display,
    future::Future,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{
    sync::{Semaphore, broadcast},
    task::AbortHandle,
};

/// Time of day, which tests can hold still.
pub mod clock;
/// What goes on failing, for the log.
mod complaint;
/// How this instance fares, and what it invalidated.
mod condition;
/// Counting together with the other instances.
mod counting;
/// Telling the store what has changed.
mod delivery;
/// What is worked out from an entry once.
mod derived;
/// What is kept under a key.
pub mod entry;
/// Generations asked for ahead.
mod foresight;
/// Names that come up most often.
pub mod frequent;
/// What makes an entry current.
pub mod generations;
/// A look at one entry.
pub mod inspect;
/// Names.
pub mod key;
/// Entries in this process, before a store that is elsewhere.
mod l1;
/// One load across instances.
pub mod lease;
/// From a miss to a value.
mod loading;
/// Asking for what is there, and judging it.
mod lookup;
/// The outbox of a cache that was given none.
mod memory_outbox;
/// Messages about invalidations.
mod message;
/// Whether something that was made of entries may be used again.
mod origin;
/// What may not have been told to the store yet, and which store counts.
mod outbox;
/// The bytes of a value, compressed where that is smaller.
mod payload;
/// Loading ahead of time.
mod refresh;
/// What goes into the cache and what comes out.
mod served;
/// One load in this process.
mod single_flight;
/// What is counted.
pub mod stats;
/// Where entries and generations are kept: this process or Redis.
pub mod store;
/// How long things take.
pub mod times;
/// Whether the store's word may be taken.
mod trust;

pub use clock::Clock;
pub use condition::{Condition, InvalidationTally};
pub use counting::Course;
pub use derived::Derived;
pub use foresight::Foresight;
pub use key::{Key, Namespace, Span, Tag};
pub use message::{Event, Invalidation};
pub use origin::Origin;
pub use outbox::{Look, Outbox, PendingInvalidation, StoreClaim};
pub use payload::Payload;
pub use served::{Cause, Loaded, Outcome, Served};
pub use vendorscope_redis::ConnectError;
use vendorscope_redis::Router;

use generations::Generation;
use l1::L1;
use loading::Miss;
use lookup::{Found, MissReason};
use single_flight::{LoadResult, SingleFlight};
use stats::{Counter, Stats};
use store::{Store, memory::MemoryStore, redis::RedisStore};
use trust::View;

/// Invalidations that a slow subscriber may fall behind before it loses the oldest.
const MESSAGES: usize = 1024;

/// The cache's facade. A call site says key, tags and loader (which says the TTL), and nothing else. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<CacheInner>);

struct CacheInner {
    store: Arc<dyn Store>,
    l1: L1,
    settings: Settings,
    clock: Clock,
    lookups: SingleFlight<Arc<Found>>,
    loads: SingleFlight<LoadResult>,
    /// Loads that may run at the same time.
    load_permits: Arc<Semaphore>,
    view: Mutex<View>,
    /// Held while looking at the outbox: lookups that wait for it go by that look.
    looking: tokio::sync::Mutex<()>,
    messages: broadcast::Sender<Event>,
    stats: Stats,
    counting: counting::Counting,
    journal: condition::Journal,
    /// Invalidations that cannot be delivered.
    undelivered: complaint::Complaint,
    /// A store that does not say its size.
    size_unsaid: complaint::Complaint,
    flushing: AtomicBool,
    /// How this cache calls itself when it tells others of an invalidation.
    name: u64,
    /// Listens to the other instances.
    listening: Option<AbortHandle>,
}

impl Drop for CacheInner {
    fn drop(&mut self) {
        self.listening.iter().for_each(AbortHandle::abort);
    }
}

/// What can be set. The defaults suit an instance of the application.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Memory for entries in this process, with what is derived from them; 0 for none.
    pub l1_bytes: u64,
    /// Loads that run at the same time in this process; the others wait. Protects the database when the store is away
    /// or empty.
    pub concurrent_loads: usize,
    /// After this a lease is free again, whatever became of who took it. Longer than a load ever should take.
    pub lease_lasts: Duration,
    /// How long to wait for another instance's load before loading too.
    pub lease_wait: Duration,
    /// How much longer than its life an entry is kept, to be served as stale while its loader fails.
    pub stale_for: Duration,
    /// Lifetimes vary by this share, up or down, so that what was loaded together does not expire together.
    pub ttl_jitter: f64,
    /// Rows of one look at the outbox. Where there are more, nothing is trusted until they are delivered, as many at a
    /// time. At least 1.
    pub rows_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            l1_bytes: 32 * 1024 * 1024,
            concurrent_loads: 16,
            lease_lasts: Duration::from_secs(10),
            lease_wait: Duration::from_secs(3),
            stale_for: Duration::from_secs(3600),
            ttl_jitter: 0.1,
            rows_at_once: 1_000,
        }
    }
}

impl Cache {
    /// In this process: for one instance, and for tests.
    pub fn memory() -> Self {
        Self::over(Arc::new(MemoryStore::default()), Clock::default())
    }

    /// In Redis, shared by every instance: `redis://`, `redis+sentinel://` or `redis+cluster://`, and each with
    /// `rediss`. Fails if the address cannot be used or the server refuses this program. A server that is not there is
    /// waited for in the background; until it comes, everything is loaded from the source.
    pub async fn redis(url: &str, names: Namespace) -> Result<Self, ConnectError> {
        Ok(Self::over_redis(Arc::new(Router::connect(url).await?), names).await)
    }

    /// The same over connections that others use too: what they ask at the same time as this cache then travels
    /// together.
    pub async fn over_redis(router: Arc<Router>, names: Namespace) -> Self {
        Self::over(Arc::new(RedisStore::over(router, names).await), Clock::default())
    }

    /// Over any store and clock.
    pub fn over(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self::with(store, clock, Settings::default())
    }

    /// With settings of one's own. To be called within a Tokio runtime, as all of these.
    pub fn with(store: Arc<dyn Store>, clock: Clock, settings: Settings) -> Self {
        tracing::info!(store = store.name(), "cache ready");
        let (messages, name) = (broadcast::channel(MESSAGES).0, rand::random());
        let listening = store
            .is_shared()
            .then(|| tokio::spawn(message::listen(store.clone(), messages.clone(), name)).abort_handle());
        let cache = Self(Arc::new(CacheInner {
            store,
            l1: L1::new(settings.l1_bytes),
            clock,
            lookups: SingleFlight::default(),
            loads: SingleFlight::default(),
            load_permits: Arc::new(Semaphore::new(settings.concurrent_loads.max(1))),
            view: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            messages,
            name,
            listening,
            stats: Stats::default(),
            counting: counting::Counting::default(),
            journal: condition::Journal::default(),
            undelivered: complaint::Complaint::default(),
            size_unsaid: complaint::Complaint::default(),
            flushing: AtomicBool::new(false),
            settings,
        }));
        tokio::spawn(delivery::relay(Arc::downgrade(&cache.0)));
        cache
    }

    /// The fresh entry under `key`, or what `load` gives, stored under the generations its tags had before loading
    /// began. Fails only as `load` fails, and panics only as it panics.
    pub async fn get_or_load<E, F, Fut>(&self, key: &Key, tags: &[Tag], load: F) -> Result<Served<Payload>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        self.get_or_load_decoded(key, tags, load, |payload| Ok(payload.clone())).await
    }

    /// The same, decoded. An entry that `decode` refuses is a miss (`undecodable`), loaded again and replaced; only
    /// where it refuses what `load` gave, its error is the caller's.
    #[tracing::instrument(
        target = "vendorscope_cache::spans", level = "trace", name = "cache", skip_all, fields(key = key.as_str())
    )]
    pub async fn get_or_load_decoded<T, E, F, Fut, D>(
        &self,
        key: &Key,
        tags: &[Tag],
        load: F,
        decode: D,
    ) -> Result<Served<T>, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
        D: Fn(&Payload) -> Result<T, E>,
    {
        let started = Instant::now();
        let tags = lookup::normal(tags);
        self.flush_counts_soon();
        self.0.stats.read(key, 1);
        let (mut rejected, mut expired_entry) = (None, None);
        let (reason, generations, mask) = match self.look_up(key, &tags).await {
            Found::Current { entry, l1, mask } => match decode(&entry.payload) {
                Ok(value) => {
                    self.refresh_early(key, &entry, mask, load);
                    return Ok(self.serve_hit(key, entry, l1, started, 1).map(|_| value));
                }
                Err(error) => {
                    tracing::warn!(key = key.as_str(), owner = key.owner(), %error, "entry cannot be decoded");
                    let generations = entry.stamp.iter().map(|(_, generation)| Some(*generation)).collect();
                    rejected = Some(entry.payload);
                    (MissReason::Undecodable, generations, mask)
                }
            },
            Found::Missing { reason, generations, expired, mask } => {
                expired_entry = expired;
                (reason, generations, mask)
            }
            Found::Unknown { why, fallback } => {
                let fallback = fallback.filter(|entry| decode(&entry.payload).is_ok());
                return decoded(self.load_unstamped(key, &why, fallback, load, started).await?, decode);
            }
        };
        let expired = expired_entry.filter(|entry| decode(&entry.payload).is_ok());
        reason.count(&self.0.stats);
        tracing::info!(
            key = key.as_str(),
            owner = key.owner(),
            reason = reason.as_str(),
            tags = reason.tags(),
            elapsed_ms = millis(started.elapsed()),
            "cache miss"
        );
        let served = match self.complete(&tags, generations, mask).await {
            Some(stamp) => {
                self.load_missing(Miss { key: key.clone(), stamp, mask, expired, rejected, started }, load).await
            }
            None => self.load_unstamped(key, "generations cannot be minted", expired, load, started).await,
        };
        decoded(served?, decode)
    }

    /// Has the value in the store and fresh for a while, as far as the store can be reached: loads it where it is
    /// missing, and begins a reload where its life is nearly over. Counts as no lookup. Whether it was missing.
    pub async fn warm<E, F, Fut>(&self, key: &Key, tags: &[Tag], load: F) -> Result<bool, E>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded, E>> + Send + 'static,
        E: Display + Send + Sync + Clone + 'static,
    {
        let (started, tags) = (Instant::now(), lookup::normal(tags));
        match self.ask_store(key, &tags).await {
            Found::Current { entry, mask, .. } => self.refresh_early(key, &entry, mask, load),
            Found::Missing { generations, expired, mask, .. } => {
                if let Some(stamp) = self.complete(&tags, generations, mask).await {
                    self.load_missing(Miss { key: key.clone(), stamp, mask, expired, rejected: None, started }, load)
                        .await?;
                    self.0.stats.add(Counter::Warmed);
                    return Ok(true);
                }
            }
            Found::Unknown { .. } => {}
        }
        Ok(false)
    }

    /// The time of day by this cache's clock.
    pub fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.0.clock.now_micros()).unwrap_or(i64::MAX);
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
    }

    /// What the store's server does not let this program do, as it said last: the cache is of no use until it does.
    pub fn refusal(&self) -> Option<String> {
        self.0.store.refusal()
    }

    /// `redis` or `memory`.
    pub fn store_name(&self) -> &'static str {
        self.0.store.name()
    }
}

fn seen_through(mask: u64, generations: Vec<Option<Generation>>) -> Vec<Option<Generation>> {
    generations.into_iter().map(|generation| generation.map(|generation| generation.seen_through(mask))).collect()
}

fn decoded<T, E>(served: Served<Payload>, decode: impl Fn(&Payload) -> Result<T, E>) -> Result<Served<T>, E> {
    let value = decode(&served.value)?;
    Ok(served.map(|_| value))
}

/// Milliseconds with three decimals, for the log.
fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
