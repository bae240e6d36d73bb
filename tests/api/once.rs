//! Requests that are sent twice, and refunds that are dated.

use reqwest::Method;
use serde_json::{Value, json};
use vendorscope::server::{
    db::{idempotency, sql},
    import::ImportOptions,
    services::import::import_bundle,
};

use crate::harness::{Client, Market, PASSWORD, RedisServer, TestApp, TestDatabase, Unwatched, contents, databases};

async fn apps() -> Vec<(TestApp, Market)> {
    let mut apps = Vec::new();
    for database in databases().await {
        let market = Market::new();
        apps.push((TestApp::builder().database(&database).bundle(market.path()).unlimited().spawn().await, market));
    }
    apps
}

/// Status and body of a request with a key.
async fn send(client: &Client, method: Method, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
    let mut request = client.request(method, path);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a text");
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") })
}

async fn audited(app: &TestApp, action: &str) -> usize {
    let mut tx = app.state().db.read().await.expect("a transaction");
    let query = sql("SELECT id FROM audit_log WHERE action = $1").bind(action.to_owned());
    tx.rows(query).await.expect("rows").len()
}

fn refunded(order: &Value) -> i64 {
    order["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|line| line["refundedAmount"].as_i64().expect("a number"))
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_one_with_a_key_and_two_without() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let (path, body) = ("/api/vendor/orders/o2/refunds", json!({ "amount": 500 }));
        let first = send(&client, Method::POST, path, Some("refund-1"), &body).await;
        assert_eq!((first.0, refunded(&first.1)), (201, 500));
        // The same words, whatever happened since.
        client.patch("/api/vendor/orders/o2", &json!({ "status": "shipped" })).await;
        let before = contents(&app.state().db).await;
        assert_eq!(send(&client, Method::POST, path, Some("refund-1"), &body).await, first);
        assert_eq!(contents(&app.state().db).await, before, "nothing was written");
        let (status, problem) = send(&client, Method::POST, path, Some("refund-1"), &json!({ "amount": 501 })).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("Idempotency-Key")));
        // Another key, and none, are other requests.
        assert_eq!(refunded(&send(&client, Method::POST, path, Some("refund-2"), &body).await.1), 1_000);
        for total in [1_500, 2_000] {
            assert_eq!(refunded(&send(&client, Method::POST, path, None, &body).await.1), total);
        }
        // At the same time, too.
        let sends = (0..4).map(|_| send(&client, Method::POST, path, Some("refund-3"), &body));
        for (status, order) in futures::future::join_all(sends).await {
            assert_eq!((status, refunded(&order)), (201, 2_500));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_of_a_vendor_is_done_once_with_a_key() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let order = json!({ "customer": { "name": "Mira", "country": "Austria" },
            "lines": [{ "productId": "e1", "quantity": 1 }] });
        let product = json!({ "name": "Cup", "category": "Mugs", "unitPrice": 100, "stock": 3 });
        for (method, path, body) in [
            (Method::POST, "/api/vendor/orders", order),
            (Method::PATCH, "/api/vendor/orders/o2", json!({ "status": "shipped" })),
            (Method::POST, "/api/vendor/products", product.clone()),
            (Method::PUT, "/api/vendor/products/e1", product),
            (Method::PATCH, "/api/vendor/products/bulk", json!({ "productIds": ["e1"], "changes": { "stock": 9 } })),
            (Method::DELETE, "/api/vendor/products/e2", Value::Null),
        ] {
            let key = format!("key-{method}-{}", path.len());
            let first = send(&client, method.clone(), path, Some(&key), &body).await;
            assert!((200..300).contains(&first.0), "{method} {path}: {first:?}");
            let before = contents(&app.state().db).await;
            assert_eq!(send(&client, method.clone(), path, Some(&key), &body).await, first, "{method} {path}");
            assert_eq!(contents(&app.state().db).await, before, "{method} {path}");
        }
        // A key belongs to who sent it.
        let other = app.log_in_as_vendor("nyc").await;
        let body = json!({ "customer": { "name": "Mira", "country": "Austria" },
            "lines": [{ "productId": "n1", "quantity": 1 }] });
        assert_eq!(send(&other, Method::POST, "/api/vendor/orders", Some("key-POST-18"), &body).await.0, 201);
        // What was refused is not remembered.
        let much = json!({ "customer": { "customerId": "c1" }, "lines": [{ "productId": "e1", "quantity": 50 }] });
        assert_eq!(send(&client, Method::POST, "/api/vendor/orders", Some("later"), &much).await.0, 409);
        client.patch("/api/vendor/products/bulk", &json!({ "productIds": ["e1"], "changes": { "stock": 90 } })).await;
        assert_eq!(send(&client, Method::POST, "/api/vendor/orders", Some("later"), &much).await.0, 201);
    }
}

