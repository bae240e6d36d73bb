use std::sync::Mutex;

use async_trait::async_trait;
use vendorscope_cache::Invalidation;

use super::*;

/// A database in memory: rows, which store counts, and whether anybody answers for them.
#[derive(Default)]
pub struct Rows {
    rows: Mutex<Vec<PendingInvalidation>>,
    claim: Mutex<StoreClaim>,
    next: std::sync::atomic::AtomicI64,
    silent: std::sync::atomic::AtomicBool,
    /// What a look takes.
    slow: Mutex<Duration>,
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
        let counts = *claim == *self.claim.lock().expect("nobody panics here");
        if counts {
            self.rows.lock().expect("nobody panics here").retain(|row| !ids.contains(&row.id));
        }
        Ok(counts)
    }

    async fn claim(&self, seen: i64, server: &str) -> Result<bool, String> {
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

/// Hole 1: R, then R2, then R again. R holds the old entry and the generations that match it; another store has counted
/// since.
#[tokio::test]
async fn a_store_that_is_come_back_to_brings_nothing_back() {
    comes_back_with_nothing(&[]).await;
}

/// The same with services that do not say what they are: they are told apart by what they keep.
#[tokio::test]
async fn nor_does_one_that_hides_what_it_is() {
    comes_back_with_nothing(&["--rename-command", "INFO", ""]).await;
}

async fn comes_back_with_nothing(options: &[&str]) {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (first, second) = (RedisServer::start_with(options), RedisServer::start_with(options));
    let on_first = instance(&first, &rows).await;
    read(&on_first, &source).await;
    until(&on_first, &source, Outcome::Hit).await;
    drop(on_first);
    let on_second = instance(&second, &rows).await;
    write(&on_second, &rows, &source, 1).await;
    drop(on_second);
    let back = instance(&first, &rows).await;
    let served = read(&back, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Miss));
    assert_eq!(read(&back, &source).await.outcome, Outcome::Hit, "it counts again");
}

/// The same over memory: what the process holds is its own.
#[tokio::test]
async fn going_without_a_store_for_a_while_brings_nothing_back() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let before = instance(&server, &rows).await;
    read(&before, &source).await;
    drop(before);
    let memory = Cache::memory();
    memory.watch(rows.clone()).await;
    write(&memory, &rows, &source, 1).await;
    drop(memory);
    let served = read(&instance(&server, &rows).await, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Miss));
}

/// A rolling change of the address, A on one server and B on another: only one counts, and nobody reads old figures.
#[tokio::test]
async fn of_two_stores_at_the_same_time_one_counts() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (first, second) = (RedisServer::start(), RedisServer::start());
    let a = instance(&first, &rows).await;
    read(&a, &source).await;
    let b = instance(&second, &rows).await;
    for round in 1..6 {
        let (writer, reader) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        write(writer, &rows, &source, round).await;
        assert_eq!(read(reader, &source).await.value, round);
        assert_eq!(read(writer, &source).await.value, round);
    }
    assert_eq!(read(&b, &source).await.outcome, Outcome::Hit, "the one that was started last counts");
    assert_eq!(read(&a, &source).await.outcome, Outcome::Bypass);
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

/// Holes 4 and 5: demoted, and master again, on a connection that stays open: the same process, and another one to
/// whoever counts.
#[tokio::test]
async fn the_same_process_is_another_store_after_it_was_demoted() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (server, other) = (RedisServer::start(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    let mut redis = server.connection().await;
    // The other one never answers it: it keeps what it holds.
    let () = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut redis).await.expect("an answer");
    let second = instance(&other, &rows).await;
    write(&second, &rows, &source, 1).await;
    assert_eq!(read(&cache, &source).await.value, 1, "the demoted one is not read");
    let () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut redis).await.expect("an answer");
    drop(second);
    let began = std::time::Instant::now();
    while read(&cache, &source).await.outcome != Outcome::Hit {
        assert_eq!(read(&cache, &source).await.value, 1);
        assert!(began.elapsed() < Duration::from_secs(30), "it never counts again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read(&cache, &source).await.value, 1);
}

/// The same process on the same connection, with what another server held: a copy from before a write. No other store
/// has counted in between.
#[tokio::test]
async fn a_server_that_took_in_what_another_held_is_another_store() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let copy = RedisServer::start_with(&["--replicaof", "127.0.0.1", &server.port().to_string()]);
    let (mut of_server, mut of_copy) = (server.connection().await, copy.connection().await);
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    while !redis::cmd("EXISTS").arg(key().as_str()).query_async(&mut of_copy).await.unwrap_or(false) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut of_copy).await.expect("an answer");
    write(&cache, &rows, &source, 1).await;
    until(&cache, &source, Outcome::Hit).await;
    let () =
        redis::cmd("REPLICAOF").arg("127.0.0.1").arg(copy.port()).query_async(&mut of_server).await.expect("an answer");
    let info = async |redis: &mut redis::aio::MultiplexedConnection| -> String {
        redis::cmd("INFO").arg("replication").query_async(redis).await.expect("an answer")
    };
    while !info(&mut of_server).await.contains("master_link_status:up") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut of_server).await.expect("an answer");
    // Until its next look, which nobody is promised anything before.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for _ in 0..5 {
        assert_eq!(read(&cache, &source).await.value, 1);
    }
    until(&cache, &source, Outcome::Hit).await;
}

