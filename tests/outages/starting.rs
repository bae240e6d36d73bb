//! What the program is given to start with and cannot work with: said at once, once, by name and with what to do.

use std::{path::Path, process::Command, time::Duration};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use vendorscope::server::db::{Db, sql};

use crate::harness::{
    GuardedPostgres, NotStarted, PgBouncer, Program, RedisServer, TestDatabase, databases, free_port,
};

/// A start that fails takes no longer than this to say so, where the server answers at all: far below the 5 s after
/// which a pool gives up.
const AT_ONCE: Duration = Duration::from_secs(4);

fn refused(vars: &[(&str, &str)]) -> NotStarted {
    match Program::start(vars) {
        Ok(_) => panic!("it starts with {vars:?}"),
        Err(refused) => refused,
    }
}

/// A refusal that names all of these, each once, and shows no password.
fn says(refused: &NotStarted, words: &[&str]) {
    let why = refused.why();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for word in words {
        assert_eq!(why.matches(word).count(), 1, "`{word}` in: {why}");
    }
    assert!(!refused.log.contains("hunter2") && !why.contains("timed out"), "{}", refused.log);
    assert!(refused.after < AT_ONCE, "after {:?}: {why}", refused.after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_a_refused_password_and_a_missing_database_are_said_once_and_at_once() {
    let closed = format!("postgres://app:hunter2@127.0.0.1:{}/market", free_port());
    says(
        &refused(&[("DATABASE_URL", &closed)]),
        &["cannot open the database postgres://app:***@", "Connection refused"],
    );

    let server = GuardedPostgres::start();
    let wrong = server.url("hunter2", "127.0.0.1");
    says(&refused(&[("DATABASE_URL", &wrong)]), &["password authentication failed for user", "percent-encoded"]);
    let missing =
        server.url(GuardedPostgres::WRITTEN, "127.0.0.1").replace("/postgres?", "/").replace("/postgres", "/x");
    let missing = missing.replacen("//x:", "//postgres:", 1);
    says(&refused(&[("DATABASE_URL", &missing)]), &["database \"x\" does not exist", "create it"]);
    // A password that means something in a URL, as it is written there.
    let right = server.url(GuardedPostgres::WRITTEN, "127.0.0.1");
    drop(Program::serve_with(&[("DATABASE_URL", &right)]));
    let raw = refused(&[("DATABASE_URL", &server.url(GuardedPostgres::PASSWORD, "127.0.0.1"))]);
    assert_eq!(raw.code, Some(2), "{raw:?}");
    assert!(raw.why().contains("/ ? # % in a password are written %2F %3F %23 %25"), "{raw:?}");
    assert!(!raw.log.contains("w?rd"), "{}", raw.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_is_verified_where_that_is_asked_for() {
    let server = GuardedPostgres::start();
    let authority = server.authority();
    let at = |host: &str, more: &str| format!("{}?{more}", server.url(GuardedPostgres::WRITTEN, host));
    let verified = format!("sslmode=verify-full&sslrootcert={}", authority.display());
    drop(Program::serve_with(&[("DATABASE_URL", &at("localhost", &verified))]));
    // Its certificate is of another name than the one it is reached by.
    says(
        &refused(&[("DATABASE_URL", &at("127.0.0.1", &verified))]),
        &["cannot open the database", "certificate not valid for name"],
    );
    // An authority that nobody here knows.
    says(
        &refused(&[("DATABASE_URL", &at("localhost", "sslmode=verify-full"))]),
        &["cannot open the database", "UnknownIssuer"],
    );
}

/// A SQLite database with its tables, all of it in the one file.
async fn sqlite_file(folder: &Path) -> String {
    let url = format!("sqlite://{}", folder.join("market.db").display());
    let db = Db::connect(&url, 1).await.expect("the database opens");
    db.migrate().await.expect("the migrations run");
    let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a connection");
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.expect("written to the file");
    url
}

/// Puts this in the place of a database that nobody has open.
fn replace(file: &Path, content: &[u8]) {
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{beside}", file.display()));
    }
    std::fs::write(file, content).expect("written");
}

/// The program without the right of root to write what its owner may not.
fn without_override() -> Command {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if std::os::unix::fs::MetadataExt::uid(&folder.path().metadata().expect("its owner")) != 0 {
        return Command::new(env!("CARGO_BIN_EXE_vendorscope"));
    }
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-dac_override", "--inh-caps=-dac_override"]).arg(env!("CARGO_BIN_EXE_vendorscope"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_cannot_be_used_is_refused_with_its_name_and_why() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("market.db");
    let url = sqlite_file(folder.path()).await;

    says(
        &refused(&[("DATABASE_URL", &format!("{url}?mode=ro"))]),
        &["market.db can be read, but not be written to", "mode=ro"],
    );
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o444)).expect("changed");
    let refused_here = Program::start_by(without_override(), &[("DATABASE_URL", &url)]).err().expect("refused");
    says(&refused_here, &["market.db can be read, but not be written to", "let this user write to the file"]);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("changed");

    let whole = std::fs::read(&file).expect("a file");
    replace(&file, &whole[..whole.len() / 3]);
    says(&refused(&[("DATABASE_URL", &url)]), &["market.db", "the file is damaged or something else"]);
    replace(&file, "<html>not found</html>".repeat(100).as_bytes());
    says(&refused(&[("DATABASE_URL", &url)]), &["market.db", "file is not a database", "put a backup in its place"]);
    let nowhere = format!("sqlite://{}/no/such/folder/x.db", folder.path().display());
    says(&refused(&[("DATABASE_URL", &nowhere)]), &["unable to open database file", "its folder is there"]);
}

/// No file may grow beyond 64 KB: the next page that SQLite writes is one too many, as on a disk that is full.
#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_for_a_database_the_start_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("market.db").display());
    let mut command = Command::new("sh");
    let limited = format!("trap '' XFSZ; ulimit -f 128; exec {} \"$@\"", env!("CARGO_BIN_EXE_vendorscope"));
    command.args(["-c", &limited, "sh"]);
    let refused = Program::start_by(command, &[("DATABASE_URL", &url)]).err().expect("refused");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.why().contains("market.db") && refused.why().contains("disk"), "{refused:?}");
    assert!(!refused.why().contains("timed out") && refused.after < AT_ONCE, "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_release_is_told_in_one_sentence_to_every_command() {
    for database in databases().await {
        let db = database.open().await;
        let mut tx = db.write().await.expect("a transaction");
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
        tx.execute(sql(newer)).await.expect("written");
        tx.commit().await.expect("committed");
        says(&refused(&[("DATABASE_URL", database.url())]), &["its last migration is 9999", "run that release"]);
        for command in [&["user", "list"][..], &["migrate"], &["rollups", "verify"]] {
            let done = Command::new(env!("CARGO_BIN_EXE_vendorscope"))
                .args(command)
                .env_clear()
                .env("DATABASE_URL", database.url())
                .output()
                .expect("it runs");
            let said = String::from_utf8(done.stderr).expect("UTF-8");
            assert_eq!((done.status.code(), said.lines().count()), (Some(1), 1), "{command:?}: {said}");
            assert_eq!(said.matches("belongs to a newer release").count(), 1, "{said}");
        }
    }
}

