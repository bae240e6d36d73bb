//! What the cache promises, over each of its stores.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;
use vendorscope_cache::{
    Cache, Cause, Clock, Event, Key, Loaded, Look, Namespace, Origin, Outbox, Outcome, PendingInvalidation, Served,
    Settings, Span, StoreClaim, Tag,
    inspect::Standing,
    stats::Counter,
    store::{Store, memory::MemoryStore, redis::RedisStore},
    times::Timing,
};

use crate::redis_server::RedisServer;

/// A TCP proxy that can be told to misbehave.
#[allow(dead_code)]
mod proxy;
/// Redis on a free port.
#[allow(dead_code)]
mod redis_server;

/// Random histories: no read is older than the last acknowledged write.
mod histories;
/// What an instance does while it cannot know what others have changed.
mod outbox;
/// Clusters and sentinels: servers that take over from one another.
mod redis_failover;
/// What Redis does and memory cannot: be away, be slow, forget, hold garbage.
mod redis_faults;
/// Many callers, one load.
mod stampede;

const TTL: Duration = Duration::from_secs(60);

/// A store, two caches over it as two instances would have them, and a clock that both go by.
struct Bench {
    one: Cache,
    other: Cache,
    clock: Clock,
    _server: Option<RedisServer>,
}

impl Bench {
    fn memory() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let clock = Clock::manual();
        Self {
            one: Cache::over(store.clone(), clock.clone()),
            other: Cache::over(store, clock.clone()),
            clock,
            _server: None,
        }
    }

    async fn redis() -> Self {
        let server = RedisServer::start();
        let clock = Clock::manual();
        let one = over_redis(&server, &clock).await;
        let other = over_redis(&server, &clock).await;
        Self { one, other, clock, _server: Some(server) }
    }
}

async fn over_redis(server: &RedisServer, clock: &Clock) -> Cache {
    over_redis_with(server, clock, Settings::default()).await
}

async fn over_redis_with(server: &RedisServer, clock: &Clock, settings: Settings) -> Cache {
    let store = RedisStore::connect(&server.url(), names()).await.expect("a Redis that is there");
    Cache::with(Arc::new(store), clock.clone(), settings)
}

