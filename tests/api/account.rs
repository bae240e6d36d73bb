use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Row;
use vendorscope::server::{AppError, db::sql, identity::accounts::Actor};

use super::{VENDOR, cookie, problem, refused_fields};
use crate::harness::{Client, PASSWORD, RedisServer, TestApp, TestDatabase, databases};

const NEW: &str = "another horse with a better battery";

/// One app on each kind of session store.
async fn apps() -> Vec<(TestApp, Option<RedisServer>)> {
    let redis = RedisServer::start();
    let on_redis = TestApp::builder().northwind().redis(&redis).spawn().await;
    vec![(TestApp::builder().northwind().spawn().await, None), (on_redis, Some(redis))]
}

async fn me(client: &Client) -> u16 {
    client.get("/api/auth/me").await.status().as_u16()
}

async fn with_key(app: &TestApp, method: Method, path: &str, key: &str) -> reqwest::Response {
    app.client().request(method, path).bearer_auth(key).send().await.expect("an answer")
}

async fn make_key(client: &Client, name: &str) -> Value {
    let response =
        client.post("/api/account/keys", &json!({ "name": name, "password": PASSWORD, "scope": "write" })).await;
    assert_eq!(response.status(), 201);
    response.json().await.expect("JSON")
}

async fn audited(app: &TestApp) -> Vec<String> {
    let mut tx = app.state().db.read().await.expect("a transaction");
    // But for the bundle that was imported before anybody came.
    let query = sql("SELECT actor, action, detail FROM audit_log WHERE action <> 'import' ORDER BY id");
    let rows = tx.rows(query).await.expect("rows");
    rows.iter()
        .map(|row| {
            format!(
                "{} {} {}",
                row.get::<String, _>("actor"),
                row.get::<String, _>("action"),
                row.get::<String, _>("detail")
            )
        })
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_by_who_knows_it_to_one_that_is_good() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let change = |current: &str, password: &str| {
        let (client, body) = (client.clone(), json!({ "current": current, "password": password }));
        async move { client.put("/api/account/password", &body).await }
    };
    assert_eq!(refused_fields(change("not it", NEW).await).await, ["current"]);
    for bad in ["short", "password1234", "vendor-7@example.com", PASSWORD] {
        assert_eq!(refused_fields(change(PASSWORD, bad).await).await, ["password"], "{bad}");
    }
    let before = cookie(
        &app.client().post("/api/auth/login", &json!({ "email": "vendor-7@example.com", "password": PASSWORD })).await,
    );
    let changed = change(PASSWORD, NEW).await;
    assert_eq!(changed.status(), 204);
    assert_ne!(cookie(&changed).expect("a cookie"), before.expect("a cookie"));
    assert_eq!(me(&client).await, 200);
    assert_eq!(
        app.client()
            .post("/api/auth/login", &json!({ "email": "vendor-7@example.com", "password": PASSWORD }))
            .await
            .status(),
        401
    );
    assert_eq!(
        app.client()
            .post("/api/auth/login", &json!({ "email": "vendor-7@example.com", "password": NEW }))
            .await
            .status(),
        200
    );
    let lines = audited(&app).await;
    for line in [
        "vendor-7@example.com password_change_failed",
        "vendor-7@example.com password_change",
        "vendor-7@example.com login_failed",
    ] {
        assert!(lines.iter().any(|found| found == line), "{line}: {lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions_and_renews_this_one() {
    for (app, _redis) in apps().await {
        let (mine, other) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_vendor(VENDOR).await);
        let someone_else = app.log_in_as_admin().await;
        assert_eq!(
            mine.put("/api/account/password", &json!({ "current": PASSWORD, "password": NEW })).await.status(),
            204
        );
        assert_eq!((me(&mine).await, me(&other).await, me(&someone_else).await), (200, 401, 200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_with_this_one_marked_and_each_can_be_ended() {
    for (app, _redis) in apps().await {
        let mine = app.log_in_as_vendor(VENDOR).await;
        let other = app.client();
        let login = other.request(Method::POST, "/api/auth/login").header("user-agent", "Another Browser/1.0");
        let login = login
            .json(&json!({ "email": "vendor-7@example.com", "password": PASSWORD }))
            .send()
            .await
            .expect("an answer");
        let id_in_cookie = cookie(&login).expect("a cookie");
        app.log_in_as_admin().await;

        let list = mine.get_json("/api/account/sessions").await;
        let sessions = list["sessions"].as_array().expect("a list");
        assert_eq!(sessions.len(), 2, "nobody else's: {list}");
        let others: Vec<&Value> = sessions.iter().filter(|session| session["current"] == json!(false)).collect();
        assert_eq!(
            (others.len(), &others[0]["browser"], &others[0]["address"]),
            (1, &json!("Another Browser/1.0"), &json!("127.0.0.1"))
        );
        let name = others[0]["sessionId"].as_str().expect("a name");
        assert!(!id_in_cookie.contains(name), "the list is no list of cookies");

        let path = format!("/api/account/sessions/{name}");
        assert_eq!(
            app.log_in_as_admin().await.request(Method::DELETE, &path).send().await.expect("an answer").status(),
            404
        );
        assert_eq!(mine.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
        assert_eq!((me(&mine).await, me(&other).await), (200, 401));
        problem(mine.request(Method::DELETE, &path).send().await.expect("an answer"), 404, "not_found").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_everywhere_ends_every_session_and_takes_the_cookie_away() {
    for (app, _redis) in apps().await {
        let (mine, other, admin) =
            (app.log_in_as_vendor(VENDOR).await, app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
        let ended = mine.request(Method::DELETE, "/api/account/sessions").send().await.expect("an answer");
        assert_eq!(ended.status(), 204);
        assert!(ended.headers()["set-cookie"].to_str().expect("ASCII").contains("Max-Age=0"));
        assert_eq!((me(&mine).await, me(&other).await, me(&admin).await), (401, 401, 200));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_user_who_was_changed_in_the_database_ends_without_anyone_telling_redis() {
    // Another process, which knows nothing of this one's memory: what a restart of the asking would find, a new
    // instance finds at once.
    let redis = RedisServer::start();
    let database = TestDatabase::sqlite();
    let first = TestApp::builder().database(&database).northwind().redis(&redis).spawn().await;
    let client = first.log_in_as_vendor(VENDOR).await;
    for change in [
        "session_epoch = session_epoch + 1",
        "disabled_us = 1",
        "vendor_id = (SELECT id FROM vendors WHERE external_id = '8')",
    ] {
        let fresh = first.log_in_as_vendor(VENDOR).await;
        let mut tx = first.state().db.write().await.expect("a transaction");
        tx.execute(sql(format!("UPDATE users SET {change} WHERE email = 'vendor-7@example.com'")))
            .await
            .expect("an update");
        tx.commit().await.expect("committed");
        let second = TestApp::builder().database(&database).redis(&redis).spawn().await;
        assert_eq!(me(&fresh.at(&second)).await, 401, "{change}");
        let mut tx = first.state().db.write().await.expect("a transaction");
        let restore = "UPDATE users SET disabled_us = NULL, vendor_id = (SELECT id FROM vendors \
            WHERE external_id = '7') WHERE email = 'vendor-7@example.com'";
        tx.execute(sql(restore)).await.expect("an update");
        tx.commit().await.expect("committed");
    }
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_once_kept_hashed_and_opens_the_api_until_it_is_revoked() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let client = app.log_in_as_vendor(VENDOR).await;
        let made = make_key(&client, "  Shop backend ").await;
        let secret = made["secret"].as_str().expect("a secret");
        assert!(secret.starts_with("vsk_") && secret.len() == 68, "256 bits, and a mark: {secret}");
        assert_eq!((&made["key"]["name"], &made["key"]["lastUsedAt"]), (&json!("Shop backend"), &Value::Null));
        let prefix = made["key"]["prefix"].as_str().expect("a prefix");
        assert!(secret.starts_with(prefix) && prefix.len() == 12, "{prefix}");

        let mut tx = app.state().db.read().await.expect("a transaction");
        let row = tx.row(sql("SELECT key_hash, prefix FROM api_keys")).await.expect("a query").expect("a row");
        let hash: String = row.get("key_hash");
        assert!(hash.len() == 64 && !secret.contains(&hash), "{hash}");
        drop(tx);

        let answer = with_key(&app, Method::GET, "/api/auth/me", secret).await;
        assert!(!answer.headers().contains_key("set-cookie"));
        let body: Value = answer.json().await.expect("JSON");
        assert_eq!(body["user"]["vendorId"], json!(VENDOR));
        assert_eq!(with_key(&app, Method::GET, "/api/vendor/products", secret).await.status(), 200);

        // Written beside the request.
        let last_used = loop {
            let list = client.get_json("/api/account/keys").await;
            assert!(!list.to_string().contains(secret), "never told again");
            if let Some(last) = list["keys"][0]["lastUsedAt"].as_str() {
                break last.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        for _ in 0..5 {
            with_key(&app, Method::GET, "/api/auth/me", secret).await;
        }
        assert_eq!(
            client.get_json("/api/account/keys").await["keys"][0]["lastUsedAt"],
            json!(last_used),
            "once a minute at most"
        );

        let path = format!("/api/account/keys/{}", made["key"]["keyId"].as_str().expect("an id"));
        assert_eq!(client.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
        let refused = with_key(&app, Method::GET, "/api/auth/me", secret).await;
        assert_eq!(refused.headers()["www-authenticate"], "Bearer");
        problem(refused, 401, "unauthenticated").await;
        assert_eq!(client.get_json("/api/account/keys").await["keys"], json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_opens_nothing_not_even_beside_a_cookie() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    let secret = make_key(&client, "a key").await["secret"].as_str().expect("a secret").to_owned();
    let unknown = format!("vsk_{}", "0".repeat(64));
    let upper = secret.to_uppercase();
    for key in ["", "vsk_", unknown.as_str(), upper.as_str(), &secret[..67], "é"] {
        let request =
            client.request(Method::GET, "/api/auth/me").header("authorization", format!("Bearer {key}").into_bytes());
        let response = request.send().await.expect("an answer");
        // What cannot be read as a key at all is no key.
        assert_eq!(response.status(), if key == "é" { 200 } else { 401 }, "{key:?}");
    }
    // Pages are for people.
    let page = app
        .client()
        .request(Method::GET, "/")
        .bearer_auth(&secret)
        .header("accept", "text/html")
        .send()
        .await
        .expect("an answer");
    assert_eq!(page.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_have_names_and_there_are_twenty_at_most() {
    let app = TestApp::builder().northwind().spawn().await;
    let client = app.log_in_as_vendor(VENDOR).await;
    for name in ["", "  ", "two\nlines", &"x".repeat(61)] {
        assert_eq!(
            refused_fields(
                client
                    .post("/api/account/keys", &json!({ "name": name, "password": PASSWORD, "scope": "write" }))
                    .await
            )
            .await,
            ["name"],
            "{name:?}"
        );
    }
    for number in 0..20 {
        make_key(&client, &format!("key {number}")).await;
    }
    problem(
        client.post("/api/account/keys", &json!({ "name": "one more", "password": PASSWORD, "scope": "write" })).await,
        409,
        "conflict",
    )
    .await;
    // Nobody sees another's, or revokes them.
    let id = client.get_json("/api/account/keys").await["keys"][0]["keyId"].as_str().expect("an id").to_owned();
    let admin = app.log_in_as_admin().await;
    assert_eq!(admin.get_json("/api/account/keys").await["keys"], json!([]));
    for id in [id.as_str(), "none", "-1", "99999999999999999999"] {
        let path = format!("/api/account/keys/{id}");
        problem(admin.request(Method::DELETE, &path).send().await.expect("an answer"), 404, "not_found").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_out_at_once_with_every_key_and_comes_back_without_them() {
    for (app, _redis) in apps().await {
        let client = app.log_in_as_vendor(VENDOR).await;
        let secret = make_key(&client, "a key").await["secret"].as_str().expect("a secret").to_owned();
        let user = app.state().accounts.disable(" Vendor-7@Example.com", Actor::COMMAND_LINE).await.expect("disabled");
        app.state().sessions.end_all(&user, None).await.expect("ended");
        assert_eq!(me(&client).await, 401);
        assert_eq!(with_key(&app, Method::GET, "/api/auth/me", &secret).await.status(), 401);
        let login = json!({ "email": "vendor-7@example.com", "password": PASSWORD });
        assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 401);

        app.state().accounts.enable("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("enabled");
        assert_eq!(me(&client).await, 401, "what has ended stays so");
        assert_eq!(with_key(&app, Method::GET, "/api/auth/me", &secret).await.status(), 401);
        assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_a_lost_password_works_once_and_ends_every_session() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let accounts = &app.state().accounts;
        let client = app.log_in_as_vendor(VENDOR).await;
        let old = accounts.create_reset("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("a token");
        let token = accounts.create_reset("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("a token");
        assert!(matches!(
            accounts.create_reset("nobody@example.com", Actor::COMMAND_LINE).await,
            Err(AppError::NotFound)
        ));

        let reset = |token: String, password: &'static str| {
            let client = app.client();
            async move {
                // As the link leaves it in the browser.
                let request = client.request(Method::POST, "/_fn/reset").header("accept", "application/json");
                request
                    .header("cookie", format!("vendorscope-link={token}"))
                    .form(&[("password", password)])
                    .send()
                    .await
                    .expect("an answer")
                    .status()
                    .as_u16()
            }
        };
        assert_eq!(reset(old, NEW).await, 422, "the newer link took its place");
        assert_eq!(reset(token.clone(), "password1234").await, 422, "a bad password leaves the link as it was");
        assert_eq!(reset(token.clone(), NEW).await, 200);
        assert_eq!(me(&client).await, 401);
        assert_eq!(reset(token, "and yet another good one, please").await, 422, "used up");
        let login = json!({ "email": "vendor-7@example.com", "password": NEW });
        assert_eq!(app.client().post("/api/auth/login", &login).await.status(), 200);

        // An hour is over.
        let late = accounts.create_reset("vendor-7@example.com", Actor::COMMAND_LINE).await.expect("a token");
        let mut tx = app.state().db.write().await.expect("a transaction");
        tx.execute(sql("UPDATE password_resets SET expires_us = expires_us - 3600000000")).await.expect("an update");
        tx.commit().await.expect("committed");
        assert_eq!(reset(late, "and yet another good one, please").await, 422);
    }
}
