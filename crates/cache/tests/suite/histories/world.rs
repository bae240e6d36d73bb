//! The world in which histories take place: stores, a database and ways to them that fail as the dice fall.

use super::*;

/// The dice of one history, shared by all that happens in it.
#[derive(Clone)]
pub struct Dice {
    pub random: Arc<Mutex<StdRng>>,
    /// Whether it costs nothing to sleep for seconds.
    pub time_flies: bool,
}

impl Dice {
    pub fn new(seed: u64, time_flies: bool) -> Self {
        Self { random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))), time_flies }
    }

    pub fn below(&self, bound: u32) -> u32 {
        self.random.lock().expect("nobody panics with the dice in hand").random_range(0..bound)
    }

    /// Lets others go first, a random number of times.
    pub async fn hesitate(&self) {
        for _ in 0..self.below(6) {
            yield_now().await;
        }
    }

    /// The same, and sometimes for a while: up to half a second more than a look at the outbox holds.
    pub async fn dawdle(&self) {
        self.hesitate().await;
        if self.time_flies && self.below(10) == 0 {
            tokio::time::sleep(Duration::from_millis(u64::from(self.below(1_500)))).await;
        }
    }
}

/// What goes wrong, and what is done wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mischief {
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
    pub fn has_faults(self) -> bool {
        !matches!(self, Self::None | Self::StampsLate)
    }

    pub fn has_two_stores(self) -> bool {
        self.has_faults() && self != Self::Faults
    }
}

/// The stores there are, and who is master. Each is another store every time it becomes master.
pub struct World {
    pub stores: Vec<Arc<dyn Store>>,
    pub reigns: Vec<AtomicU64>,
    pub master: AtomicUsize,
}

impl World {
    pub fn of(stores: Vec<Arc<dyn Store>>) -> Self {
        Self { reigns: stores.iter().map(|_| AtomicU64::default()).collect(), stores, master: AtomicUsize::default() }
    }

    pub fn server(&self, store: usize) -> String {
        format!("{store}-{}", self.reigns[store].load(Ordering::SeqCst))
    }
}

/// One instance's way to the stores, in a bad mood.
pub struct Moody {
    pub world: Arc<World>,
    /// Which store the connection leads to, and what that was when it was made.
    pub connected: Mutex<(usize, String)>,
    pub bound: Mutex<Option<String>>,
    pub paused: Arc<AtomicBool>,
    pub dice: Dice,
    pub mischief: Mischief,
    /// Whether it lies elsewhere, as Redis does: then lookups are shared.
    pub shared: bool,
}

impl Moody {
    pub fn new(world: Arc<World>, paused: Arc<AtomicBool>, dice: Dice, mischief: Mischief, shared: bool) -> Self {
        let connected = Mutex::new((0, world.server(0)));
        Self { world, connected, bound: Mutex::default(), paused, dice, mischief, shared }
    }

    pub fn inner(&self) -> Arc<dyn Store> {
        self.world.stores[self.connected.lock().expect("nobody panics here").0].clone()
    }

    /// The store at the other end, and what it was when the connection was made.
    pub fn connected(&self) -> (Arc<dyn Store>, String) {
        let connected = self.connected.lock().expect("nobody panics here");
        (self.world.stores[connected.0].clone(), connected.1.clone())
    }

    pub async fn around<T>(
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

pub async fn until_not_paused(paused: &AtomicBool) {
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
            let late = late.into_iter().map(|generation| generation.seen_through(epoch_mask(i64::MIN + 1)));
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
pub struct Database {
    pub state: Mutex<(Vec<PendingInvalidation>, StoreClaim)>,
    pub next: AtomicU64,
}

impl Database {
    /// Changes something and leaves a row, in one moment.
    pub fn commit(&self, change: impl FnOnce(), tags: &[Tag]) -> PendingInvalidation {
        let id = self.next.fetch_add(1, Ordering::SeqCst) as i64;
        let row = PendingInvalidation { id, invalidation: Invalidation::new(tags, &cause(), jiff::Timestamp::now()) };
        let mut state = self.state.lock().expect("nobody panics here");
        change();
        state.0.push(row.clone());
        row
    }
}

/// One instance's way to the database.
pub struct Connection {
    pub database: Arc<Database>,
    pub paused: Arc<AtomicBool>,
    pub dice: Dice,
    pub mischief: Mischief,
    pub first: Mutex<Option<Look>>,
}

impl Connection {
    pub async fn reach(&self) -> Result<(), String> {
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