/// A role of this name that may log in, in the server of this database, and the database's URL as it.
pub(super) async fn role(connection: &mut PgConnection, database: &TestDatabase, grants: &[&str]) -> String {
    let name = format!("role_{:032x}", rand::random::<u128>());
    connection.execute(AssertSqlSafe(format!("CREATE ROLE {name} LOGIN"))).await.expect("a role");
    for grant in grants {
        connection.execute(AssertSqlSafe(grant.replace("ROLE", &name))).await.expect("a right");
    }
    database.url().replace("postgres://postgres@", &format!("postgres://{name}@"))
}

/// What docs/deployment.md gives to the role that serves.
fn documented_rights() -> Vec<&'static str> {
    let text = include_str!("../../docs/deployment.md");
    let rights = text.split("## Rights").nth(1).expect("the section").split("```sql").nth(1).expect("its statements");
    let rights = rights.split("```").next().unwrap_or_default();
    rights.split(';').map(str::trim).filter(|statement| statement.starts_with("GRANT")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_role_makes_the_tables_and_another_without_that_right_serves() {
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    let mut owner = PgConnection::connect(database.url()).await.expect("a connection");
    let name = database.url().rsplit_once('/').expect("a database").1;
    let rights: Vec<String> = documented_rights()
        .iter()
        .map(|statement| {
            statement.replace("DATABASE vendorscope", &format!("DATABASE {name}")).replace("vendorscope_app", "ROLE")
        })
        .collect();
    assert!(rights.len() >= 3, "{rights:?}");
    let app = role(&mut owner, &database, &rights.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let done =
        Command::new(env!("CARGO_BIN_EXE_vendorscope")).arg("migrate").env_clear().env("DATABASE_URL", &app).output();
    assert!(done.expect("it runs").status.success(), "there is nothing to migrate");

    let program = Program::serve_with(&[("DATABASE_URL", &app)]);
    let bundle = crate::harness::northwind();
    let command = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_vendorscope"))
            .args(arguments)
            .env_clear()
            .envs([("DATABASE_URL", app.as_str()), ("VENDORSCOPE_PASSWORD", crate::harness::PASSWORD)])
            .output()
            .expect("it runs");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    command(&["import", bundle.to_str().expect("UTF-8")]);
    command(&["user", "add", "v@example.com", "--role", "vendor", "--vendor", "7"]);
    command(&["rollups", "verify"]);
    command(&["rollups", "rebuild"]);
    let client = crate::harness::Client::new(program.address);
    let login = serde_json::json!({ "email": "v@example.com", "password": crate::harness::PASSWORD });
    assert_eq!(client.post("/api/auth/login", &login).await.status(), 200);
    let product = client.get_json("/api/vendor/products").await["products"][0]["productId"].clone();
    let change = serde_json::json!({ "productIds": [product], "changes": { "stock": 3 } });
    assert_eq!(client.patch("/api/vendor/products/bulk", &change).await.status(), 200);
    assert_eq!(client.get_json("/readyz").await["ready"], true);

    // A release behind, it cannot help itself, and says what is missing.
    owner
        .execute("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .await
        .expect("deleted");
    let behind = refused(&[("DATABASE_URL", &app)]);
    assert!(behind.why().contains("permission denied") && behind.why().contains("up to date"), "{behind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_read_is_refused_with_what_it_needs() {
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    let mut owner = PgConnection::connect(database.url()).await.expect("a connection");
    let reader = role(&mut owner, &database, &["GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE"]).await;
    says(
        &refused(&[("DATABASE_URL", &reader)]),
        &["can be read, but not be written to", "permission denied for table readiness", "docs/deployment.md#rights"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_pgbouncer_it_works_in_session_mode_and_says_what_is_wrong_with_others() {
    const IGNORE: &str = "ignore_startup_parameters = extra_float_digits";
    let database = TestDatabase::postgres().await;
    drop(database.open().await);
    for mode in ["transaction", "statement"] {
        let pooler = PgBouncer::start(database.url(), mode, IGNORE).await;
        says(
            &refused(&[("DATABASE_URL", &pooler.url())]),
            &["a pooler in transaction mode stands before it", "session mode", "docs/deployment.md#pgbouncer"],
        );
    }
    let strict = PgBouncer::start(database.url(), "session", "").await;
    says(&refused(&[("DATABASE_URL", &strict.url())]), &["unsupported startup parameter", "ignore_startup_parameters"]);

    let pooler = PgBouncer::start(database.url(), "session", IGNORE).await;
    let url = pooler.url();
    let program = Program::serve_with(&[("DATABASE_URL", &url)]);
    let client = crate::harness::Client::new(program.address);
    for _ in 0..5 {
        assert_eq!(client.get_json("/readyz").await["database"], "ok");
        assert_eq!(
            client.post("/api/auth/login", &serde_json::json!({ "email": "a@b.c", "password": "x" })).await.status(),
            401
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_files_it_does_not_start_and_says_which_and_what_to_do() {
    let database = TestDatabase::sqlite();
    let empty = tempfile::tempdir().expect("a temporary folder");
    let folder = empty.path().display().to_string();
    let vars = [("DATABASE_URL", database.url()), ("LEPTOS_SITE_ROOT", folder.as_str())];
    says(&refused(&vars), &[&folder, "/pkg/vendorscope.css is missing", "scripts/build", "LEPTOS_SITE_ROOT"]);
    crate::harness::write_browser_half(empty.path());
    let there = empty.path().join("target/site").display().to_string();
    drop(Program::serve_with(&[("DATABASE_URL", database.url()), ("LEPTOS_SITE_ROOT", &there)]));
    std::fs::remove_file(empty.path().join("target/site/pkg/vendorscope.wasm")).expect("removed");
    says(
        &refused(&[("DATABASE_URL", database.url()), ("LEPTOS_SITE_ROOT", &there)]),
        &["/pkg/vendorscope.wasm is missing"],
    );

    // A copy of the program that lies where there is no hash.txt.
    let alone = empty.path().join("vendorscope");
    std::fs::copy(env!("CARGO_BIN_EXE_vendorscope"), &alone).expect("copied");
    let vars = [("DATABASE_URL", database.url()), ("LEPTOS_HASH_FILES", "true")];
    let refused = Program::start_by(Command::new(&alone), &vars).err().expect("refused");
    says(
        &refused,
        &[&format!("no {} beside the program", empty.path().join("hash.txt").display()), "LEPTOS_HASH_FILES"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_probably_not_meant_is_in_the_log() {
    let database = TestDatabase::sqlite();
    let program = Program::serve_with(&[("DATABASE_URL", database.url()), ("LEPTOS_SITE_ADDR", "0.0.0.0:0")]);
    assert!(program.log().contains("APP_ENV=development listens on 0.0.0.0:0"), "{}", program.log());
    let redis = crate::harness::RedisServer::start();
    let production = [("DATABASE_URL", database.url()), ("REDIS_URL", &redis.url()), ("APP_ENV", "production")];
    let program = Program::serve_with(&production);
    assert!(program.log().contains("PUBLIC_URL is not set"), "{}", program.log());
    let meant = [production.as_slice(), &[("PUBLIC_URL", "https://vendors.example.com")]].concat();
    assert!(!Program::serve_with(&meant).log().contains("PUBLIC_URL"), "nothing to say");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_postgresql_that_nothing_verifies_is_warned_of() {
    let (server, redis) = (GuardedPostgres::start(), crate::harness::RedisServer::start());
    let authority = format!("sslrootcert={}", server.authority().display());
    let log = |host: &str, mode: &str| {
        let url = format!("{}?{mode}", server.url(GuardedPostgres::WRITTEN, host));
        let program = Program::serve_with(&[
            ("DATABASE_URL", &url),
            ("REDIS_URL", &redis.url()),
            ("APP_ENV", "production"),
            ("PUBLIC_URL", "https://vendors.example.com"),
        ]);
        program.log()
    };
    // This is the same machine, by an address that does not say so.
    let elsewhere = "0.0.0.0";
    for mode in ["sslmode=prefer", "sslmode=require", "sslmode=disable"] {
        let log = log(elsewhere, mode);
        assert_eq!(log.matches("the connection to PostgreSQL at 0.0.0.0 is not verified").count(), 1, "{mode}: {log}");
        assert!(log.contains("sslmode=verify-full&sslrootcert=") && !log.contains("w%3Frd"), "{mode}: {log}");
    }
    for (host, mode) in [
        (elsewhere, format!("sslmode=verify-full&{authority}")),
        (elsewhere, format!("sslmode=verify-ca&{authority}")),
        ("localhost", "sslmode=require".to_owned()),
    ] {
        let log = log(host, &mode);
        assert!(!log.contains("not verified"), "{host} {mode}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_open_files_is_raised_to_what_the_process_may_have() {
    let database = TestDatabase::sqlite();
    let mut command = Command::new("sh");
    let limited = format!("ulimit -Sn 256; exec {} \"$@\"", env!("CARGO_BIN_EXE_vendorscope"));
    command.args(["-c", &limited, "sh"]);
    let program = Program::start_by(command, &[("DATABASE_URL", database.url())]).expect("it starts");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).expect("its limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let numbers: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(numbers[3], numbers[4], "soft and hard: {line}");
    assert!(program.log().contains("before=256"), "{}", program.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_port_is_taken_nothing_is_claimed_that_the_running_instance_uses() {
    let (database, own, other) = (TestDatabase::sqlite(), RedisServer::start(), RedisServer::start());
    let program = Program::serve(&database, &own.url());
    let db = database.open().await;
    let claim = async || {
        let mut tx = db.read().await.expect("a transaction");
        let rows = tx.rows(sql("SELECT epoch FROM cache_store")).await.expect("rows");
        sqlx::Row::get::<i64, _>(&rows[0], 0)
    };
    let before = claim().await;
    let vars = [
        ("DATABASE_URL", database.url().to_owned()),
        ("REDIS_URL", other.url()),
        ("LEPTOS_SITE_ADDR", program.address.to_string()),
    ];
    let vars: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = refused(&vars);
    assert!(refused.why().contains("cannot listen on"), "{refused:?}");
    assert_eq!(claim().await, before);
}
