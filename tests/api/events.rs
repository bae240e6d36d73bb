use std::time::Duration;

use futures::{StreamExt, stream::BoxStream};
use reqwest::Method;
use serde_json::json;
use vendorscope::{
    domain::accounts::Role,
    server::{identity::accounts::Actor, live::MAX_STREAMS_OF_A_USER},
};

use crate::harness::{Client, PASSWORD, RedisServer, TestApp, TestDatabase};

type Lines = BoxStream<'static, String>;

/// The lines of an event stream, from its first on.
async fn listen(client: &Client) -> Lines {
    listen_with(client.request(Method::GET, "/api/vendor/events")).await
}

async fn listen_with(request: reqwest::RequestBuilder) -> Lines {
    let response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let pieces =
        response.bytes_stream().map(|piece| String::from_utf8(piece.expect("an open stream").to_vec()).expect("UTF-8"));
    let mut lines =
        pieces.flat_map(|piece| futures::stream::iter(piece.lines().map(str::to_owned).collect::<Vec<_>>())).boxed();
    // From here on nothing is missed.
    while lines.next().await.expect("a first line") != ": listening" {}
    lines
}

async fn next_change(lines: &mut Lines) -> String {
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
            tokio::time::sleep(Duration::from_millis(100)).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vendor_that_moves_is_heard_of() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let mut lines = listen(&client).await;
    assert_eq!(client.put("/api/account/time-zone", &json!({ "timeZone": "Asia/Tokyo" })).await.status(), 204);
    assert_eq!(next_change(&mut lines).await, r#"data: {"changed":["products","orders"]}"#);
}

/// Every way in which someone's right to listen ends.
const ENDINGS: [&str; 6] =
    ["logged out", "logged out everywhere", "session ended", "password changed", "disabled", "key revoked"];

/// Opens a stream of a user of vendor 7 of its own, and ends the right to it.
async fn listen_until(app: &TestApp, ending: &str) -> Lines {
    let email = format!("{}@example.com", ending.replace(' ', "-"));
    let client = app.log_in(&email, Role::Vendor, Some("7")).await;
    let made: serde_json::Value = client
        .post("/api/account/keys", &json!({ "name": "a key", "password": PASSWORD, "scope": "write" }))
        .await
        .json()
        .await
        .expect("a key");
    let secret = made["secret"].as_str().expect("a secret");
    let lines = listen_with(match ending {
        "key revoked" => app.client().request(Method::GET, "/api/vendor/events").bearer_auth(secret),
        _ => client.request(Method::GET, "/api/vendor/events"),
    })
    .await;
    let delete = async |path: String| {
        assert_eq!(client.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204)
    };
    match ending {
        "logged out" => assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204),
        "logged out everywhere" => delete("/api/account/sessions".to_owned()).await,
        "session ended" => {
            let sessions = client.get_json("/api/account/sessions").await;
            delete(format!("/api/account/sessions/{}", sessions["sessions"][0]["sessionId"].as_str().expect("a name")))
                .await;
        }
        "password changed" => {
            let change = json!({ "current": PASSWORD, "password": "another horse with a better battery" });
            assert_eq!(client.put("/api/account/password", &change).await.status(), 204);
        }
        "disabled" => {
            // As the command does.
            let user = app.state().accounts.disable(&email, Actor::COMMAND_LINE).await.expect("disabled");
            app.state().sessions.end_all(&user, None).await.expect("ended");
        }
        _ => delete(format!("/api/account/keys/{}", made["key"]["keyId"].as_str().expect("an id"))).await,
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_may_not_listen_any_more_is_told_nothing_more() {
    let redis = RedisServer::start();
    for app in
        [TestApp::builder().northwind().spawn().await, TestApp::builder().northwind().redis(&redis).spawn().await]
    {
        let colleague = app.log_in_as_vendor("7").await;
        let mut theirs = listen(&colleague).await;
        for ending in ENDINGS {
            let lines = listen_until(&app, ending).await;
            rename(&colleague, &format!("Renamed when {ending}")).await;
            assert_eq!(lines.collect::<Vec<_>>().await.join(""), "", "{ending}: nothing more, and the end");
            assert_eq!(
                next_change(&mut theirs).await,
                r#"data: {"changed":["products"]}"#,
                "{ending}: who may listen still hears of it"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stream_on_which_nothing_happens_ends_soon_after_the_right_to_it() {
    let app = TestApp::builder().northwind().spawn().await;
    // An open stream is no use of a session: this one ends three seconds after its login.
    let short = TestApp::builder()
        .northwind()
        .config(|config| config.sessions.idle_limits.others = Some(Duration::from_secs(3)))
        .spawn()
        .await;
    let mut streams = vec![listen(&short.log_in_as_vendor("7").await).await];
    for ending in ENDINGS {
        streams.push(listen_until(&app, ending).await);
    }
    let ends = streams.into_iter().map(|lines| async move {
        // Comments that keep the connection open may come before the end.
        lines
            .filter(|line| std::future::ready(!line.is_empty() && !line.starts_with(':')))
            .collect::<Vec<_>>()
            .await
            .join("")
    });
    assert!(futures::future::join_all(ends).await.iter().all(String::is_empty), "nothing, and the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_nobody_can_say_whether_one_may_listen_messages_wait() {
    let redis = RedisServer::start();
    let app = TestApp::builder().northwind().sessions_in(&redis).spawn().await;
    let (client, key) = (app.log_in_as_vendor("7").await, app.log_in("key@example.com", Role::Vendor, Some("7")).await);
    let made: serde_json::Value = key
        .post("/api/account/keys", &json!({ "name": "a key", "password": PASSWORD, "scope": "write" }))
        .await
        .json()
        .await
        .expect("a key");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    let product = client.get_json("/api/vendor/products").await["products"][0].clone();
    let mut lines = listen(&client).await;
    redis.freeze();
    // Keys are in the database.
    let path = format!("/api/vendor/products/{}", product["productId"].as_str().expect("an id"));
    let mut renamed = product.clone();
    renamed["name"] = json!("Renamed in the dark");
    let change =
        app.client().request(Method::PUT, &path).bearer_auth(&secret).json(&renamed).send().await.expect("an answer");
    assert_eq!(change.status(), 200);
    // The question has been asked, and was not answered.
    let wait = tokio::time::timeout(Duration::from_secs(3), next_change(&mut lines)).await;
    assert!(wait.is_err(), "told nothing while nobody can say: {wait:?}");
    redis.thaw();
    assert_eq!(next_change(&mut lines).await, r#"data: {"changed":["products"]}"#, "and afterwards what was missed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_has_a_few_streams_and_is_told_when_there_are_too_many() {
    let app = TestApp::builder().northwind().spawn().await;
    let (client, colleague) =
        (app.log_in_as_vendor("7").await, app.log_in("colleague@example.com", Role::Vendor, Some("7")).await);
    let made: serde_json::Value = client
        .post("/api/account/keys", &json!({ "name": "a key", "password": PASSWORD, "scope": "write" }))
        .await
        .json()
        .await
        .expect("a key");
    let secret = made["secret"].as_str().expect("a secret");
    let mut streams = Vec::new();
    // Whether with a session or with a key: they are one user's.
    for number in 0..MAX_STREAMS_OF_A_USER {
        streams.push(match number % 2 {
            0 => listen(&client).await,
            _ => listen_with(app.client().request(Method::GET, "/api/vendor/events").bearer_auth(secret)).await,
        });
    }
    let refused = client.get("/api/vendor/events").await;
    assert!(refused.headers().contains_key("retry-after"));
    let told = super::problem(refused, 429, "too_many_streams").await;
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("10 event streams")), "{told}");
    let _theirs = listen(&colleague).await;
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    // Where one closes, another opens.
    streams.pop();
    while client.get("/api/vendor/events").await.status() != 200 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn however_many_streams_a_key_has_a_write_asks_about_it_once() {
    let app = TestApp::builder().northwind().spawn().await;
    let (client, writer) =
        (app.log_in_as_vendor("7").await, app.log_in("writer@example.com", Role::Vendor, Some("7")).await);
    let made: serde_json::Value = client
        .post("/api/account/keys", &json!({ "name": "a key", "password": PASSWORD, "scope": "write" }))
        .await
        .json()
        .await
        .expect("a key");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    // Its use is noted beside the requests, once a minute: it has been before anything is counted.
    assert_eq!(
        app.client()
            .request(Method::GET, "/api/auth/me")
            .bearer_auth(&secret)
            .send()
            .await
            .expect("an answer")
            .status(),
        200
    );
    while client.get_json("/api/account/keys").await["keys"][0]["lastUsedAt"].is_null() {}
    let before = app.queries();
    rename(&writer, "Renamed unheard").await;
    let unheard = app.queries() - before;
    let mut streams = Vec::new();
    for _ in 0..MAX_STREAMS_OF_A_USER {
        streams.push(listen_with(app.client().request(Method::GET, "/api/vendor/events").bearer_auth(&secret)).await);
    }
    let before = app.queries();
    rename(&writer, "Renamed and heard").await;
    for stream in &mut streams {
        next_change(stream).await;
    }
    let heard = app.queries() - before;
    // The key is looked up.
    assert!(heard <= unheard + 1, "{heard} statements with ten streams, {unheard} without");
}
