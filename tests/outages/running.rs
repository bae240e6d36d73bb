//! What a running instance says when something that it works with is taken from it.

use std::{collections::BTreeSet, time::Instant};

use reqwest::Method;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::harness::{Client, PASSWORD, Program, RedisServer, TestDatabase, until};

const ADMIN: &str = "admin@example.com";

fn add_admin(database_url: &str) {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_vendorscope"))
        .args(["user", "add", ADMIN, "--role", "admin"])
        .env_clear()
        .envs([("DATABASE_URL", database_url), ("VENDORSCOPE_PASSWORD", PASSWORD)])
        .output()
        .expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

async fn page(client: &Client, path: &str) -> (u16, String) {
    let answer = client.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// The row of the page of the state that begins with this.
fn row<'p>(page: &'p str, name: &str) -> &'p str {
    let (_, row) =
        page.split_once(&format!("<th scope=\"row\">{name}</th>")).unwrap_or_else(|| panic!("{name}: {page}"));
    row.split("</tr>").next().unwrap_or_default()
}

/// Rights may be taken away, a disk may fill, a primary may become a replica: it can be read and not be written to.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_whose_database_takes_no_writes_any_more_is_not_ready_until_it_does() {
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    let mut owner = PgConnection::connect(database.url()).await.expect("a connection");
    let role = format!("role_{:032x}", rand::random::<u128>());
    for statement in [
        format!("CREATE ROLE {role} LOGIN"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
    ] {
        owner.execute(AssertSqlSafe(statement)).await.expect("done");
    }
    let url = database.url().replace("postgres://postgres@", &format!("postgres://{role}@"));
    add_admin(&url);
    let program = Program::serve_with(&[("DATABASE_URL", &url)]);
    let client = Client::new(program.address);
    assert_eq!(client.get_json("/readyz").await["database"], "ok");

    let revoke = format!("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM {role}");
    owner.execute(AssertSqlSafe(revoke)).await.expect("revoked");
    let said = until("it is not ready", async || {
        let answer = client.get("/readyz").await;
        let status = answer.status();
        (status == 503).then_some(answer.json::<serde_json::Value>().await.expect("JSON"))
    })
    .await;
    assert_eq!(
        (&said["ready"], &said["database"], &said["redis"]),
        (&json!(false), &json!("unavailable"), &json!("memory"))
    );
    let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert!(login.status().is_server_error() && !login.headers().contains_key("set-cookie"), "{login:?}");
    let (status, page) = page(&client, "/status").await;
    assert_eq!(status, 503);
    assert!(row(&page, "Database").contains("Not responding"), "{page}");

    let grant = format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}");
    owner.execute(AssertSqlSafe(grant)).await.expect("granted");
    until("it is ready again", async || (client.get("/readyz").await.status() == 200).then_some(())).await;
    let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert_eq!(login.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_redis_is_away_pages_say_so_in_the_products_style_and_the_status_needs_no_session() {
    let (database, mut redis) = (TestDatabase::sqlite(), RedisServer::start());
    add_admin(database.url());
    let program = Program::serve(&database, &redis.url());
    let client = Client::new(program.address);
    let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert_eq!(login.status(), 200);
    let (status, well) = page(&Client::new(program.address), "/status").await;
    assert!(status == 200 && well.contains("Everything is working"), "{well}");
    assert!(row(&well, "Sessions (Redis)").contains("Working"), "{well}");
    let style = "<link rel=\"stylesheet\" href=\"/pkg/vendorscope.css\">";
    assert!(well.contains(style), "{well}");

    redis.kill();
    for path in ["/admin/cache", "/admin"] {
        let (status, text) = page(&client, path).await;
        assert_eq!(status, 503, "{path}: {text}");
        assert!(
            text.contains(style) && text.contains("(Redis)") && text.contains("href=\"/status\""),
            "{path}: {text}"
        );
    }
    let (status, text) = page(&Client::new(program.address), "/status").await;
    assert_eq!(status, 503);
    assert!(row(&text, "Database").contains("Working"), "{text}");
    assert!(row(&text, "Sessions (Redis)").contains("Not responding") && text.contains(style), "{text}");
}

/// It is tried twenty times a second: whoever reads the log is told now and then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_delivered_is_in_the_log_now_and_then_and_once_when_it_is_over() {
    const TOLD: &str = "invalidation not delivered yet";
    const OVER: &str = "no invalidation waits any more";
    let (database, sessions, mut redis) = (TestDatabase::sqlite(), RedisServer::start(), RedisServer::start());
    add_admin(database.url());
    let program = Program::serve_with(&[
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", &redis.url()),
        ("SESSION_REDIS_URL", &sessions.url()),
        ("RUST_LOG", "vendorscope=info,vendorscope_cache=info"),
    ]);
    let client = Client::new(program.address);
    let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert_eq!(login.status(), 200);

    redis.kill();
    let away = Instant::now();
    for tag in ["analytics", "marketplace"] {
        let done = client.post("/api/admin/cache/invalidate", &json!({ "tags": [tag] })).await;
        assert_eq!(done.status(), 200);
    }
    until("they have waited for three seconds", async || {
        let metrics = client.get("/metrics").await.text().await.expect("a text");
        let seconds = metrics.lines().find_map(|line| line.strip_prefix("vendorscope_cache_outbox_pending_seconds "));
        (seconds.and_then(|seconds| seconds.parse().ok()) >= Some(3.0)).then_some(())
    })
    .await;
    let log = program.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(TOLD)).collect();
    let causes: BTreeSet<_> =
        lines.iter().map(|line| line.split("error=").nth(1).and_then(|rest| rest.split(" rows=").next())).collect();
    let most = causes.len() as u64 * (1 + away.elapsed().as_secs() / 10);
    assert!((1..=most).contains(&(lines.len() as u64)) && causes.len() <= 8, "{most}: {log}");
    assert!(lines.iter().all(|line| line.contains(" rows=") && line.contains(" waiting_ms=")), "{log}");
    assert!(!log.contains(OVER), "{log}");

    redis.restart();
    program.until_log_has(OVER).await;
    let metrics = client.get("/metrics").await.text().await.expect("a text");
    assert!(metrics.contains("vendorscope_cache_outbox_pending 0.0"), "{metrics}");
    assert_eq!(program.log().matches(OVER).count(), 1, "{}", program.log());
}

