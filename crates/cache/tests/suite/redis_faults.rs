use std::time::Instant;

use tokio::{io::AsyncReadExt, net::TcpStream};

use super::*;

/// A lookup that Redis does not answer costs its timeout, then nothing until Redis is back. Generous: the machine may
/// be busy.
const BOUNDED: Duration = Duration::from_secs(2);

async fn until_hit(cache: &Cache, source: &Source) {
    let started = Instant::now();
    while read(cache, source).await.outcome != Outcome::Hit {
        assert!(started.elapsed() < Duration::from_secs(10), "the cache does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn without_redis_everything_is_loaded() {
    let mut server = RedisServer::start();
    server.kill();
    let cache = Cache::redis(&server.url(), names()).await.expect("it may come later");
    let source = Source::default();
    for loads in 1..=3 {
        let served = read(&cache, &source).await;
        assert_eq!((served.outcome, source.loads()), (Outcome::Bypass, loads));
    }
    assert_eq!(cache.counts().await.hit_rate_percent(), None);
    server.restart();
    until_hit(&cache, &source).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_used_is_refused_without_showing_its_password() {
    for url in ["http://:s3cret@127.0.0.1", "redis://:s3cret@127.0.0.1:99999", "127.0.0.1:6379"] {
        let error = Cache::redis(url, names()).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("cannot be used") && !error.contains("s3cret"), "{url}: {error}");
    }
    let server = RedisServer::start_with(&["--requirepass", "right"]);
    for wrong in [server.url(), server.url().replace("redis://", "redis://:wr0ng@")] {
        let error = Cache::redis(&wrong, names()).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("refuses") && !error.contains("wr0ng"), "{wrong}: {error}");
    }
    let cache =
        Cache::redis(&server.url().replace("redis://", "redis://:right@"), names()).await.expect("the right password");
    let source = Source::default();
    read(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
}

#[tokio::test]
async fn a_black_hole_costs_bounded_time_and_then_almost_none() {
    let server = RedisServer::start();
    let (cache, source) = (over_redis(&server, &Clock::default()).await, Source::default());
    read(&cache, &source).await;
    server.freeze();
    let first = read(&cache, &source).await;
    assert_eq!(first.outcome, Outcome::Bypass);
    assert!(first.elapsed < BOUNDED, "{:?}", first.elapsed);
    let started = Instant::now();
    for _ in 0..100 {
        assert_eq!(read(&cache, &source).await.outcome, Outcome::Bypass);
    }
    assert!(
        started.elapsed() < BOUNDED,
        "a hundred lookups took {:?}: the circuit breaker is not open",
        started.elapsed()
    );
    server.thaw();
    until_hit(&cache, &source).await;
}

/// Services close what nobody uses. Nothing but the connection itself keeps this one in use: no outbox that is looked
/// at all the time, and nobody who watches the cache.
#[tokio::test]
async fn a_connection_that_would_be_closed_when_idle_is_kept_in_use() {
    let server = RedisServer::start_with(&["--timeout", "14"]);
    let (cache, source) = (over_redis(&server, &Clock::default()).await, Source::default());
    until_hit(&cache, &source).await;
    // One after the other, since counts are written a moment after the lookup: the second one begins to idle later
    // than the cache.
    for _ in 0..2 {
        let mut witness = TcpStream::connect(("127.0.0.1", server.port())).await.expect("a connection");
        assert_eq!(witness.read(&mut [0]).await.expect("an end"), 0, "the server hangs up");
    }
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    let connection = &cache.condition().connections[0];
    assert!(connection.down.is_none() && connection.openings == 0, "{connection:?}");
}

#[tokio::test]
async fn what_is_counted_while_redis_is_away_is_known_at_once_and_handed_over_by_its_minute() {
    let server = RedisServer::start();
    let clock = Clock::manual();
    let (cache, source) = (over_redis(&server, &clock).await, Source::default());
    read(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    assert_eq!(cache.counts().await.get(Counter::Hits), 1);
    // What Redis has said before is remembered.
    assert!(cache.course(Span::Minute, 4).await.is_whole);
    server.freeze();
    for _ in 0..3 {
        assert_eq!(read(&cache, &source).await.outcome, Outcome::Bypass);
        cache.counts().await;
        clock.advance(Duration::from_secs(60));
    }
    let counted = async |cache: &Cache| {
        let course = cache.course(Span::Minute, 4).await;
        let of = |counter: Counter| course.spans.iter().map(|counts| counts.get(counter)).collect::<Vec<_>>();
        (of(Counter::Hits), of(Counter::Bypasses), course.is_whole)
    };
    assert_eq!(counted(&cache).await, (vec![1, 0, 0, 0], vec![1, 1, 1, 0], false));
    let counts = cache.counts().await;
    assert_eq!((counts.get(Counter::Hits), counts.get(Counter::Bypasses)), (1, 3), "what Redis said last, and since");
    assert!(cache.condition().connections[0].down.is_some() && cache.condition().connections[0].openings == 1);
    server.thaw();
    until_hit(&cache, &source).await;
    let (_, bypasses, is_whole) = counted(&cache).await;
    assert_eq!((&bypasses[..3], is_whole), (&[1, 1, 1][..], true));
    // Another instance sees the same: it was handed over.
    let (_, seen, _) = counted(&over_redis(&server, &clock).await).await;
    assert_eq!(seen, bypasses);
    assert!(cache.condition().connections[0].down.is_none());
}

#[tokio::test]
async fn an_invalidation_that_redis_cannot_take_is_delivered_later_and_trusted_never_before() {
    let server = RedisServer::start();
    let (cache, other, source) =
        (over_redis(&server, &Clock::default()).await, over_redis(&server, &Clock::default()).await, Source::default());
    read(&cache, &source).await;
    assert_eq!(read(&other, &source).await.outcome, Outcome::Hit);
    server.freeze();
    source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!(cache.condition().pending, 1);
    server.thaw();
    // Redis still holds the old entry and perhaps the old generations; whatever of it has arrived by now, this is never
    // served.
    let started = Instant::now();
    loop {
        assert_eq!(read(&cache, &source).await.value, 1);
        if cache.condition().pending == 0 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "not delivered");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(read(&other, &source).await.value, 1, "delivered, it holds for everyone");
}

#[tokio::test]
async fn what_redis_forgets_is_never_old_figures() {
    let server = RedisServer::start();
    let (cache, source, mut redis) =
        (over_redis(&server, &Clock::default()).await, Source::default(), server.connection().await);
    for (round, forget) in ["FLUSHALL", "DEL"].into_iter().enumerate() {
        read(&cache, &source).await;
        let mut command = redis::cmd(forget);
        if forget == "DEL" {
            command.arg("tag:vendor:{42}");
        }
        source.set(round as u64 + 1);
        let () = command.query_async(&mut redis).await.expect("an answer");
        let served = read(&cache, &source).await;
        assert_eq!((served.value, served.outcome), (round as u64 + 1, Outcome::Miss), "after {forget}");
    }
}

/// The snapshot holds the entry and the very generations that match it, from before the invalidation.
#[tokio::test]
async fn a_restart_from_an_old_snapshot_brings_nothing_back() {
    let mut server = RedisServer::start();
    let (cache, source) = (over_redis(&server, &Clock::default()).await, Source::default());
    read(&cache, &source).await;
    let () = redis::cmd("SAVE").query_async(&mut server.connection().await).await.expect("saved");
    source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    server.restart();
    let kept: bool =
        redis::cmd("EXISTS").arg(key().as_str()).query_async(&mut server.connection().await).await.expect("an answer");
    assert!(kept, "the old entry is back, or this test shows nothing");
    let started = Instant::now();
    loop {
        let served = read(&cache, &source).await;
        assert_eq!(served.value, 1);
        if served.outcome == Outcome::Hit {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "the cache does not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn garbage_under_a_key_is_a_miss_and_is_replaced() {
    let server = RedisServer::start();
    let settings = Settings { l1_bytes: 0, ..Settings::default() };
    let (cache, source, mut redis) =
        (over_redis_with(&server, &Clock::default(), settings).await, Source::default(), server.connection().await);
    let kept = |redis: &redis::aio::MultiplexedConnection| {
        let mut redis = redis.clone();
        async move { redis::cmd("GET").arg(key().as_str()).query_async::<Vec<u8>>(&mut redis).await.expect("an entry") }
    };
    read(&cache, &source).await;
    let whole = kept(&redis).await;
    for garbage in [&b""[..], b"{\"netSales\":1}", &whole[..whole.len() - 1], &whole[..10]] {
        let () = redis::cmd("SET").arg(key().as_str()).arg(garbage).query_async(&mut redis).await.expect("an answer");
        assert_eq!(read(&cache, &source).await.outcome, Outcome::Miss);
        assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    }
    let () =
        redis::pipe().del(key().as_str()).lpush(key().as_str(), 1).query_async(&mut redis).await.expect("an answer");
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Miss);
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    let tag = "tag:vendor:{42}";
    let () = redis::pipe().del(tag).lpush(tag, 1).query_async(&mut redis).await.expect("an answer");
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Bypass);
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Miss, "the tag's key was cleared");
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
}

#[tokio::test]
async fn a_full_redis_still_takes_invalidations() {
    let server = RedisServer::start();
    let (cache, source, mut redis) =
        (over_redis(&server, &Clock::default()).await, Source::default(), server.connection().await);
    read(&cache, &source).await;
    let () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(1).query_async(&mut redis).await.expect("an answer");
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit, "reading needs no memory");
    source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!(cache.condition().pending, 0);
    assert_eq!(read(&cache, &source).await.value, 1);
    let () = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(0).query_async(&mut redis).await.expect("an answer");
    assert_eq!(read(&cache, &source).await.value, 1);
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
}

#[tokio::test]
async fn a_server_turned_replica_is_not_read() {
    a_replica_is_not_read(&[]).await;
}

#[tokio::test]
async fn nor_is_one_that_hides_what_it_is() {
    a_replica_is_not_read(&["--rename-command", "INFO", ""]).await;
}

async fn a_replica_is_not_read(options: &[&str]) {
    let (master, server) = (RedisServer::start_with(options), RedisServer::start_with(options));
    let (cache, source, mut redis) =
        (over_redis(&server, &Clock::default()).await, Source::default(), server.connection().await);
    read(&cache, &source).await;
    let () =
        redis::cmd("REPLICAOF").arg("127.0.0.1").arg(master.port()).query_async(&mut redis).await.expect("an answer");
    source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!(cache.condition().pending, 1);
    assert_eq!(read(&cache, &source).await.value, 1);
    let () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut redis).await.expect("an answer");
    until_hit(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.value, 1);
}

