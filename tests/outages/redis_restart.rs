use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::Method;

use crate::harness::{Client, RedisServer, TestApp};

const USERS: usize = 20;
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// What the users saw so far.
#[derive(Default)]
struct Seen {
    ok: AtomicUsize,
    unavailable: AtomicUsize,
    stop: AtomicBool,
}

async fn keep_asking(client: &Client, seen: &Seen) {
    while !seen.stop.load(Ordering::Relaxed) {
        let response = client.get("/api/auth/me").await;
        assert!(!response.headers().contains_key("set-cookie"), "no cookie is taken away");
        match response.status().as_u16() {
            200 => seen.ok.fetch_add(1, Ordering::Relaxed),
            503 => {
                assert!(response.headers().contains_key("retry-after"));
                seen.unavailable.fetch_add(1, Ordering::Relaxed)
            }
            other => panic!("{other}: {}", response.text().await.unwrap_or_default()),
        };
    }
}

/// Until a counter has grown by as many as there are users: each of them was answered so, or some of them twice.
async fn until_more(counter: &AtomicUsize) {
    let (begun, before) = (Instant::now(), counter.load(Ordering::Relaxed));
    while counter.load(Ordering::Relaxed) < before + USERS {
        assert!(begun.elapsed() < BACK_WITHIN, "nothing more of it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_may_go_and_come_back_under_load_and_everyone_is_still_logged_in() {
    // What it has acknowledged it still has after it was killed.
    let mut redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let app = TestApp::builder().redis(&redis).config(|config| config.limits.reads = None).spawn().await;
    let mut clients = Vec::new();
    for number in 0..USERS {
        clients.push(
            app.log_in(&format!("user-{number}@example.com"), vendorscope::domain::accounts::Role::Admin, None).await,
        );
    }
    let seen = Seen::default();
    let asking = join_all(clients.iter().map(|client| keep_asking(client, &seen)));
    let breaking = async {
        for _ in 0..2 {
            until_more(&seen.ok).await;
            redis.kill();
            until_more(&seen.unavailable).await;
            let page = clients[0]
                .request(Method::GET, "/account")
                .header("accept", "text/html")
                .send()
                .await
                .expect("an answer");
            assert_eq!((page.status().as_u16(), page.headers().contains_key("retry-after")), (503, true));
            redis.restart();
            until_more(&seen.ok).await;
        }
        seen.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(asking, breaking);
    for client in &clients {
        assert_eq!(client.get("/api/auth/me").await.status(), 200, "nobody was lost");
    }
}
