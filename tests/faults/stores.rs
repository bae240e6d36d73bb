use reqwest::Method;
use vendorscope::server::services::outbox;
use vendorscope_cache::Cause;

use super::*;
use crate::harness::{
    RedisCluster, RedisSentinel, databases,
    proxy::{Fault, Proxy},
};

/// How long a frozen server may hold anybody up once another has taken its place.
const LEFT_WITHIN: Duration = Duration::from_secs(5);

/// R, then memory, then R; R, then R2, then R: what R holds from before is never served again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_is_come_back_to_serves_nothing_from_before() {
    for database in databases().await {
        let (first, second, sessions) = (RedisServer::start(), RedisServer::start(), RedisServer::start());
        let on = |url: Option<String>| {
            let app = TestApp::builder().unlimited().database(&database).sessions_in(&sessions);
            app.config(|config| config.cache.redis_url = url.map(Into::into))
        };
        let app = on(Some(first.url())).northwind().spawn().await;
        let client = app.log_in_as_vendor(VENDORS[0]).await;
        let counter = Counter::create(&client).await;
        counter.until_hit(&client).await;
        drop(app);
        for elsewhere in [None, Some(second.url())] {
            let app = on(elsewhere).spawn().await;
            counter.write(&client.at(&app)).await;
            counter.read(&client.at(&app)).await;
            drop(app);
            let back = on(Some(first.url())).spawn().await;
            assert_eq!(counter.read(&client.at(&back)).await, "MISS");
            counter.until_hit(&client.at(&back)).await;
        }
    }
}

/// Two installations, or one that has moved to another database, behind one Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_database_behind_the_same_redis_takes_neither_figures_nor_cookies() {
    let redis = RedisServer::start();
    let [one, other] = databases().await.try_into().ok().expect("two");
    let of =
        async |database: &TestDatabase| TestApp::builder().database(database).redis(&redis).northwind().spawn().await;
    let (one, other) = (of(&one).await, of(&other).await);
    let (client, stranger) = (one.log_in_as_vendor(VENDORS[0]).await, other.log_in_as_vendor(VENDORS[0]).await);
    assert_eq!(client.at(&other).get("/api/auth/me").await.status(), 401, "a cookie of the other database");
    client.get_json(SNAPSHOT).await;
    let (own, others) = (client.get(SNAPSHOT).await, stranger.get(SNAPSHOT).await);
    assert_eq!(
        (&own.headers()["x-cache"], &others.headers()["x-cache"]),
        (&"HIT".parse().unwrap(), &"MISS".parse().unwrap())
    );
}

/// A logout that Redis has forgotten: the snapshot it starts from is from before.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_has_ended_does_not_come_back_with_an_old_snapshot() {
    let (database, cache) = (TestDatabase::sqlite(), RedisServer::start());
    let mut redis = RedisServer::start();
    let instance = || TestApp::builder().unlimited().database(&database).cache_at(&cache.url()).sessions_in(&redis);
    let (app, other) = (instance().spawn().await, instance().spawn().await);
    let disabled = app.log_in("x@example.com", vendorscope::domain::accounts::Role::Admin, None).await;
    // A browser forgets its cookie with the logout. Whoever has copied it does not.
    let ended = app.log_in_as_admin().await;
    let login = json!({ "email": "admin@example.com", "password": crate::harness::PASSWORD });
    let answer = ended.post("/api/auth/login", &login).await;
    let cookie = answer.headers()["set-cookie"].to_str().expect("ASCII").split(';').next().expect("a pair").to_owned();
    let of_cookie = |app: &TestApp| app.client().request(Method::GET, "/api/auth/me").header("cookie", &cookie).send();
    for app in [&app, &other] {
        assert_eq!(of_cookie(app).await.expect("an answer").status(), 200);
        assert_eq!(disabled.at(app).get("/api/auth/me").await.status(), 200);
    }
    let () = redis::cmd("SAVE").query_async(&mut redis.connection().await).await.expect("saved");
    assert_eq!(ended.post("/api/auth/logout", &json!({})).await.status(), 204);
    let actor = vendorscope::server::identity::accounts::Actor::COMMAND_LINE;
    app.state().accounts.disable("x@example.com", actor).await.expect("disabled");
    redis.restart();
    let began = Instant::now();
    for app in [&app, &other] {
        for is_copied in [true, false] {
            let mut answers = Vec::new();
            // Not once: as long as an instance may not know yet, and then not any more.
            while answers.last() != Some(&401) || began.elapsed() < Duration::from_secs(3) {
                let asked = began.elapsed();
                let answer = if is_copied {
                    of_cookie(app).await.expect("an answer")
                } else {
                    disabled.at(app).get("/api/auth/me").await
                };
                answers.push(answer.status().as_u16());
                assert!(matches!(answers.last(), Some(401 | 503)) || asked < Duration::from_secs(2), "{answers:?}");
                assert!(began.elapsed() < Duration::from_secs(30), "{answers:?}");
            }
        }
    }
}

