use std::sync::Mutex;

use async_trait::async_trait;
use vendorscope_cache::Invalidation;

use super::*;

/// Rows in memory, and whether anybody answers for them.
#[derive(Default)]
struct Rows {
    rows: Mutex<Vec<Owed>>,
    silent: std::sync::atomic::AtomicBool,
}

impl Rows {
    fn add(&self, id: i64, tags: &[Tag]) {
        let invalidation = Invalidation::new(tags, &cause(), jiff::Timestamp::now());
        self.rows.lock().expect("nobody panics here").push(Owed { id, invalidation });
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
    async fn owed(&self, limit: usize) -> Result<Vec<Owed>, String> {
        if self.silent.load(Ordering::SeqCst) {
            return Err("the database is away".to_owned());
        }
        Ok(self.rows.lock().expect("nobody panics here").iter().take(limit).cloned().collect())
    }

    async fn settle(&self, ids: &[i64]) -> Result<(), String> {
        self.rows.lock().expect("nobody panics here").retain(|row| !ids.contains(&row.id));
        Ok(())
    }
}

/// Time passes at once here, and only what the cache waits for makes it pass.
async fn watching(rows: &Arc<Rows>) -> (Cache, RedisServer) {
    let server = RedisServer::start();
    let cache = over_redis(&server, &Clock::default()).await;
    cache.watch(rows.clone()).await;
    (cache, server)
}

/// Returns once reading comes to this.
async fn until(cache: &Cache, source: &Source, outcome: Outcome) {
    let began = std::time::Instant::now();
    while read(cache, source).await.outcome != outcome {
        assert!(began.elapsed() < Duration::from_secs(30), "never {outcome:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_a_dead_writer_owes_is_delivered_before_it_is_read() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (cache, _server) = watching(&rows).await;
    read(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    source.set(1);
    rows.add(1, &[vendor_tag("42")]);
    until(&cache, &source, Outcome::Miss).await;
    assert_eq!((read(&cache, &source).await.value, read(&cache, &source).await.outcome), (1, Outcome::Hit));
    while rows.len() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_instance_that_starts_delivers_what_is_owed_before_it_answers() {
    let (rows, source, server) = (Arc::new(Rows::default()), Source::default(), RedisServer::start());
    read(&over_redis(&server, &Clock::default()).await, &source).await;
    source.set(1);
    rows.add(1, &[Tag::new("analytics")]);
    let late = over_redis(&server, &Clock::default()).await;
    late.watch(rows.clone()).await;
    let served = read(&late, &source).await;
    assert_eq!((served.value, served.outcome), (1, Outcome::Miss));
}

#[tokio::test]
async fn while_the_outbox_is_away_the_source_is_asked_and_the_cache_stands_in_where_that_fails_too() {
    let (rows, source) = (Arc::new(Rows::default()), Source::default());
    let (cache, _server) = watching(&rows).await;
    source.set(7);
    read(&cache, &source).await;
    rows.be_silent(true);
    until(&cache, &source, Outcome::Bypass).await;
    let stale = read_from_broken_source(&cache).await.expect("what is there, uninvalidated");
    assert_eq!((stale.value, stale.outcome), (7, Outcome::Stale));
    cache.invalidate(&tags(), &cause()).await;
    assert!(read_from_broken_source(&cache).await.is_err(), "what was invalidated never stands in");
    rows.be_silent(false);
    until(&cache, &source, Outcome::Hit).await;
}