#[tokio::test]
async fn a_reset_connection_is_mended() {
    let server = RedisServer::start();
    let (cache, source, mut redis) =
        (over_redis(&server, &Clock::default()).await, Source::default(), server.connection().await);
    read(&cache, &source).await;
    for value in 1..=5 {
        let () = redis::cmd("CLIENT")
            .arg("KILL")
            .arg("TYPE")
            .arg("normal")
            .query_async(&mut redis)
            .await
            .expect("an answer");
        source.set(value);
        cache.invalidate(&tags(), &cause()).await.expect("recorded");
        assert_eq!(read(&cache, &source).await.value, value);
        until_hit(&cache, &source).await;
        assert_eq!((read(&cache, &source).await.value, cache.condition().pending), (value, 0));
    }
}

/// As with a full disk, or too few replicas: reading goes on, and nothing can be invalidated.
#[tokio::test]
async fn a_server_that_refuses_writes_is_trusted_for_what_was_not_written() {
    let server = RedisServer::start();
    let (cache, source, mut redis) =
        (over_redis(&server, &Clock::default()).await, Source::default(), server.connection().await);
    read(&cache, &source).await;
    let refuse = async |redis: &mut redis::aio::MultiplexedConnection, replicas: u8| {
        let () = redis::cmd("CONFIG")
            .arg("SET")
            .arg("min-replicas-to-write")
            .arg(replicas)
            .query_async(redis)
            .await
            .expect("an answer");
    };
    refuse(&mut redis, 1).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    source.set(1);
    cache.invalidate(&[vendor_tag("42")], &cause()).await.expect("recorded");
    assert_eq!(cache.condition().pending, 1);
    let served = read(&cache, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Bypass));
    refuse(&mut redis, 0).await;
    until_hit(&cache, &source).await;
    assert_eq!((read(&cache, &source).await.value, cache.condition().pending), (1, 0));
}

