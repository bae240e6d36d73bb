use super::*;

/// What docs/redis.md says a user needs at least, for the cache.
const LEAST_RIGHTS: &str = "resetchannels ~analytics:* ~tag:* ~lease:* ~cache:stats* &cache:invalidations* -@all \
    +ping +info +hello +auth \
     +client|setname +select +get +mget +set +del +pexpire +eval +publish +subscribe +unsubscribe +hincrby +hgetall \
     +scan +dbsize";

async fn with_rights(server: &RedisServer, rights: &str) -> String {
    let mut command = redis::cmd("ACL");
    command
        .arg("SETUSER")
        .arg("app")
        .arg("reset")
        .arg("on")
        .arg(">pw")
        .arg(rights.split_whitespace().collect::<Vec<_>>());
    let () = command.query_async(&mut server.connection().await).await.expect("a user");
    server.url().replace("redis://", "redis://app:pw@")
}

#[tokio::test]
async fn the_least_rights_are_enough_and_one_less_is_named_from_the_start() {
    let (server, source) = (RedisServer::start(), Source::default());
    let cache = Cache::redis(&with_rights(&server, LEAST_RIGHTS).await, names()).await.expect("it may connect");
    read(&cache, &source).await;
    assert_eq!(read(&cache, &source).await.outcome, Outcome::Hit);
    source.set(1);
    cache.invalidate(&tags(), &cause()).await.expect("recorded");
    assert_eq!((read(&cache, &source).await.value, cache.counts().await.get(Counter::Hits)), (1, 1));
    assert_eq!((cache.usage().await.entries, cache.refusal()), (1, None));
    for missing in ["~tag:*", "+set", "+eval", "+publish", "+scan"] {
        let rights: String =
            LEAST_RIGHTS.split_whitespace().filter(|right| *right != missing).collect::<Vec<_>>().join(" ");
        let cache = Cache::redis(&with_rights(&server, &rights).await, names()).await.expect("it may connect");
        assert!(cache.refusal().is_some_and(|refused| refused.contains("NOPERM")), "{missing}");
        assert_eq!(read(&cache, &source).await.value, 1, "{missing}");
    }
    // Without INFO it is told apart by what it keeps, if it is allowed to keep it.
    let silent = LEAST_RIGHTS.replace("+info ", "");
    let refused =
        Cache::redis(&with_rights(&server, &silent).await, names()).await.err().map(|error| error.to_string());
    assert!(refused.is_some_and(|refused| refused.contains("server:identity:{0}") && refused.contains("'info'")));
    let cache = Cache::redis(&with_rights(&server, &format!("~server:identity:* {silent}")).await, names())
        .await
        .expect("it may connect");
    read(&cache, &source).await;
    assert_eq!((read(&cache, &source).await.outcome, cache.usage().await.entries), (Outcome::Hit, 1));
    assert_eq!(cache.refusal(), None);
    // Taken away while it runs.
    let cache = Cache::redis(&with_rights(&server, LEAST_RIGHTS).await, names()).await.expect("it may connect");
    read(&cache, &source).await;
    assert_eq!(cache.refusal(), None);
    with_rights(&server, &LEAST_RIGHTS.replace("+mget", "")).await;
    source.set(2);
    while cache.refusal().is_none() {
        assert!(read(&cache, &source).await.value <= 2);
    }
}