/// The same test over each store.
macro_rules! over_each_store {
    ($($(#[$doc:meta])* async fn $name:ident($bench:ident: Bench) $body:block)*) => {
        $(mod $name {
            use super::*;

            $(#[$doc])*
            async fn case($bench: Bench) $body

            #[tokio::test]
            async fn memory() {
                case(Bench::memory()).await;
            }

            #[tokio::test]
            async fn redis() {
                case(Bench::redis().await).await;
            }
        })*
    };
}

/// A source of truth: one number, and how often it was read.
#[derive(Clone, Default)]
struct Source(Arc<(AtomicU64, AtomicU64)>);

impl Source {
    fn set(&self, value: u64) {
        self.0.0.store(value, Ordering::SeqCst);
    }

    fn loads(&self) -> u64 {
        self.0.1.load(Ordering::SeqCst)
    }

    fn value(&self) -> u64 {
        self.0.0.load(Ordering::SeqCst)
    }

    fn load(&self) -> Loaded {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        Loaded::new(self.value().to_string(), TTL)
    }
}

/// As an application would name its entries, and tags.
fn names() -> Namespace {
    Namespace::new(["analytics"])
}

fn snapshot_key(vendor: &str, detail: &str) -> Key {
    Key::new(format!("analytics:{{{vendor}}}:snapshot:{detail}")).owned_by(vendor)
}

fn vendor_tag(vendor: &str) -> Tag {
    Tag::new(format!("vendor:{{{vendor}}}"))
}

fn key() -> Key {
    snapshot_key("42", "2026-11-01:2026-11-23:none:day")
}

fn tags() -> [Tag; 2] {
    [vendor_tag("42"), Tag::new("analytics")]
}

fn cause() -> Cause {
    Cause { who: "test".to_owned(), why: "product updated" }
}

async fn read(cache: &Cache, source: &Source) -> Served<u64> {
    let source = source.clone();
    let served = cache.get_or_load(&key(), &tags(), move || async move { Ok::<_, String>(source.load()) }).await;
    number(served.expect("the source does not fail"))
}

async fn read_from_broken_source(cache: &Cache) -> Result<Served<u64>, String> {
    cache.get_or_load(&key(), &tags(), || async { Err("the database is down".to_owned()) }).await.map(number)
}

fn number(served: Served<bytes::Bytes>) -> Served<u64> {
    served
        .map(|bytes| std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok()).expect("what the source gave"))
}

over_each_store! {
    async fn a_second_read_is_a_hit_on_every_instance(bench: Bench) {
        let source = Source::default();
        source.set(7);
        let first = read(&bench.one, &source).await;
        assert_eq!((first.value, first.outcome, first.age), (7, Outcome::Miss, Duration::ZERO));
        bench.clock.advance(Duration::from_secs(3));
        let second = read(&bench.other, &source).await;
        assert_eq!((second.value, second.outcome, second.age), (7, Outcome::Hit, Duration::from_secs(3)));
        assert_eq!(source.loads(), 1);
    }

    async fn no_instance_serves_what_was_invalidated(bench: Bench) {
        let source = Source::default();
        for (round, tag) in tags().into_iter().enumerate() {
            read(&bench.one, &source).await;
            source.set(round as u64 + 100);
            bench.one.invalidate(&[tag], &cause()).await.expect("recorded");
            let after = read(&bench.other, &source).await;
            assert_eq!((after.value, after.outcome), (round as u64 + 100, Outcome::Miss));
        }
    }

    async fn tags_of_others_change_nothing(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.one.invalidate(&[vendor_tag("43"), Tag::new("products:{42}"), Tag::new("orders:{42}")],
            &cause()).await.expect("recorded");
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
    }

    /// The mistake that everybody's cache makes somewhere.
    async fn a_load_that_began_before_a_write_is_not_served_after_it(bench: Bench) {
        let (source, (began, has_begun), (go_on, may_go_on)) = (Source::default(), oneshot::channel(),
            oneshot::channel::<()>());
        let (cache, slow) = (bench.one.clone(), source.clone());
        let loading = tokio::spawn(async move {
            cache
                .get_or_load(&key(), &tags(), move || async move {
                    let loaded = slow.load();
                    began.send(()).expect("the test waits");
                    may_go_on.await.expect("the test lets it go on");
                    Ok::<_, String>(loaded)
                })
                .await
        });
        has_begun.await.expect("the loader began");
        source.set(1);
        bench.other.invalidate(&tags(), &cause()).await.expect("recorded");
        go_on.send(()).expect("the loader waits");
        assert_eq!(loading.await.expect("no panic").map(number).map(|served| served.value), Ok(0), "it was asked \
            before the write");
        for cache in [&bench.one, &bench.other] {
            assert_eq!(read(cache, &source).await.value, 1);
        }
    }

    async fn entries_expire_within_ten_percent_of_their_lifetime(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.clock.advance(TTL.mul_f64(0.89));
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
        bench.clock.advance(TTL.mul_f64(0.22));
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Miss);
        assert_eq!(source.loads(), 2);
    }

    async fn what_reloads_find_unchanged_lives_longer_and_what_changed_does_not(bench: Bench) {
        let source = Source::default();
        let read = async |elapsed: Duration| {
            bench.clock.advance(elapsed);
            let again = source.clone();
            let load = move || async move {
                let loaded = again.load();
                Ok::<_, String>(loaded.adaptive(&again.value(), TTL * 20))
            };
            bench.one.get_or_load(&key(), &tags(), load).await.map(|served| served.outcome)
        };
        assert_eq!(read(Duration::ZERO).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "at first it lives as long as its loader says");
        // Eight times as long, up to 10 % less or more twice over: from 6.4 to 9.7.
        assert_eq!(read(TTL.mul_f64(5.0)).await, Ok(Outcome::Hit));
        assert_eq!(read(TTL.mul_f64(5.0)).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(14.0)).await, Ok(Outcome::Hit));
        assert_eq!(read(TTL.mul_f64(9.0)).await, Ok(Outcome::Miss), "and at most as long as is allowed");
        source.set(1);
        assert_eq!(read(TTL.mul_f64(23.0)).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "what has changed begins anew");
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        assert_eq!(read(Duration::ZERO).await, Ok(Outcome::Miss));
        assert_eq!(read(TTL.mul_f64(1.2)).await, Ok(Outcome::Miss), "what was invalidated too");
    }

    /// A day that is over: what was said of it is another day's.
    async fn nothing_outlives_the_moment_that_its_loader_names(bench: Bench) {
        let (source, key) = (Source::default(), key());
        let read = async |is_adaptive: bool, ends_in: Duration| {
            let again = source.clone();
            let load = move || async move {
                let loaded = again.load().ending_in(ends_in);
                Ok::<_, String>(if is_adaptive { loaded.adaptive(&again.value(), TTL * 20) } else { loaded })
            };
            bench.one.get_or_load(&key, &tags(), load).await.map(|served| served.outcome)
        };
        for is_adaptive in [false, true] {
            for ends_in in [TTL / 60, TTL / 2, TTL.mul_f64(0.85)] {
                bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
                assert_eq!(read(is_adaptive, ends_in).await, Ok(Outcome::Miss));
                bench.clock.advance(ends_in / 2);
                assert_eq!(read(is_adaptive, TTL * 9).await, Ok(Outcome::Hit), "{ends_in:?}");
                bench.clock.advance(ends_in / 2);
                assert_eq!(read(is_adaptive, TTL * 9).await, Ok(Outcome::Miss), "{ends_in:?}");
            }
        }
    }

    async fn what_is_not_to_be_kept_is_loaded_each_time_and_what_does_not_stand_in_is_kept(bench: Bench) {
        let source = Source::default();
        let passing = || async { Ok::<_, String>(Loaded::passing("7")) };
        for _ in 0..2 {
            let served = bench.one.get_or_load(&key(), &tags(), passing).await.map(number).expect("a value");
            assert_eq!((served.value, served.outcome), (7, Outcome::Miss));
        }
        assert_eq!(bench.one.usage().await.entries, 0);
        let again = source.clone();
        let brief = move || async move { Ok::<_, String>(again.load().not_standing_in()) };
        assert!(bench.one.get_or_load(&key(), &tags(), brief).await.is_ok());
        assert_eq!(read(&bench.other, &source).await.outcome, Outcome::Hit);
    }

    async fn an_expired_value_stands_in_while_the_source_fails(bench: Bench) {
        let source = Source::default();
        source.set(5);
        read(&bench.one, &source).await;
        bench.clock.advance(TTL * 2);
        let stale = read_from_broken_source(&bench.one).await.expect("the value of before");
        assert_eq!((stale.value, stale.outcome, stale.age), (5, Outcome::Stale, TTL * 2));
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        let failed = read_from_broken_source(&bench.one).await.map(|served| served.value);
        assert_eq!(failed, Err("the database is down".to_owned()), "an invalidated one does not");
    }

    async fn a_failed_load_is_not_kept(bench: Bench) {
        let source = Source::default();
        assert!(read_from_broken_source(&bench.one).await.is_err());
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Miss);
        assert_eq!(read(&bench.one, &source).await.outcome, Outcome::Hit);
    }

    async fn the_same_key_with_other_tags_is_another_entry(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        let (again, other_tags) = (source.clone(), [vendor_tag("42")]);
        let served = bench.one.get_or_load(&key(), &other_tags,
            move || async move { Ok::<_, String>(again.load()) }).await;
        assert_eq!(served.map(|served| served.outcome), Ok(Outcome::Miss));
    }

    async fn the_order_and_number_of_tags_does_not_matter(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        let (again, [vendor, analytics]) = (source.clone(), tags());
        let shuffled = [analytics.clone(), vendor, analytics];
        let served = bench.one.get_or_load(&key(), &shuffled,
            move || async move { Ok::<_, String>(again.load()) }).await;
        assert_eq!(served.map(|served| served.outcome), Ok(Outcome::Hit));
    }

    async fn a_caller_that_goes_away_does_not_stop_the_load(bench: Bench) {
        let (source, (began, has_begun), (go_on, may_go_on)) = (Source::default(), oneshot::channel(),
            oneshot::channel::<()>());
        let (cache, slow) = (bench.one.clone(), source.clone());
        let caller = tokio::spawn(async move {
            cache
                .get_or_load(&key(), &tags(), move || async move {
                    began.send(()).expect("the test waits");
                    may_go_on.await.expect("the test lets it go on");
                    Ok::<_, String>(slow.load())
                })
                .await
        });
        has_begun.await.expect("the loader began");
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));
        go_on.send(()).expect("the loader goes on waiting although its caller went away");
        while read(&bench.one, &source).await.outcome != Outcome::Hit {
            tokio::task::yield_now().await;
        }
        assert!(source.loads() >= 1);
    }

    async fn a_panic_of_the_loader_is_its_callers_alone(bench: Bench) {
        let cache = bench.one.clone();
        let broken = || async { if true { panic!("a broken loader") } else { Err("never".to_owned()) } };
        let panicking = tokio::spawn(async move { cache.get_or_load(&key(), &tags(), broken).await });
        assert!(panicking.await.is_err_and(|error| error.is_panic()));
        assert_eq!(read(&bench.one, &Source::default()).await.outcome, Outcome::Miss);
    }

    async fn statistics_are_the_same_on_every_instance(bench: Bench) {
        let source = Source::default();
        assert_eq!(bench.one.counts().await.hit_rate_percent(), None);
        read(&bench.one, &source).await;
        for cache in [&bench.one, &bench.one, &bench.other] {
            read(cache, &source).await;
        }
        // Each hands over what it counted when it is asked.
        let counts = (bench.one.counts().await, bench.other.counts().await, bench.one.counts().await);
        assert_eq!(counts.1, counts.2);
        let counts = counts.1;
        assert_eq!((counts.get(Counter::Hits), counts.misses(), counts.get(Counter::Loads)), (3, 1, 1));
        assert_eq!(counts.hit_rate_percent(), Some(75.0));
        for timing in Timing::ALL {
            let [half, most] = [0.5, 0.99].map(|share| counts.times(timing).percentile(share).expect("one at least"));
            assert!(Duration::ZERO < half && half <= most, "{half:?} {most:?}");
        }
        let usage = bench.other.usage().await;
        assert!(usage.entries == 1 && usage.memory_bytes > 0, "{usage:?}");
    }

    async fn misses_say_why_and_by_which_tag(bench: Bench) {
        let source = Source::default();
        read(&bench.one, &source).await;
        bench.one.invalidate(&tags()[..1], &cause()).await.expect("recorded");
        read(&bench.other, &source).await;
        // Both tags: each is counted, the miss once.
        bench.other.invalidate(&tags(), &cause()).await.expect("recorded");
        read(&bench.one, &source).await;
        bench.clock.advance(Duration::from_secs(3600));
        read(&bench.one, &source).await;
        bench.other.counts().await;
        let counts = bench.one.counts().await;
        let by_reason = [Counter::MissesAbsent, Counter::MissesExpired, Counter::MissesInvalidated,
            Counter::MissesCorrupt];
        assert_eq!(by_reason.map(|reason| counts.get(reason)), [1, 1, 2, 0]);
        assert_eq!((counts.misses_by_family("vendor"), counts.misses_by_family("analytics")), (2, 1));
        assert_eq!((counts.misses(), counts.get(Counter::InvalidatedTags)), (4, 3));
    }

    /// Another release writes the same type differently: what it stored is loaded again, on the number alone, and
    /// replaced.
    async fn what_another_release_stored_is_loaded_again(bench: Bench) {
        let source = Source::default();
        source.set(1);
        let read = async |cache: &Cache, schema| {
            let again = source.clone();
            let key = key().with_schema(schema);
            cache.get_or_load(&key, &tags(),
                move || async move { Ok::<_, String>(again.load()) }).await.map(number).map(|served| served.outcome)
        };
        assert_eq!(read(&bench.one, 1).await, Ok(Outcome::Miss));
        assert_eq!(read(&bench.other, 2).await, Ok(Outcome::Miss));
        assert_eq!(read(&bench.other, 2).await, Ok(Outcome::Hit));
        assert_eq!(bench.other.counts().await.get(Counter::MissesUndecodable), 1);
    }

    /// And where the number was forgotten, decoding says so.
    async fn what_cannot_be_decoded_is_loaded_again(bench: Bench) {
        let load = |text: &'static str| move || async move { Ok::<_, String>(Loaded::new(text, TTL)) };
        let decode = |bytes: &bytes::Bytes| {
            let text = std::str::from_utf8(bytes).ok();
            text.and_then(|text| text.parse::<u64>().ok()).ok_or("no number".to_owned())
        };
        let stored = bench.one.get_or_load(&key(), &tags(), load("seven")).await;
        assert_eq!(stored.map(|served| served.outcome), Ok(Outcome::Miss));
        let mut outcomes = Vec::new();
        for cache in [&bench.other, &bench.other, &bench.one, &bench.one] {
            let served = cache.get_or_load_decoded(&key(), &tags(), load("7"), decode).await.expect("a number");
            assert_eq!(served.value, 7);
            outcomes.push(served.outcome);
        }
        assert_eq!([outcomes[0], outcomes[1], outcomes[3]], [Outcome::Miss, Outcome::Hit, Outcome::Hit]);
        bench.other.counts().await;
        assert_eq!(bench.one.counts().await.get(Counter::Loads), 2, "once what cannot be decoded, once what can");
        let failed = bench.one.get_or_load_decoded(&snapshot_key("42", "other"), &tags(), load("eight"), decode).await;
        assert_eq!(failed.map(|served| served.value), Err("no number".to_owned()), "what was loaded just now is the \
            loader's fault");
    }

    /// Without its payload, and counted as no lookup.
    async fn an_entry_that_is_looked_at_says_why_it_is_served_or_not(bench: Bench) {
        let source = Source::default();
        let standing = async || bench.one.inspect(&key()).await.standing;
        assert_eq!(standing().await, Standing::Absent);
        read(&bench.one, &source).await;
        let found = bench.one.inspect(&key()).await;
        let entry = found.entry.expect("an entry");
        assert_eq!((found.standing, found.is_near, entry.tags.len()), (Standing::Served, true, 2));
        assert!(entry.tags.iter().all(|tag| tag.is_current()) && entry.stored_bytes > entry.payload_bytes);
        bench.other.invalidate(&tags()[..1], &cause()).await.expect("recorded");
        assert_eq!(standing().await, Standing::Invalidated(vec![tags()[0].clone()]));
        read(&bench.one, &source).await;
        bench.clock.advance(TTL * 2);
        assert_eq!(standing().await, Standing::Expired);
        let counts = bench.one.counts().await;
        assert_eq!((counts.get(Counter::Hits), counts.misses()), (0, 2), "looks are no lookups");
        let noted = bench.other.take_invalidations();
        assert_eq!((noted.len(), noted[0].times, noted[0].tags.len()), (1, 1, 1), "{noted:?}");
    }

    async fn counts_are_kept_by_minute_and_hour(bench: Bench) {
        let (source, minute) = (Source::default(), Duration::from_secs(60));
        read(&bench.one, &source).await;
        read(&bench.other, &source).await;
        for cache in [&bench.one, &bench.other] {
            cache.counts().await;
        }
        bench.clock.advance(minute * 2);
        bench.one.invalidate(&tags(), &cause()).await.expect("recorded");
        read(&bench.one, &source).await;
        let counted = async |span, spans| {
            let history = bench.one.history(span, spans).await.expect("an answer");
            history.iter().map(|counts| (counts.get(Counter::Hits), counts.misses())).collect::<Vec<_>>()
        };
        assert_eq!(counted(Span::Minute, 4).await, [(0, 0), (1, 1), (0, 0), (0, 1)]);
        assert_eq!(counted(Span::Hour, 2).await, [(0, 0), (1, 2)]);
        let course = bench.one.course(Span::Minute, 4).await;
        assert_eq!(course.spans.iter().map(|counts| counts.misses()).collect::<Vec<_>>(), [0, 1, 0, 1]);
        assert!(course.is_whole);
        bench.one.reset_counts().await.expect("an answer");
        assert_eq!(bench.one.course(Span::Minute, 4).await.spans.len(), 4);
        assert_eq!(bench.one.counts().await.misses(), 0);
        read(&bench.one, &source).await;
        assert_eq!(bench.one.counts().await.get(Counter::Hits), 1);
    }

    async fn subscribers_hear_of_invalidations(bench: Bench) {
        let mut heard = bench.one.subscribe();
        bench.one.invalidate(&[vendor_tag("42")], &cause()).await.expect("recorded");
        let event = heard.recv().await.expect("a message");
        assert!(event.concerns(&vendor_tag("42")) && !event.concerns(&vendor_tag("4")));
        let Event::Invalidated(message) = event else { panic!("{event:?}") };
        assert_eq!((message.who.as_str(), message.why.as_str()), ("test", "product updated"));
    }
}
