//! Redis as services offer it: behind TLS, silent about itself, closing what is idle, and counting commands.

use std::collections::BTreeMap;

use reqwest::Method;
use tokio::io::AsyncReadExt;
use vendorscope::server::{
    Application,
    config::{Config, Limit, LimitConfig},
};

use super::*;
use crate::harness::{Certificates, Program, RedisCluster, RedisSentinel, redis::free_port};

/// Settings with these files for Redis, read as they are at a start.
fn with_files(url: &str, files: &[(&str, &str)]) -> Config {
    let of = |name: &str| match name {
        "REDIS_URL" => Some(url.to_owned()),
        _ => files.iter().find(|(variable, _)| *variable == name).map(|(_, file)| (*file).to_owned()),
    };
    Config::from_vars(of).unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cache_sessions_and_limits_go_through_tls_with_a_private_authority_and_a_certificate_of_their_own() {
    let (certificates, port) = (Certificates::make(), free_port());
    let options = certificates.of_server(port);
    let redis = RedisServer::start_with(&options.iter().map(String::as_str).collect::<Vec<_>>());
    let url = format!("rediss://127.0.0.1:{port}");
    let [ca, own, key] = ["ca.pem", "client.pem", "client.key"].map(|name| certificates.file(name));
    let all = [("REDIS_CA", &*ca), ("REDIS_CERT", &*own), ("REDIS_KEY", &*key)];
    let tls = with_files(&url, &all).redis_tls;
    // What was counted is there for long enough to be looked at, however slow the machine is.
    let reads = Limit::new(1_000, Duration::from_secs(3_600));
    let app = TestApp::builder().northwind().sessions_at(url.clone()).cache_at(&url);
    let app = app.config(|config| (config.redis_tls, config.limits.reads) = (tls, reads)).spawn().await;
    let client = app.log_in_as_vendor(VENDORS[0]).await;
    let counter = Counter::create(&client).await;
    counter.until_hit(&client).await;
    counter.write(&client).await;
    counter.read(&client).await;
    assert_eq!(client.get("/readyz").await.status(), 200);
    // All of it is there, and whoever waits for changes listens there too.
    let mut plain = redis.connection().await;
    for pattern in ["analytics:*", "tag:*", "sess:*", "limit:reads:*"] {
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query_async(&mut plain).await.expect("keys");
        assert!(!keys.is_empty(), "{pattern}");
    }
    let began = Instant::now();
    loop {
        let channels: Vec<String> =
            redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut plain).await.expect("channels");
        if channels.iter().any(|channel| channel.starts_with("cache:invalidations")) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nobody listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A certificate that nobody here knows, or none to show.
    let database = TestDatabase::sqlite();
    for files in [&all[..1], &all[1..]] {
        let mut config = Config::for_tests();
        config.redis_tls = with_files(&url, files).redis_tls;
        config.database.url = database.url().into();
        (config.cache.redis_url, config.sessions.redis_url) = (Some(url.as_str().into()), Some(url.as_str().into()));
        let error = Application::build(config).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(&url) && error.contains("SESSION_REDIS_URL"), "{files:?}: {error}");
    }
}

/// An instance whose cache, sessions and limits go there by TLS, a vendor that uses it, and what it counts.
async fn through_tls(url: &str, certificates: &Certificates) -> (TestApp, Client, Counter) {
    let [ca, own, key] = ["ca.pem", "client.pem", "client.key"].map(|name| certificates.file(name));
    let tls = with_files(url, &[("REDIS_CA", &*ca), ("REDIS_CERT", &*own), ("REDIS_KEY", &*key)]).redis_tls;
    let app = TestApp::builder().northwind().sessions_at(url.to_owned()).cache_at(url).unlimited();
    let app = app.config(|config| config.redis_tls = tls).spawn().await;
    let client = app.log_in_as_vendor(VENDORS[0]).await;
    let counter = Counter::create(&client).await;
    counter.until_hit(&client).await;
    counter.write(&client).await;
    counter.until_hit(&client).await;
    assert_eq!(client.get("/readyz").await.status(), 200);
    (app, client, counter)
}

/// After a master was lost: once whoever is logged in is known again, the cache serves, and nothing from before.
async fn goes_on(client: &Client, counter: &Counter) {
    let began = Instant::now();
    while client.get("/api/auth/me").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "sessions do not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for _ in 0..2 {
        counter.write(client).await;
        counter.until_hit(client).await;
    }
    assert_eq!(client.get("/readyz").await.status(), 200);
}

/// Servers that are reached by TLS alone: the sentinel, whom it names, and who follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_behind_tls_that_a_sentinel_watches_is_followed_by_its_replica() {
    let certificates = Certificates::make();
    let mut servers = RedisSentinel::start_behind_tls(|port| certificates.of_server(port)).await;
    let (_app, client, counter) = through_tls(&servers.url(), &certificates).await;
    servers.master.kill();
    goes_on(&client, &counter).await;
}

/// The same of a cluster: its members name one another by the ports that take TLS.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_master_of_a_cluster_behind_tls_is_followed_by_its_replica() {
    let certificates = Certificates::make();
    let mut cluster =
        RedisCluster::start_behind_tls(|port| certificates.of_server(port), &certificates.of_client()).await;
    let (_app, client, counter) = through_tls(&cluster.url(), &certificates).await;
    cluster.members[0].kill();
    goes_on(&client, &counter).await;
}

