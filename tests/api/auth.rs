use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::{
    domain::accounts::Role,
    server::{
        AppState,
        db::{Dialect, sql},
    },
};

use super::{VENDOR, cookie, problem};
use crate::harness::{Client, RedisServer, TestApp, databases};

const EMAIL: &str = "someone@example.com";
const PASSWORD: &str = "a password of sixteen";

async fn app_with_user() -> TestApp {
    let app = TestApp::builder().northwind().spawn().await;
    app.state().accounts.add_user(EMAIL, PASSWORD, Role::Vendor, Some(VENDOR)).await.expect("a new user");
    app
}

async fn log_in(client: &Client, email: &str, password: &str) -> reqwest::Response {
    client.post("/api/auth/login", &json!({ "email": email, "password": password })).await
}

/// `GET /api/auth/me` with this cookie and no other.
async fn me(app: &TestApp, cookie: &str) -> u16 {
    app.client()
        .request(Method::GET, "/api/auth/me")
        .header("cookie", cookie)
        .send()
        .await
        .expect("an answer")
        .status()
        .as_u16()
}

async fn audit(state: &AppState) -> Vec<(String, String, Option<String>)> {
    let mut tx = state.db.read().await.expect("a transaction");
    // But for the bundle that was imported before anybody came.
    let query = sql("SELECT actor, action, address FROM audit_log WHERE action <> 'import' ORDER BY id");
    let rows = tx.rows(query).await.expect("rows");
    rows.iter().map(|row| (row.get("actor"), row.get("action"), row.get("address"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_lasts_until_the_logout_and_its_cookie_is_worth_nothing_after_it() {
    let app = app_with_user().await;
    let client = app.client();

    let response = log_in(&client, " Someone@Example.COM ", PASSWORD).await;
    assert_eq!(response.status(), 200);
    let cookie = cookie(&response).expect("a cookie");
    let user = json!({ "user": { "email": EMAIL, "role": "vendor", "vendorId": VENDOR } });
    assert_eq!(response.json::<Value>().await.expect("JSON"), user);
    assert_eq!(client.get_json("/api/auth/me").await, user);

    let response = client.post("/api/auth/logout", &json!({})).await;
    assert_eq!(response.status(), 204);
    assert!(response.headers()["set-cookie"].to_str().expect("ASCII").contains("Max-Age=0"));
    problem(client.get("/api/auth/me").await, 401, "unauthenticated").await;
    assert_eq!(me(&app, &cookie).await, 401, "the session itself is gone, and not just its cookie");

    let actions: Vec<_> = audit(app.state()).await;
    let address = Some("127.0.0.1".to_owned());
    assert_eq!(
        actions,
        [(EMAIL.to_owned(), "login".to_owned(), address.clone()), (EMAIL.to_owned(), "logout".to_owned(), address)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_lasts_24_hours_and_is_kept_from_scripts_and_other_sites() {
    let app = app_with_user().await;
    let response = log_in(&app.client(), EMAIL, PASSWORD).await;
    let header = response.headers()["set-cookie"].to_str().expect("ASCII");
    let mut attributes: Vec<&str> = header.split("; ").collect();
    assert!(attributes.remove(0).starts_with("vendorscope="), "{header}");
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=86400", "Path=/", "SameSite=Lax"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_production_is_secure_and_held_to_its_host() {
    let app = TestApp::builder().config(|config| config.production = true).spawn().await;
    app.state().accounts.add_user(EMAIL, PASSWORD, Role::Admin, None).await.expect("a new user");
    let response = log_in(&app.client(), EMAIL, PASSWORD).await;
    let header = response.headers()["set-cookie"].to_str().expect("ASCII");
    assert!(
        header.starts_with("__Host-vendorscope=") && header.contains("; Secure") && !header.contains("Domain"),
        "{header}"
    );
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_begins_a_session_of_its_own() {
    let app = app_with_user().await;
    let client = app.client();
    let first = cookie(&log_in(&client, EMAIL, PASSWORD).await).expect("a cookie");
    let second = cookie(&log_in(&client, EMAIL, PASSWORD).await).expect("a cookie");
    assert_ne!(first, second);
    assert_eq!(
        (me(&app, &first).await, me(&app, &second).await),
        (401, 200),
        "the older session ended with the newer login"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_somebody_planted_is_not_adopted() {
    let app = app_with_user().await;
    let planted = "vendorscope=AAAAAAAAAAAAAAAAAAAAAA";
    let request = app.client().request(Method::POST, "/api/auth/login").header("cookie", planted);
    let response = request.json(&json!({ "email": EMAIL, "password": PASSWORD })).send().await.expect("an answer");
    assert!(!cookie(&response).expect("a cookie").contains("AAAAAAAAAAAAAAAAAAAAAA"));
    assert_eq!(me(&app, planted).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_neither_writes_the_session_nor_sets_a_cookie_nor_asks_the_database() {
    let app = app_with_user().await;
    let client = app.client();
    log_in(&client, EMAIL, PASSWORD).await;
    let before = app.queries();
    let response = client.get("/api/auth/me").await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("set-cookie"));
    assert_eq!(app.queries(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_a_wrong_password_and_a_disabled_user_get_the_same_answer() {
    let app = app_with_user().await;
    app.state().accounts.add_user("disabled@example.com", PASSWORD, Role::Admin, None).await.expect("a new user");
    let mut tx = app.state().db.write().await.expect("a transaction");
    tx.execute(sql("UPDATE users SET disabled_us = 1 WHERE email = 'disabled@example.com'")).await.expect("an update");
    tx.commit().await.expect("committed");

    let long = "x".repeat(500_000);
    for (email, password) in [
        (EMAIL, "not the password"),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("cli", PASSWORD),
        ("NoBody@Example.com ", PASSWORD),
        ("disabled@example.com", PASSWORD),
        (EMAIL, &long),
        (EMAIL, ""),
    ] {
        let response = log_in(&app.client(), email, password).await;
        assert!(cookie(&response).is_none());
        let body = problem(response, 401, "wrong_credentials").await;
        assert_eq!(body["detail"], "The address or the password is wrong.", "{email}");
        assert_eq!(body.get("errors"), None);
    }
    let failures: Vec<_> = audit(app.state()).await.into_iter().map(|(actor, action, _)| (actor, action)).collect();
    let nobody = "nobody@example.com";
    let actors = [EMAIL, nobody, "unknown", "unknown", nobody, "disabled@example.com", EMAIL, EMAIL];
    assert_eq!(failures, actors.map(|actor| (actor.to_owned(), "login_failed".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_another_site_asks_for_is_refused() {
    let app = app_with_user().await;
    let client = app.client();
    log_in(&client, EMAIL, PASSWORD).await;
    let host = app.address.to_string();
    let own = format!("http://{host}");
    let foreign: [&[(&str, &str)]; 6] = [
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", &own)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:1")],
    ];
    for headers in foreign {
        let request =
            headers.iter().fold(client.request(Method::POST, "/api/auth/logout"), |request, (name, value)| {
                request.header(*name, *value)
            });
        problem(request.send().await.expect("an answer"), 403, "cross_site").await;
    }
    assert_eq!(client.get("/api/auth/me").await.status(), 200, "nothing happened");
    // Reading is no danger: the other site does not see the answer.
    let read = client
        .request(Method::GET, "/api/auth/me")
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .expect("an answer");
    assert_eq!(read.status(), 200);
    let request = client.request(Method::POST, "/api/auth/logout").header("origin", &own);
    assert_eq!(request.send().await.expect("an answer").status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_names_the_client_behind_a_trusted_proxy_and_believes_nobody_else() {
    let trusted = vendorscope::server::config::parse_network("127.0.0.0/8").expect("a network");
    for (proxies, forwarded, expected) in [
        (vec![trusted], "6.6.6.6, 203.0.113.9, 127.0.0.2", "203.0.113.9"),
        (vec![trusted], "nonsense", "127.0.0.1"),
        (vec![], "203.0.113.9", "127.0.0.1"),
    ] {
        let app = TestApp::builder().config(|config| config.http.trusted_proxies = proxies).spawn().await;
        let request = app.client().request(Method::POST, "/api/auth/login").header("x-forwarded-for", forwarded);
        let response = request.json(&json!({ "email": EMAIL, "password": PASSWORD })).send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        assert_eq!(audit(app.state()).await[0].2.as_deref(), Some(expected), "{forwarded}");
    }
}

/// Where a login cannot be noted there is none: the line is written before there is a session.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_cannot_be_noted_lets_nobody_in() {
    for database in databases().await {
        let store = RedisServer::start();
        let app = TestApp::builder().database(&database).redis(&store).northwind().spawn().await;
        app.state().accounts.add_user(EMAIL, PASSWORD, Role::Vendor, Some(VENDOR)).await.expect("a new user");
        let refuse = match app.state().db.dialect {
            Dialect::Sqlite => {
                "CREATE TRIGGER no_login BEFORE INSERT ON audit_log WHEN NEW.action = 'login' BEGIN \
                 SELECT RAISE(ABORT, 'no'); END"
            }
            Dialect::Postgres => "ALTER TABLE audit_log ADD CONSTRAINT no_login CHECK (action <> 'login')",
        };
        let mut tx = app.state().db.write().await.expect("a transaction");
        tx.execute(sql(refuse)).await.expect("refused from now on");
        tx.commit().await.expect("committed");

        let response = log_in(&app.client(), EMAIL, PASSWORD).await;
        assert_eq!(response.status(), 500, "{}", database.url());
        assert!(!response.headers().contains_key("set-cookie"), "{response:?}");
        let mut connection = store.connection().await;
        let keys: Vec<String> = redis::cmd("KEYS").arg("sess:*").query_async(&mut connection).await.expect("keys");
        let sessions: Vec<_> = keys.iter().filter(|key| !key.starts_with("sess:secrets@")).collect();
        assert!(sessions.is_empty(), "no session was begun on {}: {sessions:?}", database.url());
    }
}
