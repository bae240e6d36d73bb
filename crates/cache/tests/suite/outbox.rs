use std::sync::Mutex;

use async_trait::async_trait;
use vendorscope_cache::Invalidation;

use super::*;

/// More pending than one look shows.
mod many_rows;
/// A database that answers and takes nothing.
mod no_writes;
/// Stores that are changed, come back to and shared: which one counts.
mod which_store;

/// A database in memory: rows, which store counts, and whether anybody answers for them.
#[derive(Default)]
pub struct Rows {
    rows: Mutex<Vec<PendingInvalidation>>,
    claim: Mutex<StoreClaim>,
    next: std::sync::atomic::AtomicI64,
    silent: std::sync::atomic::AtomicBool,
    /// What a look takes.
    slow: Mutex<Duration>,
    /// What an acknowledgement and a claim take, before they do anything.
    slow_writes: Mutex<Duration>,
    /// Looks so far.
    looks: AtomicU64,
}

impl Rows {
    /// As a transaction leaves it.
    pub fn add(&self, tags: &[Tag]) -> PendingInvalidation {
        let row = PendingInvalidation {
            id: self.next.fetch_add(1, Ordering::SeqCst),
            invalidation: Invalidation::new(tags, &cause(), jiff::Timestamp::now()),
        };
        self.rows.lock().expect("nobody panics here").push(row.clone());
        row
    }

    fn len(&self) -> usize {
        self.rows.lock().expect("nobody panics here").len()
    }

    async fn wait_to_write(&self) {
        let slow = *self.slow_writes.lock().expect("nobody panics here");
        tokio::time::sleep(slow).await;
    }

    fn be_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }
}

#[async_trait]
impl Outbox for Rows {
    async fn look(&self, limit: usize) -> Result<Look, String> {
        if self.silent.load(Ordering::SeqCst) {
            return Err("the database is away".to_owned());
        }
        self.looks.fetch_add(1, Ordering::SeqCst);
        let look = Look {
            claim: self.claim.lock().expect("nobody panics here").clone(),
            pending: self.rows.lock().expect("nobody panics here").iter().take(limit).cloned().collect(),
        };
        let slow = *self.slow.lock().expect("nobody panics here");
        tokio::time::sleep(slow).await;
        Ok(look)
    }

    async fn record(&self, invalidation: &Invalidation) -> Result<i64, String> {
        let tags: Vec<_> = invalidation.tags.iter().map(Tag::new).collect();
        Ok(self.add(&tags).id)
    }

    async fn acknowledge(&self, ids: &[i64], claim: &StoreClaim) -> Result<bool, String> {
        self.wait_to_write().await;
        let counts = *claim == *self.claim.lock().expect("nobody panics here");
        if counts {
            self.rows.lock().expect("nobody panics here").retain(|row| !ids.contains(&row.id));
        }
        Ok(counts)
    }

    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String> {
        self.wait_to_write().await;
        let mut claim = self.claim.lock().expect("nobody panics here");
        let is_seen = claim.epoch == seen;
        if is_seen {
            *claim = StoreClaim { epoch: seen + 1, server: server.to_owned() };
        }
        Ok(is_seen)
    }
}

/// An instance on this server and this database.
async fn instance(server: &RedisServer, rows: &Arc<Rows>) -> Cache {
    let cache = over_redis(server, &Clock::default()).await;
    cache.watch(rows.clone()).await;
    cache
}

/// Returns once reading comes to this.
async fn until(cache: &Cache, source: &Source, outcome: Outcome) {
    let began = std::time::Instant::now();
    while read(cache, source).await.outcome != outcome {
        assert!(began.elapsed() < Duration::from_secs(30), "never {outcome:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How a lookup of something of another vendor went.
async fn read_of(cache: &Cache, vendor: &str) -> Outcome {
    let load = || async { Ok::<_, String>(Loaded::new("0", TTL)) };
    let served = cache.get_or_load(&snapshot_key(vendor, "x"), &[vendor_tag(vendor)], load).await;
    served.expect("the source does not fail").outcome
}

/// A write as a service does it: the change and its row in one moment, then delivered, then answered.
async fn write(cache: &Cache, rows: &Rows, source: &Source, value: u64) {
    source.set(value);
    let row = rows.add(&[vendor_tag("42")]);
    cache.deliver(row).await;
}

#[tokio::test]
async fn what_a_dead_writer_left_is_delivered_before_it_is_read() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    source.set(1);
    rows.add(&[vendor_tag("42")]);
    until(&cache, &source, Outcome::Miss).await;
    assert_eq!((read(&cache, &source).await.value, read(&cache, &source).await.outcome), (1, Outcome::Hit));
    while rows.len() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_instance_that_starts_delivers_what_is_pending_before_it_answers() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    read(&instance(&server, &rows).await, &source).await;
    source.set(1);
    rows.add(&[Tag::new("analytics")]);
    let late = instance(&server, &rows).await;
    let served = read(&late, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Miss));
}

#[tokio::test]
async fn while_the_outbox_is_away_the_source_is_asked_and_the_cache_stands_in_where_that_fails_too() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    source.set(7);
    read(&cache, &source).await;
    rows.be_silent(true);
    until(&cache, &source, Outcome::Bypass).await;
    let stale = read_from_broken_source(&cache).await.expect("what is there, uninvalidated");
    assert_eq!((stale.value, stale.outcome), (7, Outcome::Stale));
    rows.be_silent(false);
    until(&cache, &source, Outcome::Hit).await;
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    rows.be_silent(true);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(read_from_broken_source(&cache).await.is_err(), "what was invalidated never stands in");
}

