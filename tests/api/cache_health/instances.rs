use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use vendorscope::{
    server::db::{
        health::{InstanceRow, list_events, list_instances, note},
        sql,
    },
    server_functions::cache_health::InstanceState,
};

use crate::harness::{Program, TestApp, TestDatabase, databases, until};

async fn health(app: &TestApp) -> Value {
    app.log_in_as_admin().await.get_json("/api/admin/cache/stats").await["health"].take()
}

fn list<'v>(health: &'v Value, of: &str) -> &'v Vec<Value> {
    health[of].as_array().expect("a list")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_that_has_fallen_silent_is_missed_unless_another_was_started_in_its_place() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).spawn().await;
        let db = &app.state().db;
        let here = until("it writes down that it is there", async || {
            list_instances(db, 0).await.expect("a list").into_iter().map(|row| row.name).next()
        });
        let here = here.await;
        let row = |id: &str, name: &str, silent_for: i64| {
            let now = Timestamp::now().as_microsecond();
            InstanceRow {
                id: id.to_owned(),
                name: name.to_owned(),
                version: "1".to_owned(),
                started_us: now - 600_000_000,
                seen_us: now - silent_for * 1_000_000,
                ended_us: None,
                state: "{}".to_owned(),
            }
        };
        for row in [row("lost", "elsewhere:1", 40), row("late", "elsewhere:2", 20), row("before", &here, 40)] {
            note(db, &row, &[], &[], &[]).await.expect("noted");
        }
        let state = |state: InstanceState| serde_json::to_string(&state).expect("JSON");
        let owing = InstanceState { outbox_pending: 2, ..InstanceState::default() };
        let refused = InstanceState { refusal: Some("NOPERM".to_owned()), ..InstanceState::default() };
        for (id, of) in [("owing", owing), ("refused", refused)] {
            note(db, &InstanceRow { state: state(of), ..row(id, id, 20) }, &[], &[], &[]).await.expect("noted");
        }
        let health = health(&app).await;
        let how = |id: &str| {
            let one = list(&health, "instances").iter().find(|one| one["id"] == id).expect("an instance");
            (one["presence"].clone(), one["level"].clone())
        };
        assert_eq!(how("lost"), (json!("silent"), json!("warning")), "{health}");
        assert_eq!(how("late"), (json!("running"), json!("ok")), "it writes every ten seconds: {health}");
        assert_eq!(how("owing"), (json!("running"), json!("notice")), "{health}");
        assert_eq!(how("refused"), (json!("running"), json!("bad")), "{health}");
        assert_eq!(how("before"), (json!("ended"), json!("ok")), "this one has its place: {health}");
        assert_eq!(health["verdict"]["rule"], "redis_refuses", "{health}");
        assert!(list(&health, "also").iter().any(|found| found["rule"] == "instance_silent"), "{health}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_that_was_told_to_stop_is_said_to_have_stopped_and_is_not_missed() {
    let database = TestDatabase::sqlite();
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url())]);
    let place = format!(":{}", program.address.port());
    let db = database.open().await;
    until("its start is written down", async || {
        list_instances(&db, 0).await.expect("a list").into_iter().find(|row| row.name.ends_with(&place))
    })
    .await;
    program.tell_to_stop();
    assert_eq!(program.until_ended().await, Some(0));
    let app = TestApp::builder().database(&database).spawn().await;
    let health = health(&app).await;
    let is_there = |value: &Value| value.as_str().is_some_and(|name| name.ends_with(&place));
    let one = list(&health, "instances").iter().find(|one| is_there(&one["name"])).expect("it is listed for an hour");
    assert_eq!((&one["presence"], &one["level"]), (&json!("ended"), &json!("ok")), "{health}");
    let kinds = list(&health, "events").iter().filter(|event| is_there(&event["instance"])).map(|event| &event["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["stopped", "started"], "{health}");
}

/// The database has what an instance was writing down when it was told to stop, and is slow to say so: commits wait
/// until the test lets them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_an_instance_was_writing_down_when_it_was_told_to_stop_is_written_once() {
    let database = TestDatabase::postgres().await;
    let db = database.open().await;
    let mut slow = db.write().await.expect("a transaction");
    for statement in [
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON cache_events DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION wait()",
    ] {
        slow.execute(sql(statement)).await.expect("done");
    }
    slow.commit().await.expect("committed");
    let mut holding = db.write().await.expect("a transaction");
    holding.rows(sql("SELECT CAST(pg_advisory_xact_lock(1) AS TEXT) AS held")).await.expect("held");
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url())]);
    let waits = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'";
    until("its start is on its way", async || {
        let mut look = db.read().await.expect("a transaction");
        let waiting = look.rows(sql(waits)).await.expect("rows");
        (!waiting.is_empty()).then_some(())
    })
    .await;
    program.tell_to_stop();
    until("nobody is let in any more", async || TcpStream::connect(program.address).await.is_err().then_some(())).await;
    holding.commit().await.expect("committed");
    assert_eq!(program.until_ended().await, Some(0));
    let events = list_events(&db, 0, 10).await.expect("a list");
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["stopped", "started"]);
}