/// Routes whose work has no transaction of its own.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_the_cache_do_once_what_carries_a_key() {
    for (app, _market) in apps().await {
        let client = app.log_in_as_vendor("eur").await;
        let (path, body) = ("/api/account/keys", json!({ "name": "Shop", "password": PASSWORD, "scope": "write" }));
        let first = send(&client, Method::POST, path, Some("key-1"), &body).await;
        assert_eq!(first.0, 201);
        // The secret too, which is told in no other way.
        assert_eq!(send(&client, Method::POST, path, Some("key-1"), &body).await, first);
        let secret = first.1["secret"].as_str().expect("a secret");
        let kept = contents(&app.state().db).await.join("\n");
        assert!(
            !kept.contains(secret) && kept.contains("idempotency_keys: scope=Some(\"request "),
            "the database does not know the key"
        );
        let keys = client.get_json(path).await["keys"].as_array().expect("keys").len();
        assert_eq!(keys, 1);
        let (status, problem) = send(&client, Method::POST, path, Some("key-1"), &json!({ "name": "Another" })).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("Idempotency-Key")));
        // The same key at another route is another request as well.
        let zone = json!({ "timeZone": "Asia/Tokyo" });
        assert_eq!(send(&client, Method::PUT, "/api/account/time-zone", Some("key-1"), &zone).await.0, 422);
        // What is gone is said to be gone once.
        let revoke = format!("{path}/{}", first.1["key"]["keyId"].as_str().expect("an id"));
        for _ in 0..2 {
            assert_eq!(send(&client, Method::DELETE, &revoke, Some("key-2"), &Value::Null).await.0, 204);
        }
        assert_eq!(send(&client, Method::DELETE, &revoke, Some("key-3"), &Value::Null).await.0, 404);
        for _ in 0..2 {
            assert_eq!(send(&client, Method::PUT, "/api/account/time-zone", Some("key-4"), &zone).await.0, 204);
        }
        // At the same time: one is done, the others are answered alike or told to come again.
        let sends = (0..4).map(|_| send(&client, Method::POST, path, Some("key-5"), &body));
        let answers = futures::future::join_all(sends).await;
        let made: Vec<&Value> = answers.iter().filter(|(status, _)| *status == 201).map(|(_, body)| body).collect();
        assert!(!made.is_empty() && made.iter().all(|body| *body == made[0]), "{answers:?}");
        assert!(answers.iter().all(|(status, _)| [201, 409].contains(status)), "{answers:?}");
        assert_eq!(client.get_json(path).await["keys"].as_array().expect("keys").len(), 1);
        // What was refused is not remembered.
        let wrong = json!({ "timeZone": "Mars/Olympus" });
        for _ in 0..2 {
            let (status, problem) = send(&client, Method::PUT, "/api/account/time-zone", Some("key-6"), &wrong).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("timeZone")));
        }
        let admin = app.log_in_as_admin().await;
        let tags = json!({ "tags": ["vendor:eur"] });
        let before = audited(&app, "cache_invalidate").await;
        for _ in 0..2 {
            assert_eq!(send(&admin, Method::POST, "/api/admin/cache/invalidate", Some("key-1"), &tags).await.0, 200);
        }
        assert_eq!(audited(&app, "cache_invalidate").await, before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_the_secret_changed_is_answered_again() {
    let (redis, database, market) = (RedisServer::start(), TestDatabase::sqlite(), Market::new());
    let before = TestApp::builder().database(&database).redis(&redis).bundle(market.path()).spawn().await;
    let after = |previous: bool| {
        TestApp::builder().database(&database).redis(&redis).config(move |config| {
            let old = std::mem::replace(&mut config.sessions.secret, "another secret, also long enough".into());
            config.sessions.previous_secret = previous.then_some(old);
        })
    };
    let client = before.log_in_as_vendor("eur").await;
    let (path, body) = ("/api/account/keys", json!({ "name": "Shop", "password": PASSWORD, "scope": "write" }));
    let first = send(&client, Method::POST, path, Some("key-1"), &body).await;
    assert_eq!(first.0, 201);
    let changed = after(true).spawn().await;
    let there = client.at(&changed);
    assert_eq!(send(&there, Method::POST, path, Some("key-1"), &body).await, first);
    let another = json!({ "name": "Another", "password": PASSWORD, "scope": "write" });
    assert_eq!(send(&there, Method::POST, path, Some("key-1"), &another).await.0, 422, "of another content");
    assert_eq!(there.get_json(path).await["keys"].as_array().expect("keys").len(), 1);
    // Once the secret before is gone, nobody can tell whether it is the same request.
    let later = after(false).spawn().await;
    let client = later.log_in_as_vendor("eur").await;
    assert_eq!(send(&client, Method::POST, path, Some("key-1"), &body).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_invited_once_and_changed_once_by_a_key() {
    for (app, _market) in apps().await {
        let admin = app.log_in_as_admin().await;
        let path = "/api/admin/users";
        let count = async || admin.get_json(path).await["users"].as_array().map_or(0, Vec::len);
        let before = count().await;
        let new = json!({ "email": "new@example.com", "role": "vendor", "vendorId": "eur", "password": PASSWORD });
        let first = send(&admin, Method::POST, path, Some("key-1"), &new).await;
        assert_eq!(first.0, 201, "{first:?}");
        // The link too, which a second invitation would have made anew.
        assert_eq!(send(&admin, Method::POST, path, Some("key-1"), &new).await, first);
        assert_eq!(count().await, before + 1);
        let link = format!("{path}/{}/link", first.1["user"]["userId"].as_str().expect("an id"));
        let body = json!({ "password": PASSWORD });
        let second = send(&admin, Method::POST, &link, Some("key-2"), &body).await;
        assert_eq!(second.0, 201, "{second:?}");
        assert_eq!(send(&admin, Method::POST, &link, Some("key-2"), &body).await, second);
    }
}

/// Whoever adds a route that changes something finds it here.
#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_changes_something_does_it_once() {
    let app = TestApp::builder().bundle(Market::new().path()).unlimited().spawn().await;
    let admin = app.log_in_as_admin().await;
    let tags = json!({ "tags": ["vendor:eur"] });
    assert_eq!(send(&admin, Method::POST, "/api/admin/cache/invalidate", Some("used"), &tags).await.0, 200);
    let document = admin.get_json("/api/openapi.json").await;
    let mut others = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys().filter(|method| *method != "get") {
            let is_remembered = ["/api/admin/", "/api/account/"].iter().any(|part| path.starts_with(part));
            if !is_remembered || path == "/api/admin/cache/invalidate" {
                others.push(format!("{method} {path}"));
                continue;
            }
            // What is remembered under the key is another request's: it is found before anything is done.
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let (status, problem) = send(&admin, verb, &path.replace("{id}", "x"), Some("used"), &json!({})).await;
            let said = problem["errors"][0]["message"].as_str().unwrap_or_default();
            assert!(status == 422 && said.contains("another content"), "{method} {path}: {status} {problem}");
        }
    }
    others.sort();
    // Those of vendors and of the marketplace's backend note their answer in the transaction of their work: see above.
    // Nobody is logged in where a login is made, and where letters are stopped; a logout is one however often it is
    // sent.
    assert_eq!(
        others,
        [
            "delete /api/vendor/notes/{id}",
            "delete /api/vendor/orders/{id}/refunds/{refundedAt}",
            "delete /api/vendor/products/{id}",
            "patch /api/vendor/orders/{id}",
            "patch /api/vendor/products/bulk",
            "post /api/admin/cache/invalidate",
            "post /api/auth/login",
            "post /api/auth/logout",
            "post /api/ingest/orders",
            "post /api/ingest/products",
            "post /api/ingest/refunds",
            "post /api/letters/stop",
            "post /api/vendor/notes",
            "post /api/vendor/orders",
            "post /api/vendor/orders/{id}/refunds",
            "post /api/vendor/products",
            "put /api/vendor/notes/{id}",
            "put /api/vendor/products/{id}",
        ]
    );
}

/// The twin that had the key is refused, and forgets it, after this one has found it taken and before it has looked
/// what is remembered: here a trigger has that happen.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_its_twin_forgets_at_the_last_moment_is_claimed_in_a_row() {
    let database = TestDatabase::postgres().await;
    let db = database.open().await;
    let run = async |text: &'static str| {
        let mut tx = db.write().await.expect("a transaction");
        tx.execute(sql(text)).await.expect("done");
        tx.commit().await.expect("committed");
    };
    run("CREATE FUNCTION forget_twin() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN DELETE FROM idempotency_keys WHERE fingerprint = 'twin'; RETURN NULL; END $$")
    .await;
    run(
        "CREATE TRIGGER forget_twin AFTER INSERT ON idempotency_keys FOR EACH STATEMENT EXECUTE FUNCTION forget_twin()",
    )
    .await;
    // As its own transaction left it, without the trigger.
    run("ALTER TABLE idempotency_keys DISABLE TRIGGER forget_twin").await;
    run("INSERT INTO idempotency_keys (scope, key, fingerprint, answer, at_us) VALUES ('s', 'k', 'twin', '', 5)").await;
    run("ALTER TABLE idempotency_keys ENABLE TRIGGER forget_twin").await;
    let mut tx = db.write().await.expect("a transaction");
    assert_eq!(idempotency::claim(&mut tx, "s", "k", "mine", 6, 0).await.expect("an answer"), None);
    tx.commit().await.expect("committed");
    let mut tx = db.read().await.expect("a transaction");
    let kept = tx.rows(sql("SELECT fingerprint FROM idempotency_keys WHERE fingerprint = 'mine'")).await.expect("rows");
    assert_eq!(kept.len(), 1, "whoever sends it next finds it claimed");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_changes_something_takes_a_key_and_the_document_says_so() {
    let app = TestApp::builder().bundle(Market::new().path()).spawn().await;
    let client = app.log_in_as_vendor("eur").await;
    let document = client.get_json("/api/openapi.json").await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let names: Vec<&str> = operation["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|parameter| parameter["name"].as_str())
                .collect();
            let is_unsafe = method != "get";
            assert_eq!(names.contains(&"Idempotency-Key"), is_unsafe, "{method} {path}");
            if is_unsafe {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                let (status, problem) =
                    send(&client, method.clone(), &path.replace("{id}", "x"), Some("no key"), &json!({})).await;
                assert_eq!(
                    (status, &problem["errors"][0]["field"]),
                    (422, &json!("Idempotency-Key")),
                    "{method} {path}"
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "{checked} operations");
}

/// Ordered at noon of 12 March in Berlin.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_of_its_orders_day_or_later_whoever_writes_it() {
    for (app, market) in apps().await {
        let (client, admin) = (app.log_in_as_vendor("eur").await, app.log_in_as_admin().await);
        let path = "/api/vendor/orders/o2/refunds";
        // The day is what counts: earlier on the same day, by the vendor's clock, is accepted; the last instant of the
        // day before is not.
        for (at, status) in
            [("2026-03-11T23:00:00Z", 201), ("2026-03-11T22:59:59Z", 422), ("2020-01-01T00:00:00Z", 422)]
        {
            let (got, problem) =
                send(&client, Method::POST, path, None, &json!({ "amount": 100, "refundedAt": at })).await;
            assert_eq!(got, status, "{at}: {problem}");
            if status == 422 {
                assert_eq!(problem["errors"][0]["field"], "refundedAt", "{at}");
            }
            let refund = json!({ "refunds": [{ "orderId": "o1", "line": 2, "amount": 100,
                "refundedAt": at.replace("03-11", "03-09") }] });
            let (got, problem) = send(&admin, Method::POST, "/api/ingest/refunds", None, &refund).await;
            // o1 was ordered at noon of 10 March, its second line from New York: there the 9th has another end.
            assert_eq!(got, 422, "{at}: {problem}");
            assert_eq!(problem["errors"][0]["field"], "refunds[0].refundedAt", "{at}: {problem}");
        }
        let at = "2026-03-10T05:00:00Z";
        let refund = json!({ "refunds": [{ "orderId": "o1", "line": 2, "amount": 100, "refundedAt": at }] });
        assert_eq!(send(&admin, Method::POST, "/api/ingest/refunds", None, &refund).await.0, 200, "of the same day");
        // An order does not move past its refunds.
        for (placed_at, status) in
            [("2026-03-13T12:00:00Z", 422), ("2026-03-12T22:00:00Z", 200), ("2026-03-01T12:00:00Z", 200)]
        {
            let (got, problem) =
                send(&client, Method::PATCH, "/api/vendor/orders/o2", None, &json!({ "placedAt": placed_at })).await;
            assert_eq!(got, status, "{placed_at}: {problem}");
            if status == 422 {
                assert_eq!(problem["errors"][0]["field"], "placedAt");
            }
        }
        let moved = json!({ "orders": [{
            "orderId": "o1", "customer": { "customerId": "c1" }, "placedAt": "2026-03-20T12:00:00Z",
                "status": "delivered",
            "lines": [{ "productId": "e1", "quantity": 2, "unitPrice": 1250, "discount": 250 },
                { "productId": "n1", "quantity": 1, "unitPrice": 1000 }],
        }] });
        let (got, problem) = send(&admin, Method::POST, "/api/ingest/orders", None, &moved).await;
        assert_eq!((got, &problem["errors"][0]["field"]), (422, &json!("orders[0].placedAt")), "{problem}");
        // As files say it.
        let before = contents(&app.state().db).await;
        market.write(
            "refunds",
            "order_id,line,quantity,amount,refunded_at\n\
             o2,1,0,1.00,2026-03-13T00:00:00Z\no2,1,0,1.00,2020-01-01T00:00:00Z\n",
        );
        let error = import_bundle(&app.state().db, &market.path(), ImportOptions::default(), &Unwatched)
            .await
            .expect_err("too early");
        assert!(error.to_string().contains("refunds.csv, line 3: refunded_at"), "{error}");
        assert_eq!(contents(&app.state().db).await, before);
    }
}
