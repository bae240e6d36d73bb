//! Instances that were given different secrets.

use std::time::{Duration, Instant};

use crate::harness::{Client, Program, RedisServer, SECRET, TestDatabase};

const OTHER: &str = "another secret, which is long enough too";

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_with_another_secret_says_so_and_so_does_its_readiness() {
    let (database, redis) = (TestDatabase::sqlite(), RedisServer::start());
    let vars = [("DATABASE_URL", database.url()), ("REDIS_URL", &redis.url())];
    let with = |secret: &'static str| Program::serve_with(&[vars.as_slice(), &[("SESSION_SECRET", secret)]].concat());
    let (one, same) = (with(SECRET), with(SECRET));
    for program in [&one, &same] {
        assert!(!program.log().contains("SESSION_SECRET"), "{}", program.log());
        assert_eq!(Client::new(program.address).get_json("/readyz").await.get("secretsDiffer"), None);
    }
    let other = with(OTHER);
    let log = other.log();
    let said: Vec<&str> =
        log.lines().filter(|line| line.contains("another instance has another SESSION_SECRET")).collect();
    assert_eq!(said.len(), 1, "{log}");
    assert!(said[0].contains("ours=") && said[0].contains("theirs="), "{said:?}");
    let ready = Client::new(other.address).get_json("/readyz").await;
    assert_eq!((&ready["ready"], &ready["secretsDiffer"]), (&true.into(), &true.into()), "{ready}");
    // The others hear of it too, at the latest when they say theirs again.
    one.until_log_has("another instance has another SESSION_SECRET").await;
    for text in [log, one.log()] {
        assert!(!text.contains(OTHER) && !text.contains(SECRET), "{text}");
    }
    // Another installation in the same Redis has a secret of its own, and that is as it should be.
    let elsewhere = TestDatabase::sqlite();
    let vars = [("DATABASE_URL", elsewhere.url()), ("REDIS_URL", &redis.url()), ("SESSION_SECRET", OTHER)];
    assert!(!Program::serve_with(&vars).log().contains("another instance"));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_secrets_are_changed_nobody_warns() {
    let (database, redis) = (TestDatabase::sqlite(), RedisServer::start());
    let vars = [("DATABASE_URL", database.url()), ("REDIS_URL", &redis.url()), ("RUST_LOG", "vendorscope=debug")];
    let with = |more: &[(&str, &str)]| Program::serve_with(&[vars.as_slice(), more].concat());
    let old = with(&[("SESSION_SECRET", SECRET)]);
    let new = with(&[("SESSION_SECRET", OTHER), ("SESSION_SECRET_PREVIOUS", SECRET)]);
    // Each says what it has again, and hears of the other by that.
    for program in [&old, &new] {
        let times = || program.log().matches("secrets were compared").count();
        let (before, begun) = (times(), Instant::now());
        while times() == before {
            assert!(begun.elapsed() < Duration::from_secs(120), "never again: {}", program.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    for program in [&old, &new] {
        assert!(!program.log().contains("another instance has another SESSION_SECRET"), "{}", program.log());
        assert_eq!(Client::new(program.address).get_json("/readyz").await.get("secretsDiffer"), None);
    }
}
