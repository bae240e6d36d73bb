use redis::AsyncCommands;
use serde_json::json;

use super::{cookie, problem};
use crate::harness::{RedisServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn redis_keeps_a_session_under_the_seeds_name_for_24_hours_and_no_id_in_it() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).northwind().spawn().await;
    // A vendor's: those of admins end after an hour without use.
    let client = app.log_in_as_vendor("7").await;
    let mut connection = redis.connection().await;

    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    let [key] = &keys[..] else { panic!("one session: {keys:?}") };
    let seconds: i64 = connection.ttl(key).await.expect("a time to live");
    assert!((86_300..=86_400).contains(&seconds), "{seconds}");
    let value: String = connection.get(key).await.expect("a value");
    assert!(value.contains("vendor-7@example.com") && !value.contains(key.trim_start_matches("sess:")), "{value}");

    // Absolute: neither reading nor time moves its end.
    let before: i64 = redis::cmd("EXPIRETIME").arg(key).query_async(&mut connection).await.expect("an instant");
    assert_eq!(client.get("/api/auth/me").await.status(), 200);
    let after: i64 = redis::cmd("EXPIRETIME").arg(key).query_async(&mut connection).await.expect("an instant");
    assert_eq!(before, after);

    assert_eq!(client.post("/api/auth/logout", &json!({})).await.status(), 204);
    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    assert_eq!(keys, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_does_not_answer_nobody_is_logged_out() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;

    redis.freeze();
    for response in [client.get("/api/auth/me").await, client.post("/api/auth/logout", &json!({})).await] {
        assert!(!response.headers().contains_key("set-cookie"), "the cookie stays");
        assert!(response.headers().contains_key("retry-after"));
        problem(response, 503, "unavailable").await;
    }
    let ready = client.get("/readyz").await;
    assert_eq!(ready.status(), 503);
    let page = client
        .request(reqwest::Method::GET, "/admin/cache")
        .header("accept", "text/html")
        .send()
        .await
        .expect("an answer");
    assert_eq!((page.status().as_u16(), page.headers().contains_key("retry-after")), (503, true));
    assert!(page.text().await.expect("a text").contains("(Redis) isn't responding"));
    redis.thaw();

    assert_eq!(client.get("/api/auth/me").await.status(), 200, "the same cookie works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_redis_cannot_take_is_no_login() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    app.log_in_as_admin().await;

    redis.freeze();
    let credentials = json!({ "email": "admin@example.com", "password": "correct horse battery staple" });
    let response = app.client().post("/api/auth/login", &credentials).await;
    assert_eq!(cookie(&response), None);
    problem(response, 503, "unavailable").await;
    redis.thaw();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_can_read_is_as_good_as_none() {
    let redis = RedisServer::start();
    let app = TestApp::builder().redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;
    let mut connection = redis.connection().await;
    let keys: Vec<String> = connection.keys("sess:*").await.expect("keys");
    let () = connection.set(&keys[0], "\u{1}garbage").await.expect("written");

    let response = client.get("/api/auth/me").await;
    assert!(
        !response.headers().contains_key("set-cookie"),
        "an answer that comes late must not take a newer cookie away"
    );
    problem(response, 401, "unauthenticated").await;
}

/// Asks with these cookies, and none of its own.
async fn with_cookies(app: &TestApp, method: reqwest::Method, path: &str, cookies: &[&str]) -> reqwest::Response {
    let request = app.client().request(method, path).header("cookie", cookies.join("; "));
    request.send().await.expect("an answer")
}

/// The cookie of a session that begins now.
async fn session(app: &TestApp, email: &str) -> String {
    let credentials = json!({ "email": email, "password": crate::harness::PASSWORD });
    cookie(&app.client().post("/api/auth/login", &credentials).await).expect("a cookie")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_cookies_the_first_that_is_alive_counts_and_logging_out_ends_them_all() {
    use reqwest::Method;
    let redis = RedisServer::start();
    for app in
        [TestApp::builder().northwind().spawn().await, TestApp::builder().northwind().redis(&redis).spawn().await]
    {
        app.log_in_as_admin().await;
        app.log_in_as_vendor("7").await;
        let me =
            async |cookies: &[&str]| with_cookies(&app, Method::GET, "/api/auth/me", cookies).await.status().as_u16();
        let (dead, alive) = (session(&app, "admin@example.com").await, session(&app, "admin@example.com").await);
        assert_eq!(with_cookies(&app, Method::POST, "/api/auth/logout", &[&dead]).await.status(), 204);
        assert_eq!(me(&[&dead]).await, 401);
        for order in [[&*dead, &*alive], [&*alive, &*dead]] {
            assert_eq!(me(&order).await, 200);
            let page = app
                .client()
                .request(Method::GET, "/admin/cache")
                .header("accept", "text/html")
                .header("cookie", order.join("; "));
            assert_eq!(page.send().await.expect("an answer").status(), 200, "the pages read them too");
            // The stream of changes goes on asking whether its session is alive.
            assert_eq!(with_cookies(&app, Method::GET, "/account", &order).await.status(), 200);
            let sessions: serde_json::Value =
                with_cookies(&app, Method::GET, "/api/account/sessions", &order).await.json().await.expect("JSON");
            let current = sessions["sessions"]
                .as_array()
                .expect("a list")
                .iter()
                .filter(|session| session["current"] == true)
                .count();
            assert_eq!(current, 1, "{sessions}");
        }
        let events = {
            let vendor = session(&app, "vendor-7@example.com").await;
            with_cookies(&app, Method::GET, "/api/vendor/events", &[&dead, &vendor]).await
        };
        assert_eq!(events.status(), 200);

        // Two of one user's and one of another's: all end, whoever's they are, and no cookie is left that logs anybody
        // in.
        let (second, other) = (session(&app, "admin@example.com").await, session(&app, "vendor-7@example.com").await);
        let answer = with_cookies(&app, Method::POST, "/api/auth/logout", &[&dead, &alive, &second, &other]).await;
        assert_eq!(answer.status(), 204);
        assert!(answer.headers()["set-cookie"].to_str().expect("ASCII").contains("Max-Age=0"));
        for ended in [&alive, &second, &other] {
            assert_eq!(me(&[ended]).await, 401);
        }
        // Logging in with a dead cookie that stays in the way works, and ends what was there.
        let before = session(&app, "admin@example.com").await;
        let login =
            app.client().request(Method::POST, "/api/auth/login").header("cookie", [&*dead, &*before].join("; "));
        let login = login
            .json(&json!({ "email": "admin@example.com", "password": crate::harness::PASSWORD }))
            .send()
            .await
            .expect("an answer");
        let new = cookie(&login).expect("a cookie");
        assert_eq!((me(&[&dead, &new]).await, me(&[&before]).await), (200, 401));
        // So does logging out everywhere, of other users' cookies in this browser.
        let other = session(&app, "vendor-7@example.com").await;
        let everywhere = with_cookies(&app, Method::DELETE, "/api/account/sessions", &[&dead, &new, &other]).await;
        assert_eq!((everywhere.status().as_u16(), me(&[&dead, &new, &other]).await), (204, 401));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_cookies_are_the_first_of_their_name_that_is_something() {
    let app = TestApp::builder().northwind().spawn().await;
    app.log_in_as_admin().await;
    let session = session(&app, "admin@example.com").await;
    let page = app.client().request(reqwest::Method::GET, "/admin/cache").header("accept", "text/html");
    let page = page.header("cookie", format!("vendorscope-theme=pink; {session}; vendorscope-theme=dark"));
    let page = page.send().await.expect("an answer").text().await.expect("a text");
    assert!(page.contains("data-theme=\"dark\""), "{page:.600}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_secret_logs_nobody_out_while_the_old_one_is_named() {
    let (redis, database) = (RedisServer::start(), crate::harness::TestDatabase::sqlite());
    let new = "the secret from now on, which is long";
    let before = TestApp::builder().database(&database).redis(&redis).spawn().await;
    let rotated = TestApp::builder().database(&database).redis(&redis).config(|config| {
        config.sessions.previous_secret = Some(std::mem::replace(&mut config.sessions.secret, new.into()));
    });
    let after = TestApp::builder().database(&database).redis(&redis).config(|config| {
        config.sessions.secret = new.into();
    });
    let (rotated, after) = (rotated.spawn().await, after.spawn().await);
    let old = before.log_in_as_admin().await;
    let me = async |client: &crate::harness::Client| client.get("/api/auth/me").await.status().as_u16();
    assert_eq!((me(&old.at(&rotated)).await, me(&old.at(&after)).await), (200, 401));
    let young = rotated.log_in_as_admin().await;
    assert_eq!((me(&young.at(&after)).await, me(&young.at(&before)).await), (200, 401), "the new secret signs");
}
