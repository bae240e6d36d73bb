use futures::{Stream, StreamExt};
use serde_json::json;

use crate::harness::{Client, RedisServer, TestApp, TestDatabase};

/// The lines of an event stream, from its first on.
async fn listen(client: &Client) -> impl Stream<Item = String> + Unpin {
    let response = client.get("/api/vendor/events").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let pieces = response.bytes_stream().map(|piece| String::from_utf8(piece.expect("an open stream").to_vec()).expect("UTF-8"));
    let mut lines = Box::pin(pieces.flat_map(|piece| futures::stream::iter(piece.lines().map(str::to_owned).collect::<Vec<_>>())));
    // From here on nothing is missed.
    while lines.next().await.expect("a first line") != ": listening" {}
    lines
}

async fn next_change(lines: &mut (impl Stream<Item = String> + Unpin)) -> String {
    while lines.next().await.expect("an open stream") != "event: changed" {}
    lines.next().await.expect("its data")
}

/// Renames the vendor's first product.
async fn rename(client: &Client, name: &str) {
    let listing = client.get_json("/api/vendor/products").await;
    let mut product = listing["products"][0].clone();
    product["name"] = json!(name);
    let path = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
    assert_eq!(client.put(&path, &product).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_open_dashboard_hears_of_a_change_through_any_instance_and_of_nobody_elses() {
    let (redis, database) = (RedisServer::start(), TestDatabase::postgres().await);
    let one = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    let other = TestApp::builder().database(&database).redis(&redis).spawn().await;
    let (mine, theirs) = (one.log_in_as_vendor("7").await, one.log_in_as_vendor("12").await);
    let mut lines = listen(&mine).await;
    rename(&theirs.at(&other), "Not for the seventh").await;
    // Whether the instance hears the others by now is not known: changed until heard.
    let heard = async { next_change(&mut lines).await };
    let changing = async {
        loop {
            rename(&mine.at(&other), "Renamed").await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        data = heard => assert_eq!(data, r#"data: {"changed":["products"]}"#),
        () = changing => (),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_redis_it_hears_of_changes_in_its_own_process() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let mut lines = listen(&client).await;
    rename(&client, "Renamed").await;
    assert_eq!(next_change(&mut lines).await, r#"data: {"changed":["products"]}"#);
}

#[tokio::test]
async fn nobody_listens_without_being_a_vendor() {
    let app = TestApp::builder().northwind().spawn().await;
    assert_eq!(app.client().get("/api/vendor/events").await.status(), 401);
    assert_eq!(app.log_in_as_admin().await.get("/api/vendor/events").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_end_when_the_server_stops() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let lines = listen(&client).await;
    app.state().live.stop();
    assert_eq!(lines.collect::<Vec<_>>().await.join(""), "", "nothing more, and the end");
}