/// The cache of a user who lacks a right is of no use: found out at start, said by name, and answered all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rights_that_the_caches_redis_denies_are_in_the_log_at_start_and_in_readiness() {
    let sessions = RedisServer::start();
    for (rights, refused) in [
        ("allkeys resetchannels +@all", "channel"),
        ("allkeys allchannels +@read +@connection +info", "command"),
        ("~server:identity:* allchannels +@all", "key"),
        // The least there may be, and everything: nothing to say.
        ("allkeys allchannels +@all", ""),
    ] {
        let redis = RedisServer::start_with(&[&format!("--user app on >hunter2 {rights}")]);
        let url = redis.url().replace("redis://", "redis://app:hunter2@");
        let database = TestDatabase::sqlite();
        add_admin(database.url());
        let program = Program::serve_with(&[
            ("DATABASE_URL", database.url()),
            ("REDIS_URL", &url),
            ("SESSION_REDIS_URL", &sessions.url()),
            ("RUST_LOG", "info"),
        ]);
        let client = Client::new(program.address);
        let ready = client.get_json("/readyz").await;
        let log = program.log();
        assert_eq!((&ready["ready"], log.contains("hunter2")), (&json!(true), false), "{log}");
        let said = ready["cacheRefused"].as_str().unwrap_or_default().to_owned();
        assert!(said.is_empty() == refused.is_empty() && said.contains(refused), "{rights}: {ready}");
        let in_log = "redis does not let this user do what the cache needs";
        assert_eq!(log.matches(in_log).count() > 0, !refused.is_empty(), "{rights}: {log}");
        let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
        assert_eq!(login.status(), 200, "{rights}");
        let (status, text) = page(&client, "/admin/cache").await;
        assert_eq!(
            (status, text.contains("data-rule=\"redis_refuses\"")),
            (200, !refused.is_empty()),
            "{rights}: {text}"
        );
        assert_eq!(
            client.get("/api/admin/metrics?dateFrom=2026-01-01&dateTo=2026-01-31").await.status(),
            200,
            "{rights}: without the cache"
        );
    }
}

/// Somebody has the page of the cache's health open, which asks again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn that_redis_does_not_say_its_size_is_told_once_for_each_outage() {
    let (database, mut cache, sessions) = (TestDatabase::sqlite(), RedisServer::start(), RedisServer::start());
    drop(database.open().await);
    add_admin(database.url());
    let program = Program::serve_with(&[
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", &cache.url()),
        ("SESSION_REDIS_URL", &sessions.url()),
    ]);
    let client = Client::new(program.address);
    let login = client.post("/api/auth/login", &json!({ "email": ADMIN, "password": PASSWORD })).await;
    assert_eq!(login.status(), 200);
    let (unsaid, again) = ("says nothing of its size", "says its size again");
    let told = |words: &str| program.log().matches(words).count();
    let look = async || assert_eq!(page(&client, "/admin/cache").await.0, 200);
    for outage in 1..=2 {
        cache.kill();
        until("the outage is told", async || {
            look().await;
            (told(unsaid) == outage).then_some(())
        })
        .await;
        for _ in 0..5 {
            look().await;
        }
        assert_eq!((told(unsaid), told(again)), (outage, outage - 1), "{}", program.log());
        cache.restart();
        until("that it is over is told", async || {
            look().await;
            (told(again) == outage).then_some(())
        })
        .await;
        look().await;
        assert_eq!((told(unsaid), told(again)), (outage, outage), "{}", program.log());
    }
}

/// Who bars addresses by the log (fail2ban) needs them in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_names_the_address_that_has_tried_too_often() {
    let database = TestDatabase::sqlite();
    let program = Program::serve_with(&[("DATABASE_URL", database.url()), ("LIMIT_LOGIN_ADDRESS", "1/1h")]);
    let client = Client::new(program.address);
    for status in [401, 429] {
        let login = json!({ "email": "nobody@example.com", "password": "a guess" });
        assert_eq!(client.post("/api/auth/login", &login).await.status(), status);
    }
    program.until_log_has("refused: too many attempts limit=\"login-address\" address=127.0.0.1").await;
}
