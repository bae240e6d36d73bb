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
    Invalidation, Span,
    entry::Entry,
    generations::Generation,
    lease::Lease,
    stats::Counts,
    store::{Reading, StoreError, Usage},
};

use super::*;

/// The dice of one history, shared by all that happens in it.
#[derive(Clone)]
struct Dice {
    random: Arc<Mutex<StdRng>>,
    /// Whether it costs nothing to sleep for seconds.
    time_flies: bool,
}

impl Dice {
    fn new(seed: u64, time_flies: bool) -> Self {
        Self { random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))), time_flies }
    }

    fn below(&self, bound: u32) -> u32 {
        self.random.lock().expect("nobody panics with the dice in hand").random_range(0..bound)
    }

    /// Lets others go first, a random number of times.
    async fn hesitate(&self) {
        for _ in 0..self.below(6) {
            yield_now().await;
        }
    }

    /// The same, and sometimes for a while: up to half a second more than a look at the outbox holds.
    async fn dawdle(&self) {
        self.hesitate().await;
        if self.time_flies && self.below(10) == 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(self.below(1_500)))).await;
        }
    }
}

/// What goes wrong, and what is done wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mischief {
    /// Calls are slow, in random order.
    None,
    /// Also: calls that fail before or after they took effect, and invalidations that take effect later.
    Faults,
    /// Also: two stores, of which now the one and now the other is master, while the old one lives on; processes that
    /// are paused; a database that fails.
    World,
    /// The bugs that this checker is there to find. Entries are stamped with the generations of the moment they are
    /// stored.
    StampsLate,
    /// A writer is answered as soon as it has committed.
    AnswersAtOnce,
    /// What the first look found counts for ever.
    LooksOnce,
    /// Every store says that it is the same.
    StoresAreOne,
    /// A write that changes nothing is answered without waiting for what it rests on.
    NoOpsDoNotWait,
    /// A look shows fewer rows than there are and does not let it be known.
    CutsInSilence,
}

impl Mischief {
    fn has_faults(self) -> bool {
        !matches!(self, Self::None | Self::StampsLate)
    }

    fn has_two_stores(self) -> bool {
        self.has_faults() && self != Self::Faults
    }
}

/// The stores there are, and who is master. Each is another store every time it becomes master.
struct World {
    stores: Vec<Arc<dyn Store>>,
    reigns: Vec<AtomicU64>,
    master: AtomicUsize,
}

impl World {
    fn of(stores: Vec<Arc<dyn Store>>) -> Self {
        Self { reigns: stores.iter().map(|_| AtomicU64::default()).collect(), stores, master: AtomicUsize::default() }
    }

    fn server(&self, store: usize) -> String {
        format!("{store}-{}", self.reigns[store].load(Ordering::SeqCst))
    }
}

/// One instance's way to the stores, in a bad mood.
struct Moody {
    world: Arc<World>,
    /// Which store the connection leads to, and what that was when it was made.
    connected: Mutex<(usize, String)>,
    bound: Mutex<Option<String>>,
    paused: Arc<AtomicBool>,
    dice: Dice,
    mischief: Mischief,
    /// Whether it lies elsewhere, as Redis does: then lookups are shared.
    shared: bool,
}

impl Moody {
    fn new(world: Arc<World>, paused: Arc<AtomicBool>, dice: Dice, mischief: Mischief, shared: bool) -> Self {
        let connected = Mutex::new((0, world.server(0)));
        Self { world, connected, bound: Mutex::default(), paused, dice, mischief, shared }
    }

    fn inner(&self) -> Arc<dyn Store> {
        self.world.stores[self.connected.lock().expect("nobody panics here").0].clone()
    }

    /// The store at the other end, and what it was when the connection was made.
    fn connected(&self) -> (Arc<dyn Store>, String) {
        let connected = self.connected.lock().expect("nobody panics here");
        (self.world.stores[connected.0].clone(), connected.1.clone())
    }