/// Hole 2: A has committed and cannot reach its store; the same write at B changes nothing.
#[tokio::test]
async fn a_write_that_changes_nothing_is_answered_when_what_it_rests_on_is_told() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let b = instance(&server, &rows).await;
    read(&b, &source).await;
    for round in 1..10 {
        until(&b, &source, Outcome::Hit).await;
        // A: committed, and hangs.
        source.set(round);
        rows.add(&[vendor_tag("42")]);
        b.wait_until_delivered(Some(&[vendor_tag("42")])).await;
        assert_eq!(read(&b, &source).await.value, round);
    }
}

/// Hole 6: a memory store, and a command beside the server that writes to its database.
#[tokio::test]
async fn a_memory_store_goes_by_the_outbox_too() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let cache = Cache::memory();
    cache.watch(rows.clone()).await;
    read(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    source.set(1);
    rows.add(&[vendor_tag("42")]);
    // As long as a writer without a store of its own waits: whoever asks after that sees it.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(read(&cache, &source).await.value, 1);
    rows.be_silent(true);
    until(&cache, &source, Outcome::Bypass).await;
    let stale = read_from_broken_source(&cache).await.map(|served| served.outcome);
    assert_eq!(stale, Ok(Outcome::Stale), "cut off from the database, it says so");
}

/// Hole 7: a look that took longer than it holds has found the row all the same.
#[tokio::test]
async fn a_slow_look_that_found_something_pending_does_not_let_it_stand_in() {
    let (rows, source, mut server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    rows.add(&[vendor_tag("42")]);
    *rows.slow.lock().expect("nobody panics here") = Duration::from_millis(1_500);
    server.freeze();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let served = read_from_broken_source(&cache).await.map(|served| served.outcome);
    assert!(served.is_err(), "{served:?}");
    server.thaw();
    server.kill();
}

/// What a look has found stays pending however old that look is: here nobody can look again, and the store still reads
/// but takes nothing.
#[tokio::test]
async fn what_was_once_seen_to_be_pending_does_not_stand_in_while_nobody_can_look_again() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    let mut redis = server.connection().await;
    let set = |name, value| redis::cmd("CONFIG").arg("SET").arg(name).arg(value).to_owned();
    let () = set("min-replicas-to-write", 1).query_async(&mut redis).await.expect("an answer");
    rows.add(&[vendor_tag("42")]);
    until(&cache, &source, Outcome::Bypass).await;
    rows.be_silent(true);
    // Longer than a look holds: by now nobody may say that nothing is pending either.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..20 {
        let served = read_from_broken_source(&cache).await.map(|served| served.outcome);
        assert!(served.is_err(), "{served:?}");
    }
    rows.be_silent(false);
    let () = set("min-replicas-to-write", 0).query_async(&mut redis).await.expect("an answer");
    until(&cache, &source, Outcome::Hit).await;
}

/// A busy machine: every look takes longer than it holds for others. It holds for whoever asked before it began.
#[tokio::test]
async fn a_slow_look_that_began_after_the_lookup_counts_however_long_it_took() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    *rows.slow.lock().expect("nobody panics here") = Duration::from_millis(1_200);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let callers = futures::future::join_all((0..20).map(|_| read(&cache, &source))).await;
    let outcomes: Vec<_> = callers.iter().map(|served| served.outcome).collect();
    assert_eq!(outcomes, [Outcome::Hit; 20]);
    source.set(1);
    rows.add(&[vendor_tag("42")]);
    assert_eq!(read(&cache, &source).await.value, 1, "and what it finds counts as well");
}

