//! A model checker: random histories of reads, writes, expiries, evictions and faults, interleaved at every await point
//! of the cache and of the source. It fails on the first read that returned something older than what had been
//! acknowledged when it began.
//!
//! Over memory a history is decided by its seed alone, time included, and can be played again:
//! `CACHE_HISTORY_SEED=17 cargo nextest run histories`. `CACHE_HISTORIES` says how many.

use std::{
    future::Future,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::{JoinSet, yield_now};
use vendorscope_cache::{
    Foresight, Invalidation, Span,
    entry::Entry,
    generations::{Generation, epoch_mask},
    lease::Lease,
    stats::Counts,
    store::{Reading, StoreError, Usage},
};

use super::*;

/// Where it all takes place.
mod world;

use world::{Connection, Database, Dice, Mischief, Moody, World};

/// Values of a vendor: what is committed, and what was acknowledged to its writer.
#[derive(Default)]
struct Truth {
    committed: AtomicU64,
    acknowledged: AtomicU64,
}

struct History {
    caches: Vec<Cache>,
    ways: Vec<Arc<Moody>>,
    pauses: Vec<Arc<AtomicBool>>,
    world: Arc<World>,
    truths: Vec<Truth>,
    clock: Clock,
    dice: Dice,
    mischief: Mischief,
    database: Option<Arc<Database>>,
}

/// Something that was made of an entry, and is kept.
struct Made {
    of: u64,
    origin: Origin,
    vendor: usize,
    cache: Cache,
}

impl History {
    fn any_cache(&self) -> &Cache {
        &self.caches[self.dice.below(self.caches.len() as u32) as usize]
    }

    async fn reader(self: Arc<Self>) -> Result<(), String> {
        let mut made = None;
        for _ in 0..12 {
            self.dice.dawdle().await;
            self.use_again(made.take()).await?;
            let (cache, vendor) = (self.any_cache(), self.dice.below(self.truths.len() as u32) as usize);
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
                history.dice.dawdle().await;
                if history.dice.below(10) == 0 {
                    Err("the database failed".to_owned())
                } else {
                    Ok(Loaded::new(value.to_string(), TTL))
                }
            });
            let served = Foresight::scope(foresight, reading).await;
            if let Ok(served) = &served {
                let derived = served.derived.get_or_derive("copy", || Some(served.value.bytes()));
                if derived != Some(served.value.bytes()) {
                    return Err(format!("{derived:?} was derived from another value than {:?}", served.value));
                }
            }
            let origin = served.as_ref().ok().and_then(|served| Origin::of(&key, &tags, served));
            let Ok(Served { value: read, outcome, .. }) = served.map(number) else { continue };
            made = origin.map(|origin| Made { of: read, origin, vendor, cache: cache.clone() });
            // Cut off from a database that fails, an instance says so.
            let is_excused = outcome == Outcome::Stale && self.mischief.has_two_stores();
            if read < acknowledged_before && !is_excused {
                return Err(format!("read {read} ({outcome:?}) after {acknowledged_before} had been acknowledged"));
            }
        }
        Ok(())
    }

    /// What was made of an entry says what a lookup would say, or is not used again.
    async fn use_again(&self, made: Option<Made>) -> Result<(), String> {
        let Some(Made { of, origin, vendor, cache }) = made else { return Ok(()) };
        let acknowledged_before = self.truths[vendor].acknowledged.load(Ordering::SeqCst);
        let is_used = cache.still_serves(&[origin], 1, |_, _| true).await.is_some();
        if is_used && of < acknowledged_before {
            return Err(format!("made of {of} and used after {acknowledged_before} had been acknowledged"));
        }
        Ok(())
    }

    /// Commits, delivers, answers. One writer a vendor, so that a higher number is a later write.
    async fn writer(self: Arc<Self>, vendor: usize) -> Result<(), String> {
        for value in 1..=5 {
            self.dice.dawdle().await;
            let tags = [vendor_tag(&vendor.to_string())];
            let change = || self.truths[vendor].committed.store(value, Ordering::SeqCst);
            let cache = self.any_cache().clone();
            match &self.database {
                // Without a database only the instance that wrote knows of what it could not deliver.
                None => {
                    change();
                    self.dice.hesitate().await;
                    self.caches[0].invalidate(&tags, &cause()).await?;
                }
                Some(database) => {
                    let row = database.commit(change, &tags);
                    self.dice.dawdle().await;
                    match self.dice.below(8) {
                        // It dies between commit and invalidation. Nobody was answered, but the row is there.
                        0 => continue,
                        _ if self.mischief == Mischief::AnswersAtOnce => {
                            drop(tokio::spawn(async move { cache.deliver(row).await }))
                        }
                        _ => cache.deliver(row).await,
                    }
                }
            }
            self.truths[vendor].acknowledged.fetch_max(value, Ordering::SeqCst);
        }
        Ok(())
    }

    /// Finds everything as it should be, and says so.
    async fn no_op_writer(self: Arc<Self>) -> Result<(), String> {
        for _ in 0..8 {
            self.dice.dawdle().await;
            let vendor = self.dice.below(self.truths.len() as u32) as usize;
            let found = self.truths[vendor].committed.load(Ordering::SeqCst);
            if self.mischief != Mischief::NoOpsDoNotWait {
                self.any_cache().wait_until_delivered(Some(&[vendor_tag(&vendor.to_string())])).await;
            }
            self.truths[vendor].acknowledged.fetch_max(found, Ordering::SeqCst);
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

    /// Another store becomes master, or the one before again; some follow at once, some when they notice. Processes
    /// stand still.
    async fn fate(self: Arc<Self>) -> Result<(), String> {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(u64::from(self.dice.below(1_500)))).await;
            if self.dice.below(2) == 0 {
                let next = self.dice.below(self.world.stores.len() as u32) as usize;
                self.world.reigns[next].fetch_add(1, Ordering::SeqCst);
                self.world.master.store(next, Ordering::SeqCst);
                for way in self.ways.iter().filter(|_| self.dice.below(2) == 0) {
                    way.reconnect();
                }
            } else {
                let paused = self.pauses[self.dice.below(self.pauses.len() as u32) as usize].clone();
                paused.store(true, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(u64::from(self.dice.below(2_500)))).await;
                paused.store(false, Ordering::SeqCst);
            }
        }
        Ok(())
    }
}

