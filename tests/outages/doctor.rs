//! `vendorscope doctor`, against installations that are well and installations that are not.

/// One thing wrong at a time, and everything else well.
mod one_at_a_time;

use std::{path::Path, process::Command};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use vendorscope::{
    domain::accounts::Role,
    server::{db::sql, identity::accounts::Actor},
};

use crate::harness::{
    Certificates, PASSWORD, Program, Provider, RedisServer, SECRET, TestApp, TestDatabase, free_port,
    write_browser_half,
};

struct Told {
    code: Option<i32>,
    report: Value,
    lines: String,
}

impl Told {
    /// The checks of this name, as level and text with the remedy.
    fn of(&self, name: &str) -> Vec<(String, String)> {
        let checks = self.report["checks"].as_array().expect("a list");
        let text = |check: &Value, field: &str| check[field].as_str().unwrap_or_default().to_owned();
        checks
            .iter()
            .filter(|check| check["name"] == name)
            .map(|check| (text(check, "level"), format!("{} -> {}", text(check, "found"), text(check, "remedy"))))
            .collect()
    }

    /// The one check of this name has this level and these words.
    fn says(&self, name: &str, level: &str, words: &[&str]) {
        let found = self.of(name);
        let [(of, text)] = &found[..] else { panic!("{name}: {found:?} in {}", self.report) };
        assert_eq!(of, level, "{name}: {text}");
        for word in words {
            assert!(text.contains(word), "`{word}` in {name}: {text}");
        }
    }

    /// The Redis of this check is used. How near it is judged to be is the machine's own affair: a busy one lets a
    /// round trip take longer than a healthy network does.
    fn reaches(&self, name: &str) {
        let found = self.of(name);
        let [(level, text)] = &found[..] else { panic!("{name}: {found:?} in {}", self.report) };
        assert!(level == "ok" || (level == "warn" && text.contains("put it nearer")), "{name}: {level}: {text}");
        assert!(text.contains("Redis ") && text.contains("a round trip takes"), "{name}: {text}");
    }

    fn failed(&self) -> Vec<&str> {
        let checks = self.report["checks"].as_array().expect("a list");
        checks.iter().filter(|check| check["level"] == "fail").filter_map(|check| check["name"].as_str()).collect()
    }
}

/// Runs it twice, for people and for programs: both say the same.
fn doctor(home: &Path, vars: &[(&str, &str)]) -> Told {
    doctor_by(|| Command::new(env!("CARGO_BIN_EXE_vendorscope")), home, vars)
}

/// The same, where another program (with its arguments) starts it.
fn doctor_by(command: impl Fn() -> Command, home: &Path, vars: &[(&str, &str)]) -> Told {
    let run = |arguments: &[&str]| {
        let output = command()
            .args(arguments)
            .current_dir(home)
            .env_clear()
            .envs(vars.iter().copied())
            .output()
            .expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
        assert_eq!(text(&output.stderr), "", "{arguments:?} says all of it on standard output");
        (output.status.code(), text(&output.stdout))
    };
    let ((code, json), (code_for_people, lines)) = (run(&["doctor", "--json"]), run(&["doctor"]));
    assert_eq!(code, code_for_people, "{lines}");
    let report: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let told = Told { code, report, lines };
    assert_eq!(told.report["well"], told.failed().is_empty(), "{json}");
    assert_eq!(told.code, Some(if told.failed().is_empty() { 0 } else { 1 }), "{json}");
    for secret in [SECRET, "hunter2"] {
        assert!(!json.contains(secret) && !told.lines.contains(secret), "{json}");
    }
    let checks = told.report["checks"].as_array().expect("a list").len();
    assert_eq!(told.lines.lines().count(), checks + 1, "one line for each, and one for all: {}", told.lines);
    told
}

