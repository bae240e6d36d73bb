//! An instance that is told to stop: balancers hear of it first, and nobody who asked is cut off.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Client, Program, TestDatabase};

/// Longer than anything here takes, and what the listener stays open for.
const STOP_DELAY: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readiness_goes_first_then_the_listener_and_requests_in_flight_are_finished() {
    let database = TestDatabase::sqlite();
    let delay = STOP_DELAY.to_string();
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url()), ("STOP_DELAY", &delay)]);
    let client = Client::new(program.address);
    assert_eq!(client.get_json("/readyz").await["ready"], true);

    // A request that is on its way all the time: its body comes in two parts.
    let body = r#"{"email":"nobody@example.com","password":"a password that is wrong"}"#;
    let mut in_flight = TcpStream::connect(program.address).await.expect("a connection");
    let head = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        program.address,
        body.len()
    );
    in_flight.write_all(head.as_bytes()).await.expect("sent");
    in_flight.write_all(&body.as_bytes()[..10]).await.expect("sent");
    // Another one that the server has taken, so that it has the first as well.
    assert_eq!(client.get("/healthz").await.status(), 200);

    let told = Instant::now();
    program.tell_to_stop();
    program.until_log_has("not ready any more").await;
    let answer = Client::new(program.address).get("/readyz").await;
    assert_eq!(answer.status(), 503);
    let body_of_answer: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&body_of_answer["ready"], &body_of_answer["stopping"]),
        (&false.into(), &true.into()),
        "{body_of_answer}"
    );
    // Whoever has not heard of it yet is answered all the same, over new connections too.
    let mut answered = 0;
    while let Ok(response) = Client::new(program.address).request(Method::GET, "/healthz").send().await {
        assert_eq!(response.status(), 200);
        answered += 1;
        assert!(told.elapsed() < Duration::from_secs(60), "the listener never closes");
    }
    assert!(told.elapsed() >= Duration::from_secs(STOP_DELAY), "closed after {:?}", told.elapsed());
    assert!(answered > 0, "it goes on answering");

    // The listener is closed, and the first request gets its answer.
    in_flight.write_all(&body.as_bytes()[10..]).await.expect("sent");
    let mut text = Vec::new();
    in_flight.read_to_end(&mut text).await.expect("an answer");
    assert!(text.starts_with(b"HTTP/1.1 401 "), "{}", String::from_utf8_lossy(&text));
    assert_eq!(program.until_ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_nothing_is_set_a_developer_does_not_wait() {
    let database = TestDatabase::sqlite();
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url())]);
    let told = Instant::now();
    program.tell_to_stop();
    assert_eq!(program.until_ended().await, Some(0));
    assert!(told.elapsed() < Duration::from_secs(STOP_DELAY), "{:?}", told.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_instance_that_has_stopped_leaves_nothing_beside_a_sqlite_file() {
    let database = TestDatabase::sqlite();
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url())]);
    let file = database.url().trim_start_matches("sqlite://").to_owned();
    let wal = std::path::PathBuf::from(format!("{file}-wal"));
    assert!(wal.exists(), "it is there while it runs");
    program.tell_to_stop();
    assert_eq!(program.until_ended().await, Some(0));
    assert!(!wal.exists(), "what was written is in the file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_signal_ends_an_instance_at_once() {
    let database = TestDatabase::sqlite();
    let mut program = Program::serve_with(&[("DATABASE_URL", database.url()), ("STOP_DELAY", "300")]);
    program.tell_to_stop();
    program.until_log_has("not ready any more").await;
    program.tell_to_stop();
    // Far less than the delay, or the test would say that it does not end.
    assert_eq!(program.until_ended().await, Some(1));
}
