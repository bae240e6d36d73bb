use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::json;
use vendorscope::{domain::accounts::Role, server::config::parse_network};

use crate::harness::{Balancer, Client, PASSWORD, RedisServer, TestApp, TestDatabase};

const USERS: usize = 100;
const REQUESTS: usize = 50;
/// Every third user logs out after this many.
const LOGS_OUT_AFTER: usize = 20;

/// Two instances with one database and one Redis, and HAProxy before them.
struct Site {
    balancer: Balancer,
    instances: [TestApp; 2],
    _redis: RedisServer,
}

impl Site {
    async fn start() -> Self {
        let (redis, database) = (RedisServer::start(), TestDatabase::sqlite());
        let trusted = parse_network("127.0.0.1").expect("an address");
        let instance = || {
            TestApp::builder()
                .database(&database)
                .redis(&redis)
                .config(|config| config.http.trusted_proxies = vec![trusted])
        };
        let instances = [instance().spawn().await, instance().spawn().await];
        let balancer = Balancer::start(&[instances[0].address, instances[1].address]).await;
        Self { balancer, instances, _redis: redis }
    }

    /// A browser that nobody has logged in with, before the balancer.
    fn client(&self) -> Client {
        Client::new(self.balancer.address())
    }

    async fn add_user(&self, email: &str) {
        self.instances[0].state().accounts.add_user(email, PASSWORD, Role::Admin, None).await.expect("a new user");
    }

    async fn log_in(&self, email: &str) -> Client {
        let client = self.client();
        let response = client.post("/api/auth/login", &json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(response.status(), 200, "{email}: {}", response.text().await.unwrap_or_default());
        client
    }
}

fn instance(response: &Response) -> String {
    response.headers()["x-instance"].to_str().expect("ASCII").to_owned()
}

/// What one user sees: every answer is the user's own until the logout, and nobody's after it.
async fn use_it(site: &Site, email: String, logs_out: bool) -> BTreeSet<String> {
    let client = site.log_in(&email).await;
    let mut answered_by = BTreeSet::new();
    for request in 0..REQUESTS {
        let is_out = logs_out && request >= LOGS_OUT_AFTER;
        if logs_out && request == LOGS_OUT_AFTER {
            assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
        }
        let response = client.get("/api/auth/me").await;
        answered_by.insert(instance(&response));
        assert_eq!(response.status(), if is_out { 401 } else { 200 }, "{email}, request {request}");
        if !is_out {
            let me: serde_json::Value = response.json().await.expect("JSON");
            assert_eq!(me["user"]["email"], json!(email), "request {request}");
        }
    }
    answered_by
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_logged_in_stays_so_and_whoever_logs_out_is_out_whichever_instance_answers() {
    let site = Site::start().await;
    let emails: Vec<String> = (0..USERS).map(|number| format!("user-{number}@example.com")).collect();
    join_all(emails.iter().map(|email| site.add_user(email))).await;

    let users = emails.into_iter().enumerate().map(|(number, email)| use_it(&site, email, number % 3 == 0));
    for answered_by in join_all(users).await {
        assert_eq!(answered_by.len(), 2, "the balancer gave this user's requests to both instances");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn logging_out_everywhere_ends_every_session_at_once_and_nobody_elses() {
    let site = Site::start().await;
    site.add_user("one@example.com").await;
    site.add_user("other@example.com").await;
    let browsers = join_all((0..8).map(|_| site.log_in("one@example.com"))).await;
    let other = site.log_in("other@example.com").await;
    // Each instance has seen each session, and knows its user.
    for _ in 0..4 {
        for answer in join_all(browsers.iter().map(|browser| browser.get("/api/auth/me"))).await {
            assert_eq!(answer.status(), 200);
        }
    }

    let ended = browsers[0].request(Method::DELETE, "/api/account/sessions").send().await.expect("an answer");
    assert_eq!(ended.status(), 204);
    for browser in &browsers {
        for instance in &site.instances {
            assert_eq!(browser.at(instance).get("/api/auth/me").await.status(), 401);
        }
    }
    for instance in &site.instances {
        assert_eq!(
            other.at(instance).get("/api/auth/me").await.status(),
            200,
            "another user's session is no business of this one"
        );
    }
    assert_eq!(
        site.log_in("one@example.com").await.get("/api/auth/me").await.status(),
        200,
        "the password still opens"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_changed_password_ends_every_other_session_on_every_instance_and_renews_this_one() {
    let site = Site::start().await;
    site.add_user("one@example.com").await;
    let (mine, stolen) = (site.log_in("one@example.com").await, site.log_in("one@example.com").await);
    for instance in &site.instances {
        assert_eq!(
            (
                mine.at(instance).get("/api/auth/me").await.status(),
                stolen.at(instance).get("/api/auth/me").await.status()
            ),
            (reqwest::StatusCode::OK, reqwest::StatusCode::OK)
        );
    }
    let new = "another horse with a better battery";
    let change = json!({ "current": PASSWORD, "password": new });
    let response = mine.put("/api/account/password", &change).await;
    assert_eq!(response.status(), 204);
    assert!(response.headers().contains_key("set-cookie"), "a new id");
    for instance in &site.instances {
        assert_eq!(mine.at(instance).get("/api/auth/me").await.status(), 200);
        assert_eq!(stolen.at(instance).get("/api/auth/me").await.status(), 401);
    }
    let old = site.client().post("/api/auth/login", &json!({ "email": "one@example.com", "password": PASSWORD })).await;
    assert_eq!(old.status(), 401);
}

/// As large as ingestion may be, from somebody who may not: refused before anything of it is read. Sent as most
/// programs send it, all of it before they look for an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_body_that_is_refused_early_is_answered_and_not_cut_off() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const LENGTH: usize = 7 * 1024 * 1024;
    let site = Site::start().await;
    for address in [site.instances[0].address, site.balancer.address()] {
        for round in 0..5 {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
            let head = format!(
                "POST /api/ingest/orders HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer vsk_nobody\r\n\
                 Content-Type: application/json\r\nConnection: close\r\nContent-Length: {LENGTH}\r\n\r\n"
            );
            let context = format!("round {round} at {address}");
            stream.write_all(head.as_bytes()).await.unwrap_or_else(|error| panic!("{context}: {error}"));
            let piece = vec![b' '; 64 * 1024];
            for _ in 0..LENGTH / piece.len() {
                stream.write_all(&piece).await.unwrap_or_else(|error| panic!("cut off in {context}: {error}"));
            }
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap_or_else(|error| panic!("no answer in {context}: {error}"));
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                answer.starts_with("HTTP/1.1 401 ") && answer.contains("\"unauthenticated\""),
                "{context}: {answer}"
            );
        }
    }
}
