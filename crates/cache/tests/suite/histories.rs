//! A model checker: random histories of reads, writes, expiries, evictions and faults, interleaved at every await point of the cache
//! and of the source. It fails on the first read that returned something older than what had been acknowledged when it began.
//!
//! Over memory a history is decided by its seed alone, time included, and can be played again:
//! `CACHE_HISTORY_SEED=17 cargo nextest run histories`. `CACHE_HISTORIES` says how many.

use std::{future::Future, pin::Pin};

use async_trait::async_trait;
use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::{JoinSet, yield_now};
use vendorscope_cache::{
    Debt, Invalidation, Outbox, Owed, Span,
    entry::Entry,
    generations::Generation,
    lease::Lease,
    stats::Counts,
    store::{Reading, StoreError, Usage},
};

use super::*;

/// The dice of one history, shared by all that happens in it.
#[derive(Clone)]
struct Dice(Arc<std::sync::Mutex<StdRng>>);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(Arc::new(std::sync::Mutex::new(StdRng::seed_from_u64(seed))))
    }

    fn below(&self, bound: u32) -> u32 {
        self.0.lock().expect("nobody panics with the dice in hand").random_range(0..bound)
    }

    /// Lets others go first, a random number of times.
    async fn hesitate(&self) {
        for _ in 0..self.below(6) {
            yield_now().await;
        }
    }
}

/// How a store misbehaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mischief {
    /// Only slow, in random order.
    None,
    /// Also: calls that fail before or after they took effect, and invalidations that take effect later.
    Faults,
    /// The bug that this checker is there to find: entries are stamped with the generations of the moment they are stored.
    StampsLate,
}

/// A store in a bad mood.
struct Moody {
    inner: Arc<dyn Store>,
    dice: Dice,
    mischief: Mischief,
    /// Whether it lies elsewhere, as Redis does: then lookups are shared.
    shared: bool,
}

impl Moody {
    async fn around<T>(&self, call: Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + '_>>) -> Result<T, StoreError> {
        let faulty = self.mischief == Mischief::Faults;
        self.dice.hesitate().await;
        if faulty && self.dice.below(12) == 0 {
            return Err(StoreError::Unreachable("as the dice fell".to_owned()));
        }
        let result = call.await;
        self.dice.hesitate().await;
        if faulty && self.dice.below(12) == 0 { Err(StoreError::Timeout(Duration::from_millis(250))) } else { result }
    }
}

#[async_trait]
impl Store for Moody {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Reading, StoreError> {
        // Evictions: a generation that is forgotten is replaced by another one, an entry that is forgotten is not there.
        if self.dice.below(20) == 0 {
            self.inner.invalidate(&tags[..1], "").await?;
        }
        let reading = self.around(self.inner.read(key, tags)).await?;
        let forgotten = self.dice.below(20) == 0;
        Ok(Reading { entry: reading.entry.filter(|_| !forgotten), ..reading })
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError> {
        self.around(self.inner.generations(tags)).await
    }

