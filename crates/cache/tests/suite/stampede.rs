use std::time::Instant;

use tokio::{sync::watch, task::JoinSet};

use super::*;

/// A source that holds every load until it is opened.
#[derive(Clone)]
struct Gate {
    source: Source,
    open: watch::Sender<bool>,
}

impl Gate {
    fn new() -> Self {
        Self { source: Source::default(), open: watch::Sender::new(false) }
    }

    async fn read(&self, cache: &Cache) -> Result<Served<u64>, String> {
        let gate = self.clone();
        cache.get_or_load(&key(), &tags(), move || async move { Ok(gate.pass().await) }).await.map(number)
    }

    async fn pass(self) -> Loaded {
        let loaded = self.source.load();
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        loaded
    }

    /// Waits for the first load to begin; `open` lets it end.
    async fn until_loading(&self) {
        while self.source.loads() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Of an instance, everything but a few last ones is spared a look at the store's lease: they share one load in their
/// process.
async fn stampede(caches: &[Cache], callers: usize) -> (u64, Vec<u64>) {
    let (gate, mut asking) = (Gate::new(), JoinSet::new());
    for cache in caches {
        for _ in 0..callers {
            let (gate, cache) = (gate.clone(), cache.clone());
            asking.spawn(async move { gate.read(&cache).await.map(|served| served.value) });
        }
    }
    gate.until_loading().await;
    gate.open.send_replace(true);
    let values = asking.join_all().await.into_iter().collect::<Result<_, _>>();
    (gate.source.loads(), values.expect("the source does not fail"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_on_each_of_three_instances_cost_one_load() {
    let server = RedisServer::start();
    for callers in [1, 10, 100, 1_000] {
        let clock = Clock::default();
        let instances =
            [over_redis(&server, &clock).await, over_redis(&server, &clock).await, over_redis(&server, &clock).await];
        let (loads, values) = stampede(&instances, callers).await;
        assert_eq!((loads, values.len()), (1, 3 * callers), "{callers} callers");
        instances[0].invalidate(&tags(), &cause()).await.expect("recorded");
    }
}

#[tokio::test]
async fn callers_share_a_load_without_a_shared_store_too() {
    let cache = Cache::memory();
    assert_eq!(stampede(std::slice::from_ref(&cache), 100).await.0, 1);
    assert_eq!(cache.counts().await.get(Counter::Coalesced), 99);
}

/// The mistake to avoid: sharing a load that began before a write with somebody who asks after it.
#[tokio::test]
async fn who_asks_after_a_write_does_not_share_a_load_from_before_it() {
    let (cache, gate) = (Cache::memory(), Gate::new());
    let (before, first) = (gate.clone(), cache.clone());
    let before = tokio::spawn(async move { before.read(&first).await });
    gate.until_loading().await;
    gate.source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    gate.open.send_replace(true);
    assert_eq!(gate.read(&cache).await.map(|served| served.value), Ok(1));
    assert_eq!(before.await.expect("no panic").map(|served| served.value), Ok(0));
}

/// The same while the store is away and no generation is known.
#[tokio::test]
async fn without_a_store_only_loads_that_have_not_begun_are_shared() {
    let mut server = RedisServer::start();
    server.kill();
    let settings = Settings { concurrent_loads: 1, ..Settings::default() };
    let (cache, gate) = (over_redis_with(&server, &Clock::default(), settings).await, Gate::new());
    let (before, first) = (gate.clone(), cache.clone());
    let before = tokio::spawn(async move { before.read(&first).await });
    gate.until_loading().await;
    gate.source.set(1);
    let mut after = JoinSet::new();
    for _ in 0..50 {
        let (gate, cache) = (gate.clone(), cache.clone());
        after.spawn(async move { gate.read(&cache).await.map(|served| (served.value, served.outcome)) });
    }
    while cache.counts().await.get(Counter::Bypasses) < 51 {
        tokio::task::yield_now().await;
    }
    gate.open.send_replace(true);
    assert_eq!(before.await.expect("no panic").map(|served| served.value), Ok(0));
    for result in after.join_all().await {
        assert_eq!(result, Ok((1, Outcome::Bypass)));
    }
    assert!(gate.source.loads() <= 3, "{} loads for 51 callers, one at a time", gate.source.loads());
}

#[tokio::test]
async fn a_panicking_loader_strands_nobody_who_waited_for_it() {
    let (cache, gate) = (Cache::memory(), Gate::new());
    let (panicking, first) = (gate.clone(), cache.clone());
    let leader = tokio::spawn(async move {
        first
            .get_or_load(&key(), &tags(), move || async move {
                panicking.pass().await;
                if true { panic!("a broken loader") } else { Err("never".to_owned()) }
            })
            .await
    });
    gate.until_loading().await;
    let mut followers = JoinSet::new();
    for _ in 0..10 {
        let (gate, cache) = (gate.clone(), cache.clone());
        followers.spawn(async move { gate.read(&cache).await.map(|served| served.value) });
    }
    while cache.counts().await.misses() < 11 {
        tokio::task::yield_now().await;
    }
    gate.open.send_replace(true);
    assert!(leader.await.is_err_and(|error| error.is_panic()));
    assert!(followers.join_all().await.iter().all(|result| *result == Ok(0)));
    assert_eq!(gate.source.loads(), 2, "the one that panicked, and one for the ten");
}

/// A holder of the lease that was killed gives nothing back and writes nothing.
#[tokio::test]
async fn a_dead_lease_holder_costs_its_successors_their_patience_and_no_more() {
    let server = RedisServer::start();
    let wait = Duration::from_millis(300);
    let settings = Settings { lease_lasts: Duration::from_secs(60), lease_wait: wait, ..Settings::default() };
    let (dead, alive) = (
        over_redis_with(&server, &Clock::default(), settings.clone()).await,
        over_redis_with(&server, &Clock::default(), settings).await,
    );
    let (stuck, gate) = (Gate::new(), Gate::new());
    let (loading, holder) = (stuck.clone(), dead.clone());
    let _never_ends = tokio::spawn(async move { loading.read(&holder).await });
    stuck.until_loading().await;
    gate.open.send_replace(true);
    let started = Instant::now();
    let served = gate.read(&alive).await.expect("the source does not fail");
    assert_eq!((served.value, gate.source.loads()), (0, 1));
    assert!(started.elapsed() >= wait, "it did wait for the holder");
    assert!(started.elapsed() < wait + Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(alive.counts().await.get(Counter::LeaseWaits), 1);
}

/// While another instance loads again, an expired value that nothing invalidated is good enough.
#[tokio::test]
async fn an_expired_value_is_served_while_another_instance_loads() {
    let bench = Bench::redis().await;
    let (gate, source) = (Gate::new(), Source::default());
    read(&bench.one, &source).await;
    bench.clock.advance(TTL * 2);
    let (loading, holder) = (gate.clone(), bench.one.clone());
    let holder = tokio::spawn(async move { loading.read(&holder).await });
    gate.until_loading().await;
    let served = read(&bench.other, &source).await;
    assert_eq!((served.outcome, served.age, source.loads()), (Outcome::Stale, TTL * 2, 1));
    gate.open.send_replace(true);
    assert_eq!(holder.await.expect("no panic").map(|served| served.outcome), Ok(Outcome::Miss));
    assert_eq!(read(&bench.other, &source).await.outcome, Outcome::Hit);
}

#[tokio::test]
async fn a_hit_near_the_end_of_its_life_starts_one_reload_in_the_background() {
    let bench = Bench::redis().await;
    let (gate, source) = (Gate::new(), Source::default());
    read(&bench.one, &source).await;
    bench.clock.advance(TTL.mul_f64(0.71));
    assert_eq!(gate.read(&bench.one).await.map(|served| served.outcome), Ok(Outcome::Hit));
    assert_eq!(gate.source.loads(), 0, "it is too early");
    source.set(1);
    gate.source.set(1);
    bench.clock.advance(TTL.mul_f64(0.18));
    for cache in [&bench.one, &bench.one, &bench.other, &bench.other] {
        let served = gate.read(cache).await.expect("no load in the way");
        assert_eq!((served.value, served.outcome), (0, Outcome::Hit));
    }
    gate.until_loading().await;
    gate.open.send_replace(true);
    let started = Instant::now();
    loop {
        let served = gate.read(&bench.one).await.expect("the source does not fail");
        if served.value == 1 {
            assert_eq!(served.outcome, Outcome::Hit);
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "never reloaded");
        tokio::task::yield_now().await;
    }
    assert_eq!(gate.source.loads(), 1);
}

/// One small MGET, no payload: what lies under the key in Redis is not even looked at.
#[tokio::test]
async fn an_l1_hit_asks_redis_for_generations_only() {
    let server = RedisServer::start();
    let (one, other) = (over_redis(&server, &Clock::default()).await, over_redis(&server, &Clock::default()).await);
    let (source, mut redis) = (Source::default(), server.connection().await);
    read(&one, &source).await;
    read(&other, &source).await;
    let () = redis::cmd("DEL").arg(key().as_str()).query_async(&mut redis).await.expect("an answer");
    assert_eq!(read(&one, &source).await.outcome, Outcome::Hit);
    assert_eq!(read(&other, &source).await.outcome, Outcome::Hit);
    one.counts().await;
    assert_eq!(other.counts().await.get(Counter::L1Hits), 2);
    source.set(1);
    one.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!(read(&other, &source).await.value, 1, "it is near, and not current");
}