#[tokio::test]
async fn keys_of_others_are_not_counted() {
    let server = RedisServer::start();
    let (cache, mut redis) = (over_redis(&server, &Clock::default()).await, server.connection().await);
    read(&cache, &Source::default()).await;
    let mut strangers = redis::pipe();
    for index in 0..2_500 {
        strangers.set(format!("sess:{index}"), 1);
    }
    let () = strangers.set("vendors", 1).set("avp:1", 1).query_async(&mut redis).await.expect("an answer");
    assert_eq!(cache.usage().await.entries, 1);
}

#[tokio::test]
async fn invalidations_of_other_instances_are_heard_and_heard_again_after_a_restart() {
    let mut server = RedisServer::start();
    let (one, other) = (over_redis(&server, &Clock::default()).await, over_redis(&server, &Clock::default()).await);
    let mut heard = other.subscribe();
    for _ in 0..2 {
        // Whether the other has subscribed by now is not known: said until heard.
        let message = loop {
            one.invalidate(&[Tag::new("products:{42}")], &cause()).await.expect("recorded");
            match tokio::time::timeout(Duration::from_millis(200), heard.recv()).await {
                Ok(message) => break message.expect("a message"),
                Err(_) => continue,
            }
        };
        // After a gap everything may have changed.
        assert!(message.concerns(&Tag::new("products:{42}")), "{message:?}");
        server.restart();
        heard = heard.resubscribe();
    }
}

