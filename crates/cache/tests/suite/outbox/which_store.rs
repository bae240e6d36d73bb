use super::*;

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

/// What was refused before is not taken at once, or two instances that cannot agree would take it from each other all the
/// time; but where nobody else is left, it is all there is.
#[tokio::test]
async fn a_store_that_is_all_there_is_counts_again_after_a_while() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (first, second) = (RedisServer::start(), RedisServer::start());
    let left_behind = instance(&first, &rows).await;
    read(&left_behind, &source).await;
    let other = instance(&second, &rows).await;
    write(&other, &rows, &source, 1).await;
    drop(other);
    let began = std::time::Instant::now();
    until(&left_behind, &source, Outcome::Bypass).await;
    until(&left_behind, &source, Outcome::Hit).await;
    assert!(began.elapsed() >= Duration::from_secs(9), "after {:?}", began.elapsed());
    assert_eq!(read(&left_behind, &source).await.value, 1);
}

/// Whoever asks goes away while its look makes the store the one that counts.
#[tokio::test]
async fn a_claim_that_is_given_up_in_the_middle_is_made_by_the_next_look() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = over_redis(&server, &Clock::default()).await;
    *rows.slow_writes.lock().expect("nobody panics here") = Duration::from_secs(600);
    let watching = tokio::time::timeout(Duration::from_millis(300), cache.watch(rows.clone())).await;
    assert!(watching.is_err(), "it waits for the database");
    *rows.slow_writes.lock().expect("nobody panics here") = Duration::ZERO;
    let began = std::time::Instant::now();
    until(&cache, &source, Outcome::Hit).await;
    assert!(began.elapsed() < Duration::from_secs(9), "it was left alone as if it had been refused");
}

/// Its epochs are its own: what is stored under its first is not what is stored under a database's first.
#[tokio::test]
async fn what_was_stored_without_a_database_is_served_to_nobody_who_has_one() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let alone = over_redis(&server, &Clock::default()).await;
    read(&alone, &source).await;
    assert_eq!(read(&alone, &source).await.outcome, Outcome::Hit);
    source.set(1);
    let served = read(&instance(&server, &rows).await, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Miss));
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
