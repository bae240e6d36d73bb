use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use vendorscope::{
    domain::accounts::Role,
    server::{
        AppError,
        config::{Limit, MailConfig, RequireTotp},
        db::sql,
        identity::accounts::Actor,
    },
};

use super::{answered, cookie, problem, refused_fields};
use crate::harness::{Client, PASSWORD, RedisServer, Smtp, TestApp, TestDatabase, databases};

const PATH: &str = "/api/account/second-factor";

/// What an app shows for a secret, `steps` of 30 s from now.
fn code(secret: &str, steps: i64) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).expect("base32")).build().expect("a secret");
    let at = Timestamp::now().as_second() + 30 * steps;
    totp.generate(u64::try_from(at).expect("after 1970")).to_string()
}

/// Waits until it is so early in the 30 s of a code that a test ends within them: a code of the last ones, which is
/// still taken, would else be too old by the time it arrives.
async fn early_in_a_code() {
    let left = 30 - Timestamp::now().as_second().rem_euclid(30);
    if left < 10 {
        tokio::time::sleep(Duration::from_secs(left.unsigned_abs())).await;
    }
}

async fn begin(client: &Client) -> String {
    early_in_a_code().await;
    let begun = answered(client.post(PATH, &json!({ "password": PASSWORD })).await, 201).await;
    let secret = begun["secret"].as_str().expect("a secret").to_owned();
    let url = begun["url"].as_str().expect("an address");
    assert!(url.starts_with("otpauth://totp/Vendorscope:") && url.contains(&secret), "{url}");
    secret
}

/// Sets up codes for whoever is logged in: the secret, and the recovery codes.
async fn set_up(client: &Client) -> (String, Vec<String>) {
    let secret = begin(client).await;
    let confirmed = answered(client.put(PATH, &json!({ "code": code(&secret, -1) })).await, 200).await;
    let codes = confirmed["recoveryCodes"].as_array().expect("a list");
    (secret, codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect())
}

async fn log_in(client: &Client, code: Option<&str>) -> Response {
    let mut body = json!({ "email": "admin@example.com", "password": PASSWORD });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    client.post("/api/auth/login", &body).await
}