    async fn around<T>(
        &self,
        server: String,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let faulty = self.mischief.has_faults();
        self.dice.hesitate().await;
        until_not_paused(&self.paused).await;
        if faulty && self.dice.below(12) == 0 {
            return Err(StoreError::Unreachable("as the dice fell".to_owned()));
        }
        let result = call.await;
        self.dice.hesitate().await;
        until_not_paused(&self.paused).await;
        let bound = self.bound.lock().expect("nobody panics here").clone();
        if self.mischief != Mischief::StoresAreOne && bound.is_some_and(|bound| bound != server) {
            return Err(StoreError::Unreachable("another server answers".to_owned()));
        }
        if faulty && self.dice.below(12) == 0 { Err(StoreError::Timeout(Duration::from_millis(250))) } else { result }
    }
}

async fn until_not_paused(paused: &AtomicBool) {
    while paused.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[async_trait]
impl Store for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    fn is_shared(&self) -> bool {
        self.shared
    }

    async fn server(&self) -> Result<String, StoreError> {
        self.around(self.connected().1, async { Ok(()) }).await.or_else(|error| match error {
            // It is asked what it is, whoever it is.
            StoreError::Unreachable(why) if why.starts_with("another") => Ok(()),
            other => Err(other),
        })?;
        if self.mischief == Mischief::StoresAreOne {
            return Ok("the one".to_owned());
        }
        let mut connected = self.connected.lock().expect("nobody panics here");
        connected.1 = self.world.server(connected.0);
        Ok(connected.1.clone())
    }

    fn bind(&self, server: &str) {
        *self.bound.lock().expect("nobody panics here") = Some(server.to_owned());
    }

    fn reconnect(&self) {
        let master = self.world.master.load(Ordering::SeqCst);
        *self.connected.lock().expect("nobody panics here") = (master, self.world.server(master));
    }

    async fn read(&self, key: &Key, tags: &[Tag]) -> Result<Reading, StoreError> {
        // Evictions: a generation that is forgotten is replaced by another one, an entry that is forgotten is not
        // there.
        if self.dice.below(20) == 0 {
            self.inner().invalidate(&tags[..1], "").await?;
        }
        let (store, server) = self.connected();
        let reading = self.around(server, store.read(key, tags)).await?;
        let forgotten = self.dice.below(20) == 0;
        Ok(Reading { entry: reading.entry.filter(|_| !forgotten), ..reading })
    }

    async fn generations(&self, tags: &[Tag]) -> Result<Vec<Option<Generation>>, StoreError> {
        let (store, server) = self.connected();
        self.around(server, store.generations(tags)).await
    }

    async fn try_acquire(&self, key: &Key, tags: &[Tag], lease: &Lease) -> Result<(bool, Reading), StoreError> {
        let (store, server) = self.connected();
        self.around(server, store.try_acquire(key, tags, lease)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let (store, server) = self.connected();
        self.around(server, store.release(lease)).await
    }

    async fn mint(&self, tags: &[Tag]) -> Result<Vec<Generation>, StoreError> {
        let (store, server) = self.connected();
        self.around(server, store.mint(tags)).await
    }

    async fn write(&self, key: &Key, entry: Bytes, tags: &[Tag], keep: Duration) -> Result<(), StoreError> {
        let entry = if self.mischief == Mischief::StampsLate {
            let (late, mut entry) =
                (self.inner().mint(tags).await?, Entry::decode(key, &entry).expect("what the cache wrote"));
            entry.stamp = tags.iter().cloned().zip(late).collect();
            entry.encode(key)
        } else {
            entry
        };
        let (store, server) = self.connected();
        self.around(server, store.write(key, entry, tags, keep)).await
    }

    async fn invalidate(&self, tags: &[Tag], message: &str) -> Result<(), StoreError> {
        if self.mischief.has_faults() && self.dice.below(6) == 0 {
            // Given up by its caller, and carried out all the same: some time.
            let (inner, dice, tags, message) = (self.inner(), self.dice.clone(), tags.to_vec(), message.to_owned());
            tokio::spawn(async move {
                for _ in 0..5 {
                    dice.hesitate().await;
                }
                inner.invalidate(&tags, &message).await
            });
            return Err(StoreError::Timeout(Duration::from_secs(1)));
        }
        let (store, server) = self.connected();
        self.around(server, store.invalidate(tags, message)).await
    }

    async fn add_counts(&self, counts: &Counts, at_micros: u64) -> Result<Counts, StoreError> {
        self.inner().add_counts(counts, at_micros).await
    }

    async fn history(&self, span: Span, spans: usize, at_micros: u64) -> Result<Vec<Counts>, StoreError> {
        self.inner().history(span, spans, at_micros).await
    }

    async fn usage(&self) -> Result<Usage, StoreError> {
        self.inner().usage().await
    }
}

/// A database: rows appear together with the change that they belong to, and it says which store counts.
#[derive(Default)]
struct Database {
    state: Mutex<(Vec<PendingInvalidation>, StoreClaim)>,
    next: AtomicU64,
}

impl Database {
    /// Changes something and leaves a row, in one moment.
    fn commit(&self, change: impl FnOnce(), tags: &[Tag]) -> PendingInvalidation {
        let id = self.next.fetch_add(1, Ordering::SeqCst) as i64;
        let row = PendingInvalidation { id, invalidation: Invalidation::new(tags, &cause(), jiff::Timestamp::now()) };
        let mut state = self.state.lock().expect("nobody panics here");
        change();
        state.0.push(row.clone());
        row
    }
}

/// One instance's way to the database.
struct Connection {
    database: Arc<Database>,
    paused: Arc<AtomicBool>,
    dice: Dice,
    mischief: Mischief,
    first: Mutex<Option<Look>>,
}

impl Connection {
    async fn reach(&self) -> Result<(), String> {
        self.dice.dawdle().await;
        until_not_paused(&self.paused).await;
        if self.mischief.has_two_stores() && self.dice.below(10) == 0 {
            Err("the database failed".to_owned())
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Outbox for Connection {
    async fn look(&self, limit: usize) -> Result<Look, String> {
        self.reach().await?;
        let look = {
            let state = self.database.state.lock().expect("nobody panics here");
            let shown = if self.mischief == Mischief::CutsInSilence { limit - 1 } else { limit };
            Look { claim: state.1.clone(), pending: state.0.iter().take(shown).cloned().collect() }
        };
        if self.mischief == Mischief::LooksOnce {
            return Ok(self.first.lock().expect("nobody panics here").get_or_insert(look).clone());
        }
        self.dice.hesitate().await;
        until_not_paused(&self.paused).await;
        Ok(look)
    }

    async fn record(&self, invalidation: &Invalidation) -> Result<i64, String> {
        self.reach().await?;
        let tags: Vec<_> = invalidation.tags.iter().map(Tag::new).collect();
        Ok(self.database.commit(|| (), &tags).id)
    }

    async fn acknowledge(&self, ids: &[i64], claim: &StoreClaim) -> Result<bool, String> {
        self.reach().await?;
        let counts = {
            let mut state = self.database.state.lock().expect("nobody panics here");
            let counts = *claim == state.1;
            if counts {
                state.0.retain(|row| !ids.contains(&row.id));
            }
            counts
        };
        self.reach().await.map(|()| counts)
    }

    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String> {
        self.reach().await?;
        let mut state = self.database.state.lock().expect("nobody panics here");
        let is_seen = state.1.epoch == seen;
        if is_seen {
            state.1 = StoreClaim { epoch: seen + 1, server: server.to_owned() };
        }
        Ok(is_seen)
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
        let is_used = cache.still_serves(&[origin]).await.is_some();
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
