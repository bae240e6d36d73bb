use std::time::Duration;

use serde_json::json;

use super::*;
use crate::{
    harness::proxy::{Fault, Proxy},
    outages::starting::role,
};

const MAY_FORGET: [&str; 4] = ["--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"];
const MAY_NOT: [&str; 4] = ["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

/// A SQLite database with its tables.
async fn with_tables() -> TestDatabase {
    let database = TestDatabase::sqlite();
    drop(database.open().await);
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_may_only_be_read_is_told() {
    let (home, database) = (home(), TestDatabase::postgres().await);
    drop(database.open().await);
    let mut owner = PgConnection::connect(database.url()).await.expect("a connection");
    const ALL: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ROLE";
    let of = |url: &str| doctor(home.path(), &[("DATABASE_URL", url), ("SESSION_SECRET", SECRET)]);

    let url = role(&mut owner, &database, &["GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE"]).await;
    let told = of(&url);
    told.says("writing", "fail", &["can be read, but not be written to", "permission denied", "#rights"]);
    assert_eq!(told.failed(), ["writing", "rights"], "{}", told.lines);

    // A server that has become a replica lets everybody read, and has taken no right away.
    let url = role(&mut owner, &database, &[ALL, "ALTER USER ROLE SET default_transaction_read_only = on"]).await;
    let told = of(&url);
    told.says("writing", "fail", &["can be read, but not be written to", "read-only"]);
    assert_eq!(told.failed(), ["writing"], "{}", told.lines);

    let url = role(&mut owner, &database, &[ALL]).await;
    of(&url).says("writing", "ok", &["a row was written"]);

    let file = with_tables().await;
    let told = of(&format!("{}?mode=ro", file.url()));
    told.says("writing", "fail", &["can be read, but not be written to", "mode=ro"]);
    assert_eq!(told.failed(), ["writing"], "{}", told.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_redis_does_is_told_of_the_cache_and_of_sessions_apart() {
    let (home, database) = (home(), with_tables().await);
    let (forgets, keeps) = (RedisServer::start_with(&MAY_FORGET), RedisServer::start_with(&MAY_NOT));
    let of = |cache: &RedisServer, sessions: &RedisServer| {
        let (cache, sessions) = (cache.url(), sessions.url());
        let vars = [("REDIS_URL", cache.as_str()), ("SESSION_REDIS_URL", &sessions)];
        let told =
            doctor(home.path(), &[&vars[..], &[("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)]].concat());
        assert_eq!(told.failed(), [""; 0], "{}", told.lines);
        told
    };
    let told = of(&forgets, &keeps);
    told.says("cache memory", "ok", &["of 105 MB in use, policy volatile-lru"]);
    told.says("sessions memory", "ok", &["of 105 MB in use, policy noeviction"]);
    told.says("sessions", "ok", &[]);

    let told = of(&keeps, &forgets);
    told.says("cache memory", "warn", &["policy noeviction", "nothing new is cached", "deploy/redis/cache.conf"]);
    told.says("sessions memory", "warn", &["policy volatile-lru", "logged out", "deploy/redis/sessions.conf"]);

    // One for both: what is right for the cache is told once, of the sessions.
    let told = of(&forgets, &forgets);
    assert!(told.of("sessions memory").is_empty(), "{}", told.lines);
    let sessions = told.of("sessions");
    assert!(
        sessions
            .iter()
            .any(|(level, text)| level == "warn" && text.contains("policy volatile-lru may throw them away")),
        "{sessions:?}"
    );
}

/// Only that it is judged to be far: whether it is near is up to the machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_far_away_is_told() {
    let (home, database) = (home(), with_tables().await);
    let (cache, sessions) = (RedisServer::start_with(&MAY_FORGET), RedisServer::start_with(&MAY_NOT));
    let (to_cache, to_sessions) = (Proxy::before(cache.port()).await, Proxy::before(sessions.port()).await);
    for way in [&to_cache, &to_sessions] {
        way.set(Fault::Slow(Duration::from_millis(60)));
    }
    let urls = [to_cache.redis_url(), to_sessions.redis_url()];
    let vars = [
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", &urls[0]),
        ("SESSION_REDIS_URL", &urls[1]),
        ("SESSION_SECRET", SECRET),
    ];
    let told = doctor(home.path(), &vars);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    for name in ["cache redis", "sessions redis"] {
        told.says(name, "warn", &["a round trip takes", "put it nearer"]);
        let text = &told.of(name)[0].1;
        let takes =
            text.split("a round trip takes ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
        assert!(takes.is_some_and(|takes| takes >= 60.0), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_set_is_told() {
    let (home, database) = (home(), with_tables().await);
    let vars = [("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)];
    doctor(home.path(), &vars).says("secret", "ok", &["long and varied enough"]);
    let told = doctor(home.path(), &vars[..1]);
    told.says("secret", "warn", &["SESSION_SECRET is not set", "logged out by a restart", "openssl rand"]);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    // In production it does not even start.
    let told = doctor(home.path(), &[vars[0], ("APP_ENV", "production"), ("REDIS_URL", "redis://127.0.0.1")]);
    assert!(
        told.of("configuration").iter().any(|(level, text)| level == "fail" && text.contains("SESSION_SECRET")),
        "{}",
        told.lines
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_open_files_are_told() {
    let (home, database) = (home(), with_tables().await);
    let with = |files: u32| {
        let limited = format!("ulimit -n {files} && exec {} \"$@\"", env!("CARGO_BIN_EXE_vendorscope"));
        let command = || {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &limited, "sh"]);
            command
        };
        doctor_by(command, home.path(), &[("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)])
    };
    let told = with(1024);
    told.says("open files", "warn", &["may open 1024", "each open dashboard is one", "LimitNOFILE"]);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    with(4095).says("open files", "warn", &["may open 4095"]);
    with(4096).says("open files", "ok", &["may open 4096"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_redis_who_may_tell_others_and_not_hear_them_is_told() {
    let (home, database) = (home(), with_tables().await);
    let of = |rights: &str| {
        let redis = RedisServer::start_with(&[&format!("--user app on >hunter2 allkeys {rights}")]);
        let url = redis.url().replace("redis://", "redis://app:hunter2@");
        doctor(home.path(), &[("DATABASE_URL", database.url()), ("REDIS_URL", &url), ("SESSION_SECRET", SECRET)])
    };
    let mute = ["cache rights", "may not hear cache:invalidations", "open dashboards do not follow", "redis.md#rights"];
    let told = of("allchannels +@all -subscribe");
    told.says(mute[0], "fail", &mute[1..]);
    assert_eq!(told.failed(), ["cache rights"], "{}", told.lines);
    // Neither: what is refused first is named.
    let told = of("resetchannels +@all");
    told.says("cache rights", "fail", &["Redis refuses what the cache needs", "channels", "redis.md#rights"]);
    assert_eq!(told.failed(), ["cache rights"], "{}", told.lines);
    // The channel of any installation is enough.
    let told = of("resetchannels &cache:invalidations* +@all");
    told.says("cache rights", "ok", &[]);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_without_keys_is_told() {
    let (home, database, provider) = (home(), with_tables().await, Provider::start());
    let issuer = provider.issuer();
    let vars = [
        ("DATABASE_URL", database.url()),
        ("SESSION_SECRET", SECRET),
        ("OIDC_ISSUER", issuer),
        ("OIDC_CLIENT_ID", "vendorscope"),
        ("OIDC_CLIENT_SECRET", "hunter2"),
        ("PUBLIC_URL", "https://vendors.example.com"),
    ];
    provider.set(json!({ "showsKeys": false })).await;
    let told = doctor(home.path(), &vars);
    told.says("marketplace login", "fail", &[issuer, "answers, and has no keys", "OIDC_ISSUER"]);
    assert_eq!(told.failed(), ["marketplace login"], "{}", told.lines);
    provider.set(json!({ "showsKeys": true })).await;
    let told = doctor(home.path(), &vars);
    told.says("marketplace login", "ok", &["keys: 1"]);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
}