/// Hole 3: the writer tells the old master, which lives; readers have followed to the new one.
#[tokio::test]
async fn what_was_told_to_a_store_that_counts_no_more_is_not_acknowledged() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let writer = instance(&old, &rows).await;
    let reader = instance(&new, &rows).await;
    read(&reader, &source).await;
    until(&reader, &source, Outcome::Hit).await;
    write(&writer, &rows, &source, 1).await;
    assert_eq!(read(&reader, &source).await.value, 1);
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

/// One look shows 1,000 rows. The one in question lies beyond them; what is before it is delivered bit by bit.
#[tokio::test]
async fn more_rows_than_a_look_shows_hide_none_of_them() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    for (round, before) in [1_000, 2_100, 5_000].into_iter().enumerate() {
        until(&cache, &source, Outcome::Hit).await;
        let value = round as u64 + 1;
        source.set(value);
        (0..before).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
        rows.add(&[vendor_tag("42")]);
        // As a write that found this one done answers.
        cache.wait_until_delivered(Some(&[vendor_tag("42")])).await;
        // A lookup of another vendor delivers what is pending for that one.
        read_of(&cache, "other-7").await;
        assert_eq!(read(&cache, &source).await.value, value, "of {before} rows before it");
        let began = std::time::Instant::now();
        while rows.len() > 0 {
            assert!(began.elapsed() < Duration::from_secs(10), "{} rows are never delivered", rows.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The same where nobody waits for the row in question: its writer has been answered because enough time has passed.
#[tokio::test]
async fn nor_does_an_instance_that_has_delivered_some_of_them_trust_the_rest() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    source.set(1);
    (0..3_000).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
    rows.add(&[vendor_tag("42")]);
    // The look of a lookup that began afterwards is one that every lookup after it may go by.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for _ in 0..200 {
        read_of(&cache, "other-7").await;
        assert_eq!(read(&cache, &source).await.value, 1);
    }
}

/// While Redis is away and rows pile up, lookups do not stand in line to look at them one after the other.
#[tokio::test]
async fn lookups_of_an_outage_do_not_each_look_at_all_that_is_pending() {
    let (rows, mut server) = (Arc::new(Rows::default()), RedisServer::start());
    let cache = instance(&server, &rows).await;
    (0..1_500).for_each(|vendor| drop(rows.add(&[vendor_tag(&format!("other-{vendor}"))])));
    server.kill();
    // Until its relay has looked, it knows of nothing.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, began) = (rows.looks.load(Ordering::SeqCst), std::time::Instant::now());
    for vendor in 0..500 {
        assert_eq!(read_of(&cache, &vendor.to_string()).await, Outcome::Bypass);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (looks, took) = (rows.looks.load(Ordering::SeqCst) - before, began.elapsed());
    // Its own every 50 ms while something is pending, and one of a lookup every 100 ms.
    let allowed = 3 + took.as_millis() as u64 / 30;
    assert!(looks <= allowed, "{looks} looks in {took:?}");
}

/// An instance that only writes is asked by nobody for what it holds, and finds out all the same that its store is
/// another one.
#[tokio::test]
async fn an_instance_that_only_writes_notices_that_its_store_is_another_one() {
    let (rows, source, mut server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    // It has looked since it was last asked anything.
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    server.kill();
    server.restart();
    let began = std::time::Instant::now();
    loop {
        let sent = std::time::Instant::now();
        write(&cache, &rows, &source, 1).await;
        if sent.elapsed() < Duration::from_millis(900) && rows.len() == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{} rows, {:?}", rows.len(), sent.elapsed());
    }
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

/// Hole 8: an invalidation that no write belongs to leaves a row as well.
#[tokio::test]
async fn an_invalidation_by_hand_reaches_instances_whose_store_the_writer_cannot() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let proxy = proxy::Proxy::before(server.port()).await;
    let store = RedisStore::connect(&proxy.redis_url(), names()).await.expect("a Redis that is there");
    let a = Cache::with(Arc::new(store), Clock::default(), Settings::default());
    a.watch(rows.clone()).await;
    let b = instance(&server, &rows).await;
    read(&b, &source).await;
    until(&b, &source, Outcome::Hit).await;
    proxy.set(proxy::Fault::BlackHole);
    source.set(1);
    a.invalidate(&[Tag::new("analytics")], &cause()).await.expect("recorded");
    assert_eq!(read(&b, &source).await.value, 1);
}

/// Hole 8b: another installation behind the same server.
#[tokio::test]
async fn two_installations_in_one_redis_see_nothing_of_each_other() {
    let (server, source) = (RedisServer::start(), Source::default());
    let of = async |name: &str| {
        Cache::redis(&server.url(), names().of_installation(name)).await.expect("a Redis that is there")
    };
    let (one, other) = (of("one").await, of("other").await);
    read(&one, &source).await;
    source.set(1);
    assert_eq!(read(&other, &source).await.value, 1);
    assert_eq!((one.usage().await.entries, other.usage().await.entries), (1, 1));
    assert_eq!(read(&one, &source).await.outcome, Outcome::Hit);
    other.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!(read(&one, &source).await.outcome, Outcome::Hit, "nor do its invalidations concern it");
    let mut redis = server.connection().await;
    let all: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.expect("keys");
    assert!(all.iter().all(|name| name.ends_with("@one") || name.ends_with("@other")), "{all:?}");
}