/// `instances` caches, three readers, a writer for each of two vendors, and time; what else there is, the mischief
/// says.
async fn history(seed: u64, stores: Vec<Arc<dyn Store>>, mischief: Mischief, instances: usize) -> Result<(), String> {
    let (dice, clock, world) = (Dice::new(seed, mischief.has_faults()), Clock::manual(), Arc::new(World::of(stores)));
    let database = (mischief.has_faults() && instances > 1).then(|| Arc::new(Database::default()));
    let pauses: Vec<Arc<AtomicBool>> = (0..instances).map(|_| Arc::default()).collect();
    let (mut caches, mut ways) = (Vec::new(), Vec::new());
    for paused in &pauses {
        let store = Moody::new(world.clone(), paused.clone(), dice.clone(), mischief, seed.is_multiple_of(2));
        let settings = Settings {
            l1_bytes: if dice.below(2) == 0 { 0 } else { 1 << 20 },
            concurrent_loads: 1 + dice.below(3) as usize,
            // Every other time fewer than may be pending.
            rows_at_once: if seed % 4 < 2 { 2 } else { 1_000 },
            ..Settings::default()
        };
        let store = Arc::new(store);
        ways.push(store.clone());
        let cache = Cache::with(store, clock.clone(), settings);
        if let Some(database) = &database {
            let (database, paused, dice) = (database.clone(), paused.clone(), dice.clone());
            cache.watch(Arc::new(Connection { database, paused, dice, mischief, first: Mutex::default() })).await;
        }
        caches.push(cache);
    }
    let truths = vec![Truth::default(), Truth::default()];
    let history = Arc::new(History { caches, ways, pauses, world, truths, clock, dice, mischief, database });
    let mut happening = JoinSet::new();
    for vendor in 0..history.truths.len() {
        happening.spawn(history.clone().writer(vendor));
    }
    for _ in 0..3 {
        happening.spawn(history.clone().reader());
    }
    happening.spawn(history.clone().time());
    if mischief.has_two_stores() {
        happening.spawn(history.clone().fate());
        happening.spawn(history.clone().no_op_writer());
    }
    happening.join_all().await.into_iter().collect()
}

/// Each history in a runtime of its own, whose clock jumps ahead whenever everybody sleeps.
fn histories(mischief: Mischief, instances: usize, how_many: u64) -> Result<(), String> {
    let seeds = match std::env::var("CACHE_HISTORY_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("CACHE_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(how_many),
    };
    for seed in seeds {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        let how_many = if mischief.has_two_stores() { 2 } else { 1 };
        let stores = (0..how_many).map(|_| Arc::new(MemoryStore::default()) as Arc<dyn Store>).collect();
        runtime
            .block_on(history(seed, stores, mischief, instances))
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

/// Every instance fails to reach the store now and then, each for itself; writers die. The others learn of it from the
/// outbox.
#[test]
fn nor_while_the_store_fails_for_some_instances_and_not_for_others() {
    assert_eq!(histories(Mischief::Faults, 3, 2_000), Ok(()));
}

/// Two stores of which each is master in turn, paused processes, a database that fails, writes that change nothing.
#[test]
fn nor_while_masters_change_and_processes_stand_still() {
    assert_eq!(histories(Mischief::World, 3, 2_000), Ok(()));
}

/// A checker that finds nothing may be blind: these are what it must find.
#[test]
fn the_checker_finds_generations_taken_after_the_load() {
    assert!(histories(Mischief::StampsLate, 2, 2_000).is_err());
}

#[test]
fn the_checker_finds_a_writer_that_is_answered_at_once() {
    assert!(histories(Mischief::AnswersAtOnce, 3, 2_000).is_err());
}

#[test]
fn the_checker_finds_an_instance_that_does_not_look() {
    assert!(histories(Mischief::LooksOnce, 3, 2_000).is_err());
}

#[test]
fn the_checker_finds_generations_without_the_store_s_identity() {
    assert!(histories(Mischief::StoresAreOne, 3, 2_000).is_err());
}

#[test]
fn the_checker_finds_a_write_that_changes_nothing_and_does_not_wait() {
    // Seldom: it takes a write that finds another one's change before that has been told.
    assert!(histories(Mischief::NoOpsDoNotWait, 3, 30_000).is_err());
}

#[test]
fn the_checker_finds_rows_that_a_look_left_out() {
    assert!(histories(Mischief::CutsInSilence, 3, 30_000).is_err());
}

/// The same histories over a real server, with evictions: here the network decides the order too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_from_redis_is_older_than_the_last_acknowledged_write() {
    let server = RedisServer::start();
    let store: Arc<dyn Store> =
        Arc::new(RedisStore::connect(&server.url(), names()).await.expect("a Redis that is there"));
    let evicting = tokio::spawn(evict(server.connection().await));
    for seed in 0..100 {
        let result = history(seed, vec![store.clone()], Mischief::None, 2).await;
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