/// A frozen server is left: nobody waits for the thaw, neither cache nor sessions nor limits.
struct Left {
    app: TestApp,
    client: Client,
    counter: Counter,
}

impl Left {
    async fn start(url: &str) -> Self {
        // Long enough that what was counted is still there when it is looked for.
        let reads = vendorscope::server::config::Limit::new(3_000, Duration::from_secs(24 * 3_600));
        let app = TestApp::builder().northwind().sessions_at(url.to_owned()).cache_at(url);
        let app = app.config(|config| config.limits.reads = reads).spawn().await;
        let client = app.log_in_as_vendor(VENDORS[0]).await;
        app.log_in_as_vendor(VENDORS[1]).await;
        let counter = Counter::create(&client).await;
        counter.until_hit(&client).await;
        Self { app, client, counter }
    }

    /// From the promotion on: sessions are read and written, limits counted at the server that took over, and figures
    /// come from the cache again.
    async fn is_left_within_time(&self, clients: &[Client], promoted: &RedisServer, limit: &str) {
        let (since, before) = (Instant::now(), value(promoted, limit).await);
        assert!(before.is_some(), "{limit} has been copied, or this test shows nothing");
        loop {
            let mut answers = vec![self.client.get("/readyz").await.status().as_u16()];
            for client in clients {
                answers.push(client.get("/api/auth/me").await.status().as_u16());
            }
            let snapshot = self.client.get(SNAPSHOT).await;
            let hit = snapshot.headers().get("x-cache").is_some_and(|outcome| outcome == "HIT");
            let counted = value(promoted, limit).await != before;
            // Over any of the connections that sessions are written through. As somebody else: nobody has more than
            // fifty sessions, and these would end the one that is looked at.
            let email = format!("vendor-{}@example.com", VENDORS[1]);
            let login = json!({ "email": email, "password": crate::harness::PASSWORD });
            for _ in 0..4 {
                // Each waits for a second where the server is not left yet: then one is enough to know.
                if answers.iter().all(|status| *status == 200) {
                    answers.push(self.app.client().post("/api/auth/login", &login).await.status().as_u16());
                }
            }
            if answers.iter().all(|status| *status == 200) && snapshot.status() == 200 && hit && counted {
                break;
            }
            assert!(
                since.elapsed() < LEFT_WITHIN,
                "{answers:?}, snapshot {}, from the cache: {hit}, counted: {counted}",
                snapshot.status()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("left {:?} after the promotion", since.elapsed());
        let again = self.app.log_in_as_vendor(VENDORS[0]).await;
        self.counter.write(&again).await;
        self.counter.read(&again).await;
    }
}

/// Asks again where the connection breaks: a sentinel has the server it promotes close all of them.
async fn ask<T: redis::FromRedisValue>(server: &RedisServer, command: &redis::Cmd) -> T {
    let client = redis::Client::open(server.url()).expect("an address");
    let began = Instant::now();
    loop {
        let answer = async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            command.query_async(&mut connection).await
        };
        match answer.await {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn value(server: &RedisServer, key: &str) -> Option<String> {
    ask(server, redis::cmd("GET").arg(key)).await
}

async fn keys(server: &RedisServer, pattern: &str) -> Vec<String> {
    ask(server, redis::cmd("KEYS").arg(pattern)).await
}

async fn is_master(server: &RedisServer) -> bool {
    let answer: Vec<redis::Value> = ask(server, &redis::cmd("ROLE")).await;
    answer.first() == Some(&redis::Value::BulkString(b"master".to_vec()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_master_is_left() {
    let servers = RedisSentinel::start().await;
    let left = Left::start(&servers.url()).await;
    let limit = keys(&servers.master, "limit:reads:*").await.pop().expect("a limit");
    // The last write before the freeze is not what is tried here.
    while value(&servers.replica, &limit).await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    servers.master.freeze();
    while !is_master(&servers.replica).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    left.is_left_within_time(std::slice::from_ref(&left.client), &servers.replica, &limit).await;
    servers.master.thaw();
    left.counter.write(&left.client).await;
    left.counter.read(&left.client).await;
}

/// One master of three, which has a session and a limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_frozen_master_of_a_cluster_is_left() {
    let cluster = RedisCluster::start().await;
    let left = Left::start(&cluster.url()).await;
    let mut masters = Vec::new();
    for (place, member) in cluster.members.iter().enumerate() {
        if is_master(member).await {
            masters.push(place);
        }
    }
    // Users until there is a master with both.
    let mut clients = vec![left.client.clone()];
    let (frozen, limit) = loop {
        let mut found = None;
        for place in &masters {
            let member = &cluster.members[*place];
            let limit = keys(member, "limit:reads:*").await.pop().filter(|_| found.is_none());
            let sessions = keys(member, "sess:*").await.into_iter().filter(|key| !key.contains("secrets")).count();
            if let (Some(limit), 1..) = (limit, sessions) {
                found = Some((*place, limit));
            }
        }
        if let Some(found) = found {
            break found;
        }
        let user = format!("user-{}@example.com", clients.len());
        let client = left.app.log_in(&user, vendorscope::domain::accounts::Role::Vendor, Some(VENDORS[0])).await;
        assert_eq!(client.get("/api/auth/me").await.status(), 200);
        clients.push(client);
    };
    // The last write before the freeze is not what is tried here.
    'copied: loop {
        for (place, member) in cluster.members.iter().enumerate() {
            if !masters.contains(&place) && !keys(member, &limit).await.is_empty() {
                break 'copied;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cluster.members[frozen].freeze();
    let frozen_at = Instant::now();
    let promoted = 'promoted: loop {
        assert!(frozen_at.elapsed() < Duration::from_secs(60), "nobody who has {limit} took over");
        for (place, member) in cluster.members.iter().enumerate() {
            // On a busy machine another master may have been taken for dead as well.
            let is_replica = place != frozen && !masters.contains(&place);
            if is_replica && is_master(member).await && !keys(member, &limit).await.is_empty() {
                break 'promoted member;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    left.is_left_within_time(&clients, promoted, &limit).await;
    cluster.members[frozen].thaw();
    left.counter.write(&left.client).await;
    left.counter.read(&left.client).await;
}

/// A cannot tell Redis what it has committed; the same is sent to B, which changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_repeated_elsewhere_is_answered_when_the_first_one_is_told() {
    for database in databases().await {
        let (redis, sessions) = (RedisServer::start(), RedisServer::start());
        let proxy = Proxy::before(redis.port()).await;
        let instance = || TestApp::builder().unlimited().database(&database).sessions_in(&sessions);
        let a = instance().cache_at(&proxy.redis_url()).northwind().spawn().await;
        let b = instance().cache_at(&redis.url()).spawn().await;
        let (admin, vendor) = (a.log_in_as_admin().await, b.log_in_as_vendor(VENDORS[0]).await);
        let products = "/api/vendor/products";
        for round in 1..=4_u64 {
            let sent = json!({ "products": [{
                "productId": "repeated", "vendorId": VENDORS[0], "name": "Repeated", "category": "Tests",
                    "unitPrice": round, "stock": 1,
            }] });
            let read = async || {
                let list = vendor.get_json(products).await["products"].clone();
                let product = list.as_array()?.iter().find(|product| product["productId"] == "repeated")?;
                product["unitPrice"].as_u64()
            };
            while vendor.get(products).await.headers()["x-cache"] != "HIT" {}
            proxy.set(Fault::BlackHole);
            let with_key = |client: &Client| {
                let request = client.request(Method::POST, "/api/ingest/products").json(&sent);
                if round % 2 == 0 { request.header("idempotency-key", format!("k{round}")) } else { request }
            };
            let first = tokio::spawn(with_key(&admin).send());
            // Until A has committed.
            let db = database.open().await;
            let began = Instant::now();
            while vendorscope::server::db::outbox::look(&db, 1).await.expect("a look").pending.is_empty()
                && !first.is_finished()
            {
                assert!(began.elapsed() < Duration::from_secs(20), "never committed");
                tokio::task::yield_now().await;
            }
            let repeated = with_key(&admin.at(&b)).send().await.expect("an answer");
            assert_eq!(repeated.status(), 200);
            assert_eq!(read().await, Some(round), "after the repeated write was answered");
            proxy.set(Fault::None);
            assert_eq!(first.await.expect("no panic").expect("an answer").status(), 200);
        }
    }
}

/// By hand, over the API, at an instance that cannot reach Redis.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_invalidation_over_the_api_reaches_every_instance() {
    let (redis, sessions, database) = (RedisServer::start(), RedisServer::start(), TestDatabase::postgres().await);
    let proxy = Proxy::before(redis.port()).await;
    let instance = || TestApp::builder().unlimited().database(&database).sessions_in(&sessions);
    let a = instance().cache_at(&proxy.redis_url()).northwind().spawn().await;
    let b = instance().cache_at(&redis.url()).spawn().await;
    let (admin, vendor) = (a.log_in_as_admin().await, b.log_in_as_vendor(VENDORS[0]).await);
    let counter = Counter::create(&vendor).await;
    counter.until_hit(&vendor).await;
    proxy.set(Fault::BlackHole);
    behind_its_back(&database.open().await, &counter, 2).await;
    let response =
        admin.post("/api/admin/cache/invalidate", &json!({ "tags": [format!("vendor:{}", VENDORS[0])] })).await;
    assert_eq!(response.status(), 200);
    counter.acknowledged.store(2, Ordering::SeqCst);
    counter.read(&vendor).await;
}

/// Changes in the database what the counter shows, as a hand or another program would.
async fn behind_its_back(db: &vendorscope::server::db::Db, counter: &Counter, number: i64) {
    let mut tx = db.write().await.expect("a transaction");
    let change = "UPDATE products SET low_stock_threshold = $1 WHERE external_id = $2";
    tx.execute(vendorscope::server::db::sql(change).bind(number).bind(counter.id().to_owned())).await.expect("changed");
    tx.commit().await.expect("committed");
}

/// A memory store goes by the outbox as well: a command beside the server that has returned is seen by every later
/// read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_command_beside_a_memory_store_is_seen_at_once() {
    for database in databases().await {
        let app = TestApp::builder().unlimited().database(&database).northwind().spawn().await;
        let client = app.log_in_as_vendor(VENDORS[0]).await;
        let (db, counter) = (database.open().await, Counter::create(&client).await);
        for number in 2..5 {
            counter.until_hit(&client).await;
            behind_its_back(&db, &counter, number).await;
            let tag = vendorscope::server::cache_keys::vendor_tag(VENDORS[0]);
            outbox::invalidate(&db, &[tag], &Cause { who: "cli".to_owned(), why: "test" }).await.expect("left");
            counter.acknowledged.store(number, Ordering::SeqCst);
            counter.read(&client).await;
        }
    }
}

/// The user that docs/redis.md describes can do all that cache, sessions and limits ask for, and no more is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_rights_that_the_documentation_names_are_enough() {
    let redis = RedisServer::start();
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/redis.md")).expect("the documentation");
    let rights =
        text.split_once("ACL SETUSER vendorscope ").and_then(|(_, rest)| rest.split_once("```")).expect("the rights").0;
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("vendorscope").arg(rights.split_whitespace().collect::<Vec<_>>());
    let () = command.query_async(&mut redis.connection().await).await.expect("a user");
    let url = redis.url().replace("redis://", "redis://vendorscope:PASSWORD@");
    let app = TestApp::builder().northwind().sessions_at(url.clone()).cache_at(&url).spawn().await;
    assert_eq!(app.state().cache.refusal(), None);
    let client = app.log_in_as_vendor(VENDORS[0]).await;
    let counter = Counter::create(&client).await;
    counter.until_hit(&client).await;
    counter.write(&client).await;
    counter.read(&client).await;
    app.log_in_as_admin().await.get_json("/api/admin/cache/stats").await;
    client.get_json("/api/account/sessions").await;
    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    assert_eq!(client.get("/readyz").await.status(), 200);
    let log: Vec<redis::Value> =
        redis::cmd("ACL").arg("LOG").query_async(&mut redis.connection().await).await.expect("a log");
    assert!(log.is_empty(), "{log:?}");
}
