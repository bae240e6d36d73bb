//! Answers that are given again without going the whole way: they say the same, count the same, and end with whatever
//! they rest on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vendorscope::{domain::accounts::Role, server::config::Limit};

use crate::harness::{
    Client, Market, PASSWORD, RedisServer, TestApp, TestDatabase, databases, decoded,
    proxy::{Fault, Proxy},
};

const SNAPSHOT: &str = "/api/vendor/analytics/snapshot?dateFrom=2026-03-01&dateTo=2026-03-31";
/// From this time on, the same question has the same answer: first its figures are loaded, then its answer is made.
const KNOWN_AFTER: usize = 3;

/// The apps of one market, over memory and over Redis.
async fn apps(redis: &RedisServer, limit: Option<Limit>) -> [TestApp; 2] {
    let market = Market::new();
    let app = || {
        TestApp::builder().bundle(market.path()).config(|config| {
            config.limits.reads = limit;
            config.limits.pages = None;
        })
    };
    [app().spawn().await, app().redis(redis).spawn().await]
}

/// What an answer says in its headers but what is its own: its name, its time, and how it stands with the limit.
fn headers(answer: &Response) -> Vec<(String, String)> {
    let own = ["age", "date", "ratelimit", "server-timing", "x-request-id"];
    let said = answer.headers().iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let mut said: Vec<_> =
        said.map(|(name, value)| (name.to_string(), value.to_str().expect("ASCII").to_owned())).collect();
    said.sort();
    said
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers()[name].to_str().expect("ASCII")
}

