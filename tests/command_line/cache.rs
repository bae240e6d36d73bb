//! The cache, from the command line.

use super::{folder, run};
use crate::harness::{RedisServer, northwind};

#[test]
fn what_an_invalidation_came_to_is_said_and_a_vendor_that_there_is_not_is_refused() {
    let (home, redis) = (folder(), RedisServer::start());
    let vars = [("REDIS_URL", redis.url())];
    let vars: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let bundle = northwind();
    run(home.path(), &[], &["import", bundle.to_str().expect("a path")]).succeeded();

    let invalidate =
        |vars: &[(&str, &str)], tags: &[&str]| run(home.path(), vars, &[&["cache", "invalidate"], tags].concat());
    let before = "1 tag was invalidated: nothing in Redis carries what was named.\n";
    assert_eq!(invalidate(&vars, &["vendor:7"]).succeeded(), before);
    run(home.path(), &vars, &["cache", "warm", "--vendor", "7"]).succeeded();
    let said = invalidate(&vars, &["vendor:7", "analytics"]).succeeded();
    let entries = said.strip_prefix("2 tags were invalidated: ").and_then(|rest| rest.split(' ').next());
    assert!(entries.and_then(|entries| entries.parse::<u64>().ok()) > Some(1), "{said}");
    // Without Redis nobody here knows.
    assert_eq!(invalidate(&[], &["vendor:7"]).succeeded(), "1 tag was invalidated.\n");

    let refused = invalidate(&vars, &["vendor:7", "orders:77777"]);
    let error = refused.error(1);
    assert!(error.contains("tags") && error.contains("`orders:77777`") && error.contains("`77777`"), "{error}");
    let refused = invalidate(&vars, &["everything"]);
    let error = refused.error(1);
    assert!(
        error.contains("`everything`") && error.contains("vendor:ID, products:ID, orders:ID, analytics"),
        "{error}"
    );
}

#[test]
fn what_redis_holds_is_not_told_where_redis_does_not_answer() {
    let home = folder();
    let bundle = northwind();
    run(home.path(), &[], &["import", bundle.to_str().expect("a path")]).succeeded();
    for command in ["stats", "warm"] {
        let done = run(home.path(), &[("REDIS_URL", "redis://127.0.0.1:1")], &["cache", command]);
        let why = done.stderr.lines().last().unwrap_or_default();
        assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{command}: {why}");
        assert!(why.contains("cannot use Redis at redis://127.0.0.1:1"), "{command}: {why}");
    }
}
