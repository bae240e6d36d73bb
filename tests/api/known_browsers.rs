//! Browsers from which somebody has logged in before: no stranger's guesses keep them out.

use reqwest::{Method, Response};
use serde_json::json;
use vendorscope::domain::accounts::Role;

use super::limits::{few_logins, log_in, page};
use crate::harness::{Client, PASSWORD, RedisServer, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_guess_keep_nobody_out_of_a_browser_that_is_known() {
    let redis = RedisServer::start();
    for redis in [None, Some(&redis)] {
        let builder = TestApp::builder().config(few_logins);
        let app = match redis {
            Some(redis) => builder.redis(redis).spawn().await,
            None => builder.spawn().await,
        };
        app.state().accounts.add_user("one@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
        let from_known = |client: &Client, password: &str| {
            let request = client.request(Method::POST, "/api/auth/login").header("x-forwarded-for", "203.0.113.50");
            request.json(&json!({ "email": "one@example.com", "password": password })).send()
        };
        let known = app.client();
        let login = from_known(&known, PASSWORD).await.expect("an answer");
        let cookies: Vec<String> =
            login.headers().get_all("set-cookie").iter().map(|c| c.to_str().expect("ASCII").to_owned()).collect();
        assert!(cookies.iter().any(|c| c.starts_with("vendorscope-device-") && c.contains("HttpOnly")), "{cookies:?}");
        for stranger in 0..4 {
            log_in(&app, &format!("203.0.113.{stranger}"), "one@example.com", "a guess").await;
        }
        let elsewhere = log_in(&app, "203.0.113.60", "one@example.com", PASSWORD).await;
        assert_eq!(elsewhere.status(), 429, "a browser that nobody knows");
        assert_eq!(known.post("/api/auth/logout", &json!({})).await.status(), 204);
        assert_eq!(from_known(&known, PASSWORD).await.expect("an answer").status(), 200);
        // Nor out of their account: the password is changed by who knows it, and guessed at by nobody.
        let change = async |current: &str| {
            known
                .put(
                    "/api/account/password",
                    &json!({ "current": current, "password": "another horse with a battery" }),
                )
                .await
        };
        assert_eq!(change(PASSWORD).await.status(), 204);
        for _ in 0..3 {
            assert_eq!(change("a guess").await.status(), 422);
        }
        assert_eq!(change("a guess").await.status(), 429);
        // A known browser that is stolen gains its thief no more guesses than any other.
        for _ in 0..3 {
            assert_eq!(from_known(&known, "a guess").await.expect("an answer").status(), 401);
        }
        assert_eq!(from_known(&known, "a guess").await.expect("an answer").status(), 429);
        // It is known to this account alone.
        assert_eq!(log_in(&app, "203.0.113.50", "two@example.com", "a guess").await.status(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_a_link_is_kept_out_by_nobody() {
    use vendorscope::server::identity::accounts::Actor;
    let app = TestApp::builder().config(few_logins).spawn().await;
    let accounts = &app.state().accounts;
    accounts.add_user("one@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    for stranger in 0..4 {
        log_in(&app, &format!("203.0.113.{stranger}"), "one@example.com", "a guess").await;
    }
    let token = accounts.create_reset("one@example.com", Actor::COMMAND_LINE).await.expect("a token");
    let client = app.client();
    page(&client, &format!("/reset?token={token}")).await;
    let new = "another horse with a battery";
    let reset = client.request(Method::POST, "/_fn/reset").header("accept", "application/json");
    assert_eq!(reset.form(&[("password", new)]).send().await.expect("an answer").status(), 200);
    let login = json!({ "email": "one@example.com", "password": new });
    assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 429, "another browser");
    assert_eq!(client.post("/api/auth/login", &login).await.status(), 200);
}

/// The `name=value` by which the browser is known that this login has come from.
fn known_by(login: &Response) -> String {
    let cookies = login.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("ASCII"));
    let mut devices = cookies.filter(|cookie| cookie.starts_with("vendorscope-device-"));
    devices.next().and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

/// A login from a browser that has no cookie but this one.
async fn log_in_with(app: &TestApp, cookie: &str, email: &str, password: &str) -> u16 {
    let request = app.client().request(Method::POST, "/api/auth/login").header("cookie", cookie);
    let request =
        request.header("x-forwarded-for", "203.0.113.50").json(&json!({ "email": email, "password": password }));
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_browser_is_a_stranger_once_the_password_has_changed() {
    let (app, email, new) =
        (TestApp::builder().config(few_logins).spawn().await, "one@example.com", "another horse with a battery");
    app.state().accounts.add_user(email, PASSWORD, Role::Admin, None).await.expect("a new user");
    let before = known_by(&log_in(&app, "203.0.113.50", email, PASSWORD).await);
    let owner = app.client();
    let login = json!({ "email": email, "password": PASSWORD });
    assert_eq!(owner.post("/api/auth/login", &login).await.status(), 200);
    let change = json!({ "current": PASSWORD, "password": new });
    assert_eq!(owner.put("/api/account/password", &change).await.status(), 204);
    let after = known_by(&log_in(&app, "203.0.113.50", email, new).await);
    for stranger in 0..3 {
        assert_eq!(log_in(&app, &format!("203.0.113.{stranger}"), email, "a guess").await.status(), 401);
    }
    assert_eq!(log_in_with(&app, &before, email, new).await, 429, "whoever has kept it, or a copy");
    assert_eq!(log_in_with(&app, &after, email, new).await, 200);
    assert_eq!(owner.post("/api/auth/login", &json!({ "email": email, "password": new })).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_browsers_that_one_account_knows_have_so_many_guesses_together() {
    let (app, email) = (TestApp::builder().config(few_logins).spawn().await, "one@example.com");
    app.state().accounts.add_user(email, PASSWORD, Role::Admin, None).await.expect("a new user");
    let mut known = Vec::new();
    for _ in 0..6 {
        known.push(known_by(&log_in(&app, "203.0.113.50", email, PASSWORD).await));
    }
    for cookie in &known[..5] {
        for _ in 0..3 {
            assert_eq!(log_in_with(&app, cookie, email, "a guess").await, 401);
        }
        assert_eq!(log_in_with(&app, cookie, email, "a guess").await, 429, "three of each");
    }
    assert_eq!(log_in_with(&app, &known[5], email, "a guess").await, 429, "five times as many of all");
}