async fn gross_sales(client: &Client) -> i64 {
    client.get_json(SNAPSHOT).await["totals"]["grossSales"].as_i64().expect("a sum")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_question_has_the_same_answer_is_counted_once_and_refused_where_the_limit_is_reached() {
    const BURST: u64 = 8;
    let redis = RedisServer::start();
    for app in apps(&redis, Limit::new(BURST as u32, Duration::from_secs(3600))).await {
        let client = app.log_in_as_vendor("eur").await;
        let mut answers = Vec::new();
        for left in (0..BURST).rev() {
            let name = format!("request-{left}");
            let answer = client.request(Method::GET, SNAPSHOT).header("x-request-id", &name).send().await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), 200);
            assert_eq!(header(&answer, "x-request-id"), name);
            assert!(header(&answer, "ratelimit").starts_with(&format!("\"reads\";r={left};t=")), "{answer:?}");
            assert!(header(&answer, "server-timing").starts_with("total;dur="));
            let age: u64 = header(&answer, "age").parse().expect("seconds");
            assert!(age < 60);
            answers.push((headers(&answer), answer.bytes().await.expect("bytes")));
        }
        let known = &answers[1];
        assert!(known.0.contains(&("x-cache".to_owned(), "HIT".to_owned())));
        assert!(answers[KNOWN_AFTER - 1..].iter().all(|answer| answer == known), "{answers:?}");
        let refused = client.get(SNAPSHOT).await;
        assert_eq!(refused.status(), 429);
        assert!(header(&refused, "ratelimit").starts_with("\"reads\";r=0;"));
        assert_eq!(refused.json::<Value>().await.expect("JSON")["code"], "too_many_requests");
        assert_eq!(repeated(&app).await, BURST + 1 - KNOWN_AFTER as u64);
        let metrics = app.client().get("/metrics").await.text().await.expect("a text");
        let counted = |status: u16, count: u64| {
            let labels = format!("method=\"GET\",route=\"/api/vendor/analytics/snapshot\",status=\"{status}\"");
            let line = format!("vendorscope_http_request_duration_seconds_count{{{labels}}} {count}");
            assert!(metrics.contains(&line), "{line} of {metrics}");
        };
        counted(200, BURST);
        counted(429, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_ask_together_are_each_counted_and_told_what_is_left_and_no_more_are_let_in_than_may_be() {
    const BURST: usize = 90;
    let redis = RedisServer::start();
    for app in apps(&redis, Limit::new(BURST as u32, Duration::from_secs(3600))).await {
        let client = app.log_in_as_vendor("eur").await;
        let mut left = Vec::new();
        let note = |left: &mut Vec<usize>, answer: &Response| {
            let said = header(answer, "ratelimit").strip_prefix("\"reads\";r=").and_then(|said| said.split_once(';'));
            left.push(said.expect("what is left").0.parse().expect("a number"));
        };
        for _ in 0..KNOWN_AFTER {
            note(&mut left, &client.get(SNAPSHOT).await);
        }
        let known = client.get(SNAPSHOT).await;
        note(&mut left, &known);
        let known = known.bytes().await.expect("bytes");
        let mut refused = 0;
        for answer in join_all((0..120).map(|_| client.get(SNAPSHOT))).await {
            if answer.status() == 429 {
                refused += 1;
                continue;
            }
            assert_eq!((answer.status().as_u16(), header(&answer, "x-cache")), (200, "HIT"));
            note(&mut left, &answer);
            assert_eq!(answer.bytes().await.expect("bytes"), known);
        }
        left.sort_unstable();
        assert_eq!((left, refused), ((0..BURST).collect(), 120 + KNOWN_AFTER + 1 - BURST));
        // Each of them was a hit, but the first.
        let metrics = app.client().get("/metrics").await.text().await.expect("a text");
        let hits = format!("vendorscope_cache_events_total{{event=\"hits\"}} {}", BURST - 1);
        assert!(metrics.lines().any(|line| line == hits), "{metrics}");
        assert!(repeated(&app).await >= (BURST - KNOWN_AFTER) as u64 / 2);
    }
}

/// Readers who ask together while somebody writes, and at last logs them out: whoever asks after a write was answered
/// sees it, and nobody is shown anything who asks after the session has ended. Most ask an instance that hears late what
/// Redis says, so that there are always some who come while it is being asked for others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_ask_together_see_what_was_written_and_who_has_left_before_they_came() {
    let (database, redis, market) = (TestDatabase::sqlite(), RedisServer::start(), Market::new());
    let one = TestApp::builder().database(&database).bundle(market.path()).redis(&redis).unlimited().spawn().await;
    let late = Proxy::before(redis.port()).await;
    late.set(Fault::Slow(Duration::from_millis(25)));
    let other = TestApp::builder().database(&database).cache_at(&late.redis_url()).sessions_at(late.redis_url());
    let other = other.unlimited().spawn().await;
    let client = one.log_in_as_vendor("eur").await;
    let writer = one.log_in_as_vendor("eur").await;
    let order = json!({
        "customer": { "customerId": "c1" }, "placedAt": "2026-03-20T12:00:00Z",
        "lines": [{ "productId": "e1", "quantity": 1 }],
    });
    let before_all = gross_sales(&client).await;
    assert_eq!(writer.post("/api/vendor/orders", &order).await.status(), 201);
    let written = gross_sales(&client).await;
    let each = written - before_all;
    assert!(each > 0);
    let written = Arc::new(AtomicI64::new(written));
    let has_left = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for number in 0..40 {
        let reader = if number % 8 == 0 { client.clone() } else { client.at(&other) };
        let (written, has_left) = (written.clone(), has_left.clone());
        readers.spawn(async move {
            let mut answers = 0;
            loop {
                let (at_least, is_over) = (written.load(Ordering::SeqCst), has_left.load(Ordering::SeqCst));
                let answer = reader.get(SNAPSHOT).await;
                if answer.status() == 401 {
                    return answers;
                }
                assert_eq!((answer.status().as_u16(), is_over), (200, false));
                let snapshot: Value = answer.json().await.expect("JSON");
                let sum = snapshot["totals"]["grossSales"].as_i64().expect("a sum");
                assert!(sum >= at_least, "{sum}, and {at_least} was written before");
                answers += 1;
                // Not all at the same moment.
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..25))).await;
            }
        });
    }
    let before = repeated(&other).await;
    for _ in 0..12 {
        // Until some have been given the same answer again since.
        let known = repeated(&other).await;
        while repeated(&other).await < known + 40 {
            tokio::task::yield_now().await;
        }
        assert_eq!(writer.post("/api/vendor/orders", &order).await.status(), 201);
        written.fetch_add(each, Ordering::SeqCst);
    }
    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    has_left.store(true, Ordering::SeqCst);
    let answers: u64 = readers.join_all().await.into_iter().sum();
    let given_again = repeated(&other).await - before;
    assert!(answers >= given_again && given_again >= 12 * 40, "{given_again} of {answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_keeps_nobody_waiting_who_asks_the_same() {
    let redis = RedisServer::start();
    for app in apps(&redis, None).await {
        let client = app.log_in_as_vendor("eur").await;
        for _ in 0..KNOWN_AFTER {
            assert_eq!(client.get(SNAPSHOT).await.status(), 200);
        }
        for round in 0..20 {
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..20 {
                let client = client.clone();
                asking.spawn(async move { client.get(SNAPSHOT).await.status() });
            }
            tokio::time::sleep(Duration::from_micros(round * 100)).await;
            asking.abort_all();
            // Had they kept it waiting, it would have been answered all the same, after some seconds, another way.
            let known = repeated(&app).await;
            assert_eq!(client.get(SNAPSHOT).await.status(), 200);
            assert!(repeated(&app).await > known);
        }
    }
}

