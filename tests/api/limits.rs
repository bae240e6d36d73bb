use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::json;
use vendorscope::{
    domain::accounts::Role,
    server::config::{Config, Limit, parse_network},
};

use super::{VENDOR, problem};
use crate::harness::{Client, PASSWORD, RedisServer, TestApp, TestDatabase, databases};

fn limit(count: u32, seconds: u64) -> Option<Limit> {
    Limit::new(count, Duration::from_secs(seconds))
}

pub(super) fn few_logins(config: &mut Config) {
    config.limits.login_account = limit(3, 3600);
    config.limits.login_address = limit(8, 3600);
    config.http.trusted_proxies = vec![parse_network("127.0.0.1").expect("an address")];
}

/// A login through a proxy that says where it comes from.
pub(super) async fn log_in(app: &TestApp, from: &str, email: &str, password: &str) -> Response {
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
    // Someone else has a limit of their own.
    assert_eq!(app.log_in_as_admin().await.get("/api/auth/me").await.status(), 200);
}

pub(super) async fn page(client: &Client, path: &str) -> Response {
    client.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_probes_are_limited_and_files_are_not() {
    let app = TestApp::builder()
        .northwind()
        .config(|config| {
            config.limits.pages = limit(5, 600);
            config.limits.probes = limit(4, 600);
        })
        .spawn()
        .await;
    let (client, nobody) = (app.log_in_as_vendor(VENDOR).await, app.client());
    for path in ["/", "/account", "/products", "/orders", "/"] {
        assert_eq!(page(&client, path).await.status(), 200, "{path}");
    }
    let refused = page(&client, "/").await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    assert!(refused.text().await.expect("a text").contains("Too many requests"));
    // By address where nobody is logged in, and for pages that are not there too.
    for path in ["/login", "/reset", "/nothing", "/nothing/else", "/login"] {
        assert!(page(&nobody, path).await.status().as_u16() != 429, "{path}");
    }
    assert_eq!(page(&nobody, "/nothing").await.status(), 429);
    assert_eq!(page(&nobody, "/login").await.status(), 429);
    // What costs nothing, and the API, go on.
    for _ in 0..20 {
        assert_eq!(nobody.get("/healthz").await.status(), 200);
        assert_ne!(nobody.get("/favicon.svg").await.status(), 429);
    }
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    for path in ["/readyz", "/status", "/readyz", "/readyz"] {
        assert_eq!(nobody.get(path).await.status(), 200, "{path}");
    }
    problem(nobody.get("/readyz").await, 429, "too_many_requests").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_counted_before_the_database_is_asked_and_keep_no_good_one_out() {
    let app = TestApp::builder().northwind().config(few_logins).spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let made: serde_json::Value = client
        .post("/api/account/keys", &json!({ "name": "a key", "password": PASSWORD, "scope": "write" }))
        .await
        .json()
        .await
        .expect("JSON");
    let good = made["secret"].as_str().expect("a secret").to_owned();
    let ask = |from: &'static str, key: String| {
        let request = app.client().request(Method::GET, "/api/auth/me").header("x-forwarded-for", from);
        async move { request.bearer_auth(key).send().await.expect("an answer").status().as_u16() }
    };
    assert_eq!(ask("203.0.113.7", good.clone()).await, 200);
    let guess = || format!("vsk_{:064x}", rand::random::<u128>());
    // A hundred a minute are looked up, and while they are made some come back.
    let started = Instant::now();
    let mut looked_up = 0;
    while looked_up < 1_000 && ask("203.0.113.7", guess()).await == 401 {
        looked_up += 1;
    }
    let come_back = started.elapsed().as_millis() / 600;
    assert!((100..=101 + come_back).contains(&looked_up), "{looked_up} in {:?}", started.elapsed());
    let mut refused = 0;
    while refused < 10 {
        let before = app.queries();
        match (ask("203.0.113.7", guess()).await, app.queries() - before) {
            (429, 0) => refused += 1,
            (status, asked) => assert_eq!(status, 401, "one that has come back, or the database was asked: {asked}"),
        }
    }
    assert_eq!(ask("203.0.113.7", good).await, 200, "a key that was good before");
    assert_eq!(ask("203.0.113.8", guess()).await, 401, "from elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_moves_so_often_a_day_and_no_more() {
    let app =
        TestApp::builder().northwind().config(|config| config.limits.zone_changes = limit(2, 86_400)).spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let move_to = async |zone: &str| client.put("/api/account/time-zone", &json!({ "timeZone": zone })).await;
    assert_eq!(move_to("Asia/Atlantis").await.status(), 422);
    assert_eq!(move_to("Asia/Tokyo").await.status(), 204);
    for _ in 0..3 {
        assert_eq!(move_to("asia/tokyo").await.status(), 204, "what is so already is no move");
    }
    assert_eq!(move_to("Europe/Berlin").await.status(), 204);
    let refused = move_to("UTC").await;
    assert!(refused.headers().contains_key("retry-after"));
    let refused = problem(refused, 429, "too_many_requests").await;
    assert_eq!(refused["detail"], "Too many requests. Try again in 12 hours.");
    let other = app.log_in_as_vendor("8").await;
    assert_eq!(other.put("/api/account/time-zone", &json!({ "timeZone": "UTC" })).await.status(), 204);
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
    assert_eq!(last.split('&').next(), Some("/login?error=limited"), "{last}");
    let page = app.client().request(Method::GET, &last).header("accept", "text/html").send().await.expect("an answer");
    assert!(page.text().await.expect("a text").contains("Too many attempts"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guesses_at_ones_own_password_are_counted_too_where_nothing_can_be_written() {
    use vendorscope::server::db::sql;
    for database in databases().await {
        let app = TestApp::builder().database(&database).config(few_logins).spawn().await;
        let client = app.log_in_as_admin().await;
        let rename = async |statement: &str| {
            let mut tx = app.state().db.write().await.expect("a transaction");
            tx.execute(sql(statement)).await.expect("renamed");
            tx.commit().await.expect("committed");
        };
        let key = |password: &str| json!({ "name": "a key", "password": password, "scope": "read" });
        // A wrong guess cannot be noted.
        rename("ALTER TABLE audit_log RENAME TO audit_log_away").await;
        for _ in 0..3 {
            assert_eq!(client.post("/api/account/keys", &key("a guess")).await.status(), 500);
        }
        rename("ALTER TABLE audit_log_away RENAME TO audit_log").await;
        for (path, body) in
            [("/api/account/keys", key(PASSWORD)), ("/api/account/second-factor", json!({ "password": PASSWORD }))]
        {
            problem(client.post(path, &body).await, 429, "too_many_requests").await;
        }
        let change = json!({ "current": PASSWORD, "password": "another horse with a battery" });
        problem(client.put("/api/account/password", &change).await, 429, "too_many_requests").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_bytes_somebody_sends_the_proxys_own_entry_counts() {
    let app = TestApp::builder().config(few_logins).spawn().await;
    for number in 0..8 {
        let forwarded = format!("198.51.100.{number}\u{e9}, 203.0.113.7");
        let request = app.client().request(Method::POST, "/api/auth/login");
        let request = request.header("x-forwarded-for", forwarded.into_bytes());
        let body = json!({ "email": format!("user-{number}@example.com"), "password": "a guess" });
        assert_eq!(request.json(&body).send().await.expect("an answer").status(), 401);
    }
    assert_eq!(log_in(&app, "203.0.113.7", "somebody@example.com", "a guess").await.status(), 429);
    assert_eq!(log_in(&app, "203.0.113.8", "somebody@example.com", "a guess").await.status(), 401);
}