async fn me(client: &Client) -> u16 {
    client.get("/api/auth/me").await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_asks_for_a_code_that_works_once_and_a_recovery_code_takes_its_place_once() {
    let redis = RedisServer::start();
    for database in databases().await {
        let app = TestApp::builder().database(&database).redis(&redis).spawn().await;
        let (mine, other) = (app.log_in_as_admin().await, app.log_in_as_admin().await);
        assert_eq!(refused_fields(mine.post(PATH, &json!({ "password": "not it" })).await).await, ["password"]);
        let secret = begin(&mine).await;
        // Worth nothing until the app has shown that it has it.
        assert_eq!(log_in(&app.client(), None).await.status(), 200);
        assert_eq!(refused_fields(mine.put(PATH, &json!({ "code": "000000" })).await).await, ["code"]);
        let confirmed = answered(mine.put(PATH, &json!({ "code": code(&secret, -1) })).await, 200).await;
        let recovery = confirmed["recoveryCodes"].as_array().expect("a list").clone();
        assert_eq!(recovery.len(), 10);
        assert_eq!((me(&mine).await, me(&other).await), (200, 401), "every other session has ended");
        assert_eq!(mine.get_json(PATH).await, json!({ "enabled": true, "recoveryCodesLeft": 10 }));
        problem(mine.post(PATH, &json!({ "password": PASSWORD })).await, 409, "conflict").await;

        let client = app.client();
        problem(log_in(&client, None).await, 401, "code_missing").await;
        assert_eq!(me(&client).await, 401, "half a login is none");
        problem(log_in(&client, Some("000000")).await, 401, "wrong_code").await;
        problem(log_in(&client, Some(&code(&secret, -1))).await, 401, "wrong_code").await;
        let now = code(&secret, 0);
        assert_eq!(log_in(&client, Some(&now)).await.status(), 200);
        problem(log_in(&app.client(), Some(&now)).await, 401, "wrong_code").await;
        let first = recovery[0].as_str().expect("a code").to_uppercase().replace('-', " ");
        assert_eq!(log_in(&app.client(), Some(&first)).await.status(), 200, "however it is typed");
        problem(log_in(&app.client(), Some(&first)).await, 401, "wrong_code").await;
        assert_eq!(client.get_json(PATH).await, json!({ "enabled": true, "recoveryCodesLeft": 9 }));
        // A wrong password says nothing of codes.
        let wrong = json!({ "email": "admin@example.com", "password": "wrong", "code": now });
        problem(app.client().post("/api/auth/login", &wrong).await, 401, "wrong_credentials").await;

        // What is kept tells no recovery code.
        let mut tx = app.state().db.read().await.expect("a transaction");
        for row in tx.rows(sql("SELECT code_hash FROM recovery_codes")).await.expect("rows") {
            assert_eq!(sqlx::Row::get::<String, _>(&row, "code_hash").len(), 64);
        }
        drop(tx);

        let remove = |code: String| {
            let request = client.request(Method::DELETE, PATH).json(&json!({ "password": PASSWORD, "code": code }));
            async move { request.send().await.expect("an answer") }
        };
        assert_eq!(refused_fields(remove(first).await).await, ["code"]);
        assert_eq!(remove(recovery[1].as_str().expect("a code").to_owned()).await.status(), 204);
        assert_eq!(log_in(&app.client(), None).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_who_send_one_code_at_the_same_time_one_gets_in() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).spawn().await;
        let (secret, _) = set_up(&app.log_in_as_admin().await).await;
        let now = code(&secret, 1);
        let clients: Vec<Client> = (0..4).map(|_| app.client()).collect();
        let logins = futures::future::join_all(clients.iter().map(|client| log_in(client, Some(&now)))).await;
        assert_eq!(logins.iter().filter(|login| login.status() == 200).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn guessing_at_codes_ends_after_a_few_tries_and_keeps_no_known_browser_out() {
    let app = TestApp::builder()
        .config(|config| config.limits.codes = Limit::new(3, std::time::Duration::from_secs(3600)))
        .spawn()
        .await;
    let known = app.log_in_as_admin().await;
    let (secret, _) = set_up(&known).await;
    for _ in 0..3 {
        problem(log_in(&app.client(), Some("000000")).await, 401, "wrong_code").await;
    }
    problem(log_in(&app.client(), Some(&code(&secret, 0))).await, 429, "too_many_requests").await;
    assert_eq!(log_in(&known, Some(&code(&secret, 0))).await.status(), 200);
    for _ in 0..3 {
        problem(log_in(&known, Some("000000")).await, 401, "wrong_code").await;
    }
    problem(log_in(&known, Some(&code(&secret, 1))).await, 429, "too_many_requests").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_wrong_codes_are_told_to_the_owner_and_to_admins_once() {
    let smtp = tokio::task::spawn_blocking(Smtp::start).await.expect("started");
    let url = smtp.url();
    let app = TestApp::builder()
        .config(|config| {
            config.limits.codes = None;
            config.mail = Some(MailConfig { smtp_url: url.into(), from: "a@example.com".to_owned() });
        })
        .spawn()
        .await;
    let admin = app.log_in_as_admin().await;
    set_up(&admin).await;
    let told = async || {
        let noted = admin.get_json("/api/admin/audit?action=codes_guessed").await;
        noted["entries"].as_array().expect("a list").len()
    };
    for _ in 0..20 {
        problem(log_in(&app.client(), Some("000000")).await, 401, "wrong_code").await;
    }
    assert_eq!(told().await, 0, "people mistype");
    for _ in 0..4 {
        problem(log_in(&app.client(), Some("000000")).await, 401, "wrong_code").await;
    }
    assert_eq!(told().await, 1);
    let letter = smtp.letter();
    for part in ["To: admin@example.com", "change your password now", "/account"] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    assert!(smtp.is_silent(), "one letter");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_to_have_a_second_factor_gets_to_set_it_up_and_nowhere_else() {
    let app = TestApp::builder()
        .northwind()
        .config(|config| config.sessions.require_totp = RequireTotp::Admins)
        .spawn()
        .await;
    let (admin, vendor) = (app.log_in_as_admin().await, app.log_in_as_vendor("7").await);
    let page = |client: &Client, path: &str| client.request(Method::GET, path).header("accept", "text/html").send();
    for path in ["/api/admin/cache/stats", "/api/admin/metrics?dateFrom=1997-01-01&dateTo=1997-01-31"] {
        problem(admin.get(path).await, 403, "second_factor_required").await;
    }
    let key = json!({ "name": "a way around", "password": PASSWORD, "scope": "write" });
    problem(admin.post("/api/account/keys", &key).await, 403, "second_factor_required").await;
    problem(admin.post("/api/ingest/orders", &json!({ "orders": [] })).await, 403, "second_factor_required").await;
    let form = admin.request(Method::POST, "/_fn/admin/cache/invalidate").header("accept", "application/json");
    assert_eq!(form.form(&[("tags", "analytics")]).send().await.expect("an answer").status(), 403);
    let turned = page(&admin, "/admin").await.expect("an answer");
    assert_eq!(turned.headers()["location"], "/account?required=totp");
    let account = page(&admin, "/account?required=totp").await.expect("an answer");
    assert!(account.text().await.expect("a text").contains("requires two-step verification"));
    assert_eq!(page(&vendor, "/").await.expect("an answer").status(), 200, "not required of vendors");
    let (secret, recovery) = set_up(&admin).await;
    assert_eq!(admin.get("/api/admin/cache/stats").await.status(), 200);
    let next = app.client();
    assert_eq!(log_in(&next, Some(&code(&secret, 0))).await.status(), 200);
    assert_eq!(next.get("/api/admin/cache/stats").await.status(), 200);
    let remove = json!({ "password": PASSWORD, "code": recovery[0] });
    let refused = next.request(Method::DELETE, PATH).json(&remove).send().await.expect("an answer");
    problem(refused, 409, "conflict").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_lost_it_gets_in_again_when_somebody_else_takes_it_away() {
    let (redis, database) = (RedisServer::start(), TestDatabase::sqlite());
    let app = TestApp::builder().database(&database).redis(&redis).spawn().await;
    let client = app.log_in_as_admin().await;
    set_up(&client).await;
    let accounts = &app.state().accounts;
    accounts.reset_totp("admin@example.com", Actor::COMMAND_LINE).await.expect("reset");
    assert!(matches!(accounts.reset_totp("admin@example.com", Actor::COMMAND_LINE).await, Err(AppError::Conflict(_))));
    assert!(matches!(accounts.reset_totp("nobody@example.com", Actor::COMMAND_LINE).await, Err(AppError::NotFound)));
    assert_eq!(me(&client).await, 401, "sessions have ended");
    assert_eq!(log_in(&app.client(), None).await.status(), 200);
    let mut tx = app.state().db.read().await.expect("a transaction");
    let rows = tx.rows(sql("SELECT action FROM audit_log ORDER BY id")).await.expect("rows");
    let actions: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, "action")).collect();
    for action in ["second_factor_on", "second_factor_reset"] {
        assert!(actions.iter().any(|noted| noted == action), "{action}: {actions:?}");
    }
}

/// Sends a form as a browser without scripts does, and says where it leads.
async fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> String {
    let request =
        client.request(Method::POST, path).header("accept", "text/html").header("referer", "http://x/account");
    let response = request.header("sec-fetch-site", "same-origin").form(fields).send().await.expect("an answer");
    assert_eq!(response.status(), 302, "{path}");
    response.headers()["location"].to_str().expect("ASCII").to_owned()
}

async fn text(client: &Client, path: &str) -> String {
    let response = client.request(Method::GET, path).header("accept", "text/html").send().await.expect("an answer");
    response.text().await.expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_of_it_works_on_the_pages_without_scripts() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor("7").await;
    let refused = submit(&client, "/_fn/account/totp/begin", &[("password", "not it")]).await;
    assert!(text(&client, &refused).await.contains("Your password is incorrect."));
    assert_eq!(submit(&client, "/_fn/account/totp/begin", &[("password", PASSWORD)]).await, "/account#two-step");
    let page = text(&client, "/account").await;
    assert!(page.contains("<svg") && page.contains("otpauth://totp/"), "{page}");
    let secret: String = page.split("secret=").nth(1).expect("a secret").chars().take(32).collect();
    let to = submit(&client, "/_fn/account/totp/confirm", &[("code", &code(&secret, -1))]).await;
    assert_eq!(to, "/account?done=totp");
    let page = text(&client, &to).await;
    assert!(page.contains("Two-step verification is on.") && page.contains("10 recovery codes left"), "{page}");
    assert_eq!(page.matches("<li><code").count(), 10, "{page}");
    assert_eq!(text(&client, "/account").await.matches("<li><code").count(), 0, "shown once");

    let browser = app.client();
    let credentials = [("email", "vendor-7@example.com"), ("password", PASSWORD), ("next", "/orders")];
    let late = submit(&app.client(), "/_fn/login/code", &[("code", &code(&secret, 0))]).await;
    assert_eq!(late, "/login?error=late", "without the first step");
    let to = submit(&browser, "/_fn/login", &credentials).await;
    assert_eq!(to, "/login/code?next=%2Forders");
    assert!(text(&browser, "/").await.is_empty(), "still sent to the login");
    assert!(text(&browser, &to).await.contains("autocomplete=\"one-time-code\""));
    let wrong = submit(&browser, "/_fn/login/code", &[("code", "000000"), ("next", "/orders")]).await;
    assert_eq!(wrong, "/login/code?error=code&next=%2Forders");
    assert!(
        text(&browser, &wrong).await.contains("That code isn&#x27;t right")
            || text(&browser, &wrong).await.contains("That code isn't right")
    );
    let to = submit(&browser, "/_fn/login/code", &[("code", &code(&secret, 0)), ("next", "/orders")]).await;
    assert_eq!(to, "/orders");
    assert!(text(&browser, "/orders").await.contains("Orders"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_password_that_has_changed_ends_the_half_of_a_login() {
    let app = TestApp::builder().spawn().await;
    let client = app.log_in("one@example.com", Role::Admin, None).await;
    let (secret, _) = set_up(&client).await;
    let browser = app.client();
    let to = submit(&browser, "/_fn/login", &[("email", "one@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(to, "/login/code");
    let change = json!({ "current": PASSWORD, "password": "another horse with a battery" });
    assert_eq!(client.put("/api/account/password", &change).await.status(), 204);
    let to = submit(&browser, "/_fn/login/code", &[("code", &code(&secret, 0))]).await;
    assert_eq!(to, "/login?error=late");
    let _: Value = client.get_json(PATH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_one_browser_has_begun_no_other_session_sees_or_confirms() {
    let app = TestApp::builder().northwind().spawn().await;
    let other = app.log_in_as_vendor("7").await;
    let credentials = json!({ "email": "vendor-7@example.com", "password": PASSWORD });
    let session = cookie(&app.client().post("/api/auth/login", &credentials).await).expect("a session");
    let ask = async |method: Method, path: &str, cookies: &str, body: Value| {
        let request = app.client().request(method, path).header("accept", "text/html").header("cookie", cookies);
        request.json(&body).send().await.expect("an answer")
    };
    early_in_a_code().await;
    let begun = ask(Method::POST, PATH, &session, json!({ "password": PASSWORD })).await;
    let shown = begun.headers()["set-cookie"].to_str().expect("ASCII").to_owned();
    assert!(shown.starts_with("vendorscope-totp=") && shown.contains("HttpOnly"), "{shown}");
    let both = format!("{session}; {}", cookie(&begun).expect("a cookie"));
    let secret = answered(begun, 201).await["secret"].as_str().expect("a secret").to_owned();

    // Another session of the same user, and a copy of this one's cookie from before.
    let now = json!({ "code": code(&secret, 0) });
    assert!(!text(&other, "/account").await.contains(&secret));
    let copied = ask(Method::GET, "/account", &session, Value::Null).await.text().await.expect("a text");
    assert!(copied.contains("two-step") && !copied.contains(&secret), "{copied}");
    problem(other.put(PATH, &now).await, 409, "conflict").await;
    problem(ask(Method::PUT, PATH, &session, now.clone()).await, 409, "conflict").await;
    assert_eq!(other.get_json(PATH).await["enabled"], false);

    let own = ask(Method::GET, "/account", &both, Value::Null).await.text().await.expect("a text");
    assert!(own.contains(&secret), "{own}");
    answered(ask(Method::PUT, PATH, &both, now).await, 200).await;
    assert_eq!(me(&other).await, 401, "every other session has ended");
}
