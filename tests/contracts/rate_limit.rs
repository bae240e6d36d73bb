//! The script in Redis decides as the arithmetic in Rust does, and so do many callers together.

use std::num::NonZeroU32;

use futures::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use vendorscope::server::{
    config::Config,
    rate_limit::{Limiter, Purpose, gcra::Rate, redis::RedisLimits},
};

use crate::harness::{RedisCluster, RedisServer};

/// Microseconds in which a call or two goes by, so that histories have all there is: bursts, refusals, waiting, coming
/// back.
const INTERVALS: [u64; 4] = [150, 400, 2_000, 3_600_000_000];

#[tokio::test(flavor = "multi_thread")]
async fn the_script_and_the_arithmetic_agree_on_every_step_of_random_histories() {
    let redis = RedisServer::start();
    let limits = RedisLimits::connect(&redis.url()).await.expect("a connection");
    for seed in 0..60_u64 {
        let mut random = StdRng::seed_from_u64(seed);
        let rate =
            Rate { interval: INTERVALS[random.random_range(0..INTERVALS.len())], burst: random.random_range(1..8) };
        let key = format!("limit:test:{seed}");
        let mut due = None;
        let (mut admitted, mut refused) = (0, 0);
        for step in 0..60 {
            if random.random_ratio(1, 10) {
                limits.give_back(&key, rate).await.expect("an answer");
                due = due.map(|due| rate.give_back(due));
            }
            let many = random.random_range(1..4);
            let (decisions, now) = limits.admit(&key, rate, many).await.expect("an answer");
            assert_eq!(decisions.len() as u64, many);
            for decision in decisions {
                let (expected, next) = rate.admit(due, now);
                assert_eq!(decision, expected, "seed {seed}, step {step}: {rate:?} due {due:?} at {now}");
                due = next.or(due);
                if decision.admitted { admitted += 1 } else { refused += 1 }
            }
        }
        assert!(
            admitted >= rate.burst && (rate.interval < 1_000 || refused > 0),
            "seed {seed}: {admitted} and {refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_key_held_before_does_not_matter() {
    let redis = RedisServer::start();
    let limits = RedisLimits::connect(&redis.url()).await.expect("a connection");
    let rate = Rate { interval: 1_000_000, burst: 3 };
    let mut connection = redis.connection().await;
    // Nonsense, an instant long ago, and one far ahead, as a clock that was set back leaves it.
    for (held, remaining) in [("nonsense", Some(2)), ("17", Some(2)), ("9007199254740991", None)] {
        let () = redis::cmd("SET").arg("limit:test").arg(held).query_async(&mut connection).await.expect("written");
        let decision = limits.admit("limit:test", rate, 1).await.expect("an answer").0[0];
        assert_eq!(decision.admitted.then_some(decision.remaining), remaining, "{held}");
        assert!(decision.retry_after <= rate.interval, "{held}: {decision:?}");
    }
    // And what it holds now is gone when it says nothing any more.
    let () = redis::cmd("DEL").arg("limit:test").query_async(&mut connection).await.expect("deleted");
    limits.admit("limit:test", rate, 1).await.expect("an answer");
    let left: i64 = redis::cmd("PTTL").arg("limit:test").query_async(&mut connection).await.expect("an answer");
    assert!((1..=1_000).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_forgot_the_script_or_does_not_run_it_by_its_digest_decides_alike() {
    let redis = RedisServer::start();
    let mut connection = redis.connection().await;
    let user = "ACL SETUSER limits on >word -@all ~limit:* +@connection +eval +time +get +set +info";
    let mut command = redis::Cmd::new();
    user.split(' ').for_each(|word| {
        command.arg(word);
    });
    let () = command.query_async(&mut connection).await.expect("a user");
    let rate = Rate { interval: 3_600_000_000, burst: 4 };
    let limited = redis.url().replace("redis://", "redis://limits:word@");
    for (url, key) in [(redis.url(), "limit:forgetful"), (limited, "limit:strict")] {
        let limits = RedisLimits::connect(&url).await.expect("a connection");
        for remaining in (0..4).rev() {
            let decision = limits.admit(key, rate, 1).await.expect("an answer").0[0];
            assert_eq!((decision.admitted, decision.remaining), (true, remaining), "{key}");
            let () = redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut connection).await.expect("forgotten");
        }
        assert!(!limits.admit(key, rate, 1).await.expect("an answer").0[0].admitted, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_ask_at_once_over_however_many_connections_no_more_than_a_burst_is_let_in() {
    const BURST: u32 = 50;
    let redis = RedisServer::start();
    let mut config = Config::for_tests();
    config.limits.reads = vendorscope::server::config::Limit::new(BURST, std::time::Duration::from_secs(3600));
    // In this process, and in Redis from three connections.
    let memory = vec![Limiter::open(&config, "test").await.expect("memory")];
    config.sessions.redis_url = Some(redis.url().into());
    config.limits.instances = NonZeroU32::MIN;
    let mut shared = Vec::new();
    for _ in 0..3 {
        shared.push(Limiter::open(&config, "test").await.expect("a connection"));
    }
    for limiters in [memory, shared] {
        for round in 0..5 {
            let who = format!("round {round}");
            let asked = (0..400).map(|number| {
                limiters[number % limiters.len()].admit_many(Purpose::Reads, &who, 1 + number as u64 % 3)
            });
            let verdicts = join_all(asked).await;
            let admitted = verdicts.iter().flatten().filter(|verdict| verdict.decision.admitted).count();
            assert_eq!(admitted, BURST as usize, "{} limiters", limiters.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_kept_in_a_cluster_too() {
    let cluster = RedisCluster::start().await;
    let limits = RedisLimits::connect(&cluster.url()).await.expect("a connection");
    let rate = Rate { interval: 3_600_000_000, burst: 2 };
    for who in 0..10 {
        let key = format!("limit:test:{who}");
        let mut admitted = 0;
        for _ in 0..4 {
            admitted += u32::from(limits.admit(&key, rate, 1).await.expect("an answer").0[0].admitted);
        }
        assert_eq!(admitted, 2, "{key}");
    }
}
