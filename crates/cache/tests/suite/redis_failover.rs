use std::time::Instant;

use super::*;
use crate::redis_server::{RedisCluster, RedisSentinel};

/// Generous: electing a master takes a second or two, and the machine may be busy.
const FAILOVER: Duration = Duration::from_secs(30);

/// Reads and writes through two instances until there were `enough` hits: every read answers, and none is older than
/// the last acknowledged write.
async fn work_until_hits(instances: &[Cache; 2], source: &Source, written: &mut u64, enough: u64) {
    let (began, mut hits, mut round) = (Instant::now(), 0, 0);
    while hits < enough {
        assert!(began.elapsed() < FAILOVER, "the cache does not come back: {hits} hits in {round} rounds");
        round += 1;
        if round % 10 == 0 {
            *written += 1;
            source.set(*written);
            instances[0].invalidate(&[vendor_tag("42")], &cause()).await.expect("recorded");
            // Until the outbox tells the others, an invalidation that is not delivered holds for its own process only.
            while instances[0].condition().pending > 0 && began.elapsed() < FAILOVER {
                assert_eq!(read(&instances[0], source).await.value, *written);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        for cache in instances {
            let served = read(cache, source).await;
            assert_eq!(served.value, *written, "{:?} in round {round}", served.outcome);
            hits += u64::from(served.outcome == Outcome::Hit);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Over servers that take over from one another: hits before, right answers all along, hits again after.
async fn survives(instances: [Cache; 2], fail_over: impl FnOnce()) {
    let (source, mut written) = (Source::default(), 0);
    work_until_hits(&instances, &source, &mut written, 50).await;
    fail_over();
    assert_eq!(
        read(&instances[0], &source).await.outcome,
        Outcome::Bypass,
        "the server is gone, or this test shows nothing"
    );
    work_until_hits(&instances, &source, &mut written, 50).await;
}

async fn pair(url: &str) -> [Cache; 2] {
    [
        Cache::redis(url, names()).await.expect("a Redis that is there"),
        Cache::redis(url, names()).await.expect("a Redis that is there"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_of_a_cluster_is_lost() {
    let mut cluster = RedisCluster::start().await;
    let instances = pair(&cluster.url()).await;
    // Whoever has the entry now, by asking the members.
    read(&instances[0], &Source::default()).await;
    let mut owner = None;
    for (place, member) in cluster.members.iter().enumerate() {
        let kept: Result<bool, _> =
            redis::cmd("EXISTS").arg(key().as_str()).query_async(&mut member.connection().await).await;
        if kept == Ok(true) {
            owner = Some(place);
        }
    }
    let owner = owner.expect("one of the masters has the entry");
    survives(instances, || cluster.members[owner].kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tags_in_other_slots_invalidate_too() {
    let cluster = RedisCluster::start().await;
    let ([one, other], source) = (pair(&cluster.url()).await, Source::default());
    read(&one, &source).await;
    assert_eq!(read(&other, &source).await.outcome, Outcome::Hit);
    for (value, tag) in [(1, Tag::new("analytics")), (2, vendor_tag("42"))] {
        source.set(value);
        one.invalidate(&[tag], &cause()).await.expect("recorded");
        assert_eq!(read(&other, &source).await.value, value);
    }
    let all: Vec<Tag> = (0..100).map(|vendor| vendor_tag(&vendor.to_string())).collect();
    source.set(3);
    one.invalidate(&all, &cause()).await.expect("recorded");
    assert_eq!((one.condition().pending, read(&other, &source).await.value), (0, 3));
    assert_eq!(one.usage().await.entries, 1);
}

/// Whoever hears of it and asks again finds no old generation on a shard that was slower: each master in turn is held
/// up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_when_every_shard_has_taken_the_invalidation() {
    let cluster = RedisCluster::start().await;
    let [one, other] = pair(&cluster.url()).await;
    let mut masters = Vec::new();
    for member in &cluster.members {
        let mut connection = member.connection().await;
        let role: Vec<redis::Value> = redis::cmd("ROLE").query_async(&mut connection).await.expect("an answer");
        if role.first() == Some(&redis::Value::BulkString(b"master".to_vec())) {
            masters.push(connection);
        }
    }
    assert_eq!(masters.len(), 3);
    let mut heard = other.subscribe();
    // Whether the other listens by now is not known: said until heard.
    while tokio::time::timeout(Duration::from_millis(100), heard.recv()).await.is_err() {
        one.invalidate(&[Tag::new("analytics")], &cause()).await.expect("recorded");
    }
    for round in 0..12 {
        let tags: Vec<Tag> = (0..24).map(|tag| vendor_tag(&format!("{round}-{tag}"))).collect();
        let slow = &mut masters[round % 3];
        let () = redis::cmd("CLIENT").arg("PAUSE").arg(300).arg("WRITE").query_async(slow).await.expect("paused");
        let (invalidating, tags_told) = (one.clone(), tags.clone());
        let told = tokio::spawn(async move { invalidating.invalidate(&tags_told, &cause()).await });
        loop {
            match tokio::time::timeout(FAILOVER, heard.recv()).await.expect("it is heard").expect("a message") {
                event if event.concerns(&tags[0]) => break,
                _ => {}
            }
        }
        let mut taken = 0;
        for master in &mut masters {
            for tag in &tags {
                // Masters answer for their own keys alone.
                let question = redis::cmd("GET").arg(format!("tag:{}", tag.name())).to_owned();
                let kept: Result<Option<String>, _> = question.query_async(master).await;
                taken += usize::from(matches!(kept, Ok(Some(_))));
            }
        }
        assert_eq!(taken, tags.len(), "in round {round}");
        told.await.expect("no panic").expect("recorded");
    }
}

#[tokio::test]
async fn a_member_of_a_cluster_is_not_taken_for_a_server_alone() {
    let member = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let error = Cache::redis(&member.url(), names()).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("redis+cluster://"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_replaces_the_master() {
    let mut servers = RedisSentinel::start().await;
    let instances = pair(&servers.url()).await;
    survives(instances, || servers.master.kill()).await;
    let role: Vec<redis::Value> =
        redis::cmd("ROLE").query_async(&mut servers.replica.connection().await).await.expect("an answer");
    assert_eq!(
        role.first(),
        Some(&redis::Value::BulkString(b"master".to_vec())),
        "the cache works on what was the replica"
    );
}

/// However short it was a replica for, and whether or not anybody wrote to it meanwhile: whoever asks what it is hears
/// that it is another one, over the connection that was there before.
#[tokio::test]
async fn a_server_says_of_every_time_that_it_was_demoted_that_it_is_another_one() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url(), names()).await.expect("a Redis that is there");
    let mut redis = server.connection().await;
    let mut before = store.server().await.expect("what it is");
    for _ in 0..3 {
        assert_eq!(store.server().await.expect("what it is"), before, "nothing has happened");
        let () = redis::cmd("REPLICAOF").arg("127.0.0.1").arg(1).query_async(&mut redis).await.expect("an answer");
        let () = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut redis).await.expect("an answer");
        let first = store.server().await;
        assert!(first.is_err(), "{first:?} of the connection from before");
        let began = Instant::now();
        let after = loop {
            if let Ok(server) = store.server().await {
                break server;
            }
            assert!(began.elapsed() < FAILOVER, "it never says what it is again");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_ne!(after, before);
        before = after;
    }
}
