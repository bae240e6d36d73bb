use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::TestApp;

/// Far longer than any of these takes.
const SOON: Duration = Duration::from_secs(60);

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.address).await.expect("a connection")
}

/// What comes over a connection until it is closed.
async fn read_to_the_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the connection is closed");
    // Closed with or without a farewell.
    let _ = read;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_over_which_no_request_comes_is_closed() {
    let app = TestApp::builder().config(|config| config.http.idle_timeout = Duration::from_millis(300)).spawn().await;
    let mut silent = connect(&app).await;
    let mut slow = connect(&app).await;
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-half: ").await.expect("sent");
    let mut idle = connect(&app).await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    assert_eq!(read_to_the_end(&mut silent).await, "");
    assert!(!read_to_the_end(&mut slow).await.contains("200 OK"));
    let answered = read_to_the_end(&mut idle).await;
    assert!(
        answered.contains("200 OK") && answered.ends_with("alive\n"),
        "answered, and closed afterwards: {answered}"
    );
    assert_eq!(app.client().get("/healthz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_may_be_wait_and_are_answered_when_others_end() {
    let app = TestApp::builder().config(|config| config.http.connections = Some(16)).spawn().await;
    let mut held = Vec::new();
    for _ in 0..16 {
        held.push(connect(&app).await);
    }
    // Accepted by the system, and by nobody else.
    let client = app.client();
    let waiting = tokio::spawn(async move { client.get("/healthz").await.status().as_u16() });
    let mut probe = connect(&app).await;
    probe.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), probe.read(&mut byte)).await.is_err(), "not answered yet");
    held.clear();
    assert_eq!(timeout(SOON, waiting).await.expect("an answer").expect("no panic"), 200);
    assert_eq!(timeout(SOON, probe.read(&mut byte)).await.expect("an answer").expect("a byte"), 1);
}
