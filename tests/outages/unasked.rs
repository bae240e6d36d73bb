use std::time::{Duration, Instant};

use reqwest::Url;

use crate::harness::{
    Client, RedisServer, TestApp, TestDatabase,
    proxy::{Fault, Proxy},
};

const WITHIN: Duration = Duration::from_secs(60);

async fn until(client: &Client, status: u16) {
    let begun = Instant::now();
    loop {
        let now = client.get("/api/auth/me").await.status();
        if now == status {
            return;
        }
        assert!(begun.elapsed() < WITHIN, "{now}, and never {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What one instance cannot ask, another may have been told: somebody was shut out there, and the session store has
/// lost track of the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_database_a_session_is_taken_to_be_good_for_a_while_and_then_nobody_is_let_in_or_logged_out() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start());
    let mut url: Url = database.url().parse().expect("an address");
    let proxy = Proxy::before(url.port().expect("a port")).await;
    url.set_port(Some(proxy.port())).expect("a port");
    let one = TestApp::builder().database(&database).redis(&redis).northwind().spawn().await;
    let other = TestApp::builder().database(&database).redis(&redis).config(|config| {
        config.database.url = url.to_string().into();
        config.sessions.trusted_unasked = Duration::from_secs(2);
    });
    let other = other.spawn_as_configured().await;
    let client = one.log_in_as_vendor("7").await.at(&other);
    proxy.set(Fault::Reset);
    assert_eq!(client.get("/api/auth/me").await.status(), 200, "taken to be good");
    until(&client, 503).await;
    let refused = client.get("/api/auth/me").await;
    assert_eq!(refused.status(), 503, "and so it stays");
    assert!(refused.headers().contains_key("retry-after") && !refused.headers().contains_key("set-cookie"));
    proxy.set(Fault::None);
    until(&client, 200).await;
}

/// Neither the outbox nor a loader gets an answer, and nobody is told so: what Redis holds is shown, with its age. The
/// first who asks waits as long as a look at the outbox may take, those after him a second for the load.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_front_of_a_database_in_a_black_hole_figures_are_said_to_be_from_before() {
    let (database, redis) = (TestDatabase::postgres().await, RedisServer::start());
    let mut url: Url = database.url().parse().expect("an address");
    let proxy = Proxy::before(url.port().expect("a port")).await;
    url.set_port(Some(proxy.port())).expect("a port");
    let app = TestApp::builder().database(&database).redis(&redis).northwind().unlimited();
    let app = app.config(|config| config.database.url = url.to_string().into()).spawn_as_configured().await;
    let client = app.log_in_as_vendor("7").await;
    let path = "/api/vendor/analytics/snapshot?dateFrom=1996-07-01&dateTo=1998-05-31";
    let cached = async || {
        let began = Instant::now();
        let answer = client.get(path).await;
        (answer.headers().get("x-cache").map(|how| how.to_str().expect("ASCII").to_owned()), began.elapsed())
    };
    let hit = Some("HIT".to_owned());
    while cached().await.0 != hit {}
    proxy.set(Fault::BlackHole);
    let began = Instant::now();
    loop {
        let (how, took) = cached().await;
        assert!(took < Duration::from_secs(6), "{how:?} after {took:?}");
        if how.as_deref() == Some("STALE") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{how:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for _ in 0..3 {
        let (how, took) = cached().await;
        // Not for the look again, which may take 3 s.
        assert!(how.as_deref() == Some("STALE") && took < Duration::from_secs(3), "{how:?} after {took:?}");
    }
    proxy.set(Fault::None);
    while cached().await.0 != hit {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come back");
    }
}