/// No `INFO` at all, as where it is renamed: another server is told apart all the same, and it is said at start.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_that_does_not_say_what_it_is_is_told_apart_and_warned_of() {
    let hidden = || RedisServer::start_with(&["--rename-command", "INFO", "", "--rename-command", "CONFIG", ""]);
    let (first, second) = (hidden(), hidden());
    let database = TestDatabase::postgres().await;
    let preparing = TestApp::builder().unlimited().database(&database).redis(&first).northwind().spawn().await;
    let client = preparing.log_in_as_vendor(VENDORS[0]).await;
    let counter = Counter::create(&client).await;
    counter.until_hit(&client).await;
    let program = Program::serve(&database, &first.url());
    program.until_log_has("does not say which server it is").await;
    counter.read(&client.at_address(program.address)).await;
    assert_eq!(client.get("/readyz").await.status(), 200);
    drop((program, preparing));
    let elsewhere = TestApp::builder().unlimited().database(&database).redis(&second).spawn().await;
    counter.write(&elsewhere.log_in_as_vendor(VENDORS[0]).await).await;
    drop(elsewhere);
    let back = TestApp::builder().unlimited().database(&database).redis(&first).spawn().await;
    assert_eq!(counter.read(&client.at(&back)).await, "MISS", "what it holds is from before");
    counter.until_hit(&client.at(&back)).await;
}

/// Services close what has been idle for minutes; here it is seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_are_closed_when_idle_are_not_missed() {
    let redis = RedisServer::start_with(&["--timeout", "14"]);
    let app = TestApp::builder().redis(&redis).northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDORS[0]).await;
    let counter = Counter::create(&client).await;
    counter.until_hit(&client).await;
    // Idle from now on, as the application's are: when the server hangs up, it has had enough of them.
    let mut witness = tokio::net::TcpStream::connect(("127.0.0.1", redis.port())).await.expect("a connection");
    assert_eq!(witness.read(&mut [0]).await.expect("an end"), 0);
    assert_eq!(counter.read(&client).await, "HIT");
    // Over the other client too, which sessions are written through.
    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    counter.read(&app.log_in_as_vendor(VENDORS[0]).await).await;
}

/// Calls by command, since they were last reset.
async fn commands(redis: &mut redis::aio::MultiplexedConnection) -> BTreeMap<String, u64> {
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(redis).await.expect("an answer");
    let of_line = |line: &str| {
        let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        let calls = figures.strip_prefix("calls=")?.split(',').next()?.parse().ok()?;
        Some((name.to_owned(), calls))
    };
    info.lines().filter_map(of_line).collect()
}

async fn forget(redis: &mut redis::aio::MultiplexedConnection) {
    let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(redis).await.expect("an answer");
}

/// What docs/redis.md says of commands, for services that count them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hot_request_costs_six_commands_and_an_idle_instance_next_to_none() {
    const REQUESTS: u64 = 200;
    let (redis, database) = (RedisServer::start(), TestDatabase::postgres().await);
    let reads = LimitConfig::default().reads;
    let app = TestApp::builder().database(&database).redis(&redis).northwind();
    let app = app.config(|config| config.limits.reads = reads).spawn().await;
    let mut watching = redis.connection().await;
    // What a start asks for has been answered by the time that nothing but pings is.
    let began = Instant::now();
    loop {
        forget(&mut watching).await;
        tokio::time::sleep(Duration::from_secs(15)).await;
        let counted = commands(&mut watching).await;
        println!("15 idle seconds: {counted:?}");
        // Whether connections are there every ten seconds, and which secret all have every twenty; not how the store
        // fares, which nobody wants to know.
        let usual = ["ping", "zadd", "zremrangebyscore", "zrange", "config|resetstat"];
        if counted.keys().all(|name| usual.contains(&&**name)) && counted.values().sum::<u64>() <= 12 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{counted:?}");
    }

    let client = app.log_in_as_vendor(VENDORS[0]).await;
    let ask = async || client.request(Method::GET, SNAPSHOT).send().await.expect("an answer");
    while ask().await.headers()["x-cache"] != "HIT" {}
    forget(&mut watching).await;
    for _ in 0..REQUESTS {
        assert_eq!(ask().await.headers()["x-cache"], "HIT");
    }
    let counted = commands(&mut watching).await;
    let of = |name: &str| counted.get(name).copied().unwrap_or(0);
    // The session, the limit (a script: TIME, GET and SET), the generations.
    assert_eq!((of("evalsha"), of("mget")), (REQUESTS, REQUESTS), "{counted:?}");
    assert_eq!((of("time"), of("get"), of("set")), (REQUESTS, 2 * REQUESTS, REQUESTS), "{counted:?}");
    // What it is and what was counted are asked and told by the clock, however many requests there are.
    let by_the_clock =
        ["info", "ping", "hincrby", "hgetall", "pexpire", "config|resetstat", "zadd", "zremrangebyscore", "zrange"];
    let others: Vec<_> = counted
        .keys()
        .filter(|name| {
            !by_the_clock.contains(&&***name) && !["evalsha", "mget", "time", "get", "set"].contains(&&***name)
        })
        .collect();
    assert!(others.is_empty(), "{counted:?}");
    println!("{REQUESTS} hot requests: {counted:?}");
}