#[tokio::test]
async fn nobody_hears_twice_of_an_invalidation_of_their_own() {
    let server = RedisServer::start();
    let (one, other) = (over_redis(&server, &Clock::default()).await, over_redis(&server, &Clock::default()).await);
    let mut heard = one.subscribe();
    let tag = |round: u32| [Tag::new(format!("orders:{{{round}}}"))];
    let mut next = async || {
        let event = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.expect("a message in time");
        let Event::Invalidated(message) = event.expect("a message") else { panic!("no connection was lost") };
        message.tags
    };
    // Until it hears the other, over the channel on which its own messages come first.
    other.invalidate(&tag(0), &cause()).await.expect("recorded");
    while tokio::time::timeout(Duration::from_millis(200), next()).await.is_err() {
        other.invalidate(&tag(0), &cause()).await.expect("recorded");
    }
    one.invalidate(&tag(1), &cause()).await.expect("recorded");
    one.invalidate(&tag(2), &cause()).await.expect("recorded");
    other.invalidate(&tag(3), &cause()).await.expect("recorded");
    let mut told = Vec::new();
    while told.last().is_none_or(|tags: &Vec<String>| tags[0] != "orders:{3}") {
        told.push(next().await);
    }
    told.retain(|tags| tags[0] != "orders:{0}");
    assert_eq!(told, [["orders:{1}"], ["orders:{2}"], ["orders:{3}"]]);
}