/// Nobody has asked for longer than a look holds, so the store was not asked what it is: what is looked at without being
/// used says of the store nothing that could be taken back.
#[tokio::test]
async fn the_first_lookup_after_a_pause_is_served_what_is_there_where_the_database_has_gone() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    source.set(7);
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // Just after a look, so that this one still holds.
    let looked = rows.looks.load(Ordering::SeqCst);
    while rows.looks.load(Ordering::SeqCst) == looked {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    rows.be_silent(true);
    let stale = read_from_broken_source(&cache).await.map(|served| (served.value, served.outcome));
    assert_eq!(stale, Ok((7, Outcome::Stale)));
}

/// A database in a black hole: one lookup waits for it as long as a look may take, and those after it not at all.
#[tokio::test]
async fn a_database_that_never_answers_costs_one_lookup_its_patience() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    *rows.slow.lock().expect("nobody panics here") = Duration::from_secs(600);
    loop {
        let began = std::time::Instant::now();
        let outcome = read(&cache, &source).await.outcome;
        // A look may take 3 s: nobody waits for two.
        assert!(began.elapsed() < Duration::from_millis(5_500), "{outcome:?} after {:?}", began.elapsed());
        if outcome != Outcome::Hit {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = std::time::Instant::now();
        assert_eq!(read(&cache, &source).await.outcome, Outcome::Bypass);
        took.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A busy machine may keep one of them waiting, and not most of them for as long as a look may take.
    took.sort();
    assert!(took[150] < Duration::from_millis(500), "{took:?}");
    *rows.slow.lock().expect("nobody panics here") = Duration::ZERO;
    until(&cache, &source, Outcome::Hit).await;
}

/// A caller that goes away while its row is being delivered was not answered, but it has committed.
#[tokio::test]
async fn what_is_given_up_in_the_middle_is_delivered_all_the_same() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let (watching, alone) = (instance(&server, &rows).await, over_redis(&server, &Clock::default()).await);
    let mut redis = server.connection().await;
    let set = |name, value| redis::cmd("CONFIG").arg("SET").arg(name).arg(value).to_owned();
    for (cache, value) in [(&watching, 1), (&alone, 2)] {
        read(cache, &source).await;
        until(cache, &source, Outcome::Hit).await;
        let () = set("min-replicas-to-write", 1).query_async(&mut redis).await.expect("an answer");
        let invalidate = async {
            if value == 1 {
                write(cache, &rows, &source, value).await;
            } else {
                source.set(value);
                cache.invalidate(&tags(), &cause()).await.expect("recorded");
            }
        };
        assert!(tokio::time::timeout(Duration::from_millis(100), invalidate).await.is_err(), "it waits");
        let () = set("min-replicas-to-write", 0).query_async(&mut redis).await.expect("an answer");
        let began = std::time::Instant::now();
        while read(cache, &source).await.value != value || rows.len() + cache.condition().pending > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "it is never delivered");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What another machine says is old is not said to have waited longer than this instance has tried.
#[tokio::test]
async fn how_long_something_is_pending_is_not_said_by_a_clock_that_is_behind() {
    let (rows, server) = (Arc::new(Rows::default()), RedisServer::start());
    let cache = instance(&server, &rows).await;
    let mut redis = server.connection().await;
    let refuse = redis::cmd("CONFIG").arg("SET").arg("min-replicas-to-write").arg(1).to_owned();
    let () = refuse.query_async(&mut redis).await.expect("an answer");
    let began = std::time::Instant::now();
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(10);
    let invalidation = Invalidation::new(&[vendor_tag("42")], &cause(), at);
    rows.rows.lock().expect("nobody panics here").push(PendingInvalidation { id: 7, invalidation });
    let waits = loop {
        if let Some(waits) = cache.condition().pending_for {
            break waits;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it is never said");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert!(waits <= began.elapsed(), "{waits:?}");
}

/// Hole 8: an invalidation that no write belongs to leaves a row as well.
#[tokio::test]
async fn an_invalidation_by_hand_reaches_instances_whose_store_the_writer_cannot() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let proxy = proxy::Proxy::before(server.port()).await;
    let store = RedisStore::connect(&proxy.redis_url(), names()).await.expect("a Redis that is there");
    let a = Cache::with(Arc::new(store), Clock::default(), Settings::default());
    a.watch(rows.clone()).await;
    a.invalidate(&[], &cause()).await.expect("there is nothing to do");
    assert_eq!(rows.next.load(Ordering::SeqCst), 0, "what names nothing leaves no row");
    let b = instance(&server, &rows).await;
    read(&b, &source).await;
    until(&b, &source, Outcome::Hit).await;
    proxy.set(proxy::Fault::BlackHole);
    source.set(1);
    a.invalidate(&[Tag::new("analytics")], &cause()).await.expect("recorded");
    assert_eq!(read(&b, &source).await.value, 1);
}
