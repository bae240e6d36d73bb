use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::json;
use vendorscope::{
    domain::accounts::Role,
    server::config::{Config, Limit, parse_network},
};

use super::{VENDOR, problem};
use crate::harness::{PASSWORD, RedisServer, TestApp, TestDatabase};

fn limit(count: u32, seconds: u64) -> Option<Limit> {
    Limit::new(count, Duration::from_secs(seconds))
}

fn few_logins(config: &mut Config) {
    config.limits.login_account = limit(3, 3600);
    config.limits.login_address = limit(8, 3600);
    config.http.trusted_proxies = vec![parse_network("127.0.0.1").expect("an address")];
}

/// A login through a proxy that says where it comes from.
async fn log_in(app: &TestApp, from: &str, email: &str, password: &str) -> Response {
    let request = app.client().request(Method::POST, "/api/auth/login").header("x-forwarded-for", from);
    request.json(&json!({ "email": email, "password": password })).send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_one_account_from_everywhere_ends_after_a_few_tries() {
    let app = TestApp::builder().config(few_logins).spawn().await;
    app.state().accounts.add_user("one@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    // However the address is written: what is one account is counted as one.
    for (try_number, address) in
        ["one@example.com", "\u{200b}one@example.com", "\u{a0}One@example.com\u{feff}"].into_iter().enumerate()
    {
        assert_eq!(log_in(&app, &format!("203.0.113.{try_number}"), address, "a guess").await.status(), 401);
    }
    let refused = log_in(&app, "203.0.113.99", " ONE@example.com", PASSWORD).await;
    let wait: u64 = refused.headers()["retry-after"].to_str().expect("ASCII").parse().expect("seconds");
    assert!((1..=1200).contains(&wait), "one more each 20 minutes: {wait}");
    problem(refused, 429, "too_many_requests").await;
    // An account that nobody has is limited like one that somebody has: the limit says nothing of which is which.
    for _ in 0..3 {
        assert_eq!(log_in(&app, "203.0.113.1", "nobody@example.com", "a guess").await.status(), 401);
    }
    assert_eq!(log_in(&app, "203.0.113.1", "nobody@example.com", "a guess").await.status(), 429);
    assert_eq!(log_in(&app, "203.0.113.1", "somebody-else@example.com", "a guess").await.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_at_many_accounts_from_one_network_ends_too() {
    for (first, second, elsewhere) in
        [("203.0.113.7", "203.0.113.7", "203.0.113.8"), ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")]
    {
        let app = TestApp::builder().config(few_logins).spawn().await;
        for try_number in 0..8 {
            let from = if try_number % 2 == 0 { first } else { second };
            assert_eq!(log_in(&app, from, &format!("user-{try_number}@example.com"), "a guess").await.status(), 401);
        }
        assert_eq!(log_in(&app, second, "user-9@example.com", "a guess").await.status(), 429, "{first}");
        assert_eq!(log_in(&app, elsewhere, "user-9@example.com", "a guess").await.status(), 401, "{first}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_knows_the_password_may_log_in_as_often_as_they_like() {
    let app = TestApp::builder().config(few_logins).spawn().await;
    app.state().accounts.add_user("one@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    for _ in 0..2 {
        assert_eq!(log_in(&app, "203.0.113.7", "one@example.com", "a guess").await.status(), 401);
    }
    for _ in 0..10 {
        assert_eq!(log_in(&app, "203.0.113.7", "one@example.com", PASSWORD).await.status(), 200);
    }
    assert_eq!(log_in(&app, "203.0.113.7", "one@example.com", "a guess").await.status(), 401, "the third guess");
    assert_eq!(
        log_in(&app, "203.0.113.7", "one@example.com", "a guess").await.status(),
        429,
        "what was right took no guess back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_somebody_made_up_gains_nothing() {
    let guess = |app: &TestApp, forwarded: String| {
        let request = app.client().request(Method::POST, "/api/auth/login").header("x-forwarded-for", forwarded);
        let number: u32 = rand::random();
        request.json(&json!({ "email": format!("user-{number}@example.com"), "password": "a guess" })).send()
    };
    // Nobody is trusted: the header is not read. Somebody is: what stands before the proxy's own entry is not.
    for (trusted, suffix) in [(None, ""), (Some("127.0.0.1"), ", 203.0.113.7")] {
        let app = TestApp::builder()
            .config(|config| {
                config.limits.login_address = limit(5, 3600);
                config.http.trusted_proxies = trusted.and_then(parse_network).into_iter().collect();
            })
            .spawn()
            .await;
        for made_up in 0..5 {
            let response = guess(&app, format!("198.51.100.{made_up}{suffix}")).await.expect("an answer");
            assert_eq!(response.status(), 401);
        }
        assert_eq!(
            guess(&app, format!("198.51.100.77{suffix}")).await.expect("an answer").status(),
            429,
            "{trusted:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_api_says_what_is_left_and_writes_are_counted_apart() {
    let app = TestApp::builder()
        .northwind()
        .config(|config| {
            config.limits.reads = limit(5, 600);
            config.limits.writes = limit(3, 60);
        })
        .spawn()
        .await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let read = client.get("/api/auth/me").await;
    assert_eq!(read.headers()["ratelimit-policy"], "\"reads\";q=5;w=600");
    assert_eq!(read.headers()["ratelimit"], "\"reads\";r=4;t=120");
    for _ in 0..4 {
        assert_eq!(client.get("/api/auth/me").await.status(), 200);
    }
    let refused = client.get("/api/auth/me").await;
    assert_eq!(refused.headers()["ratelimit"], "\"reads\";r=0;t=600");
    let wait: u64 = refused.headers()["retry-after"].to_str().expect("ASCII").parse().expect("seconds");
    assert!((100..=120).contains(&wait), "{wait}");
    problem(refused, 429, "too_many_requests").await;
    let write = client.request(Method::DELETE, "/api/vendor/products/none").send().await.expect("an answer");
    assert_eq!(
        (write.status().as_u16(), &write.headers()["ratelimit-policy"]),
        (404, &"\"writes\";q=3;w=60".parse().expect("a value"))
    );
    // Someone else has a limit of their own; probes and pages have none.
    assert_eq!(app.log_in_as_admin().await.get("/api/auth/me").await.status(), 200);
    for _ in 0..10 {
        assert_eq!(client.get("/healthz").await.status(), 200);
        assert_eq!(
            client
                .request(Method::GET, "/account")
                .header("accept", "text/html")
                .send()
                .await
                .expect("an answer")
                .status(),
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_that_share_a_redis_share_the_limits() {
    let redis = RedisServer::start();
    let database = TestDatabase::sqlite();
    let mut apps = Vec::new();
    for _ in 0..3 {
        apps.push(
            TestApp::builder()
                .database(&database)
                .redis(&redis)
                .config(|config| config.limits.reads = limit(30, 3600))
                .spawn()
                .await,
        );
    }
    let client = apps[0].log_in_as_admin().await;
    let asked = join_all((0..90).map(|number| {
        let client = client.at(&apps[number % 3]);
        async move { client.get("/api/auth/me").await.status().as_u16() }
    }));
    let statuses = asked.await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 30, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_does_not_answer_an_instance_lets_in_its_share() {
    let redis = RedisServer::start();
    let app = TestApp::builder()
        .sessions_at(redis.url())
        .config(|config| {
            config.limits.reads = limit(30, 3600);
            config.limits.instances = 3.try_into().expect("not zero");
        })
        .spawn()
        .await;
    redis.freeze();
    let mut statuses = Vec::new();
    for _ in 0..15 {
        statuses.push(app.client().get("/api/auth/me").await.status().as_u16());
    }
    redis.thaw();
    assert_eq!(
        statuses.iter().filter(|status| **status == 401).count(),
        10,
        "let in, and told to log in: {statuses:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_that_there_were_too_many_tries() {
    let app = TestApp::builder().config(few_logins).spawn().await;
    let form = [("email", "one@example.com"), ("password", "a guess")];
    let mut last = String::new();
    for _ in 0..4 {
        let request = app.client().request(Method::POST, "/_fn/login").header("accept", "text/html").form(&form);
        let response = request.send().await.expect("an answer");
        last = response.headers()["location"].to_str().expect("ASCII").to_owned();
    }
    assert_eq!(last, "/login?error=limited");
    let page = app.client().request(Method::GET, &last).header("accept", "text/html").send().await.expect("an answer");
    assert!(page.text().await.expect("a text").contains("Too many attempts"));
}