fn home() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    write_browser_half(home.path());
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_installation_that_is_well_is_well() {
    let home = home();
    let vars = [("SESSION_SECRET", SECRET)];
    // Before there is a database it says what to do, and makes none.
    doctor(home.path(), &vars).says("database", "fail", &["there is no file vendorscope.db", "vendorscope migrate"]);
    assert!(!home.path().join("vendorscope.db").exists());
    std::fs::write(home.path().join("vendorscope.db"), "").expect("written");
    doctor(home.path(), &vars).says("schema", "fail", &["without tables", "vendorscope migrate"]);
    let migrated =
        Command::new(env!("CARGO_BIN_EXE_vendorscope")).arg("migrate").current_dir(home.path()).env_clear().status();
    assert!(migrated.is_ok_and(|status| status.success()));
    let told = doctor(home.path(), &vars);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    told.says("database", "ok", &["SQLite at sqlite://vendorscope.db"]);
    told.says("schema", "ok", &[]);
    told.says("writing", "ok", &[]);
    told.says("redis", "ok", &["none"]);
    assert!(told.lines.ends_with(" well\n") && told.lines.contains("0 failed"), "{}", told.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_installation_that_is_well_is_well_and_its_instances_have_the_same_secret() {
    let (home, database, redis) = (home(), TestDatabase::postgres().await, RedisServer::start());
    let sessions = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    drop(database.open().await);
    let (cache_url, sessions_url) = (redis.url(), sessions.url());
    let vars = [
        ("APP_ENV", "production"),
        ("DATABASE_URL", database.url()),
        ("DATABASE_CONNECTIONS", "4"),
        ("REDIS_URL", &cache_url),
        ("SESSION_REDIS_URL", &sessions_url),
        ("SESSION_SECRET", SECRET),
        ("PUBLIC_URL", "https://vendors.example.com"),
        ("METRICS_TOKEN", "0123456789abcdef"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    let told = doctor(home.path(), &vars);
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    for name in ["database", "schema", "writing", "rights", "database clock", "connections", "cache clock"] {
        told.says(name, "ok", &[]);
    }
    for name in ["cache rights", "sessions memory", "sessions", "limits"] {
        told.says(name, "ok", &[]);
    }
    for name in ["cache redis", "sessions redis"] {
        told.reaches(name);
    }
    told.says("cache memory", "warn", &["no limit", "deploy/redis/cache.conf"]);
    told.says("same secret", "ok", &["no instance is running"]);

    let instance = [("DATABASE_URL", database.url()), ("REDIS_URL", &cache_url), ("SESSION_REDIS_URL", &sessions_url)];
    let _running = Program::serve_with(&instance);
    doctor(home.path(), &vars).says("same secret", "ok", &["as the running instances have"]);
    let mut with_another = vars;
    with_another[5].1 = "another secret, which is long enough too";
    doctor(home.path(), &with_another).says("same secret", "fail", &["running instances have", "give all instances"]);
    // Whoever looks without their variables has none to compare.
    let development = [vars[1], vars[3], vars[4]];
    doctor(home.path(), &development).says("same secret", "warn", &["running instances have", "none to compare"]);
    // It has only asked: the instance has not heard of another one.
    doctor(home.path(), &vars).says("same secret", "ok", &["as the running instances have"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reaches_redis_by_the_same_certificates_as_an_instance() {
    let (home, certificates, port) = (home(), Certificates::make(), free_port());
    let options = certificates.of_server(port);
    let _redis = RedisServer::start_with(&options.iter().map(String::as_str).collect::<Vec<_>>());
    let database = TestDatabase::sqlite();
    drop(database.open().await);
    let url = format!("rediss://127.0.0.1:{port}");
    let [ca, own, key] = ["ca.pem", "client.pem", "client.key"].map(|name| certificates.file(name));
    let vars = [("DATABASE_URL", database.url()), ("REDIS_URL", &url), ("SESSION_SECRET", SECRET), ("REDIS_CA", &ca)];
    let told = doctor(home.path(), &[&vars[..], &[("REDIS_CERT", &own), ("REDIS_KEY", &key)]].concat());
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
    for name in ["cache rights", "limits"] {
        told.says(name, "ok", &[]);
    }
    told.reaches("cache redis");
    doctor(home.path(), &vars).says("cache redis", "fail", &[&url, "correct REDIS_URL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_each_with_what_to_do() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let told = doctor(
        home.path(),
        &[("DATABASE_URL", "mysql://u:hunter2@h/d"), ("LOG_FORMAT", "xml"), ("SESSION_SECRET", "hunter2")],
    );
    let configuration = told.of("configuration");
    assert_eq!((configuration.len(), told.failed().len()), (3, 3), "{configuration:?}");

    let closed = format!("postgres://app:hunter2@127.0.0.1:{}/d", free_port());
    let away = format!("redis://:hunter2@127.0.0.1:{}", free_port());
    let told = doctor(
        home.path(),
        &[("DATABASE_URL", &closed), ("REDIS_URL", &away), ("APP_ENV", "production"), ("SESSION_SECRET", SECRET)],
    );
    assert_eq!(told.failed(), ["files", "database", "cache redis"], "{}", told.lines);
    told.says("database", "fail", &["Connection refused", "takes connections there"]);
    told.says("cache redis", "fail", &["cannot be used", "docs/redis.md"]);
    told.says("files", "fail", &["scripts/build"]);
    told.says("metrics", "warn", &["METRICS_TOKEN"]);
    told.says("proxies", "warn", &["one address"]);
    assert!(
        told.of("configuration").iter().any(|(level, text)| level == "warn" && text.contains("PUBLIC_URL is not set"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_missing_are_named_in_the_database_and_in_redis() {
    let (home, database) = (home(), TestDatabase::postgres().await);
    drop(database.open().await);
    let mut owner = PgConnection::connect(database.url()).await.expect("a connection");
    let role = format!("role_{:032x}", rand::random::<u128>());
    for statement in [
        format!("CREATE ROLE {role} LOGIN"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
        format!("REVOKE DELETE ON orders, outbox FROM {role}"),
    ] {
        owner.execute(AssertSqlSafe(statement)).await.expect("done");
    }
    let as_role = database.url().replace("postgres://postgres@", &format!("postgres://{role}@"));
    let without_channels = RedisServer::start_with(&["--user app on >hunter2 allkeys resetchannels +@all"]);
    let url = without_channels.url().replace("redis://", "redis://app:hunter2@");
    let told = doctor(home.path(), &[("DATABASE_URL", &as_role), ("REDIS_URL", &url), ("SESSION_SECRET", SECRET)]);
    told.says("rights", "fail", &["missing on orders, outbox", "docs/deployment.md#rights"]);
    told.says("writing", "ok", &[]);
    told.says("cache rights", "fail", &["docs/redis.md#rights"]);
    assert_eq!(told.failed(), ["rights", "cache rights"], "{}", told.lines);

    let reader =
        RedisServer::start_with(&["--user app on >hunter2 allkeys allchannels +@read +@connection +info +time"]);
    let url = reader.url().replace("redis://", "redis://app:hunter2@");
    let told =
        doctor(home.path(), &[("DATABASE_URL", database.url()), ("REDIS_URL", &url), ("SESSION_SECRET", SECRET)]);
    told.says("cache rights", "fail", &["NOPERM"]);
    told.says("sessions", "fail", &["cannot be begun and ended"]);
    told.says("limits", "fail", &["refuses to count"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_thrown_away_and_too_few_connections_are_told() {
    let (home, database) = (home(), TestDatabase::postgres().await);
    drop(database.open().await);
    let redis = RedisServer::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let told = doctor(
        home.path(),
        &[
            ("DATABASE_URL", database.url()),
            ("DATABASE_CONNECTIONS", "100"),
            ("INSTANCES", "20"),
            ("REDIS_URL", &redis.url()),
            ("SESSION_SECRET", SECRET),
        ],
    );
    told.says("connections", "warn", &["2121 are what 20 instances and one command can ask for", "max_connections"]);
    told.says("cache memory", "ok", &["policy allkeys-lru"]);
    assert!(told.of("sessions").iter().any(|(level, text)| level == "warn" && text.contains("SESSION_REDIS_URL")));
    assert_eq!(told.failed(), [""; 0], "{}", told.lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_of_the_marketplace_is_asked_whether_it_answers() {
    let home = home();
    let mut provider = Provider::start();
    let issuer = provider.issuer().to_owned();
    let vars = [
        ("SESSION_SECRET", SECRET),
        ("OIDC_ISSUER", &issuer),
        ("OIDC_CLIENT_ID", "vendorscope"),
        ("OIDC_CLIENT_SECRET", "hunter2"),
        ("PUBLIC_URL", "https://vendors.example.com"),
    ];
    let callback = "https://vendors.example.com/login/marketplace/callback";
    doctor(home.path(), &vars).says("marketplace login", "ok", &["keys: 1", &issuer, callback]);
    // A slash too many is another issuer.
    let mut another = vars;
    let with_slash = format!("{issuer}/");
    another[1].1 = &with_slash;
    doctor(home.path(), &another).says("marketplace login", "fail", &["unexpected issuer", "OIDC_ISSUER"]);
    provider.end();
    doctor(home.path(), &vars).says("marketplace login", "fail", &["by password goes on"]);
    assert!(doctor(home.path(), &vars[..1]).of("marketplace login").is_empty(), "none is configured");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_says_with_which_secret_seeds_of_codes_are_sealed() {
    let (home, database) = (home(), TestDatabase::sqlite());
    let app = TestApp::builder().database(&database).config(|config| config.sessions.secret = SECRET.into());
    let app = app.spawn().await;
    let accounts = &app.state().accounts;
    let user = accounts.add_user("admin@example.com", PASSWORD, Role::Admin, None).await.expect("added");
    let says = |secret: &str, previous: &str, level: &str, words: &[&str]| {
        let vars =
            [("DATABASE_URL", database.url()), ("SESSION_SECRET", secret), ("SESSION_SECRET_PREVIOUS", previous)];
        doctor(home.path(), &vars).says("codes", level, words);
    };
    let none = doctor(home.path(), &[("DATABASE_URL", database.url()), ("SESSION_SECRET", SECRET)]);
    assert!(none.of("codes").is_empty(), "nobody has any: {}", none.lines);
    accounts.begin_totp(&user, PASSWORD, Actor::COMMAND_LINE).await.expect("begun");
    let other = "another secret, also long enough";
    says(SECRET, "", "ok", &["1 users", "SESSION_SECRET"]);
    says(other, SECRET, "warn", &["SESSION_SECRET_PREVIOUS", "leave it"]);
    says(other, "", "fail", &["1 of 1", "reset-second-factor", "recovery codes"]);
    let mut tx = app.state().db.write().await.expect("a transaction");
    tx.execute(sql("UPDATE second_factors SET secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'")).await.expect("changed");
    tx.commit().await.expect("committed");
    says(SECRET, "", "warn", &["not sealed"]);
}
