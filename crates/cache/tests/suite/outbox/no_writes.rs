use super::*;

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// A database that answers looks and no statement that changes anything: whoever delivers gives that up, and keeps
/// nobody from another look meanwhile.
#[tokio::test]
async fn a_database_that_takes_no_writes_does_not_keep_others_from_the_cache() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    read_of(&cache, "7").await;
    *rows.slow_writes.lock().expect("nobody panics here") = NEVER;
    source.set(1);
    rows.add(&[vendor_tag("42")]);
    until(&cache, &source, Outcome::Bypass).await;
    // Longer than what was known when the first delivery began holds.
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_millis(1_500) {
        read_of(&cache, "7").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while read_of(&cache, "7").await != Outcome::Hit {
        assert!(began.elapsed() < Duration::from_secs(30), "what nothing is pending for is never served again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    *rows.slow_writes.lock().expect("nobody panics here") = Duration::ZERO;
    until(&cache, &source, Outcome::Hit).await;
    assert_eq!((read(&cache, &source).await.value, rows.len()), (1, 0));
}

/// The same of an instance whose store is to be made the one that counts.
#[tokio::test]
async fn an_instance_starts_though_its_store_cannot_be_claimed() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    *rows.slow_writes.lock().expect("nobody panics here") = NEVER;
    let started = tokio::time::timeout(Duration::from_secs(20), instance(&server, &rows)).await;
    let cache = started.expect("it does not wait for what is never answered");
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Bypass);
    *rows.slow_writes.lock().expect("nobody panics here") = Duration::ZERO;
    until(&cache, &source, Outcome::Hit).await;
}

/// An instance that nobody has asked for a while commits, and then the database freezes: what the store was told, it was
/// told before anything else was found out.
#[tokio::test]
async fn what_was_committed_before_the_database_froze_never_stands_in() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    let cache = instance(&server, &rows).await;
    read(&cache, &source).await;
    until(&cache, &source, Outcome::Hit).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    *rows.slow.lock().expect("nobody panics here") = NEVER;
    *rows.slow_writes.lock().expect("nobody panics here") = NEVER;
    write(&cache, &rows, &source, 1).await;
    let served = read_from_broken_source(&cache).await.map(|served| (served.value, served.outcome));
    assert!(served.is_err(), "{served:?}");
}
