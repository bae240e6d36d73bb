use reqwest::{Method, Response};
use serde_json::{Value, json};
use vendorscope::{domain::accounts::Role, server::db::sql};

use super::{VENDOR, answered, problem, refused_fields};
use crate::harness::{Client, PASSWORD, TestApp, TestDatabase, databases, until};

const PATH: &str = "/api/account/keys";
const NEW: &str = "another horse with a better battery";

/// Makes a key: its secret.
async fn make(client: &Client, order: Value) -> String {
    let mut body = json!({ "name": "a key", "password": PASSWORD, "scope": "write" });
    body.as_object_mut().expect("an object").extend(order.as_object().expect("an object").clone());
    let made = answered(client.post(PATH, &body).await, 201).await;
    made["secret"].as_str().expect("a secret").to_owned()
}

async fn ask(app: &TestApp, method: Method, path: &str, key: &str, body: Option<Value>) -> Response {
    let request = app.client().request(method, path).bearer_auth(key);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    request.send().await.expect("an answer")
}

async fn me(app: &TestApp, key: &str) -> u16 {
    ask(app, Method::GET, "/api/auth/me", key, None).await.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_is_made_by_who_knows_the_password_for_something_and_for_a_time() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
    let order = |change: Value| {
        let mut body = json!({ "name": "a key", "password": PASSWORD, "scope": "read" });
        body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        body
    };
    for (client, change, field) in [
        (&vendor, json!({ "password": "not it" }), "password"),
        (&vendor, json!({ "scope": "ingest" }), "scope"),
        (&vendor, json!({ "scope": "everything" }), "scope"),
        (&vendor, json!({ "vendorId": VENDOR }), "vendorId"),
        (&vendor, json!({ "expiresInDays": 0 }), "expiresInDays"),
        (&vendor, json!({ "expiresInDays": 3_651 }), "expiresInDays"),
        (&admin, json!({ "scope": "ingest", "vendorId": "none" }), "vendorId"),
    ] {
        assert_eq!(refused_fields(client.post(PATH, &order(change.clone())).await).await, [field], "{change}");
    }
    assert_eq!(vendor.get_json(PATH).await["keys"], json!([]));
    let made = answered(vendor.post(PATH, &order(json!({ "expiresInDays": 30 }))).await, 201).await;
    assert_eq!((&made["key"]["scope"], &made["key"]["vendorId"]), (&json!("read"), &Value::Null));
    let second = |field: &str| {
        made["key"][field].as_str().expect("an instant").parse::<jiff::Timestamp>().expect("an instant").as_second()
    };
    assert_eq!(second("expiresAt") - second("createdAt"), 30 * 86_400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_does_what_its_scope_says_and_nothing_else() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
    let (read, write) =
        (make(&vendor, json!({ "scope": "read" })).await, make(&vendor, json!({ "scope": "write" })).await);
    let product = json!({ "name": "A mug", "category": "Mugs", "unitPrice": 100, "stock": 3, "status": "active" });
    let create = |key: String| {
        let (app, product) = (&app, product.clone());
        async move { ask(app, Method::POST, "/api/vendor/products", &key, Some(product)).await }
    };
    assert_eq!(ask(&app, Method::GET, "/api/vendor/products", &read, None).await.status(), 200);
    problem(create(read.clone()).await, 403, "out_of_scope").await;
    assert_eq!(create(write.clone()).await.status(), 201);
    for (method, path) in [(Method::DELETE, "/api/vendor/products/x"), (Method::PUT, "/api/account/password")] {
        problem(ask(&app, method, path, &read, Some(json!({}))).await, 403, "out_of_scope").await;
    }

    let ingest = make(&admin, json!({ "scope": "ingest", "vendorId": VENDOR })).await;
    let anything = make(&admin, json!({ "scope": "ingest" })).await;
    let products = |vendor: &str| {
        json!({ "products": [{ "productId": format!("p-{vendor}"), "vendorId": vendor, "name": "A mug",
            "category": "Mugs",
                               "unitPrice": 100, "stock": 3, "status": "active" }] })
    };
    let send = |key: String, body: Value| {
        let app = &app;
        async move { ask(app, Method::POST, "/api/ingest/products", &key, Some(body)).await }
    };
    assert_eq!(answered(send(ingest.clone(), products(VENDOR)).await, 200).await["created"], 1);
    let refused = problem(send(ingest.clone(), products("8")).await, 422, "invalid").await;
    assert!(refused.to_string().contains("vendor `7` alone"), "{refused}");
    let both = json!({ "products": [products(VENDOR)["products"][0], products("8")["products"][0]] });
    assert_eq!(refused_fields(send(ingest.clone(), both).await).await, ["products[1].vendorId"], "all or nothing");
    assert_eq!(
        answered(send(anything.clone(), products("8")).await, 200).await["created"],
        1,
        "nothing was kept before"
    );
    for key in [&ingest, &anything] {
        assert_eq!(me(&app, key).await, 200);
        for path in ["/api/admin/cache/stats", "/api/admin/metrics?dateFrom=1997-01-01&dateTo=1997-01-31"] {
            problem(ask(&app, Method::GET, path, key, None).await, 403, "out_of_scope").await;
        }
        problem(ask(&app, Method::POST, "/api/admin/cache/warm", key, Some(json!({}))).await, 403, "out_of_scope")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_end_with_their_time_the_password_and_every_session() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        // Whatever ends a key ends it there as well, in that very moment.
        let other = TestApp::builder().database(&database).spawn().await;
        let asked = async |key: &str| {
            let (here, there) = (me(&app, key).await, me(&other, key).await);
            assert_eq!(here, there, "on either instance");
            here
        };
        let accounts = &app.state().accounts;
        let browser = || app.log_in("one@example.com", Role::Vendor, Some(VENDOR));
        let client = browser().await;
        let (expired, kept) = (make(&client, json!({})).await, make(&client, json!({ "name": "kept" })).await);
        assert_eq!((asked(&expired).await, asked(&kept).await), (200, 200));
        let mut tx = app.state().db.write().await.expect("a transaction");
        tx.execute(sql("UPDATE api_keys SET expires_us = created_us WHERE name = 'a key'")).await.expect("an update");
        tx.commit().await.expect("committed");
        assert_eq!((asked(&expired).await, asked(&kept).await), (401, 200));
        let page = client.request(Method::GET, "/account").header("accept", "text/html").send().await;
        let page = page.expect("an answer").text().await.expect("a text");
        assert_eq!(page.matches(">Expired<").count(), 1, "one of two: {page}");

        let everywhere = client.request(Method::DELETE, "/api/account/sessions").send().await.expect("an answer");
        assert_eq!((everywhere.status().as_u16(), asked(&kept).await), (204, 401), "log out everywhere");
        let client = browser().await;
        let key = make(&client, json!({})).await;
        let change = json!({ "current": PASSWORD, "password": NEW });
        assert_eq!(client.put("/api/account/password", &change).await.status(), 204);
        assert_eq!(asked(&key).await, 401, "a changed password");
        let key = make(&client, json!({ "password": NEW })).await;
        let token = accounts
            .create_reset("one@example.com", vendorscope::server::identity::accounts::Actor::COMMAND_LINE)
            .await
            .expect("a token");
        accounts.reset_password(&token, PASSWORD, None).await.expect("reset");
        assert_eq!(asked(&key).await, 401, "a password that was lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_admin_sees_everybodys_keys_and_revokes_any() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
        let key = make(&vendor, json!({ "scope": "read", "name": "Shop" })).await;
        let listed = admin.get_json("/api/admin/keys").await;
        let [row] = &listed["keys"].as_array().expect("a list")[..] else { panic!("{listed}") };
        assert_eq!(
            (&row["email"], &row["name"], &row["scope"]),
            (&json!("vendor-7@example.com"), &json!("Shop"), &json!("read"))
        );
        assert!(!listed.to_string().contains(&key), "how it begins, and no more");
        let path = format!("/api/admin/keys/{}", row["keyId"].as_str().expect("an id"));
        assert_eq!(admin.request(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
        assert_eq!(me(&app, &key).await, 401);
        problem(admin.request(Method::DELETE, &path).send().await.expect("an answer"), 404, "not_found").await;

        // The same on the page.
        let open = async || {
            let page = admin.request(Method::GET, "/admin/keys").header("accept", "text/html");
            page.send().await.expect("an answer").text().await.expect("a text")
        };
        assert!(open().await.contains("Nobody has an API key."));
        let key = make(&vendor, json!({ "scope": "write", "name": "Till <1>", "expiresInDays": 30 })).await;
        assert_eq!(me(&app, &key).await, 200);
        let page = open().await;
        for text in ["vendor-7@example.com", "Till &lt;1&gt;", "read and write", &key[..8]] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(!page.contains(&key), "how it begins, and no more");
        let id = page.split("name=\"key_id\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
        let form = admin.request(Method::POST, "/_fn/admin/key/revoke").header("accept", "text/html");
        let form =
            form.header("sec-fetch-site", "same-origin").form(&[("key_id", id)]).send().await.expect("an answer");
        assert_eq!(form.headers()["location"], "/admin/keys?done=key");
        assert_eq!(me(&app, &key).await, 401);
        assert!(open().await.contains("Nobody has an API key."));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_made_by_a_password_that_is_changed_while_it_is_being_checked() {
    for database in databases().await {
        let app = TestApp::builder().database(&database).northwind().spawn().await;
        let key = json!({ "name": "a key", "password": PASSWORD, "scope": "write" });
        let paths = [(PATH, key), ("/api/account/second-factor", json!({ "password": PASSWORD }))];
        // Again and again: what else asks the database at that moment may be taken for the check.
        for (number, (path, body)) in paths.iter().cycle().take(8).enumerate() {
            let email = format!("user-{number}@example.com");
            let client = app.log_in(&email, Role::Vendor, Some(VENDOR)).await;
            // As another instance changes it: begun before the password is checked, and done after that.
            let mut change = app.state().db.write().await.expect("a transaction");
            let update =
                "UPDATE users SET password_hash = 'another', session_epoch = session_epoch + 1 WHERE email = $1";
            change.execute(sql(update).bind(email)).await.expect("an update");
            let (path, asked, before) = (*path, body.clone(), app.queries());
            let request = tokio::spawn(async move { client.post(path, &asked).await.status().as_u16() });
            while app.queries() == before && !request.is_finished() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            change.commit().await.expect("committed");
            assert_ne!(request.await.expect("no panic"), 201, "{path}");
            let mut look = app.state().db.read().await.expect("a transaction");
            let left = "SELECT (SELECT COUNT(*) FROM api_keys) + (SELECT COUNT(*) FROM second_factors) AS made";
            let row = look.row(sql(left)).await.expect("a query").expect("a row");
            assert_eq!(sqlx::Row::get::<i64, _>(&row, "made"), 0, "{path}");
        }
    }
}

/// The same at the last moment: the change has begun and is not done yet when the key is to be made. SQLite has one
/// writer at a time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_made_by_a_password_that_is_being_changed_when_it_is_made() {
    let database = TestDatabase::postgres().await;
    let app = TestApp::builder().database(&database).northwind().spawn().await;
    let key = json!({ "name": "a key", "password": PASSWORD, "scope": "write" });
    for (path, body) in [(PATH, key), ("/api/account/second-factor", json!({ "password": PASSWORD }))] {
        let email = format!("user-of{}@example.com", path.replace('/', "-"));
        let client = app.log_in(&email, Role::Vendor, Some(VENDOR)).await;
        let (db, watching) = (&app.state().db, database.open().await);
        let mut change = db.write().await.expect("a transaction");
        let update = "UPDATE users SET password_hash = 'another', session_epoch = session_epoch + 1 WHERE email = $1";
        change.execute(sql(update).bind(email)).await.expect("an update");
        let request = tokio::spawn(async move { client.post(path, &body).await.status().as_u16() });
        let waits = "SELECT COUNT(*) AS waiting FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("it is made, or waits", async || {
            let mut look = watching.read().await.expect("a transaction");
            let row = look.row(sql(waits)).await.expect("a query").expect("a row");
            (request.is_finished() || sqlx::Row::get::<i64, _>(&row, "waiting") > 0).then_some(())
        })
        .await;
        change.commit().await.expect("committed");
        assert_eq!(request.await.expect("no panic"), 409, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_key_looks_after_anybodys_keys_not_even_an_admins() {
    let app = TestApp::builder().northwind().spawn().await;
    let (vendor, admin) = (app.log_in_as_vendor(VENDOR).await, app.log_in_as_admin().await);
    let (key, stolen) = (make(&vendor, json!({ "scope": "read" })).await, make(&admin, json!({})).await);
    let id = vendor.get_json(PATH).await["keys"][0]["keyId"].as_str().expect("an id").to_owned();
    let revoke = ask(&app, Method::DELETE, &format!("/api/admin/keys/{id}"), &stolen, None).await;
    problem(revoke, 403, "forbidden").await;
    assert_eq!(me(&app, &key).await, 200);
}