    async fn try_acquire(&self, key: &Key, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError> {
        self.around(self.inner.try_acquire(key, tags, lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.around(self.inner.release(lease)).await
    }

    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError> {
        self.around(self.inner.mint(tags)).await
    }

    async fn write(&self, key: &Key, entry: Bytes, tags: &[Tag], keep: Duration) -> Result<(), StoreError> {
        let entry = if self.mischief == Mischief::StampsLate {
            let (late, mut entry) = (self.inner.mint(tags).await?, Entry::decode(key, &entry).expect("what the cache wrote"));
            entry.stamp = tags.iter().cloned().zip(late).collect();
            entry.encode(key)
        } else {
            entry
        };
        self.around(self.inner.write(key, entry, tags, keep)).await
    }

    async fn invalidate(&self, tags: &[Tag], message: &str) -> Result<(), StoreError> {
        if self.mischief == Mischief::Faults && self.dice.below(6) == 0 {
            // Given up by its caller, and carried out all the same: some time.
            let (inner, dice, tags, message) = (self.inner.clone(), self.dice.clone(), tags.to_vec(), message.to_owned());
            tokio::spawn(async move {
                for _ in 0..5 {
                    dice.hesitate().await;
                }
                inner.invalidate(&tags, &message).await
            });
            return Err(StoreError::Timeout(Duration::from_secs(1)));
        }
        self.around(self.inner.invalidate(tags, message)).await
    }

    async fn add_counts(&self, counts: &Counts, at_micros: u64) -> Result<Counts, StoreError> {
        self.inner.add_counts(counts, at_micros).await
    }

    async fn history(&self, span: Span, spans: usize, at_micros: u64) -> Result<Vec<Counts>, StoreError> {
        self.inner.history(span, spans, at_micros).await
    }

    async fn usage(&self) -> Result<Usage, StoreError> {
        self.inner.usage().await
    }
}

/// What writers owe, as a database would keep it: rows appear together with the change that they belong to.
struct Rows {
    rows: std::sync::Mutex<Vec<Owed>>,
    next: AtomicU64,
    dice: Dice,
}

impl Rows {
    /// Changes something and leaves a row, in one moment. `known` is told the row's id before anyone can see it.
    fn commit(&self, change: impl FnOnce(), tags: &[Tag], known: impl FnOnce(i64) -> Debt) -> Debt {
        let id = self.next.fetch_add(1, Ordering::SeqCst) as i64;
        let debt = known(id);
        let mut rows = self.rows.lock().expect("nobody panics with the rows in hand");
        change();
        rows.push(Owed { id, invalidation: Invalidation::new(tags, &cause(), jiff::Timestamp::now()) });
        debt
    }
}

#[async_trait]
impl Outbox for Rows {
    async fn owed(&self, limit: usize) -> Result<Vec<Owed>, String> {
        self.dice.hesitate().await;
        let found = self.rows.lock().expect("nobody panics with the rows in hand").iter().take(limit).cloned().collect();
        self.dice.hesitate().await;
        Ok(found)
    }

    async fn settle(&self, ids: &[i64]) -> Result<(), String> {
        self.dice.hesitate().await;
        if self.dice.below(10) == 0 {
            return Err("the database failed".to_owned());
        }
        self.rows.lock().expect("nobody panics with the rows in hand").retain(|row| !ids.contains(&row.id));
        Ok(())
    }
}

/// Values of a vendor: what is committed, and what was acknowledged to its writer.
#[derive(Default)]
struct Truth {
    committed: AtomicU64,
    acknowledged: AtomicU64,
}

struct History {
    caches: Vec<Cache>,
    truths: Vec<Truth>,
    clock: Clock,
    dice: Dice,
    /// Where there is more than one instance that may fail to reach the store.
    outbox: Option<Arc<Rows>>,
}

impl History {
    async fn reader(self: Arc<Self>) -> Result<(), String> {
        for _ in 0..8 {
            self.dice.hesitate().await;
            let (cache, vendor) =
                (&self.caches[self.dice.below(self.caches.len() as u32) as usize], self.dice.below(self.truths.len() as u32) as usize);
            let acknowledged_before = self.truths[vendor].acknowledged.load(Ordering::SeqCst);
            let history = self.clone();
            let name = vendor.to_string();
            let tags = [vendor_tag(&name), Tag::new("analytics")];
            let foresight = if self.dice.below(2) == 0 { cache.foresee(&tags).await } else { None };
            self.dice.hesitate().await;
            let key = snapshot_key(&name, "x");
            let reading = cache.get_or_load(&key, &tags, move || async move {
                history.dice.hesitate().await;
                let value = history.truths[vendor].committed.load(Ordering::SeqCst);
                history.dice.hesitate().await;
                if history.dice.below(10) == 0 {
                    Err("the database failed".to_owned())
                } else {
                    Ok(Loaded::new(value.to_string(), TTL))
                }
            });
            let served = match foresight {
                Some(foresight) => foresight.scope(reading).await,
                None => reading.await,
            };
            if let Ok(served) = &served {
                let derived = served.derived.get_or_derive("copy", || Some(served.value.clone()));
                if derived.as_ref() != Some(&served.value) {
                    return Err(format!("{derived:?} was derived from another value than {:?}", served.value));
                }
            }
            if let Ok(Served { value: read, outcome, .. }) = served.map(number)
                && read < acknowledged_before
            {
                return Err(format!("read {read} ({outcome:?}) after {acknowledged_before} had been acknowledged"));
            }
        }
        Ok(())
    }

    /// Commits, invalidates, answers. One writer a vendor, so that a higher number is a later write.
    async fn writer(self: Arc<Self>, vendor: usize) -> Result<(), String> {
        for value in 1..=5 {
            self.dice.hesitate().await;
            let tags = [vendor_tag(&vendor.to_string())];
            let change = || self.truths[vendor].committed.store(value, Ordering::SeqCst);
            match &self.outbox {
                // Without an outbox only the instance that wrote knows of what it could not deliver.
                None => {
                    change();
                    self.dice.hesitate().await;
                    self.caches[0].invalidate(&tags, &cause()).await;
                }
                Some(outbox) => {
                    let cache = &self.caches[self.dice.below(self.caches.len() as u32) as usize];
                    let debt = outbox.commit(change, &tags, |id| cache.owe(id));
                    self.dice.hesitate().await;
                    if self.dice.below(8) == 0 {
                        // It dies between commit and invalidation. Nobody was answered, but the row is there.
                        drop(debt);
                        continue;
                    }
                    cache.invalidate_owed(&tags, &cause(), Some(debt)).await;
                }
            }
            self.truths[vendor].acknowledged.store(value, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn time(self: Arc<Self>) -> Result<(), String> {
        for _ in 0..20 {
            self.dice.hesitate().await;
            self.clock.advance(TTL.mul_f64(f64::from(self.dice.below(60)) / 100.0));
        }
        Ok(())
    }
}

/// `instances` caches over one store, three readers, a writer for each of two vendors, and time.
async fn history(seed: u64, store: Arc<dyn Store>, mischief: Mischief, instances: usize) -> Result<(), String> {
    let (dice, clock) = (Dice::new(seed), Clock::manual());
    let outbox = (mischief == Mischief::Faults && instances > 1)
        .then(|| Arc::new(Rows { rows: std::sync::Mutex::default(), next: AtomicU64::new(1), dice: dice.clone() }));
    let caches: Vec<_> = (0..instances)
        .map(|_| {
            let store = Moody { inner: store.clone(), dice: dice.clone(), mischief, shared: seed.is_multiple_of(2) };
            let settings = Settings {
                l1_bytes: if dice.below(2) == 0 { 0 } else { 1 << 20 },
                concurrent_loads: 1 + dice.below(3) as usize,
                ..Settings::default()
            };
            Cache::with(Arc::new(store), clock.clone(), settings)
        })
        .collect();
    if let Some(outbox) = &outbox {
        for cache in &caches {
            cache.watch(outbox.clone()).await;
        }
    }
    let history = Arc::new(History { caches, truths: vec![Truth::default(), Truth::default()], clock, dice, outbox });
    let mut happening = JoinSet::new();
    for vendor in 0..history.truths.len() {
        happening.spawn(history.clone().writer(vendor));
    }
    for _ in 0..3 {
        happening.spawn(history.clone().reader());
    }
    happening.spawn(history.clone().time());
    happening.join_all().await.into_iter().collect()
}

/// Each history in a runtime of its own, whose clock jumps ahead whenever everybody sleeps.
fn histories(mischief: Mischief, instances: usize, how_many: u64) -> Result<(), String> {
    let seeds = match std::env::var("CACHE_HISTORY_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("CACHE_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(how_many),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime
            .block_on(history(seed, Arc::new(MemoryStore::default()), mischief, instances))
            .map_err(|violation| format!("seed {seed}: {violation}"))?;
    }
    Ok(())
}

#[test]
fn no_read_is_older_than_the_last_acknowledged_write() {
    assert_eq!(histories(Mischief::None, 2, 2_000), Ok(()));
}

#[test]
fn nor_while_the_store_fails_for_the_instance_that_writes() {
    assert_eq!(histories(Mischief::Faults, 1, 2_000), Ok(()));
}

/// Every instance fails to reach the store now and then, each for itself; writers die. The others learn of it from the outbox.
#[test]
fn nor_while_the_store_fails_for_some_instances_and_not_for_others() {
    assert_eq!(histories(Mischief::Faults, 3, 2_000), Ok(()));
}

/// A checker that finds nothing may be blind: this is what it must find.
#[test]
fn the_checker_finds_generations_taken_after_the_load() {
    assert!(histories(Mischief::StampsLate, 2, 2_000).is_err());
}

/// The same histories over a real server, with evictions: here the network decides the order too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_from_redis_is_older_than_the_last_acknowledged_write() {
    let server = RedisServer::start();
    let store: Arc<dyn Store> = Arc::new(RedisStore::connect(&server.url(), names()).await.expect("a Redis that is there"));
    let evicting = tokio::spawn(evict(server.connection().await));
    for seed in 0..100 {
        let result = history(seed, store.clone(), Mischief::None, 2).await;
        assert!(result.is_ok(), "seed {seed}: {result:?}");
    }
    evicting.abort();
}

/// Forgets random keys, as a full Redis does.
async fn evict(mut redis: redis::aio::MultiplexedConnection) {
    loop {
        let forgotten: Option<String> = redis::cmd("RANDOMKEY").query_async(&mut redis).await.unwrap_or_default();
        if let Some(forgotten) = forgotten {
            let _: Result<(), _> = redis::cmd("DEL").arg(forgotten).query_async(&mut redis).await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