/// How many answers this app has given again.
async fn repeated(app: &TestApp) -> u64 {
    let metrics = app.client().get("/metrics").await.text().await.expect("a text");
    let count = metrics.lines().find_map(|line| line.strip_prefix("vendorscope_http_answers_repeated_total "));
    count.expect("a counter").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_given_again_with_its_cookies_and_its_policy() {
    let redis = RedisServer::start();
    for app in apps(&redis, None).await {
        let client = app.log_in_as_vendor("eur").await;
        let page = async || {
            let request = client.request(Method::GET, "/?dateFrom=2026-03-01&dateTo=2026-03-31");
            let answer = request.header("accept", "text/html").send().await.expect("an answer");
            assert_eq!(answer.status(), 200);
            (headers(&answer), answer.bytes().await.expect("bytes"))
        };
        let mut before = page().await;
        // Each second it says another age, for as long as that is counted in seconds.
        for asked in 0.. {
            assert!(asked < 200, "no page is given again");
            let (known, now) = (repeated(&app).await, page().await);
            if repeated(&app).await > known {
                assert_eq!(now, before);
                break;
            }
            before = now;
        }
        let policy = before.0.iter().find(|(name, _)| name == "content-security-policy").expect("a policy");
        assert!(policy.1.contains("'sha256-") && !policy.1.contains("nonce"), "{policy:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_form_and_each_address_has_its_own_answer() {
    let redis = RedisServer::start();
    for app in apps(&redis, None).await {
        let client = app.log_in_as_vendor("eur").await;
        let whole = client.get_json(SNAPSHOT).await;
        for _ in 0..KNOWN_AFTER + 2 {
            // Who takes several is sent that which the cache holds.
            for (taken, form) in [
                ("br", "br"),
                ("gzip", "gzip"),
                ("zstd", "zstd"),
                ("identity", "identity"),
                ("gzip, deflate, br, zstd", "zstd"),
                ("gzip, br, zstd;q=0", "br"),
            ] {
                let answer = client.request(Method::GET, SNAPSHOT).header("accept-encoding", taken).send().await;
                let answer = answer.expect("an answer");
                let said = answer.headers().get("content-encoding").map(|form| form.to_str().expect("ASCII"));
                assert_eq!(said.unwrap_or("identity"), form, "{taken}");
                assert_eq!(header(&answer, "vary"), "accept-encoding");
                let text = decoded(form, &answer.bytes().await.expect("bytes"));
                assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), whole);
            }
            let february = client.get_json(&SNAPSHOT.replace("-03-", "-02-").replace("-31", "-28")).await;
            assert_eq!(february["range"]["to"], "2026-02-28");
            assert_eq!(client.get(&format!("{SNAPSHOT}&nonsense=1")).await.status(), 422);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_shows_with_the_next_answer_wherever_it_was_made() {
    for database in databases().await {
        let (redis, market) = (RedisServer::start(), Market::new());
        let one = TestApp::builder().database(&database).bundle(market.path()).redis(&redis).unlimited().spawn().await;
        let other = TestApp::builder().database(&database).redis(&redis).unlimited().spawn().await;
        let client = one.log_in_as_vendor("eur").await;
        let elsewhere = client.at(&other);
        let order = json!({
            "customer": { "customerId": "c1" }, "placedAt": "2026-03-20T12:00:00Z",
            "lines": [{ "productId": "e1", "quantity": 1 }],
        });
        let mut known = gross_sales(&client).await;
        for round in 0..6 {
            for reader in [&client, &elsewhere] {
                for _ in 0..KNOWN_AFTER + 1 {
                    assert_eq!(gross_sales(reader).await, known);
                }
            }
            let writer = if round % 2 == 0 { &client } else { &elsewhere };
            assert_eq!(writer.post("/api/vendor/orders", &order).await.status(), 201);
            let now = gross_sales(if round % 3 == 0 { &client } else { &elsewhere }).await;
            assert!(now > known, "{now} after {known}");
            known = now;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_goes_to_whom_it_was_given_and_to_nobody_who_has_left() {
    let redis = RedisServer::start();
    for app in apps(&redis, None).await {
        let (admin, colleague) = (app.log_in_as_admin().await, app.log_in_as_vendor("eur").await);
        let foreign = app.log_in_as_vendor("jpy").await;
        for way in ["ends it", "ends all", "is disabled", "becomes an accountant", "becomes another vendor's"] {
            let email = format!("{}@example.com", way.replace([' ', '\''], "-"));
            let client = app.log_in(&email, Role::Vendor, Some("eur")).await;
            let elsewhere = app.log_in(&email, Role::Vendor, Some("eur")).await;
            for _ in 0..KNOWN_AFTER + 1 {
                for (client, vendor) in [(&client, "eur"), (&colleague, "eur"), (&foreign, "jpy")] {
                    assert_eq!(client.get_json(SNAPSHOT).await["vendorId"], vendor);
                }
            }
            let sessions = elsewhere.get_json("/api/account/sessions").await;
            let other =
                sessions["sessions"].as_array().expect("a list").iter().find(|session| session["current"] == false);
            let other = other.expect("the other session")["sessionId"].as_str().expect("a name").to_owned();
            let people = admin.get_json("/api/admin/users").await;
            let person = people["users"].as_array().expect("a list").iter().find(|person| person["email"] == email);
            let person = person.expect("the user")["userId"].as_str().expect("an id").to_owned();
            let change = async |mut wanted: Value| {
                wanted["password"] = PASSWORD.into();
                admin.patch(&format!("/api/admin/users/{person}"), &wanted).await.status()
            };
            let delete =
                async |path: String| elsewhere.request(Method::DELETE, &path).send().await.expect("an answer").status();
            let (done, expected) = match way {
                "ends it" => (delete(format!("/api/account/sessions/{other}")).await, 204),
                "ends all" => (delete("/api/account/sessions".to_owned()).await, 204),
                "is disabled" => (change(json!({ "disabled": true })).await, 200),
                "becomes an accountant" => (change(json!({ "role": "accountant" })).await, 200),
                _ => (change(json!({ "vendorId": "jpy" })).await, 200),
            };
            assert_eq!(done, expected, "{way}");
            assert_eq!(client.get(SNAPSHOT).await.status(), 401, "{way}");
            assert_eq!(colleague.get(SNAPSHOT).await.status(), 200, "{way}: nobody else");
        }
    }
}
